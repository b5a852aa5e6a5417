//! Surveys every file of a log: which segments exist, what they hold, and where they do not fit together. It must not change
//! a byte.

use crate::damage::{Damage, Finding};
use crate::directory::Directory;
use crate::header::{Activation, HEADER_BYTES, Identity, LogId};
use crate::heads;
use crate::repair::Repair;
use crate::scan::{self, Scan, Stretch};
use crate::segment::Segment;
use crate::streams::Streams;
use crate::{Config, LogError, RecoveryMode};
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// The result of a survey.
#[derive(Debug)]
pub(crate) struct Survey {
    /// In the order of their numbers.
    pub(crate) slots: Vec<SegmentFile>,
    /// The heads of streams whose records are recycled.
    pub(crate) heads: Streams,
    /// In the order of the log.
    pub(crate) problems: Vec<Problem>,
}

/// One segment file.
#[derive(Debug)]
pub(crate) struct SegmentFile {
    pub(crate) number: u64,
    pub(crate) path: PathBuf,
    pub(crate) content: Content,
}

/// The kind of a segment file.
#[derive(Debug)]
pub(crate) enum Content {
    /// Not a segment of this log, or not recognisable.
    Broken(Damage),
    /// A spare segment.
    Spare(Segment),
    /// A segment of the log.
    Active(Active),
}

#[derive(Debug)]
pub(crate) struct Active {
    pub(crate) segment: Segment,
    pub(crate) activation: Activation,
    /// Or why the file cannot be read.
    pub(crate) scan: io::Result<Scan>,
}

/// Damage, and its repair under each policy.
#[derive(Debug)]
pub(crate) struct Problem {
    pub(crate) finding: Finding,
    pub(crate) truncate: Repair,
    pub(crate) skip: Repair,
}

impl Survey {
    pub(crate) fn read(config: &Config, directory: &Directory, log: LogId) -> Result<Self, LogError> {
        let mut slots = Vec::new();
        for (number, path) in directory.segments()? {
            let content = open(directory, &path, number, log, config.index_stride_bytes as usize)?;
            slots.push(SegmentFile { number, path, content });
        }
        let mut problems = Vec::new();
        let heads = read_heads(directory, log, &mut problems)?;
        expose_unactivated(config, &mut slots);
        scan_all(config, &mut slots);
        expose_unreadable(&mut slots);
        join(config, &slots, &mut problems);
        Ok(Self { slots, heads, problems })
    }
}

/// Reads a file's header and maps the file.
fn open(directory: &Directory, path: &Path, number: u64, log: LogId, stride: usize) -> Result<Content, LogError> {
    let file = File::options().read(true).write(true).open(path).map_err(LogError::system("open", path))?;
    let found = file.metadata().map_err(LogError::system("stat", path))?.len();
    let (identity, activation) = match read_header(&file, found) {
        Ok(header) => header,
        Err(damage) => return Ok(Content::Broken(damage)),
    };
    if identity.log != log {
        return Ok(Content::Broken(Damage::Foreign { found: identity.log, expected: log }));
    }
    if identity.number != number {
        return Ok(Content::Broken(Damage::Renumbered { found: identity.number, expected: number }));
    }
    if found != identity.bytes {
        return Ok(Content::Broken(Damage::Size { found, expected: identity.bytes }));
    }
    let segment = Segment::map(path.to_owned(), file, identity, stride, directory.lock());
    let mut segment = segment.map_err(LogError::system("mmap", path))?;
    // A log may have more segments than a process may have files.
    segment.close_file();
    let Some(activation) = activation else { return Ok(Content::Spare(segment)) };
    segment.adopt(activation.first_sequence);
    Ok(Content::Active(Active { segment, activation, scan: Ok(Scan::default()) }))
}

/// The log in a segment's header.
pub(crate) fn log_of(path: &Path) -> Option<LogId> {
    let file = File::open(path).ok()?;
    let bytes = file.metadata().ok()?.len();
    read_header(&file, bytes).ok().map(|(identity, _)| identity.log)
}

fn read_header(file: &File, bytes: u64) -> Result<(Identity, Option<Activation>), Damage> {
    if bytes < HEADER_BYTES as u64 {
        return Err(Damage::NoHeader { bytes });
    }
    let mut header = [0; HEADER_BYTES];
    file.read_exact_at(&mut header, 0).map_err(|error| Damage::Unreadable { reason: error.to_string() })?;
    let identity = Identity::decode(&header)?;
    let activation = Activation::decode(&header, identity.epoch)?;
    Ok((identity, activation))
}

fn read_heads(directory: &Directory, log: LogId, problems: &mut Vec<Problem>) -> Result<Streams, LogError> {
    let path = directory.heads();
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Streams::default()),
        Err(error) => return Err(LogError::system("read", path)(error)),
    };
    heads::decode(log, &bytes).or_else(|reason| {
        let repair = Repair::SetAside { path: path.clone() };
        let finding = Finding { file: path, offset: 0, damage: Damage::Heads { reason } };
        problems.push(Problem { finding, truncate: repair.clone(), skip: repair });
        Ok(Streams::default())
    })
}

/// A segment without activation is damaged where it has records, or where a later one is activated.
fn expose_unactivated(config: &Config, slots: &mut [SegmentFile]) {
    let last_active = slots.iter().rposition(|slot| matches!(slot.content, Content::Active(_)));
    for (index, slot) in slots.iter_mut().enumerate() {
        let Content::Spare(segment) = &mut slot.content else { continue };
        let is_thorough = config.recovery == RecoveryMode::Thorough;
        let looked_at = if is_thorough { segment.mapping().bytes() } else { HEADER_BYTES };
        if let Err(error) = segment.mapping().populate(0..looked_at, false) {
            slot.content = Content::Broken(Damage::Unreadable { reason: error.to_string() });
        } else if last_active.is_some_and(|last| index < last) || scan::has_records(segment, is_thorough) {
            slot.content = Content::Broken(Damage::NotActivated);
        }
    }
}

