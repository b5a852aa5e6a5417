//! References to modules: a name with a version, a digest, or an address in an OCI registry.

use crate::digest::{Digest, InvalidDigest};
use semver::Version;
use std::fmt;
use std::str::FromStr;

/// A module that is not given as a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reference {
    /// `acme:json@1.2.0`.
    Name(ModuleName),
    /// `sha256:…`: the digest of a file or of a manifest.
    Digest(Digest),
    /// `oci://HOST/REPOSITORY[:TAG][@sha256:…]`.
    Remote(RemoteReference),
}

/// `acme:json@1.2.0`: a namespace, a name in it, and a version.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModuleName {
    /// The namespace, such as `acme`.
    pub namespace: String,
    /// The name in the namespace, such as `json`.
    pub name: String,
    /// The version, without build metadata.
    pub version: Version,
}

/// `oci://HOST[:PORT]/REPOSITORY[:TAG][@sha256:…]`; it has a tag, a digest, or both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteReference {
    /// The host, and the port if there is one.
    pub host: String,
    /// The repository, such as `acme/json`.
    pub repository: String,
    /// The tag, which may move.
    pub tag: Option<String>,
    /// The digest of the manifest.
    pub digest: Option<Digest>,
}

/// Why a text is not a reference, although it looks like one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    /// The digest is malformed.
    #[error(transparent)]
    Digest(#[from] InvalidDigest),
    /// A namespace or name is malformed.
    #[error(
        "`{0}` is not a name; expected NAMESPACE:NAME@VERSION, such as acme:json@1.2.0, in a-z, 0-9 and single dashes"
    )]
    Name(String),
    /// The version is missing.
    #[error("`{0}` has no version; give one, such as {0}@1.2.0, or the path of a file")]
    NoVersion(String),
    /// The version is malformed.
    #[error("`{version}`: {reason}; expected a semantic version, such as 1.2.0")]
    Version {
        /// The version.
        version: String,
        /// The reason.
        reason: String,
    },
    /// The version has build metadata.
    #[error("`{0}`: the tag of a registry cannot contain `+`; leave out the build metadata")]
    BuildMetadata(String),
    /// The host is malformed.
    #[error("the host of an oci:// reference is malformed; expected oci://HOST[:PORT]/REPOSITORY[:TAG][@sha256:…]")]
    Host,
    /// There is a user name in it. The text is not shown, because there may be a password.
    #[error("an oci:// reference contains a user name; leave it out, and log in with `docker login` or `podman login`")]
    Credentials,
    /// The repository is malformed.
    #[error("`{0}` is not a repository; expected names in a-z, 0-9 and single separators, such as acme/json")]
    Repository(String),
    /// The tag is malformed.
    #[error("`{0}` is not a tag; expected at most 128 letters, digits, `.`, `_` and `-`")]
    Tag(String),
    /// There is neither a tag nor a digest.
    #[error("`{0}` has neither a tag nor a digest; give one, such as {0}:1.2.0")]
    NoTag(String),
}

/// The longest namespace, name and repository.
const LENGTH_MAX: usize = 255;

impl Reference {
    /// Parses `text` if it is a reference; `None` if it is the path of a file. A file whose name looks like a reference can be given
    /// as `./NAME`.
    pub fn parse(text: &str) -> Option<Result<Self, ReferenceError>> {
        if text.starts_with("sha256:") {
            return Some(text.parse().map(Self::Digest).map_err(ReferenceError::from));
        }
        if text.starts_with("oci://") {
            return Some(text.parse().map(Self::Remote));
        }
        let (namespace, rest) = text.split_once(':').filter(|_| !text.contains(['/', '\\']))?;
        if rest.contains('@') {
            return Some(text.parse().map(Self::Name));
        }
        (is_label(namespace) && is_label(rest)).then(|| Err(ReferenceError::NoVersion(text.to_owned())))
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => name.fmt(f),
            Self::Digest(digest) => digest.fmt(f),
            Self::Remote(remote) => remote.fmt(f),
        }
    }
}

