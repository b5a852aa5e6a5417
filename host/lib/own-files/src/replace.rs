//! Replaces a file by another one, completely or not at all.

use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

/// How many names are tried for the new file.
const ATTEMPTS_MAX: u32 = 100;

/// Makes the file at `path` have this content. It is written under another name in the same folder and renamed, so a reader finds the old
/// content or the new one, and a link at `path` is replaced instead of followed. The mode is that of a new file.
pub fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    for _ in 0..ATTEMPTS_MAX {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = OsString::from(format!(".bench-host-{}-{number}.new", std::process::id()));
        let new = path.with_file_name(name);
        // A link of this name is not followed either.
        match OpenOptions::new().write(true).create_new(true).open(&new) {
            Ok(mut file) => {
                let replaced = file.write_all(content).and_then(|()| fs::rename(&new, path));
                if replaced.is_err() {
                    // The first error says more.
                    let _ = fs::remove_file(&new);
                }
                return replaced;
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::new(ErrorKind::AlreadyExists, "no free name for a new file; remove the files `.bench-host-*.new`"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn file_is_replaced_and_nothing_else_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        for content in ["one", "another"] {
            replace(&path, content.as_bytes()).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), content);
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn link_is_replaced_and_its_target_is_not_touched() {
        let folder = tempfile::tempdir().unwrap();
        let (target, path) = (folder.path().join("target"), folder.path().join("file"));
        fs::write(&target, "precious").unwrap();
        symlink(&target, &path).unwrap();
        replace(&path, b"new").unwrap();
        assert_eq!(fs::read_to_string(&target).unwrap(), "precious");
        assert!(!path.is_symlink());
    }

    #[test]
    fn reader_finds_the_old_content_or_the_new_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let contents = [vec![b'a'; 1 << 16], vec![b'b'; 1 << 15]];
        replace(&path, &contents[0]).unwrap();
        std::thread::scope(|scope| {
            let writer = scope.spawn(|| (0..100).for_each(|turn| replace(&path, &contents[turn % 2]).unwrap()));
            while !writer.is_finished() {
                let found = fs::read(&path).unwrap();
                assert!(contents.contains(&found), "{} bytes are neither", found.len());
            }
        });
    }

    #[test]
    fn failure_leaves_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("folder");
        fs::create_dir(&path).unwrap();
        fs::write(path.join("file"), "").unwrap();
        assert!(replace(&path, b"new").is_err());
        assert!(replace(&folder.path().join("absent/file"), b"new").is_err());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
