//! Digests of files that are kept with the state of the file, so that not each run reads this whole program, and not each listing all modules.

use bench_sink::digest;
use bench_wasm::Cache;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How long a file must have stayed as it is before its digest is kept. File systems tell two changes apart by a clock that ticks as rarely as
/// every two seconds.
const SETTLED: Duration = Duration::from_secs(3);

/// The digests that are kept in a folder. Without a folder that only this user can write to, every file is read.
#[derive(Clone, Debug, Default)]
pub(crate) struct FileDigests {
    cache: Option<Cache>,
}

impl FileDigests {
    /// Those in `folder`.
    pub(crate) fn open(folder: Option<&Path>) -> Self {
        Self { cache: folder.and_then(|folder| Cache::open(folder).ok()) }
    }

    /// The SHA-256 of `file`, as text.
    ///
    /// # Errors
    ///
    /// If the file cannot be read.
    pub(crate) fn of(&self, file: &Path) -> io::Result<String> {
        self.of_at(file, SystemTime::now())
    }

    fn of_at(&self, file: &Path, now: SystemTime) -> io::Result<String> {
        let Some(cache) = &self.cache else { return digest::of_file(file) };
        let before = fs::metadata(file)?;
        let path = std::path::absolute(file)?;
        let name = format!("{}.sha256", digest::of_bytes(path.as_os_str().as_encoded_bytes()));
        if let Some(known) = known(cache, &name, &state(&before)) {
            return Ok(known);
        }
        let found = digest::of_file(file)?;
        let after = fs::metadata(file)?;
        if state(&before) == state(&after)
            && is_settled(&after, now)
            && let Err(error) = cache.write(&name, format!("{}\n{found}", state(&after)).as_bytes())
        {
            tracing::debug!(%error, file = %file.display(), "the digest cannot be kept");
        }
        Ok(found)
    }
}

/// The digest of this program's file; `None` if it cannot be read. It is kept in `folder` if only this user can write there.
pub(crate) fn of_this_program(folder: Option<&Path>) -> Option<String> {
    FileDigests::open(folder).of(&std::env::current_exe().ok()?).ok()
}

/// What differs after every change of the file. Only the kernel sets the time at which a file was last changed.
fn state(found: &Metadata) -> String {
    let (seconds, nanoseconds) = (found.ctime(), found.ctime_nsec());
    format!("{} {} {} {seconds} {nanoseconds}", found.dev(), found.ino(), found.len())
}

/// Whether a change after `now` would show in the state of the file.
fn is_settled(found: &Metadata, now: SystemTime) -> bool {
    let changed = u64::try_from(found.ctime()).map(|seconds| UNIX_EPOCH + Duration::from_secs(seconds));
    changed.is_ok_and(|changed| now.duration_since(changed).is_ok_and(|since| since >= SETTLED))
}

/// The digest that was kept for a file in this state.
fn known(cache: &Cache, name: &str, state: &str) -> Option<String> {
    let text = String::from_utf8(cache.read(name)?).ok()?;
    let (kept, digest) = text.split_once('\n')?;
    let is_digest = digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit());
    (kept == state && is_digest).then(|| digest.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;
    use tempfile::TempDir;

    /// A file in a folder, and digests that are kept beside it.
    struct Kept {
        folder: TempDir,
        digests: FileDigests,
    }

    impl Kept {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let digests = FileDigests::open(Some(&folder.path().join("kept")));
            Self { folder, digests }
        }

        fn file(&self) -> PathBuf {
            self.folder.path().join("file")
        }

        /// The digest, read so long after now.
        fn read(&self, later: Duration) -> Option<String> {
            self.digests.of_at(&self.file(), SystemTime::now() + later).ok()
        }

        /// What is kept.
        fn entries(&self) -> Vec<PathBuf> {
            let entries = fs::read_dir(self.folder.path().join("kept")).unwrap();
            entries.map(|entry| entry.unwrap().path()).collect()
        }
    }

    const LATER: Duration = Duration::from_secs(10);

    #[test]
    fn file_is_read_again_when_it_has_changed() {
        let kept = Kept::new();
        assert_eq!(kept.read(LATER), None, "there is none");
        fs::write(kept.file(), "one").unwrap();
        let first = Some(digest::of_bytes(b"one"));
        assert_eq!((kept.read(LATER), kept.read(LATER)), (first.clone(), first.clone()));
        // Another digest for the same state shows that the file is not read.
        let [entry] = &kept.entries()[..] else { panic!("{:?}", kept.entries()) };
        let other = "0".repeat(64);
        let text = fs::read_to_string(entry).unwrap();
        fs::write(entry, text.replace(first.as_deref().unwrap(), &other)).unwrap();
        assert_eq!(kept.read(LATER).as_deref(), Some(&*other));
        assert_eq!(FileDigests::default().of(&kept.file()).ok(), first, "without a folder");
        // The new file is another one of the same name and size.
        let new = kept.folder.path().join("new");
        fs::write(&new, "two").unwrap();
        fs::rename(&new, kept.file()).unwrap();
        assert_eq!(kept.read(LATER), Some(digest::of_bytes(b"two")));
    }

    #[test]
    fn digest_of_a_file_that_has_just_changed_is_not_kept() {
        let kept = Kept::new();
        fs::write(kept.file(), "one").unwrap();
        assert_eq!(kept.read(Duration::ZERO), Some(digest::of_bytes(b"one")));
        assert_eq!(kept.entries(), Vec::<PathBuf>::new());
        assert_eq!(kept.read(LATER), Some(digest::of_bytes(b"one")));
        assert_eq!(kept.entries().len(), 1);
    }

    #[test]
    fn damaged_entry_is_ignored() {
        let kept = Kept::new();
        fs::write(kept.file(), "one").unwrap();
        let first = kept.read(LATER);
        let [entry] = &kept.entries()[..] else { panic!("{:?}", kept.entries()) };
        let good = fs::read_to_string(entry).unwrap();
        for damaged in ["", "garbage", &good[..good.len() - 1], &good.replace('\n', " ")] {
            fs::write(entry, damaged).unwrap();
            assert_eq!(kept.read(LATER), first, "{damaged}");
        }
    }
}
