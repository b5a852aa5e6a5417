//! A file of the project: its path, its text, and which part is tests.

use super::Finding;

/// A file of the project.
#[derive(Debug)]
pub(super) struct Source {
    /// From the root, with slashes.
    pub(super) path: String,
    /// Its size in bytes.
    pub(super) bytes: usize,
    /// Its text; `None` if it is not UTF-8 or contains a zero byte.
    pub(super) text: Option<String>,
}

impl Source {
    /// A file of this content.
    pub(super) fn new(path: &str, content: Vec<u8>) -> Source {
        let bytes = content.len();
        let text = if content.contains(&0) { None } else { String::from_utf8(content).ok() };
        Source { path: path.to_owned(), bytes, text }
    }

    /// Its text, empty for a binary file; `layout` reports those.
    pub(super) fn text(&self) -> &str {
        self.text.as_deref().unwrap_or_default()
    }

    /// Whether it has one of these extensions, given without the dot.
    pub(super) fn has_extension(&self, extensions: &[&str]) -> bool {
        self.path.rsplit_once('.').is_some_and(|(_, extension)| extensions.contains(&extension))
    }

    /// Whether it is in one of these folders, given with a trailing slash.
    pub(super) fn is_in(&self, folders: &[&str]) -> bool {
        folders.iter().any(|folder| self.path.starts_with(folder))
    }

    /// Whether the whole file is a test.
    pub(super) fn is_test(&self) -> bool {
        let mut parts = self.path.split('/');
        let name = parts.next_back().unwrap_or_default();
        name == "tests.rs"
            || name.ends_with("_test.go")
            || parts.any(|folder| folder == "tests" || folder == "testdata")
    }

    /// The number of lines before the test module at the end of a Rust file. Clippy checks that nothing comes after it.
    pub(super) fn lines_outside_tests(&self) -> usize {
        let lines: Vec<&str> = self.text().lines().collect();
        let is_module = |index: usize| {
            let mut rest = lines[index + 1..].iter().map(|line| line.trim()).filter(|line| !line.starts_with("#["));
            rest.next().is_some_and(|line| line.starts_with("mod ") && line.ends_with('{'))
        };
        let start = (0..lines.len()).find(|&index| lines[index].trim_end() == "#[cfg(test)]" && is_module(index));
        start.unwrap_or(lines.len())
    }

    /// A finding in this file.
    pub(super) fn finding(&self, line: usize, what: impl Into<String>) -> Finding {
        Finding { path: self.path.clone(), line, what: what.into() }
    }
}

/// Whether `line` contains `word` with no letter, digit or underscore next to it.
pub(super) fn has_word(line: &str, word: &str) -> bool {
    rests(line, word).any(|rest| !rest.chars().next().is_some_and(is_part))
}

/// The rest of `line` after each place where `word` begins a word.
fn rests<'a>(line: &'a str, word: &'a str) -> impl Iterator<Item = &'a str> {
    let begins = |at: &usize| !line[..*at].chars().next_back().is_some_and(is_part);
    line.match_indices(word).map(|(at, _)| at).filter(begins).map(|at| &line[at + word.len()..])
}

fn is_part(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_outside(text: &str, expect: usize) {
        assert_eq!(Source::new("a.rs", text.into()).lines_outside_tests(), expect, "{text}");
    }

    #[test]
    fn test_module_at_the_end_is_not_counted() {
        check_outside("a\nb\n", 2);
        check_outside("a\n#[cfg(test)]\nmod tests {\n}\n", 1);
        check_outside("a\n#[cfg(test)]\n#[expect(x, reason = \"y\")]\nmod tests {\n}\n", 1);
        check_outside("a\n#[cfg(test)]\nmod tests;\nb\n", 4);
        check_outside("#[cfg(test)]\nfn helper() {}\nb\n", 3);
    }

    #[test]
    fn only_whole_words_are_found() {
        assert!(has_word("a b(c)", "b"));
        assert!(!has_word("ab _b b_ b2", "b"));
    }

    #[test]
    fn tests_are_recognised_by_their_folder() {
        for (path, expect) in [("host/a/tests/it/x.rs", true), ("a/src/tests.rs", true), ("a/latest/x.rs", false)] {
            assert_eq!(Source::new(path, Vec::new()).is_test(), expect, "{path}");
        }
    }
}
