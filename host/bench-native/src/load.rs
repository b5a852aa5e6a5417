//! Opens the library of a probe and calls its entry function. No other file opens libraries.

use crate::{LoadError, sniff};
use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};
use probe_abi::raw;
use std::fs::File;
use std::io::Read;
use std::mem::ManuallyDrop;
use std::path::Path;

/// Opens the library at `path` for the lifetime of the process, and calls its entry function.
pub(crate) fn open(path: &Path) -> Result<*const raw::Probe, LoadError> {
    let unreadable = |source| LoadError::Read { path: path.to_owned(), source };
    let mut head = Vec::new();
    let file = File::open(path).map_err(unreadable)?;
    file.take(sniff::HEAD_BYTES as u64).read_to_end(&mut head).map_err(unreadable)?;
    sniff::sniff(path, &head)?;
    // A name without a slash would be searched in the system's folders.
    let absolute = std::path::absolute(path).map_err(unreadable)?;
    // All symbols are bound now, so that a missing function is an error here and not a crash in a measurement. They are not
    // visible to libraries that are loaded later.
    // SAFETY: running a probe's code is what was asked for; that it keeps the rules of bench_probe.h is the contract, and
    // the worker process confines one that does not.
    let library = unsafe { Library::open(Some(&absolute), RTLD_NOW | RTLD_LOCAL) };
    // Sessions, threads and tables of the probe point into its code, so it is never unloaded. Neither is a library that is not a
    // probe, because it may have started threads.
    let library = ManuallyDrop::new(library.map_err(|error| LoadError::open(path, &absolute, &error))?);
    // SAFETY: bench_probe.h gives this symbol this type.
    let entry = unsafe { library.get::<raw::Entry>(raw::ENTRY) };
    let entry = *entry.map_err(|_| LoadError::NoEntry(path.to_owned()))?;
    // SAFETY: the library is there for good, and bench_probe.h lets the entry be called at any time.
    Ok(unsafe { entry() })
}
