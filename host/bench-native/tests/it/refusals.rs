//! Files that are not probes. Each error says in one line what the file is and what to do next.

use crate::compile;
use bench_native::{LoadError, Probe};
use std::path::Path;

/// `expect` is what the text says after the file's path.
#[track_caller]
fn check(path: &Path, expect: &str) {
    crate::check(Probe::load(path), &[], &format!("{}: {expect}", path.display()));
}

#[track_caller]
fn check_c(definitions: &[&str], expect: &str) {
    if let Some(library) = compile::library("refused.c", definitions) {
        check(&library.path, expect);
    }
}

#[track_caller]
fn check_bytes(bytes: &[u8], expect: &str) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("probe.so");
    std::fs::write(&path, bytes).unwrap();
    check(&path, expect);
}

/// The beginning of an ELF file of this kind for this machine.
fn elf(kind: u8, machine: u8) -> Vec<u8> {
    [&b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0"[..], &[kind, 0, machine, 0]].concat()
}

#[test]
fn file_that_is_not_a_library_is_refused() {
    const NEXT: &str = "build a probe as a `cdylib`, or with `cc -shared -fPIC`";
    check(
        Path::new("/nowhere/probe.so"),
        "cannot be read: No such file or directory (os error 2); give the path of a probe",
    );
    check(Path::new("/"), "cannot be read: Is a directory (os error 21); give the path of a probe");
    check_bytes(b"", &format!("not a dynamic library: it is empty; {NEXT}"));
    check_bytes(b"#!/bin/sh\n", &format!("not a dynamic library: it begins like neither ELF nor Mach-O; {NEXT}"));
    check_bytes(b"\x7fELF", &format!("not a dynamic library: its ELF header is incomplete; {NEXT}"));
    check_bytes(&elf(1, 62), &format!("not a dynamic library: an object file, not yet linked; {NEXT}"));
    check_bytes(&elf(2, 62), &format!("not a dynamic library: a program; {NEXT}"));
    check_bytes(&[0xcf, 0xfa, 0xed, 0xfe], &format!("not a dynamic library: its Mach-O header is incomplete; {NEXT}"));
}

#[test]
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
fn library_for_another_architecture_is_refused() {
    const NEXT: &str = "build it again on this machine";
    let mach_o = b"\xcf\xfa\xed\xfe\x0c\0\0\x01\0\0\0\0\x06\0\0\0\0\0\0\0";
    check_bytes(&elf(3, 183), &format!("built for aarch64, but this host is built for x86_64; {NEXT}"));
    check_bytes(&elf(3, 99), &format!("built for ELF machine 99, but this host is built for x86_64; {NEXT}"));
    check_bytes(mach_o, &format!("built for aarch64 macos, but this host is built for x86_64; {NEXT}"));
    check_bytes(
        &elf(3, 62),
        "the system cannot load it: file too short; build it again on this machine, and install the libraries that it links to",
    );
}

#[test]
#[cfg(target_os = "linux")]
fn library_with_undefined_symbol_is_refused() {
    check_c(
        &["UNRESOLVED"],
        "the system cannot load it: undefined symbol: nobody_defines_this; \
         build it again on this machine, and install the libraries that it links to",
    );
}

#[test]
fn library_without_table_is_refused() {
    check_c(&["NO_ENTRY"], "exports no `bench_probe_v1`; export the entry function that bench_probe.h declares");
    check_c(
        &["NO_TABLE"],
        "`bench_probe_v1` returned a null or misaligned pointer; return the address of a static `bhp_probe`",
    );
}

#[test]
fn invalid_table_is_refused() {
    const NEXT: &str = "set `size` to sizeof(bhp_probe) and build it against bench_probe.h of this version";
    check_c(&["SIZE=8"], &format!("its table has 8 bytes, but needs 16; {NEXT}"));
    check_c(&["SIZE=64"], &format!("its table has 64 bytes, but needs 72; {NEXT}"));
    let major = "built against version 2 of the probe ABI, but this host supports version 1; \
                 build it against bench_probe.h of this version";
    check_c(&["MAJOR=2"], major);
    // Which version it is says more than that it is shorter than this one's.
    check_c(&["MAJOR=2", "SIZE=16"], major);
    check_c(&["CLOSE=NULL"], "its table has no function `close`; set all functions that bench_probe.h declares");
}

#[test]
fn invalid_descriptor_is_refused() {
    const NEXT: &str = "see bench_probe.h for the contents of a descriptor";
    check_c(&[], &format!("invalid descriptor: it has no scenario; {NEXT}"));
    check_c(
        &[r#"DESCRIPTOR="not JSON""#],
        &format!("its descriptor cannot be parsed: expected ident at line 1 column 2; {NEXT}"),
    );
    check_c(
        &[r#"DESCRIPTOR="{\"name\": \"a\", \"version\": \"1\"}""#],
        &format!("its descriptor cannot be parsed: missing field `scenarios` at line 1 column 29; {NEXT}"),
    );
    check_c(
        &[r#"DESCRIPTOR="{\"name\": \"a b\", \"version\": \"1\", \"scenarios\": []}""#],
        &format!(
            "invalid descriptor: module name \"a b\" is invalid; use 1 to 64 characters of a-z, 0-9, - and _; {NEXT}"
        ),
    );
}

#[test]
fn null_table_is_refused() {
    // SAFETY: null is allowed.
    let loaded = unsafe { Probe::from_table(Path::new("probe.so"), std::ptr::null()) };
    assert!(matches!(loaded, Err(LoadError::NoTable(_))));
}
