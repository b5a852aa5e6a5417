//! Builds and tests the plug-ins in Go, if a recent enough Go is installed: each as a component, and from the same source as a program if
//! it can run as one.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::artifact;
use crate::output::say;
use crate::project::Project;
use crate::tool;

/// The folder of the SDK for Go, from the root. Its go.mod names the required version of Go.
pub(crate) const SDK: &str = "plugins/sdk-go";

/// The files that identify a plug-in in Go: a Go module, and a program in its folder.
const MARKS: [&str; 2] = ["go.mod", "main.go"];

/// The suffix of the name of a plug-in's program.
pub(crate) const PROCESS: &str = "-process";

/// A version of Go: major and minor.
type Version = (u32, u32);

/// The names of the plug-ins in Go, sorted.
pub(crate) fn plugins(project: &Project) -> Result<Vec<String>> {
    names(&project.root().join("plugins"))
}

/// The version of the Go that builds them, such as `go1.26.8`, if a suitable one is installed.
pub(crate) fn installed(project: &Project) -> Result<Option<String>> {
    let Ok(go) = find(project)? else { return Ok(None) };
    let said = tool::read(Command::new(go).arg("version").current_dir(project.root().join(SDK)))?;
    Ok(said.split_whitespace().nth(2).map(str::to_owned))
}

/// Builds each plug-in of `names` into `plugins/<name>.wasm`, and those that can be programs into `plugins/<name>-process`. If no suitable Go is installed, prints which
/// plug-ins are left out and why, and removes their earlier builds, which are out of date.
pub(crate) fn run(project: &Project, names: &[String]) -> Result<()> {
    let plugins = project.root().join("plugins");
    if names.is_empty() {
        return Ok(());
    }
    let go = match find(project)? {
        Ok(go) => go,
        Err(reason) => {
            say(format_args!("plugins: {} left out, because {reason}", names.join(", ")));
            return names.iter().try_for_each(|name| forget(&plugins, name));
        }
    };
    say(format_args!("plugins: {} by Go", names.join(", ")));
    for name in names {
        component(project, &go, name)?;
        if is_program(&plugins.join(name))? {
            program(project, &go, name)?;
        }
    }
    Ok(())
}

/// Whether the plug-in in this folder does something as a program. The SDK has programs of operators; a workload is a component only.
fn is_program(folder: &Path) -> Result<bool> {
    let main = folder.join(MARKS[1]);
    let source = fs::read_to_string(&main).with_context(|| format!("{} cannot be read", main.display()))?;
    Ok(source.contains("export.Main()"))
}

/// Checks and tests the Go modules, or returns the reason why that is skipped.
pub(crate) fn test(project: &Project) -> Result<Option<String>> {
    let go = match find(project)? {
        Ok(go) => go,
        Err(reason) => return Ok(Some(reason)),
    };
    for module in modules(project)? {
        let formatted = tool::read(project.command(go.with_file_name("gofmt")).args(["-l", &module]))?;
        ensure!(formatted.is_empty(), "not as gofmt writes it: run `gofmt -w {module}`\n{}", formatted.trim_end());
        for task in ["vet", "test"] {
            tool::run(compiler(project, &go, &module).args([task, "./..."]))?;
        }
    }
    Ok(None)
}

/// The folders of the Go modules, from the root.
pub(crate) fn modules(project: &Project) -> Result<Vec<String>> {
    let names = plugins(project)?;
    Ok([SDK.to_owned()].into_iter().chain(names.iter().map(|name| format!("plugins/{name}"))).collect())
}

/// The path of Go, or the reason why no suitable one is installed.
fn find(project: &Project) -> Result<Result<PathBuf, String>> {
    let manifest = project.root().join(SDK).join(MARKS[0]);
    let text = fs::read_to_string(&manifest).with_context(|| format!("{} cannot be read", manifest.display()))?;
    let wanted = text.lines().find_map(|line| version(line.strip_prefix("go ")?));
    let wanted = wanted.with_context(|| format!("{} has no `go` line", manifest.display()))?;
    let advice = format!("install Go {}.{} or newer", wanted.0, wanted.1);
    let Some(go) = tool::find("go") else { return Ok(Err(format!("Go is not installed: {advice}"))) };
    // In the folder of the module, Go downloads a newer toolchain if the user allows it.
    let said = tool::ask(Command::new(&go).arg("version").current_dir(project.root().join(SDK)));
    Ok(suits(said.as_deref(), wanted).map(|()| go.clone()).map_err(|reason| format!("{reason}: {advice}")))
}

/// Checks the output of `go version`; the error is the reason why this Go is not suitable.
fn suits(said: Option<&str>, wanted: Version) -> Result<(), String> {
    let mut words = said.unwrap_or_default().split_whitespace();
    match words.find_map(|word| version(word.strip_prefix("go")?)) {
        Some(found) if found >= wanted => Ok(()),
        Some((major, minor)) => Err(format!("Go {major}.{minor} is too old")),
        None => Err("`go version` does not say which Go this is".to_owned()),
    }
}