impl FromStr for ModuleName {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let name = || ReferenceError::Name(text.to_owned());
        let (path, version) = text.split_once('@').ok_or_else(|| match text.split_once(':') {
            Some((namespace, rest)) if is_label(namespace) && is_label(rest) => {
                ReferenceError::NoVersion(text.to_owned())
            }
            _ => name(),
        })?;
        let (namespace, label) = path.split_once(':').ok_or_else(name)?;
        if !is_label(namespace) || !is_label(label) {
            return Err(name());
        }
        Ok(Self { namespace: namespace.to_owned(), name: label.to_owned(), version: version_of(version)? })
    }
}

impl fmt::Display for ModuleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}@{}", self.namespace, self.name, self.version)
    }
}

/// Whether `text` is a namespace or a name in one, as WIT has them: words of letters and digits, joined by dashes.
pub(crate) fn is_label(text: &str) -> bool {
    let is_word = |word: &str| {
        word.starts_with(|first: char| first.is_ascii_lowercase())
            && word.chars().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit())
    };
    text.len() <= LENGTH_MAX && text.split('-').all(is_word)
}

fn version_of(text: &str) -> Result<Version, ReferenceError> {
    let version = Version::parse(text)
        .map_err(|error| ReferenceError::Version { version: text.to_owned(), reason: error.to_string() })?;
    if version.build.is_empty() { Ok(version) } else { Err(ReferenceError::BuildMetadata(text.to_owned())) }
}

impl RemoteReference {
    /// The name of the module that the last two parts of the repository and the tag are, if they are one.
    pub fn module_name(&self) -> Option<ModuleName> {
        let mut parts = self.repository.rsplit('/');
        let (name, namespace) = (parts.next()?, parts.next()?);
        format!("{namespace}:{name}@{}", self.tag.as_ref()?).parse().ok()
    }

    /// The same without the digest, by which the store remembers where a module came from.
    pub fn source(&self) -> String {
        let tag = self.tag.as_ref().map(|tag| format!(":{tag}")).unwrap_or_default();
        format!("oci://{}/{}{tag}", self.host, self.repository)
    }
}

impl FromStr for RemoteReference {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let rest = text.strip_prefix("oci://").ok_or(ReferenceError::Host)?;
        let (host, path) = rest.split_once('/').ok_or(ReferenceError::Host)?;
        if host.contains('@') {
            return Err(ReferenceError::Credentials);
        }
        if !is_host(host) {
            return Err(ReferenceError::Host);
        }
        let (path, digest) = match path.split_once('@') {
            Some((path, digest)) => (path, Some(digest.parse::<Digest>()?)),
            None => (path, None),
        };
        let (repository, tag) = match path.split_once(':') {
            Some((repository, tag)) => (repository, Some(tag.to_owned())),
            None => (path, None),
        };
        if !is_repository(repository) {
            return Err(ReferenceError::Repository(repository.to_owned()));
        }
        if let Some(tag) = tag.as_ref().filter(|tag| !is_tag(tag)) {
            return Err(ReferenceError::Tag(tag.clone()));
        }
        if tag.is_none() && digest.is_none() {
            return Err(ReferenceError::NoTag(text.to_owned()));
        }
        Ok(Self { host: host.to_owned(), repository: repository.to_owned(), tag, digest })
    }
}

impl fmt::Display for RemoteReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source())?;
        self.digest.map_or(Ok(()), |digest| write!(f, "@{digest}"))
    }
}

/// A name, an IPv4 address, or an IPv6 address in brackets, with an optional port.
pub(crate) fn is_host(text: &str) -> bool {
    let (host, rest) = match text.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((address, rest)) if address.parse::<std::net::Ipv6Addr>().is_ok() => ("v6", rest),
            _ => return false,
        },
        None => text.find(':').map_or((text, ""), |at| text.split_at(at)),
    };
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-');
    let is_port =
        rest.is_empty() || rest.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok_and(|port| port > 0));
    !host.is_empty() && host.len() <= LENGTH_MAX && host.chars().all(is_part) && is_port
}

