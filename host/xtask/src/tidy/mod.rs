//! `tidy`: checks the rules on sources that clippy cannot check, on all files of the project.

mod families;
mod layout;
mod limits;
mod links;
mod listing;
mod recorded;
mod source;
mod text;

use std::fmt;

use anyhow::{Result, bail};

use self::source::Source;
use crate::output::say;
use crate::project::Project;

/// A place that breaks a rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Finding {
    path: String,
    /// The line number, from 1; 1 if the finding is about the whole file.
    line: usize,
    /// What is wrong and why.
    what: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.what)
    }
}

/// A rule gets all sources, because some rules are about missing files.
type Rule = fn(&[Source]) -> Vec<Finding>;

const RULES: &[Rule] = &[
    families::check,
    layout::check,
    limits::check,
    links::check,
    text::begins_with_docs,
    text::is_short,
    text::is_finished,
];

/// Checks all rules and prints the findings; any finding is an error.
pub(crate) fn run(project: &Project) -> Result<()> {
    let sources = listing::read(project)?;
    let mut findings: Vec<Finding> = RULES.iter().flat_map(|rule| rule(&sources)).collect();
    findings.extend(recorded::check(project)?);
    findings.sort();
    for finding in &findings {
        say(finding);
    }
    if !findings.is_empty() {
        bail!("tidy: {} findings in {} files: fix the lines above", findings.len(), sources.len());
    }
    say(format_args!("tidy: {} files, nothing found", sources.len()));
    Ok(())
}

/// Checks the findings of a rule, as `path:line`.
#[cfg(test)]
fn check(rule: Rule, files: &[(&str, &str)], expect: &[&str]) {
    let sources: Vec<Source> = files.iter().map(|(path, text)| Source::new(path, text.as_bytes().to_vec())).collect();
    let found: Vec<String> =
        rule(&sources).iter().map(|finding| format!("{}:{}", finding.path, finding.line)).collect();
    assert_eq!(found, expect, "in {files:?}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finding_has_the_form_of_a_compiler_message() {
        let finding = Finding { path: "a/b.rs".into(), line: 7, what: "this, because".into() };
        assert_eq!(finding.to_string(), "a/b.rs:7: this, because");
    }
}
