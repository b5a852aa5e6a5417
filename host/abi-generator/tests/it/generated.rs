//! What is checked in is what is generated.

use std::fs;
use std::path::Path;

#[test]
fn checked_in_files_are_as_generated() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    for (path, text) in abi_generator::generate(&root).unwrap() {
        let found = fs::read_to_string(root.join(&path)).unwrap_or_default();
        // No `assert_eq!`: two whole files say less than the command.
        assert!(found == text, "{} is not as generated; run `cargo xtask abi`", path.display());
    }
}
