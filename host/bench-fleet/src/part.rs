//! One shard as it was measured: what it belongs to, and its lines as they were written. The lines stay on the disk until they are copied.

use crate::MergeError;
use crate::collect::cell_of;
use bench_sink::digest::Hasher;
use bench_sink::regular;
use bench_sink::runfile::{
    EndRecord, FILE_NAME, ModuleRecord, PartRecord, RawLine, RawLines, ReadError, Record, RunRecord, RunWriter,
};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};

/// One shard.
pub(crate) struct Part {
    pub(crate) directory: PathBuf,
    pub(crate) run: RunRecord,
    pub(crate) part: PartRecord,
    pub(crate) modules: Vec<ModuleRecord>,
    /// The end, if the run ended and was not resumed after it.
    pub(crate) end: Option<EndRecord>,
    /// The repetitions that came to an end, as cell and process.
    pub(crate) repetitions: Vec<(u32, u32)>,
    /// The lines of modules.
    pub(crate) head: Vec<u8>,
    /// Where all other lines are in the file, but the first and the ends.
    body: Vec<Range<u64>>,
    /// The digest of those lines.
    pub(crate) body_sha256: String,
    /// Whether an agent of a fleet kept it: the file says nothing of a shard, and holds more than counts.
    pub(crate) is_of_agent: bool,
}

/// How much is copied at once. Each piece is synced.
const PIECE_BYTES: u64 = 16 << 20;

impl Part {
    pub(crate) fn read(directory: &Path) -> Result<Self, MergeError> {
        Self::scan(directory, None, &|_| true)
    }

    /// What an agent of a fleet kept of the cells that it `counts` for, as the shard `part`.
    pub(crate) fn of_agent(
        directory: &Path,
        part: PartRecord,
        counts: &dyn Fn(u32) -> bool,
    ) -> Result<Self, MergeError> {
        Self::scan(directory, Some(part), counts)
    }

    fn scan(directory: &Path, part: Option<PartRecord>, counts: &dyn Fn(u32) -> bool) -> Result<Self, MergeError> {
        let (directory, is_of_agent) = (directory.to_owned(), part.is_some());
        let (mut run, mut part, mut end) = (None, part, None);
        let (mut modules, mut repetitions) = (Vec::new(), Vec::new());
        let (mut head, mut body, mut hasher) = (Vec::new(), Vec::new(), Hasher::default());
        let mut end_of_line = 0;
        for line in RawLines::open(&directory)? {
            let RawLine { record, text } = line?;
            let begin_of_line = end_of_line;
            end_of_line += text.len() as u64;
            match record {
                Some(Record::Run(record)) => run = Some(record),
                Some(Record::Module(record)) => {
                    modules.push(record);
                    head.extend(text);
                }
                Some(Record::End(record)) => end = Some(record),
                record if record.as_ref().and_then(cell_of).is_some_and(|cell| !counts(cell)) => {}
                record => {
                    match record {
                        Some(Record::Part(record)) => part = Some(record),
                        Some(Record::Outcome(outcome)) => repetitions.push((outcome.cell, outcome.process)),
                        Some(Record::Resumed(_)) => end = None,
                        _ => {}
                    }
                    hasher.update(&text);
                    add(&mut body, begin_of_line..end_of_line);
                }
            }
        }
        let Some(run) = run else { return Err(MergeError::Headless(directory)) };
        let Some(part) = part else { return Err(MergeError::NotAShard(directory)) };
        // A later outcome of the same repetition replaces an earlier one.
        repetitions.sort_unstable();
        repetitions.dedup();
        let body_sha256 = hasher.finish();
        Ok(Self { directory, run, part, modules, end, repetitions, head, body, body_sha256, is_of_agent })
    }

    /// Appends all lines but those of the head and the ends to another run file, as they were written.
    pub(crate) fn copy_body(&self, writer: &mut RunWriter) -> Result<(), MergeError> {
        let path = self.directory.join(FILE_NAME);
        let fail = |source| ReadError::Io { path: path.clone(), source };
        let mut file = regular::open(&path, File::options().read(true)).map_err(fail)?;
        for range in &self.body {
            file.seek(SeekFrom::Start(range.start)).map_err(fail)?;
            let mut left = range.end - range.start;
            while left > 0 {
                let wanted = left.min(PIECE_BYTES);
                let mut piece = Vec::new();
                let read = file.by_ref().take(wanted).read_to_end(&mut piece).map_err(fail)? as u64;
                if read < wanted {
                    return Err(fail(io::ErrorKind::UnexpectedEof.into()).into());
                }
                writer.append_raw(&piece)?;
                left -= wanted;
            }
        }
        Ok(())
    }

    /// What tells it from a shard of the same run as `other`, if anything does.
    pub(crate) fn different(&self, other: &Self) -> Option<String> {
        let differs = |name: &str, is_different: bool| is_different.then(|| name.to_owned());
        let (a, b) = (&self.run, &other.run);
        // Files that were refused are in nobody's way.
        let digests = |part: &Self| -> BTreeSet<_> {
            let loaded = part.modules.iter().filter(|module| module.refused.is_none());
            loaded.map(|module| module.sha256.clone()).collect()
        };
        differs("the number of shards", self.part.of != other.part.of)
            .or_else(|| differs("the run of the fleet", self.is_of_agent && a.id != b.id))
            .or_else(|| differs("the program", a.program_sha256 != b.program_sha256))
            .or_else(|| differs("the seed", a.seed != b.seed))
            .or_else(|| differs("the modules", digests(self) != digests(other)))
            .or_else(|| differs("the plan", a.planned != b.planned))
    }

    /// Whether it was measured on the same running kernel as `other`, at a time when that was measured too. Times of one machine
    /// are compared with each other only.
    pub(crate) fn shares_machine(&self, other: &Self) -> bool {
        let is_same = self.part.boot_id.is_some() && self.part.boot_id == other.part.boot_id;
        let begins_before_end = |a: &Self, b: &Self| b.end.as_ref().is_none_or(|end| a.part.started < end.finished);
        is_same && begins_before_end(self, other) && begins_before_end(other, self)
    }
}

/// Adds the next range; one that follows the last without a gap is a part of that.
fn add(ranges: &mut Vec<Range<u64>>, next: Range<u64>) {
    match ranges.last_mut() {
        Some(last) if last.end == next.start => last.end = next.end,
        _ => ranges.push(next),
    }
}
