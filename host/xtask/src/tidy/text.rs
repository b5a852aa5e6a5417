//! Rules on a single file's text: it says what it is, it is short, and it is finished.

use super::Finding;
use super::source::{Source, has_word};

/// Where the project's own Rust lies.
const RUST: [&str; 4] = ["host/", "native-probes/", "plugins/", "registry/"];

/// Extensions of what people write and read as code.
const CODE: [&str; 7] = ["c", "go", "h", "py", "rs", "sh", "wit"];

const LINES_MAX: usize = 500;

/// Every Rust file begins with `//!`.
pub(super) fn begins_with_docs(sources: &[Source]) -> Vec<Finding> {
    let rust = sources.iter().filter(|source| source.has_extension(&["rs"]) && source.is_in(&RUST));
    let without = rust.filter(|source| !source.text().starts_with("//!"));
    let what = "no `//!` on the first line, so a reader is not told what the file is and what it must not know";
    without.map(|source| source.finding(1, what)).collect()
}

/// No file of code is too long, its test module set aside. What a tool wrote is nobody's to split.
pub(super) fn is_short(sources: &[Source]) -> Vec<Finding> {
    let code =
        sources.iter().filter(|source| source.has_extension(&CODE) && !source.is_test() && !is_generated(source));
    let long = code.filter(|source| source.lines_outside_tests() > LINES_MAX);
    long.map(|source| {
        let lines = source.lines_outside_tests();
        source.finding(
            LINES_MAX + 1,
            format!("{lines} lines, where {LINES_MAX} are the most: there is a second noun to move out"),
        )
    })
    .collect()
}

/// Whether the file says in one of its first lines, as Go's tools and others do, that a tool wrote it.
fn is_generated(source: &Source) -> bool {
    source.text().lines().take(5).any(|line| line.contains("DO NOT EDIT") || line.contains("@generated"))
}

/// Nothing is marked as left to do.
pub(super) fn is_finished(sources: &[Source]) -> Vec<Finding> {
    // Each is written in two parts, or this rule would find itself.
    let marks = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")];
    let mut findings = Vec::new();
    for source in sources {
        for (index, line) in source.text().lines().enumerate() {
            for mark in marks.iter().filter(|mark| has_word(line, mark)) {
                findings
                    .push(source.finding(index + 1, format!("`{mark}`, but what is not done belongs in the tracker")));
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
    fn nothing_is_left_to_do() {
        check(is_finished, &[("a.md", concat!("x\n- TO", "DO: y\n"))], &["a.md:2"]);
        check(is_finished, &[("a.rs", concat!("// FIX", "ME\n"))], &["a.rs:1"]);
        check(is_finished, &[("run.sh", "mktemp aXXXXXX\nTODOS\n")], &[]);
    }
}
