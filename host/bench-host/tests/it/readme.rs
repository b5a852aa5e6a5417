//! Runs the commands in README.md, with options that make them fast.

use crate::host::{Host, PROGRAM, Ran, command};
use crate::modules::{plugins, project};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

/// What is added to a command, so that it takes no time and makes nothing; the rest is only held against the options.
fn addition(command: &str) -> &'static str {
    let mut words = command.split_whitespace();
    match (words.next(), words.next()) {
        (Some("load" | "run"), _) => "--quick --dry-run",
        // Runs and builds of the reader are not there.
        (Some("compare"), Some(scenario)) if scenario.contains('/') && !scenario.starts_with("results/") => {
            "--quick --dry-run"
        }
        (Some("doctor"), _) => "--quick",
        (Some("list" | "completions"), _) => "",
        _ => "--help",
    }
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
    let Some(files) = plugins(&["ring-client", "overhead", "kernels"]) else { return };
    let host = Host::new();
    let checkout = checkout(&host, &files[2]);
    for words in commands {
        // A shell reads them as the reader's does: with quotes, patterns and remarks.
        let (words, _) = words.split_once(" #").unwrap_or((words, ""));
        let script = format!("\"$0\" {words} {}", addition(words));
        let mut shell = command("sh");
        shell.args(["-c", &script, PROGRAM]).current_dir(&checkout).env("HOME", host.path(""));
        let ran = Ran::of(&mut shell).check(&script, 0);
        assert!(!ran.stdout.is_empty(), "{script}");
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

/// A folder that looks like the checkout, and has the module that the reader has built by then.
fn checkout(host: &Host, built: &Path) -> PathBuf {
    let checkout = host.path("checkout");
    fs::create_dir_all(checkout.join("out")).unwrap();
    for entry in fs::read_dir(project()).unwrap().map(Result::unwrap) {
        symlink(entry.path(), checkout.join(entry.file_name())).unwrap();
    }
    symlink(built, checkout.join("out/my-sum.wasm")).unwrap();
    checkout
}
