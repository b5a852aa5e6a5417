//! The files and folders that the arguments of a plan name: what is in them decides the results, so a run records their digests, and is not
//! resumed over others.

use crate::file_digests::FileDigests;
use crate::paths;
use crate::resolve::path_of;
use bench_engine::Plan;
use bench_model::{Arguments, Domain, Requirement, Scenario, Value};
use bench_sink::digest::{self, Hasher};
use bench_sink::runfile::InputRecord;
use std::collections::BTreeSet;
use std::fs::{self, DirEntry};
use std::io;
use std::path::{Path, PathBuf};

/// So many entries of a folder, and so many bytes of its files, are read. A larger folder is not one that a scenario reads as a whole.
const ENTRIES_MAX: usize = 100_000;
const BYTES_MAX: u64 = 4 << 30;

/// What the arguments of `plan` name, each path once.
pub(crate) fn of_plan(plan: &Plan) -> Vec<InputRecord> {
    let named = plan.cells.iter().flat_map(|cell| named(&cell.scenario, &cell.arguments));
    let named: BTreeSet<String> = named.collect();
    if named.is_empty() {
        return Vec::new();
    }
    let digests = FileDigests::open(paths::description_cache().as_deref());
    named.into_iter().map(|path| record(path, &digests)).collect()
}

/// The first difference between what was `then` and what is `now`. What could not be read may have changed.
pub(crate) fn change(then: &[InputRecord], now: &[InputRecord]) -> Option<String> {
    let paths: BTreeSet<&str> = then.iter().chain(now).map(|input| input.path.as_str()).collect();
    paths.into_iter().find_map(|path| {
        let of = |inputs: &[InputRecord]| inputs.iter().find(|input| input.path == path).cloned();
        let (then, now) = (of(then), of(now));
        let reason = |input: &Option<InputRecord>| input.as_ref().and_then(|input| input.unreadable.clone());
        if let Some(reason) = reason(&now) {
            return Some(format!("{path} cannot be read: {reason}"));
        }
        if let Some(reason) = reason(&then) {
            return Some(format!("{path} could not be read when it was started: {reason}"));
        }
        let sha256 = |input: Option<InputRecord>| input.and_then(|input| input.sha256);
        match (sha256(then), sha256(now)) {
            (Some(then), Some(now)) if then != now => {
                Some(format!("{path} has changed ({} then, {} now)", digest::short(&then), digest::short(&now)))
            }
            (Some(_), None) => Some(format!("{path} no longer exists")),
            (None, Some(_)) => Some(format!("{path} did not exist when it was started")),
            _ => None,
        }
    })
}

/// The paths that `arguments` name: the values of parameters that a module reads, whether or not anything is there, and all other texts that
/// are, with or without an `@` before them, the path of a file.
fn named(scenario: &Scenario, arguments: &Arguments) -> Vec<String> {
    let is_read = |name: &str| {
        let mut read = scenario.requirements.iter().filter_map(Requirement::read_parameter);
        read.any(|parameter| parameter == name)
    };
    let is_chosen = |name: &str| {
        let mut parameters = scenario.parameters.iter().filter(|parameter| parameter.name == name);
        parameters.any(|parameter| matches!(parameter.domain, Domain::Choices(_)))
    };
    let path = |(name, value): (&str, &Value)| match value {
        Value::Text(text) if is_read(name) => Some(text.clone()),
        Value::Text(text) if !is_chosen(name) => {
            let path = text.strip_prefix('@').unwrap_or(text);
            Path::new(path).is_file().then(|| path.to_owned())
        }
        _ => None,
    };
    arguments.iter().filter_map(path).collect()
}

fn record(path: String, digests: &FileDigests) -> InputRecord {
    let found = path_of(&path).map_or(Ok(None), |place| digest_at(&place, digests));
    let (sha256, unreadable) = match found {
        Ok(sha256) => (sha256, None),
        Err(error) => (None, Some(error.to_string())),
    };
    InputRecord { path, sha256, unreadable }
}

/// The digest of the file or folder at `place`; `None` if nothing is there.
fn digest_at(place: &Path, digests: &FileDigests) -> io::Result<Option<String>> {
    let found = match fs::metadata(place) {
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        found => found?,
    };
    if found.is_dir() { of_folder(place).map(Some) } else { digests.of(place).map(Some) }
}

/// The digest of the names and files in `folder`, and in the folders in it.
fn of_folder(folder: &Path) -> io::Result<String> {
    let mut hasher = Hasher::default();
    let (mut entries, mut bytes) = (0, 0);
    let mut left = vec![PathBuf::new()];
    while let Some(inner) = left.pop() {
        let mut found = fs::read_dir(folder.join(&inner))?.collect::<io::Result<Vec<DirEntry>>>()?;
        found.sort_by_key(DirEntry::file_name);
        entries += found.len();
        for entry in found {
            let (place, name) = (entry.path(), inner.join(entry.file_name()));
            let content = if entry.file_type()?.is_dir() {
                left.push(name.clone());
                "folder".to_owned()
            } else if let Ok(file) = fs::metadata(&place)
                && file.is_file()
            {
                bytes += file.len();
                within_bounds(entries, bytes)?;
                digest::of_file(&place)?
            } else {
                // A link to a folder or to nothing, a pipe or a device.
                "other".to_owned()
            };
            for part in [name.as_os_str().as_encoded_bytes(), content.as_bytes()] {
                hasher.update(part);
                // No path has a byte 0.
                hasher.update(&[0]);
            }
        }
        within_bounds(entries, bytes)?;
    }
    Ok(hasher.finish())
}

