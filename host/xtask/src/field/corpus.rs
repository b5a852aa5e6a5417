//! Makes the files of the corpus: probes from `native-probes/hostile`, components byte by byte, and files in place of others.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use super::rows::Row;
use crate::artifact::LIBRARY;
use crate::project::Project;

/// The deeds of the hostile probe, by the name of the function that does each.
const DEEDS: [&str; 15] = [
    "escape",
    "orphan",
    "wander",
    "stop_parent",
    "kill_parent",
    "forge",
    "endless",
    "hang",
    "block_signals",
    "close_files",
    "limit",
    "crash",
    "give_up",
    "leave",
    "hoard",
];

/// How much a probe describes: scenarios, parameters of each, values of each parameter.
const CROWDS: [(&str, [u32; 3]); 2] = [("cells", [1, 2, 315]), ("scenarios", [1_000, 100, 1])];

/// How often a component makes an instance of the same module.
const INSTANCES: usize = 100_000;

/// How deep components are nested in one another, deeper than any toolchain makes them.
const DEPTH: usize = 20_000;

/// The files of the corpus.
pub(crate) struct Corpus {
    /// Why a file could not be made.
    missing: BTreeMap<String, String>,
}

impl Corpus {
    /// Makes all files in `folder`.
    pub(crate) fn make(project: &Project, folder: &Path) -> Result<Self> {
        let mut missing = probes(project, folder);
        let write = |name: &str, bytes: &[u8]| {
            fs::write(folder.join(name), bytes).with_context(|| format!("cannot write {name}"))
        };
        fs::create_dir_all(folder.join("none"))?;
        write("cut.wasm", &[COMPONENT, &[1, 200, 1, 0]].concat())?;
        write("core.wasm", b"\0asm\x01\0\0\0")?;
        write("add.wasm", ADD)?;
        write("async.wasm", &[COMPONENT, STREAM].concat())?;
        write("text.wasm", b"#!/bin/sh\n")?;
        write("nested.wasm", &nested(DEPTH))?;
        write("doubling.wasm", &doubling())?;
        write("instances.wasm", &instances(INSTANCES))?;
        write("no-processes.toml", b"summary = \"s\"\nprocesses = 0\n[[cells]]\nscenario = \"self/*\"\n")?;
        let glob = format!("summary = \"s\"\n[[cells]]\nscenario = \"{}\"\n", "{a,".repeat(100_000));
        write("long-glob.toml", glob.as_bytes())?;
        write("large.toml", &vec![b'#'; 2 << 20])?;
        for (run, target) in [("zero", "/dev/zero"), ("kernel", "/proc/kmsg")] {
            fs::create_dir_all(folder.join(run))?;
            symlink(target, folder.join(run).join("run.jsonl"))?;
        }
        fs::create_dir_all(folder.join("index"))?;
        symlink("/dev/zero", folder.join("index/.index.jsonl"))?;
        fs::create_dir_all(folder.join("pipe"))?;
        if !Command::new("mkfifo").arg(folder.join("pipe/run.jsonl")).status().is_ok_and(|status| status.success()) {
            missing.insert("pipe".to_owned(), "mkfifo is not installed".to_owned());
        }
        Ok(Self { missing })
    }

    /// Why `row` cannot be tried: a file that it names could not be made.
    pub(crate) fn missing(&self, row: &Row) -> Option<String> {
        row.words.iter().find_map(|word| self.missing.get(*word)).cloned()
    }
}

/// Builds all hostile probes in `folder`; why each of the others could not be built.
fn probes(project: &Project, folder: &Path) -> BTreeMap<String, String> {
    let include = |folder: &str| format!("-I{}", project.root().join(folder).display());
    let headers = [include("plugins/sdk-c"), include("native-probes/probe-abi/include")];
    let mut missing = BTreeMap::new();
    let mut build = |name: &str, source: &str, options: &[String]| {
        let name = format!("{name}.{LIBRARY}");
        if let Some(reason) = probe(project, source, options, &folder.join(&name)) {
            missing.insert(name, reason);
        }
    };
    for deed in DEEDS {
        build(deed, "hostile.c", &[format!("-DDEED={deed}")]);
    }
    build("lent", "lent.c", &headers);
    for (name, [scenarios, parameters, values]) in CROWDS {
        let defined = [("SCENARIOS", scenarios), ("PARAMETERS", parameters), ("VALUES", values)];
        let defined = defined.map(|(name, number)| format!("-D{name}={number}"));
        build(name, "many.c", &[&headers[..], &defined[..]].concat());
    }
    missing
}

