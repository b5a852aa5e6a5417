//! `dist`: packs an archive that runs on a machine without a toolchain: the program, the modules, the WIT files, completions, manual
//! pages and the licence. A file with its digest is written next to it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::command_line::{Extent, PluginRequest, Profile};
use crate::output::say;
use crate::project::Project;
use crate::{artifact, demo, hostile, lock, plugins, probes, setup, tool};

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

/// The maximum size of the archive, in bytes.
const ARCHIVE_BYTES_MAX: u64 = 60_000_000;

/// The version of glibc 2 on Debian 12.
const DEBIAN_GLIBC: u32 = 36;

/// Makes the empty folder `$1` the root of a system that has only the libraries of this one, a shell and the archive `$2`, and runs the
/// script `$4` there with the name of the archive, `$3`, and with `$5`. All of it is in memory, and its mounts are seen by this process alone, so nothing
/// remains of it however it ends.
const ROOT: &str = r#"
PATH=$PATH:/usr/sbin:/sbin
mount -t tmpfs -o mode=755 none "$1"
cd "$1"
mkdir opt proc dev etc home usr usr/bin
mkdir -m 1777 tmp
ln -s usr/bin bin
for folder in lib lib64; do
    test -d "/usr/$folder" || continue
    mkdir "usr/$folder"
    mount --rbind "/usr/$folder" "usr/$folder"
    ln -s "usr/$folder" "$folder"
done
mount --rbind /proc proc
mount --rbind /dev dev
for program in sh env; do cp "$(command -v "$program")" usr/bin/; done
tar --no-same-owner -xzf "$2" -C opt
exec chroot . /usr/bin/env -i HOME=/home PATH="/opt/$3/bin:/usr/bin" sh -ec "$4" sh "$3" "$5"
"#;

/// What a user of the archive `$1` does first; `$2` is the extension of libraries.
const FIRST_STEPS: &str = r#"
fail() { echo "dist: $1" >&2; exit 1; }
cd /home
for program in cargo rustc cc; do
    if command -v "$program"; then fail "the root is to have no toolchain"; fi
done
for file in LICENSE README.md share/man/man1/bench-host.1 share/man/man1/bench-host-load.1 \
    share/bash-completion/completions/bench-host share/zsh/site-functions/_bench-host \
    share/fish/vendor_completions.d/bench-host.fish; do
    test -s "/opt/$1/$file" || fail "the archive has no $file"
done
for command in --help --version list 'doctor --quick'; do
    bench-host $command >said || fail "bench-host $command ended with status $?"
    test -s said || fail "bench-host $command printed nothing"
done
shared="/opt/$1/share/bench-host"
bench-host load "$shared/plugins/ring-client.wasm" --quick --quiet
# A probe alone, on one processor, because there may be no second one.
bench-host load "$shared/native-probes/ipc.$2" --quick --quiet --filter ipc/ping-pong -p transport=pipe -p placement=same
# Programs of their own, which the module finds next to it.
bench-host load "$shared/plugins/operator-rust.wasm" --quick --quiet --arm process -p count=4 -p idle_ms=50
bench-host run demo --quick --quiet
"#;

/// Builds everything in release and packs it into `<target>/dist/bench-host-<version>-<system>.tar.gz`.
pub(crate) fn run(project: &Project, is_tried: bool) -> Result<()> {
    setup::run(project, Extent::Required)?;
    plugins::run(project, &PluginRequest::all(Profile::Release))?;
    probes::run(project, Profile::Release)?;
    let program = demo::full_host(project)?;
    let dist = project.target().join("dist");
    let name = name(env!("CARGO_PKG_VERSION"), &system(project)?);
    let folder = dist.join(&name);
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    fill(project, &program, &folder, &probes::heavy_names(project)?)?;
    check_glibc(&program, &folder)?;
    let archive = pack(project, &dist, &name)?;
    let bytes = fs::metadata(&archive)?.len();
    say(format_args!("dist: {} ({:.1} MB)", archive.display(), bytes as f64 / 1e6));
    ensure!(
        bytes <= ARCHIVE_BYTES_MAX,
        "{} has {bytes} bytes, and the maximum is {ARCHIVE_BYTES_MAX}: see in {} what is large, and leave it out",
        archive.display(),
        folder.display()
    );
    if is_tried { try_out(project, &archive, &name) } else { Ok(()) }
}

/// The name of the archive, and of the folder in it. `cargo binstall` finds both by the manifest of bench-host.
fn name(version: &str, system: &str) -> String {
    format!("bench-host-{version}-{system}")
}

/// The triple that the archive runs on.
fn system(project: &Project) -> Result<String> {
    let said = tool::read(project.rustc().arg("-vV"))?;
    let host = said.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("`rustc -vV` names no host")?.to_owned())
}

/// Removes the line tables of these programs and libraries, which would be a third of the archive. Their functions keep their names.
fn without_debug_info(files: &[PathBuf]) -> Result<()> {
    let strip = tool::run(Command::new("strip").arg("--strip-debug").args(files));
    strip.context("programs and libraries cannot be made smaller: install binutils")
}

