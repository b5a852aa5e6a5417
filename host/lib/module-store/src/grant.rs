//! What a module may be allowed, in the text form of options, policies and run files.

use bench_model::HostInterface;
use std::fmt;
use std::str::FromStr;

/// Something that a module may be allowed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grant {
    /// `net HOST:PORT`: connect to this address.
    Net(String),
    /// `dir HOST[::GUEST][:ro]`: read a folder, and write to it unless it is read-only.
    Dir {
        /// The folder on the host.
        host: String,
        /// The path that the module sees.
        guest: String,
        /// Whether it is read-only.
        read_only: bool,
    },
    /// `env NAME`: read this environment variable.
    Env(String),
    /// `ring`, `log` or `control-plane`: use this interface of the host, although the policy denies it to other modules.
    Host(HostInterface),
}

/// A text that is not a grant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a grant; expected `net HOST:PORT`, `dir HOST[::GUEST][:ro]`, `env NAME`, `ring`, `log` or `control-plane`"
)]
pub struct InvalidGrant(String);

impl fmt::Display for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Net(address) => write!(f, "net {address}"),
            Self::Dir { host, guest, read_only } => {
                let mode = if *read_only { ":ro" } else { "" };
                write!(f, "dir {host}::{guest}{mode}")
            }
            Self::Env(name) => write!(f, "env {name}"),
            Self::Host(interface) => f.write_str(interface.as_str()),
        }
    }
}

impl FromStr for Grant {
    type Err = InvalidGrant;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidGrant(text.to_owned());
        if let Ok(interface) = text.parse() {
            return Ok(Self::Host(interface));
        }
        let (kind, rest) = text.split_once(' ').ok_or_else(invalid)?;
        if rest.is_empty() || rest.chars().any(char::is_control) {
            return Err(invalid());
        }
        match kind {
            "net" => rest
                .rsplit_once(':')
                .filter(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok())
                .map(|_| Self::Net(rest.to_owned()))
                .ok_or_else(invalid),
            "dir" => {
                let (path, read_only) = rest.strip_suffix(":ro").map_or((rest, false), |path| (path, true));
                let (host, guest) = path.split_once("::").unwrap_or((path, path));
                if host.is_empty() || guest.is_empty() {
                    return Err(invalid());
                }
                Ok(Self::Dir { host: host.to_owned(), guest: guest.to_owned(), read_only })
            }
            "env" if !rest.contains(['=', ' ']) => Ok(Self::Env(rest.to_owned())),
            _ => Err(invalid()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grant_has_the_text_form_of_run_files() {
        let check = |text: &str, expect: Option<&str>| {
            assert_eq!(text.parse::<Grant>().ok().map(|grant| grant.to_string()).as_deref(), expect, "{text}");
        };
        check("net 127.0.0.1:5432", Some("net 127.0.0.1:5432"));
        check("net [::1]:80", Some("net [::1]:80"));
        check("dir /data:ro", Some("dir /data::/data:ro"));
        check("dir /a::/b", Some("dir /a::/b"));
        check("env HOME", Some("env HOME"));
        for interface in HostInterface::ALL {
            check(interface.as_str(), Some(interface.as_str()));
        }
        check("ring x", None);
        for text in
            ["", "net", "net ", "net x", "net :80", "net h:99999", "dir ", "dir ::/a", "env A=1", "root x", "env a\n"]
        {
            check(text, None);
        }
    }
}
