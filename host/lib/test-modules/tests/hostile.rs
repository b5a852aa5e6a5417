//! The program makes a component of every text in `plugins/hostile`, and those that are made of bytes.

use std::fs;
use std::path::Path;
use std::process::Command;

const PROGRAM: &str = env!("CARGO_BIN_EXE_hostile-modules");

/// Those that have no text.
const OF_BYTES: [&str; 4] = ["doubling", "instances", "nested", "slow-function"];

#[test]
fn each_text_becomes_a_component() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    assert!(Command::new(PROGRAM).arg(folder.path()).status().expect("it starts").success());
    let texts = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../plugins/hostile");
    let texts = fs::read_dir(texts).expect("the folder is there").map(|entry| entry.expect("an entry").path());
    let texts = texts.filter(|path| path.extension().is_some_and(|extension| extension == "wat"));
    let mut expected: Vec<_> = texts.map(|path| path.with_extension("wasm")).collect();
    assert!(expected.len() > 5, "{expected:?}");
    expected.extend(OF_BYTES.map(|name| Path::new(name).with_extension("wasm")));
    for file in &expected {
        let file = folder.path().join(file.file_name().expect("a file has a name"));
        let bytes = fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        assert!(bytes.starts_with(b"\0asm\x0d\0\x01\0"), "{} is no component", file.display());
    }
    assert_eq!(fs::read_dir(folder.path()).expect("it is there").count(), expected.len());
}

#[test]
fn folder_that_is_missing_is_named() {
    let output = Command::new(PROGRAM).arg("/nowhere/at/all").output().expect("it starts");
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("/nowhere/at/all"), "{output:?}");
}