/// Copies everything into `folder`, without the `heavy` probes, which an earlier `probes --heavy` may have left.
fn fill(project: &Project, program: &Path, folder: &Path, heavy: &[String]) -> Result<()> {
    let installed = folder.join("bin").join(program.file_name().context("the program has a name")?);
    copy(program, &installed)?;
    without_debug_info(std::slice::from_ref(&installed))?;
    for name in ["LICENSE", "README.md"] {
        copy(&project.root().join(name), &folder.join(name))?;
    }
    for (from, extensions) in SHARED {
        let to = folder.join("share/bench-host").join(from);
        copy_tree(&project.root().join(from), &to, &|path: &Path| is_shared(path, extensions, heavy))?;
    }
    // The digests of plug-ins are published, so these stay as they are.
    without_debug_info(&native_files(&folder.join("share/bench-host/native-probes"))?)?;
    let (of_rust, of_go) = plugins::chosen(project, &[])?;
    let modules = lock::text_of(project, &of_rust, &of_go, "cargo xtask dist")?;
    write(&folder.join("share/bench-host/modules.toml"), modules.as_bytes())?;
    for (shell, place) in COMPLETIONS {
        let script = tool::read(Command::new(&installed).args(["completions", shell]))?;
        write(&folder.join(place), script.as_bytes())?;
    }
    let pages = folder.join("share/man/man1");
    fs::create_dir_all(&pages).with_context(|| format!("{} cannot be made", pages.display()))?;
    tool::run(Command::new(&installed).arg("man").arg("--dir").arg(&pages))
}

/// Prints which version of the system's library the program needs. It is an error if the program, a module in `folder` or a program of one
/// needs a newer one than Debian 12 has: there it would not start.
fn check_glibc(program: &Path, folder: &Path) -> Result<()> {
    let symbols = tool::read(Command::new("objdump").arg("-T").arg(program))
        .context("the program's symbols cannot be read: install binutils")?;
    let mut needed = needed_glibc(program, &symbols)?;
    for file in native_files(&folder.join("share/bench-host"))? {
        // A program that is linked statically has no such symbols.
        let symbols = tool::ask(Command::new("objdump").arg("-T").arg(&file)).unwrap_or_default();
        needed = needed.max(needed_glibc(&file, &symbols)?);
    }
    if let Some(version) = needed {
        say(format_args!("dist: the archive needs glibc 2.{version} or newer"));
    }
    Ok(())
}

/// The newest version of glibc 2 that `symbols` of a file are of; an error if Debian 12 does not have it.
fn needed_glibc(file: &Path, symbols: &str) -> Result<Option<u32>> {
    let needed = newest_glibc(symbols);
    ensure!(
        needed.is_none_or(|version| version <= DEBIAN_GLIBC),
        "{} needs glibc 2.{}, and Debian 12 has 2.{DEBIAN_GLIBC}, so it would not start there: build the archive on Debian 12",
        file.display(),
        needed.unwrap_or_default()
    );
    Ok(needed)
}

/// The libraries and programs below `folder`.
fn native_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("{} cannot be listed", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(native_files(&path)?);
        } else if is_shared(&path, &[artifact::LIBRARY], &[]) {
            files.push(path);
        }
    }
    Ok(files)
}

/// The newest version of glibc 2 that symbols are of, as `objdump -T` prints them.
fn newest_glibc(symbols: &str) -> Option<u32> {
    let versions = symbols.split("(GLIBC_2.").skip(1);
    versions.filter_map(|rest| rest.split(|letter: char| !letter.is_ascii_digit()).next()?.parse().ok()).max()
}

/// Whether a file is part of the archive: it has one of the extensions, or is a program of a module, and belongs to no `heavy` probe.
fn is_shared(path: &Path, extensions: &[&str], heavy: &[String]) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let has_extension = path.extension().is_some_and(|found| extensions.iter().any(|extension| found == *extension));
    let is_program = PROGRAMS.iter().any(|end| name.ends_with(end));
    (has_extension || is_program) && !heavy.iter().any(|heavy| name.starts_with(heavy.as_str()))
}

/// Folders that are not part of the archive: build results, tests, modules that harm a careless host, and what only `cargo fuzz` builds.
const LEFT_OUT: [&str; 4] = ["target", "tests", hostile::NAME, "fuzz"];

