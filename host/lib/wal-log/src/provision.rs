//! Makes a segment ready: a new or a recycled file, in the page state that the configuration asks for, under its final name.

use crate::boundary;
use crate::checksum::Seed;
use crate::directory::{self, Directory};
use crate::header::{Activation, HEADER_BYTES, Identity, LogId};
use crate::segment::Segment;
use crate::{Config, Durability, LogError, PageState};
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// Bytes of zeros written at once. The page cache keeps what was written at once in large units, which take fewer faults
/// and fewer entries of the processor's address cache, and are written back faster.
const UNIT: u64 = 2 << 20;

/// The same for records that are stored to the mapping and synced at intervals. A store makes a whole unit dirty, so each sync writes
/// at least one: writing 16 KiB takes hardly longer than 4 KiB, and causes a quarter of the faults.
const SMALL_UNIT: u64 = 16 << 10;

/// Bytes of a page, as far as the header is concerned, which has one to itself at first.
const FIRST_PAGE: u64 = 4 << 10;

/// Creates a segment in a new file.
pub(crate) fn fresh(config: &Config, directory: &Directory, log: LogId, number: u64) -> Result<Segment, LogError> {
    let (unfinished, path) = (directory.unfinished(number), directory.segment(number));
    let made = reserve(config, &unfinished, log, number).and_then(|(file, identity)| {
        // From here on it is a spare segment. Its pages are dirtied afterwards, so that the sync of the name does not wait for
        // them.
        directory.rename(&unfinished, &path)?;
        fill(config, directory, path.clone(), file, identity)
    });
    // Reserved blocks are released; if that fails too, the next open does it.
    made.inspect_err(|_| drop(fs::remove_file(&unfinished).or_else(|_| fs::remove_file(&path))))
}

/// Makes a file that has all its blocks and a header.
fn reserve(config: &Config, path: &Path, log: LogId, number: u64) -> Result<(File, Identity), LogError> {
    let bytes = config.segment_bytes;
    let identity = Identity { log, number, bytes, epoch: directory::random()?, is_recycled: false };
    let mut options = OpenOptions::new();
    let file =
        options.read(true).write(true).create(true).truncate(true).open(path).map_err(no_space("open", config))?;
    config.boundary.allocate(&file, bytes).map_err(no_space("fallocate", config))?;
    file.write_all_at(&identity.encode(), 0).map_err(no_space("write", config))?;
    if config.durability != Durability::None {
        config.boundary.sync_data(&file).map_err(no_space("fdatasync", config))?;
    }
    Ok((file, identity))
}

/// Brings the pages of a new file into their state, and maps it.
fn fill(
    config: &Config,
    directory: &Directory,
    path: PathBuf,
    file: File,
    identity: Identity,
) -> Result<Segment, LogError> {
    if config.page_state != PageState::Fresh {
        let is_synced_by_pages = matches!(config.durability, Durability::Interval(_));
        let unit = if is_synced_by_pages { SMALL_UNIT } else { UNIT };
        boundary::write_zeros(&file, FIRST_PAGE..identity.bytes, unit).map_err(no_space("write", config))?;
    }
    if config.page_state == PageState::Written {
        config.boundary.sync_data(&file).map_err(no_space("fdatasync", config))?;
    }
    let segment = Segment::map(path, file, identity, config.index_stride_bytes as usize, directory.lock());
    let segment = segment.map_err(no_space("mmap", config))?;
    touch(config, &segment, 0..identity.bytes as usize)?;
    Ok(segment)
}

/// Recycles a segment that no reader holds.
pub(crate) fn recycle(config: &Config, directory: &Directory, old: Segment, number: u64) -> Result<Segment, LogError> {
    let segment = renew(config, directory, old, number)?;
    let touched = touch(config, &segment, 0..segment.mapping().bytes());
    touched.inspect_err(|_| drop(fs::remove_file(segment.path())))?;
    Ok(segment)
}

/// Makes a spare segment of one that no reader holds, and leaves its pages as they are. It gets an unfinished name before its header
/// changes, so that no crash leaves a segment whose header contradicts its name.
pub(crate) fn renew(config: &Config, directory: &Directory, old: Segment, number: u64) -> Result<Segment, LogError> {
    let (unfinished, path) = (directory.unfinished(number), directory.segment(number));
    directory.rename(old.path(), &unfinished)?;
    let made = rewrite(config, &unfinished, path.clone(), old, number).and_then(|segment| {
        directory.rename(&unfinished, &path)?;
        Ok(segment)
    });
    made.inspect_err(|_| drop(fs::remove_file(&unfinished).or_else(|_| fs::remove_file(&path))))
}

/// Gives the file at `unfinished`, which was another segment, the header of a spare one that will be at `path`.
fn rewrite(config: &Config, unfinished: &Path, path: PathBuf, old: Segment, number: u64) -> Result<Segment, LogError> {
    let mut epoch = directory::random()?;
    // With the same seed, old records of the file would be valid again.
    while Seed::of_epoch(epoch) == old.seed() {
        epoch = directory::random()?;
    }
    let identity = Identity { number, epoch, is_recycled: true, ..*old.identity() };
    let segment = old.reuse(path, identity, config.index_stride_bytes as usize);
    let file = File::options().write(true).open(unfinished).map_err(LogError::system("open", unfinished))?;
    let mut header = [0; HEADER_BYTES];
    header[..Activation::OFFSET].copy_from_slice(&identity.encode());
    file.write_all_at(&header, 0).map_err(LogError::system("write", unfinished))?;
    if config.durability.syncs() {
        config.boundary.sync_data(&file).map_err(LogError::system("fdatasync", unfinished))?;
    } else if config.durability != Durability::None {
        // The header alone: the rest of the file may be dirty from its life before, and is about to be overwritten.
        segment.mapping().sync(0..HEADER_BYTES).map_err(LogError::system("msync", unfinished))?;
    }
    Ok(segment)
}

/// Brings a range of a segment into the page state that appenders expect.
pub(crate) fn touch(config: &Config, segment: &Segment, range: std::ops::Range<usize>) -> Result<(), LogError> {
    let done = match config.page_state {
        PageState::Fresh => Ok(()),
        // Present, so that no appender waits for the disk to read what it is about to overwrite.
        PageState::Written => segment.mapping().populate(range, false),
        PageState::Resident => segment.mapping().populate(range, true),
    };
    done.map_err(no_space("madvise", config))
}

/// A lack of space says so; anything else is an error of the call.
fn no_space<'a>(call: &'static str, config: &'a Config) -> impl FnOnce(io::Error) -> LogError + 'a {
    move |source| {
        let is_full = matches!(source.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded);
        let directory = config.directory.clone();
        if is_full {
            return LogError::NoSpace { directory, bytes: config.segment_bytes, source };
        }
        LogError::System { call, path: directory, source }
    }
}
