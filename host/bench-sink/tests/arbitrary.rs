//! Property tests of the reader: arbitrary and mutated run files are read, or refused with one line that names the line of the
//! file.

use bench_sink::RecordedHistogram;
use bench_sink::runfile::{FILE_NAME, Record, RunFile, RunWriter, encode};
use proptest::prelude::*;
use std::error::Error;
use std::fs;
use std::path::Path;

/// A line of each kind that is written as one piece.
const LINES: [&str; 11] = [
    r#"{"v":1,"record":"run","id":"r","started":"2026-01-01T00:00:00Z","seed":7,"command":["run","a"],"planned":{"cells":1,"processes":1,"time_ns":5},"fingerprint":{"host_version":"0.1.0","os":"linux","kernel":"6","architecture":"x86_64","cpus":2,"load":[0.5,0.25,0.1]}}"#,
    r#"{"v":1,"record":"module","file":"a.wasm","sha256":"00","descriptor":{"name":"a","version":"1","scenarios":[{"name":"s","family":"f"}]}}"#,
    r#"{"v":1,"record":"calibration","when":"before","limits":[{"limit":"memory-copy","unit":"ns","median":1.5,"count":3,"detail":""}]}"#,
    r#"{"v":1,"record":"cell","cell":0,"process":0,"scenario":"s","family":"f","arm":"wasm","arguments":{"n":1},"module":{"file":"a.wasm","sha256":"00"}}"#,
    r#"{"v":1,"record":"series","cell":0,"process":0,"metric":"s","unit":"ns","direction":"lower-is-better","labels":[["a","b"]],"batch":1,"count":2,"histogram":"HISTEwAAAAMAAAAAAAAAAwAAAAAAAAABAAAAAAAAAAI/8AAAAAAAAAACAg==","raw":[1,2]}"#,
    r#"{"v":1,"record":"check","cell":0,"process":0,"name":"c","passed":true,"detail":""}"#,
    r#"{"v":1,"record":"outcome","cell":0,"process":0,"status":"ok","iterations":1,"checksum":"0000000000000001","overhead":{"clock_ns":1.0,"call_ns":2.0}}"#,
    r#"{"v":1,"record":"pairing","process":0,"cells":[0,1],"sessions":2}"#,
    r#"{"v":1,"record":"account","cell":0,"process":0,"watched":3,"counted":8,"hardware":{"counted":{"cycles":2,"instructions":5,"cache_misses":1,"branch_misses":1,"reading_ns":812.5}},"outliers":{"samples":1000,"batch":4,"threshold_ns":2500,"slow":10,"causes":[{"name":"page fault","slow":3,"all":4}],"unexplained":7,"reading_ns":900.5}}"#,
    r#"{"v":1,"record":"account","cell":1,"process":0,"watched":3,"counted":8,"hardware":{"absent":"none"},"outliers":{"absent":"too long"}}"#,
    r#"{"v":1,"record":"end","finished":"2026-01-01T00:00:01Z"}"#,
];

/// What a mutation puts in: parts of JSON, and values of another kind or out of range.
const FRAGMENTS: &[&str] = &[
    "\"",
    "\\",
    "[",
    "]",
    "{",
    "}",
    ",",
    ":",
    "\n",
    "\r\n",
    "\0",
    "-1",
    "1e999",
    "4294967296",
    "18446744073709551616",
    "null",
    "true",
    "\"two\\nlines\"",
    "\"\\u001b[2J\"",
    "[[[[[[[[",
    "é",
    "\u{fffd}",
];

fn text() -> Vec<u8> {
    LINES.map(|line| format!("{line}\n")).concat().into_bytes()
}

/// The bytes of a whole run file with some parts replaced, each at a share of the length, and the rest cut off at another.
fn mutated() -> impl Strategy<Value = Vec<u8>> {
    let edit = (0.0f64..1.0, 0usize..12, proptest::sample::select(FRAGMENTS));
    (proptest::collection::vec(edit, 0..5), 0.5f64..1.5).prop_map(|(edits, kept)| {
        let mut bytes = text();
        for (share, removed, fragment) in edits {
            let from = (bytes.len() as f64 * share) as usize;
            let to = bytes.len().min(from + removed);
            bytes.splice(from..to, fragment.bytes());
        }
        bytes.truncate((bytes.len() as f64 * kept) as usize);
        bytes
    })
}

/// Reads the bytes as a run file: how many records there are, or the whole error.
fn read(bytes: &[u8]) -> Result<RunFile, String> {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(FILE_NAME), bytes).unwrap();
    RunFile::read(folder.path()).map_err(|error| {
        let error: &dyn Error = &error;
        let chain = std::iter::successors(Some(error), |error| (*error).source());
        chain.map(ToString::to_string).collect::<Vec<_>>().join(": ")
    })
}

/// Reads the bytes, the histograms in them too, and looks at how they are refused.
fn check(bytes: &[u8]) -> Result<(), TestCaseError> {
    let lines = bytes.iter().filter(|byte| **byte == b'\n').count();
    match read(bytes) {
        Ok(file) => {
            prop_assert!(file.records.len() <= lines);
            for record in &file.records {
                if let Record::Series(series) = record
                    && let Err(error) = RecordedHistogram::decode(&series.histogram)
                {
                    prop_assert!(!error.to_string().contains(char::is_control), "{error}");
                }
            }
        }
        Err(error) => {
            let numbered = (1..=lines).any(|line| error.contains(&format!("{FILE_NAME}:{line}: ")));
            prop_assert!(numbered && !error.contains(char::is_control), "{error:?}");
        }
    }
    Ok(())
}

#[test]
fn file_without_mutation_is_valid() {
    let file = read(&text()).unwrap();
    assert_eq!((file.records.len(), file.torn), (LINES.len(), None));
    assert!(RunFile::read(Path::new("no-such-run")).is_err());
}

#[test]
fn no_changed_byte_of_a_written_file_changes_a_record_without_a_word() {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().join("run");
    let mut writer = RunWriter::create(&directory).unwrap();
    writer.append(&read(&text()).unwrap().records).unwrap();
    drop(writer);
    let path = directory.join(FILE_NAME);
    let bytes = fs::read(&path).unwrap();
    let written = encode(&RunFile::read(&directory).unwrap().records);
    assert_eq!(written, bytes);
    let mut refused = 0;
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1 << (at % 7);
        fs::write(&path, &changed).unwrap();
        match RunFile::read(&directory) {
            // Of the digest itself, or of the end of the last line.
            Ok(file) => assert!(file.torn.is_some() || encode(&file.records) == written, "byte {at}"),
            Err(error) => {
                assert!(error.to_string().contains(&format!("{FILE_NAME}:")), "byte {at}: {error}");
                refused += 1;
            }
        }
    }
    assert!(refused * 10 > bytes.len() * 8, "{refused} of {}", bytes.len());
}

#[test]
fn deep_nesting_is_refused() {
    check(format!("{{\"v\":1,\"record\":\"end\",\"finished\":{}\n", "[".repeat(1 << 20)).as_bytes()).unwrap();
}

proptest! {
    #[test]
    fn arbitrary_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        check(&bytes)?;
    }

    #[test]
    fn arbitrary_line_is_read_or_refused(line in "\\PC{0,80}", at in 0usize..LINES.len()) {
        let mut lines = LINES.map(str::to_owned);
        lines[at] = line;
        check(format!("{}\n", lines.join("\n")).as_bytes())?;
    }

    #[test]
    fn mutated_run_file_is_read_or_refused(bytes in mutated()) {
        check(&bytes)?;
    }
}
