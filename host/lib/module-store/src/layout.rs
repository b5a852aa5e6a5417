//! An OCI image layout on disk: blobs by digest, and the index of the manifests. Only its owner can write to it.

use crate::digest::{Digest, HashingWriter};
use crate::error::StoreError;
use crate::oci::{Descriptor, Index};
use own_files::Exposure;
use std::fs::{self, DirBuilder, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// The largest document: manifests, configs, statements, signatures, and the index.
pub(crate) const DOCUMENT_BYTES_MAX: u64 = 4 << 20;

const VERSION_FILE: &str = "oci-layout";
const VERSION: &str = r#"{"imageLayoutVersion":"1.0.0"}"#;
const INDEX_FILE: &str = "index.json";
const LOCK_FILE: &str = ".lock";

/// The folder of a layout.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    root: PathBuf,
}

/// The right to change the index, until it is dropped.
#[derive(Debug)]
pub(crate) struct Locked {
    /// Closing it releases the lock.
    _file: File,
}

impl Layout {
    /// Opens the layout in `root`, which is created if it does not exist, and refused if other users can write to it.
    pub(crate) fn open(root: &Path) -> Result<Self, StoreError> {
        let layout = Self { root: root.to_owned() };
        layout.folder("blobs/sha256")?;
        for folder in [root.to_owned(), layout.root.join("blobs"), layout.root.join("blobs/sha256")] {
            is_own(&folder)?;
        }
        let version = layout.root.join(VERSION_FILE);
        match fs::read_to_string(&version) {
            Ok(text) if text.contains("imageLayoutVersion") => {}
            Ok(_) => return Err(StoreError::NotALayout(root.to_owned())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                layout.replace(&version, VERSION.as_bytes())?;
            }
            Err(source) => return Err(StoreError::Io { path: version, source }),
        }
        Ok(layout)
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Waits until no other process changes the index.
    pub(crate) fn lock(&self) -> Result<Locked, StoreError> {
        let path = self.root.join(LOCK_FILE);
        let file = File::options().create(true).truncate(false).write(true).open(&path);
        let file = file.and_then(|file| file.lock().map(|()| file));
        file.map(|file| Locked { _file: file }).map_err(|source| StoreError::Io { path, source })
    }

    /// The index; empty if there is none.
    pub(crate) fn index(&self) -> Result<Index, StoreError> {
        let path = self.root.join(INDEX_FILE);
        let bytes = match read_bounded(&path) {
            Err(StoreError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                return Ok(Index::default());
            }
            bytes => bytes?,
        };
        serde_json::from_slice(&bytes).map_err(|error| StoreError::Malformed { path, reason: error.to_string() })
    }

    /// Replaces the index.
    pub(crate) fn write_index(&self, index: &Index, _lock: &Locked) -> Result<(), StoreError> {
        let bytes = serde_json::to_vec_pretty(index).expect("an index is JSON");
        self.replace(&self.root.join(INDEX_FILE), &bytes)
    }

    /// Creates the folder `name` of the layout, and returns its path.
    pub(crate) fn folder(&self, name: &str) -> Result<PathBuf, StoreError> {
        let path = self.root.join(name);
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&path);
        made.map_err(|source| StoreError::Io { path: path.clone(), source })?;
        Ok(path)
    }

    /// The path of the blob, whether it is there or not.
    pub(crate) fn blob(&self, digest: &Digest) -> PathBuf {
        self.root.join("blobs/sha256").join(digest.hex())
    }

    /// Stores `bytes`.
    pub(crate) fn put(&self, media_type: &str, bytes: &[u8]) -> Result<Descriptor, StoreError> {
        let descriptor = Descriptor::of_bytes(media_type, bytes);
        self.put_with(&descriptor, |writer| writer.write_all(bytes))?;
        Ok(descriptor)
    }

    /// Stores what `write` writes, if it has the digest and the size of `descriptor`. Nothing is written if the blob is there and intact.
    pub(crate) fn put_with<E>(
        &self,
        descriptor: &Descriptor,
        write: impl FnOnce(&mut dyn Write) -> Result<(), E>,
    ) -> Result<(), PutError<E>> {
        let path = self.blob(&descriptor.digest);
        if verify_file(&path, &descriptor.digest).is_ok() {
            return Ok(());
        }
        let io = |source| PutError::Store(StoreError::Io { path: path.clone(), source });
        // The file appears complete under its name, because another process may read it at this moment.
        let file = NamedTempFile::new_in(self.root.join("blobs/sha256")).map_err(io)?;
        let mut writer = HashingWriter::new(Bounded { inner: file, left: descriptor.size });
        write(&mut writer).map_err(PutError::Source)?;
        let (found, bytes, bounded) = writer.finish();
        if found != descriptor.digest || bytes != descriptor.size {
            let (wanted, found) = (descriptor.digest, Some(found));
            return Err(PutError::Store(StoreError::Damaged { path, wanted, found }));
        }
        bounded.inner.persist(&path).map_err(|error| io(error.error))?;
        Ok(())
    }

