//! Passwords in the URLs of servers: whoever is handed one keeps it, and what is planned, shown and recorded is the URL without
//! it. It must not know what is at the URL.

use std::collections::BTreeMap;

/// URLs by what they are without their passwords.
#[derive(Clone, Debug, Default)]
pub(crate) struct Secrets(BTreeMap<String, String>);

impl Secrets {
    /// Takes the passwords out of `parameters`.
    pub(crate) fn take(&mut self, parameters: &mut [(String, Vec<String>)]) {
        for value in parameters.iter_mut().flat_map(|(_, values)| values) {
            let open = without_password(value);
            if open != *value {
                self.0.insert(open.clone(), std::mem::replace(value, open));
            }
        }
    }

    /// The whole of what is shown as `url`.
    pub(crate) fn whole<'a>(&'a self, url: &'a str) -> &'a str {
        self.0.get(url).map_or(url, String::as_str)
    }
}

/// `text` without the password of a URL in it: `scheme://user:password@…` loses what is between the colon and the sign.
pub(crate) fn without_password(text: &str) -> String {
    let parts = || {
        let (scheme, rest) = text.split_once("://")?;
        let authority = rest.split(['/', '?']).next()?;
        let (login, _) = authority.rsplit_once('@')?;
        let (user, _) = login.split_once(':')?;
        Some(format!("{scheme}://{user}{}", &rest[login.len()..]))
    };
    parts().unwrap_or_else(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_taken_out_and_known_afterwards() {
        let url = "postgres://user:pa@ss@host:5432/rows?x=a:b@c";
        let mut parameters = vec![("database_url".to_owned(), vec![url.to_owned(), "@cluster".to_owned()])];
        let mut secrets = Secrets::default();
        secrets.take(&mut parameters);
        assert_eq!(parameters[0].1, ["postgres://user@host:5432/rows?x=a:b@c", "@cluster"]);
        assert_eq!(secrets.whole(&parameters[0].1[0]), url);
        assert_eq!(secrets.whole("@cluster"), "@cluster");
    }

    #[test]
    fn other_texts_stay_as_they_are() {
        for text in ["a:b@c", "postgres://host/d", "postgres://user@host/d", "-p", "rows=1", "", "http://h/a:b@c"] {
            assert_eq!(without_password(text), text);
        }
        let option = "--database-url=postgres://u:secret@h/d";
        assert_eq!(without_password(option), "--database-url=postgres://u@h/d");
    }
}
