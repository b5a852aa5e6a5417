//! Who this process is for a NATS server, as variables of the environment say, which have the names that the `nats` command uses. Secrets are
//! in files or in the environment, never in arguments.

use super::NatsError;
use async_nats::ConnectOptions;
use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

/// How this process introduces itself, and whom it trusts.
#[derive(Default)]
pub struct Login {
    /// The file with a JWT and its seed.
    credentials: Option<PathBuf>,
    /// The file with the seed of an nkey.
    nkey: Option<PathBuf>,
    token: Option<String>,
    user: Option<(String, String)>,
    /// The file with the certificate of the authority that signed the server's.
    authority: Option<PathBuf>,
    /// The files with this process's certificate and its key.
    certificate: Option<(PathBuf, PathBuf)>,
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Neither the token nor the password is shown.
        let Self { credentials, nkey, authority, certificate, .. } = self;
        let mut shown = f.debug_struct("Login");
        shown.field("credentials", credentials).field("nkey", nkey).field("authority", authority);
        shown.field("certificate", certificate).finish_non_exhaustive()
    }
}

impl Login {
    /// Reads it from variables that `get` returns, such as [`std::env::var_os`].
    pub fn read(get: impl Fn(&str) -> Option<OsString>) -> Result<Self, NatsError> {
        let set = |name: &str| get(name).filter(|value| !value.is_empty());
        let text = |name: &str| set(name).map(|value| value.to_string_lossy().into_owned());
        let file = |name: &str| set(name).map(PathBuf::from);
        let user = match (text("NATS_USER"), text("NATS_PASSWORD")) {
            (Some(user), Some(password)) => Some((user, password)),
            (None, None) => None,
            _ => return Err(NatsError::Environment("NATS_USER and NATS_PASSWORD belong together; set both or none")),
        };
        let certificate = match (file("NATS_CERT"), file("NATS_KEY")) {
            (Some(certificate), Some(key)) => Some((certificate, key)),
            (None, None) => None,
            _ => return Err(NatsError::Environment("NATS_CERT and NATS_KEY belong together; set both or none")),
        };
        let (credentials, nkey, token) = (file("NATS_CREDS"), file("NATS_NKEY"), text("NATS_TOKEN"));
        let ways = [credentials.is_some(), nkey.is_some(), token.is_some(), user.is_some()];
        if ways.into_iter().filter(|way| *way).count() > 1 {
            return Err(NatsError::Environment("set only one of NATS_CREDS, NATS_NKEY, NATS_TOKEN and NATS_USER"));
        }
        Ok(Self { credentials, nkey, token, user, authority: file("NATS_CA"), certificate })
    }

    /// The options of a connection of this user.
    pub(super) fn options(&self) -> Result<ConnectOptions, NatsError> {
        let mut options = ConnectOptions::new();
        if let Some(path) = &self.credentials {
            let text = read("NATS_CREDS", path)?;
            let fail = |source| NatsError::File { name: "NATS_CREDS", path: path.clone(), source };
            options = options.credentials(&text).map_err(fail)?;
        }
        if let Some(path) = &self.nkey {
            options = options.nkey(read("NATS_NKEY", path)?.trim().to_owned());
        }
        if let Some(token) = &self.token {
            options = options.token(token.clone());
        }
        if let Some((user, password)) = &self.user {
            options = options.user_and_password(user.clone(), password.clone());
        }
        if let Some(path) = &self.authority {
            // The client would tell only that it cannot connect.
            read("NATS_CA", path)?;
            options = options.add_root_certificates(path.clone());
        }
        if let Some((certificate, key)) = &self.certificate {
            read("NATS_CERT", certificate)?;
            read("NATS_KEY", key)?;
            options = options.add_client_certificate(certificate.clone(), key.clone());
        }
        Ok(options)
    }
}

fn read(name: &'static str, path: &Path) -> Result<String, NatsError> {
    fs::read_to_string(path).map_err(|source| NatsError::File { name, path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks what comes of these variables: the beginning of the error, if there is one.
    #[track_caller]
    fn check(variables: &[(&str, &str)], expect: Option<&str>) {
        let get =
            |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| OsString::from(value));
        let found = Login::read(get).and_then(|login| login.options().map(|_| format!("{login:?}")));
        match (found, expect) {
            (Ok(shown), None) => assert!(!shown.contains("s3cret"), "{shown}"),
            (Err(error), Some(begin)) => assert!(error.to_string().starts_with(begin), "{error}"),
            (found, expect) => panic!("{variables:?}: {found:?}, expected {expect:?}"),
        }
    }

    #[test]
    fn secrets_come_from_the_environment_and_are_not_shown() {
        check(&[], None);
        check(&[("NATS_USER", "u"), ("NATS_PASSWORD", "s3cret")], None);
        check(&[("NATS_TOKEN", "s3cret"), ("NATS_CREDS", "")], None);
        let folder = tempfile::tempdir().unwrap();
        let seed = folder.path().join("seed");
        fs::write(&seed, "SUAs3cret\n").unwrap();
        check(&[("NATS_NKEY", seed.to_str().unwrap())], None);
    }

    #[test]
    fn incomplete_or_contradictory_variables_are_named() {
        check(&[("NATS_USER", "u")], Some("NATS_USER and NATS_PASSWORD belong together"));
        check(&[("NATS_CERT", "c")], Some("NATS_CERT and NATS_KEY belong together"));
        check(&[("NATS_TOKEN", "t"), ("NATS_NKEY", "n")], Some("set only one of NATS_CREDS"));
        for name in ["NATS_CREDS", "NATS_NKEY", "NATS_CA"] {
            check(&[(name, "/nowhere/file")], Some(&format!("{name}: cannot read /nowhere/file")));
        }
        let folder = tempfile::tempdir().unwrap();
        let garbage = folder.path().join("garbage");
        fs::write(&garbage, "garbage").unwrap();
        check(&[("NATS_CREDS", garbage.to_str().unwrap())], Some("NATS_CREDS: cannot read "));
    }
}