    /// The bytes of a document, whose digest is checked.
    pub(crate) fn document(&self, descriptor: &Descriptor) -> Result<Vec<u8>, StoreError> {
        let path = self.blob(&descriptor.digest);
        let bytes = read_bounded(&path)?;
        let found = Digest::of_bytes(&bytes);
        if found == descriptor.digest {
            Ok(bytes)
        } else {
            Err(StoreError::Damaged { path, wanted: descriptor.digest, found: Some(found) })
        }
    }

    /// An error if there is no such blob.
    pub(crate) fn is_there(&self, digest: &Digest) -> Result<(), StoreError> {
        let path = self.blob(digest);
        match fs::symlink_metadata(&path) {
            Ok(_) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(StoreError::Damaged { path, wanted: *digest, found: None })
            }
            Err(source) => Err(StoreError::Io { path, source }),
        }
    }

    /// Checks the digest of a blob.
    pub(crate) fn verify(&self, digest: &Digest) -> Result<(), StoreError> {
        verify_file(&self.blob(digest), digest)
    }

    /// Writes `bytes` to `path` completely or not at all.
    fn replace(&self, path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
        let io = |source| StoreError::Io { path: path.to_owned(), source };
        let mut file = NamedTempFile::new_in(&self.root).map_err(io)?;
        file.write_all(bytes).map_err(io)?;
        file.persist(path).map_err(|error| io(error.error))?;
        Ok(())
    }
}

/// Why a blob was not stored.
#[derive(Debug)]
pub(crate) enum PutError<E> {
    /// The store, or bytes of another digest.
    Store(StoreError),
    /// Where the bytes come from.
    Source(E),
}

impl From<PutError<io::Error>> for StoreError {
    fn from(error: PutError<io::Error>) -> Self {
        match error {
            PutError::Store(error) => error,
            PutError::Source(source) => Self::Io { path: PathBuf::from("the store"), source },
        }
    }
}

/// Refuses more bytes than were announced.
struct Bounded<W> {
    inner: W,
    left: u64,
}

impl<W: Write> Write for Bounded<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.len() as u64 > self.left {
            return Err(io::Error::other("it has more bytes than its manifest says"));
        }
        let written = self.inner.write(bytes)?;
        self.left -= written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Checks that the file at `path` has this digest, and that nobody else can change it afterwards.
