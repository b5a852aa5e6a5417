//! A probe's table, looked at from its first member on: nothing is read before what says that it is there. It must not
//! know where the table comes from.

use crate::LoadError;
use crate::extension::first_missing;
use crate::text;
use bench_model::Descriptor;
use probe_abi::extension::Member;
use probe_abi::raw;
use std::mem::offset_of;
use std::path::Path;

/// `size`, `abi_major` and `abi_minor`: what every version of the table begins with.
const HEAD_BYTES: usize = offset_of!(raw::Probe, descriptor);

/// Far above any real descriptor, low enough that reading it exhausts nothing.
const DESCRIPTOR_BYTES_MAX: usize = 16 << 20;

/// The functions, which C lets be null and Rust does not.
const FUNCTIONS: [Member; 5] = [
    ("open", offset_of!(raw::Probe, open)),
    ("iterate", offset_of!(raw::Probe, iterate)),
    ("verify", offset_of!(raw::Probe, verify)),
    ("close", offset_of!(raw::Probe, close)),
    ("extension", offset_of!(raw::Probe, extension)),
];

/// Looks at the table of the probe at `path`.
///
/// # Safety
/// `table` is null, misaligned, or points to a table that is as long as its first member says and never changes.
pub(crate) unsafe fn accept(path: &Path, table: *const raw::Probe) -> Result<&'static raw::Probe, LoadError> {
    if table.is_null() || !table.is_aligned() {
        return Err(LoadError::NoTable(path.to_owned()));
    }
    let short = |size, needed| Err(LoadError::Short { path: path.to_owned(), size, needed });
    // SAFETY: the size is a table's first member, so a table that is there at all has it.
    let size = unsafe { (&raw const (*table).size).read() };
    if size < HEAD_BYTES {
        return short(size, HEAD_BYTES);
    }
    // SAFETY: the size says that the head is there.
    let major = unsafe { (&raw const (*table).abi_major).read() };
    if major != raw::ABI_MAJOR {
        return Err(LoadError::Major { path: path.to_owned(), found: major, ours: raw::ABI_MAJOR });
    }
    if size < size_of::<raw::Probe>() {
        return short(size, size_of::<raw::Probe>());
    }
    // SAFETY: the size says that all members are there, and the offsets are those of function pointers.
    if let Some(function) = unsafe { first_missing(table, &FUNCTIONS) } {
        return Err(LoadError::NoFunction { path: path.to_owned(), function });
    }
    // SAFETY: all members are there, no function is null, and the caller promises that the table stays as it is.
    Ok(unsafe { &*table })
}

/// Reads what the probe says of itself.
///
/// # Safety
/// `text.ptr` is null or points to `text.len` bytes that stay readable and unchanged during the call.
pub(crate) unsafe fn describe(path: &Path, text: raw::Str) -> Result<Descriptor, LoadError> {
    let fault = |reason| LoadError::Descriptor { path: path.to_owned(), reason };
    if text.len > DESCRIPTOR_BYTES_MAX {
        return Err(fault(format!(
            "its descriptor has {} bytes, at most {DESCRIPTOR_BYTES_MAX} are allowed",
            text.len
        )));
    }
    // SAFETY: the caller's promise is the same.
    let bytes = unsafe { text::borrowed(text.ptr, text.len) };
    let bytes = bytes.ok_or_else(|| fault("its descriptor is a null pointer".to_owned()))?;
    let descriptor: Descriptor =
        serde_json::from_slice(bytes).map_err(|error| fault(format!("its descriptor cannot be read: {error}")))?;
    descriptor.validate().map_err(|error| fault(error.to_string()))?;
    Ok(descriptor)
}
