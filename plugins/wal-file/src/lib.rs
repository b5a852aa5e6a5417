//! A log in files of the plug-in itself: through WASI's file system in a component, and the system's in a probe.

mod log;
mod record;
mod segment;

use bench_plugin::prelude::*;
use log::FileLog;
use wal_load::host_timed::{self, LogOptions};

struct WalFile;

impl Plugin for WalFile {
    fn describe() -> Descriptor {
        let options = LogOptions { durabilities: &["none", "each"], parameters: Vec::new() };
        let summary =
            "A write-ahead log that the plug-in keeps in its own files, with reads and writes instead of mappings.";
        host_timed::describe(Descriptor::new("wal-file", env!("CARGO_PKG_VERSION"), summary), &options)
    }

    fn open(scenario: &str, arguments: &Arguments, _host: Host) -> Result<Box<dyn Session>, ModuleError> {
        host_timed::open(scenario, arguments, || FileLog::open(arguments))
    }
}

bench_plugin::export!(WalFile);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_descriptor_is_valid() {
        WalFile::describe().validate().unwrap();
    }
}
