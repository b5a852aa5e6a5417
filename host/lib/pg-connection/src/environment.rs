//! The parts of a user's environment that decide a connection: variables, files in the home folder, the name of the user.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The variables, home folder and name of a user. A value, so that tests need not change those of the process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Environment {
    variables: BTreeMap<String, String>,
    home: Option<PathBuf>,
    user: Option<String>,
}

impl Environment {
    /// That of this process.
    pub fn of_process() -> Self {
        let is_ours = |(name, _): &(String, String)| name.starts_with("PG");
        let variables =
            std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        Self { variables: variables.filter(is_ours).collect(), home: std::env::home_dir(), user: user() }
    }

    /// An environment with these variables, home folder and user.
    pub fn new<'a>(variables: impl IntoIterator<Item = (&'a str, &'a str)>, home: Option<&Path>, user: &str) -> Self {
        let variables = variables.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Self { variables, home: home.map(Path::to_owned), user: Some(user.to_owned()) }
    }

    /// The value of a variable; an empty one counts as none, as for libpq.
    pub(crate) fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// A path in the home folder.
    pub(crate) fn in_home(&self, path: &str) -> Option<PathBuf> {
        Some(self.home.as_ref()?.join(path))
    }

    /// The name of the user, which is the default user of a connection.
    pub(crate) fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }
}

/// The name of the user that this process runs as.
fn user() -> Option<String> {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    named(&status, &users).or_else(|| ["USER", "LOGNAME"].iter().find_map(|name| std::env::var(name).ok()))
}

/// The name in `/etc/passwd` (passwd(5)) of the effective user in `/proc/self/status`.
fn named(status: &str, users: &str) -> Option<String> {
    let own = status.lines().find_map(|line| line.strip_prefix("Uid:"))?.split_whitespace().nth(1)?;
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (name, id) = (fields.next()?, fields.nth(1)?);
        (id == own).then(|| name.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_is_the_effective_one() {
        let users = "root:x:0:0::/root:/bin/sh\nann:x:1000:1000::/home/ann:/bin/sh\n";
        assert_eq!(named("Name:\tx\nUid:\t0\t1000\t0\t0\n", users).as_deref(), Some("ann"));
        assert_eq!(named("Uid:\t7\t7\t7\t7\n", users), None);
        assert_eq!(named("", users), None);
    }
}
