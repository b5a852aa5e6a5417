//! The system's tools that building needs or some modules use, and how each is recognised.
//! It must not know how packages are installed.

use std::process::Command;

use super::State;
use super::packager::{Packager, Packages};
use crate::tool;

/// One tool of the system.
pub(super) struct SystemTool {
    /// What it is called here.
    pub(super) name: &'static str,
    /// What does not work without it.
    use_: &'static str,
    /// Why an installed one may still not do, or nothing.
    note: &'static str,
    /// Whether one that will do is there.
    is_present: fn() -> bool,
    packages: Packages,
}

/// What building cannot do without.
pub(super) const REQUIRED: &[SystemTool] = &[SystemTool {
    name: "cc",
    use_: "links every Rust program and compiles the C probes",
    note: "",
    is_present: || tool::find("cc").is_some(),
    // The static C library, which is in a package of its own there: what is started to be measured is linked with it.
    packages: Packages { apt: &["gcc", "libc6-dev"], dnf: "gcc glibc-static", brew: "gcc" },
}];

/// What tests and scenarios use that would otherwise be skipped: installed wherever that may be done, and never missed.
pub(super) const TESTED: &[SystemTool] = &[SystemTool {
    name: "postgresql",
    use_: "scenarios against a database start a throw-away server",
    note: "",
    is_present: has_postgres,
    packages: Packages { apt: &["postgresql"], dnf: "postgresql-server", brew: "postgresql" },
}];

/// What some modules and commands use; each says *skipped* where its tool is absent.
pub(super) const OPTIONAL: &[SystemTool] = &[
    SystemTool {
        name: "perf",
        use_: "`bench-host profile`",
        note: "",
        is_present: || tool::find("perf").is_some(),
        packages: Packages { apt: &["linux-perf"], dnf: "perf", brew: "" },
    },
    SystemTool {
        name: "go",
        use_: "plug-ins written in Go",
        note: "; it must be 1.24 or newer",
        is_present: has_go,
        packages: Packages { apt: &["golang"], dnf: "golang", brew: "go" },
    },
];

impl SystemTool {
    /// Looks for the tool and changes nothing.
    pub(super) fn look(&self, packager: &Packager) -> State {
        if (self.is_present)() { State::Present } else { self.absent(&packager.advice(&self.packages)) }
    }

    /// Looks for the tool, and installs it if it is absent and we may.
    pub(super) fn ensure(&self, packager: &mut Packager) -> State {
        let state = self.look(packager);
        if state == State::Present || !packager.may_install() {
            return state;
        }
        let advice = packager.advice(&self.packages);
        match packager.install(&self.packages) {
            Err(error) => self.absent(&format!("{error:#}; {advice}")),
            Ok(()) if (self.is_present)() => State::Installed,
            Ok(()) => self.absent("this system's package does not do; install a newer one by hand"),
        }
    }

    fn absent(&self, next: &str) -> State {
        State::Absent(format!("needed for: {}{}; {next}", self.use_, self.note))
    }
}

fn has_postgres() -> bool {
    // Debian keeps the server's programs off the search path, one folder for each version.
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    tool::find("initdb").is_some() || versions.into_iter().any(|version| version.path().join("bin/initdb").is_file())
}

fn has_go() -> bool {
    let version = tool::find("go").and_then(|go| tool::ask(Command::new(go).arg("version")));
    version.is_some_and(|version| go_builds_reactors(&version))
}

/// Whether this `go version` has `-buildmode=c-shared` for wasip1, which came with Go 1.24.
fn go_builds_reactors(version: &str) -> bool {
    let numbers = version.split_whitespace().find_map(|word| word.strip_prefix("go1."));
    let minor = numbers.and_then(|rest| rest.split(|letter: char| !letter.is_ascii_digit()).next());
    minor.and_then(|minor| minor.parse::<u32>().ok()).is_some_and(|minor| minor >= 24)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_go(version: &str, expect: bool) {
        assert_eq!(go_builds_reactors(version), expect, "{version}");
    }

    #[test]
    fn go_is_present_from_1_24_on() {
        check_go("go version go1.26.1 linux/amd64", true);
        check_go("go version go1.24 linux/arm64", true);
        check_go("go version go1.27rc1 linux/amd64", true);
        check_go("go version go1.19.8 linux/amd64", false);
        check_go("go version devel +abc", false);
        check_go("", false);
    }

    #[test]
    fn absence_is_told_with_its_use_and_the_next_step() {
        let tool = SystemTool {
            name: "criu",
            use_: "restores",
            note: "",
            is_present: || false,
            packages: Packages { apt: &["criu"], dnf: "", brew: "" },
        };
        let state = tool.ensure(&mut Packager::Dnf);
        let expect = "absent: needed for: restores; install what Debian calls criu by this system's own means";
        assert_eq!(state.to_string(), expect);
        let tool = SystemTool { is_present: || true, ..tool };
        assert_eq!(tool.ensure(&mut Packager::Unknown), State::Present);
    }
}
