//! Builds the native probes, except those that take long to compile, and copies them to the folder where users look for them.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::artifact;
use crate::command_line::Profile;
use crate::output::say;
use crate::package;
use crate::project::Project;
use crate::tool;

const FOLDER: &str = "native-probes";

/// Builds the probes that are a workspace of their own into `native-probes/<name>.so`, and their programs into `native-probes/<program>`:
/// what they depend on takes minutes to compile, and is not in the lock file of the others.
pub(crate) fn heavy(project: &Project, profile: Profile) -> Result<()> {
    for name in heavy_workspaces(project)? {
        let manifest = manifest(&name);
        let members = package::members(project, Some(&manifest))?;
        say(format_args!("probes: {name} ({}), which takes minutes", profile.name()));
        let mut command = project.cargo(Some(&manifest));
        command.args(["build", "--profile", profile.name(), "--manifest-path", &manifest]);
        artifact::build(project, &mut command, &members, FOLDER, artifact::LIBRARY)?;
        let rustc = || {
            let mut command = project.cargo(Some(&manifest));
            command.args(["rustc", "--profile", profile.name(), "--manifest-path", &manifest]);
            command
        };
        artifact::build_programs(project, rustc, &members, FOLDER)?;
    }
    Ok(())
}

/// Checks, tests and builds the probes of these names, which are a workspace of their own each.
pub(crate) fn test_heavy(project: &Project, names: &[String]) -> Result<()> {
    for name in names {
        for arguments in heavy_checks(name) {
            tool::run(project.cargo(Some(&manifest(name))).args(arguments.split(' ')))?;
        }
    }
    heavy(project, Profile::Dev)
}

/// The arguments of cargo that check and test the probe `name`, which is a workspace of its own.
pub(crate) fn heavy_checks(name: &str) -> [String; 2] {
    let manifest = manifest(name);
    [
        format!("clippy --all-targets --manifest-path {manifest} -- -D warnings"),
        format!("test --manifest-path {manifest}"),
    ]
}

fn manifest(name: &str) -> String {
    format!("{FOLDER}/{name}/Cargo.toml")
}

/// The names of the probes that take minutes to compile, and that [`run`] does not build.
pub(crate) fn heavy_names(project: &Project) -> Result<Vec<String>> {
    let members = package::members_in(project, Path::new(FOLDER))?;
    let members = members.into_iter().filter(|member| !member.is_default).map(|member| member.name);
    Ok(heavy_workspaces(project)?.into_iter().chain(members).collect())
}

/// The names of the probes that are a workspace of their own, sorted.
pub(crate) fn heavy_workspaces(project: &Project) -> Result<Vec<String>> {
    workspaces(&project.root().join(FOLDER))
}

/// The folders in `folder` that are workspaces of their own, sorted.
fn workspaces(folder: &Path) -> Result<Vec<String>> {
    let entries = fs::read_dir(folder).with_context(|| format!("{} cannot be read", folder.display()))?;
    let mut names = Vec::new();
    for entry in entries {
        let path = entry?.path();
        let manifest = fs::read_to_string(path.join("Cargo.toml")).unwrap_or_default();
        let name = path.file_name().and_then(|name| name.to_str());
        if let Some(name) = name.filter(|_| manifest.lines().any(|line| line.trim() == "[workspace]")) {
            names.push(name.to_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// Builds all probes of `native-probes/*`, except those that take long to compile, into `native-probes/<name>.so`, and their programs
/// into `native-probes/<program>`.
pub(crate) fn run(project: &Project, profile: Profile) -> Result<()> {
    let members = package::members_in(project, Path::new(FOLDER))?;
    let (probes, heavy): (Vec<_>, Vec<_>) =
        members.into_iter().filter(|member| member.is_module).partition(|member| member.is_default);
    for probe in heavy {
        say(format_args!("probes: {0} left out, because it is heavy: `cargo build --release -p {0}`", probe.name));
    }
    for name in heavy_workspaces(project)? {
        say(format_args!("probes: {name} left out, because it is heavy: `cargo xtask probes --heavy`"));
    }
    if probes.is_empty() {
        say("probes: no package of native-probes/ has a [lib] with the crate-type cdylib");
        return Ok(());
    }
    say(format_args!("probes: {} ({})", probes.len(), profile.name()));
    let mut command = project.cargo(None);
    command.args(["build", "--profile", profile.name()]);
    artifact::build(project, &mut command, &probes, FOLDER, artifact::LIBRARY)?;
    let rustc = || {
        let mut command = project.cargo(None);
        command.args(["rustc", "--profile", profile.name()]);
        command
    };
    artifact::build_programs(project, rustc, &probes, FOLDER)?;
    if profile == Profile::Dev {
        say("probes: these are dev builds, for tests alone: run `cargo xtask probes` before you measure");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heavy_probe_is_a_workspace_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        for (name, manifest) in [("b", "[package]\n\n[workspace]\n"), ("a", "[workspace]\n"), ("c", "[package]\n")] {
            fs::create_dir(folder.path().join(name)).unwrap();
            fs::write(folder.path().join(name).join("Cargo.toml"), manifest).unwrap();
        }
        fs::create_dir(folder.path().join("without")).unwrap();
        assert_eq!(workspaces(folder.path()).unwrap(), ["a", "b"]);
    }
}
