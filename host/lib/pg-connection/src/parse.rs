//! Parses both forms of a connection string into keywords and values, as libpq does: `postgres://…` and `key=value …`
//! (<https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING>).

use std::ops::Range;

/// A keyword, its value, and where the value is in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pair {
    pub(crate) keyword: String,
    pub(crate) value: String,
    pub(crate) at: Range<usize>,
}

/// The keywords of libpq.
pub(crate) const KNOWN: [&str; 42] = [
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "passfile",
    "require_auth",
    "channel_binding",
    "connect_timeout",
    "client_encoding",
    "options",
    "application_name",
    "fallback_application_name",
    "keepalives",
    "keepalives_idle",
    "keepalives_interval",
    "keepalives_count",
    "tcp_user_timeout",
    "replication",
    "gssencmode",
    "sslmode",
    "requiressl",
    "sslnegotiation",
    "sslcompression",
    "sslcert",
    "sslkey",
    "sslkeylogfile",
    "sslpassword",
    "sslcertmode",
    "sslrootcert",
    "sslcrl",
    "sslcrldir",
    "sslsni",
    "requirepeer",
    "ssl_min_protocol_version",
    "ssl_max_protocol_version",
    "krbsrvname",
    "gsslib",
    "gssdelegation",
    "service",
    "target_session_attrs",
];

const SCHEMES: [&str; 2] = ["postgresql://", "postgres://"];

/// Whether `text` is a URL of a server.
pub(crate) fn is_url(text: &str) -> bool {
    SCHEMES.iter().any(|scheme| text.starts_with(scheme))
}

/// Where a URL of a server begins in `text`, from `from` on.
pub(crate) fn find_url(text: &str, from: usize) -> Option<usize> {
    SCHEMES.iter().filter_map(|scheme| text[from..].find(scheme)).min().map(|at| from + at)
}

/// The keywords and values of a connection string; an error says what is wrong, and quotes nothing of it.
pub(crate) fn pairs(text: &str) -> Result<Vec<Pair>, &'static str> {
    if is_url(text) { of_url(text) } else { of_words(text) }
}

/// Parses `scheme://user:password@host:port,host:port/database?keyword=value&…`. A password that has one of `@/?#:` must be
/// percent-encoded, or the text means something else.
fn of_url(text: &str) -> Result<Vec<Pair>, &'static str> {
    let begin = text.find("://").map_or(0, |at| at + 3);
    let end_of_authority = text[begin..].find(['/', '?']).map_or(text.len(), |at| begin + at);
    let mut pairs = Vec::new();
    let mut hosts = begin;
    if let Some(at) = text[begin..end_of_authority].rfind('@').map(|at| begin + at) {
        hosts = at + 1;
        let colon = text[begin..at].find(':').map(|colon| begin + colon);
        pairs.push(pair(text, "user", begin..colon.unwrap_or(at))?);
        if let Some(colon) = colon {
            pairs.push(pair(text, "password", colon + 1..at)?);
        }
    }
    pairs.extend(addresses(text, hosts..end_of_authority)?);
    let path = end_of_authority;
    let query = text[path..].find('?').map_or(text.len(), |at| path + at);
    if query > path {
        if text[path..query].contains('@') {
            return Err(
                "there is a `@` after a `/`; write the characters @ / ? # : % of a password as %40 %2F %3F %23 %3A %25",
            );
        }
        pairs.push(pair(text, "dbname", path + 1..query)?);
    }
    let mut at = query + 1;
    while at < text.len() {
        let end = text[at..].find('&').map_or(text.len(), |end| at + end);
        let equals = text[at..end].find('=').ok_or("a parameter after `?` has no `=`")?;
        let keyword = decoded(&text[at..at + equals])?;
        // JDBC's name, which libpq takes too.
        let keyword = if keyword == "ssl" { "sslmode".to_owned() } else { keyword };
        if !KNOWN.contains(&keyword.as_str()) {
            return Err("a parameter after `?` is none that libpq knows");
        }
        let mut found = pair(text, &keyword, at + equals + 1..end)?;
        if keyword == "sslmode" && found.value == "true" {
            found.value = "require".to_owned();
        }
        pairs.push(found);
        at = end + 1;
    }
    Ok(pairs)
}

/// The hosts and ports of a URL, each joined with commas.
fn addresses(text: &str, at: Range<usize>) -> Result<Vec<Pair>, &'static str> {
    let (mut hosts, mut ports) = (Vec::new(), Vec::new());
    for address in text[at.clone()].split(',') {
        let (host, port) = match address.strip_prefix('[') {
            Some(rest) => {
                let (host, rest) = rest.split_once(']').ok_or("a `[` in the host has no `]`")?;
                let port = if rest.is_empty() { Some("") } else { rest.strip_prefix(':') };
                (host, port.ok_or("there is something other than a port after `]`")?)
            }
            None => address.split_once(':').unwrap_or((address, "")),
        };
        if !port.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(
                "a port is not a number; write the characters @ / ? # : % of a password as %40 %2F %3F %23 %3A %25",
            );
        }
        hosts.push(decoded(host)?);
        ports.push(port.to_owned());
    }
    let joined = |keyword: &str, values: Vec<String>| {
        let is_given = values.iter().any(|value| !value.is_empty());
        is_given.then(|| Pair { keyword: keyword.to_owned(), value: values.join(","), at: at.clone() })
    };
    Ok(joined("host", hosts).into_iter().chain(joined("port", ports)).collect())
}

fn pair(text: &str, keyword: &str, at: Range<usize>) -> Result<Pair, &'static str> {
    Ok(Pair { keyword: keyword.to_owned(), value: decoded(&text[at.clone()])?, at })
}

