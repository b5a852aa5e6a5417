//! Removes passwords from the URLs of servers before they are planned, shown or recorded, and restores them for the loader.

use std::collections::BTreeMap;

/// Maps URLs without passwords to complete URLs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Secrets(BTreeMap<String, String>);

impl Secrets {
    /// Moves the passwords out of `parameters`.
    pub(crate) fn move_passwords(&mut self, parameters: &mut [(String, Vec<String>)]) {
        for value in parameters.iter_mut().flat_map(|(_, values)| values) {
            let open = without_password(value);
            if open != *value {
                self.0.insert(open.clone(), std::mem::replace(value, open));
            }
        }
    }

    /// The complete URL of what is shown as `url`.
    pub(crate) fn whole<'a>(&'a self, url: &'a str) -> &'a str {
        self.0.get(url).map_or(url, String::as_str)
    }
}

/// `text` without the password of a URL: from `scheme://user:password@…`, removes the password and the colon before it.
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
    fn password_is_removed_and_can_be_restored() {
        let url = "postgres://user:pa@ss@host:5432/rows?x=a:b@c";
        let mut parameters = vec![("database_url".to_owned(), vec![url.to_owned(), "@cluster".to_owned()])];
        let mut secrets = Secrets::default();
        secrets.move_passwords(&mut parameters);
        assert_eq!(parameters[0].1, ["postgres://user@host:5432/rows?x=a:b@c", "@cluster"]);
        assert_eq!(secrets.whole(&parameters[0].1[0]), url);
        assert_eq!(secrets.whole("@cluster"), "@cluster");
    }

    #[test]
    fn text_without_password_is_unchanged() {
        for text in ["a:b@c", "postgres://host/d", "postgres://user@host/d", "-p", "rows=1", "", "http://h/a:b@c"] {
            assert_eq!(without_password(text), text);
        }
        let option = "--database-url=postgres://u:secret@h/d";
        assert_eq!(without_password(option), "--database-url=postgres://u@h/d");
    }
}
