//! Writes files into a folder.

use crate::File;
use std::fs;
use std::io;
use std::path::Path;

/// Writes `files` into `folder`, which is made if it does not exist. Files of the same names are replaced.
pub fn write_all(folder: &Path, files: &[File]) -> io::Result<()> {
    for file in files {
        let path = folder.join(&file.path);
        fs::create_dir_all(path.parent().unwrap_or(folder))?;
        fs::write(&path, &file.text)?;
        #[cfg(unix)]
        if file.is_executable() {
            use std::os::unix::fs::PermissionsExt;
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
        }
    }
    Ok(())
}

/// Like [`write_all`], but leaves files alone whose content is right already, so that nothing is built again because of them. Returns
/// how many were written.
pub fn write_changed(folder: &Path, files: &[File]) -> io::Result<usize> {
    let is_right = |file: &&File| fs::read(folder.join(&file.path)).is_ok_and(|found| found == file.text.as_bytes());
    let changed: Vec<_> = files.iter().filter(|file| !is_right(file)).cloned().collect();
    write_all(folder, &changed)?;
    Ok(changed.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_changed_files_are_written() {
        let folder = tempfile::tempdir().unwrap();
        let file = |path: &str, text: &str| File { path: path.to_owned(), text: text.to_owned() };
        let files = [file("a/b.rs", "1"), file("c.sh", "2")];
        assert_eq!(write_changed(folder.path(), &files).unwrap(), 2);
        assert_eq!(write_changed(folder.path(), &files).unwrap(), 0);
        fs::write(folder.path().join("a/b.rs"), "3").unwrap();
        assert_eq!(write_changed(folder.path(), &files).unwrap(), 1);
        assert_eq!(fs::read_to_string(folder.path().join("a/b.rs")).unwrap(), "1");
    }
}
