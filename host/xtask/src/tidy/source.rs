//! One file of the project: its path, its text, and, for Rust, which of that is code and which of that is a test.
//! It must not know any rule.

use super::Finding;

/// A file of the project.
#[derive(Debug)]
pub(super) struct Source {
    /// From the root, with slashes.
    pub(super) path: String,
    /// How long it is.
    pub(super) bytes: usize,
    /// Its text; none where it is not UTF-8 or holds a zero byte.
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

    /// Whether its name ends in one of these, given without the dot.
    pub(super) fn has_extension(&self, extensions: &[&str]) -> bool {
        self.path.rsplit_once('.').is_some_and(|(_, extension)| extensions.contains(&extension))
    }

    /// Whether it lies in one of these folders, each given with its last slash.
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

    /// The lines before the test module that ends a Rust file. Clippy sees to it that nothing stands after that.
    pub(super) fn lines_outside_tests(&self) -> usize {
        let lines: Vec<&str> = self.text().lines().collect();
        let is_module = |index: usize| {
            let mut rest = lines[index + 1..].iter().map(|line| line.trim()).filter(|line| !line.starts_with("#["));
            rest.next().is_some_and(|line| line.starts_with("mod ") && line.ends_with('{'))
        };
        let start = (0..lines.len()).find(|&index| lines[index].trim_end() == "#[cfg(test)]" && is_module(index));
        start.unwrap_or(lines.len())
    }

    /// The text with all that is not Rust code, comments and the insides of strings, made blank. Lines stay lines.
    pub(super) fn code(&self) -> String {
        blank_out(self.text())
    }

    /// A finding in this file.
    pub(super) fn finding(&self, line: usize, what: impl Into<String>) -> Finding {
        Finding { path: self.path.clone(), line, what: what.into() }
    }
}

/// Whether `word` stands in `line` with no letter, digit or underscore on either side.
pub(super) fn has_word(line: &str, word: &str) -> bool {
    rests(line, word).any(|rest| !rest.chars().next().is_some_and(is_part))
}

/// Whether `line` calls, or defines, a function of this name.
pub(super) fn has_call(line: &str, name: &str) -> bool {
    rests(line, name).any(|rest| rest.starts_with('('))
}

/// What follows each place in `line` where `word` begins a word.
fn rests<'a>(line: &'a str, word: &'a str) -> impl Iterator<Item = &'a str> {
    let begins = |at: &usize| !line[..*at].chars().next_back().is_some_and(is_part);
    line.match_indices(word).map(|(at, _)| at).filter(begins).map(|at| &line[at + word.len()..])
}

fn is_part(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

fn blank_out(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        // A quote within a word, as in `b"…"` and `r"…"`, is a prefix; `r` alone changes where the literal ends.
        let length =
            comment(rest).or_else(|| raw_string(rest, &code)).or_else(|| string(rest)).or_else(|| character(rest));
        match length {
            Some(length) => {
                code.extend(rest[..length].chars().map(|letter| if letter == '\n' { '\n' } else { ' ' }));
                rest = &rest[length..];
            }
            None => {
                code.push(letter);
                rest = &rest[letter.len_utf8()..];
            }
        }
    }
    code
}

/// The length of the comment that `rest` begins with.
fn comment(rest: &str) -> Option<usize> {
    if rest.starts_with("//") {
        return Some(rest.find('\n').unwrap_or(rest.len()));
    }
    let mut depth = 0;
    let mut at = 0;
    while rest[at..].starts_with("/*") || depth > 0 {
        if rest[at..].starts_with("/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if rest[at..].starts_with("*/") {
            (depth, at) = (depth - 1, at + 2);
            if depth == 0 {
                break;
            }
        } else {
            let Some(letter) = rest[at..].chars().next() else { break };
            at += letter.len_utf8();
        }
    }
    (at > 0).then_some(at)
}

/// The length of the raw string, from its `r`, that `rest` begins with.
fn raw_string(rest: &str, before: &str) -> Option<usize> {
    let inner = rest.strip_prefix('r')?;
    // `b` and `c` may stand before the `r`; any other letter makes it the end of a name.
    let name = before.trim_end_matches(['b', 'c']);
    if name.chars().next_back().is_some_and(is_part) {
        return None;
    }
    let hashes = inner.len() - inner.trim_start_matches('#').len();
    let body = inner[hashes..].strip_prefix('"')?;
    let end = format!("\"{}", &inner[..hashes]);
    let opening = 1 + hashes + 1;
    Some(body.find(&end).map_or(rest.len(), |at| opening + at + end.len()))
}

/// The length of the string that `rest` begins with.
fn string(rest: &str) -> Option<usize> {
    quoted(rest, '"')
}

/// The length of the character that `rest` begins with; a lifetime is none.
fn character(rest: &str) -> Option<usize> {
    let mut letters = rest.strip_prefix('\'')?.chars();
    match (letters.next()?, letters.next()?) {
        ('\\', _) => quoted(rest, '\''),
        (letter, '\'') => Some(2 + letter.len_utf8()),
        _ => None,
    }
}

fn quoted(rest: &str, quote: char) -> Option<usize> {
    let mut letters = rest.strip_prefix(quote)?.char_indices();
    while let Some((at, letter)) = letters.next() {
        if letter == '\\' {
            letters.next();
        } else if letter == quote {
            return Some(at + 2);
        }
    }
    Some(rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_code(text: &str, expect: &str) {
        assert_eq!(blank_out(text).split_whitespace().collect::<Vec<_>>().join(" "), expect, "{text}");
        assert_eq!(blank_out(text).lines().count(), text.lines().count(), "{text}");
    }

    #[test]
    fn comments_and_literals_are_blank() {
        check_code("a // b\nc", "a c");
        check_code("a /* b /* c */ d */ e", "a e");
        check_code("/* open", "");
        check_code(r#"f("a \" // b", 'x', '\'', '"')"#, "f( , , , )");
        check_code("r#\"a \" b\"# + br\"\\\" + xr \"c\"", "+ b + xr");
        check_code("fn f<'a>(x: &'a str) -> char { 'é' }", "fn f<'a>(x: &'a str) -> char { }");
        check_code("\"two\nlines\" x", "x");
    }

    fn check_outside(text: &str, expect: usize) {
        assert_eq!(Source::new("a.rs", text.into()).lines_outside_tests(), expect, "{text}");
    }

    #[test]
    fn the_test_module_at_the_end_is_set_apart() {
        check_outside("a\nb\n", 2);
        check_outside("a\n#[cfg(test)]\nmod tests {\n}\n", 1);
        check_outside("a\n#[cfg(test)]\n#[expect(x, reason = \"y\")]\nmod tests {\n}\n", 1);
        check_outside("a\n#[cfg(test)]\nmod tests;\nb\n", 4);
        check_outside("#[cfg(test)]\nfn helper() {}\nb\n", 3);
    }

    #[test]
    fn words_are_whole() {
        assert!(has_word("a b(c)", "b"));
        assert!(!has_word("ab _b b_ b2", "b"));
        assert!(has_call("a::b(c)", "b"));
        assert!(!has_call("éb(c) b", "b"));
    }

    #[test]
    fn tests_are_known_by_their_place() {
        for (path, expect) in [("host/a/tests/it/x.rs", true), ("a/src/tests.rs", true), ("a/latest/x.rs", false)] {
            assert_eq!(Source::new(path, Vec::new()).is_test(), expect, "{path}");
        }
    }
}