/// Builds a hostile probe of this source with these options; the reason if that fails.
fn probe(project: &Project, source: &str, options: &[String], library: &Path) -> Option<String> {
    let source = project.root().join("native-probes/hostile").join(source);
    let compiler = std::env::var_os("CC").unwrap_or_else(|| "cc".into());
    let mut command = Command::new(compiler);
    command.args(["-shared", "-fPIC", "-O1"]).args(options).arg("-o").arg(library).arg(source);
    match command.output() {
        Ok(output) if output.status.success() => None,
        Ok(output) => {
            let text = String::from_utf8_lossy(&output.stderr);
            Some(format!("it cannot be compiled: {}", text.lines().next().unwrap_or_default()))
        }
        Err(error) => Some(format!("there is no C compiler: {error}")),
    }
}

/// The beginning of a component.
const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";

/// A section with one type, a stream without elements, as only components of WASI 0.3 have.
const STREAM: &[u8] = &[TYPE_SECTION, 3, 1, 0x66, 0];

/// A core module that exports the sum of two integers of 32 bits as `add`: its types, functions, exports and code.
const ADD: &[u8] = b"\0asm\x01\0\0\0\x01\x07\x01\x60\x02\x7f\x7f\x01\x7f\x03\x02\x01\0\x07\x07\x01\x03add\0\0\x0a\x09\x01\x07\0\x20\0\x20\x01\x6a\x0b";

/// The numbers of the sections that hold a nested component, and types.
const NESTED: u8 = 4;
const TYPE_SECTION: u8 = 7;

/// Components nested in one another.
fn nested(depth: usize) -> Vec<u8> {
    // The sizes from the innermost to the outermost, then the bytes from the outermost to the innermost.
    let mut sizes = vec![COMPONENT.len()];
    for level in 1..depth {
        let inner = sizes[level - 1];
        sizes.push(COMPONENT.len() + 1 + leb(inner).len() + inner);
    }
    let mut bytes = Vec::with_capacity(sizes[depth - 1]);
    for inner in sizes.iter().rev().skip(1) {
        bytes.extend_from_slice(COMPONENT);
        bytes.push(NESTED);
        bytes.extend(leb(*inner));
    }
    bytes.extend_from_slice(COMPONENT);
    bytes
}

/// Thirty types, each a pair of the one before.
fn doubling() -> Vec<u8> {
    const TYPES: u8 = 30;
    const TUPLE: u8 = 0x6f;
    const BYTE: u8 = 0x7d;
    let pair = |of: u8| [TUPLE, 2, of, of];
    let types = std::iter::once(BYTE).chain(0..TYPES - 1).flat_map(pair);
    let body: Vec<u8> = std::iter::once(TYPES).chain(types).collect();
    [COMPONENT, &[TYPE_SECTION][..], &leb(body.len())[..], &body[..]].concat()
}

/// A component that makes so many instances of one core module, which is empty.
fn instances(count: usize) -> Vec<u8> {
    const MODULE: &[u8] = b"\0asm\x01\0\0\0";
    const MODULE_SECTION: u8 = 1;
    const INSTANCE_SECTION: u8 = 2;
    // Each is made of the module of index 0, without arguments.
    let body = [leb(count), [0, 0, 0].repeat(count)].concat();
    let module = [&[MODULE_SECTION][..], &leb(MODULE.len())[..], MODULE].concat();
    [COMPONENT, &module[..], &[INSTANCE_SECTION], &leb(body.len())[..], &body[..]].concat()
}

/// A number in LEB128, as WebAssembly writes sizes.
fn leb(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = (number & 0x7f) as u8;
        number >>= 7;
        if number == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_type_is_a_pair_of_the_one_before() {
        let bytes = doubling();
        assert_eq!(bytes[8..19], [7, 121, 30, 0x6f, 2, 0x7d, 0x7d, 0x6f, 2, 0, 0]);
        assert_eq!(bytes[bytes.len() - 4..], [0x6f, 2, 28, 28]);
    }

    #[test]
    fn instances_follow_their_module() {
        assert_eq!(instances(2)[8..], [1, 8, 0, b'a', b's', b'm', 1, 0, 0, 0, 2, 7, 2, 0, 0, 0, 0, 0, 0]);
    }

    #[test]
    fn nested_components_have_the_sizes_of_what_they_hold() {
        assert_eq!(nested(1), COMPONENT);
        assert_eq!(nested(2), [COMPONENT, &[NESTED, 8], COMPONENT].concat());
        let deep = nested(30);
        assert_eq!(deep[9..11], [0xb0, 0x02], "304 bytes follow");
        assert_eq!(deep.len(), 8 + 1 + 2 + 304);
    }
}
