//! Damaged files: each kind of damage, its error, and what each policy does.

use crate::support::{
    HEADER, config, content, directory, edit, entry, fill, filled, offsets, open, payload, segments, with_policy,
};
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use wal_log::{BadRecord, Config, Damage, Log, LogError, Policy, RecoveryMode};

/// A log of 300 entries in several segments, closed.
fn sample() -> (TempDir, Vec<PathBuf>) {
    let directory = directory();
    let log = open(config(directory.path()));
    fill(&log, 0..300);
    log.wait_until_idle().unwrap();
    drop(log);
    let files = segments(directory.path());
    assert!(files.len() >= 5);
    (directory, files)
}

fn copy(from: &Path) -> TempDir {
    let to = directory();
    for file in fs::read_dir(from).unwrap() {
        let path = file.unwrap().path();
        fs::copy(&path, to.path().join(path.file_name().unwrap())).unwrap();
    }
    to
}

/// Sequences of the first entry of each segment.
fn firsts(files: &[PathBuf]) -> Vec<u64> {
    files.iter().map(|path| u64::from_le_bytes(fs::read(path).unwrap()[64..72].try_into().unwrap())).collect()
}

/// Policy `fail` reports what `damage` does to a copy of the sample with `message` in one line, for file `index`; policy
/// `truncate` leaves `kept` entries, policy `skip` all but `lost`; and both leave a log that policy `fail` opens.
fn check(damage: impl Fn(&[PathBuf]), index: usize, message: &str, kept: u64, lost: std::ops::Range<u64>) {
    let (original, _) = sample();
    for mode in [RecoveryMode::Fast, RecoveryMode::Thorough] {
        let broken = copy(original.path());
        let files = segments(broken.path());
        damage(&files);
        let before = fs::read(&files[0]).unwrap();
        let strict = Config { recovery: mode, ..config(broken.path()) };
        let error = Log::open(strict.clone()).unwrap_err();
        let text = error.to_string();
        assert!(matches!(error, LogError::Corrupt { .. }), "{text}");
        assert!(text.contains(&*files[index].to_string_lossy()) && text.contains(message), "{text}\nlacks: {message}");
        assert!(!text.contains('\n') && text.contains("`truncate`") && text.contains("`skip`"), "{text}");
        assert_eq!(fs::read(&files[0]).unwrap(), before, "policy `fail` changes nothing");
        for (policy, expected) in [
            (Policy::Truncate, filled(0..kept)),
            (Policy::Skip, filled((0..300).filter(|number| !lost.contains(number)))),
        ] {
            let broken = copy(broken.path());
            let log = open(Config { recovery: mode, ..with_policy(broken.path(), policy) });
            assert!(content(&log) == expected, "{policy:?} after: {text}\n{:?}", log.recovery());
            assert!(!log.recovery().findings.is_empty());
            assert_eq!(log.recovery().records, expected.len() as u64);
            let next = log.next_sequence();
            log.append(entry(&payload(next, 90))).unwrap();
            drop(log);
            let log = open(Config { recovery: mode, ..config(broken.path()) });
            assert_eq!(content(&log)[..expected.len()], expected, "{policy:?} is final after: {text}");
            assert_eq!(content(&log).len(), expected.len() + 1);
        }
    }
}

#[test]
fn truncated_segment_is_damage() {
    let (_directory, files) = sample();
    let firsts = firsts(&files);
    let (second, third) = (firsts[1], firsts[2]);
    let in_half = |files: &[PathBuf]| edit(&files[1], |bytes| bytes.truncate(4096));
    let (offsets, _) = offsets(&fs::read(&files[1]).unwrap());
    // The last record that ends before the cut.
    let kept = second + offsets.iter().skip(1).filter(|offset| **offset <= 4096).count() as u64;
    check(in_half, 1, "the file has 4096 bytes, the segment 8192", kept, kept..third);
    let to_nothing = |files: &[PathBuf]| edit(&files[1], Vec::clear);
    check(to_nothing, 1, "the file has 0 bytes, fewer than a segment's header", second, second..third);
}

