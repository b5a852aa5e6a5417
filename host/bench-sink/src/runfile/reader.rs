//! Reads a run file. An incomplete last line, which a kill or a full disk leaves, is skipped and reported; any other invalid line is
//! an error.

use super::{
    AccountRecord, CalibrationRecord, CellRecord, CheckRecord, EndRecord, FILE_NAME, FORMAT_VERSION, LadderRecord,
    LedgerRecord, LookRecord, ModuleRecord, OutcomeRecord, PairingRecord, PartRecord, Record, ResumedRecord, RunRecord,
    SeriesRecord, sealed,
};
use crate::regular;
use bench_model::Checksum;
use memchr::memmem;
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::borrow::Cow;
use std::io;
use std::path::{Path, PathBuf};

/// The complete records of a run file, in order.
#[derive(Clone, Debug)]
pub struct RunFile {
    /// The directory of the run.
    pub directory: PathBuf,
    /// The records.
    pub records: Vec<Record>,
    /// The incomplete last line, if there is one.
    pub torn: Option<TornTail>,
}

/// Maximum size of a run file that is read into memory; a run of a day has some hundred MiB.
pub const FILE_BYTES_MAX: u64 = 4 << 30;

/// An incomplete last line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TornTail {
    /// The number of the line, from 1.
    pub line: usize,
    /// The number of its bytes.
    pub bytes: usize,
}

/// The reason why a run file cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file does not exist, or is not readable.
    #[error("cannot read {}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// A line is not a record.
    #[error("{}:{line}: not a record of a run file", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// The cause.
        #[source]
        source: serde_json::Error,
    },
    /// A later version wrote the file.
    #[error("{}:{line}: record version {found}, but this bench-host reads only up to version {FORMAT_VERSION}; use a newer one", path.display())]
    Version {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// The version in the line.
        found: u32,
    },
    /// A line is not the one that was written.
    #[error(
        "{}:{line}: changed since it was written: its digest is {found}, and was {written}; if that was on purpose, remove the field `digest` \
         from the line", path.display()
    )]
    Changed {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// The digest in the line.
        written: Checksum,
        /// That of its other fields.
        found: Checksum,
    },
    /// A series contradicts itself.
    #[error("{}:{line}: not a series as it was recorded: {fault}", path.display())]
    Series {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// What does not fit.
        fault: String,
    },
}

/// The version and the kind of a record.
#[derive(Deserialize)]
struct Tag<'a> {
    v: u32,
    #[serde(borrow)]
    record: Cow<'a, str>,
}

impl<'a> Tag<'a> {
    fn of(text: &'a [u8]) -> Result<Self, serde_json::Error> {
        Self::in_front(text).map_or_else(|| serde_json::from_slice(text), Ok)
    }

    /// That of a line that begins with it, as [`encode`](super::encode) writes all of this version: looking for it takes as long as reading the
    /// record. `None` if the line may have another one, which is an error.
    fn in_front(text: &'a [u8]) -> Option<Self> {
        const { assert!(FORMAT_VERSION == 1) };
        let rest = text.strip_prefix(b"{\"v\":1,\"record\":\"")?;
        let (kind, fields) = rest.split_at(memchr::memchr(b'"', rest)?);
        // A name may be written with escapes. Texts have them too, but few records have such texts.
        let is_once = [&b"\"v\""[..], b"\"record\"", b"\\u"].iter().all(|name| memmem::find(fields, name).is_none());
        let is_plain = kind.iter().all(u8::is_ascii_alphabetic);
        let record = str::from_utf8(kind).ok().filter(|_| is_plain && is_once)?;
        Some(Self { v: FORMAT_VERSION, record: record.into() })
    }
}

