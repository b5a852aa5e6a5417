//! Whose the server is. PostgreSQL refuses to run as root, so that under root it is somebody else's: a user that the system has
//! for this, or the one that owns nothing.

use crate::ClusterError;
use rustix::process::geteuid;
use std::fs;
use std::io;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

/// Users that will do, the best first.
const USERS: [&str; 2] = ["postgres", "nobody"];

/// Who runs the server: a user and a group, where it is not who we are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Account(Option<(u32, u32)>);

impl Account {
    pub(crate) fn for_server() -> Result<Self, ClusterError> {
        if !geteuid().is_root() {
            return Ok(Self(None));
        }
        let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
        USERS.iter().find_map(|name| find(&users, name)).map(|ids| Self(Some(ids))).ok_or_else(|| {
            let names = USERS.join("` nor `");
            let reason = format!(
                "PostgreSQL does not run as root, and there is neither a user `{names}`: run bench-host as another user, or give \
                 --database-url URL"
            );
            ClusterError::Unavailable(reason)
        })
    }

    /// Makes `path` this account's.
    pub(crate) fn own(self, path: &Path) -> io::Result<()> {
        self.0.map_or(Ok(()), |(user, group)| chown(path, Some(user), Some(group)))
    }

    /// Whether files of the user `uid` may be this account's.
    pub(crate) fn may_own(self, uid: u32) -> bool {
        uid == self.0.map_or_else(|| geteuid().as_raw(), |(user, _)| user)
    }

    /// `program`, run as this account in `folder`, out of reach of the terminal's signals, with nothing to read.
    pub(crate) fn command(self, program: &Path, folder: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(folder).stdin(Stdio::null()).process_group(0);
        // Neither the language of messages nor where a server is to be found may come from whoever started us.
        command.env_clear().env("LC_ALL", "C").env("PATH", "/usr/bin:/bin");
        if let Some((user, group)) = self.0 {
            command.uid(user).gid(group);
        }
        command
    }
}

/// The user's and the group's number of `name` in the lines of `/etc/passwd` (passwd(5)).
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
    fn numbers_of_users() {
        let users = "root:x:0:0:root:/root:/bin/bash\nbroken\npostgres:x:101:104:,,,:/var/lib/postgresql:/bin/bash\n";
        assert_eq!(find(users, "postgres"), Some((101, 104)));
        assert_eq!(find(users, "nobody"), None);
    }
}
