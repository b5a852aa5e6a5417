//! Makes the files of the corpus: probes from `native-probes/hostile`, the plug-ins of `plugins/hostile`, and files in place of others.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use super::rows::Row;
use crate::artifact::LIBRARY;
use crate::hostile;
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
const CROWDS: [(&str, [u32; 3]); 3] =
    [("cells", [1, 2, 315]), ("scenarios", [1_000, 100, 1]), ("too-many", [1_001, 1, 1])];

/// The files of the corpus.
pub(crate) struct Corpus {
    /// Why a file could not be made.
    missing: BTreeMap<String, String>,
    /// The names of the plug-ins of `plugins/hostile`, without `.wasm`.
    pub(crate) plugins: BTreeSet<String>,
}

impl Corpus {
    /// Makes all files in `folder`. The plug-ins of `plugins/hostile` are built already.
    pub(crate) fn make(project: &Project, folder: &Path) -> Result<Self> {
        let plugins = plugins(project, folder)?;
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
        write("no-processes.toml", b"summary = \"s\"\nprocesses = 0\n[[cells]]\nscenario = \"self/*\"\n")?;
        let glob = format!("summary = \"s\"\n[[cells]]\nscenario = \"{}\"\n", "{a,".repeat(100_000));
        write("long-glob.toml", glob.as_bytes())?;
        write("large.toml", &vec![b'#'; 2 << 20])?;
        for (run, target) in [("zero", "/dev/zero"), ("kernel", "/proc/kmsg")] {
            fs::create_dir_all(folder.join(run))?;
            symlink(target, folder.join(run).join("run.jsonl"))?;
        }
        fs::create_dir_all(folder.join("given"))?;
        write("given/inside", b"")?;
        symlink("/", folder.join("given/out"))?;
        fs::create_dir_all(folder.join("index"))?;
        symlink("/dev/zero", folder.join("index/.index.jsonl"))?;
        fs::create_dir_all(folder.join("pipe"))?;
        if !Command::new("mkfifo").arg(folder.join("pipe/run.jsonl")).status().is_ok_and(|status| status.success()) {
            missing.insert("pipe".to_owned(), "mkfifo is not installed".to_owned());
        }
        Ok(Self { missing, plugins })
    }

    /// Why `row` cannot be tried: a file that it names could not be made.
    pub(crate) fn missing(&self, row: &Row) -> Option<String> {
        row.words.iter().find_map(|word| self.missing.get(word)).cloned()
    }
}

/// Copies the plug-ins of `plugins/hostile` into `folder`, and returns their names.
fn plugins(project: &Project, folder: &Path) -> Result<BTreeSet<String>> {
    let built = project.root().join(hostile::FOLDER);
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(&built).with_context(|| format!("cannot read {}", built.display()))? {
        let path = entry?.path();
        if let (Some(stem), true) = (path.file_stem(), path.extension().is_some_and(|extension| extension == "wasm")) {
            let to = folder.join(stem).with_extension("wasm");
            fs::copy(&path, &to).with_context(|| format!("cannot copy {}", path.display()))?;
            names.insert(stem.to_string_lossy().into_owned());
        }
    }
    Ok(names)
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
    build("forged", "forged.c", &headers);
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
const STREAM: &[u8] = &[7, 3, 1, 0x66, 0];

/// A core module that exports the sum of two integers of 32 bits as `add`: its types, functions, exports and code.
const ADD: &[u8] = b"\0asm\x01\0\0\0\x01\x07\x01\x60\x02\x7f\x7f\x01\x7f\x03\x02\x01\0\x07\x07\x01\x03add\0\0\x0a\x09\x01\x07\0\x20\0\x20\x01\x6a\x0b";
