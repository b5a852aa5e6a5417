//! Finds the suites and targets in `registry/` and in the folder of each family, and writes lists of them to compile in.

#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let registry = PathBuf::from(variable("CARGO_MANIFEST_DIR"));
    let families = registry.join("../host/families");
    let mut folders = vec![registry.clone()];
    // Cargo watches a folder with all its contents, and this crate does not depend on the sources of families. A new family or
    // folder comes with a change of a manifest, and a test compares the lists with the folders.
    watch(&registry.join("../Cargo.toml"));
    for family in entries(&families)?.into_iter().filter(|path| path.is_dir()) {
        // A family without a crate has no manifest, and watching a missing file would run this with every build.
        let manifest = family.join("Cargo.toml");
        if manifest.is_file() {
            watch(&manifest);
        }
        folders.push(family);
    }
    let mut lists = String::new();
    for (kind, list) in [("suites", "SUITES"), ("targets", "TARGETS")] {
        writeln!(lists, "const {list}: &[Entry] = &[").expect("writing to a string cannot fail");
        for (name, path) in found(&folders, kind)? {
            writeln!(lists, "    ({name:?}, include_str!({path:?})),").expect("writing to a string cannot fail");
        }
        lists.push_str("];\n");
    }
    fs::write(Path::new(&variable("OUT_DIR")).join("entries.rs"), lists)
}

/// The files of a kind in these folders, by name.
fn found(folders: &[PathBuf], kind: &str) -> io::Result<BTreeMap<String, PathBuf>> {
    let mut found = BTreeMap::new();
    for folder in folders.iter().map(|folder| folder.join(kind)).filter(|folder| folder.is_dir()) {
        watch(&folder);
        for path in entries(&folder)?.into_iter().filter(|path| path.extension().is_some_and(|is| is == "toml")) {
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            if let Some(other) = found.insert(name.clone(), path.clone()) {
                panic!("{} and {} have the same name: rename one of the {kind}", other.display(), path.display());
            }
        }
    }
    Ok(found)
}

fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect()
}

/// Makes cargo run this script again when `path` changes.
fn watch(path: &Path) {
    println!("cargo::rerun-if-changed={}", path.display());
}

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| panic!("cargo sets {name}"))
}
