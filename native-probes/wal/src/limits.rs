//! `machine-limits`: the parts of a log's work without a log: copying, checksumming, appending in a raw loop, writing
//! with fdatasync, scanning.

use crate::options::io;
use bench_model::{Arguments, Check, ModuleError, Outcome, Parameter, Scenario, Session, Unit};
use std::fs;
use std::hint::black_box;
use wal_load::self_timed::{Bench, Folder, RawCommits, RawPages};
use wal_load::{Payloads, pattern, scenario as shared};

const NAMES: [&str; 5] = ["memcpy", "crc32c", "append", "fdatasync", "scan"];

pub(crate) fn scenario() -> Scenario {
    let summary = "one pass over `bytes`: memcpy, CRC32C, raw append of 64 B records, raw write with fdatasync, or read and CRC32C of a file";
    Scenario::new("machine-limits", shared::FAMILY, summary)
        .requires("scratch:directory", "files for append, fdatasync and scan")
        .parameter(Parameter::new(
            "directory",
            "@temp",
            "the folder in which the scenario creates its own; @temp is a scratch folder of the host",
        ))
        .parameter(Parameter::new("limit", NAMES[0], "the kind of work").sweep(NAMES).choices(NAMES))
        .parameter(
            Parameter::new("bytes", 1 << 20, "bytes of one pass; for fdatasync, bytes of one write")
                .unit(Unit::Bytes)
                .between(4096, 64 << 20),
        )
}

enum Limit {
    Memcpy { from: Vec<u8>, to: Vec<u8> },
    Crc32c { data: Vec<u8> },
    Append { pages: RawPages, payloads: Payloads, count: usize },
    Fdatasync(RawCommits),
    Scan { folder: Folder, buffer: Vec<u8> },
}

struct Limits {
    limit: Limit,
    bytes: usize,
    digest: u32,
    result: Option<u32>,
}

const RECORD_BYTES: usize = 64;

pub(crate) fn open(arguments: &Arguments, _: Bench) -> Result<Box<dyn Session>, ModuleError> {
    let (folder, mut bytes) = (Folder::new(arguments.text("directory")?)?, shared::count(arguments, "bytes")?);
    let data = pattern(1, bytes);
    let digest = crc32c::crc32c(&data);
    let limit = match arguments.text("limit")? {
        "memcpy" => Limit::Memcpy { to: vec![0; bytes], from: data },
        "crc32c" => Limit::Crc32c { data },
        "append" => {
            let count = (bytes / RECORD_BYTES).max(1);
            bytes = count * RECORD_BYTES;
            let pages = RawPages::new(folder.path(), (2 * bytes).max(8 << 20).next_multiple_of(2 << 20))?;
            Limit::Append { pages, payloads: Payloads::new(RECORD_BYTES, count)?, count }
        }
        "fdatasync" => {
            folder.require_disk()?;
            Limit::Fdatasync(RawCommits::new(folder.path(), bytes)?)
        }
        "scan" => {
            let path = folder.path().join("scanned");
            fs::write(&path, &data).map_err(io("write", &path))?;
            Limit::Scan { folder, buffer: Vec::with_capacity(bytes) }
        }
        other => {
            return Err(ModuleError::InvalidArgument(format!(
                "`limit` is `{other}`; give one of {}",
                NAMES.join(", ")
            )));
        }
    };
    Ok(Box::new(Limits { limit, bytes, digest, result: None }))
}

impl Limits {
    fn one(&mut self) -> Result<(), ModuleError> {
        match &mut self.limit {
            Limit::Memcpy { from, to } => black_box(to.as_mut_slice()).copy_from_slice(black_box(from)),
            Limit::Crc32c { data } => self.result = Some(crc32c::crc32c(black_box(data))),
            Limit::Append { pages, payloads, count } => pages.append(payloads.advance_batch(*count)),
            Limit::Fdatasync(commits) => commits.commit()?,
            Limit::Scan { folder, buffer } => {
                let path = folder.path().join("scanned");
                buffer.clear();
                let mut file = fs::File::open(&path).map_err(io("open", &path))?;
                std::io::Read::read_to_end(&mut file, buffer).map_err(io("read", &path))?;
                self.result = Some(crc32c::crc32c(buffer));
            }
        }
        Ok(())
    }
}

impl Session for Limits {
    fn iterate(&mut self, times: u64) -> Result<Outcome, ModuleError> {
        for _ in 0..times {
            self.one()?;
        }
        Ok(Outcome { operations: times, bytes: times * self.bytes as u64, checksum: self.digest.into() })
    }

    fn verify(&mut self) -> Result<Vec<Check>, ModuleError> {
        Ok(vec![match &self.limit {
            Limit::Memcpy { from, to } => Check::that("copied", from == to, "all bytes of the copy are compared"),
            Limit::Crc32c { .. } | Limit::Scan { .. } => Check::equal("checksum", &Some(self.digest), &self.result),
            Limit::Append { pages, payloads, .. } => {
                let count = payloads.count();
                let is_last = count > 0 && pages.ends_with(count, &payloads.expected(count - 1));
                Check::that("appended", is_last, format!("the last of {count} records is compared with its payload"))
            }
            Limit::Fdatasync(commits) => {
                Check::that("written", commits.is_written(), "the last write is read back and compared")
            }
        }])
    }
}
