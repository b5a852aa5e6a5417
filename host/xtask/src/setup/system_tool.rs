//! The system tools that building needs or some modules use, and how each is detected.

use std::process::Command;

use anyhow::Result;

use super::State;
use super::packager::{Packager, Packages};
use crate::tool;

/// A system tool.
pub(super) struct SystemTool {
    /// Its name in messages.
    pub(super) name: &'static str,
    /// What does not work without it.
    use_: &'static str,
    /// The reason why an installed one may still not be suitable, or empty.
    note: &'static str,
    /// Whether a suitable one is installed.
    is_present: fn() -> bool,
    packages: Packages,
    /// The unit of systemd that Debian's package starts, or empty.
    service: &'static str,
}

/// The tools that building needs.
pub(super) const REQUIRED: &[SystemTool] = &[SystemTool {
    name: "cc",
    use_: "links every Rust program and compiles the C probes",
    note: "",
    is_present: || tool::find("cc").is_some(),
    // The static C library, a separate package on Fedora: programs whose start is measured are linked with it.
    packages: Packages { apt: &["gcc", "libc6-dev"], dnf: "gcc glibc-static", brew: "gcc" },
    service: "",
}];

/// The tools of tests and scenarios that are skipped without them: installed if permitted; their absence is not an error.
pub(super) const TESTED: &[SystemTool] = &[
    SystemTool {
        name: "git",
        use_: "the tests of comparing revisions",
        note: "",
        is_present: || tool::find("git").is_some(),
        packages: Packages { apt: &["git"], dnf: "git", brew: "git" },
        service: "",
    },
    SystemTool {
        name: "postgresql",
        use_: "scenarios against a database start a throw-away server",
        note: "",
        is_present: has_postgres,
        packages: Packages { apt: &["postgresql"], dnf: "postgresql-server", brew: "postgresql" },
        service: "postgresql.service",
    },
    SystemTool {
        name: "nats-server",
        use_: "the tests of fleets whose agents connect to a server",
        note: "",
        is_present: has_nats_server,
        packages: Packages { apt: &["nats-server"], dnf: "nats-server", brew: "nats-server" },
        service: "nats-server.service",
    },
    SystemTool {
        name: "docker-registry",
        use_: "the tests of pushing modules and pulling them",
        note: "",
        is_present: || tool::find("docker-registry").is_some(),
        packages: Packages { apt: &["docker-registry"], dnf: "docker-distribution", brew: "" },
        service: "docker-registry.service",
    },
    SystemTool {
        name: "minisign",
        use_: "the test that its signatures and ours are the same",
        note: "",
        is_present: || tool::find("minisign").is_some(),
        packages: Packages { apt: &["minisign"], dnf: "minisign", brew: "minisign" },
        service: "",
    },
    SystemTool {
        name: "browser",
        use_: "the test of the HTML report",
        note: "",
        is_present: || tool::find("chromedriver").is_some() && tool::find("chromium").is_some(),
        packages: Packages {
            apt: &["chromium", "chromium-driver"],
            dnf: "chromium chromedriver",
            brew: "--cask chromium chromedriver",
        },
        service: "",
    },
];

/// The tools of some modules and commands, which report *skipped* without them.
pub(super) const OPTIONAL: &[SystemTool] = &[
    SystemTool {
        name: "perf",
        use_: "`bench-host profile`",
        note: "",
        is_present: || tool::find("perf").is_some(),
        packages: Packages { apt: &["linux-perf"], dnf: "perf", brew: "" },
        service: "",
    },
    SystemTool {
        name: "go",
        use_: "plug-ins written in Go",
        note: "; it must be 1.25 or newer",
        is_present: has_go,
        packages: Packages { apt: &["golang"], dnf: "golang", brew: "go" },
        service: "",
    },
];

impl SystemTool {
    /// Looks for the tool, without installing it.
    pub(super) fn look(&self, packager: &Packager) -> State {
        if (self.is_present)() { State::Present } else { self.absent(&packager.advice(&self.packages)) }
    }

    /// Looks for the tool, and installs it if it is missing and that is permitted.
    pub(super) fn ensure(&self, packager: &mut Packager) -> State {
        let state = self.look(packager);
        if state == State::Present || !packager.may_install() {
            return state;
        }
        let advice = packager.advice(&self.packages);
        match packager.install(&self.packages) {
            Err(error) => self.absent(&format!("{error:#}; {advice}")),
            Ok(()) if (self.is_present)() => match self.end_service(packager) {
                Ok(()) => State::Installed,
                Err(error) => self.absent(&format!("{} runs and could not be ended: {error:#}", self.service)),
            },
            Ok(()) => self.absent("this system's package does not do; install a newer one by hand"),
        }
    }

    fn end_service(&self, packager: &Packager) -> Result<()> {
        if self.service.is_empty() { Ok(()) } else { packager.end_service(self.service) }
    }

    fn absent(&self, next: &str) -> State {
        State::Absent(format!("needed for: {}{}; {next}", self.use_, self.note))
    }
}

fn has_postgres() -> bool {
    // Debian installs the server's programs outside of the search path, in one folder per version.
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    tool::find("initdb").is_some() || versions.into_iter().any(|version| version.path().join("bin/initdb").is_file())
}

fn has_nats_server() -> bool {
    // Debian installs it where only root's search path leads.
    tool::find("nats-server").is_some() || std::path::Path::new("/usr/sbin/nats-server").is_file()
}

fn has_go() -> bool {
    let version = tool::find("go").and_then(|go| tool::ask(Command::new(go).arg("version")));
    version.is_some_and(|version| go_is_new_enough(&version))
}

/// Whether this `go version` builds the plug-ins: their `go.mod` ask for 1.25.
fn go_is_new_enough(version: &str) -> bool {
    let numbers = version.split_whitespace().find_map(|word| word.strip_prefix("go1."));
    let minor = numbers.and_then(|rest| rest.split(|letter: char| !letter.is_ascii_digit()).next());
    minor.and_then(|minor| minor.parse::<u32>().ok()).is_some_and(|minor| minor >= 25)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_go(version: &str, expect: bool) {
        assert_eq!(go_is_new_enough(version), expect, "{version}");
    }

    #[test]
    fn go_is_present_from_1_25_on() {
        check_go("go version go1.26.1 linux/amd64", true);
        check_go("go version go1.25 linux/arm64", true);
        check_go("go version go1.24.9 linux/amd64", false);
        check_go("go version go1.27rc1 linux/amd64", true);
        check_go("go version go1.19.8 linux/amd64", false);
        check_go("go version devel +abc", false);
        check_go("", false);
    }

    #[test]
    fn missing_tool_is_reported_with_its_use_and_the_next_step() {
        let tool = SystemTool {
            name: "criu",
            use_: "restores",
            note: "",
            is_present: || false,
            packages: Packages { apt: &["criu"], dnf: "", brew: "" },
            service: "",
        };
        let state = tool.ensure(&mut Packager::Dnf);
        let expect = "absent: needed for: restores; install what Debian calls criu by this system's own means";
        assert_eq!(state.to_string(), expect);
        let tool = SystemTool { is_present: || true, ..tool };
        assert_eq!(tool.ensure(&mut Packager::Unknown), State::Present);
    }
}
