//! The rules on the text of a file: it begins with a description, is short, and has no marks of unfinished work.

use super::Finding;
use super::source::{Source, has_word};

/// The folders of the project's Rust sources.
const RUST: [&str; 4] = ["host/", "native-probes/", "plugins/", "registry/"];

/// The extensions of code.
const CODE: [&str; 7] = ["c", "go", "h", "py", "rs", "sh", "wit"];

const LINES_MAX: usize = 500;

/// Every Rust file begins with `//!`.
pub(super) fn begins_with_docs(sources: &[Source]) -> Vec<Finding> {
    let rust = sources.iter().filter(|source| source.has_extension(&["rs"]) && source.is_in(&RUST));
    let without = rust.filter(|source| !source.text().starts_with("//!"));
    let what = "no `//!` on the first line: say in one or two sentences what the file does";
    without.map(|source| source.finding(1, what)).collect()
}

/// A file of code must not be too long, without its test module. Generated files are exempt.
pub(super) fn is_short(sources: &[Source]) -> Vec<Finding> {
    let code =
        sources.iter().filter(|source| source.has_extension(&CODE) && !source.is_test() && !is_generated(source));
    let long = code.filter(|source| source.lines_outside_tests() > LINES_MAX);
    long.map(|source| {
        let lines = source.lines_outside_tests();
        source.finding(
            LINES_MAX + 1,
            format!("{lines} lines, but at most {LINES_MAX} are allowed: move a part into another file"),
        )
    })
    .collect()
}

/// Whether one of the first lines says that the file is generated.
fn is_generated(source: &Source) -> bool {
    source.text().lines().take(5).any(|line| line.contains("DO NOT EDIT") || line.contains("@generated"))
}

/// No file has marks of unfinished work.
pub(super) fn is_finished(sources: &[Source]) -> Vec<Finding> {
    // Each mark is written in two parts, because this rule would otherwise find itself.
    let marks = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")];
    let mut findings = Vec::new();
    for source in sources {
        for (index, line) in source.text().lines().enumerate() {
            for mark in marks.iter().filter(|mark| has_word(line, mark)) {
                findings
                    .push(source.finding(index + 1, format!("`{mark}`: move unfinished work to the issue tracker")));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::check;

    #[test]
    fn rust_begins_with_docs() {
        check(begins_with_docs, &[("host/a/build.rs", "//! Builds.\n")], &[]);
        check(begins_with_docs, &[("plugins/a/tests/it.rs", "use a;\n//! Late.\n")], &["plugins/a/tests/it.rs:1"]);
        check(begins_with_docs, &[("registry/src/lib.rs", "")], &["registry/src/lib.rs:1"]);
        check(begins_with_docs, &[("host/a/README.md", "# A\n")], &[]);
    }

    #[test]
    fn files_are_short() {
        let lines = |count: usize| "a\n".repeat(count);
        let tested = format!("{}#[cfg(test)]\nmod tests {{\n{}}}\n", lines(500), lines(99));
        let made = format!("// Code made by a tool. DO NOT EDIT.\n{}", lines(999));
        check(is_short, &[("a.rs", &lines(500)), ("b.rs", &tested), ("c.go", &made), ("LICENSE", &lines(999))], &[]);
        check(is_short, &[("a.rs", &lines(501))], &["a.rs:501"]);
        check(is_short, &[("host/a/tests/it.rs", &lines(999))], &[]);
    }

    #[test]
    fn mark_of_unfinished_work_is_found() {
        check(is_finished, &[("a.md", concat!("x\n- TO", "DO: y\n"))], &["a.md:2"]);
        check(is_finished, &[("a.rs", concat!("// FIX", "ME\n"))], &["a.rs:1"]);
        check(is_finished, &[("run.sh", "mktemp aXXXXXX\nTODOS\n")], &[]);
    }
}
