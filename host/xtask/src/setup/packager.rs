//! The system's package manager: finds it, checks whether it may be used, and prints the command for the user.

use std::process::Command;

use anyhow::Result;

use crate::tool;

/// The package manager of this system.
#[derive(Debug)]
pub(super) enum Packager {
    /// Debian and derivatives. Only this one is run by `setup`.
    Apt {
        /// The privilege for installing.
        privilege: Privilege,
        /// Whether the package lists were updated in this run.
        updated: bool,
    },
    /// Fedora and derivatives.
    Dnf,
    /// macOS.
    Brew,
    /// No known package manager.
    Unknown,
}

/// The privilege to install packages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Privilege {
    /// This process runs as root.
    Root,
    /// `sudo` works without a password.
    Sudo,
    /// No privilege.
    None,
}

/// The name of a package in each package manager; empty if it has none.
#[derive(Debug)]
pub(super) struct Packages {
    pub(super) apt: &'static [&'static str],
    pub(super) dnf: &'static str,
    pub(super) brew: &'static str,
}

impl Packager {
    /// Detects the package manager of this system.
    pub(super) fn look() -> Packager {
        if tool::find("apt-get").is_some() && std::path::Path::new("/etc/debian_version").exists() {
            Packager::Apt { privilege: Privilege::look(), updated: false }
        } else if tool::find("dnf").is_some() {
            Packager::Dnf
        } else if tool::find("brew").is_some() {
            Packager::Brew
        } else {
            Packager::Unknown
        }
    }

    /// Whether [`Packager::install`] may be tried.
    pub(super) fn may_install(&self) -> bool {
        matches!(self, Packager::Apt { privilege: Privilege::Root | Privilege::Sudo, .. })
    }

    /// Installs the packages without questions. Only call it if [`Packager::may_install`] is true.
    pub(super) fn install(&mut self, packages: &Packages) -> Result<()> {
        let Packager::Apt { privilege, updated } = self else { anyhow::bail!("{}", self.advice(packages)) };
        if !*updated {
            // An unreachable source is ignored, because the existing lists may have the package.
            let _ = tool::read(&mut apt(*privilege, &["update"]));
            *updated = true;
        }
        let arguments = [&["install", "--yes", "--no-install-recommends"], packages.apt].concat();
        // The standard output of apt-get is not needed: errors are on standard error.
        tool::read(&mut apt(*privilege, &arguments)).map(drop)
    }

    /// Ends the service that a package has just started, and keeps it from starting with the machine: tests start servers of their own, and a
    /// user has asked for none.
    pub(super) fn end_service(&self, unit: &str) -> Result<()> {
        match self {
            Packager::Apt { privilege, .. } if std::path::Path::new("/run/systemd/system").is_dir() => {
                tool::read(&mut privileged(*privilege, &["systemctl", "disable", "--now", unit])).map(drop)
            }
            // Only systemd has started it.
            _ => Ok(()),
        }
    }

    /// The next step for the user.
    pub(super) fn advice(&self, packages: &Packages) -> String {
        match self {
            Packager::Apt { .. } => format!("install it with `apt-get install {}` as root", packages.apt.join(" ")),
            Packager::Dnf if !packages.dnf.is_empty() => {
                format!("install it with `dnf install {}` as root", packages.dnf)
            }
            Packager::Brew if !packages.brew.is_empty() => format!("install it with `brew install {}`", packages.brew),
            Packager::Dnf | Packager::Brew | Packager::Unknown => {
                format!("install what Debian calls {} by this system's own means", packages.apt.join(" "))
            }
        }
    }
}

impl Privilege {
    fn look() -> Privilege {
        if tool::ask(Command::new("id").arg("-u")).as_deref() == Some("0") {
            Privilege::Root
        } else if tool::ask(Command::new("sudo").args(["-n", "true"])).is_some() {
            Privilege::Sudo
        } else {
            Privilege::None
        }
    }
}

fn apt(privilege: Privilege, arguments: &[&str]) -> Command {
    // `env` is used because sudo does not pass the environment on.
    let words = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "--quiet"];
    privileged(privilege, &[&words[..], arguments].concat())
}

/// The command of these words, with the privilege.
fn privileged(privilege: Privilege, words: &[&str]) -> Command {
    let before: &[&str] = if privilege == Privilege::Sudo { &["sudo", "-n"] } else { &[] };
    let words = [before, words].concat();
    let mut command = Command::new(words[0]);
    command.args(&words[1..]).stdin(std::process::Stdio::null());
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACKAGES: Packages = Packages { apt: &["gcc", "libc6-dev"], dnf: "gcc", brew: "" };

    fn check(packager: &Packager, may: bool, advice: &str) {
        assert_eq!(packager.may_install(), may, "{packager:?}");
        assert_eq!(packager.advice(&PACKAGES), advice, "{packager:?}");
    }

    #[test]
    fn only_apt_with_privilege_is_run() {
        let apt = |privilege| Packager::Apt { privilege, updated: false };
        check(&apt(Privilege::Root), true, "install it with `apt-get install gcc libc6-dev` as root");
        check(&apt(Privilege::Sudo), true, "install it with `apt-get install gcc libc6-dev` as root");
        check(&apt(Privilege::None), false, "install it with `apt-get install gcc libc6-dev` as root");
        check(&Packager::Dnf, false, "install it with `dnf install gcc` as root");
        check(&Packager::Brew, false, "install what Debian calls gcc libc6-dev by this system's own means");
        check(&Packager::Unknown, false, "install what Debian calls gcc libc6-dev by this system's own means");
    }

    #[test]
    fn apt_runs_without_questions() {
        let shown = tool::display(&apt(Privilege::Sudo, &["update"]));
        assert_eq!(shown, "sudo -n env DEBIAN_FRONTEND=noninteractive apt-get --quiet update");
        let shown = tool::display(&apt(Privilege::Root, &["update"]));
        assert_eq!(shown, "env DEBIAN_FRONTEND=noninteractive apt-get --quiet update");
    }
}
