//! Compiles probes in C for the tests.

use std::path::Path;
use std::process::Command;
use test_modules::{Library, compile, compiler, header_folder};

/// Compiles `tests/it/probes/FILE` with these definitions, if there is a compiler.
pub(crate) fn library(file: &str, definitions: &[&str]) -> Option<Library> {
    test_modules::probe(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/probes").join(file), definitions)
}

#[test]
fn header_is_valid_cxx() {
    let Some(compiler) = compiler("CXX", "c++") else { return };
    let header = header_folder().join("bench_probe.h");
    compile(
        Command::new(compiler).args(["-std=c++17", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-x", "c++"]),
        &header,
    );
}
