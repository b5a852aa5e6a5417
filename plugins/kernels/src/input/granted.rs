//! File access in a component: by path. The host confines the component to the folders that it grants.

use super::{Entry, Kind, Root, utf8};
use std::fs::{self, File};
use std::io;
use std::path::PathBuf;

pub(super) struct Folder(PathBuf);

pub(super) fn open(path: &str) -> io::Result<Root> {
    Ok(match fs::metadata(path)?.is_dir() {
        true => Root::Folder(Folder(path.into())),
        false => Root::File(Box::new(File::open(path)?)),
    })
}

impl Folder {
    pub(super) fn entries(&self) -> io::Result<Vec<Entry>> {
        let entry = |entry: io::Result<fs::DirEntry>| {
            let entry = entry?;
            let kind = match entry.file_type()? {
                kind if kind.is_dir() => Kind::Folder,
                kind if kind.is_file() => Kind::File,
                _ => Kind::Other,
            };
            Ok(Entry { name: utf8(entry.file_name())?, kind })
        };
        fs::read_dir(&self.0)?.map(entry).collect()
    }

    pub(super) fn folder(&self, name: &str) -> io::Result<Self> {
        Ok(Self(self.0.join(name)))
    }

    pub(super) fn file(&self, name: &str) -> io::Result<File> {
        File::open(self.0.join(name))
    }
}