pub(crate) fn verify_file(path: &Path, wanted: &Digest) -> Result<(), StoreError> {
    let damaged = |found| StoreError::Damaged { path: path.to_owned(), wanted: *wanted, found };
    let file = match open(path) {
        Err(StoreError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => return Err(damaged(None)),
        opened => opened?,
    };
    let found = Digest::of_reader(file).map_err(|source| StoreError::Io { path: path.to_owned(), source })?;
    if found == *wanted { Ok(()) } else { Err(damaged(Some(found))) }
}

/// Opens a file of the store. The folder may have been open to others before, who may have left files there that they can still change.
fn open(path: &Path) -> Result<File, StoreError> {
    own_files::open_own_linked(path).map_err(|source| {
        // What the system refuses has a number.
        if source.kind() == io::ErrorKind::PermissionDenied && source.raw_os_error().is_none() {
            StoreError::Untrusted(path.to_owned())
        } else {
            StoreError::Io { path: path.to_owned(), source }
        }
    })
}

fn read_bounded(path: &Path) -> Result<Vec<u8>, StoreError> {
    let io = |source| StoreError::Io { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    open(path)?.take(DOCUMENT_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(io)?;
    if bytes.len() as u64 > DOCUMENT_BYTES_MAX {
        let reason = "it has more than 4 MiB".to_owned();
        return Err(StoreError::Malformed { path: path.to_owned(), reason });
    }
    Ok(bytes)
}

/// An error if other users can write to `path` or to a folder above it: they could put native code there.
pub(crate) fn is_own(path: &Path) -> Result<(), StoreError> {
    own_files::ensure_private(path).map_err(|exposure| match exposure {
        Exposure::Io { path, source } => StoreError::Io { path, source },
        exposed => StoreError::Untrusted(exposed.path().to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

    #[test]
    fn folder_that_others_can_write_to_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("store");
        Layout::open(&root).unwrap();
        assert_eq!(fs::metadata(&root).unwrap().mode() & 0o777, 0o700);
        for path in [root.clone(), root.join("blobs/sha256")] {
            fs::set_permissions(&path, fs::Permissions::from_mode(0o770)).unwrap();
            assert!(matches!(Layout::open(&root), Err(StoreError::Untrusted(found)) if found == path));
            fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
        }
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
        assert!(matches!(Layout::open(&root), Err(StoreError::Untrusted(found)) if found == folder.path()));
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).unwrap();
        fs::write(root.join(VERSION_FILE), "something else").unwrap();
        assert!(matches!(Layout::open(&root), Err(StoreError::NotALayout(_))));
    }

    #[test]
    fn bytes_that_are_not_the_announced_ones_are_not_stored() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::open(&folder.path().join("store")).unwrap();
        let announced = Descriptor::of_bytes("text/plain", b"right");
        let check = |bytes: &[u8]| {
            let put: Result<(), PutError<io::Error>> = layout.put_with(&announced, |writer| writer.write_all(bytes));
            assert!(put.is_err(), "{bytes:?}");
            assert_eq!(fs::read_dir(folder.path().join("store/blobs/sha256")).unwrap().count(), 0, "a file was left");
        };
        [&b"wrong"[..], b"righ", b"right and more", b""].into_iter().for_each(check);
        assert_eq!(layout.put("text/plain", b"right").unwrap(), announced);
        assert_eq!(layout.document(&announced).unwrap(), b"right");
    }

    #[test]
    fn file_that_others_can_change_or_a_link_is_not_read_and_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::open(&folder.path().join("store")).unwrap();
        let stored = layout.put("text/plain", b"right").unwrap();
        let path = layout.blob(&stored.digest);
        let refuses = |why: &str| {
            assert!(layout.document(&stored).is_err() && layout.verify(&stored.digest).is_err(), "{why}");
            layout.put("text/plain", b"right").unwrap();
            assert_eq!(layout.document(&stored).unwrap(), b"right", "{why}");
            assert_eq!(fs::symlink_metadata(&path).unwrap().mode() & 0o7777, 0o600, "{why}");
        };
        fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
        assert!(matches!(layout.verify(&stored.digest), Err(StoreError::Untrusted(found)) if found == path));
        refuses("others can write to it");
        let elsewhere = folder.path().join("elsewhere");
        fs::rename(&path, &elsewhere).unwrap();
        symlink(&elsewhere, &path).unwrap();
        refuses("a link");
        assert_eq!(fs::read(&elsewhere).unwrap(), b"right", "the link was followed");
        let index = layout.root().join(INDEX_FILE);
        layout.write_index(&Index::default(), &layout.lock().unwrap()).unwrap();
        fs::set_permissions(&index, fs::Permissions::from_mode(0o606)).unwrap();
        assert!(matches!(layout.index(), Err(StoreError::Untrusted(found)) if found == index));
    }

    #[test]
    fn reader_finds_the_old_index_or_the_new_one() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::open(&folder.path().join("store")).unwrap();
        let full = Index { manifests: vec![Descriptor::of_bytes("text/plain", b""); 200], ..Index::default() };
        let indexes = [Index::default(), full];
        let write = |turn: usize| layout.write_index(&indexes[turn % 2], &layout.lock().unwrap()).unwrap();
        write(0);
        std::thread::scope(|scope| {
            let writer = scope.spawn(|| (0..100).for_each(write));
            while !writer.is_finished() {
                assert!(indexes.contains(&layout.index().unwrap()), "a part of one");
            }
        });
    }

    #[test]
    fn changed_blob_is_found_and_can_be_stored_again() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::open(&folder.path().join("store")).unwrap();
        let stored = layout.put("text/plain", b"right").unwrap();
        fs::write(layout.blob(&stored.digest), "rigth").unwrap();
        let expect = Some(Digest::of_bytes(b"rigth"));
        for result in [layout.document(&stored).map(drop), layout.verify(&stored.digest)] {
            assert!(matches!(result, Err(StoreError::Damaged { found, .. }) if found == expect));
        }
        layout.put("text/plain", b"right").unwrap();
        layout.verify(&stored.digest).unwrap();
    }
}
