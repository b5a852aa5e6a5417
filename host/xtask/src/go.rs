//! Builds the plug-ins in Go, where Go is there: bindings for a plug-in's world, its own packages beside them, a core module,
//! and the component around that. It must not know what a plug-in measures.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::artifact;
use crate::output::say;
use crate::project::Project;
use crate::tool;

/// What a plug-in in Go has, and no other: the world that it is built against.
const WORLD: &str = "world.wit";

/// The module that the bindings' run-time support is, and the crate that brings it along. Taken from there, no proxy is asked.
const SUPPORT: (&str, &str) = ("go.bytecodealliance.org/pkg", "wit-bindgen-go");

/// Builds each plug-in in Go into `plugins/<name>.wasm`, and says which are left out where there is no Go.
pub(crate) fn run(project: &Project) -> Result<()> {
    let names = names(&project.root().join("plugins"))?;
    if names.is_empty() {
        return Ok(());
    }
    let Some(go) = tool::find("go") else {
        say(format_args!("plugins: {} left out, because Go is not here: install Go 1.25 or newer", names.join(", ")));
        return Ok(());
    };
    say(format_args!(
        "plugins: {} by {}",
        names.join(", "),
        tool::ask(Command::new(&go).arg("version")).unwrap_or_default()
    ));
    let support = support(project)?;
    names.iter().try_for_each(|name| build(project, &go, &support, name))
}

/// The folders that hold a plug-in in Go, sorted.
fn names(plugins: &Path) -> Result<Vec<String>> {
    let entries = fs::read_dir(plugins).with_context(|| format!("{} cannot be read", plugins.display()))?;
    let folders = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    let written = folders.into_iter().filter(|folder| folder.join(WORLD).is_file());
    let mut names: Vec<_> = written.filter_map(|folder| Some(folder.file_name()?.to_str()?.to_owned())).collect();
    names.sort();
    Ok(names)
}

fn build(project: &Project, go: &Path, support: &Path, name: &str) -> Result<()> {
    let sources = project.root().join("plugins").join(name);
    let folder = project.target().join("go").join(name);
    // What was generated for a package that is no longer there must not be built.
    let removed = if folder.exists() { fs::remove_dir_all(&folder) } else { Ok(()) };
    removed.and_then(|()| copy(&sources, &folder)).with_context(|| format!("{} cannot be made", folder.display()))?;
    let world = sources.join(WORLD);
    tool::run(wrap(project, "bindings").arg(&world).arg(&folder))?;
    let manifest = folder.join("go.mod");
    let mut required = fs::read_to_string(&manifest).with_context(|| format!("{} is lacking", manifest.display()))?;
    required.push_str(&format!("\nreplace {} => {}\n", SUPPORT.0, support.display()));
    fs::write(&manifest, required).with_context(|| format!("{} cannot be written", manifest.display()))?;
    let mut compile = project.command(go);
    compile.current_dir(&folder).env("GOOS", "wasip1").env("GOARCH", "wasm");
    // The bindings reach into Go's run-time system by names that the linker would hide.
    compile.args([
        "build",
        "-buildmode=c-shared",
        "-trimpath",
        "-ldflags=-s -w -checklinkname=0",
        "-o",
        "core.wasm",
        ".",
    ]);
    tool::run(&mut compile)?;
    let built = folder.join("component.wasm");
    tool::run(wrap(project, "component").arg(&world).arg(folder.join("core.wasm")).arg(&built))?;
    let place = format!("plugins/{name}.wasm");
    let change = artifact::install(&built, &project.root().join(&place))?;
    say(format_args!("  {place} {change}"));
    Ok(())
}

/// A command of the crate `go-component`, up to where the world is named.
fn wrap(project: &Project, command: &str) -> Command {
    let mut cargo = project.cargo(None);
    cargo.args(["run", "--quiet", "--package", "go-component", "--", command, "wit"]);
    cargo
}

/// Where the bindings' run-time support lies.
fn support(project: &Project) -> Result<PathBuf> {
    let metadata = tool::read(project.cargo(None).args(["metadata", "--format-version", "1"]))?;
    let metadata: Value = serde_json::from_str(&metadata).context("`cargo metadata` printed no JSON")?;
    let mut packages = metadata["packages"].as_array().into_iter().flatten();
    let found = packages.find(|package| package["name"] == SUPPORT.1);
    let manifest = found.and_then(|package| package["manifest_path"].as_str());
    let manifest = manifest.with_context(|| format!("`cargo metadata` knows no crate {}", SUPPORT.1))?;
    Ok(Path::new(manifest).with_file_name("src").join("pkg"))
}

/// Copies a folder and all in it.
fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if entry.file_type()?.is_dir() { copy(&from, &to)? } else { fs::copy(&from, &to).map(drop)? }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plug_in_in_go_is_known_by_its_world() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b-go", "a-go", "rust"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        fs::write(folder.path().join("a-go").join(WORLD), "").unwrap();
        fs::write(folder.path().join("b-go").join(WORLD), "").unwrap();
        assert_eq!(names(folder.path()).unwrap(), ["a-go", "b-go"]);
    }

    #[test]
    fn folders_are_copied_whole() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("from/inner")).unwrap();
        fs::write(folder.path().join("from/inner/file"), "text").unwrap();
        copy(&folder.path().join("from"), &folder.path().join("made/to")).unwrap();
        assert_eq!(fs::read(folder.path().join("made/to/inner/file")).unwrap(), b"text");
    }
}
