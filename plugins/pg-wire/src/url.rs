//! Parses the URL of the server.

use crate::Error;
use std::fmt;

/// The parameter with the URL of the server.
pub const DATABASE_URL: &str = "database_url";

/// The parts of `postgres://user:password@host:port/database`. Missing parts have the defaults of `psql`, but no files
/// or environment variables are read.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl {
    /// A host name or an address.
    pub host: String,
    /// 5432 by default.
    pub port: u16,
    /// `postgres` by default.
    pub user: String,
    /// None by default.
    pub password: Option<String>,
    /// The user's name by default.
    pub database: String,
}

impl fmt::Debug for DatabaseUrl {
    /// Without the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "postgres://{}@{}:{}/{}", self.user, self.host, self.port, self.database)
    }
}

const FORM: &str = "write postgres://user:password@host:port/database";

impl DatabaseUrl {
    /// Parses a URL. Parameters after `?` are ignored, except `sslmode` values that require TLS, which is not
    /// supported.
    pub fn parse(url: &str) -> Result<Self, Error> {
        let wrong = |why: &str| Error::Url(format!("{why}; {FORM}"));
        let rest = url.strip_prefix("postgres://").or_else(|| url.strip_prefix("postgresql://"));
        let rest = rest.ok_or_else(|| wrong("it does not begin with `postgres://`"))?;
        let (rest, parameters) = rest.split_once('?').unwrap_or((rest, ""));
        if parameters.split('&').any(|pair| matches!(pair.split_once('='), Some(("sslmode", mode)) if mode.starts_with("require") || mode.starts_with("verify"))) {
            return Err(wrong("it requires TLS, which this connector does not support"));
        }
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (who, place) = authority.rsplit_once('@').map_or((None, authority), |(who, place)| (Some(who), place));
        let (user, password) = who.map_or(("", None), |who| {
            who.split_once(':').map_or((who, None), |(user, password)| (user, Some(password)))
        });
        let (host, port) = place_of(place).ok_or_else(|| wrong("its port is not a number from 1 to 65535"))?;
        let decode =
            |text: &str| decoded(text).ok_or_else(|| wrong("a `%` in it does not start an encoded byte of UTF-8"));
        let or = |text: String, other: &str| if text.is_empty() { other.to_owned() } else { text };
        let user = or(decode(user)?, "postgres");
        let database = or(decode(path)?, &user);
        let password = password.map(decode).transpose()?;
        Ok(Self { host: or(decode(host)?, "localhost"), port, user, password, database })
    }

    /// `host:port`.
    pub fn address(&self) -> String {
        let Self { host, port, .. } = self;
        if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
    }
}

/// Host and port; an IPv6 address stands in brackets.
fn place_of(place: &str) -> Option<(&str, u16)> {
    const PORT: u16 = 5432;
    let port = |text: &str| text.parse().ok().filter(|port| *port != 0);
    if let Some((host, rest)) = place.strip_prefix('[').and_then(|place| place.split_once(']')) {
        return Some((host, rest.strip_prefix(':').map_or((rest.is_empty()).then_some(PORT), port)?));
    }
    match place.rsplit_once(':') {
        None => Some((place, PORT)),
        Some((host, text)) => Some((host, port(text)?)),
    }
}

/// Decodes percent-encoding; `None` if the result is not UTF-8.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let (pair, tail) = rest.split_at_checked(2)?;
        let pair = std::str::from_utf8(pair).ok().filter(|pair| pair.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
        bytes.push(u8::from_str_radix(pair, 16).ok()?);
        rest = tail;
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(url: &str, expect: &str) {
        let found = DatabaseUrl::parse(url).map_or_else(
            |error| error.to_string(),
            |url| format!("{url:?} {} {}", url.address(), url.password.as_deref().unwrap_or("-")),
        );
        assert!(found.starts_with(expect), "{url}: {found}");
    }

    #[test]
    fn missing_parts_have_defaults() {
        check("postgres://", "postgres://postgres@localhost:5432/postgres localhost:5432 -");
        check("postgresql://db", "postgres://postgres@db:5432/postgres db:5432 -");
        check("postgres://ann@db/", "postgres://ann@db:5432/ann db:5432 -");
        check("postgres://ann:pw@db:6000/shop?application_name=x", "postgres://ann@db:6000/shop db:6000 pw");
        check("postgres://[::1]:6000/x", "postgres://postgres@::1:6000/x [::1]:6000 -");
        check("postgres://[::1]/x", "postgres://postgres@::1:5432/x [::1]:5432 -");
    }

    #[test]
    fn escapes_are_decoded() {
        check("postgres://a%40b:p%3Aw%2f@db/caf%C3%A9", "postgres://a@b@db:5432/café db:5432 p:w/");
    }

    #[test]
    fn an_unusable_url_says_why() {
        check("mysql://db", "`database_url`: it does not begin with `postgres://`; write postgres://");
        check("postgres://db:0/x", "`database_url`: its port");
        check("postgres://db:port/x", "`database_url`: its port");
        check("postgres://[::1]x/x", "`database_url`: its port");
        check("postgres://db/%zz", "`database_url`: a `%`");
        check("postgres://db/%C3", "`database_url`: a `%`");
        check("postgres://db/x%4", "`database_url`: a `%`");
        check("postgres://db/x?sslmode=require", "`database_url`: it requires TLS");
    }
}
