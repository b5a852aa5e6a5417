//! The rule that the table of limits in METHODOLOGY.md names files of the project, so that a reader finds each maximum in the code.

use super::Finding;
use super::source::Source;

const TABLE_IN: &str = "host/METHODOLOGY.md";
const HEADING: &str = "## Limits";

/// Finds rows of the table whose last column names nothing, or a file or folder that is not there.
pub(super) fn check(sources: &[Source]) -> Vec<Finding> {
    let Some(source) = sources.iter().find(|source| source.path == TABLE_IN) else { return Vec::new() };
    let of_section = source.text().lines().enumerate().skip_while(|(_, line)| *line != HEADING).skip(1);
    let of_section = of_section.take_while(|(_, line)| !line.starts_with("## "));
    // The first two lines are the heading and the rule below it.
    let rows = of_section.filter(|(_, line)| line.starts_with('|')).skip(2);
    let mut findings = Vec::new();
    for (index, line) in rows {
        let places = line.trim_end_matches('|').rsplit('|').next().unwrap_or_default();
        let mut names = places.split('`').skip(1).step_by(2).peekable();
        if names.peek().is_none() && places.trim() != "the same" {
            findings.push(source.finding(index + 1, "no file is named: say where the maximum is"));
        }
        for name in names.filter(|name| !exists(sources, name)) {
            findings
                .push(source.finding(index + 1, format!("`{name}` does not exist in host, native-probes or registry")));
        }
    }
    findings
}

/// Whether there is such a file, or a folder with files; from `host`, or from the root.
fn exists(sources: &[Source], name: &str) -> bool {
    let is_at =
        |path: &str, place: &str| path.strip_prefix(place).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    sources.iter().any(|source| is_at(&source.path, name) || is_at(&source.path, &format!("host/{name}")))
}

#[cfg(test)]
mod tests {
    use crate::tidy;

    #[test]
    fn place_of_a_limit_must_exist() {
        let table = "## Limits\n\n| what | maximum | where |\n|---|---|---|\n| a | 1 | `x/src/a.rs`, `registry` |\n| b | 2 | the same |\n\
                     | c | 3 | `x/src/b.rs` |\n| d | 4 | |\n\n## Sources\n| not a row |\n";
        let files = |path| [(path, table), ("host/x/src/a.rs", "//! A.\n"), ("registry/src/b.rs", "//! B.\n")];
        tidy::check(super::check, &files("host/METHODOLOGY.md"), &["host/METHODOLOGY.md:7", "host/METHODOLOGY.md:8"]);
        tidy::check(super::check, &files("host/README.md"), &[]);
    }
}
