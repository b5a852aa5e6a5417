//! Removes the secrets of connection strings from everything that is shown or written. The only place that does.

use crate::parse::{Pair, find_url, is_url, pairs};

/// What stands for a secret.
pub const HIDDEN: &str = "***";

/// The keywords whose values are secrets.
const SECRETS: [&str; 2] = ["password", "sslpassword"];

/// Keywords by which text is recognized as a connection string.
const KEYWORDS: [&str; 8] = ["host", "hostaddr", "port", "dbname", "user", "password", "service", "sslmode"];

/// Whether `text` is a connection string: a URL of a server, or words with at least one known keyword.
pub fn is_connection(text: &str) -> bool {
    let is_known = |pair: &Pair| KEYWORDS.contains(&pair.keyword.as_str());
    is_url(text) || pairs(text).is_ok_and(|pairs| pairs.iter().any(is_known))
}

/// `text`, such as a word of a command line, with [`HIDDEN`] in place of each secret: in URLs of servers and in words
/// `password=…`, wherever they are, and in the user part of other URLs. What cannot be parsed is hidden as a whole.
pub fn redact(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while let Some(begin) = find_url(text, at) {
        out.push_str(&redact_other(&text[at..begin]));
        // In a list the next URL follows a comma.
        let next = find_url(text, begin + 1).filter(|next| text[..*next].ends_with(','));
        let end = next.map_or(text.len(), |next| next - 1);
        out.push_str(&redact_url(&text[begin..end]));
        at = end;
    }
    out.push_str(&redact_other(&text[at..]));
    out
}

/// Like [`redact`], for sentences and whole logs: a URL in them ends at a blank.
pub fn redact_text(text: &str) -> String {
    redact_words(text).split_inclusive(char::is_whitespace).map(redact).collect()
}

/// Text without URLs of a PostgreSQL server.
fn redact_other(text: &str) -> String {
    redact_logins(&redact_words(text))
}

fn redact_url(url: &str) -> String {
    let Ok(pairs) = pairs(url) else {
        let scheme = url.find("://").map_or(0, |at| at + 3);
        return format!("{}{HIDDEN}", &url[..scheme]);
    };
    let mut out = String::with_capacity(url.len());
    let mut at = 0;
    let mut secrets: Vec<&Pair> = pairs.iter().filter(|pair| is_secret(&pair.keyword)).collect();
    secrets.sort_by_key(|pair| pair.at.start);
    for pair in secrets {
        out.push_str(&url[at..pair.at.start]);
        out.push_str(HIDDEN);
        at = pair.at.end;
    }
    out + &url[at..]
}

fn is_secret(keyword: &str) -> bool {
    SECRETS.iter().any(|secret| keyword.eq_ignore_ascii_case(secret))
}

/// Hides the values of words `password = value`, in text that need not be a connection string as a whole.
fn redact_words(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((value, end)) = find_secret(rest) {
        out.push_str(&rest[..value]);
        out.push_str(HIDDEN);
        rest = &rest[end..];
    }
    out + rest
}

/// Where the value of the first word `password = value` begins and ends.
fn find_secret(text: &str) -> Option<(usize, usize)> {
    let lower = text.to_ascii_lowercase();
    let mut from = 0;
    while let Some(found) = lower[from..].find("password") {
        from += found + "password".len();
        let behind = &text[from..];
        let after_name = behind.trim_start();
        let Some(after_equals) = after_name.strip_prefix('=') else { continue };
        let begin = text.len() - after_equals.trim_start().len();
        return Some((begin, begin + value_len(&text[begin..])));
    }
    None
}

/// The length of a value: up to its closing quote, or to a blank that is not escaped.
fn value_len(text: &str) -> usize {
    let mut characters = text.char_indices();
    let is_quoted = text.starts_with('\'');
    if is_quoted {
        characters.next();
    }
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => drop(characters.next()),
            '\'' if is_quoted => return at + 1,
            other if !is_quoted && other.is_whitespace() => return at,
            _ => {}
        }
    }
    text.len()
}

/// Hides the passwords of `scheme://user:password@…`, for URLs of other kinds.
fn redact_logins(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (scheme, url) = rest.split_at(at + "://".len());
        // In a list the next URL follows a comma.
        let end = url.find("://").and_then(|next| url[..next].rfind(',')).unwrap_or(url.len());
        out.push_str(scheme);
        out.push_str(&redact_login(&url[..end]));
        rest = &url[end..];
    }
    out + rest
}

/// Hides the password of `user:password@…`.
fn redact_login(url: &str) -> String {
    let authority = url.split(['/', '?', '#']).next().unwrap_or_default();
    let is_port = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
    let has_address = authority.starts_with('[') || authority.split_once(':').is_none_or(|(_, port)| is_port(port));
    // Where what follows the name is no port, it is a password with a slash that should have been encoded.
    let end = authority.rfind('@').or_else(|| url.rfind('@').filter(|_| !has_address));
    match end.and_then(|end| Some((url[..end].split_once(':')?.0, end))) {
        Some((user, end)) => format!("{user}:{HIDDEN}{}", &url[end..]),
        None => url.to_owned(),
    }
}

