//! Places in registries from which modules may be fetched.

use crate::reference::{RemoteReference, is_host, is_repository};
use std::fmt;
use std::str::FromStr;

/// A registry, or one of its repositories with all below it: `oci://HOST[:PORT][/REPOSITORY]`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Source {
    host: String,
    repository: Option<String>,
}

/// A text that is not a source.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a place in a registry; expected oci://HOST[:PORT] or oci://HOST[:PORT]/REPOSITORY, without a tag"
)]
pub struct InvalidSource(String);

impl Source {
    /// Whether the module at `address` is there.
    pub fn has(&self, address: &RemoteReference) -> bool {
        let is_below = |repository: &String| {
            let rest = address.repository.strip_prefix(repository.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        self.host == address.host && self.repository.as_ref().is_none_or(is_below)
    }
}

impl FromStr for Source {
    type Err = InvalidSource;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // What is before an `@` could be a password.
        let invalid = || InvalidSource(text.rsplit('@').next().unwrap_or_default().to_owned());
        let rest = text.strip_prefix("oci://").ok_or_else(invalid)?;
        let (host, repository) = rest.split_once('/').map_or((rest, None), |(host, rest)| (host, Some(rest)));
        if !is_host(host) || repository.is_some_and(|repository| !is_repository(repository)) {
            return Err(invalid());
        }
        Ok(Self { host: host.to_owned(), repository: repository.map(str::to_owned) })
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "oci://{}", self.host)?;
        self.repository.as_ref().map_or(Ok(()), |repository| write!(f, "/{repository}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn source_has_what_is_below_it() {
        let check = |source: &str, address: &str, expect: bool| {
            let (source, address) = (source.parse::<Source>().unwrap(), address.parse().unwrap());
            assert_eq!(source.has(&address), expect, "{source} {address}");
        };
        check("oci://registry.example", "oci://registry.example/acme/json:1", true);
        check("oci://registry.example/acme", "oci://registry.example/acme/json:1", true);
        check("oci://registry.example/acme/json", "oci://registry.example/acme/json:1", true);
        check("oci://registry.example/acme", "oci://registry.example/acme-evil/json:1", false);
        check("oci://registry.example/acme/json", "oci://registry.example/acme:1", false);
        check("oci://registry.example", "oci://registry.example.evil.example/acme:1", false);
        check("oci://localhost:5000", "oci://localhost:5001/acme:1", false);
    }

    #[test]
    fn malformed_source_is_explained_without_a_password() {
        let malformed = [
            "registry.example",
            "oci://",
            "oci://registry.example/",
            "oci://registry.example/acme:1",
            "oci://h/../x",
            "https://h",
        ];
        for text in malformed {
            let error = text.parse::<Source>().unwrap_err().to_string();
            assert!(error.contains(text) && error.contains("expected oci://HOST"), "{error}");
        }
        let error = "oci://me:secret@registry.example/acme".parse::<Source>().unwrap_err().to_string();
        assert!(!error.contains("secret"), "{error}");
        for text in ["oci://registry.example", "oci://[::1]:5000/acme/json"] {
            assert_eq!(text.parse::<Source>().unwrap().to_string(), text);
        }
    }
}
