//! Calibrates fdatasync: one durable 4 KiB write.

use super::{Effort, absent, measured, sample};
use bench_model::MachineLimit;
use bench_sink::runfile::LimitRecord;
use std::os::unix::fs::FileExt;
use std::path::Path;

pub(super) fn fdatasync(effort: Effort, directory: &Path) -> LimitRecord {
    const BLOCK: [u8; 4096] = [0x5a; 4096];
    let attempt = || {
        let file = tempfile::tempfile_in(directory)?;
        // The file size does not change while timing, so that only data is synced.
        file.write_all_at(&vec![0; 64 * BLOCK.len()], 0)?;
        file.sync_all()?;
        let mut failure = None;
        let mut block = 0;
        let samples = sample(effort.slow_samples, 1, || {
            block = (block + 1) % 64;
            let written = file.write_all_at(&BLOCK, block * BLOCK.len() as u64).and_then(|()| file.sync_data());
            failure = failure.take().or(written.err());
        });
        failure.map_or(Ok(samples), Err)
    };
    match attempt() {
        Ok(samples) => measured(
            MachineLimit::Fdatasync,
            samples,
            format!("4 KiB overwritten and synced in {}", directory.display()),
        ),
        Err(error) => absent(MachineLimit::Fdatasync, format!("cannot write in {}: {error}", directory.display())),
    }
}
