//! Keeps what modules print in the folder of their run.

use bench_engine::worker::Captured;
use pg_connection::redact_text;
use std::fs;
use std::io;
use std::path::Path;

/// The folder in that of a run.
const FOLDER: &str = "logs";

/// Writes what modules printed into the run directory, up to a maximum size. Whatever lies where a log belongs is replaced, and no link is
/// followed: a module can reach the folder.
pub(crate) fn keep_output(directory: &Path, unit: &str, stdout: &Captured, stderr: &Captured) {
    for (name, captured) in [("stdout", stdout), ("stderr", stderr)] {
        if captured.total == 0 {
            continue;
        }
        let logs = directory.join(FOLDER);
        let file = logs.join(format!("{unit}.{name}"));
        // A module was given complete connection strings, and errors often repeat them.
        let log = redact_text(&String::from_utf8_lossy(&captured.to_log()));
        // A failure to write the log does not affect the figures.
        if let Err(error) = make(&logs).and_then(|()| own_files::replace(&file, log.as_bytes())) {
            tracing::warn!(%error, file = %file.display(), "the output of a module cannot be written");
        }
    }
}

/// Makes the folder if it is not there. An error if something else is, or a link to a folder.
fn make(folder: &Path) -> io::Result<()> {
    match fs::create_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => match fs::symlink_metadata(folder)?.is_dir() {
            true => Ok(()),
            false => Err(io::Error::new(io::ErrorKind::NotADirectory, "it is not a folder")),
        },
        made => made,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn printed(text: &str) -> Captured {
        Captured { head: text.as_bytes().to_vec(), tail: Vec::new(), total: text.len() as u64 }
    }

    #[test]
    fn link_in_place_of_a_log_is_replaced_and_not_followed() {
        let run = tempfile::tempdir().unwrap();
        let (logs, other) = (run.path().join("logs"), run.path().join("other"));
        fs::create_dir(&logs).unwrap();
        fs::write(&other, "untouched").unwrap();
        let file = logs.join("cell-0000.stderr");
        symlink(&other, &file).unwrap();
        symlink("/dev/full", logs.join("cell-0000.stdout")).unwrap();
        for text in ["first", "second"] {
            keep_output(run.path(), "cell-0000", &Captured::default(), &printed(text));
            assert_eq!(fs::read_to_string(&file).unwrap(), text);
            assert!(fs::symlink_metadata(&file).unwrap().is_file());
        }
        assert_eq!(fs::read_to_string(&other).unwrap(), "untouched");
        assert_eq!(fs::read_dir(&logs).unwrap().count(), 2, "what nobody printed is not written");
    }

    #[test]
    fn link_in_place_of_the_folder_is_not_followed() {
        let run = tempfile::tempdir().unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        symlink(elsewhere.path(), run.path().join("logs")).unwrap();
        keep_output(run.path(), "cell-0000", &printed("text"), &printed("text"));
        assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 0);
    }

    #[test]
    fn passwords_are_not_kept() {
        let run = tempfile::tempdir().unwrap();
        keep_output(run.path(), "cell-0000", &printed("postgres://ann:s3cret@h/d"), &Captured::default());
        let log = fs::read_to_string(run.path().join("logs/cell-0000.stdout")).unwrap();
        assert!(!log.is_empty() && !log.contains("s3cret"), "{log}");
    }
}