/// Copies the selected files below `from`, without hidden files.
fn copy_tree(from: &Path, to: &Path, is_wanted: &dyn Fn(&Path) -> bool) -> Result<()> {
    let entries = fs::read_dir(from).with_context(|| format!("{} cannot be listed", from.display()))?;
    for entry in entries {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let is_link = path.is_symlink();
        if path.is_dir() && !is_link && !LEFT_OUT.contains(&name.as_str()) && !name.starts_with('.') {
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
    tar.current_dir(dist).args(["--use-compress-program", "gzip -9n"]);
    tar.args(["--sort=name", "--owner=0", "--group=0", "--numeric-owner", "--mtime=@0", "-cf", &archive, name]);
    tool::run(&mut tar)?;
    let digest = tool::read(project.command("sha256sum").current_dir(dist).arg(&archive))?;
    write(&dist.join("SHA256SUMS"), digest.as_bytes())?;
    Ok(dist.join(archive))
}

/// Takes the first steps of a user with the archive, in a root with nothing but it and the system's libraries.
fn try_out(project: &Project, archive: &Path, name: &str) -> Result<()> {
    let parent = archive.parent().context("the archive lies in a folder")?;
    tool::run(project.command("sha256sum").current_dir(parent).args(["--check", "--quiet", "SHA256SUMS"]))?;
    let root = parent.join("root");
    fs::create_dir_all(&root).with_context(|| format!("{} cannot be made", root.display()))?;
    let mut isolated = project.command("unshare");
    isolated.args(["--mount", "--propagation", "private"]);
    // A user without root privileges has them in a user namespace.
    isolated.args(["--map-root-user"].iter().filter(|_| !is_root(project)));
    isolated.args(["sh", "-ec", ROOT, "sh"]).arg(&root).arg(archive).args([name, FIRST_STEPS, artifact::LIBRARY]);
    say(format_args!("dist: trying {name} in a root of its own"));
    let status = isolated.status().context("cannot start unshare: install util-linux")?;
    ensure!(status.success(), "the archive does not run in a root of its own ({status}); the reason is printed above");
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
        let taken = ["a.wasm", "a.so", "a-process", "n/e.so"];
        let left = [
            "a/src/lib.rs",
            "target/b.wasm",
            ".c.wasm",
            "tests/d.wasm",
            "hostile/f.wasm",
            "n/large.so",
            "n/large-server",
            "n/notes",
        ];
        for name in taken.iter().chain(&left) {
            write(&from.join(name), b"x").unwrap();
        }
        let heavy = ["large".to_owned()];
        copy_tree(&from, &to, &|path: &Path| is_shared(path, &["wasm", "so"], &heavy)).unwrap();
        let found = |name: &str| to.join(name).is_file();
        assert!(taken.into_iter().all(found));
        assert!(!left.into_iter().any(found));
    }

    #[test]
    fn newest_version_of_glibc_counts() {
        let symbols = "DF *UND* 0 (GLIBC_2.34) pthread_create\nDF *UND* 0 (GLIBC_2.2.5) memcpy\nDF *UND* 0 (GCC_3.0) _Unwind_Resume";
        assert_eq!(newest_glibc(symbols), Some(34));
        assert_eq!(newest_glibc("no dynamic symbols"), None);
    }

    #[test]
    fn newer_glibc_than_that_of_debian_is_an_error() {
        let needed = |version: u32| needed_glibc(Path::new("a.so"), &format!("DF *UND* 0 (GLIBC_2.{version}) f"));
        assert_eq!(needed(DEBIAN_GLIBC).unwrap(), Some(DEBIAN_GLIBC));
        let error = needed(DEBIAN_GLIBC + 1).unwrap_err().to_string();
        assert!(error.starts_with("a.so needs glibc 2.37, and Debian 12 has 2.36"), "{error}");
        assert_eq!(needed_glibc(Path::new("static"), "").unwrap(), None);
    }

    #[test]
    fn libraries_and_programs_of_modules_are_found() {
        let root = tempfile::tempdir().unwrap();
        let library = format!("native-probes/a.{}", artifact::LIBRARY);
        for name in ["plugins/b-process", library.as_str(), "plugins/c.wasm", "wit/d.wit"] {
            write(&root.path().join(name), b"x").unwrap();
        }
        let mut found = native_files(root.path()).unwrap();
        found.sort();
        assert_eq!(found, [root.path().join(library), root.path().join("plugins/b-process")]);
    }

    #[test]
    fn binstall_finds_the_archive() {
        let manifest = include_str!("../../bench-host/Cargo.toml");
        let filled = |key: &str| {
            let line = manifest.lines().find(|line| line.starts_with(key)).expect("the manifest has the key");
            let value = line.split('"').nth(1).expect("the value is a string");
            let values = [
                ("{ repo }", "https://host/repo"),
                ("{ version }", "1.2.3"),
                ("{ target }", "system"),
                ("{ bin }", "bench-host"),
                ("{ binary-ext }", ""),
            ];
            values.iter().fold(value.to_owned(), |text, (from, to)| text.replace(from, to))
        };
        let name = name("1.2.3", "system");
        assert_eq!(filled("pkg-url"), format!("https://host/repo/releases/download/v1.2.3/{name}.tar.gz"));
        assert_eq!(filled("bin-dir"), format!("{name}/bin/bench-host"));
        assert_eq!(filled("pkg-fmt"), "tgz");
        // Without a repository, the manifest names an address to be given, which has the name of the archive too.
        let given = manifest.split("--pkg-url '").nth(1).and_then(|rest| rest.split('\'').next());
        let given = given.expect("the manifest says what to give").replace("{ version }", "1.2.3");
        assert_eq!(given.replace("{ target }", "system"), format!("https://HOST/FOLDER/{name}.tar.gz"));
    }
}
