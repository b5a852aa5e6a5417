//! Figures of the log for its developers: run with `--release -- --ignored --nocapture --test-threads=1`. They are no
//! measurements to decide by; the probe makes those.

#![cfg(target_os = "linux")]
#![expect(clippy::print_stdout, reason = "figures are for reading")]
#![expect(unsafe_code, reason = "the bare loops write to a mapping of their own")]

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::{Duration, Instant};
use wal_log::{Config, Durability, Entry, Log, Message, PageState, StreamId};

fn directory() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn config(directory: &Path, durability: Durability) -> Config {
    Config::new(directory, durability)
}

fn entry(payload: &[u8]) -> Entry<'_> {
    Entry { stream: StreamId(1), kind: 0, payload }
}

fn ns(duration: Duration) -> u64 {
    duration.as_nanos() as u64
}

fn show(name: &str, mut samples: Vec<u64>) -> u64 {
    samples.sort_unstable();
    let at = |part: f64| samples[((samples.len() - 1) as f64 * part) as usize];
    let (p50, p99, p999) = (at(0.5), at(0.99), at(0.999));
    println!("{name:44} p50 {p50:>7}  p99 {p99:>7}  p99.9 {p999:>8}  max {:>9} ns  n {}", at(1.0), samples.len());
    p50
}

/// The times between consecutive ends of `work`, one reading of the clock each.
fn each(count: usize, mut work: impl FnMut(usize)) -> Vec<u64> {
    // Written once, so that no sample pays for its own page.
    let mut samples = vec![1; count];
    let mut last = Instant::now();
    for (index, sample) in samples.iter_mut().enumerate() {
        work(index);
        let now = Instant::now();
        *sample = ns(now - last);
        last = now;
    }
    samples
}

#[test]
#[ignore = "figures"]
fn append() {
    for _ in 0..3 {
        show("clock", each(400_000, |_| ()));
        for (len, durability) in [(64, Durability::ProcessCrash), (1024, Durability::ProcessCrash)] {
            let directory = directory();
            let log = Log::open(config(directory.path(), durability)).unwrap();
            log.wait_until_idle().unwrap();
            let payload = vec![7; len];
            let samples = each(50_000_000 / (len + 24), |_| {
                log.append(entry(&payload)).unwrap();
            });
            show(&format!("append {len} B"), samples);
        }
    }
}

/// Copies and checksums as a log does, and nothing else; 16 bytes of head.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "sse4.2")]
fn raw_append(to: &mut [u64], payloads: &[[u64; 6]], count: usize) {
    use std::arch::x86_64::_mm_crc32_u64;
    for (number, record) in to.chunks_exact_mut(8).take(count).enumerate() {
        let mut crc = _mm_crc32_u64(7, number as u64);
        for (to, word) in record[2..].iter_mut().zip(payloads[number % payloads.len()]) {
            *to = word;
            crc = _mm_crc32_u64(crc, word);
        }
        record[1] = number as u64;
        record[0] = 48 | crc << 32;
    }
}

/// A file of so many bytes, mapped, with every page written to.
struct Raw {
    file: File,
    base: *mut u64,
    bytes: usize,
}

impl Raw {
    fn new(directory: &Path, bytes: usize, unit: usize) -> Self {
        use rustix::mm::{MapFlags, ProtFlags};
        let file = tempfile::tempfile_in(directory).unwrap();
        let zeros = vec![0; unit];
        (0..bytes / unit).for_each(|index| file.write_all_at(&zeros, (index * unit) as u64).unwrap());
        let access = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: a new mapping at an address of the kernel's choice.
        let base =
            unsafe { rustix::mm::mmap(std::ptr::null_mut(), bytes, access, MapFlags::SHARED, &file, 0).unwrap() };
        let mut raw = Self { file, base: base.cast(), bytes };
        raw.words().iter_mut().step_by(512).for_each(|word| *word = 1);
        raw
    }

    fn words(&mut self) -> &mut [u64] {
        // SAFETY: the mapping is ours alone and as long as this says.
        unsafe { std::slice::from_raw_parts_mut(self.base, self.bytes / 8) }
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        // SAFETY: nothing refers to the words any more.
        let _ = unsafe { rustix::mm::munmap(self.base.cast(), self.bytes) };
    }
}

