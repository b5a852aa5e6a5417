//! Why a file is not a probe this host runs. Each text names the file and says what to do next.

use std::path::{Path, PathBuf};

/// Why a file is not a probe this host runs.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file cannot be read.
    #[error("{}: cannot be read: {source}; give the path of a probe", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is something else.
    #[error("{}: not a dynamic library: {found}; build a probe as a `cdylib`, or with `cc -shared -fPIC`", path.display())]
    NotLibrary {
        /// The file.
        path: PathBuf,
        /// What it is.
        found: String,
    },
    /// It was built for another kind of machine.
    #[error("{}: built for {found}, and this host for {ours}; build it again on this machine", path.display())]
    OtherMachine {
        /// The file.
        path: PathBuf,
        /// What it was built for.
        found: String,
        /// What this host was built for.
        ours: &'static str,
    },
    /// The system's loader refuses it.
    #[error("{}: the system does not load it: {reason}; build it again on this machine, with what it links to installed", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system's loader says.
        reason: String,
    },
    /// It is a library, and no probe.
    #[error("{}: exports no `bench_probe_v1`; a probe exports the entry that bench_probe.h declares", .0.display())]
    NoEntry(PathBuf),
    /// The entry gave nothing.
    #[error("{}: `bench_probe_v1` gave no table, or one that is not aligned; it returns the address of a static `bhp_probe`", .0.display())]
    NoTable(PathBuf),
    /// The table ends before the members that are needed.
    #[error("{}: its table has {size} bytes, and {needed} are needed; set `size` to sizeof(bhp_probe) and build it against bench_probe.h of this version", path.display())]
    Short {
        /// The file.
        path: PathBuf,
        /// What the table says.
        size: usize,
        /// What this host reads.
        needed: usize,
    },
    /// It was built against another major version of the ABI.
    #[error("{}: built against version {found} of the probe ABI, and this host runs version {ours}; build it against bench_probe.h of this version", path.display())]
    Major {
        /// The file.
        path: PathBuf,
        /// What the table says.
        found: u32,
        /// What this host runs.
        ours: u32,
    },
    /// A function is missing from the table.
    #[error("{}: its table has no function `{function}`; a probe gives all that bench_probe.h declares", path.display())]
    NoFunction {
        /// The file.
        path: PathBuf,
        /// The member that is null.
        function: &'static str,
    },
    /// What it says of itself cannot be used.
    #[error("{}: {reason}; bench_probe.h says what a descriptor holds", path.display())]
    Descriptor {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

impl LoadError {
    /// What the system's loader says, on one line and without the path that stands before it already.
    pub(crate) fn open(path: &Path, absolute: &Path, error: &libloading::Error) -> Self {
        let text = std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string);
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let prefix = format!("{}: ", absolute.display());
        let reason = text.strip_prefix(&prefix).unwrap_or(&text).to_owned();
        Self::Open { path: path.to_owned(), reason }
    }
}