#[test]
fn too_long_segment_loses_nothing() {
    let (directory, files) = sample();
    edit(&files[2], |bytes| bytes.extend([7; 5000]));
    let error = Log::open(config(directory.path())).unwrap_err().to_string();
    assert!(error.contains("the file has 13192 bytes, the segment 8192"), "{error}");
    assert_eq!(content(&open(with_policy(directory.path(), Policy::Truncate))), filled(0..300));
    assert_eq!(content(&open(config(directory.path()))), filled(0..300));
}

#[test]
fn zero_filled_segment_is_damage() {
    let (_directory, files) = sample();
    let firsts = firsts(&files);
    let whole = |files: &[PathBuf]| edit(&files[1], |bytes| bytes.fill(0));
    check(whole, 1, "the segment's header is zero-filled", firsts[1], firsts[1]..firsts[2]);
    // From a record on: the next segment shows that something is missing.
    let (offsets, _) = offsets(&fs::read(&files[1]).unwrap());
    let rest = move |files: &[PathBuf]| edit(&files[1], |bytes| bytes[offsets[10]..].fill(0));
    let end = firsts[1] + 10;
    check(
        rest,
        2,
        &format!("begins with sequence {}, the one before ends in front of {end}", firsts[2]),
        end,
        end..firsts[2],
    );
}

#[test]
fn flipped_bit_in_a_header_is_damage() {
    let (_directory, files) = sample();
    let firsts = firsts(&files);
    let lost = firsts[2]..firsts[3];
    let flip = |byte: usize| move |files: &[PathBuf]| edit(&files[2], |bytes| bytes[byte] ^= 16);
    check(flip(3), 2, "the file is not a segment: it starts with", firsts[2], lost.clone());
    check(flip(8), 2, "the segment's header has CRC32C", firsts[2], lost.clone());
    check(flip(33), 2, "the segment's header has CRC32C", firsts[2], lost.clone());
    check(flip(61), 2, "the segment's header has CRC32C", firsts[2], lost.clone());
    check(flip(64), 2, "the segment's activation has CRC32C", firsts[2], lost.clone());
    let deactivate = |files: &[PathBuf]| edit(&files[2], |bytes| bytes[64..HEADER].fill(0));
    check(deactivate, 2, "is in use, but its header does not say since which sequence", firsts[2], lost);
}

#[test]
fn flipped_bit_in_a_record_is_damage() {
    let (_directory, files) = sample();
    let firsts = firsts(&files);
    let (offsets, _) = offsets(&fs::read(&files[1]).unwrap());
    let at = firsts[1] + 5;
    for byte in [0, 1, 3, 4, 7, 8, 15, 16, 18, 20, 24, 60] {
        let offset = offsets[5];
        let flip = move |files: &[PathBuf]| edit(&files[1], |bytes| bytes[offset + byte] ^= 2);
        let message = format!("byte {offset}: record {at} has ");
        check(flip, 1, &message, at, at..at + 1);
    }
    // Several records in two segments, in one go: the first is told, and that there are more.
    let next = offsets[9];
    let third = self::offsets(&fs::read(&files[2]).unwrap()).0[0];
    let (original, _) = sample();
    let files = segments(original.path());
    edit(&files[1], |bytes| {
        bytes[offsets[5] + 30] ^= 1;
        bytes[next + 30] ^= 1;
    });
    edit(&files[2], |bytes| bytes[third + 30] ^= 1);
    let error = Log::open(config(original.path())).unwrap_err().to_string();
    assert!(error.contains("(and 2 more places)"), "{error}");
    let log = open(with_policy(original.path(), Policy::Skip));
    let lost = [at, at + 4, firsts[2]];
    assert_eq!(content(&log), filled((0..300).filter(|number| !lost.contains(number))));
    assert_eq!((log.recovery().skipped_records, log.recovery().findings.len()), (3, 3));
    for sequence in lost {
        let error = log.read(sequence).unwrap_err();
        assert_eq!(error, wal_log::ReadError::Lost { sequence, next: sequence + 1 });
    }
}

