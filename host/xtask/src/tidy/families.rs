//! The rule that the crates below the drivers do not name a family of benchmarks.

use super::Finding;
use super::source::Source;
use std::collections::BTreeSet;

/// Families whose names are words of the field too.
const ORDINARY: [&str; 4] = ["components", "ipc", "kernels", "ring"];

const FOLDER: &str = "host/families/";

const WITHOUT: [&str; 4] =
    ["host/bench-model/src/", "host/bench-stats/src/", "host/bench-sink/src/", "host/bench-engine/src/"];

/// Finds the names of families, in comments too.
pub(super) fn check(sources: &[Source]) -> Vec<Finding> {
    let folders = sources.iter().filter_map(|source| source.path.strip_prefix(FOLDER)?.split_once('/'));
    let families: BTreeSet<&str> = folders.map(|(name, _)| name).filter(|name| !ORDINARY.contains(name)).collect();
    let mut findings = Vec::new();
    for source in sources.iter().filter(|source| source.is_in(&WITHOUT)) {
        for (index, line) in source.text().lines().enumerate() {
            // An underscore separates words here, because `wal_path` names the family too.
            let words = line.split(|letter: char| !letter.is_alphanumeric());
            for word in words.filter(|word| families.contains(word.to_lowercase().as_str())) {
                let what = format!(
                    "`{word}` is the name of a family, which only the drivers and the crates above them may use"
                );
                findings.push(source.finding(index + 1, what));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use crate::tidy;

    /// Checks a file of a project with the families `wal` and `ring`.
    #[track_caller]
    fn check(file: (&str, &str), expect: &[&str]) {
        let families = ["host/families/wal/README.md", "host/families/ring/suites/ring.toml"].map(|path| (path, ""));
        tidy::check(super::check, &[families[0], families[1], file], expect);
    }

    #[test]
    fn family_in_a_lower_crate_is_found() {
        check(("host/bench-model/src/a.rs", "//! A.\nlet wal_path = 1;\n"), &["host/bench-model/src/a.rs:2"]);
        check(("host/bench-sink/src/a.rs", "/// The WAL.\n"), &["host/bench-sink/src/a.rs:1"]);
        check(("host/bench-stats/src/a.rs", "wall walk operator pipeline ring\n"), &[]);
        check(("host/bench-drivers/src/a.rs", "wal\n"), &[]);
        check(("host/bench-model/Cargo.toml", "wal\n"), &[]);
    }
}
