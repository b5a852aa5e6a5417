//! The commands of the tutorial do what it says.

use crate::authors::shell;
use crate::host::{Host, skip};
use crate::kept;
use crate::modules::project;
use std::fs;
use std::path::Path;

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

/// The command with a store and a policy in the folder `user`, if it needs them: the SDK stays where it is built already.
fn as_user(command: &str, user: &Path) -> String {
    if !command.contains("registry") && !command.contains("me:my-sum") {
        return command.to_owned();
    }
    let user = user.display();
    format!("export XDG_DATA_HOME='{user}' XDG_CONFIG_HOME='{user}'; {command}")
}

#[test]
fn plug_in_with_the_crates_of_others_in_its_folder_needs_no_cache() {
    let text = fs::read_to_string(project().join("host/TUTORIAL.md")).expect("the tutorial");
    let (_, rest) = text.split_once("`mkdir -p .cargo").expect("the tutorial has the command");
    let (rest, _) = rest.split_once('`').expect("the command ends");
    let host = Host::new();
    host.check("new my-vendored", 0);
    let folder = host.path("my-vendored");
    let vendored = shell(&folder, &[], &format!("export CARGO_NET_OFFLINE=false; mkdir -p .cargo{rest}"));
    if !vendored.status.success() {
        let said = String::from_utf8_lossy(&vendored.stderr).into_owned();
        return skip(&format!("cargo cannot get the crates: {}", said.trim()));
    }
    let empty = host.path("empty");
    let resolve = || {
        let line = format!("CARGO_HOME='{}' cargo metadata --locked --format-version 1", empty.display());
        shell(&folder, &[], &line)
    };
    let resolved = resolve();
    assert!(resolved.status.success(), "{}", String::from_utf8_lossy(&resolved.stderr));
    fs::remove_dir_all(folder.join(".cargo")).expect("the settings are there");
    assert!(!resolve().status.success(), "it was found elsewhere");
}

/// Executes the commands of the tutorial in an empty folder. `set` comes before each, and `made` gets the folder of the new plug-in.
#[track_caller]
pub(crate) fn follow(set: &str, made: impl Fn(&Path)) {
    let text = fs::read_to_string(project().join("host/TUTORIAL.md")).expect("the tutorial");
    let commands = commands(&text);
    assert!(commands.iter().filter(|(_, status)| *status == 1).count() == 2, "{commands:?}");
    let host = Host::new();
    let (mut folder, user) = (host.path(""), host.path("user"));
    for (command, status) in commands {
        match command.strip_prefix("cd ") {
            Some(inner) => folder = folder.join(inner),
            None => {
                let output = shell(&folder, &[], &format!("{set}{}", as_user(&command, &user)));
                let printed = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
                let said = printed(&output.stdout) + &printed(&output.stderr);
                assert_eq!(output.status.code(), Some(status), "{command}\n{said}");
                if let Some(name) = command.strip_prefix("bench-host new ") {
                    made(&folder.join(name));
                }
            }
        }
    }
}

#[test]
fn tutorial_does_what_it_says() {
    follow("", |made| kept::share_sdk(made).expect("an SDK that is built already"));
}
