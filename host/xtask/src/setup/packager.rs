//! The system's package manager: which one there is, whether we may use it, and the command a person would type.
//! It must not know which packages are wanted.

use std::process::Command;

use anyhow::Result;

use crate::tool;

/// What packages come from on this system.
#[derive(Debug)]
pub(super) enum Packager {
    /// Debian and its kin. The only one we run ourselves.
    Apt {
        /// Who we are allowed to be.
        privilege: Privilege,
        /// Whether the package lists were fetched in this run.
        updated: bool,
    },
    /// Fedora and its kin.
    Dnf,
    /// macOS.
    Brew,
    /// None that we know.
    Unknown,
}

/// What lets us install packages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Privilege {
    /// We are root.
    Root,
    /// `sudo` works without a password.
    Sudo,
    /// Nothing does.
    None,
}

/// What a package is called by each package manager. An empty name: it has none.
#[derive(Debug)]
pub(super) struct Packages {
    pub(super) apt: &'static [&'static str],
    pub(super) dnf: &'static str,
    pub(super) brew: &'static str,
}

impl Packager {
    /// Looks for a package manager on this system.
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

    /// Installs the packages without asking anything. Only to be called where [`Packager::may_install`] says so.
    pub(super) fn install(&mut self, packages: &Packages) -> Result<()> {
        let Packager::Apt { privilege, updated } = self else { anyhow::bail!("{}", self.advice(packages)) };
        if !*updated {
            // One source out of reach must not stop us: the lists at hand may well have the package.
            let _ = tool::read(&mut apt(*privilege, &["update"]));
            *updated = true;
        }
        let arguments = [&["install", "--yes", "--no-install-recommends"], packages.apt].concat();
        // What apt-get prints on its standard output is of no use where it succeeds, and it repeats its errors on the other.
        tool::read(&mut apt(*privilege, &arguments)).map(drop)
    }

    /// The next step for a person.
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
    // `env` rather than our own environment, because sudo does not pass that on.
    let words = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "--quiet"];
    let mut command = match privilege {
        Privilege::Sudo => {
            let mut sudo = Command::new("sudo");
            sudo.arg("-n").args(words);
            sudo
        }
        Privilege::Root | Privilege::None => {
            let mut env = Command::new(words[0]);
            env.args(&words[1..]);
            env
        }
    };
    command.args(arguments).stdin(std::process::Stdio::null());
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
    fn apt_never_asks() {
        let shown = tool::display(&apt(Privilege::Sudo, &["update"]));
        assert_eq!(shown, "sudo -n env DEBIAN_FRONTEND=noninteractive apt-get --quiet update");
        let shown = tool::display(&apt(Privilege::Root, &["update"]));
        assert_eq!(shown, "env DEBIAN_FRONTEND=noninteractive apt-get --quiet update");
    }
}
