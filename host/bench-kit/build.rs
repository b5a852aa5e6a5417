//! Lists the files of the SDKs and templates, to compile their texts in. No path of the checkout gets into the program.

#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// A folder or file of the project, and its place in the SDK's folder. Crates lie side by side, in a workspace of their own. A later file
/// takes the place of an earlier one.
const SDK: [(&str, &str); 25] = [
    ("LICENSE", "LICENSE"),
    ("wit", "wit"),
    ("host/bench-kit/wasi", "wit/wasi"),
    ("native-probes/probe-abi/include", "include"),
    ("host/bench-kit/sdk/README.md", "README.md"),
    ("host/bench-kit/sdk/workspace.toml", "rust/Cargo.toml"),
    ("plugins/sdk-rust", "rust/bench-plugin"),
    ("wit", "rust/bench-plugin/wit"),
    ("host/bench-model", "rust/bench-model"),
    ("host/lib/operator-core", "rust/operator-core"),
    ("host/lib/operator-process", "rust/operator-process"),
    ("host/lib/vocabulary", "rust/vocabulary"),
    ("native-probes/probe-abi", "rust/probe-abi"),
    // Its tests need a server, which is not part of the SDK, so its manifest is another one.
    ("plugins/pg-wire/src", "rust/pg-wire/src"),
    ("host/bench-kit/sdk/pg-wire.toml", "rust/pg-wire/Cargo.toml"),
    // A registry shows it. The crate that plug-ins depend on has one of its own.
    ("host/bench-kit/sdk/crate.md", "rust/bench-model/README.md"),
    ("host/bench-kit/sdk/crate.md", "rust/operator-core/README.md"),
    ("host/bench-kit/sdk/crate.md", "rust/operator-process/README.md"),
    ("host/bench-kit/sdk/crate.md", "rust/pg-wire/README.md"),
    ("host/bench-kit/sdk/crate.md", "rust/probe-abi/README.md"),
    ("host/bench-kit/sdk/crate.md", "rust/vocabulary/README.md"),
    ("plugins/sdk-go", "go"),
    ("plugins/sdk-c", "c"),
    // That of the project is for those who change the packages, and leads to files that are not part of the SDK.
    ("host/bench-kit/sdk/wit.md", "wit/README.md"),
    ("host/bench-kit/sdk/wit.md", "rust/bench-plugin/wit/README.md"),
];

/// The names of files that are part of an SDK, by their ends.
const ENDINGS: [&str; 8] = [".rs", "Cargo.toml", ".h", ".go", "go.mod", ".wit", ".md", "LICENSE"];

/// Folders and files that authors do not need.
const LEFT_OUT: [&str; 3] = ["published", "target", "_test.go"];

fn main() -> io::Result<()> {
    let here = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let project = here.ancestors().nth(2).expect("this crate lies in host/").to_owned();
    println!("cargo::rerun-if-changed=build.rs");
    let mut sdk = BTreeMap::new();
    for (from, to) in SDK {
        println!("cargo::rerun-if-changed={}", project.join(from).display());
        collect(&project.join(from), to, &mut sdk)?;
    }
    sdk.retain(|place, _| ENDINGS.iter().any(|ending| place.ends_with(ending)));
    let mut templates = BTreeMap::new();
    println!("cargo::rerun-if-changed=templates");
    collect(&here.join("templates"), "", &mut templates)?;
    let text = format!("{}{}", list("SDK", &sdk), list("TEMPLATES", &templates));
    fs::write(Path::new(&env::var_os("OUT_DIR").expect("cargo sets it")).join("files.rs"), text)
}

/// Adds a file, or the files below a folder, by their places. Symbolic links are not followed: their targets have places of their own.
fn collect(path: &Path, place: &str, files: &mut BTreeMap<String, PathBuf>) -> io::Result<()> {
    if LEFT_OUT.iter().any(|name| place.ends_with(name)) || path.is_symlink() {
        return Ok(());
    }
    if path.is_file() {
        files.insert(place.to_owned(), path.to_owned());
        return Ok(());
    }
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let place = if place.is_empty() { name } else { format!("{place}/{name}") };
        collect(&entry.path(), &place, files)?;
    }
    Ok(())
}

/// The files as a list of places and texts, in Rust.
fn list(name: &str, files: &BTreeMap<String, PathBuf>) -> String {
    let mut text = format!("const {name}: &[(&str, &str)] = &[\n");
    for (place, path) in files {
        writeln!(text, "    ({place:?}, include_str!({path:?})),").expect("writing to a string cannot fail");
    }
    text.push_str("];\n");
    text
}