#[test]
fn flipped_bit_in_the_last_record_is_a_torn_tail() {
    let (directory, files) = sample();
    let active = files.iter().rev().find(|path| fs::read(path).unwrap()[88] == 1).unwrap();
    edit(active, |bytes| {
        let last = *offsets(bytes).0.last().unwrap();
        bytes[last + 30] ^= 1;
    });
    for _ in 0..2 {
        let log = open(config(directory.path()));
        assert_eq!(content(&log), filled(0..299));
    }
}

#[test]
fn missing_segment_is_damage() {
    let (_directory, files) = sample();
    let firsts = firsts(&files);
    let remove = |files: &[PathBuf]| fs::remove_file(&files[1]).unwrap();
    check(remove, 2, "segments 2 to 2 are missing in front of this one", firsts[1], firsts[1]..firsts[2]);
    let remove = |files: &[PathBuf]| files[1..3].iter().for_each(|path| fs::remove_file(path).unwrap());
    check(remove, 3, "segments 2 to 3 are missing in front of this one", firsts[1], firsts[1]..firsts[3]);
}

#[test]
fn segment_with_another_number_is_damage() {
    let (_directory, files) = sample();
    let firsts = firsts(&files);
    let swap = |files: &[PathBuf]| {
        let aside = files[1].with_extension("x");
        fs::rename(&files[1], &aside).unwrap();
        fs::rename(&files[2], &files[1]).unwrap();
        fs::rename(&aside, &files[2]).unwrap();
    };
    check(swap, 1, "the segment's header has number 3, its name 2", firsts[1], firsts[1]..firsts[3]);
}

#[test]
fn segment_of_another_log_is_damage() {
    let (_directory, files) = sample();
    let firsts = firsts(&files);
    let (_other, others) = sample();
    let replace = move |files: &[PathBuf]| assert_eq!(fs::copy(&others[1], &files[1]).unwrap(), 8192);
    check(replace, 1, "the segment belongs to log ", firsts[1], firsts[1]..firsts[2]);
}

#[test]
fn older_copy_of_a_segment_is_damage() {
    let directory = directory();
    let recycling = Config { retention: wal_log::Retention::Segments(2), ..config(directory.path()) };
    let log = open(recycling.clone());
    fill(&log, 0..50);
    let old = fs::read(&segments(directory.path())[0]).unwrap();
    (50..400).for_each(|number| {
        fill(&log, number..number + 1);
        log.wait_until_idle().unwrap();
    });
    drop(log);
    let files = segments(directory.path());
    fs::write(&files[1], old).unwrap();
    let error = Log::open(recycling).unwrap_err().to_string();
    assert!(error.contains("the segment's header has number 1, its name "), "{error}");
}

#[test]
fn missing_or_damaged_identity_is_damage() {
    for damage in [|path: &Path| fs::remove_file(path).unwrap(), |path: &Path| edit(path, |bytes| bytes[20] ^= 1)] {
        let (directory, _) = sample();
        damage(&directory.path().join("identity"));
        let error = Log::open(config(directory.path())).unwrap_err().to_string();
        assert!(error.contains("the file that names their log is missing or damaged"), "{error}");
        let log = open(with_policy(directory.path(), Policy::Skip));
        assert_eq!((content(&log), log.recovery().findings.len()), (filled(0..300), 1));
        drop(log);
        open(config(directory.path()));
    }
}

#[test]
fn second_writer_is_refused_with_the_holder() {
    let directory = directory();
    let log = open(config(directory.path()));
    let error = Log::open(config(directory.path())).unwrap_err();
    let expected =
        format!("{} is open in process {}; close it there first", directory.path().display(), std::process::id());
    assert_eq!(error.to_string(), expected);
    drop(log);
    open(config(directory.path()));
}