/// Whether a secret was hidden in `text`.
pub fn has_hidden(text: &str) -> bool {
    text.contains(HIDDEN)
}

/// Redacted text without the marks, so that what was written by versions that removed passwords is equal.
pub fn without_hidden(text: &str) -> String {
    text.replace(&format!(":{HIDDEN}@"), "@")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::encoded;
    use proptest::prelude::*;

    #[track_caller]
    fn check(text: &str, expect: &str) {
        assert_eq!(redact(text), expect);
    }

    #[test]
    fn secrets_are_hidden_wherever_they_are() {
        check("postgres://ann:s3cret@h:5432/d?options=a:b@c", "postgres://ann:***@h:5432/d?options=a:b@c");
        check(
            "postgresql://h/d?sslmode=require&password=s3cret&user=u",
            "postgresql://h/d?sslmode=require&password=***&user=u",
        );
        check("postgres://h/d?pass%77ord=s3cret", "postgres://h/d?pass%77ord=***");
        check("host=h password=s3cret dbname=d", "host=h password=*** dbname=d");
        check("host=h password = 's3 cr\\'et' sslpassword=x", "host=h password = *** sslpassword=***");
        check("--database-url=postgres://u:secret@h/d", "--database-url=postgres://u:***@h/d");
        check("database_url=host=h password=secret", "database_url=host=h password=***");
        check(
            "database_url=postgres://a:x@h/d,postgres://b:y@h/d",
            "database_url=postgres://a:***@h/d,postgres://b:***@h/d",
        );
        check("https://u:secret@h/d", "https://u:***@h/d");
        check("mysql://ann:s3/cret@h/d?x=a@b", "mysql://ann:***@b");
        check("urls=https://u:se,cret@h/d,nats://v:other@h:4222", "urls=https://u:***@h/d,nats://v:***@h:4222");
        check("https://u:secret@h,postgres://a:other@h/d", "https://u:***@h,postgres://a:***@h/d");
    }

    #[test]
    fn unparsable_text_is_hidden_as_a_whole() {
        check("postgres://ann:s3/cret@h/d", "postgres://***");
        check("url=postgres://ann:50%@h/d", "url=postgres://***");
    }

    #[test]
    fn url_in_a_sentence_ends_at_a_blank() {
        let check = |text: &str, expect: &str| assert_eq!(redact_text(text), expect);
        check(
            "no route to postgres://u:s3cret@h/d: timed out\n at 7",
            "no route to postgres://u:***@h/d: timed out\n at 7",
        );
        check(
            "password='s 3' of \"https://u:s3@h\" and postgres://u:s3/cret@h",
            "password=*** of \"https://u:***@h\" and postgres://***",
        );
        check("password authentication failed for user \"u\"\n", "password authentication failed for user \"u\"\n");
    }

    #[test]
    fn text_without_secrets_is_unchanged() {
        for text in [
            "a:b@c",
            "postgres://h/d",
            "postgres://user@h/d",
            "-p",
            "rows=1",
            "",
            "http://h/a:b@c",
            "https://h:80/@a",
            "https://[::1]:80/@a",
            "host=h",
        ] {
            check(text, text);
        }
    }

    #[test]
    fn connection_strings_are_recognized() {
        assert!(is_connection("postgres://h") && is_connection("host=h dbname=d") && is_connection("service=x"));
        assert!(!is_connection("@cluster") && !is_connection("rows=1") && !is_connection("") && !is_connection("/a b"));
    }

    proptest! {
        #[test]
        fn no_secret_is_left(
            secret in "[a-z0-9]{2}[!-~]{4,12}[a-z0-9]",
            user in "[a-z]{1,4}", host in "[a-z]{1,6}", before in "[a-z =-]{0,6}", form in 0..7,
        ) {
            let quoted = secret.replace('\\', "\\\\").replace('\'', "\\'");
            let safe = encoded(&secret);
            let (text, shown) = match form {
                0 => (format!("postgres://{user}:{safe}@{host}/d"), safe),
                1 => (format!("postgresql://{host}/d?user={user}&password={safe}"), safe),
                2 => (format!("host={host} password='{quoted}' user={user}"), quoted),
                3 => (format!("user={user} password={quoted}"), quoted),
                4 => (format!("https://{user}:{safe}@{host}/d"), safe),
                5 => (format!("nats://{host}:1,nats://{user}:{safe}@{host}"), safe),
                // Not encoded, as people paste it.
                _ => (format!("postgres://{user}:{secret}@{host}/d"), secret.clone()),
            };
            let redacted = redact(&format!("{before}{text}"));
            prop_assume!(!before.contains(&secret) && !user.contains(&secret) && !host.contains(&secret));
            prop_assert!(!redacted.contains(&secret) && !redacted.contains(&shown), "{}", redacted);
            prop_assert_eq!(redact(&redacted), redacted.clone(), "it is hidden once");
        }
    }
}
