//! The input: a file, or the concatenated files of a folder, the same in both arms.

#[cfg_attr(target_family = "wasm", path = "input/granted.rs")]
#[cfg_attr(not(target_family = "wasm"), path = "input/confined.rs")]
mod folder;

use bench_plugin::prelude::*;
use folder::Folder;
use std::io::{self, Read};

/// The kind of a directory entry.
enum Root {
    File(Box<dyn Read>),
    Folder(Folder),
}

/// The entries of a folder.
struct Entry {
    name: String,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    File,
    Folder,
    /// A symbolic link, a device, a socket: never followed or opened.
    Other,
}

/// Reads the first `bytes_max` bytes at `path`. For a folder these are all files below it in the byte order of their
/// relative paths, without links and names that start with a dot.
pub(crate) fn read(path: &str, bytes_max: usize) -> Result<Vec<u8>, ModuleError> {
    let mut input = Input { bytes: Vec::new(), bytes_max };
    let result = match folder::open(path) {
        Ok(Root::File(file)) => input.file(file).map_err(|reason| Unreadable { path: String::new(), reason }),
        Ok(Root::Folder(folder)) => input.folder(&folder, ""),
        Err(reason) => Err(Unreadable { path: String::new(), reason }),
    };
    match result {
        Err(unreadable) => Err(unreadable.below(path)),
        Ok(()) if input.bytes.is_empty() => Err(ModuleError::InvalidArgument(format!(
            "`input` is `{path}`, which is empty; give a file or folder with content"
        ))),
        Ok(()) => Ok(input.bytes),
    }
}

struct Input {
    bytes: Vec<u8>,
    bytes_max: usize,
}

impl Input {
    fn is_full(&self) -> bool {
        self.bytes.len() >= self.bytes_max
    }

    fn file(&mut self, file: impl Read) -> io::Result<()> {
        let left = self.bytes_max - self.bytes.len();
        file.take(left as u64).read_to_end(&mut self.bytes).map(|_| ())
    }

    /// `path` is the path of the folder relative to the root, empty or with a slash at its end.
    fn folder(&mut self, folder: &Folder, path: &str) -> Result<(), Unreadable> {
        let unreadable = |name: &str| {
            let path = format!("{path}{name}");
            |reason| Unreadable { path, reason }
        };
        let mut entries = folder.entries().map_err(unreadable(""))?;
        entries.retain(|entry| entry.kind != Kind::Other && !entry.name.starts_with('.'));
        entries.sort_unstable_by(|left, right| left.sort_key().cmp(right.sort_key()));
        for Entry { name, kind } in entries {
            if self.is_full() {
                break;
            }
            if kind == Kind::Folder {
                let below = folder.folder(&name).map_err(unreadable(&name))?;
                self.folder(&below, &format!("{path}{name}/"))?;
            } else {
                folder.file(&name).and_then(|file| self.file(file)).map_err(unreadable(&name))?;
            }
        }
        Ok(())
    }
}

impl Entry {
    /// Sorts folders with their slash, so that the result is the byte order of whole paths: `a-b` before `a/b`.
    fn sort_key(&self) -> impl Iterator<Item = u8> {
        self.name.bytes().chain((self.kind == Kind::Folder).then_some(b'/'))
    }
}

/// A path relative to the root that could not be read, and the reason.
struct Unreadable {
    path: String,
    reason: io::Error,
}

impl Unreadable {
    fn below(self, root: &str) -> ModuleError {
        let (place, reason) = (self.path, self.reason);
        match reason.kind() {
            // A missing or unsuitable path is an invalid argument; any other error is a fault of the environment.
            io::ErrorKind::NotFound | io::ErrorKind::InvalidData => {
                ModuleError::InvalidArgument(format!("`input` is `{root}`: {place}{}{reason}", separator(&place)))
            }
            _ => ModuleError::Unavailable(format!("`input` is `{root}`: {place}{}{reason}", separator(&place))),
        }
    }
}

fn separator(place: &str) -> &'static str {
    if place.is_empty() { "" } else { ": " }
}

/// Requires UTF-8 in both arms, because a component sees no other names.
fn utf8(name: std::ffi::OsString) -> io::Result<String> {
    name.into_string()
        .map_err(|name| io::Error::new(io::ErrorKind::InvalidData, format!("the name {name:?} is not UTF-8")))
}

#[cfg(all(test, not(target_family = "wasm")))]
mod tests;
