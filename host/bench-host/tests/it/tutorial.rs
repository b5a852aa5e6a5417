//! The commands of the tutorial do what it says.

use crate::authors::shell;
use crate::host::Host;
use crate::modules::project;
use std::fs;

/// The commands in the blocks of a console, each with its exit status.
fn commands(text: &str) -> Vec<(String, i32)> {
    let mut commands = Vec::new();
    let mut is_console = false;
    for line in text.lines() {
        match line {
            "```console" => is_console = true,
            "```" => is_console = false,
            _ if is_console => {
                let line = line.strip_prefix("$ ").expect("a command begins with a prompt");
                let (command, remark) = line.split_once("  # ").unwrap_or((line, ""));
                let status = remark.strip_prefix("exit status ").map_or(0, |status| status.parse().expect("a status"));
                commands.push((command.trim().to_owned(), status));
            }
            _ => {}
        }
    }
    commands
}

#[test]
fn tutorial_does_what_it_says() {
    let text = fs::read_to_string(project().join("host/TUTORIAL.md")).expect("the tutorial");
    let commands = commands(&text);
    assert!(commands.iter().filter(|(_, status)| *status == 1).count() == 2, "{commands:?}");
    let host = Host::new();
    let mut folder = host.path("");
    for (command, status) in commands {
        match command.strip_prefix("cd ") {
            Some(inner) => folder = folder.join(inner),
            None => {
                let output = shell(&folder, &[], &command);
                let printed = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
                let said = printed(&output.stdout) + &printed(&output.stderr);
                assert_eq!(output.status.code(), Some(status), "{command}\n{said}");
            }
        }
    }
}