#[test]
fn directory_that_cannot_be_created_is_reported() {
    let directory = directory();
    fs::write(directory.path().join("file"), "").unwrap();
    let error = Log::open(config(&directory.path().join("file/log"))).unwrap_err();
    assert!(error.to_string().starts_with("mkdir failed for "), "{error}");
}

#[test]
fn configuration_out_of_range_is_reported() {
    let directory = directory();
    let check = |change: fn(&mut Config), expect: &str| {
        let mut config = config(directory.path());
        change(&mut config);
        assert_eq!(Log::open(config).unwrap_err().to_string(), expect);
    };
    let sizes = "a multiple of 4096 from 4096 to 4294901760";
    check(|config| config.segment_bytes = 5000, &format!("segment_bytes is 5000, and must be {sizes}"));
    check(|config| config.segment_bytes = 0, &format!("segment_bytes is 0, and must be {sizes}"));
    check(|config| config.segments_ahead = 0, "segments_ahead is 0, and must be from 1 to 64");
    check(|config| config.recovery_threads = 65, "recovery_threads is 65, and must be from 1 to 64");
    check(
        |config| config.retention = wal_log::Retention::Segments(0),
        "retention is 0, and must be 1 or more, because the segment that is written counts",
    );
}

#[test]
fn unfinished_files_are_removed_and_unknown_ones_kept() {
    let (directory, _) = sample();
    let (unfinished, strange) = (directory.path().join("00000000000000ff.new"), directory.path().join("notes.wal"));
    fs::write(&unfinished, "half a segment").unwrap();
    fs::write(&strange, "somebody's").unwrap();
    assert_eq!(content(&open(config(directory.path()))), filled(0..300));
    assert!(!unfinished.exists() && strange.exists());
}

#[test]
fn thorough_recovery_reports_a_clock_that_went_backwards() {
    let (directory, files) = sample();
    // An activation is four words, the last of which has the checksum of the epoch and the first three.
    edit(&files[1], |bytes| {
        bytes[72..80].copy_from_slice(&5_u64.to_le_bytes());
        let covered = [&bytes[48..56], &bytes[64..88]].concat();
        let crc = crc32c::crc32c(&covered);
        bytes[92..96].copy_from_slice(&crc.to_le_bytes());
    });
    assert!(open(config(directory.path())).recovery().findings.is_empty());
    let log = open(Config { recovery: RecoveryMode::Thorough, ..config(directory.path()) });
    let [finding] = &log.recovery().findings[..] else { panic!("one finding") };
    assert!(matches!(finding.damage, Damage::Time { .. }), "{finding}");
    assert_eq!(content(&log), filled(0..300), "which is no damage to the records");
}

#[test]
fn thorough_recovery_finds_records_after_a_segments_end() {
    let (directory, files) = sample();
    // The header of the third segment says that it begins where the second was cut: only what lies behind the cut tells.
    let firsts = firsts(&files);
    let last = *offsets(&fs::read(&files[1]).unwrap()).0.last().unwrap();
    edit(&files[1], |bytes| {
        let (offsets, _) = offsets(bytes);
        let cut = offsets[offsets.len() - 3];
        bytes[cut..cut + 8].fill(0);
    });
    edit(&files[2], |bytes| {
        bytes[64..72].copy_from_slice(&(firsts[2] - 3).to_le_bytes());
        let covered = [&bytes[48..56], &bytes[64..88]].concat();
        let crc = crc32c::crc32c(&covered);
        bytes[92..96].copy_from_slice(&crc.to_le_bytes());
    });
    let thorough = Config { recovery: RecoveryMode::Thorough, ..config(directory.path()) };
    let LogError::Corrupt { finding, .. } = Log::open(thorough).unwrap_err() else { panic!("corrupt") };
    let Damage::Record { bad: BadRecord::Empty, next_offset, .. } = finding.damage else { panic!("{finding}") };
    assert!(next_offset as usize <= last);
}
