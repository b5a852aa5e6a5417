//! The checkout: its root, its cargo, and its target folder, in which each further workspace has a folder of its own.

use std::env;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::reproducible;

/// The manifest of the workspace of the plug-ins, from the root.
pub(crate) const PLUGINS_MANIFEST: &str = "plugins/Cargo.toml";

/// The checkout that this program belongs to.
#[derive(Debug)]
pub(crate) struct Project {
    root: PathBuf,
    cargo: OsString,
    /// The user's `CARGO_TARGET_DIR`, made absolute, if there is one.
    target: Option<PathBuf>,
    /// The program that cargo starts instead of the compiler, if there is one.
    wrapper: Option<PathBuf>,
}

impl Project {
    /// Finds the checkout from the manifest that cargo passes.
    pub(crate) fn find() -> Result<Project> {
        // Cargo sets the variable at run time; the compiled-in value is for an executable that is started directly.
        let manifest = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        let root = Path::new(&manifest).ancestors().nth(2).unwrap_or(Path::new(".")).to_path_buf();
        ensure!(
            root.join("host/xtask/Cargo.toml").is_file(),
            "{} is not the project's root, because it has no host/xtask: start this as `cargo xtask` in the checkout",
            root.display()
        );
        let target = match env::var_os("CARGO_TARGET_DIR").filter(|path| !path.is_empty()) {
            Some(path) => Some(std::path::absolute(path).context("CARGO_TARGET_DIR cannot be made absolute")?),
            None => None,
        };
        Ok(Project { root, cargo: env::var_os("CARGO").unwrap_or_else(|| "cargo".into()), target, wrapper: None })
    }

    /// The same checkout with a target folder below the root, in which everything is compiled through this program: what it changes, an
    /// ordinary build must not find there.
    pub(crate) fn reproducible(&self) -> Result<Project> {
        let wrapper = env::current_exe().context("cannot find this program to start compilers with")?;
        let target = Some(self.root.join("target/reproducible"));
        Ok(Project { root: self.root.clone(), cargo: self.cargo.clone(), target, wrapper: Some(wrapper) })
    }

    /// The project's root folder.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// A command that runs in the root.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.root);
        // Cargo sets these variables for this package. A child process must not see them, because it would use the wrong package, and because
        // build scripts that watch them would run anew whenever cargo is called another way.
        for (name, _) in env::vars_os() {
            if name.to_str().is_some_and(|name| name.starts_with("CARGO_MANIFEST_") || name.starts_with("CARGO_PKG_")) {
                command.env_remove(name);
            }
        }
        command
    }

    /// A cargo command for the workspace with this manifest (of the root, of the plug-ins, or of a probe that takes long to compile).
    pub(crate) fn cargo(&self, manifest: Option<&str>) -> Command {
        let mut command = self.command(&self.cargo);
        if manifest.is_some() || self.target.is_some() {
            command.env("CARGO_TARGET_DIR", self.target_of(manifest));
        }
        if let Some(wrapper) = &self.wrapper {
            command.env("RUSTC_WRAPPER", wrapper).env(reproducible::ROOT, &self.root);
        }
        command
    }

    /// The target folder of the root workspace.
    pub(crate) fn target(&self) -> PathBuf {
        self.target.clone().unwrap_or_else(|| self.root.join("target"))
    }

    /// The target folder of the workspace with this manifest. Two workspaces in one would overwrite each other's artifacts.
    pub(crate) fn target_of(&self, manifest: Option<&str>) -> PathBuf {
        match manifest.and_then(folder_name) {
            Some(name) => self.target().join(name),
            None => self.target(),
        }
    }

    /// The compiler that cargo uses here.
    pub(crate) fn rustc(&self) -> Command {
        self.command(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()))
    }

    /// Flags for rustc that keep paths of this machine out of a plug-in, and `more`: an environment variable and its value.
    ///
    /// They replace the user's flags: a probe compiled for this processor would not be comparable with the component, and panic
    /// messages would contain folders of this machine. The digest still depends on the path of the checkout, because cargo hashes
    /// the path of a dependency outside of the workspace into its symbols; `reproducible` replaces that hash. Probes share their artifacts with the host and have its
    /// flags; with other flags, each build would overwrite the previous one.
    pub(crate) fn plugin_flags(&self, more: &[String]) -> (&'static str, OsString) {
        let folders = [(Some(self.root.clone()), "bench-host"), (cargo_home(), "cargo")];
        let mut flags: Vec<OsString> =
            folders.into_iter().filter_map(|(folder, name)| Some(remapped(&folder?, name))).collect();
        flags.extend(more.iter().map(OsString::from));
        // This variable allows flags with spaces, which the path of the checkout may contain.
        ("CARGO_ENCODED_RUSTFLAGS", flags.join(OsStr::new("\u{1f}")))
    }
}

/// The name of the folder of a manifest.
pub(crate) fn folder_name(manifest: &str) -> Option<&str> {
    Path::new(manifest).parent()?.file_name()?.to_str()
}

/// The flag that replaces this folder by one of the root.
fn remapped(folder: &Path, name: &str) -> OsString {
    let mut flag = OsString::from("--remap-path-prefix=");
    flag.push(folder);
    flag.push("=/");
    flag.push(name);
    flag
}

fn cargo_home() -> Option<PathBuf> {
    env::var_os("CARGO_HOME").map(PathBuf::from).or_else(|| Some(env::home_dir()?.join(".cargo")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project(root: &str) -> Project {
        Project { root: root.into(), cargo: "cargo".into(), target: None, wrapper: None }
    }

    #[test]
    fn every_workspace_has_a_folder_in_the_target_folder() {
        let project = project("/a");
        let folder = |project: &Project, manifest| {
            let command = project.cargo(manifest);
            let mut set = command.get_envs().filter(|(name, _)| *name == "CARGO_TARGET_DIR");
            set.next().and_then(|(_, value)| value).map(PathBuf::from)
        };
        assert_eq!(folder(&project, None), None, "cargo's own");
        assert_eq!(folder(&project, Some(PLUGINS_MANIFEST)), Some("/a/target/plugins".into()));
        assert_eq!(folder(&project, Some("native-probes/b/Cargo.toml")), Some("/a/target/b".into()));
        let project = Project { target: Some("/t".into()), ..project };
        assert_eq!(folder(&project, None), Some("/t".into()));
        assert_eq!(folder(&project, Some(PLUGINS_MANIFEST)), Some("/t/plugins".into()));
    }

    #[test]
    fn additional_flags_come_last() {
        let (variable, plain) = project("/a b").plugin_flags(&[]);
        assert_eq!(variable, "CARGO_ENCODED_RUSTFLAGS");
        let plain = plain.into_string().unwrap();
        assert_eq!(plain.split('\u{1f}').next(), Some("--remap-path-prefix=/a b=/bench-host"));
        let (_, more) = project("/a b").plugin_flags(&["-Cx=y".to_owned(), "-Cz".to_owned()]);
        assert_eq!(more.into_string().unwrap(), format!("{plain}\u{1f}-Cx=y\u{1f}-Cz"));
    }
}