impl RunFile {
    /// Reads the run file in `directory`, or `directory` itself if it is a file.
    pub fn read(directory: &Path) -> Result<Self, ReadError> {
        // A link to a folder is one, and a pipe in place of the file is not opened.
        let path = if directory.is_dir() { directory.join(FILE_NAME) } else { directory.to_owned() };
        let bytes =
            regular::read(&path, FILE_BYTES_MAX).map_err(|source| ReadError::Io { path: path.clone(), source })?;
        let (lines, torn) = lines(&path, &bytes)?;
        unchanged(&path, &bytes, &lines)?;
        let records = lines.into_iter().filter_map(|line| line.record).collect();
        Ok(Self { directory: path.parent().unwrap_or(Path::new(".")).to_owned(), records, torn })
    }
}

/// A complete line.
pub(super) struct WholeLine {
    /// The record; `None` for a kind that a later minor version added.
    pub(super) record: Option<Record>,
    /// The number of bytes of the file up to the end of the line.
    pub(super) end: usize,
}

/// The complete lines of the run file `bytes`, and the incomplete last one.
pub(super) fn lines(path: &Path, bytes: &[u8]) -> Result<(Vec<WholeLine>, Option<TornTail>), ReadError> {
    let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let mut lines = Vec::new();
    let mut end = 0;
    for text in bytes[..whole].split_inclusive(|byte| *byte == b'\n') {
        end += text.len();
        lines.push(WholeLine { record: parse(path, lines.len() + 1, text)?, end });
    }
    let torn = bytes.len() - whole;
    let torn = (torn > 0).then_some(TornTail { line: lines.len() + 1, bytes: torn });
    Ok((lines, torn))
}

/// An error if a line of the file `bytes` is not the one that was written, or has a series that contradicts itself.
fn unchanged(path: &Path, bytes: &[u8], lines: &[WholeLine]) -> Result<(), ReadError> {
    let mut begin = 0;
    for (line, WholeLine { record, end }) in (1..).zip(lines) {
        if let Some((written, found)) = sealed::broken(&bytes[begin..*end]) {
            return Err(ReadError::Changed { path: path.to_owned(), line, written, found });
        }
        if let Some(Record::Series(series)) = record
            && let Some(fault) = series.fault()
        {
            return Err(ReadError::Series { path: path.to_owned(), line, fault });
        }
        begin = *end;
    }
    Ok(())
}

/// The kind of the record in a line, which is not read.
pub(super) fn kind<'a>(path: &Path, line: usize, text: &'a [u8]) -> Result<Cow<'a, str>, ReadError> {
    let tag = Tag::of(text).map_err(|source| syntax(path, line, source))?;
    if tag.v > FORMAT_VERSION {
        return Err(ReadError::Version { path: path.to_owned(), line, found: tag.v });
    }
    Ok(tag.record)
}

fn syntax(path: &Path, line: usize, source: serde_json::Error) -> ReadError {
    ReadError::Syntax { path: path.to_owned(), line, source: one_line(source) }
}

/// Parses the record in a line; `None` for a kind that a later minor version added.
pub(super) fn parse(path: &Path, line: usize, text: &[u8]) -> Result<Option<Record>, ReadError> {
    let syntax = |source| syntax(path, line, source);
    let record = match &*kind(path, line, text)? {
        "run" => serde_json::from_slice::<RunRecord>(text).map(Record::Run),
        "module" => serde_json::from_slice::<ModuleRecord>(text).map(Record::Module),
        "part" => serde_json::from_slice::<PartRecord>(text).map(Record::Part),
        "resumed" => serde_json::from_slice::<ResumedRecord>(text).map(Record::Resumed),
        "calibration" => serde_json::from_slice::<CalibrationRecord>(text).map(Record::Calibration),
        "cell" => serde_json::from_slice::<CellRecord>(text).map(Record::Cell),
        "series" => serde_json::from_slice::<SeriesRecord>(text).map(Record::Series),
        "check" => serde_json::from_slice::<CheckRecord>(text).map(Record::Check),
        "outcome" => serde_json::from_slice::<OutcomeRecord>(text).map(Record::Outcome),
        "ladder" => serde_json::from_slice::<LadderRecord>(text).map(Record::Ladder),
        "look" => serde_json::from_slice::<LookRecord>(text).map(Record::Look),
        "pairing" => serde_json::from_slice::<PairingRecord>(text).map(Record::Pairing),
        "ledger" => serde_json::from_slice::<LedgerRecord>(text).map(Record::Ledger),
        "account" => serde_json::from_slice::<AccountRecord>(text).map(Record::Account),
        "end" => serde_json::from_slice::<EndRecord>(text).map(Record::End),
        _ => return serde_json::from_slice::<IgnoredAny>(text).map(|_| None).map_err(syntax),
    };
    record.map(Some).map_err(syntax)
}

