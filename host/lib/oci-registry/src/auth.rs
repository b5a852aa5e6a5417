//! What a registry asks for when it answers with 401: a password, or a token of another server.

use serde::Deserialize;

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Challenge {
    /// The user name and the password.
    Basic,
    /// A token of the server `realm`.
    Bearer { realm: String, service: Option<String>, scope: Option<String> },
}

/// The answer of a server of tokens. Both fields mean the same.
#[derive(Deserialize)]
pub(crate) struct TokenJson {
    token: Option<String>,
    access_token: Option<String>,
}

impl TokenJson {
    pub(crate) fn token(self) -> Option<String> {
        self.token.or(self.access_token).filter(|token| !token.is_empty())
    }
}

impl Challenge {
    /// Parses a header `www-authenticate`; `None` if it asks for something else.
    pub(crate) fn parse(header: &str) -> Option<Self> {
        let (scheme, rest) = header.split_once(' ').unwrap_or((header, ""));
        if scheme.eq_ignore_ascii_case("basic") {
            return Some(Self::Basic);
        }
        if !scheme.eq_ignore_ascii_case("bearer") {
            return None;
        }
        let parameters = parameters(rest);
        let find = |name: &str| {
            let mut found = parameters.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name));
            found.next().map(|(_, value)| value.clone())
        };
        Some(Self::Bearer { realm: find("realm")?, service: find("service"), scope: find("scope") })
    }
}

/// The parameters `NAME=VALUE` of a challenge; a quoted value may contain commas.
fn parameters(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut rest = text.trim_start_matches([',', ' ']);
    while let Some((name, after)) = rest.split_once('=') {
        let (value, next) = match after.strip_prefix('"') {
            Some(quoted) => unquoted(quoted),
            None => {
                let end = after.find(',').unwrap_or(after.len());
                (after[..end].trim().to_owned(), &after[end..])
            }
        };
        found.push((name.trim().to_owned(), value));
        rest = next.trim_start_matches([',', ' ']);
    }
    found
}

/// The text up to the closing quote, and what follows it.
fn unquoted(text: &str) -> (String, &str) {
    let mut value = String::new();
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return (value, &text[at + 1..]),
            '\\' => value.extend(letters.next().map(|(_, letter)| letter)),
            _ => value.push(letter),
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn challenge_of_a_registry_is_understood() {
        assert_eq!(Challenge::parse("Basic realm=\"x\""), Some(Challenge::Basic));
        assert_eq!(Challenge::parse("basic"), Some(Challenge::Basic));
        let header = "Bearer realm=\"https://h/token\",service=h, scope=\"repository:a/b:pull,push\"";
        let expect = Challenge::Bearer {
            realm: "https://h/token".to_owned(),
            service: Some("h".to_owned()),
            scope: Some("repository:a/b:pull,push".to_owned()),
        };
        assert_eq!(Challenge::parse(header), Some(expect));
        let escaped = Challenge::parse(r#"Bearer realm="a\"b"#);
        assert_eq!(escaped, Some(Challenge::Bearer { realm: "a\"b".to_owned(), service: None, scope: None }));
        for other in ["", "Bearer", "Bearer service=h", "Negotiate", "Bearer =\"", "Bearer realm"] {
            assert_eq!(Challenge::parse(other), None, "{other}");
        }
    }
}
