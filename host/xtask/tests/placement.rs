//! How far one fact is spread over the tree: a family, a capability, an output format, a field of a record. Each count is printed
//! with its places (`cargo test -p xtask --test placement -- --nocapture`) and has a limit.

#![expect(clippy::print_stdout, reason = "the counts are for the readers of the test's output")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Lines outside of its folder that may name a family.
const FAMILY_LINES_MAX: usize = 8;

/// Files outside of its own folders that may name a capability.
const CAPABILITY_FILES_MAX: usize = 8;

/// Lines outside of its own file that may name an output format: that of its module, and its row.
const FORMAT_LINES_MAX: usize = 2;

/// Files that may spell out all fields of a record, which a new field has to be added to: besides the record itself, where it is
/// filled.
const RECORD_FILES_MAX: usize = 1;

/// Files that may name a field of a record: the record, where it is filled, the view that reads it, and the format or the family
/// that shows it.
const FIELD_FILES_MAX: usize = 4;

/// Files that `cargo xtask abi` writes.
const GENERATED: [&str; 2] = ["host/lib/vocabulary/", "native-probes/probe-abi/src/raw/"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("host/xtask lies in the project").to_owned()
}

/// The Rust sources and manifests of the host's workspace, with their paths from the root. Tests and built files are left out.
fn sources() -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    for folder in ["host", "native-probes", "registry"] {
        collect(&root(), &root().join(folder), &mut files);
    }
    let manifest = fs::read_to_string(root().join("Cargo.toml")).expect("the workspace has a manifest");
    files.insert("Cargo.toml".to_owned(), manifest);
    files
}

fn collect(root: &Path, folder: &Path, files: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(folder).expect("a folder of the project is readable") {
        let path = entry.expect("an entry is readable").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() {
            if !["target", "tests", "plugins"].contains(&name.as_str()) && !name.starts_with('.') {
                collect(root, &path, files);
            }
        } else if name == "Cargo.toml" || name.ends_with(".rs") && name != "tests.rs" {
            let text = fs::read_to_string(&path).expect("a source is text");
            let from_root = path.strip_prefix(root).expect("it lies below the root");
            files.insert(from_root.to_string_lossy().into_owned(), text);
        }
    }
}

/// The part of a source before its unit tests.
fn shipped(text: &str) -> &str {
    text.split("#[cfg(test)]\nmod tests {").next().unwrap_or(text)
}

/// The lines outside of `folder` that have one of `words` in them.
fn lines_with(files: &BTreeMap<String, String>, folder: &str, words: &[String]) -> Vec<String> {
    let outside = files.iter().filter(|(path, _)| !path.starts_with(folder) && !path.starts_with("host/xtask/"));
    let lines = outside.flat_map(|(path, text)| shipped(text).lines().map(move |line| (path, line)));
    let named = lines.filter(|(_, line)| {
        let is_comment = line.trim_start().starts_with("//");
        !is_comment && words.iter().any(|word| line.contains(word.as_str()))
    });
    named.map(|(path, line)| format!("{path}: {}", line.trim())).collect()
}

/// The families: the folders of `host/families`.
fn families() -> Vec<String> {
    let entries = fs::read_dir(root().join("host/families")).expect("there are families");
    let folders = entries.filter_map(Result::ok).filter(|entry| entry.path().join("Cargo.toml").is_file());
    let mut names: Vec<_> = folders.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn family_is_its_folder_and_a_few_lines() {
    let files = sources();
    let names = families();
    assert!(!names.is_empty());
    for name in names {
        let words =
            [format!("family-{name}"), format!("family_{name}"), format!("\"{name}\""), format!("{name} = [\"dep:")];
        let lines = lines_with(&files, &format!("host/families/{name}/"), &words);
        let lines: Vec<_> = lines.into_iter().filter(|line| !line.starts_with("native-probes/")).collect();
        println!("family {name}: {} lines outside of its folder\n  {}", lines.len(), lines.join("\n  "));
        assert!(lines.len() <= FAMILY_LINES_MAX, "{name} is named in {} lines: {lines:#?}", lines.len());
    }
}

#[test]
fn capability_is_named_in_few_files() {
    let files = sources();
    // The capability with the most functions.
    let words = ["bench_host::log", "capability::log", "mod log;", "session_log", "session-log", "EXTENSION_LOG"]
        .map(str::to_owned);
    let lines = lines_with(&files, "host/lib/session-log/", &words);
    let named: BTreeSet<&str> = lines.iter().filter_map(|line| line.split(": ").next()).collect();
    let is_own = |path: &&str| {
        path.contains("/capability/log") || path.ends_with("/log.rs") || path.starts_with("host/lib/wal-log/")
    };
    let is_generated =
        |path: &&str| GENERATED.iter().any(|folder| path.starts_with(folder)) || path.ends_with("/raw.rs");
    let edited: Vec<_> = named.into_iter().filter(|path| !is_own(path) && !is_generated(path)).collect();
    println!("capability log: {} files outside of its own\n  {}", edited.len(), edited.join("\n  "));
    assert!(edited.len() <= CAPABILITY_FILES_MAX, "{edited:#?}");
}

#[test]
fn format_is_its_file_and_a_row() {
    let files = sources();
    // The format that nothing but the table of formats uses: comments on GitHub are Markdown, and a page has tables as CSV.
    let (own, words) = ("host/bench-report/src/render/asciidoc.rs", ["asciidoc", "Asciidoc"].map(str::to_owned));
    assert!(files.contains_key(own), "{own} is the format's file");
    let lines = lines_with(&files, own, &words);
    println!("format asciidoc: its file and {} lines\n  {}", lines.len(), lines.join("\n  "));
    assert!(lines.len() <= FORMAT_LINES_MAX, "{lines:#?}");
}

#[test]
fn record_field_is_named_in_few_files() {
    let files = sources();
    // A field whose name is used for nothing else.
    let lines = lines_with(&files, "host/lib/sample-run/", &["printed_bytes".to_owned()]);
    let named: BTreeSet<&str> = lines.iter().filter_map(|line| line.split(": ").next()).collect();
    println!("field printed_bytes: {} files\n  {}", named.len(), lines.join("\n  "));
    assert!(!named.is_empty() && named.len() <= FIELD_FILES_MAX, "{named:#?}");
}

/// The files that spell out every field of `record` in a literal, which is one without `..`.
fn spelled_out<'a>(files: &'a BTreeMap<String, String>, record: &str) -> Vec<&'a str> {
    let start = format!("{record} {{");
    let is_whole = |text: &str| {
        text.match_indices(&start).any(|(at, _)| {
            let before = text[..at].trim_end();
            let is_definition = ["struct", "for", "impl", "->"].iter().any(|word| before.ends_with(word));
            let literal = text[at..].split_inclusive('}').next().unwrap_or_default();
            !is_definition && !literal.contains("..")
        })
    };
    files.iter().filter(|(_, text)| is_whole(shipped(text))).map(|(path, _)| path.as_str()).collect()
}

#[test]
fn record_is_spelled_out_in_few_files() {
    let files = sources();
    for record in ["OutcomeRecord", "CellRecord"] {
        let all = spelled_out(&files, record);
        let others: Vec<_> = all
            .into_iter()
            .filter(|path| {
                !path.starts_with("host/bench-sink/src/runfile/")
                    && !path.contains("fixture")
                    && !path.starts_with("host/lib/sample-run/")
            })
            .collect();
        println!("record {record}: {} files spell it out\n  {}", others.len(), others.join("\n  "));
        assert!(others.len() <= RECORD_FILES_MAX, "{record}: {others:#?}");
    }
}
