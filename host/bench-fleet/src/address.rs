//! The address of a NATS server, as `--on` says it.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// The port of NATS.
const PORT: u16 = 4222;

/// The address of a NATS server. It holds no password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NatsAddress {
    /// Without the brackets of an IPv6 address.
    host: String,
    port: u16,
    is_tls: bool,
}

impl NatsAddress {
    /// Whether the connection must be encrypted: always, except to this machine where the address does not say so.
    pub fn needs_tls(&self) -> bool {
        self.is_tls || !self.is_loopback()
    }

    /// Whether it is of this machine, however its names are resolved.
    fn is_loopback(&self) -> bool {
        self.host == "localhost" || self.host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    }
}

impl FromStr for NatsAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refuse = |what: &str| Err(format!("{what}; expected nats://HOST[:PORT] or tls://HOST[:PORT]"));
        let (is_tls, rest) = match text.split_once("://") {
            Some(("nats", rest)) => (false, rest),
            Some(("tls", rest)) => (true, rest),
            _ => return refuse("not the address of a NATS server"),
        };
        if rest.contains('@') {
            // The text is not repeated, because it may hold a password.
            return refuse(
                "the address of a NATS server must not hold a user or a password, which other users of this machine could read; set \
                 NATS_CREDS, NATS_NKEY, NATS_TOKEN, or NATS_USER and NATS_PASSWORD",
            );
        }
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (host, port) = match rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((host, port)) => (host, port.strip_prefix(':').or(port.is_empty().then_some(""))),
            None => match rest.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (rest, Some("")),
            },
        };
        let port = match port {
            Some("") if !rest.ends_with(':') => Some(PORT),
            port => port.and_then(|port| port.parse().ok()).filter(|port| *port > 0),
        };
        let is_address = host.parse::<IpAddr>().is_ok();
        let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
        let is_name = (1..=253).contains(&host.len()) && host.chars().all(is_plain);
        match port {
            Some(port) if is_address || is_name => Ok(Self { host: host.to_owned(), port, is_tls }),
            _ => refuse(&format!("`{rest}` is not a name of a machine with a port")),
        }
    }
}

impl fmt::Display for NatsAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.is_tls { "tls" } else { "nats" };
        if self.host.contains(':') {
            write!(f, "{scheme}://[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{scheme}://{}:{}", self.host, self.port)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: Result<(&str, bool), &str>) {
        match (text.parse::<NatsAddress>(), expect) {
            (Ok(found), Ok((address, needs_tls))) => {
                assert_eq!((found.to_string().as_str(), found.needs_tls()), (address, needs_tls));
            }
            (Err(error), Err(part)) => assert!(error.contains(part), "{error}"),
            (found, expect) => panic!("{text}: {found:?}, expected {expect:?}"),
        }
    }

    #[test]
    fn only_this_machine_is_reached_without_tls() {
        check("nats://127.0.0.1", Ok(("nats://127.0.0.1:4222", false)));
        check("nats://localhost:1/", Ok(("nats://localhost:1", false)));
        check("nats://[::1]:5222", Ok(("nats://[::1]:5222", false)));
        check("tls://127.0.0.1", Ok(("tls://127.0.0.1:4222", true)));
        check("nats://queue", Ok(("nats://queue:4222", true)));
        check("nats://10.0.0.1:4222", Ok(("nats://10.0.0.1:4222", true)));
        check("nats://localhost.evil.example", Ok(("nats://localhost.evil.example:4222", true)));
    }

    #[test]
    fn malformed_address_is_refused() {
        check("http://queue", Err("not the address of a NATS server"));
        for text in
            ["nats://", "nats://queue:", "nats://queue:x", "nats://queue:0", "nats://a b", "nats://a/b", "nats://[::1"]
        {
            check(text, Err("is not a name of a machine with a port"));
        }
    }

    #[test]
    fn password_is_refused_and_not_repeated() {
        let error = "nats://me:s3cret@queue".parse::<NatsAddress>().unwrap_err();
        assert!(error.contains("NATS_USER and NATS_PASSWORD") && !error.contains("s3cret"), "{error}");
    }
}