/// The error without control characters, which may come from quoted text.
fn one_line(error: serde_json::Error) -> serde_json::Error {
    let text = error.to_string();
    if text.contains(char::is_control) {
        return serde::de::Error::custom(text.replace(char::is_control, " "));
    }
    error
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Series;
    use crate::runfile::{RunWriter, Status, encode};
    use bench_model::{Direction, Unit};
    use proptest::prelude::*;
    use std::fs;

    fn outcome(cell: u32) -> Record {
        let reason = Some("line one\nline two".to_owned());
        Record::Outcome(OutcomeRecord { reason, ..OutcomeRecord::without_figures(cell, 0, Status::Failed) })
    }

    fn written(blocks: u32) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let directory = folder.path().join("run");
        let mut writer = RunWriter::create(&directory).unwrap();
        for cell in 0..blocks {
            writer.append(&[outcome(cell), outcome(cell)]).unwrap();
        }
        (folder, directory)
    }

    fn cells(file: &RunFile) -> Vec<u32> {
        file.records
            .iter()
            .filter_map(|record| if let Record::Outcome(outcome) = record { Some(outcome.cell) } else { None })
            .collect()
    }

    #[test]
    fn existing_run_directory_is_not_overwritten() {
        let (_folder, directory) = written(1);
        let error = RunWriter::create(&directory).unwrap_err();
        assert_eq!(error.source.kind(), io::ErrorKind::AlreadyExists);
    }

    #[test]
    fn later_version_or_invalid_line_is_an_error_with_its_line() {
        let (_folder, directory) = written(1);
        let path = directory.join(FILE_NAME);
        let good = fs::read_to_string(&path).unwrap();
        fs::write(&path, format!("{good}{{\"v\":2,\"record\":\"run\"}}\n")).unwrap();
        assert!(matches!(RunFile::read(&directory), Err(ReadError::Version { line: 3, found: 2, .. })));
        fs::write(&path, format!("garbage\n{good}")).unwrap();
        assert!(matches!(RunFile::read(&directory), Err(ReadError::Syntax { line: 1, .. })));
        fs::write(&path, format!("{{\"v\":1,\"record\":\"not yet\"}}\n{good}")).unwrap();
        assert_eq!(cells(&RunFile::read(&directory).unwrap()), [0, 0]);
    }

    #[test]
    fn changed_line_and_series_that_contradicts_itself_are_named() {
        let (_folder, directory) = written(2);
        let path = directory.join(FILE_NAME);
        let good = fs::read_to_string(&path).unwrap();
        let changed = good.replacen("\"cell\":1", "\"cell\":7", 1);
        fs::write(&path, &changed).unwrap();
        assert!(matches!(RunFile::read(&directory), Err(ReadError::Changed { line: 3, .. })));
        // Whoever changes it on purpose removes the digest.
        fs::write(&path, changed.replace("\"digest\"", "\"was\"")).unwrap();
        assert_eq!(cells(&RunFile::read(&directory).unwrap()), [0, 0, 7, 1]);
        let check = |change: fn(&mut SeriesRecord), expect: Option<&str>| {
            let mut series = Series::new("s", Unit::Nanoseconds, Direction::LowerIsBetter);
            [5, 5_000].into_iter().for_each(|sample| series.record(sample));
            let mut record = SeriesRecord::new(0, 0, &series);
            change(&mut record);
            fs::write(&path, [good.as_bytes(), &encode(&[Record::Series(record)])[..]].concat()).unwrap();
            let fault = match RunFile::read(&directory) {
                Err(ReadError::Series { line: 5, fault, .. }) => Some(fault),
                found => found.map(|_| None).unwrap(),
            };
            assert_eq!(fault.as_deref().map(|fault| fault.contains(expect.unwrap_or("nothing"))), expect.map(|_| true));
        };
        check(|_| (), None);
        check(|record| record.raw = None, None);
        check(|record| record.batch = 0, Some("spans no operation"));
        check(|record| record.count = 3, Some("announces 3 samples, and its histogram counts 2"));
        check(|record| record.raw = Some(vec![5, 50_000]), Some("not those that its histogram counts"));
        check(|record| record.raw = Some(vec![5]), Some("not those that its histogram counts"));
        check(|record| record.histogram = "x".to_owned(), Some("not an HDR V2 histogram"));
    }

    #[test]
    fn tag_is_found_wherever_it_is_in_the_line() {
        let check = |line: &str, expect: Result<Option<u32>, ()>| {
            let found = parse(Path::new("run.jsonl"), 1, line.as_bytes()).map_err(drop);
            let cell = |record: Option<Record>| match record {
                Some(Record::Outcome(outcome)) => Some(outcome.cell),
                _ => None,
            };
            assert_eq!(found.map(cell), expect, "{line}");
        };
        let written = String::from_utf8(super::super::encode(&[outcome(7)])).unwrap();
        assert!(Tag::in_front(written.as_bytes()).is_some(), "{written}");
        check(&written, Ok(Some(7)));
        let (_, fields) = written.split_once(",\"record\":\"outcome\",").unwrap();
        let fields = fields.trim_end().trim_end_matches('}');
        check(&format!("{{{fields},\"record\":\"outcome\",\"v\":1}}"), Ok(Some(7)));
        check(&format!("{{ \"v\": 1, \"record\": \"outcome\", {fields}}}"), Ok(Some(7)));
        check(&format!("{{\"v\":1,\"record\":\"outc\\u006fme\",{fields}}}"), Ok(Some(7)));
        // A second one is an error, wherever it is, but not as a text or in another object.
        for second in ["\"record\":\"outcome\"", "\"v\":1", "\"\\u0076\":1", "\"record\" :\"end\""] {
            check(&format!("{{\"v\":1,\"record\":\"outcome\",{fields},{second}}}"), Err(()));
        }
        for other in ["\"of\":\"v\"", "\"of\":{\"v\":1,\"record\":2}", "\"of\":\"\\u0076\""] {
            check(&format!("{{\"v\":1,\"record\":\"outcome\",{fields},{other}}}"), Ok(Some(7)));
        }
        // The kind of a later version, whole and broken.
        check("{\"v\":1,\"record\":\"later\",\"of\":[1]}", Ok(None));
        check("{\"v\":1,\"record\":\"later\",\"of\":[1}", Err(()));
        check("{\"v\":1,\"record\":\"later", Err(()));
        check("{\"v\":10,\"record\":\"outcome\"}", Err(()));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn cut_file_yields_its_complete_lines(share in 0.0f64..=1.0) {
            let (_folder, directory) = written(3);
            let path = directory.join(FILE_NAME);
            let bytes = fs::read(&path).unwrap();
            let cut = (bytes.len() as f64 * share) as usize;
            fs::write(&path, &bytes[..cut]).unwrap();
            let file = RunFile::read(&directory).unwrap();
            let whole = bytes[..cut].iter().filter(|byte| **byte == b'\n').count();
            prop_assert_eq!(&cells(&file)[..], &[0, 0, 1, 1, 2, 2][..whole]);
            let ends_whole = cut == 0 || bytes[cut - 1] == b'\n';
            prop_assert_eq!(file.torn.is_none(), ends_whole);
        }
    }
}
