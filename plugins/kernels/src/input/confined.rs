//! File access in the native arm: relative to one opened folder, which neither `..` nor a link can leave. Once that
//! folder is open, no file may be opened by path.

use super::{Entry, Kind, Root, utf8};
use cap_std::ambient_authority;
use cap_std::fs::{Dir, DirEntry, File};
use std::io;
use std::path::Path;

pub(super) struct Folder(Dir);

pub(super) fn open(path: &str) -> io::Result<Root> {
    // The path that the user gives may contain links; paths below it may not.
    let path = Path::new(path).canonicalize()?;
    if path.is_dir() {
        return Dir::open_ambient_dir(&path, ambient_authority()).map(|dir| Root::Folder(Folder(dir)));
    }
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "neither a file nor a folder"));
    };
    let file = Dir::open_ambient_dir(folder, ambient_authority())?.open(name)?;
    Ok(Root::File(Box::new(file)))
}

impl Folder {
    pub(super) fn entries(&self) -> io::Result<Vec<Entry>> {
        let entry = |entry: io::Result<DirEntry>| {
            let entry = entry?;
            let kind = match entry.file_type()? {
                kind if kind.is_dir() => Kind::Folder,
                kind if kind.is_file() => Kind::File,
                _ => Kind::Other,
            };
            Ok(Entry { name: utf8(entry.file_name())?, kind })
        };
        self.0.entries()?.map(entry).collect()
    }

    pub(super) fn folder(&self, name: &str) -> io::Result<Self> {
        self.0.open_dir(name).map(Self)
    }

    pub(super) fn file(&self, name: &str) -> io::Result<File> {
        self.0.open(name)
    }
}
