//! Rotation, reopening, and damaged files.

use super::*;
use tempfile::TempDir;

const SEGMENT_BYTES: usize = 64 << 10;

fn log(folder: &TempDir, durability: &str) -> FileLog {
    let text = folder.path().to_str().unwrap();
    let arguments = [
        ("directory", Value::from(text)),
        ("durability", durability.into()),
        ("segment_bytes", (SEGMENT_BYTES as i64).into()),
    ];
    FileLog::open(&arguments.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()).unwrap()
}

fn payload(sequence: u64) -> Vec<u8> {
    vec![sequence as u8; 700 + (sequence % 300) as usize]
}

#[track_caller]
fn check(log: &mut FileLog, readable: Range<u64>) {
    assert_eq!(log.readable(), Ok(readable.clone()));
    for sequence in readable.clone() {
        let mut found = Vec::new();
        log.read(sequence, |payload| found = payload.to_vec()).unwrap();
        assert!(found == payload(sequence), "sequence {sequence}");
    }
    assert!(log.read(readable.end, |_| {}).is_err());
}

#[test]
fn payloads_survive_reopening_until_they_are_overwritten() {
    for durability in ["none", "each"] {
        let folder = tempfile::tempdir().unwrap();
        let mut log = log(&folder, durability);
        assert_eq!(log.readable(), Ok(0..0));
        for sequence in 0..150 {
            assert_eq!(log.append(&payload(sequence)), Ok(sequence));
        }
        check(&mut log, 0..150);
        for sequence in 150..1_000 {
            assert_eq!(log.append(&payload(sequence)), Ok(sequence));
        }
        let readable = log.readable().unwrap();
        assert!(readable.start > 650 && readable.start < 800, "{readable:?}");
        check(&mut log, readable);
        drop(log);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}

#[test]
fn a_batch_continues_in_the_next_segment() {
    let folder = tempfile::tempdir().unwrap();
    let mut log = log(&folder, "each");
    let payloads: Vec<_> = (0..200).map(payload).collect();
    assert_eq!(log.append_batch(&payloads.as_slice()), Ok(0..200));
    assert_eq!(log.append_batch(&[].as_slice()), Ok(200..200));
    assert!(log.segments.len() > 2);
    check(&mut log, 0..200);
    // Appends continue where the log ended.
    assert_eq!(log.append(&payload(200)), Ok(200));
    check(&mut log, 0..201);
}

#[test]
fn damage_ends_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let mut log = log(&folder, "none");
    (0..100).for_each(|sequence| _ = log.append(&payload(sequence)).unwrap());
    let file = log.directory.join("0");
    let mut bytes = fs::read(&file).unwrap();
    let at = HEADER_BYTES + (0..50).map(|sequence| HEAD_BYTES + payload(sequence).len()).sum::<usize>() + 100;
    bytes[at] ^= 1;
    fs::write(&file, bytes).unwrap();
    assert!(log.read(50, |_| {}).is_err());
    check(&mut log, 0..50);
}

#[test]
fn a_payload_larger_than_a_segment_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut log = log(&folder, "none");
    let most = SEGMENT_BYTES - HEADER_BYTES - HEAD_BYTES;
    assert!(matches!(log.append(&vec![0; most + 1]), Err(ModuleError::InvalidArgument(_))));
    assert_eq!(log.append(&vec![0; most]), Ok(0));
    assert_eq!(log.append(&vec![0; most]), Ok(1));
}
