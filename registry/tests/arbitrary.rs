//! Property tests of the parsers: arbitrary and mutated suites and targets are parsed, or refused with one line that names the
//! file.

use bench_registry::{parse_suite, parse_targets};
use proptest::prelude::*;

const SUITE: &str = "summary = \"s\"\nprocesses = 3\ntime = \"1s\"\n[[cells]]\nscenario = \"a/*\"\narms = [\"wasm\"]\n\
                     optional = true\narguments = { n = [1, 2.5], on = true, name = \"x\" }\n";

const TARGETS: &str = "[[target]]\nname = \"t\"\nsummary = \"s\"\nscenario = \"m/s\"\narm = \"wasm+fuel\"\nmetric = \"x\"\n\
                       labels = { kind = \"a\" }\narguments = { n = [1, 2] }\nquantile = 0.99\nslope_over = \"n\"\nper = \"n\"\n\
                       samples_min = 20\nat_most = 1.5\nrelative_to = { scenario = \"m/s\", arm = \"native\", per = 2 }\n";

/// What a mutation puts in: parts of TOML, and values of another kind or out of range.
const FRAGMENTS: &[&str] = &[
    "\"",
    "'''",
    "[",
    "]",
    "{",
    "=",
    "\n",
    "\r",
    "\0",
    "#",
    "[[target]]\n",
    "[[cells]]\n",
    "-1",
    "1e999",
    "nan",
    "99999999999999999999",
    "\"two\\nlines\"",
    "\"\\u001b[2J\"",
    "[]",
    "{}",
    "1979-05-27",
    "é",
];

/// The text with some parts replaced, each at a share of the length.
fn mutated(text: &'static str) -> impl Strategy<Value = String> {
    let edit = (0.0f64..1.0, 0usize..12, proptest::sample::select(FRAGMENTS));
    proptest::collection::vec(edit, 1..6).prop_map(move |edits| {
        let mut letters: Vec<char> = text.chars().collect();
        for (share, removed, fragment) in edits {
            let from = (letters.len() as f64 * share) as usize;
            let to = letters.len().min(from + removed);
            letters.splice(from..to, fragment.chars());
        }
        letters.into_iter().collect()
    })
}

/// Reads the text as both kinds of file, and looks at how it is refused.
fn check(text: &str) -> Result<(), TestCaseError> {
    let suite =
        parse_suite("mine.toml", text).map(|suite| suite.cells.iter().map(|cells| cells.axes().len()).sum::<usize>());
    let targets = parse_targets("mine.toml", text).map(|targets| targets.target.len());
    for (what, read) in [("suite", suite), ("targets", targets)] {
        if let Err(error) = read {
            let line = error.to_string();
            prop_assert!(line.starts_with(&format!("{what} `mine.toml`: ")), "{line:?}");
            prop_assert!(!line.contains(char::is_control), "{line:?}");
        }
    }
    Ok(())
}

#[test]
fn texts_without_mutation_are_valid() {
    assert_eq!(parse_suite("mine.toml", SUITE).unwrap().cells.len(), 1);
    assert_eq!(parse_targets("mine.toml", TARGETS).unwrap().target.len(), 1);
}

#[test]
fn deep_nesting_is_refused() {
    for open in ["a = ", "a."] {
        let text = format!("{}{}", open.repeat(if open == "a." { 100_000 } else { 1 }), "[".repeat(100_000));
        check(&text).unwrap();
    }
}

proptest! {
    #[test]
    fn arbitrary_text_is_parsed_or_refused(text in any::<String>()) {
        check(&text)?;
    }

    #[test]
    fn mutated_suite_is_parsed_or_refused(text in mutated(SUITE)) {
        check(&text)?;
    }

    #[test]
    fn mutated_targets_are_parsed_or_refused(text in mutated(TARGETS)) {
        check(&text)?;
    }
}