/// Scans the activated segments with as many threads as the configuration says.
fn scan_all(config: &Config, slots: &mut [SegmentFile]) {
    let mut jobs: Vec<(&mut Active, Option<u64>)> = Vec::new();
    for slot in slots.iter_mut() {
        if let Content::Active(active) = &mut slot.content {
            if let Some((_, successor)) = jobs.last_mut() {
                *successor = Some(active.activation.first_sequence);
            }
            jobs.push((active, None));
        }
    }
    let threads = jobs.len().min(config.recovery_threads as usize);
    let jobs = Mutex::new(jobs.into_iter());
    let work = || {
        loop {
            let job = crate::lock(&jobs).next();
            let Some((active, successor)) = job else { return };
            active.scan(config, successor);
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(work);
        }
        work();
    });
}

impl Active {
    fn next_sequence(&self) -> u64 {
        self.scan.as_ref().map_or(0, |scan| scan.next_sequence)
    }

    fn stretches(&self) -> &[Stretch] {
        self.scan.as_ref().map_or(&[], |scan| &scan.stretches)
    }

    fn scan(&mut self, config: &Config, successor: Option<u64>) {
        let is_thorough = config.recovery == RecoveryMode::Thorough;
        let mapping = self.segment.mapping();
        // A page that cannot be read is an error here, and would be a signal in the scan.
        self.scan = mapping
            .populate(0..mapping.bytes(), false)
            .map(|()| scan::scan(&mut self.segment, config.index_stride_bytes as usize, successor, is_thorough));
    }
}

fn expose_unreadable(slots: &mut [SegmentFile]) {
    for slot in slots {
        if let Content::Active(Active { scan: Err(error), .. }) = &slot.content {
            slot.content = Content::Broken(Damage::Unreadable { reason: error.to_string() });
        }
    }
}

/// Finds damage between consecutive segments and within them.
fn join(config: &Config, slots: &[SegmentFile], problems: &mut Vec<Problem>) {
    let mut before: Option<&SegmentFile> = None;
    for slot in slots {
        match &slot.content {
            Content::Broken(damage) => {
                problems.push(slot.problem(0, damage.clone(), slot.repair_broken(damage)));
            }
            Content::Spare(_) => {}
            Content::Active(active) => {
                // After a broken segment it is unknown what to expect; that segment is the problem.
                if let Some(before) = before
                    && let Some(last) = before.active()
                {
                    problems.extend(slot.check_start(active, before.number + 1, last));
                    problems.extend(slot.check_time(config, active, last));
                }
                problems.extend(active.stretches().iter().map(|stretch| slot.stretch(stretch)));
            }
        }
        before = Some(slot);
    }
}

impl SegmentFile {
    pub(crate) fn active(&self) -> Option<&Active> {
        match &self.content {
            Content::Active(active) => Some(active),
            _ => None,
        }
    }

    fn problem(&self, offset: usize, damage: Damage, skip: Repair) -> Problem {
        let finding = Finding { file: self.path.clone(), offset: offset as u64, damage };
        let truncate = match &skip {
            // A file that only has the wrong length gets the right one, and is looked at again.
            Repair::Resize { .. } | Repair::Nothing => skip.clone(),
            _ => Repair::CutFrom { number: self.number, offset },
        };
        Problem { finding, truncate, skip }
    }

    fn repair_broken(&self, damage: &Damage) -> Repair {
        match damage {
            Damage::Size { expected, .. } => Repair::Resize { path: self.path.clone(), bytes: *expected },
            _ => Repair::SetAside { path: self.path.clone() },
        }
    }

    /// The damage at the beginning of a segment, if any.
    fn check_start(&self, active: &Active, next_number: u64, before: &Active) -> Option<Problem> {
        let Activation { first_sequence: found, follows_gap, .. } = active.activation;
        let expected = before.next_sequence();
        if found < expected {
            let skip = Repair::SetAside { path: self.path.clone() };
            return Some(self.problem(0, Damage::Gap { expected, found }, skip));
        }
        let skip = Repair::MarkGap { number: self.number, lost: found - expected };
        if self.number != next_number && !follows_gap {
            let damage = Damage::Missing { first: next_number, last: self.number - 1 };
            return Some(self.problem(0, damage, skip));
        }
        (found != expected && !follows_gap).then(|| self.problem(0, Damage::Gap { expected, found }, skip))
    }

    fn check_time(&self, config: &Config, active: &Active, before: &Active) -> Option<Problem> {
        let earlier_ns = before.activation.unix_ns.saturating_sub(active.activation.unix_ns);
        (config.recovery == RecoveryMode::Thorough && earlier_ns > 0)
            .then(|| self.problem(0, Damage::Time { earlier_ns }, Repair::Nothing))
    }

    fn stretch(&self, stretch: &Stretch) -> Problem {
        let Stretch { from, sequence, bad_offset, bad_sequence, bad, next, resume } = *stretch;
        let (next_offset, next_sequence) = (next.offset as u64, next.sequence);
        let damage = Damage::Record { sequence: bad_sequence, bad, next_offset, next_sequence };
        let number = self.number;
        let skip = match resume {
            Some(to) => Repair::Gap { number, range: from..to.offset, sequence, lost: to.sequence - sequence },
            None => Repair::ZeroFrom { number, offset: from },
        };
        let finding = Finding { file: self.path.clone(), offset: bad_offset as u64, damage };
        Problem { finding, truncate: Repair::CutFrom { number, offset: from }, skip }
    }
}
