//! The user that the server runs as. PostgreSQL refuses to run as root, so root uses another user: `postgres` where there is
//! one, else `nobody`.

use crate::ClusterError;
use rustix::process::geteuid;
use std::fs;
use std::io;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

/// Users to run the server as, in order of preference.
const USERS: [&str; 2] = ["postgres", "nobody"];

/// The user and group that run the server, where they are not those of this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Account(Option<(u32, u32)>);

impl Account {
    pub(crate) fn for_server() -> Result<Self, ClusterError> {
        if !geteuid().is_root() {
            return Ok(Self(None));
        }
        let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
        USERS.iter().find_map(|name| find(&users, name)).map(|ids| Self(Some(ids))).ok_or_else(|| {
            let names = USERS.join("` or `");
            let reason = format!(
                "PostgreSQL does not run as root, and there is no user `{names}`: run bench-host as another user, or give \
                 --database-url URL"
            );
            ClusterError::Unavailable(reason)
        })
    }

    /// Makes this account the owner of `path`.
    pub(crate) fn own(self, path: &Path) -> io::Result<()> {
        self.0.map_or(Ok(()), |(user, group)| chown(path, Some(user), Some(group)))
    }

    /// Whether the user `uid` may own files of this account.
    pub(crate) fn may_own(self, uid: u32) -> bool {
        uid == self.0.map_or_else(|| geteuid().as_raw(), |(user, _)| user)
    }

    /// A command that runs `program` as this account in `folder`, in its own process group and with an empty standard input.
    pub(crate) fn command(self, program: &Path, folder: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(folder).stdin(Stdio::null()).process_group(0);
        // The environment must decide neither the language of messages nor the server.
        command.env_clear().env("LC_ALL", "C").env("PATH", "/usr/bin:/bin");
        if let Some((user, group)) = self.0 {
            command.uid(user).gid(group);
        }
        command
    }
}

/// The user id and group id of `name` in the lines of `/etc/passwd` (passwd(5)).
fn find(users: &str, name: &str) -> Option<(u32, u32)> {
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let is_it = fields.next()? == name;
        let (user, group) = (fields.nth(1)?.parse().ok()?, fields.next()?.parse().ok()?);
        is_it.then_some((user, group))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn find_returns_user_and_group_id() {
        let users = "root:x:0:0:root:/root:/bin/bash\nbroken\npostgres:x:101:104:,,,:/var/lib/postgresql:/bin/bash\n";
        assert_eq!(find(users, "postgres"), Some((101, 104)));
        assert_eq!(find(users, "nobody"), None);
    }
}
