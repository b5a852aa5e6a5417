//! The arguments of the scenario `run`, as a command is started with.

use super::output::Digest;
use bench_model::{Arguments, ModuleError};
use bench_sink::regular;
use std::sync::Arc;

/// The parameters.
pub(super) const ARGS: &str = "args";
pub(super) const STDIN: &str = "stdin";
pub(super) const EXIT: &str = "exit";
pub(super) const OUTPUT: &str = "output";

/// The values of `output`: whether every run must print the same.
pub(super) const SAME: &str = "same";
pub(super) const ANY: &str = "any";

/// How a command is started, and what it must do.
#[derive(Clone, Debug)]
pub(super) struct Options {
    /// The arguments after the program's name.
    pub(super) args: Vec<String>,
    /// The bytes of its standard input.
    pub(super) stdin: Arc<[u8]>,
    /// The exit status that it must have.
    pub(super) exit: i64,
    /// The standard output that it must have, if the user gave it.
    pub(super) expect: Option<Digest>,
    /// Whether every run must have the same standard output.
    pub(super) same_output: bool,
}

impl Options {
    pub(super) fn of(arguments: &Arguments) -> Result<Self, ModuleError> {
        let read = |parameter: &str, path: &str| {
            regular::read_whole(path.as_ref()).map_err(|error| {
                ModuleError::Unavailable(format!("parameter `{parameter}`: {path}: {error}; give the path of a file"))
            })
        };
        let stdin = match arguments.text(STDIN)? {
            "" => Vec::new(),
            path => read(STDIN, path)?,
        };
        let expect = match arguments.text(crate::calls::EXPECT)? {
            "" => None,
            text => Some(match text.strip_prefix('@') {
                Some(path) => read(crate::calls::EXPECT, path)?,
                None => format!("{text}\n").into_bytes(),
            }),
        };
        let same_output = arguments.text(OUTPUT)? == SAME || expect.is_some();
        Ok(Self {
            args: split(arguments.text(ARGS)?).map_err(ModuleError::InvalidArgument)?,
            stdin: stdin.into(),
            exit: arguments.integer(EXIT)?,
            expect: expect.map(|bytes| Digest::of(&bytes)),
            same_output,
        })
    }
}

/// The words of `text`. A word in single or double quotes may have spaces; a backslash takes the next character literally.
fn split(text: &str) -> Result<Vec<String>, String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match (character, quote) {
            ('\\', None | Some('"')) => {
                let next = characters.next().ok_or_else(|| format!("`{ARGS}`: `{text}` ends with a backslash"))?;
                word.get_or_insert_default().push(next);
            }
            ('"' | '\'', None) => {
                quote = Some(character);
                word.get_or_insert_default();
            }
            (character, Some(open)) if character == open => quote = None,
            (character, None) if character.is_whitespace() => words.extend(word.take()),
            (character, _) => word.get_or_insert_default().push(character),
        }
    }
    if let Some(open) = quote {
        return Err(format!("`{ARGS}`: `{text}` has no closing {open}"));
    }
    words.extend(word);
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn words_are_split_at_spaces_outside_of_quotes() {
        let check = |text: &str, expect: &[&str]| assert_eq!(split(text).unwrap(), expect, "{text}");
        check("", &[]);
        check("  a  b ", &["a", "b"]);
        check(r#"-n "two words" 'a "b"' c\ d """#, &["-n", "two words", "a \"b\"", "c d", ""]);
        check(r#"a"b c"d"#, &["ab cd"]);
        assert!(split("'open").unwrap_err().contains("no closing '"));
        assert!(split("end\\").unwrap_err().contains("ends with a backslash"));
    }

    proptest! {
        #[test]
        fn quoted_words_are_kept(words in proptest::collection::vec("[^']{0,9}", 0..5)) {
            let text: Vec<_> = words.iter().map(|word| format!("'{word}'")).collect();
            prop_assert_eq!(split(&text.join(" ")).unwrap(), words);
        }
    }
}
