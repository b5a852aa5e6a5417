//! The parts of the Rust toolchain other than the compiler: the component target, rustfmt and clippy.

use std::path::Path;

use super::State;
use crate::plugins::WASM_TARGET;
use crate::project::Project;
use crate::tool;

/// One part of the toolchain.
pub(super) struct RustPart {
    /// The name in rustup.
    pub(super) name: &'static str,
    /// The rustup command that adds it, without the name.
    add: &'static [&'static str],
    /// Whether the toolchain in use has it.
    is_present: fn(&Project) -> bool,
}

/// The parts that building and checking need.
pub(super) const REQUIRED: &[RustPart] = &[
    RustPart { name: "rustfmt", add: &["component", "add"], is_present: |project| has_command(project, "fmt") },
    RustPart { name: "clippy", add: &["component", "add"], is_present: |project| has_command(project, "clippy") },
    RustPart { name: WASM_TARGET, add: &["target", "add"], is_present: has_wasm_target },
];

impl RustPart {
    /// Looks for the part, and adds it with rustup if it is missing.
    pub(super) fn ensure(&self, project: &Project) -> State {
        if (self.is_present)(project) {
            return State::Present;
        }
        let by_hand = format!("rustup {} {}", self.add.join(" "), self.name);
        if tool::find("rustup").is_none() {
            return State::Absent(format!(
                "this toolchain lacks it and rustup is absent: install rustup from https://rustup.rs, then `{by_hand}`"
            ));
        }
        if let Err(error) = tool::read(project.command("rustup").args(self.add).arg(self.name)) {
            return State::Absent(format!("{error:#}: see that the network is there, then `{by_hand}`"));
        }
        if (self.is_present)(project) {
            return State::Installed;
        }
        State::Absent(format!(
            "rustup added it to another toolchain than the cargo in use: start cargo through rustup, then `{by_hand}`"
        ))
    }
}

fn has_command(project: &Project, command: &str) -> bool {
    tool::ask(project.cargo(None).args([command, "--version"])).is_some()
}

/// Whether the compiler in use can build components.
pub(crate) fn has_wasm_target(project: &Project) -> bool {
    // The compiler prints the folder even if it does not exist, so check for a library in it.
    let folder = tool::ask(project.rustc().args(["--print", "target-libdir", "--target", WASM_TARGET]));
    folder.is_some_and(|folder| holds_library(Path::new(&folder)))
}

fn holds_library(folder: &Path) -> bool {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.into_iter().any(|entry| entry.path().extension().is_some_and(|extension| extension == "rlib"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn target_is_installed_if_its_library_exists() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!holds_library(&folder.path().join("absent")));
        assert!(!holds_library(folder.path()));
        std::fs::write(folder.path().join("libstd-0.rlib"), "").unwrap();
        assert!(holds_library(folder.path()));
    }
}
