//! The errors of loading a probe. Each text names the file and says what to do next.

use std::path::{Path, PathBuf};

/// The reason why a file cannot be loaded as a probe.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file cannot be read.
    #[error("{}: cannot be read: {source}; give the path of a probe", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// The file is not a dynamic library.
    #[error("{}: not a dynamic library: {found}; build a probe as a `cdylib`, or with `cc -shared -fPIC`", path.display())]
    NotLibrary {
        /// The file.
        path: PathBuf,
        /// What the file is.
        found: String,
    },
    /// It was built for another architecture.
    #[error("{}: built for {found}, but this host is built for {ours}; build it again on this machine", path.display())]
    OtherMachine {
        /// The file.
        path: PathBuf,
        /// The architecture of the file.
        found: String,
        /// The architecture of this host.
        ours: &'static str,
    },
    /// The system's loader refuses it.
    #[error("{}: the system cannot load it: {reason}; build it again on this machine, and install the libraries that it links to", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// The message of the system's loader.
        reason: String,
    },
    /// It is a library, but not a probe.
    #[error("{}: exports no `bench_probe_v1`; export the entry function that bench_probe.h declares", .0.display())]
    NoEntry(PathBuf),
    /// The entry function returned no valid pointer.
    #[error("{}: `bench_probe_v1` returned a null or misaligned pointer; return the address of a static `bhp_probe`", .0.display())]
    NoTable(PathBuf),
    /// The table is too short for the required members.
    #[error("{}: its table has {size} bytes, but needs {needed}; set `size` to sizeof(bhp_probe) and build it against bench_probe.h of this version", path.display())]
    Short {
        /// The file.
        path: PathBuf,
        /// The size in the table.
        size: usize,
        /// The size that this host needs.
        needed: usize,
    },
    /// It was built against another major version of the ABI.
    #[error("{}: built against version {found} of the probe ABI, but this host supports version {ours}; build it against bench_probe.h of this version", path.display())]
    Major {
        /// The file.
        path: PathBuf,
        /// The version in the table.
        found: u32,
        /// The version that this host supports.
        ours: u32,
    },
    /// A function is missing from the table.
    #[error("{}: its table has no function `{function}`; set all functions that bench_probe.h declares", path.display())]
    NoFunction {
        /// The file.
        path: PathBuf,
        /// The member that is null.
        function: &'static str,
    },
    /// The descriptor is not valid.
    #[error("{}: {reason}; see bench_probe.h for the contents of a descriptor", path.display())]
    Descriptor {
        /// The file.
        path: PathBuf,
        /// What is wrong with the descriptor.
        reason: String,
    },
}

impl LoadError {
    /// The message of the system's loader on one line, without the path, which the error names already.
    pub(crate) fn open(path: &Path, absolute: &Path, error: &libloading::Error) -> Self {
        let text = std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string);
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let prefix = format!("{}: ", absolute.display());
        let reason = text.strip_prefix(&prefix).unwrap_or(&text).to_owned();
        Self::Open { path: path.to_owned(), reason }
    }
}
