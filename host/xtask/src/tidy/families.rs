//! The rule that crates which families are built on do not name one.

use super::Finding;
use super::source::Source;
use std::collections::BTreeSet;

/// Families whose names are words of the field too.
const ORDINARY: [&str; 4] = ["components", "ipc", "kernels", "ring"];

const FOLDER: &str = "host/families/";

/// The folders without names of families.
const WITHOUT: [&str; 13] = [
    "host/bench-drivers/src/",
    "host/bench-engine/src/",
    "host/bench-family/src/",
    "host/bench-fleet/src/",
    "host/bench-kit/src/",
    "host/bench-model/src/",
    "host/bench-native/src/",
    "host/bench-price/src/",
    "host/bench-profile/src/",
    "host/bench-report/src/",
    "host/bench-sink/src/",
    "host/bench-stats/src/",
    "host/bench-wasm/src/",
];

/// Words that mean something else in a folder or file, and what.
const OTHERWISE: [(&str, &str, &str); 4] = [
    ("host/bench-wasm/src/", "operators", "instructions of WebAssembly"),
    ("host/bench-report/src/comparison/exact.rs", "operators", "instructions of WebAssembly"),
    ("host/bench-report/src/html/style.css", "tabular", "digits of one width"),
    ("host/bench-kit/src/", "tabular", "a package of WIT"),
];

/// Finds the names of families, in comments too.
pub(super) fn check(sources: &[Source]) -> Vec<Finding> {
    let folders = sources.iter().filter_map(|source| source.path.strip_prefix(FOLDER)?.split_once('/'));
    let families: BTreeSet<&str> = folders.map(|(name, _)| name).filter(|name| !ORDINARY.contains(name)).collect();
    let mut findings = Vec::new();
    for source in sources.iter().filter(|source| source.is_in(&WITHOUT)) {
        for (index, line) in source.text().lines().enumerate() {
            // An underscore separates words here, because `wal_path` names the family too.
            let words = line.split(|letter: char| !letter.is_alphanumeric());
            for word in words.filter(|word| names_family(&families, source, word)) {
                let what = format!(
                    "`{word}` is the name of a family, which only families, the registry and the host may use; OTHERWISE in \
                     host/xtask/src/tidy/families.rs has words with another meaning"
                );
                findings.push(source.finding(index + 1, what));
            }
        }
    }
    findings
}

fn names_family(families: &BTreeSet<&str>, source: &Source, word: &str) -> bool {
    let word = word.to_lowercase();
    let is_otherwise = |(place, known, _): &(&str, &str, &str)| source.path.starts_with(place) && word == *known;
    families.contains(word.as_str()) && !OTHERWISE.iter().any(is_otherwise)
}

#[cfg(test)]
mod tests {
    use crate::tidy;

    /// Checks a file of a project with the families `wal`, `operators` and `ring`.
    #[track_caller]
    fn check(file: (&str, &str), expect: &[&str]) {
        let files = ["wal/README.md", "operators/README.md", "ring/suites/ring.toml"];
        let [wal, operators, ring] = files.map(|file| format!("host/families/{file}"));
        tidy::check(super::check, &[(wal.as_str(), ""), (operators.as_str(), ""), (ring.as_str(), ""), file], expect);
    }

    #[test]
    fn family_in_a_crate_below_families_is_found() {
        check(("host/bench-model/src/a.rs", "//! A.\nlet wal_path = 1;\n"), &["host/bench-model/src/a.rs:2"]);
        check(("host/bench-sink/src/a.rs", "/// The WAL.\n"), &["host/bench-sink/src/a.rs:1"]);
        check(("host/bench-stats/src/a.rs", "wall walk operator pipeline ring\n"), &[]);
        check(("host/bench-drivers/src/a.rs", "a\nwal\n"), &["host/bench-drivers/src/a.rs:2"]);
        check(("host/bench-host/src/a.rs", "wal\n"), &[]);
        check(("host/bench-wasm/src/a.rs", "operators, wal\n"), &["host/bench-wasm/src/a.rs:1"]);
        check(("host/bench-report/src/a.rs", "operators\n"), &["host/bench-report/src/a.rs:1"]);
        check(("host/bench-model/Cargo.toml", "wal\n"), &[]);
    }
}
