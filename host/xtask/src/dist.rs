//! `dist`: packs an archive that runs on a machine without a toolchain: the program, the modules, the WIT files, completions, manual
//! pages and the licence. A file with its digest is written next to it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::command_line::{Extent, PluginRequest, Profile};
use crate::output::say;
use crate::project::Project;
use crate::{demo, plugins, probes, setup, tool};

/// The folders of the project that the program searches, and the extensions of the files. An installation has the structure of the
/// project, so that modules, and the sources that `@project` stands for, are found in the same way.
const SHARED: [(&str, &[&str]); 4] = [
    ("host", &["rs", "toml", "md"]),
    ("native-probes", &["so", "dylib", "h"]),
    ("plugins", &["wasm", "so", "dylib"]),
    ("wit", &["wit", "md"]),
];

/// The programs in the folders of the modules: the `process` arms, and servers.
const PROGRAMS: [&str; 3] = ["-process", "-server", "-worker"];

/// The shells with completions, and the folder that each searches.
const COMPLETIONS: [(&str, &str); 3] = [
    ("bash", "share/bash-completion/completions/bench-host"),
    ("zsh", "share/zsh/site-functions/_bench-host"),
    ("fish", "share/fish/vendor_completions.d/bench-host.fish"),
];

/// Builds everything in release and packs it into `<target>/dist/bench-host-<version>-<system>.tar.gz`.
pub(crate) fn run(project: &Project, is_tried: bool) -> Result<()> {
    setup::run(project, Extent::Required)?;
    plugins::run(project, &PluginRequest::all(Profile::Release))?;
    probes::run(project, Profile::Release)?;
    let program = demo::full_host(project)?;
    let dist = project.target().join("dist");
    let name = format!("bench-host-{}-{}", env!("CARGO_PKG_VERSION"), system(project)?);
    let folder = dist.join(&name);
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    fill(project, &program, &folder)?;
    let archive = pack(project, &dist, &name)?;
    let bytes = fs::metadata(&archive)?.len();
    say(format_args!("dist: {} ({:.1} MB)", archive.display(), bytes as f64 / 1e6));
    if is_tried { try_out(project, &archive, &name) } else { Ok(()) }
}

/// The triple that the archive runs on.
fn system(project: &Project) -> Result<String> {
    let said = tool::read(project.rustc().arg("-vV"))?;
    let host = said.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("`rustc -vV` names no host")?.to_owned())
}

/// Copies everything into `folder`.
fn fill(project: &Project, program: &Path, folder: &Path) -> Result<()> {
    let installed = folder.join("bin").join(program.file_name().context("the program has a name")?);
    copy(program, &installed)?;
    tool::run(Command::new("strip").arg("--strip-debug").arg(&installed))
        .context("the program cannot be made smaller: install binutils")?;
    for name in ["LICENSE", "README.md"] {
        copy(&project.root().join(name), &folder.join(name))?;
    }
    for (from, extensions) in SHARED {
        let is_wanted = |path: &Path| {
            let has_extension = |extension: &&str| path.extension().is_some_and(|found| *found == **extension);
            let is_program = |end: &&str| path.to_string_lossy().ends_with(*end);
            extensions.iter().any(has_extension) || PROGRAMS.iter().any(is_program)
        };
        let to = folder.join("share/bench-host").join(from);
        copy_tree(&project.root().join(from), &to, &is_wanted)?;
    }
    for (shell, place) in COMPLETIONS {
        let script = tool::read(Command::new(&installed).args(["completions", shell]))?;
        write(&folder.join(place), script.as_bytes())?;
    }
    let pages = folder.join("share/man/man1");
    fs::create_dir_all(&pages).with_context(|| format!("{} cannot be made", pages.display()))?;
    tool::run(Command::new(&installed).arg("man").arg("--dir").arg(&pages))
}

/// Copies the selected files below `from`, without build results and hidden files.
fn copy_tree(from: &Path, to: &Path, is_wanted: &dyn Fn(&Path) -> bool) -> Result<()> {
    let entries = fs::read_dir(from).with_context(|| format!("{} cannot be listed", from.display()))?;
    for entry in entries {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let is_link = path.is_symlink();
        if path.is_dir() && !is_link && name != "target" && name != "tests" && !name.starts_with('.') {
            copy_tree(&path, &to.join(&name), is_wanted)?;
        } else if path.is_file() && !name.starts_with('.') && is_wanted(&path) {
            copy(&path, &to.join(&name))?;
        }
    }
    Ok(())
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    let folder = to.parent().context("a file of the archive has a folder")?;
    fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    fs::copy(from, to).with_context(|| format!("{} cannot be copied to {}", from.display(), to.display()))?;
    Ok(())
}