#[cfg(target_arch = "x86_64")]
#[test]
#[ignore = "figures"]
fn batches() {
    const COUNT: usize = 10_000;
    let payloads = vec![[1_u64, 2, 3, 4, 5, 6]; 1024];
    let bytes: Vec<[u8; 48]> = (0..1024_u32).map(|number| [number as u8; 48]).collect();
    for _ in 0..3 {
        let directory = directory();
        // A segment takes 93 batches of 720 KB.
        let batches = 90;
        let mut raw = Raw::new(directory.path(), batches * COUNT * 64 / (2 << 20) * (2 << 20) + (2 << 20), 2 << 20);
        let raw_ns = each(batches, |batch| {
            let words = &mut raw.words()[batch * COUNT * 8..];
            // SAFETY: every x86-64 processor that this is measured on has the instruction.
            unsafe { raw_append(words, &payloads, COUNT) };
        });
        let hot_ns = each(batches, |_| {
            // SAFETY: as above.
            unsafe { raw_append(raw.words(), &payloads, COUNT) };
        });
        let log = Log::open(config(directory.path(), Durability::ProcessCrash)).unwrap();
        log.wait_until_idle().unwrap();
        let entries: Vec<_> = (0..COUNT).map(|number| entry(&bytes[number % 1024])).collect();
        let log_ns = each(batches, |_| assert!(log.append_batch(&entries).is_ok()));
        let mean = |samples: &[u64]| samples.iter().sum::<u64>() as f64 / (samples.len() * COUNT) as f64;
        let (raw_mean, hot_mean, log_mean) = (mean(&raw_ns), mean(&hot_ns), mean(&log_ns));
        println!(
            "batch of {COUNT} x 48 B: {:.1} M/s ({log_mean:.2} ns); raw over as many bytes {:.1} M/s, in cache {:.1} M/s; ratio {:.2}, {:.2}",
            1e3 / log_mean,
            1e3 / raw_mean,
            1e3 / hot_mean,
            raw_mean / log_mean,
            hot_mean / log_mean,
        );
        for count in [1, 10, 100, 1000] {
            let entries = &entries[..count];
            let start = Instant::now();
            let rounds = 500_000 / count;
            (0..rounds).for_each(|_| assert!(log.append_batch(entries).is_ok()));
            let ns = ns(start.elapsed()) as f64 / (rounds * count) as f64;
            println!("  batch of {count:4}: {:.1} M/s ({ns:.1} ns)", 1e3 / ns);
        }
    }
}

/// How long a checksum over all segments takes: of new mappings, and of the same once more.
fn raw_scan(directory: &Path) -> [Duration; 2] {
    use rustix::mm::{MapFlags, ProtFlags};
    let mut took = [Duration::ZERO; 2];
    for path in std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()) {
        if path.extension().is_none_or(|found| found != "wal") {
            continue;
        }
        let file = File::open(path).unwrap();
        let bytes = file.metadata().unwrap().len() as usize;
        let start = Instant::now();
        // SAFETY: a new mapping, which nothing writes to meanwhile.
        let mapped = unsafe {
            let base = rustix::mm::mmap(std::ptr::null_mut(), bytes, ProtFlags::READ, MapFlags::SHARED, &file, 0);
            std::slice::from_raw_parts(base.unwrap().cast::<u8>(), bytes)
        };
        std::hint::black_box(crc32c::crc32c(mapped));
        took[0] += start.elapsed();
        let start = Instant::now();
        std::hint::black_box(crc32c::crc32c(mapped));
        took[1] += start.elapsed();
        // SAFETY: the slice is not used any more.
        unsafe { rustix::mm::munmap(mapped.as_ptr().cast_mut().cast(), bytes).unwrap() };
    }
    took
}

#[test]
#[ignore = "figures"]
fn recovery() {
    for len in [64, 1024, 64 << 10] {
        let directory = directory();
        let payload = vec![7; len];
        let log = Log::open(config(directory.path(), Durability::ProcessCrash)).unwrap();
        let count = (1 << 30) / (len + 24);
        let entries = vec![entry(&payload); 1000.min(count)];
        (0..count / entries.len()).for_each(|_| assert!(log.append_batch(&entries).is_ok()));
        drop(log);
        // The best of several, interleaved: everything but the work itself only adds time.
        let mut best = [Duration::MAX; 4];
        for _ in 0..8 {
            let [fresh, resident] = raw_scan(directory.path());
            let opened = [1, 2].map(|recovery_threads| {
                let start = Instant::now();
                let config = Config { recovery_threads, ..config(directory.path(), Durability::ProcessCrash) };
                let log = Log::open(config).unwrap();
                let took = start.elapsed();
                assert_eq!(log.next_sequence() as usize, count / entries.len() * entries.len());
                took
            });
            for (best, took) in best.iter_mut().zip([fresh, resident, opened[0], opened[1]]) {
                *best = took.min(*best);
            }
        }
        let [fresh, resident, one, two] = best;
        println!(
            "1 GiB in records of {len:5} B: raw scan {fresh:?} (fresh mapping), {resident:?} (resident); recovery by one thread \
             {one:?} (ratio {:.2}), by two {two:?} (ratio {:.2})",
            one.div_duration_f64(fresh),
            two.div_duration_f64(fresh),
        );
    }
}

