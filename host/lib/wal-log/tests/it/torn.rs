//! Torn writes and random damage: never a wrong record, never a panic, and what is cut stays cut.

use crate::support::{config, content, directory, edit, entry, offsets, open, segments, with_policy};
use proptest::prelude::*;
use std::fs;
use std::path::Path;
use wal_log::{Config, Entry, Log, LogError, Policy, RecoveryMode, Retention, StreamId};

/// What happens to a file, at positions given as parts of its length.
#[derive(Clone, Debug)]
enum Tear {
    /// Everything from there on is zero, as where an append never got.
    Zero(prop::sample::Index),
    /// Everything from there on is noise.
    Noise(prop::sample::Index, Vec<u8>),
    /// Some pages never reached the disk.
    Pages(Vec<prop::sample::Index>),
    /// Bits are flipped.
    Flips(Vec<(prop::sample::Index, u8)>),
    /// A stretch appears again elsewhere.
    Copy(prop::sample::Index, prop::sample::Index, usize),
    /// The file ends there.
    Cut(prop::sample::Index),
}

fn tear() -> impl Strategy<Value = Tear> {
    let index = any::<prop::sample::Index>;
    let noise = prop::collection::vec(any::<u8>(), 1..300);
    prop_oneof![
        index().prop_map(Tear::Zero),
        (index(), noise).prop_map(|(at, noise)| Tear::Noise(at, noise)),
        prop::collection::vec(index(), 1..3).prop_map(Tear::Pages),
        prop::collection::vec((index(), 0_u8..8), 1..4).prop_map(Tear::Flips),
        (index(), index(), 1_usize..600).prop_map(|(from, to, len)| Tear::Copy(from, to, len)),
        index().prop_map(Tear::Cut),
    ]
}

impl Tear {
    fn apply(&self, bytes: &mut Vec<u8>) {
        let len = bytes.len();
        match self {
            Self::Zero(at) => bytes[at.index(len)..].fill(0),
            Self::Noise(at, noise) => {
                bytes[at.index(len)..].iter_mut().zip(noise.iter().cycle()).for_each(|(byte, noise)| *byte = *noise);
            }
            Self::Pages(pages) => {
                // Small ones, so that a segment has several.
                pages.iter().for_each(|page| bytes.chunks_mut(512).nth(page.index(len.div_ceil(512))).unwrap().fill(0));
            }
            Self::Flips(flips) => flips.iter().for_each(|(at, bit)| bytes[at.index(len)] ^= 1 << bit),
            Self::Copy(from, to, most) => {
                let (from, to) = (from.index(len), to.index(len));
                let count = (*most).min(len - from).min(len - to);
                bytes.copy_within(from..from + count, to);
            }
            Self::Cut(at) => bytes.truncate(at.index(len)),
        }
    }
}

type Written = Vec<(u64, Vec<u8>)>;

/// A log of entries of these lengths, in transactions where the length is divisible by 5, closed.
fn write(config: &Config, lengths: &[usize]) -> Written {
    let log = open(config.clone());
    let payload =
        |number: usize, len: usize| -> Vec<u8> { (0..len).map(|byte| (byte * 7 + number) as u8 | 1).collect() };
    let mut number = 0;
    for len in lengths {
        let mut transaction = log.transaction();
        for _ in 0..=len % 3 {
            let payload = payload(number, *len);
            number += 1;
            let entry = Entry { stream: StreamId(number as u32 % 3), kind: 0, payload: &payload };
            if len % 5 == 0 {
                transaction.append(entry);
            } else {
                log.append(entry).unwrap();
            }
        }
        transaction.commit().unwrap();
    }
    log.wait_until_idle().unwrap();
    content(&log)
}

/// Every entry of `found` is in `written`, in order; the log goes on, and what was cut does not come back.
fn check(config: &Config, log: Log, written: &Written, is_prefix: bool) {
    let found = content(&log);
    if is_prefix {
        let prefix = &written[..found.len().min(written.len())];
        assert!(found == prefix, "{:?}", log.recovery());
    } else {
        let mut rest = written.iter();
        assert!(found.iter().all(|entry| rest.any(|other| other == entry)), "a subsequence: {:?}", log.recovery());
    }
    for (sequence, payload) in &found {
        assert_eq!(log.read(*sequence).unwrap().record().payload, payload);
    }
    let before = log.recovery().clone();
    let mut expected = found;
    for len in [0, 30, 700] {
        let payload = vec![0xee; len];
        expected.push((log.append(entry(&payload)).unwrap(), payload));
    }
    drop(log);
    // Noise in a spare segment is cut once it is the last one, so not before the first time.
    for time in 0..2 {
        let log = open(Config { policy: Policy::Fail, ..config.clone() });
        // The helper retires what is too much as soon as the log is open.
        let found = content(&log);
        assert!(found.len() >= 3 && expected.ends_with(&found), "{:?} after {before:?}", log.recovery());
        assert!(config.retention != Retention::All || found.len() == expected.len());
        assert!(time == 0 || log.recovery().cut_bytes == 0, "{:?} after {before:?}", log.recovery());
    }
}

