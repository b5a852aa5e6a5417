//! The order of files in a folder, and errors.

use super::*;
use std::fs;
use tempfile::TempDir;

const ALL: usize = 1 << 20;

/// A folder with these files, each of which contains its own path and a semicolon.
fn folder(files: &[&str]) -> TempDir {
    let root = tempfile::tempdir().unwrap();
    for file in files {
        let path = root.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, format!("{file};")).unwrap();
    }
    root
}

fn text(root: &TempDir, path: &str, bytes_max: usize) -> Result<String, ModuleError> {
    let bytes = read(root.path().join(path).to_str().unwrap(), bytes_max)?;
    Ok(String::from_utf8(bytes).unwrap())
}

#[test]
fn files_are_read_in_the_byte_order_of_their_paths() {
    let mut paths = ["a/z", "a-b", "a.b/c", "a0", "B", "a/b/c", "a/b.c", "z", "é"];
    let root = folder(&paths);
    paths.sort_unstable();
    assert_eq!(paths[1..4], ["a-b", "a.b/c", "a/b.c"]);
    assert_eq!(text(&root, "", ALL).unwrap(), paths.join(";") + ";");
}

#[test]
fn hidden_files_and_links_are_skipped() {
    let (root, outside) = (folder(&["a", ".hidden", ".git/config", "b/.c", "b/d"]), folder(&["secret"]));
    #[cfg(unix)]
    for (target, link) in
        [(root.path().join("a"), "link"), (outside.path().into(), "folder"), (root.path().into(), "b/loop")]
    {
        std::os::unix::fs::symlink(target, root.path().join(link)).unwrap();
    }
    assert_eq!(text(&root, "", ALL).unwrap(), "a;b/d;");
    drop(outside);
}

#[test]
fn no_more_than_the_maximum_is_read() {
    let root = folder(&["a", "b", "c/d"]);
    assert_eq!(text(&root, "", 3).unwrap(), "a;b");
    assert_eq!(text(&root, "", 4).unwrap(), "a;b;");
    assert_eq!(text(&root, "c/d", 2).unwrap(), "c/");
}

#[test]
fn one_file_is_read_alone() {
    let root = folder(&["a", "b"]);
    assert_eq!(text(&root, "b", ALL).unwrap(), "b;");
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("b", root.path().join("link")).unwrap();
        assert_eq!(text(&root, "link", ALL).unwrap(), "b;");
    }
}

#[test]
fn a_missing_or_empty_input_is_named() {
    let check = |path: &str, expect: &str| match text(&folder(&["a/.hidden"]), path, ALL) {
        Err(ModuleError::InvalidArgument(reason)) => {
            assert!(reason.contains(path) && reason.contains(expect), "{reason}");
        }
        other => panic!("{path}: {other:?}"),
    };
    check("missing", "No such file");
    check("a", "which is empty");
}

#[test]
fn an_unreadable_input_is_named_and_unavailable() {
    let reason = io::Error::from(io::ErrorKind::PermissionDenied);
    let error = Unreadable { path: "a/b".to_owned(), reason }.below("/input");
    assert_eq!(error, ModuleError::Unavailable("`input` is `/input`: a/b: permission denied".to_owned()));
}
