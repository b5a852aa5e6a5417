//! Finds a CRIU that works on this kernel, or unpacks that of a newer release into the user's cache, with its own loader and
//! libraries, without changing the system.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

use super::mirror::{self, Mirror};
use super::{State, cache};
use crate::tool;

/// The release of Debian whose CRIU works on recent kernels; older ones fail on the layout of the vDSO.
const RELEASE: &str = "trixie";

/// The folder in the user's cache into which it is unpacked.
const FOLDER: &str = "bench-host/criu";

/// How a working CRIU is found and installed.
pub(super) struct Criu {
    /// Checks the CRIU in this folder, else that of the system; the error is the reason why none works.
    check: fn(&Path) -> Result<(), String>,
    /// Whether [`Criu::fetch`] may be tried; the error is the reason why not.
    may_fetch: fn() -> Result<Mirror, String>,
    /// Downloads one and unpacks it into this folder, which must not exist.
    fetch: fn(&Mirror, &Path) -> Result<()>,
}

/// The real one.
pub(super) const CRIU: Criu = Criu { check, may_fetch, fetch };

impl Criu {
    /// Looks for a CRIU that works, and installs one if there is none. Its absence is not an error.
    pub(super) fn ensure(&self) -> State {
        match cache() {
            Some(cache) => self.ensure_in(&cache.join(FOLDER)),
            None => State::Absent("there is no folder for caches: set HOME or XDG_CACHE_HOME".to_owned()),
        }
    }

    fn ensure_in(&self, folder: &Path) -> State {
        let absent = |why: String| State::Absent(format!("needed for: scenarios that restore a process; {why}"));
        let Err(reason) = (self.check)(folder) else { return State::Present };
        let mirror = match (self.may_fetch)() {
            Ok(mirror) => mirror,
            Err(why) => {
                return absent(format!("{reason}; none is fetched: {why}; install criu, at least 4.1, by hand"));
            }
        };
        if let Err(error) = self.replace(&mirror, folder) {
            return absent(format!("{reason}; {error:#}; see that the network is there, then `cargo xtask setup`"));
        }
        match (self.check)(folder) {
            Ok(()) => State::Installed,
            Err(reason) => absent(format!("the one of {RELEASE} does not work either: {reason}")),
        }
    }

    /// Installs a new one in `folder`, completely or not at all.
    fn replace(&self, mirror: &Mirror, folder: &Path) -> Result<()> {
        let new = folder.with_extension(format!("{}.new", std::process::id()));
        let made = (self.fetch)(mirror, &new).and_then(|()| {
            if folder.exists() {
                fs::remove_dir_all(folder).with_context(|| format!("{} cannot be removed", folder.display()))?;
            }
            fs::rename(&new, folder).with_context(|| format!("{} cannot be made", folder.display()))
        });
        if new.exists() {
            fs::remove_dir_all(&new).with_context(|| format!("{} cannot be removed", new.display()))?;
        }
        made
    }
}

fn check(folder: &Path) -> Result<(), String> {
    let unpacked = unpacked(folder);
    let words = if Path::new(&unpacked[3]).is_file() {
        unpacked.to_vec()
    } else {
        let system = tool::find("criu").ok_or("there is no CRIU")?;
        vec![system.to_string_lossy().into_owned()]
    };
    // In its own mount namespace, because CRIU leaves a file in /run.
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", "mount -t tmpfs tmpfs /run && exec \"$@\"", "sh"]).args(words).arg("check");
    let output = command.stdin(Stdio::null()).output().map_err(|error| format!("`unshare`: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let line = said.lines().find(|line| line.contains("Error")).or_else(|| said.lines().next_back());
    Err(format!("`criu check` says: {}", line.unwrap_or("nothing").trim()))
}

/// The command that runs the CRIU in `folder`, with its own loader.
fn unpacked(folder: &Path) -> [String; 4] {
    let path = |inside: &str| folder.join(inside).to_string_lossy().into_owned();
    let libraries = path("usr/lib/x86_64-linux-gnu");
    [path("usr/lib64/ld-linux-x86-64.so.2"), "--library-path".to_owned(), libraries, path("usr/sbin/criu")]
}

fn may_fetch() -> Result<Mirror, String> {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        return Err("this is not Linux on x86-64".to_owned());
    }
    if tool::ask(Command::new("id").arg("-u")).as_deref() != Some("0") {
        return Err("it works for root alone, and this is another user".to_owned());
    }
    for program in ["apt-get", "dpkg-deb"] {
        tool::find(program).ok_or_else(|| format!("there is no {program}"))?;
    }
    mirror::of_this_system(Path::new("/etc"))
}

