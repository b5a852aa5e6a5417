//! The rules on files: only known entries in the root, no binary files, no large files.

use std::collections::BTreeSet;

use super::Finding;
use super::source::Source;

const TOP: [&str; 9] =
    ["Cargo.lock", "Cargo.toml", "LICENSE", "README.md", "host", "native-probes", "plugins", "registry", "wit"];

const BYTES_MAX: usize = 500 * 1024;

/// Finds unknown entries in the root, and files that do not belong in the repository.
pub(super) fn check(sources: &[Source]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut strange = BTreeSet::new();
    for source in sources {
        let top = source.path.split('/').next().unwrap_or_default();
        let is_known = top.starts_with('.') || TOP.contains(&top);
        if !is_known && strange.insert(top) {
            let what =
                format!("`{top}` is in the root, where only {} are allowed: move it into one of them", TOP.join(", "));
            findings.push(source.finding(1, what));
        }
        if source.text.is_none() {
            findings.push(source.finding(1, "a binary file, whose changes cannot be reviewed: build it instead"));
        } else if source.bytes > BYTES_MAX {
            let what = format!(
                "{} KiB, where {} are the most: every clone pays for it",
                source.bytes / 1024,
                BYTES_MAX / 1024
            );
            findings.push(source.finding(1, what));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::BYTES_MAX;
    use crate::tidy::check;

    #[test]
    fn unknown_entry_in_the_root_is_found() {
        check(super::check, &[("host/a.rs", ""), (".github/x.yml", ""), ("wit/a.wit", ""), ("README.md", "")], &[]);
        check(super::check, &[("docs/a.md", ""), ("docs/b.md", ""), ("run.sh", "")], &["docs/a.md:1", "run.sh:1"]);
    }

    #[test]
    fn binary_or_large_file_is_found() {
        check(super::check, &[("host/a.bin", "\0")], &["host/a.bin:1"]);
        check(super::check, &[("host/a.txt", &"a".repeat(BYTES_MAX))], &[]);
        check(super::check, &[("host/a.txt", &"a".repeat(BYTES_MAX + 1))], &["host/a.txt:1"]);
    }
}
