//! Validates a probe's table from its first member on: no member is read before the size shows that it exists.

use crate::LoadError;
use crate::extension::first_missing;
use crate::text;
use bench_model::Descriptor;
use probe_abi::extension::Member;
use probe_abi::raw;
use std::mem::offset_of;
use std::path::Path;

/// `size`, `abi_major` and `abi_minor`: the beginning of every version of the table.
const HEAD_BYTES: usize = offset_of!(raw::Probe, descriptor);

/// Maximum size of a descriptor: larger than any real one, and small enough to be parsed without exhausting memory.
const DESCRIPTOR_BYTES_MAX: usize = 16 << 20;

/// The functions, which may be null in C but not in Rust.
const FUNCTIONS: [Member; 5] = [
    ("open", offset_of!(raw::Probe, open)),
    ("iterate", offset_of!(raw::Probe, iterate)),
    ("verify", offset_of!(raw::Probe, verify)),
    ("close", offset_of!(raw::Probe, close)),
    ("extension", offset_of!(raw::Probe, extension)),
];

/// Validates the table of the probe at `path`.
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

/// Parses the descriptor of the probe.
///
/// # Safety
/// `text.ptr` is null or points to `text.len` bytes that stay readable and unchanged during the call.
pub(crate) unsafe fn describe(path: &Path, text: raw::Str) -> Result<Descriptor, LoadError> {
    // A reason may quote the descriptor.
    let fault =
        |reason: String| LoadError::Descriptor { path: path.to_owned(), reason: reason.replace(char::is_control, " ") };
    if text.len > DESCRIPTOR_BYTES_MAX {
        return Err(fault(format!(
            "its descriptor has {} bytes, but at most {DESCRIPTOR_BYTES_MAX} are allowed",
            text.len
        )));
    }
    // SAFETY: the caller's promise is the same.
    let bytes = unsafe { text::borrowed(text.ptr, text.len) };
    let bytes = bytes.ok_or_else(|| fault("its descriptor is a null pointer".to_owned()))?;
    let descriptor: Descriptor =
        serde_json::from_slice(bytes).map_err(|error| fault(format!("its descriptor cannot be parsed: {error}")))?;
    descriptor.validate().map_err(|error| fault(error.to_string()))?;
    Ok(descriptor)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const DESCRIPTOR: &str = r#"{"name":"a","version":"1","summary":"s","scenarios":[{"name":"b","driver":"workload",
        "family":"f","limit":"memory-copy","parameters":[{"name":"n","unit":"B","defaults":[1,2],"domain":{"between":[1,9]}},
        {"name":"t","defaults":["x"],"domain":{"choices":["x","y"]}}],"metrics":[{"name":"m","unit":"ns",
        "direction":"neutral","labels":["l"]}],"requirements":[{"capability":"kernel:6.0","optional":true}]}]}"#;

    /// The replacements of mutations: parts of JSON, and values of another kind or out of range.
    const FRAGMENTS: &[&str] = &[
        "\"",
        "\\",
        "[",
        "]",
        "{",
        "}",
        ",",
        ":",
        "\n",
        "\0",
        "-1",
        "1e999",
        "18446744073709551616",
        "null",
        "true",
        "\"two\\nlines\"",
        "\"\\u001b[2J\"",
        "[[[[[[[[",
        "é",
        "\u{fffd}",
    ];

    fn mutated() -> impl Strategy<Value = Vec<u8>> {
        let edit = (0.0f64..1.0, 0usize..12, proptest::sample::select(FRAGMENTS));
        proptest::collection::vec(edit, 1..6).prop_map(|edits| {
            let mut bytes = DESCRIPTOR.as_bytes().to_vec();
            for (share, removed, fragment) in edits {
                let from = (bytes.len() as f64 * share) as usize;
                let to = bytes.len().min(from + removed);
                bytes.splice(from..to, fragment.bytes());
            }
            bytes
        })
    }

    fn read(bytes: &[u8]) -> Result<Descriptor, LoadError> {
        // SAFETY: the bytes outlive the call.
        unsafe { describe(Path::new("probe.so"), raw::Str { ptr: bytes.as_ptr(), len: bytes.len() }) }
    }

    /// Parses the bytes as a descriptor, and checks the error.
    fn check(bytes: &[u8]) -> Result<(), TestCaseError> {
        if let Err(error) = read(bytes) {
            let line = error.to_string();
            prop_assert!(line.contains("probe.so") && !line.contains(char::is_control), "{line:?}");
        }
        Ok(())
    }

    #[test]
    fn descriptor_without_mutation_is_valid() {
        assert_eq!(read(DESCRIPTOR.as_bytes()).unwrap().scenarios.len(), 1);
    }

    #[test]
    fn deep_nesting_is_refused() {
        check("[".repeat(1 << 20).as_bytes()).unwrap();
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_are_parsed_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            check(&bytes)?;
        }

        #[test]
        fn mutated_descriptor_is_parsed_or_refused(bytes in mutated()) {
            check(&bytes)?;
        }
    }
}