fn within_bounds(entries: usize, bytes: u64) -> io::Result<()> {
    if entries > ENTRIES_MAX || bytes > BYTES_MAX {
        let gib = BYTES_MAX >> 30;
        let reason = format!("it has more than {ENTRIES_MAX} entries or {gib} GiB, which are not compared");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, reason));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use bench_model::Parameter;

    /// What is recorded of the arguments `table`, which is read, `expect`, and `kind`, which is one of two choices.
    fn recorded(table: &Path, expect: &str, kind: &str) -> Vec<InputRecord> {
        let scenario = Scenario::new("s", "f", "")
            .parameter(Parameter::new("table", "", ""))
            .parameter(Parameter::new("expect", "", ""))
            .parameter(Parameter::new("kind", "", "").choices(["", kind]))
            .requires("read:table", "");
        let arguments: Arguments =
            [("table", table.to_str().unwrap()), ("expect", expect), ("kind", kind)].into_iter().collect();
        let named = named(&scenario, &arguments);
        named.into_iter().map(|path| record(path, &FileDigests::default())).collect()
    }

    #[test]
    fn files_that_arguments_name_are_recorded() {
        let folder = tempfile::tempdir().unwrap();
        let (table, body) = (folder.path().join("table.csv"), folder.path().join("body"));
        fs::write(&table, "abc").unwrap();
        fs::write(&body, "abc").unwrap();
        let input = |path: &Path, content: Option<&str>| InputRecord {
            path: path.to_str().unwrap().to_owned(),
            sha256: content.map(|content| digest::of_bytes(content.as_bytes())),
            unreadable: None,
        };
        let body_text = body.to_str().unwrap();
        for expect in [format!("@{body_text}"), body_text.to_owned()] {
            assert_eq!(recorded(&table, &expect, ""), [input(&table, Some("abc")), input(&body, Some("abc"))]);
        }
        // Texts, folders that are not read, and choices name no file; what is read is recorded although it is not there.
        let absent = folder.path().join("absent");
        for expect in ["", "@", "a text", "@temp", folder.path().to_str().unwrap()] {
            assert_eq!(recorded(&absent, expect, body_text), [input(&absent, None)], "{expect}");
        }
    }

    #[test]
    fn every_change_of_a_file_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let table = folder.path().join("table.csv");
        let now = || recorded(&table, "", "");
        let check = |then: &[InputRecord], now: &[InputRecord], expect: Option<&str>| {
            let found = change(then, now);
            let found = found.as_deref().map(|text| text.strip_prefix(table.to_str().unwrap()).unwrap());
            assert_eq!(found.map(|text| text.split(" (").next().unwrap()), expect);
        };
        let absent = now();
        check(&absent, &now(), None);
        fs::write(&table, "abc").unwrap();
        let first = now();
        check(&first, &now(), None);
        check(&absent, &first, Some(" did not exist when it was started"));
        check(&first, &absent, Some(" no longer exists"));
        check(&[], &first, Some(" did not exist when it was started"));
        check(&first, &[], Some(" no longer exists"));
        fs::write(&table, "abd").unwrap();
        check(&first, &now(), Some(" has changed"));
        // Whatever cannot be read is not taken for unchanged, not even if it could not be read before.
        fs::remove_file(&table).unwrap();
        let mode = rustix::fs::Mode::from_raw_mode(0o600);
        rustix::fs::mknodat(rustix::fs::CWD, &table, rustix::fs::FileType::Fifo, mode, 0).unwrap();
        let why = "it is a folder, a pipe or a device, not a regular file";
        let unreadable = now();
        check(&first, &unreadable, Some(&format!(" cannot be read: {why}")));
        check(&unreadable, &unreadable, Some(&format!(" cannot be read: {why}")));
        check(&unreadable, &first, Some(&format!(" could not be read when it was started: {why}")));
    }

    #[test]
    fn every_change_within_a_folder_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::create_dir_all(path("a/b")).unwrap();
        fs::write(path("a/b/file"), "abc").unwrap();
        fs::write(path("z"), "").unwrap();
        let digest = || recorded(folder.path(), "", "")[0].sha256.clone().unwrap();
        let mut known = vec![digest()];
        assert_eq!(digest(), known[0]);
        let mut changed = |what: &str| {
            let digest = digest();
            assert!(!known.contains(&digest), "{what}");
            known.push(digest);
        };
        fs::write(path("a/b/file"), "abd").unwrap();
        changed("content");
        fs::rename(path("a/b/file"), path("a/file")).unwrap();
        changed("place");
        fs::remove_dir(path("a/b")).unwrap();
        changed("empty folder");
        fs::remove_file(path("z")).unwrap();
        changed("empty file");
        std::os::unix::fs::symlink("nowhere", path("link")).unwrap();
        changed("link");
    }
}
