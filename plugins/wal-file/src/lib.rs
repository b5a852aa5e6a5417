//! A log on files that the plug-in keeps itself: through WASI's file system in a component, through the system's in a probe.
//! It must not know which of the two it is.

mod log;
mod record;
mod segment;

use bench_plugin::prelude::*;
use log::FileLog;
use wal_scenarios::Offer;

struct WalFile;

impl Plugin for WalFile {
    fn describe() -> Descriptor {
        let offer = Offer { durabilities: &["none", "each"], parameters: Vec::new() };
        let summary =
            "A write-ahead log that the plug-in keeps on files of its own, read and written without mapping them.";
        wal_scenarios::describe(Descriptor::new("wal-file", env!("CARGO_PKG_VERSION"), summary), &offer)
    }

    fn open(scenario: &str, arguments: &Arguments, _host: Host) -> Result<Box<dyn Session>, ModuleError> {
        wal_scenarios::open(scenario, arguments, || FileLog::open(arguments))
    }
}

bench_plugin::export!(WalFile);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_descriptor_keeps_the_rules() {
        WalFile::describe().validate().unwrap();
    }
}
