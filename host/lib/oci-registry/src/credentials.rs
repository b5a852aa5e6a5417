//! The user names and passwords that `docker login` and `podman login` keep.

use crate::error::RegistryError;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{env, fmt, fs, io};

/// A user name and a password.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    user: String,
    password: String,
}

#[derive(Deserialize)]
struct ConfigJson {
    #[serde(default)]
    auths: BTreeMap<String, AuthJson>,
}

#[derive(Deserialize)]
struct AuthJson {
    auth: Option<String>,
}

impl Credentials {
    /// A user name and a password.
    pub fn new(user: impl Into<String>, password: impl Into<String>) -> Self {
        Self { user: user.into(), password: password.into() }
    }

    /// The credentials for `host` in the files of docker and podman; `None` if there are none. Those in a helper's keychain are not read.
    pub fn find(host: &str) -> Result<Option<Self>, RegistryError> {
        for path in files() {
            if let Some(found) = Self::in_file(&path, host)? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    fn in_file(path: &Path, host: &str) -> Result<Option<Self>, RegistryError> {
        let failed = |reason: String| RegistryError::Credentials { path: path.display().to_string(), reason };
        let text = match fs::read_to_string(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            text => text.map_err(|error| failed(error.to_string()))?,
        };
        // An error of serde's may show a part of the text, which may be a password.
        let config: ConfigJson = serde_json::from_str(&text)
            .map_err(|error| failed(format!("not a file of credentials (line {})", error.line())))?;
        let is_of_host = |key: &str| {
            let key = key.strip_prefix("https://").unwrap_or(key);
            key.split('/').next() == Some(host)
        };
        let Some(auth) = config.auths.into_iter().find_map(|(key, auth)| auth.auth.filter(|_| is_of_host(&key))) else {
            return Ok(None);
        };
        let decoded = BASE64.decode(auth).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let pair = decoded.as_deref().and_then(|pair| pair.split_once(':'));
        let (user, password) =
            pair.ok_or_else(|| failed(format!("the entry of {host} is not a user name and a password")))?;
        Ok(Some(Self::new(user, password)))
    }

    /// The value of the header `authorization`.
    pub(crate) fn basic(&self) -> String {
        format!("Basic {}", BASE64.encode(format!("{}:{}", self.user, self.password)))
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credentials({}, …)", self.user)
    }
}

/// Where credentials may be, the most specific first.
fn files() -> Vec<PathBuf> {
    let variable = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let docker = variable("DOCKER_CONFIG").or_else(|| Some(env::home_dir()?.join(".docker")));
    [
        variable("REGISTRY_AUTH_FILE"),
        variable("XDG_RUNTIME_DIR").map(|folder| folder.join("containers/auth.json")),
        docker.map(|folder| folder.join("config.json")),
    ]
    .into_iter()
    .flatten()
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the text of a file says of the host `h:5000`.
    fn found(text: &str) -> Result<Option<Credentials>, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.json");
        fs::write(&path, text).unwrap();
        Credentials::in_file(&path, "h:5000").map_err(|error| error.to_string())
    }

    #[test]
    fn credentials_of_the_host_are_found() {
        let expect = Ok(Some(Credentials::new("user", "pass:word")));
        let auth = BASE64.encode("user:pass:word");
        assert_eq!(found(&format!(r#"{{"auths": {{"h:5000": {{"auth": "{auth}"}}}}}}"#)), expect);
        assert_eq!(found(&format!(r#"{{"auths": {{"https://h:5000/v1/": {{"auth": "{auth}"}}}}}}"#)), expect);
        assert_eq!(found(&format!(r#"{{"auths": {{"h": {{"auth": "{auth}"}}}}}}"#)), Ok(None));
        assert_eq!(found(r#"{"auths": {"h:5000": {}}, "credsStore": "x"}"#), Ok(None));
        assert_eq!(found("{}"), Ok(None));
    }

    #[test]
    fn malformed_file_is_reported_without_what_it_holds() {
        for text in [r#"{"auths": {"h:5000": {"auth": "secret"}}}"#, r#"{"auths": "secret"}"#] {
            let error = found(text).unwrap_err();
            assert!(error.contains("log in again") && !error.contains("secret"), "{error}");
        }
        assert!(!format!("{:?}", Credentials::new("user", "secret")).contains("secret"));
    }
}
