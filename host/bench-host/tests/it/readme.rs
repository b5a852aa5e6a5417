//! Runs the commands in README.md, with options that make them fast.

use crate::host::{Host, PROGRAM, Ran, command};
use crate::modules::{plugins, project};
use std::fs;

/// What is added to a command, so that it takes no time and makes nothing; the rest is only held against the options.
fn addition(command: &str) -> &'static str {
    match command.split_whitespace().next() {
        Some("load" | "run") => "--quick --dry-run",
        Some("doctor") => "--quick",
        Some("list" | "completions") => "",
        _ => "--help",
    }
}

#[test]
fn every_command_of_the_readme_runs() {
    let text = fs::read_to_string(project().join("README.md")).unwrap();
    let lines = text.lines().filter_map(|line| line.strip_prefix("$ bench-host "));
    let commands: Vec<_> = lines.flat_map(|line| line.split("&& bench-host ")).map(str::trim).collect();
    assert!(commands.len() >= 5, "{commands:?}");
    if plugins(&["ring-client", "overhead", "kernels"]).is_none() {
        return;
    }
    let host = Host::new();
    for words in commands {
        // A shell reads them as the reader's does: with quotes, patterns and remarks.
        let (words, _) = words.split_once(" #").unwrap_or((words, ""));
        let script = format!("\"$0\" {words} {}", addition(words));
        let mut shell = command("sh");
        shell.args(["-c", &script, PROGRAM]).current_dir(project()).env("HOME", host.path(""));
        let ran = Ran::of(&mut shell).check(&script, 0);
        assert!(!ran.stdout.is_empty(), "{script}");
    }
}
