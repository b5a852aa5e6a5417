//! The addresses that a client of a registry follows: http or https, an authority, and a path.

use std::fmt;
use std::net::IpAddr;

/// An absolute address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Url {
    pub(crate) is_tls: bool,
    /// The host, and the port if there is one.
    pub(crate) authority: String,
    /// The path and the query, beginning with `/`.
    pub(crate) path: String,
}

impl Url {
    /// Parses an absolute address without a user name.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (is_tls, rest) = match text.strip_prefix("https://") {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix("http://")?),
        };
        let (authority, path) = rest.find('/').map_or((rest, "/"), |at| rest.split_at(at));
        let is_visible = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
        let is_valid = !authority.is_empty() && !authority.contains('@') && is_visible(authority) && is_visible(path);
        is_valid.then(|| Self { is_tls, authority: authority.to_owned(), path: path.to_owned() })
    }

    /// The address that `location` is, seen from here.
    pub(crate) fn join(&self, location: &str) -> Option<Self> {
        if location.starts_with('/') && !location.starts_with("//") {
            let scheme = if self.is_tls { "https" } else { "http" };
            return Self::parse(&format!("{scheme}://{}{location}", self.authority));
        }
        Self::parse(location)
    }

    /// The same with one more field in the query.
    pub(crate) fn with_query(&self, name: &str, value: &str) -> Self {
        let separator = if self.path.contains('?') { '&' } else { '?' };
        Self { path: format!("{}{separator}{name}={}", self.path, encoded(value)), ..self.clone() }
    }

    /// The host without the port, and without brackets.
    pub(crate) fn host(&self) -> &str {
        host_of(&self.authority)
    }

    /// The authority with its port.
    pub(crate) fn address(&self) -> String {
        let has_port = self.authority.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        let is_bare_v6 = self.authority.ends_with(']');
        let port = if self.is_tls { 443 } else { 80 };
        if has_port && !is_bare_v6 { self.authority.clone() } else { format!("{}:{port}", self.authority) }
    }

    /// Whether both are the same server, so that what is secret to one may be sent to the other.
    pub(crate) fn is_same_server(&self, other: &Self) -> bool {
        self.is_tls == other.is_tls && self.authority == other.authority
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", if self.is_tls { "https" } else { "http" }, self.authority, self.path)
    }
}

/// The host of an authority, without the port and without brackets.
fn host_of(authority: &str) -> &str {
    if let Some(rest) = authority.strip_prefix('[') {
        return rest.split_once(']').map_or(rest, |(host, _)| host);
    }
    authority.split_once(':').map_or(authority, |(host, _)| host)
}

/// Whether what is sent to `authority` stays on this machine.
pub(crate) fn is_loopback(authority: &str) -> bool {
    let host = host_of(authority);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// The text as a value of a query.
fn encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn location_is_followed_from_where_it_was_said() {
        let base = Url::parse("https://h:5000/v2/a").unwrap();
        let check = |location: &str, expect: Option<&str>| {
            assert_eq!(base.join(location).map(|url| url.to_string()).as_deref(), expect, "{location}");
        };
        check("/v2/b?x=1", Some("https://h:5000/v2/b?x=1"));
        check("http://other/c", Some("http://other/c"));
        check("https://other", Some("https://other/"));
        for location in ["", "b", "//other/c", "ftp://h/", "https://user@h/", "https:///a", "https://h/a b", "/a\n"] {
            check(location, None);
        }
    }

    #[test]
    fn address_has_the_port_of_its_scheme() {
        let check = |text: &str, expect: &str| assert_eq!(Url::parse(text).unwrap().address(), expect);
        check("https://h/", "h:443");
        check("http://h/", "h:80");
        check("http://h:5000/", "h:5000");
        check("https://[::1]/", "[::1]:443");
        check("http://[::1]:5000/", "[::1]:5000");
    }

    #[test]
    fn loopback_is_this_machine_alone() {
        for authority in ["localhost", "localhost:5000", "127.0.0.1:5000", "127.1.2.3", "[::1]:5000"] {
            assert!(is_loopback(authority), "{authority}");
        }
        for authority in ["localhost.example.org", "10.0.0.1", "127.0.0.1.example.org", "h", "[::2]"] {
            assert!(!is_loopback(authority), "{authority}");
        }
    }

    #[test]
    fn query_is_encoded() {
        let url = Url::parse("https://h/t?a=1").unwrap().with_query("scope", "repository:a/b:pull,push");
        assert_eq!(url.to_string(), "https://h/t?a=1&scope=repository%3Aa%2Fb%3Apull%2Cpush");
    }
}
