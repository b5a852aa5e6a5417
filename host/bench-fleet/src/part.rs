//! One shard as it was measured: what it belongs to, and its lines as they were written.

use crate::MergeError;
use bench_sink::runfile::{EndRecord, ModuleRecord, PartRecord, RawLine, Record, RunRecord};
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
    /// All other lines but the first and the ends.
    pub(crate) body: Vec<u8>,
}

impl Part {
    pub(crate) fn read(directory: &Path) -> Result<Self, MergeError> {
        let directory = directory.to_owned();
        let (mut run, mut part, mut end) = (None, None, None);
        let (mut modules, mut repetitions) = (Vec::new(), Vec::new());
        let (mut head, mut body) = (Vec::new(), Vec::new());
        for RawLine { record, text } in RawLine::read_all(&directory)? {
            match record {
                Some(Record::Run(record)) => run = Some(record),
                Some(Record::Module(record)) => {
                    modules.push(record);
                    head.extend(text);
                }
                Some(Record::End(record)) => end = Some(record),
                record => {
                    match record {
                        Some(Record::Part(record)) => part = Some(record),
                        Some(Record::Outcome(outcome)) => repetitions.push((outcome.cell, outcome.process)),
                        Some(Record::Resumed(_)) => end = None,
                        _ => {}
                    }
                    body.extend(text);
                }
            }
        }
        let Some(run) = run else { return Err(MergeError::Headless(directory)) };
        let Some(part) = part else { return Err(MergeError::NotAShard(directory)) };
        // A later outcome of the same repetition replaces an earlier one.
        repetitions.sort_unstable();
        repetitions.dedup();
        Ok(Self { directory, run, part, modules, end, repetitions, head, body })
    }

    /// What tells it from a shard of the same run as `other`, if anything does.
    pub(crate) fn different(&self, other: &Self) -> Option<String> {
        let differs = |name: &str, is_different: bool| is_different.then(|| name.to_owned());
        let (a, b) = (&self.run, &other.run);
        let digests = |part: &Self| -> Vec<_> { part.modules.iter().map(|module| module.sha256.clone()).collect() };
        differs("the number of shards", self.part.of != other.part.of)
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