fn write(to: &Path, content: &[u8]) -> Result<()> {
    let folder = to.parent().context("a file of the archive has a folder")?;
    fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    fs::write(to, content).with_context(|| format!("{} cannot be written", to.display()))
}

/// Packs the folder and writes the digest of the archive next to it. Equal files make an equal archive: names are sorted, and owners
/// and times are left out.
fn pack(project: &Project, dist: &Path, name: &str) -> Result<PathBuf> {
    let archive = format!("{name}.tar.gz");
    let mut tar = project.command("tar");
    tar.current_dir(dist).env("GZIP", "-9n");
    tar.args(["--sort=name", "--owner=0", "--group=0", "--numeric-owner", "--mtime=@0", "-czf", &archive, name]);
    tool::run(&mut tar)?;
    let digest = tool::read(project.command("sha256sum").current_dir(dist).arg(&archive))?;
    write(&dist.join("SHA256SUMS"), digest.as_bytes())?;
    Ok(dist.join(archive))
}

/// Unpacks the archive into an empty root with only the system's libraries, and runs a measurement there.
fn try_out(project: &Project, archive: &Path, name: &str) -> Result<()> {
    let parent = archive.parent().context("the archive lies in a folder")?;
    tool::run(project.command("sha256sum").current_dir(parent).args(["--check", "--quiet", "SHA256SUMS"]))?;
    let root = parent.join("root");
    if root.exists() {
        fs::remove_dir_all(&root).with_context(|| format!("{} cannot be removed", root.display()))?;
    }
    for folder in ["opt", "tmp", "proc", "dev", "usr", "etc"] {
        fs::create_dir_all(root.join(folder))?;
    }
    for link in ["bin", "lib", "lib64", "sbin"] {
        #[cfg(unix)]
        std::os::unix::fs::symlink(format!("usr/{link}"), root.join(link))?;
    }
    tool::run(project.command("tar").arg("-xzf").arg(archive).arg("-C").arg(root.join("opt")))?;
    let script = format!(
        "mount --rbind /usr {root}/usr && mount --rbind /proc {root}/proc && mount --rbind /dev {root}/dev && \
         mount -t tmpfs none {root}/usr/local && mount -t tmpfs none {root}/tmp && \
         exec chroot {root} /usr/bin/env -i HOME=/tmp PATH=/usr/bin:/bin:/opt/{name}/bin sh -ec \
         'cd /tmp; bench-host list >list.txt; bench-host run demo --quick; bench-host doctor --quick >doctor.txt'",
        root = root.display()
    );
    let mut isolated = project.command("unshare");
    isolated.args(["--mount", "--propagation", "private"]);
    // A user without root privileges has them in a user namespace.
    isolated.args(["--map-root-user"].iter().filter(|_| !is_root(project)));
    say(format_args!("dist: trying {name} in {}", root.display()));
    let tried = tool::run(isolated.args(["sh", "-ec", &script]));
    fs::remove_dir_all(&root).with_context(|| format!("{} cannot be removed", root.display()))?;
    ensure!(tried.is_ok(), "the archive does not run in a root of its own: {:#}", tried.unwrap_err());
    say("dist: it runs without this checkout and without a toolchain");
    Ok(())
}

fn is_root(project: &Project) -> bool {
    tool::ask(project.command("id").arg("-u")).is_some_and(|user| user == "0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_selected_files_are_copied() {
        let root = tempfile::tempdir().unwrap();
        let (from, to) = (root.path().join("from"), root.path().join("to"));
        for name in
            ["a.wasm", "a.so", "a-process", "a/src/lib.rs", "target/b.wasm", ".c.wasm", "tests/d.wasm", "n/e.so"]
        {
            write(&from.join(name), b"x").unwrap();
        }
        let is_wanted = |path: &Path| {
            let text = path.to_string_lossy();
            text.ends_with(".wasm") || text.ends_with(".so") || text.ends_with("-process")
        };
        copy_tree(&from, &to, &is_wanted).unwrap();
        let found = |name: &str| to.join(name).is_file();
        assert!(["a.wasm", "a.so", "a-process", "n/e.so"].into_iter().all(found));
        assert!(!["a/src/lib.rs", "target/b.wasm", ".c.wasm", "tests/d.wasm"].into_iter().any(found));
    }
}