#[test]
#[ignore = "figures"]
fn durable_commits() {
    const COMMITS: usize = 400;
    for round in 0..3 {
        let directory = directory();
        let log = Log::open(config(directory.path(), Durability::Each)).unwrap();
        log.wait_until_idle().unwrap();
        let raw = Raw::new(directory.path(), 4 << 20, 4096);
        raw.file.sync_all().unwrap();
        let (block, payload) = (vec![7; 4096], [7; 64]);
        // In turns, because the disk is not the same a second later.
        let mut samples = [Vec::new(), Vec::new()];
        for index in 0..COMMITS {
            let start = Instant::now();
            raw.file.write_all_at(&block, (index * 4096) as u64).unwrap();
            raw.file.sync_data().unwrap();
            samples[0].push(ns(start.elapsed()));
            let start = Instant::now();
            log.append(entry(&payload)).unwrap();
            samples[1].push(ns(start.elapsed()));
        }
        let [raw_ns, log_ns] = samples;
        let raw_p50 = show("raw pwrite of 4 KiB and fdatasync", raw_ns);
        let log_p50 = show("append of 64 B, synced", log_ns);
        println!("  ratio of medians {:.2}, round {round}", log_p50 as f64 / raw_p50 as f64);

        let raw = Raw::new(directory.path(), 64 << 20, 2 << 20);
        raw.file.sync_all().unwrap();
        let bytes = vec![7; 880_000];
        let entries = vec![entry(&payload); 10_000];
        let mut samples = [Vec::new(), Vec::new()];
        for index in 0..60 {
            let start = Instant::now();
            raw.file.write_all_at(&bytes, index * bytes.len() as u64).unwrap();
            raw.file.sync_data().unwrap();
            samples[0].push(ns(start.elapsed()));
            let start = Instant::now();
            log.append_batch(&entries).unwrap();
            samples[1].push(ns(start.elapsed()));
        }
        let [raw_ns, log_ns] = samples;
        let raw_p50 = show("raw pwrite of 880 kB and fdatasync", raw_ns);
        let log_p50 = show("batch of 10000 x 64 B, synced", log_ns);
        println!("  bandwidth against raw {:.2}, round {round}", raw_p50 as f64 / log_p50 as f64);
    }
}

#[test]
#[ignore = "figures"]
fn concurrent_appends() {
    for threads in [1, 4, 8, 16, 32] {
        let directory = directory();
        let log = Log::open(config(directory.path(), Durability::ProcessCrash)).unwrap();
        log.wait_until_idle().unwrap();
        let payload = [7; 64];
        let start = Instant::now();
        let samples: Vec<u64> = std::thread::scope(|scope| {
            let run = || {
                each(600_000 / threads, |_| {
                    log.append(entry(&payload)).unwrap();
                })
            };
            let threads: Vec<_> = (0..threads).map(|_| scope.spawn(run)).collect();
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
        });
        let rate = samples.len() as f64 / start.elapsed().as_secs_f64() / 1e6;
        show(&format!("append 64 B, {threads} threads, {rate:.1} M/s"), samples);
    }
}

#[test]
#[ignore = "figures"]
fn reads_and_the_rest() {
    let directory = directory();
    let log = Log::open(config(directory.path(), Durability::ProcessCrash)).unwrap();
    let payload = [7; 64];
    let entries = vec![entry(&payload); 1000];
    (0..2000).for_each(|_| assert!(log.append_batch(&entries).is_ok()));
    let snapshot = log.snapshot();
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let sequences: Vec<u64> = (0..200_000).map(|_| rng.random_range(0..2_000_000)).collect();
    let read = each(sequences.len(), |index| {
        std::hint::black_box(snapshot.read(sequences[index]).unwrap());
    });
    show("random read, snapshot", read);
    let read = each(sequences.len(), |index| {
        std::hint::black_box(log.read(sequences[index]).unwrap());
    });
    show("random read, held", read);
    let start = Instant::now();
    let count = snapshot.iter(0).unwrap().map(|record| record.unwrap().payload.len()).sum::<usize>() / 64;
    println!("sequential: {:.1} ns an entry", ns(start.elapsed()) as f64 / count as f64);
    let start = Instant::now();
    let count = log.replay(0, |record| record.payload[0] == 7).unwrap();
    println!("replay: {:.1} ns an entry", ns(start.elapsed()) as f64 / count as f64);
    let transactions = each(50_000, |_| {
        let mut transaction = log.transaction();
        (0..10).for_each(|_| transaction.append(entry(&payload)));
        transaction.commit().unwrap();
    });
    show("transaction of 10 x 64 B", transactions);
    let headers = vec![("content-type", &b"text/plain"[..]), ("trace", &b"0123456789abcdef"[..])];
    let message =
        Message { key: Some(b"customer-1234"), headers, timestamp_ns: 1_700_000_000_000_000_000, payload: &payload };
    let mut buffer = Vec::new();
    let conversion = each(200_000, |_| {
        let entry = message.to_entry(StreamId(1), &mut buffer);
        std::hint::black_box(Message::decode(entry.payload).unwrap());
    });
    show("message to entry and back", conversion);
    let rotations = each(20, |_| {
        log.append(entry(&payload)).unwrap();
        log.rotate().unwrap();
        log.wait_until_idle().unwrap();
    });
    show("append, rotation, and the next segment made", rotations);
    for page_state in [PageState::Fresh, PageState::Written, PageState::Resident] {
        let directory = tempfile::tempdir().unwrap();
        let start = Instant::now();
        let log = Log::open(Config { page_state, ..config(directory.path(), Durability::ProcessCrash) }).unwrap();
        log.wait_until_idle().unwrap();
        println!("two segments of 64 MiB, {page_state:?}: {:?}", start.elapsed());
    }
}