pub(crate) fn is_repository(text: &str) -> bool {
    let is_part = |part: &str| {
        let is_end =
            |end: Option<char>| end.is_some_and(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit());
        let is_inner =
            |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || matches!(letter, '.' | '_' | '-');
        is_end(part.chars().next())
            && is_end(part.chars().next_back())
            && part.chars().all(is_inner)
            && !part.contains("..")
    };
    text.len() <= LENGTH_MAX && text.split('/').all(is_part)
}

fn is_tag(text: &str) -> bool {
    let is_letter = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '_' | '-');
    text.len() <= 128 && !text.starts_with(['.', '-']) && !text.is_empty() && text.chars().all(is_letter)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    /// What `text` is: its own text again, the error, or a file.
    #[track_caller]
    fn check(text: &str, expect: &str) {
        let found = match Reference::parse(text) {
            None => "a file".to_owned(),
            Some(Ok(reference)) => reference.to_string(),
            Some(Err(error)) => error.to_string(),
        };
        assert!(found.contains(expect), "{text}: {found}");
    }

    #[test]
    fn names_digests_and_addresses_are_told_from_files() {
        for text in ["acme:json@1.2.0", "acme:json@1.2.0-rc.1", DIGEST, "oci://localhost:5000/acme/json:1.2.0"] {
            check(text, text);
        }
        for text in ["json.wasm", "./acme:json@1.2.0", "a/b:c@1.0.0", "C:\\json.wasm", "builtin", "/x:y"] {
            check(text, "a file");
        }
        let both = format!("oci://[::1]:5000/json:1@{DIGEST}");
        check(&both, &both);
        check(&format!("oci://registry.example/acme/json@{DIGEST}"), DIGEST);
    }

    #[test]
    fn malformed_reference_is_explained() {
        check("acme:json", "`acme:json` has no version; give one, such as acme:json@1.2.0");
        check("acme:json@1.2", "`1.2`: ");
        check("acme:json@1.2.0+x", "leave out the build metadata");
        check("Acme:json@1.2.0", "`Acme:json@1.2.0` is not a name");
        check("acme:..@1.2.0", "is not a name");
        check("sha256:12", "`sha256:12` is not a digest");
        check("oci://registry.example/acme/json", "neither a tag nor a digest");
        check("oci://registry.example", "the host of an oci:// reference");
        check("oci:///acme/json:1", "the host of an oci:// reference");
        check("oci://h:0/acme:1", "the host of an oci:// reference");
        check("oci://h/../json:1", "`../json` is not a repository");
        check("oci://h/acme/json:1/2", "`1/2` is not a tag");
        check("oci://h/acme/json:1@sha256:0", "is not a digest");
    }

    #[test]
    fn password_in_an_address_is_not_repeated() {
        let error = Reference::parse("oci://user:secret@h/acme/json:1").unwrap().unwrap_err().to_string();
        assert!(!error.contains("secret") && error.contains("docker login"), "{error}");
    }

    #[test]
    fn address_names_a_module_if_its_parts_do() {
        let name = |text: &str| text.parse::<RemoteReference>().unwrap().module_name().map(|name| name.to_string());
        assert_eq!(name("oci://h/x/acme/json:1.2.0").as_deref(), Some("acme:json@1.2.0"));
        assert_eq!(name("oci://h/acme/json:stable"), None);
        assert_eq!(name("oci://h/json:1.2.0"), None);
    }

    proptest! {
        #[test]
        fn parsing_never_panics_and_printing_gives_the_same_text(text in "(oci://|sha256:)?[a-zA-Z0-9:/@.+\\[\\]_é-]{0,40}") {
            if let Some(Ok(reference)) = Reference::parse(&text) {
                prop_assert_eq!(reference.to_string(), text);
            }
        }
    }
}
