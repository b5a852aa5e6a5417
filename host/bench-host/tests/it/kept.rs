//! Plug-ins that `new` made, in folders that stay from run to run, so that their tools build only what has changed.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// A folder of intermediate files that stays.
pub(crate) fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("templates").join(name)
}

/// Moves the plug-in in `made` to a folder that stays, and leaves a link to it. Cargo compares times, so a file that has not changed since
/// an earlier run keeps its own. No two plug-ins that are built into one target folder may have the same name: for cargo they would
/// be one package.
pub(crate) fn keep(made: &Path) -> io::Result<()> {
    share_sdk(made)?;
    let kept = folder("plug-ins").join(made.file_name().unwrap_or_default());
    mirror(made, &kept)?;
    fs::remove_dir_all(made)?;
    symlink(&kept, made)
}

/// Puts a link to an SDK that all plug-ins share in place of the copy that `new` has put into the folder `made`, so that it is built once
/// for all. What is shared has the same files as the copy.
pub(crate) fn share_sdk(made: &Path) -> io::Result<()> {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let (copied, shared) = (made.join("sdk"), folder("sdk"));
    mirror(&copied, &shared)?;
    fs::remove_dir_all(&copied)?;
    symlink(&shared, &copied)
}

/// Makes the folder `to` equal to `from`. Files that are equal already are left alone.
pub(crate) fn mirror(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        names.insert(entry.file_name());
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type()?;
        if target.symlink_metadata().is_ok_and(|found| found.file_type() != kind) {
            remove(&target)?;
        }
        if kind.is_dir() {
            mirror(&source, &target)?;
        } else if kind.is_symlink() {
            let link = fs::read_link(&source)?;
            if !fs::read_link(&target).is_ok_and(|found| found == link) {
                let _ = fs::remove_file(&target);
                symlink(link, &target)?;
            }
        } else {
            copy_changed(&source, &target)?;
        }
    }
    for entry in fs::read_dir(to)? {
        let entry = entry?;
        if !names.contains(&entry.file_name()) {
            remove(&entry.path())?;
        }
    }
    Ok(())
}

fn copy_changed(source: &Path, target: &Path) -> io::Result<()> {
    let bytes = fs::read(source)?;
    if !fs::read(target).is_ok_and(|found| found == bytes) {
        fs::write(target, bytes)?;
    }
    fs::set_permissions(target, fs::metadata(source)?.permissions())
}

fn remove(path: &Path) -> io::Result<()> {
    if path.symlink_metadata()?.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }
}

/// The paths and contents of all files below `folder`, in a form that differs if any of them does.
pub(crate) fn contents(folder: &Path) -> io::Result<Vec<u8>> {
    let mut paths = Vec::new();
    collect(folder, &mut paths)?;
    paths.sort();
    let mut contents = Vec::new();
    for path in paths {
        let bytes = fs::read(&path)?;
        let name = path.strip_prefix(folder).unwrap_or(&path);
        contents.extend(format!("{} {}\n", name.display(), bytes.len()).into_bytes());
        contents.extend(bytes);
    }
    Ok(contents)
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, paths)?;
        } else {
            paths.push(path);
        }
    }
    Ok(())
}

#[test]
fn mirrored_folder_is_equal_and_what_was_equal_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (folder.path().join("from"), folder.path().join("to"));
    let write = |path: PathBuf, text: &str| {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write(from.join("src/same"), "1");
    write(from.join("src/changed"), "1");
    symlink("src", from.join("link")).unwrap();
    mirror(&from, &to).unwrap();
    let same = fs::metadata(to.join("src/same")).unwrap().modified().unwrap();
    write(from.join("src/changed"), "2");
    write(to.join("more/file"), "");
    // A file becomes a folder, and a link a file.
    write(to.join("src/new"), "");
    write(from.join("src/new/file"), "3");
    fs::remove_file(from.join("link")).unwrap();
    write(from.join("link"), "4");
    assert_ne!(contents(&from).unwrap(), contents(&to).unwrap());
    mirror(&from, &to).unwrap();
    assert_eq!(contents(&from).unwrap(), contents(&to).unwrap());
    assert_eq!(fs::metadata(to.join("src/same")).unwrap().modified().unwrap(), same);
    assert!(!to.join("more").exists() && !to.join("link").is_symlink());
}
