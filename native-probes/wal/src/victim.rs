//! A log on disk for recovery, intact or damaged: with a torn last record, as after a crash, or with a flipped bit
//! before valid records.

use crate::journal::entry;
use crate::options::{failed, footprint, io};
use bench_model::ModuleError;
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use wal_load::Payloads;
use wal_log::{Config, Log, Retention};

/// Bytes of the header of a segment file; the library documents its format.
const SEGMENT_HEADER_BYTES: u64 = 128;

/// The state of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Intact.
    Clean,
    /// The last record has a wrong last byte.
    Torn,
    /// The record in the middle has a wrong last byte.
    Corrupted,
}

/// A log of known records.
#[derive(Debug)]
pub(crate) struct Victim {
    pub(crate) config: Config,
    /// The segments that have records, oldest first, with the used bytes of each.
    pub(crate) files: Vec<(PathBuf, u64)>,
    pub(crate) records: u64,
    /// The sequence number of the damaged record.
    pub(crate) hurt: Option<u64>,
    state: State,
    pristine: Option<PathBuf>,
}

impl Victim {
    /// Writes a log whose records take `log_bytes` or a little more, and damages it. `payloads` begin with number 0. If
    /// opening changes more than the end of the log, a copy is kept to restore it.
    pub(crate) fn new(
        mut config: Config,
        payloads: &mut Payloads,
        log_bytes: u64,
        state: State,
        keeps_copy: bool,
    ) -> Result<Self, ModuleError> {
        let page = 4 << 10;
        config.segment_bytes = log_bytes.clamp(1 << 20, 64 << 20).next_multiple_of(page);
        config.retention = Retention::All;
        let record_bytes = footprint(payloads.bytes()) as u64;
        let per_segment = (config.segment_bytes - SEGMENT_HEADER_BYTES) / record_bytes;
        let records = log_bytes.div_ceil(record_bytes).max(3);
        write(&config, payloads, records)?;
        let mut left = records;
        let mut files = Vec::new();
        for number in 1.. {
            let here = left.min(per_segment);
            if here == 0 {
                break;
            }
            let path = config.directory.join(format!("{number:016x}.wal"));
            files.push((path, SEGMENT_HEADER_BYTES + here * record_bytes));
            left -= here;
        }
        let hurt = match state {
            State::Clean => None,
            State::Torn => Some(records - 1),
            State::Corrupted => Some(records / 2),
        };
        let mut victim = Self { files, records, hurt, state, pristine: None, config };
        victim.hurt(per_segment, record_bytes, payloads.bytes())?;
        if keeps_copy && state == State::Corrupted {
            let copy = victim.config.directory.with_extension("pristine");
            copy_files(&victim.config.directory, &copy)?;
            victim.pristine = Some(copy);
        }
        Ok(victim)
    }

    /// Restores the files to their damaged state.
    pub(crate) fn restore(&self, payload_bytes: usize) -> Result<(), ModuleError> {
        match (&self.pristine, self.state) {
            (Some(copy), _) => {
                fs::remove_dir_all(&self.config.directory).map_err(io("remove", &self.config.directory))?;
                copy_files(copy, &self.config.directory)
            }
            // Recovery has zeroed the torn record, so all of it is written again.
            (None, State::Torn) => self.tear(payload_bytes),
            (None, State::Clean | State::Corrupted) => Ok(()),
        }
    }

    fn hurt(&mut self, per_segment: u64, record_bytes: u64, payload_bytes: usize) -> Result<(), ModuleError> {
        match (self.hurt, self.state) {
            (Some(sequence), State::Corrupted) => {
                let (path, _) = &self.files[(sequence / per_segment) as usize];
                let record = SEGMENT_HEADER_BYTES + sequence % per_segment * record_bytes;
                flip(path, record + (footprint(payload_bytes) - 8) as u64)
            }
            (_, State::Torn) => self.tear(payload_bytes),
            _ => Ok(()),
        }
    }

    /// Replaces the payload of the last record, so that its header has a wrong checksum.
    fn tear(&self, payload_bytes: usize) -> Result<(), ModuleError> {
        let Some((path, end)) = self.files.last() else { return Ok(()) };
        let len = footprint(payload_bytes);
        let mut torn = wal_load::pattern(3, len);
        torn[..4].copy_from_slice(&((payload_bytes + 24) as u32).to_le_bytes());
        let file = File::options().write(true).open(path).map_err(io("open", path))?;
        file.write_all_at(&torn, end - len as u64).map_err(io("write", path))
    }
}

fn write(config: &Config, payloads: &mut Payloads, records: u64) -> Result<(), ModuleError> {
    let log = Log::open(config.clone()).map_err(failed)?;
    let batch = ((1 << 20) / payloads.bytes() as u64).clamp(1, 1_000);
    while payloads.count() < records {
        let count = (records - payloads.count()).min(batch) as usize;
        let batch: Vec<_> = payloads.advance_batch(count).iter().map(|payload| entry(payload)).collect();
        log.append_batch(&batch).map_err(failed)?;
    }
    Ok(())
}

/// Changes one byte.
fn flip(path: &Path, offset: u64) -> Result<(), ModuleError> {
    let file = File::options().read(true).write(true).open(path).map_err(io("open", path))?;
    let mut byte = [0];
    file.read_exact_at(&mut byte, offset).map_err(io("read", path))?;
    file.write_all_at(&[byte[0] ^ 1], offset).map_err(io("write", path))
}

fn copy_files(from: &Path, to: &Path) -> Result<(), ModuleError> {
    fs::create_dir_all(to).map_err(io("make", to))?;
    for found in fs::read_dir(from).map_err(io("read", from))? {
        let path = found.map_err(io("read", from))?.path();
        if let Some(name) = path.file_name() {
            fs::copy(&path, to.join(name)).map_err(io("copy", &path))?;
        }
    }
    Ok(())
}
