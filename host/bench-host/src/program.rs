//! The digest of this program's file. It is kept with the state of the file, so that not each run reads all of it.

use bench_sink::digest;
use bench_wasm::Cache;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// The digest of this program's file; `None` if it cannot be read. It is kept in `folder` if only this user can write there.
pub(crate) fn sha256(folder: Option<&Path>) -> Option<String> {
    let cache = folder.and_then(|folder| Cache::open(folder).ok());
    of_file(&std::env::current_exe().ok()?, cache.as_ref())
}

fn of_file(file: &Path, cache: Option<&Cache>) -> Option<String> {
    let state = state(file)?;
    let name = format!("{}.program", digest::of_bytes(file.as_os_str().as_encoded_bytes()));
    if let Some(known) = cache.and_then(|cache| known(cache, &name, &state)) {
        return Some(known);
    }
    let found = digest::of_file(file).ok()?;
    if let Some(cache) = cache
        && let Err(error) = cache.write(&name, format!("{state}\n{found}").as_bytes())
    {
        tracing::debug!(%error, "the digest of this program cannot be kept");
    }
    Some(found)
}

/// What differs after every change of the file. Only the kernel sets the time at which a file was last changed, and it allows no write to a
/// program that runs.
fn state(file: &Path) -> Option<String> {
    let found = fs::metadata(file).ok()?;
    let (seconds, nanoseconds) = (found.ctime(), found.ctime_nsec());
    Some(format!("{} {} {} {seconds} {nanoseconds}", found.dev(), found.ino(), found.len()))
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

    #[test]
    fn file_is_read_again_when_it_has_changed() {
        let folder = tempfile::tempdir().unwrap();
        let (file, kept) = (folder.path().join("program"), folder.path().join("kept"));
        let cache = Cache::open(&kept).unwrap();
        let read = || of_file(&file, Some(&cache));
        assert_eq!(read(), None, "there is none");
        fs::write(&file, "one").unwrap();
        let first = Some(digest::of_bytes(b"one"));
        assert_eq!((read(), read(), of_file(&file, None)), (first.clone(), first.clone(), first.clone()));
        let entry = fs::read_dir(&kept).unwrap().next().unwrap().unwrap().path();
        // Another digest for the same state shows that the file is not read.
        let other = "0".repeat(64);
        let text = fs::read_to_string(&entry).unwrap();
        fs::write(&entry, text.replace(first.as_deref().unwrap(), &other)).unwrap();
        assert_eq!(read().as_deref(), Some(&*other));
        // The new file is another one of the same name and size.
        let new = folder.path().join("new");
        fs::write(&new, "two").unwrap();
        fs::rename(&new, &file).unwrap();
        assert_eq!(read(), Some(digest::of_bytes(b"two")));
    }

    #[test]
    fn damaged_entry_is_ignored() {
        let folder = tempfile::tempdir().unwrap();
        let (file, kept) = (folder.path().join("program"), folder.path().join("kept"));
        let cache = Cache::open(&kept).unwrap();
        fs::write(&file, "one").unwrap();
        let first = of_file(&file, Some(&cache));
        let entry = fs::read_dir(&kept).unwrap().next().unwrap().unwrap().path();
        let good = fs::read_to_string(&entry).unwrap();
        for damaged in ["", "garbage", &good[..good.len() - 1], &good.replace('\n', " ")] {
            fs::write(&entry, damaged).unwrap();
            assert_eq!(of_file(&file, Some(&cache)), first, "{damaged}");
        }
    }
}
