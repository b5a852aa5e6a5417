//! Passwords in a file, one line for each server: `host:port:database:user:password`
//! (<https://www.postgresql.org/docs/current/libpq-pgpass.html>).

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Maximum size of the file.
const BYTES_MAX: u64 = 1 << 20;

/// The password of the first line that matches; none if there is no such file, or if others can read it, as for libpq.
pub(crate) fn password(path: &Path, [host, port, database, user]: [&str; 4]) -> Option<String> {
    let metadata = fs::metadata(path).ok()?;
    let is_private = metadata.is_file() && metadata.permissions().mode() & 0o077 == 0;
    if !is_private || metadata.len() > BYTES_MAX {
        return None;
    }
    let text = fs::read_to_string(path).ok()?;
    text.lines().find_map(|line| matching(line, [host, port, database, user]))
}

/// The password in `line` if its other fields are `wanted`, or `*`.
fn matching(line: &str, wanted: [&str; 4]) -> Option<String> {
    if line.starts_with('#') {
        return None;
    }
    let mut rest = line;
    for wanted in wanted {
        let (field, after) = field(rest)?;
        if field != wanted && &rest[..rest.len() - after.len() - 1] != "*" {
            return None;
        }
        rest = after;
    }
    // Nothing follows the password, so a colon in it need not be escaped.
    Some(unescape(rest))
}

/// The field up to the first colon that is not escaped, and what follows the colon.
fn field(text: &str) -> Option<(String, &str)> {
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => drop(characters.next()),
            ':' => return Some((unescape(&text[..at]), &text[at + 1..])),
            _ => {}
        }
    }
    None
}

fn unescape(text: &str) -> String {
    let mut characters = text.chars();
    let mut out = String::with_capacity(text.len());
    while let Some(character) = characters.next() {
        match character {
            '\\' => out.extend(characters.next()),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_matching_line_has_the_password() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let lines = "# db:5432:shop:ann:no\ndb:5432:shop:bob:of bob\n*:5432:*:ann:a\\:b:c\\\\d\ndb:*:shop:ann:late\n\\*:1:*:eve:star\n";
        fs::write(file.path(), lines).unwrap();
        let check = |wanted: [&str; 4], expect: Option<&str>| {
            assert_eq!(password(file.path(), wanted).as_deref(), expect, "{wanted:?}");
        };
        fs::set_permissions(file.path(), fs::Permissions::from_mode(0o600)).unwrap();
        check(["db", "5432", "shop", "ann"], Some("a:b:c\\d"));
        check(["db", "5432", "shop", "bob"], Some("of bob"));
        check(["db", "6000", "shop", "ann"], Some("late"));
        check(["db", "6000", "other", "ann"], None);
        check(["db", "1", "d", "eve"], None);
        check(["*", "1", "d", "eve"], Some("star"));
        fs::set_permissions(file.path(), fs::Permissions::from_mode(0o640)).unwrap();
        check(["db", "5432", "shop", "ann"], None);
        assert_eq!(password(Path::new("/nowhere"), ["", "", "", ""]), None);
    }
}