/// Downloads the package and its dependencies, and unpacks them. apt gets a state folder of its own, so that it neither sees nor
/// changes the installed packages.
fn fetch(mirror: &Mirror, folder: &Path) -> Result<()> {
    let apt = folder.join("apt");
    for inside in ["lists/partial", "archives/partial", "state"] {
        fs::create_dir_all(apt.join(inside)).with_context(|| format!("{} cannot be made", apt.display()))?;
    }
    let files = [("sources.list", mirror.line(RELEASE)), ("status", String::new())];
    for (name, text) in files {
        fs::write(apt.join(name), text).with_context(|| format!("{} cannot be written", apt.join(name).display()))?;
    }
    tool::read(&mut apt_get(&apt, &["update"]))?;
    tool::read(&mut apt_get(&apt, &["install", "--yes", "--no-install-recommends", "--download-only", "criu"]))?;
    let mut count = 0;
    for found in fs::read_dir(apt.join("archives")).context("what was downloaded cannot be listed")? {
        let package = found.context("what was downloaded cannot be listed")?.path();
        if package.extension().is_some_and(|extension| extension == "deb") {
            tool::read(Command::new("dpkg-deb").arg("--extract").arg(&package).arg(folder))?;
            count += 1;
        }
    }
    ensure!(count > 0, "apt-get downloaded nothing");
    if !Path::new(&unpacked(folder)[3]).is_file() {
        bail!("the package criu of {RELEASE} does not contain the program criu at its usual path");
    }
    fs::remove_dir_all(&apt).with_context(|| format!("{} cannot be removed", apt.display()))
}

/// apt-get with everything it reads and writes in this folder.
fn apt_get(folder: &Path, arguments: &[&str]) -> Command {
    let path = |inside: &str| folder.join(inside).to_string_lossy().into_owned();
    let options = [
        ("Dir::Etc::sourcelist", path("sources.list")),
        ("Dir::Etc::sourceparts", "/dev/null".to_owned()),
        ("Dir::State", path("state")),
        ("Dir::State::lists", path("lists")),
        ("Dir::State::status", path("status")),
        ("Dir::Cache", path("")),
        // The user that apt downloads as may have no access to this user's cache.
        ("APT::Sandbox::User", "root".to_owned()),
    ];
    let mut command = Command::new("apt-get");
    command.env("DEBIAN_FRONTEND", "noninteractive").arg("--quiet").stdin(Stdio::null());
    for (name, value) in options {
        command.args(["--option", &format!("{name}={value}")]);
    }
    command.args(arguments);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mirror() -> Result<Mirror, String> {
        Ok(Mirror { uri: "file:/mirror".to_owned(), signed_by: None })
    }

    fn make(_: &Mirror, folder: &Path) -> Result<()> {
        fs::create_dir_all(folder.join("usr"))?;
        Ok(())
    }

    /// A fake CRIU that works after it is unpacked.
    const FAKE: Criu = Criu {
        check: |folder| if folder.join("usr").exists() { Ok(()) } else { Err("there is no CRIU".to_owned()) },
        may_fetch: mirror,
        fetch: make,
    };

    /// Checks the state, and the number of folders afterwards.
    #[track_caller]
    fn check_state(criu: &Criu, expect: &str, left: usize) {
        let cache = tempfile::tempdir().unwrap();
        let state = criu.ensure_in(&cache.path().join("criu")).to_string();
        assert!(state.starts_with(expect), "{state}");
        assert_eq!(fs::read_dir(cache.path()).unwrap().count(), left, "{expect}");
    }

    #[test]
    fn criu_is_installed_if_possible() {
        check_state(&Criu { check: |_| Ok(()), ..FAKE }, "present", 0);
        check_state(&FAKE, "installed", 1);
        let needed = "absent: needed for: scenarios that restore a process; ";
        let may_not = Criu { may_fetch: || Err("there is no apt-get".to_owned()), ..FAKE };
        check_state(&may_not, &format!("{needed}there is no CRIU; none is fetched: there is no apt-get; install"), 0);
        let fails = |mirror: &Mirror, folder: &Path| make(mirror, folder).and_then(|()| bail!("no network"));
        check_state(&Criu { fetch: fails, ..FAKE }, &format!("{needed}there is no CRIU; no network; see"), 0);
        let unfit = Criu { check: |_| Err("vdso".to_owned()), ..FAKE };
        check_state(&unfit, &format!("{needed}the one of {RELEASE} does not work either: vdso"), 1);
    }

    #[test]
    fn apt_does_not_change_the_system() {
        let command = apt_get(Path::new("/c"), &["update"]);
        let shown = tool::display(&command);
        for option in
            ["Dir::State=/c/state", "Dir::State::status=/c/status", "Dir::Cache=/c/", "Dir::Etc::sourceparts=/dev/null"]
        {
            assert!(shown.contains(option), "{shown}");
        }
    }
}