/// Decodes percent-encoding (RFC 3986, section 2.1).
fn decoded(text: &str) -> Result<String, &'static str> {
    const WRONG: &str = "a `%` does not begin the two hexadecimal digits of a byte; write it as %25";
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        if *first == b'%' {
            let (pair, tail) = rest.split_at_checked(2).ok_or(WRONG)?;
            let digit = |byte: u8| char::from(byte).to_digit(16).ok_or(WRONG);
            let byte = (digit(pair[0])? * 16 + digit(pair[1])?) as u8;
            if byte == 0 {
                return Err("%00 is not allowed");
            }
            bytes.push(byte);
            rest = tail;
        } else {
            bytes.push(*first);
        }
    }
    String::from_utf8(bytes).map_err(|_| "the bytes after `%` are not UTF-8")
}

/// Parses `keyword = value …`. A value in single quotes may contain blanks; a backslash takes the next character as it is.
fn of_words(text: &str) -> Result<Vec<Pair>, &'static str> {
    let mut characters = text.char_indices().peekable();
    let mut pairs = Vec::new();
    loop {
        while characters.next_if(|(_, character)| character.is_whitespace()).is_some() {}
        if characters.peek().is_none() {
            return Ok(pairs);
        }
        let mut keyword = String::new();
        while let Some((_, character)) = characters.next_if(|(_, c)| *c != '=' && !c.is_whitespace()) {
            keyword.push(character);
        }
        while characters.next_if(|(_, character)| character.is_whitespace()).is_some() {}
        if characters.next_if(|(_, character)| *character == '=').is_none() || keyword.is_empty() {
            return Err("a keyword has no `=` after it");
        }
        while characters.next_if(|(_, character)| character.is_whitespace()).is_some() {}
        let begin = characters.peek().map_or(text.len(), |(at, _)| *at);
        let is_quoted = characters.next_if(|(_, character)| *character == '\'').is_some();
        let (mut value, mut is_closed) = (String::new(), false);
        while let Some((_, character)) = characters.next_if(|(_, c)| is_quoted || !c.is_whitespace()) {
            match character {
                '\'' if is_quoted => {
                    is_closed = true;
                    break;
                }
                '\\' => value.extend(characters.next().map(|(_, escaped)| escaped)),
                other => value.push(other),
            }
        }
        if is_quoted && !is_closed {
            return Err("a quote is not closed");
        }
        let end = characters.peek().map_or(text.len(), |(at, _)| *at);
        pairs.push(Pair { keyword, value, at: begin..end });
    }
}

/// Percent-encodes everything but letters, digits and `-._~`.
pub(crate) fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(text: &str, expect: Result<&str, &str>) {
        let found = pairs(text);
        let shown = found.map(|pairs| {
            pairs.iter().map(|pair| format!("{}={}", pair.keyword, pair.value)).collect::<Vec<_>>().join(" ")
        });
        match (&shown, expect) {
            (Ok(found), Ok(expect)) => assert_eq!(found, expect, "{text}"),
            (Err(found), Err(part)) => assert!(found.contains(part), "{text}: {found}"),
            (found, expect) => panic!("{text}: {found:?}, expected {expect:?}"),
        }
    }

    #[test]
    fn url_has_the_parts_that_libpq_finds() {
        check("postgres://", Ok(""));
        check("postgresql://db", Ok("host=db"));
        check("postgres://ann@db:6000/shop", Ok("user=ann host=db port=6000 dbname=shop"));
        check("postgres://ann:p%40%2F@db", Ok("user=ann password=p@/ host=db"));
        check("postgres://ann:a:b@c@db", Ok("user=ann password=a:b@c host=db"));
        check("postgres://a:1,[::1]:2,c/d", Ok("host=a,::1,c port=1,2, dbname=d"));
        check(
            "postgres:///d?host=%2Frun&pass%77ord=x&sslmode=require",
            Ok("dbname=d host=/run password=x sslmode=require"),
        );
        check("postgres://h/d?ssl=true", Ok("host=h dbname=d sslmode=require"));
    }

    #[test]
    fn url_that_means_something_else_is_refused() {
        check("postgres://ann:s3/cret@db/shop", Err("a port is not a number"));
        check("postgres://ann:33/cret@db/shop", Err("a `@` after a `/`"));
        check("postgres://ann:50%@db", Err("a `%` does not begin"));
        check("postgres://ann:%C3@db", Err("are not UTF-8"));
        check("postgres://[::1/d", Err("has no `]`"));
        check("postgres://h/d?password", Err("has no `=`"));
        check("postgres://h/d?rows=1", Err("none that libpq knows"));
        check("postgres://ann:s3?x=cret@h/d", Err("a port is not a number"));
    }

    #[test]
    fn words_may_be_quoted_and_escaped() {
        check("host=h user = ann password='a b\\'c' dbname=d", Ok("host=h user=ann password=a b'c dbname=d"));
        check(r"password=a\ b\\c host=h", Ok(r"password=a b\c host=h"));
        check("password='' host=h", Ok("password= host=h"));
        check("host", Err("has no `=`"));
        check("password='open", Err("is not closed"));
    }

    proptest! {
        #[test]
        fn arbitrary_text_is_parsed_or_refused(text in "(postgres://)?\\PC{0,40}") {
            for pair in pairs(&text).unwrap_or_default() {
                prop_assert!(text.get(pair.at).is_some());
            }
        }

        #[test]
        fn encoded_text_is_decoded_to_itself(text in "[^\\x00]{0,20}") {
            let decoded = decoded(&encoded(&text));
            prop_assert_eq!(decoded.as_deref(), Ok(text.as_str()));
        }
    }
}