/// Parses a version such as `1.26.8` or `1.25rc1`.
fn version(text: &str) -> Option<Version> {
    let (major, rest) = text.trim().split_once('.')?;
    let minor: String = rest.chars().take_while(char::is_ascii_digit).collect();
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// The folders of the plug-ins in Go, sorted.
fn names(plugins: &Path) -> Result<Vec<String>> {
    let entries = fs::read_dir(plugins).with_context(|| format!("{} cannot be read", plugins.display()))?;
    let folders = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    let written = folders.into_iter().filter(|folder| MARKS.iter().all(|mark| folder.join(mark).is_file()));
    let mut names: Vec<_> = written.filter_map(|folder| Some(folder.file_name()?.to_str()?.to_owned())).collect();
    names.sort();
    Ok(names)
}

/// Removes the earlier builds of a plug-in.
fn forget(plugins: &Path, name: &str) -> Result<()> {
    for built in [format!("{name}.wasm"), format!("{name}{PROCESS}")] {
        match fs::remove_file(plugins.join(&built)) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("plugins/{built} is out of date and cannot be removed"));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Builds the core module, and makes a component of it.
fn component(project: &Project, go: &Path, name: &str) -> Result<()> {
    let folder = folder(project, name);
    fs::create_dir_all(&folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    let (core, built) = (folder.join("core.wasm"), folder.join("component.wasm"));
    let mut compile = compiler(project, go, &format!("plugins/{name}"));
    // The user's settings would make another file.
    compile.env("GOOS", "wasip1").env("GOARCH", "wasm").env("GOWASM", "").env("GOFLAGS", "").args([
        "build",
        "-buildmode=c-shared",
        "-trimpath",
        "-buildvcs=false",
        // The SDK uses functions of the Go runtime that the linker would hide. The identifier of a build differs between folders.
        "-ldflags=-s -w -buildid= -checklinkname=0",
        "-o",
    ]);
    tool::run(compile.arg(&core).arg("."))?;
    let mut cargo = project.cargo(None);
    cargo.args(["run", "--quiet", "--package", "core-component", "--", "wit"]);
    tool::run(cargo.arg(core).arg(&built))?;
    install(project, &built, &format!("plugins/{name}.wasm"))
}

/// Builds the program, statically linked.
fn program(project: &Project, go: &Path, name: &str) -> Result<()> {
    let built = folder(project, name).join("process");
    let mut compile = compiler(project, go, &format!("plugins/{name}"));
    compile
        .env("CGO_ENABLED", "0")
        .args(["build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o"])
        .arg(&built)
        .arg(".");
    tool::run(&mut compile)?;
    install(project, &built, &format!("plugins/{name}{PROCESS}"))
}

fn install(project: &Project, built: &Path, place: &str) -> Result<()> {
    let change = artifact::install(built, &project.root().join(place))?;
    say(format_args!("  {place} {change}"));
    Ok(())
}

/// A Go command in the folder of a module, without a workspace.
fn compiler(project: &Project, go: &Path, module: &str) -> Command {
    let mut command = project.command(go);
    command.current_dir(project.root().join(module)).env("GOWORK", "off");
    command
}

/// The folder for intermediate files of a plug-in.
fn folder(project: &Project, name: &str) -> PathBuf {
    project.target().join("go").join(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn go_plugin_is_a_module_with_a_program() {
        let folder = tempfile::tempdir().unwrap();
        for (name, files) in [("b-go", &MARKS[..]), ("a-go", &MARKS[..]), ("sdk-go", &MARKS[..1]), ("rust", &[])] {
            fs::create_dir(folder.path().join(name)).unwrap();
            files.iter().for_each(|file| fs::write(folder.path().join(name).join(file), "").unwrap());
        }
        assert_eq!(names(folder.path()).unwrap(), ["a-go", "b-go"]);
    }

    #[test]
    fn only_plugins_that_export_a_program_are_programs() {
        let folder = tempfile::tempdir().unwrap();
        let check = |source: &str, expect| {
            fs::write(folder.path().join(MARKS[1]), source).unwrap();
            assert_eq!(is_program(folder.path()).unwrap(), expect, "{source}");
        };
        check("func main() {\n\texport.Main()\n}\n", true);
        check("func main() {}\n", false);
    }

    #[test]
    fn old_go_is_reported_with_its_version() {
        let check = |said, expect: Result<(), &str>| assert_eq!(suits(said, (1, 25)), expect.map_err(str::to_owned));
        check(Some("go version go1.26.8 linux/amd64"), Ok(()));
        check(Some("go version go1.25rc1 linux/amd64"), Ok(()));
        check(Some("go version devel go1.27-0a1b2c linux/amd64"), Ok(()));
        check(Some("go version go1.19.8 linux/amd64"), Err("Go 1.19 is too old"));
        check(Some("gccgo"), Err("`go version` does not say which Go this is"));
        check(None, Err("`go version` does not say which Go this is"));
    }

    #[test]
    fn earlier_builds_are_removed_without_go() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a-go.wasm", "a-go-process", "b.wasm"] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        forget(folder.path(), "a-go").unwrap();
        forget(folder.path(), "a-go").unwrap();
        let left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, ["b.wasm"]);
    }
}
