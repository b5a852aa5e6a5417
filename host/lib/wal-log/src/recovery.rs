//! Opens what an earlier process left: survey, repair where the policy says so, survey again, and cut the torn tail.

use crate::damage::Finding;
use crate::directory::{self, Directory};
use crate::header::{Activation, HEADER_BYTES, LogId};
use crate::repair::{self, Repair};
use crate::segment::Segment;
use crate::streams::Streams;
use crate::survey::{Active, Content, Problem, SegmentFile, Survey};
use crate::{Config, LogError, Policy, provision, shared};
use std::io;

/// The most rounds of survey and repair. One repair can uncover damage for the next: a file of the wrong length is resized, then its
/// tail is found to be lost, then the next segment is marked. There are not more kinds of repair.
const SURVEYS_MAX: usize = 8;

/// What recovery found and did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Recovery {
    /// Entries in the log.
    pub records: u64,
    /// Bytes of entries and commit records, with heads and padding.
    pub bytes: u64,
    /// Segments with records, and the current one.
    pub segments: u64,
    /// The sequence of the first entry, or of the next one where there is none.
    pub first_sequence: u64,
    /// The sequence of the next entry.
    pub next_sequence: u64,
    /// Logical streams with a head.
    pub streams: u64,
    /// Bytes that were zeroed after the last record: a torn append, or what policy `truncate` removed.
    pub cut_bytes: u64,
    /// Entries among them that were whole, but whose transaction was not committed.
    pub uncommitted_records: u64,
    /// Segments that policy `truncate` removed.
    pub removed_segments: u64,
    /// Sequences that policy `skip` lost.
    pub skipped_records: u64,
    /// Bytes that policy `skip` lost, without those of segments that it set aside.
    pub skipped_bytes: u64,
    /// What was damaged, and, after a thorough recovery, where a clock went backwards, which is not damage. Policy `fail` does not
    /// open a damaged log, so it reports only the latter.
    pub findings: Vec<Finding>,
}

/// The recovered state of a log.
#[derive(Debug)]
pub(crate) struct Recovered {
    pub(crate) log: LogId,
    /// Segments, oldest first; at least one.
    pub(crate) segments: Vec<Segment>,
    pub(crate) spares: Vec<Segment>,
    pub(crate) streams: Streams,
    /// The number of the next segment.
    pub(crate) next_number: u64,
    pub(crate) report: Recovery,
}

/// Recovers the log in a directory, or makes a new one.
pub(crate) fn recover(config: &Config, directory: &Directory) -> Result<Recovered, LogError> {
    let mut report = Recovery::default();
    let log = identify(config, directory, &mut report)?;
    let mut last = None;
    for _ in 0..SURVEYS_MAX {
        let mut survey = Survey::read(config, directory, log)?;
        let is_damage = |problem: &Problem| !matches!(problem.skip, Repair::Nothing);
        let (damages, notes): (Vec<_>, Vec<_>) = survey.problems.drain(..).partition(is_damage);
        if damages.is_empty() {
            report.findings.extend(notes.into_iter().map(|note| note.finding));
            return finish(config, directory, log, survey, report);
        }
        let count = if config.policy == Policy::Skip { damages.len() } else { 1 };
        let more = damages.len() - 1;
        for Problem { finding, truncate, skip } in damages.into_iter().take(count) {
            let repair = match config.policy {
                Policy::Fail => return Err(LogError::Corrupt { finding: Box::new(finding), more }),
                Policy::Truncate => truncate,
                Policy::Skip => skip,
            };
            repair::apply(repair, config, directory, &mut survey.slots, &mut report)?;
            report.findings.push(finding.clone());
            last = Some(LogError::Corrupt { finding: Box::new(finding), more });
        }
    }
    // Damage that stays whatever is done about it.
    Err(last.unwrap_or(LogError::Stopped))
}

/// The log's identity. Where its file is damaged and the policy allows to continue, it is that of the first readable segment.
fn identify(config: &Config, directory: &Directory, report: &mut Recovery) -> Result<LogId, LogError> {
    let finding = match directory.identify()? {
        Ok(log) => return Ok(log),
        Err(finding) => finding,
    };
    if config.policy == Policy::Fail {
        return Err(LogError::Corrupt { finding: Box::new(finding), more: 0 });
    }
    report.findings.push(finding);
    let claimed = directory.segments()?.iter().find_map(|(_, path)| crate::survey::log_of(path));
    let log = match claimed {
        Some(log) => log,
        None => LogId(u128::from(directory::random()?)),
    };
    directory.set_identity(log)?;
    Ok(log)
}

