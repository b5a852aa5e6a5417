//! Runs the commands in README.md, with options that make them fast.

use crate::history::rewrite;
use crate::host::{Host, PROGRAM, Ran, command};
use crate::modules::{plugins, project};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

/// What is added to a command, so that it takes little time and starts nothing elsewhere, and the statuses that it may end with.
fn addition(command: &str) -> (&'static str, &'static [i32]) {
    let words: Vec<&str> = command.split_whitespace().collect();
    match words[..] {
        // The machine may have changed between the two runs, and few targets are about their cells.
        ["compare", "results/A", ..] | ["results", "--sha", ..] => ("", &[0, 1]),
        ["validate", ..] => ("", &[0, 1, 2]),
        // A build of other revisions takes minutes, and not every machine has `perf`: only the options are checked.
        ["compare", "--git", ..] | ["profile", ..] => ("--help", &[0]),
        ["load" | "run" | "compare", ..] | ["fleet", "run", ..] => ("--quick --dry-run", &[0]),
        ["price", ..] => ("--quick --processes 1", &[0]),
        ["check", ..] => ("--within 20s", &[0]),
        _ => ("", &[0]),
    }
}

/// Runs a command of the README in the folder of its reader.
#[track_caller]
fn check(host: &Host, checkout: &Path, words: &str) {
    let (more, statuses) = addition(words);
    // A shell reads them as the reader's does: with quotes and patterns.
    let script = format!("\"$0\" {words} {more}");
    let mut shell = command("sh");
    shell.args(["-c", &script, PROGRAM]).current_dir(checkout).env("HOME", host.path(""));
    let ran = Ran::of(shell.env("XDG_DATA_HOME", host.path("data")));
    let is_right = ran.status.is_some_and(|status| statuses.contains(&status));
    assert!(is_right, "`{script}`: {:?}\n{}\n{}", ran.status, ran.stdout, ran.stderr);
    assert!(!ran.stdout.is_empty(), "{script}");
}

#[test]
fn every_command_of_the_readme_runs() {
    let text = fs::read_to_string(project().join("README.md")).unwrap();
    let lines = text.lines().filter_map(|line| line.strip_prefix("$ bench-host "));
    // What other programs do in the same line is left out: the tests of the templates build what `new` makes.
    let commands: Vec<_> = lines
        .flat_map(|line| line.split("&& bench-host "))
        .filter_map(|part| Some(part.split("&&").next()?.trim()))
        .collect();
    assert!(commands.len() >= 5, "{commands:?}");
    // Within a paragraph, a module is added to the store and loaded from it.
    let spans = text.lines().flat_map(|line| line.split('`').skip(1).step_by(2));
    let is_of_store = |span: &&str| ["registry add ", "load acme:"].iter().any(|begin| span.starts_with(begin));
    let inline: Vec<_> = spans.filter(is_of_store).collect();
    assert_eq!(inline.len(), 2, "{inline:?}");
    let Some(files) = plugins(&["overhead", "ring-client", "kernels"]) else { return };
    let host = Host::new();
    let checkout = checkout(&host, &files[0]);
    make_runs(&host, &checkout);
    for words in commands.into_iter().chain(inline) {
        // A remark is the shell's.
        let (words, _) = words.split_once(" #").unwrap_or((words, ""));
        check(&host, &checkout, words);
    }
}

#[test]
fn picture_of_the_readme_is_what_is_drawn_of_its_run() {
    let folder = project().join("host/picture");
    let host = Host::new();
    let page = host.path("page");
    Ran::of(command(PROGRAM).arg("report").arg(&folder).arg("--to").arg(&page)).check("report host/picture", 0);
    let [drawn, kept] = [page.join("report/ratios.svg"), folder.join("ratios.svg")]
        .map(|file| fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display())));
    assert!(drawn == kept, "host/picture/ratios.svg is not what is drawn of its run: run `cargo xtask picture`");
    for outside in ["<script", "href", "url(", "<image"] {
        assert!(!kept.contains(outside), "a picture refers to nothing: {outside}");
    }
    assert!(kept.contains("; seed ") && kept.contains("Run 20"), "it says which run, machine and seed it is of");
    let readme = fs::read_to_string(project().join("README.md")).unwrap();
    assert!(readme.contains("](host/picture/ratios.svg)"), "the README shows it");
}

/// A folder that looks like the checkout, and has what the reader has made by then: a module under several names, and a WIT.
fn checkout(host: &Host, built: &Path) -> PathBuf {
    let checkout = host.path("checkout");
    fs::create_dir_all(checkout.join("out")).unwrap();
    for entry in fs::read_dir(project()).unwrap().map(Result::unwrap).filter(|entry| entry.file_name() != "results") {
        symlink(entry.path(), checkout.join(entry.file_name())).unwrap();
    }
    for name in ["out/my-sum.wasm", "old.wasm", "new.wasm", "json.wasm"] {
        fs::copy(built, checkout.join(name)).unwrap();
    }
    fs::copy(built.with_extension(std::env::consts::DLL_EXTENSION), checkout.join("json.so")).unwrap();
    let wit = "package a:b;\ninterface sums { add: func(a: u32, b: u32) -> u32; }\nworld api { import sums; }\n";
    fs::write(checkout.join("api.wit"), wit).unwrap();
    checkout
}

/// Two runs in the reader's `results`, of the revisions that the README names.
fn make_runs(host: &Host, checkout: &Path) {
    for (name, revision) in [("A", "1a2b3c4d"), ("B", "4d5e6f70")] {
        host.check("run kernels/json-parse --arm native --quick --time 900ms --processes 3 --quiet", 0);
        let run = checkout.join("results").join(name);
        fs::create_dir_all(checkout.join("results")).unwrap();
        fs::rename(host.run(), &run).unwrap();
        rewrite(&run, revision, "main");
    }
}