fn copy(from: &Path, to: &Path) {
    for file in fs::read_dir(from).unwrap() {
        let path = file.unwrap().path();
        fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn damage_never_yields_a_wrong_record(
        lengths in prop::collection::vec(prop_oneof![0_usize..120, 700_usize..900], 1..40),
        tears in prop::collection::vec((any::<prop::sample::Index>(), tear()), 1..3),
        retention in prop_oneof![Just(Retention::All), Just(Retention::Segments(2))],
        is_thorough in any::<bool>(),
    ) {
        let original = directory();
        let config = Config { retention, segment_bytes: 4 << 10, ..config(original.path()) };
        let written = write(&config, &lengths);
        let files = segments(original.path());
        for (file, tear) in &tears {
            edit(&files[file.index(files.len())], |bytes| if !bytes.is_empty() { tear.apply(bytes) });
        }
        for policy in [Policy::Fail, Policy::Truncate, Policy::Skip] {
            let directory = directory();
            copy(original.path(), directory.path());
            let recovery = if is_thorough { RecoveryMode::Thorough } else { RecoveryMode::Fast };
            let config = Config { directory: directory.path().to_owned(), policy, recovery, ..config.clone() };
            match Log::open(config.clone()) {
                // A log whose oldest segments are gone, which recycling does too, begins later.
                Ok(log) => {
                    let first = log.recovery().first_sequence;
                    let written = written.iter().filter(|(sequence, _)| *sequence >= first).cloned().collect();
                    check(&config, log, &written, policy != Policy::Skip);
                }
                Err(LogError::Corrupt { .. }) if policy == Policy::Fail => {}
                Err(error) => panic!("{policy:?}: {error}"),
            }
        }
    }
}

/// The exact states that an interrupted append can leave: every store up to some word, or pages of it alone.
#[test]
fn interrupted_append_is_cut_at_every_byte() {
    let original = directory();
    let log = open(config(original.path()));
    let payload: Vec<u8> = (1..=100).collect();
    for _ in 0..4 {
        log.append(entry(&payload)).unwrap();
    }
    let expected = content(&log);
    drop(log);
    let path = segments(original.path()).remove(0);
    let whole = fs::read(&path).unwrap();
    let (offsets, end) = offsets(&whole);
    let last = offsets[3];
    for cut in last..end {
        for is_first_word_missing in [false, true] {
            edit(&path, |bytes| {
                bytes.copy_from_slice(&whole);
                bytes[cut..].fill(0);
                if is_first_word_missing {
                    bytes[last..last + 8].fill(0);
                }
            });
            let log = open(config(original.path()));
            // Without its padding, which is zero, the record is whole.
            let is_whole = cut >= last + 24 + 100 && !is_first_word_missing;
            assert_eq!(content(&log).len(), if is_whole { 4 } else { 3 }, "cut at {cut}");
            assert_eq!(content(&log)[..3], expected[..3]);
            drop(log);
            let bytes = fs::read(&path).unwrap();
            assert!(is_whole || bytes[last..].iter().all(|byte| *byte == 0), "what was cut is zeroed");
        }
    }
}

/// A cut record whose place is taken by one of the same length must not bring back the valid one behind it.
#[test]
fn records_after_a_cut_never_come_back() {
    let directory = directory();
    let log = open(config(directory.path()));
    for number in 0..6 {
        log.append(entry(&[number; 50])).unwrap();
    }
    drop(log);
    let path = segments(directory.path()).remove(0);
    edit(&path, |bytes| {
        let (offsets, _) = offsets(bytes);
        bytes[offsets[3] + 30] ^= 1;
    });
    let log = open(with_policy(directory.path(), Policy::Truncate));
    assert_eq!(content(&log).len(), 3);
    assert!(log.recovery().cut_bytes > 0);
    assert_eq!(log.append(entry(&[99; 50])).unwrap(), 3);
    drop(log);
    let log = open(config(directory.path()));
    assert_eq!(content(&log).len(), 4);
    assert_eq!(log.read(3).unwrap().record().payload, [99; 50]);
}