/// Puts the parts of a log without damage together.
fn finish(
    config: &Config,
    directory: &Directory,
    log: LogId,
    survey: Survey,
    mut report: Recovery,
) -> Result<Recovered, LogError> {
    let mut streams = survey.heads;
    let mut segments: Vec<Segment> = Vec::new();
    let mut spares: Vec<Segment> = Vec::new();
    let mut next_number = survey.slots.first().map_or(1, |slot| slot.number);
    for SegmentFile { content, path, number } in survey.slots {
        match content {
            Content::Active(active) => {
                segments.push(accept(active, &mut streams, &mut report));
                next_number = number + 1;
            }
            // Only behind the others, or it would have been a problem.
            // It may hold records whose activation was lost, so it gets another seed.
            Content::Spare(segment) if segment.identity().bytes == config.segment_bytes && number == next_number => {
                spares.push(provision::renew(config, directory, segment, number)?);
                next_number += 1;
            }
            _ => directory.remove(&path)?,
        }
    }
    if segments.is_empty() {
        let first_sequence = streams.iter().map(|(_, head)| head + 1).max().unwrap_or(0);
        if spares.is_empty() {
            spares.push(provision::fresh(config, directory, log, next_number)?);
            next_number += 1;
        }
        let mut segment = spares.remove(0);
        segment.activate(Activation { first_sequence, unix_ns: shared::unix_ns(), follows_gap: false });
        segments.push(segment);
    }
    make_durable(config, directory, &segments)?;
    report.segments = segments.len() as u64;
    report.first_sequence = segments.first().map_or(0, Segment::first_sequence);
    report.next_sequence = segments.last().map_or(0, Segment::next_sequence);
    report.streams = streams.len() as u64;
    Ok(Recovered { log, segments, spares, streams, next_number, report })
}

/// Publishes the records that the scan found, and zeros the remains of an interrupted append after the last record, so that no later
/// record makes them valid again.
fn accept(active: Active, streams: &mut Streams, report: &mut Recovery) -> Segment {
    let Active { mut segment, scan, .. } = active;
    // One that could not be read was a problem.
    let scan = scan.unwrap_or_default();
    streams.merge(&scan.streams);
    report.records += scan.entries;
    report.bytes += (scan.end - HEADER_BYTES) as u64;
    report.uncommitted_records += scan.uncommitted;
    if scan.torn_end > scan.end {
        report.cut_bytes += repair::zero(&mut segment, scan.end..scan.torn_end);
    }
    segment.publish(scan.end, scan.next_sequence);
    segment
}

/// Bytes written at once where records are written again.
const PIECE_BYTES: usize = 1 << 20;

/// Syncs what was found, where the mode promises that what is in the log is on the disk: the process before may have been
/// killed before its sync. Where one of its syncs failed, the kernel takes the pages for clean though the disk may not have them,
/// so they are written again first.
fn make_durable(config: &Config, directory: &Directory, segments: &[Segment]) -> Result<(), LogError> {
    let mark = directory::poisoned(directory.path());
    let was_poisoned = mark.exists();
    for segment in segments {
        if was_poisoned {
            write_again(config, segment).map_err(LogError::system("write", segment.path()))?;
        }
        if config.durability.syncs() {
            let synced = segment.file().and_then(|file| config.boundary.sync_data(&file));
            synced.map_err(LogError::system("fdatasync", segment.path()))?;
            segment.close_file();
        }
    }
    if config.durability.syncs() {
        // Those that an earlier process made in a mode that does not sync them.
        directory.names().sync().map_err(|(path, error)| LogError::system("fsync", path)(error))?;
    }
    if was_poisoned { directory.remove(&mark) } else { Ok(()) }
}

/// Makes the pages of all records dirty, so that the next sync says whether the disk has them.
fn write_again(config: &Config, segment: &Segment) -> io::Result<()> {
    let file = segment.file()?;
    // From a copy, because the records are a mapping of the file that is written.
    let mut copy = Vec::with_capacity(PIECE_BYTES);
    for (index, piece) in segment.published().chunks(PIECE_BYTES).enumerate() {
        copy.clear();
        copy.extend_from_slice(piece);
        config.boundary.write(&file, &copy, (index * PIECE_BYTES) as u64)?;
    }
    Ok(())
}
