//! A cache of module descriptions, so that a known module need not be loaded to be listed. An entry is valid for one file, one build
//! of this program, and one set of limits and grants.

use crate::families;
use crate::worker::{Kind, ModuleSpec};
use bench_model::Descriptor;
use bench_sink::digest;
use bench_wasm::Cache;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fs;
use std::io::Read;
use std::path::Path;
use std::thread;
use std::time::UNIX_EPOCH;

/// What a worker found out about a module.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Described {
    pub(crate) descriptor: Descriptor,
    /// The interfaces that it imports.
    pub(crate) imports: Vec<String>,
    /// What a user can name in its parameters, such as signatures of functions.
    pub(crate) signatures: Vec<String>,
    /// What a user must know about how it is loaded, if that is not as usual.
    pub(crate) note: Option<String>,
}

/// The cache. Without a folder that only this user can write to, nothing is stored and nothing is found.
#[derive(Clone, Debug, Default)]
pub(crate) struct Descriptions {
    cache: Option<Cache>,
    /// Identifies this build of the program and the number of processors.
    program: Option<String>,
}

/// An entry, with everything that it is valid for, so that a file under a wrong name is ignored.
#[derive(Debug, Serialize, Deserialize)]
struct Entry<'a> {
    program: Cow<'a, str>,
    /// The digest of the module's specification.
    module: Cow<'a, str>,
    described: Cow<'a, Described>,
}

impl Descriptions {
    /// The cache in `folder`.
    pub(crate) fn open(folder: Option<&Path>) -> Self {
        let cache = folder.and_then(|folder| Cache::open(folder).ok());
        Self { cache, program: program() }
    }

    /// The description of the module of `spec`, if it is in the cache.
    pub(crate) fn find(&self, spec: &ModuleSpec) -> Option<Described> {
        let (cache, program, module) = self.key(spec)?;
        let entry: Entry<'_> = serde_json::from_slice(&cache.read(&name(program, &module))?).ok()?;
        if entry.program != *program || entry.module != module {
            return None;
        }
        entry.described.descriptor.validate().ok()?;
        Some(entry.described.into_owned())
    }

    /// Stores the description of the module of `spec`. If that fails, the module is described again the next time.
    pub(crate) fn keep(&self, spec: &ModuleSpec, described: &Described) {
        let Some((cache, program, module)) = self.key(spec) else { return };
        let entry = Entry {
            program: Cow::Borrowed(program),
            module: Cow::Borrowed(&module),
            described: Cow::Borrowed(described),
        };
        let text = serde_json::to_vec(&entry).expect("a description is JSON");
        if let Err(error) = cache.write(&name(program, &module), &text) {
            tracing::debug!(%error, file = %spec.file.display(), "the description cannot be cached");
        }
    }

    /// The cache, and what an entry for `spec` is valid for; `None` if the description cannot be cached.
    fn key(&self, spec: &ModuleSpec) -> Option<(&Cache, &String, String)> {
        if !stands_alone(spec) {
            return None;
        }
        // The description does not depend on the folder. A component that does not describe itself is named after its file.
        let file = spec.file.file_name().map(Into::into).unwrap_or_default();
        let module = ModuleSpec { file, keeps_rights: false, ..spec.clone() };
        let module = serde_json::to_vec(&module).expect("a specification is JSON");
        // A digest, because grants contain values of environment variables, which must not be written to a file.
        Some((self.cache.as_ref()?, self.program.as_ref()?, digest::of_bytes(&module)))
    }
}

fn name(program: &str, module: &str) -> String {
    format!("{}.described.json", digest::of_bytes(format!("{program}\n{module}").as_bytes()))
}

/// Whether the description depends only on the module's file. Some programs are described by another file, and a script is likely
/// to read others.
fn stands_alone(spec: &ModuleSpec) -> bool {
    match &spec.kind {
        Kind::Component | Kind::Probe | Kind::Builtin => true,
        Kind::Native => false,
        Kind::Program { .. } if !families::describes_itself(&spec.file) => false,
        Kind::Program { .. } => {
            let mut begin = [0; 2];
            let read = fs::File::open(&spec.file).and_then(|mut file| file.read_exact(&mut begin));
            read.is_ok() && begin != *b"#!"
        }
    }
}

/// Distinguishes builds of this program and machines of different size, without reading the whole program file.
fn program() -> Option<String> {
    let metadata = fs::metadata(std::env::current_exe().ok()?).ok()?;
    let modified = metadata.modified().ok()?.duration_since(UNIX_EPOCH).ok()?.as_nanos();
    let cpus = thread::available_parallelism().map_or(1, usize::from);
    let (version, engine) = (env!("CARGO_PKG_VERSION"), bench_wasm::ENGINE_VERSION);
    // How instances are allocated depends on it.
    let address_space = rustix::process::getrlimit(rustix::process::Resource::As).current.unwrap_or(u64::MAX);
    Some(format!("{version} {engine} {} {modified} {cpus} {address_space}", metadata.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bench_drivers::Grants;
    use bench_model::Scenario;

    fn spec(kind: Kind, sha256: &str) -> ModuleSpec {
        let (sha256, grants) = (sha256.to_owned(), Grants::default());
        ModuleSpec {
            file: "m.wasm".into(),
            sha256,
            kind,
            grants,
            cache: None,
            memory_bytes_max: 9,
            engine: None,
            descriptor: None,
            keeps_rights: false,
        }
    }

    fn described(imports: &[&str]) -> Described {
        let descriptor = Descriptor::new("m", "1", "A module.").scenario(Scenario::new("s", "f", "A scenario."));
        let imports = imports.iter().map(|import| (*import).to_owned()).collect();
        Described { descriptor, imports, signatures: vec!["f: func()".to_owned()], note: None }
    }

    #[test]
    fn description_is_found_only_for_the_same_module_limits_and_program() {
        let folder = tempfile::tempdir().unwrap();
        let kept = Descriptions::open(Some(folder.path()));
        let component = spec(Kind::Component, "1");
        assert_eq!(kept.find(&component), None);
        kept.keep(&component, &described(&["wasi:io/streams"]));
        let expect = Some(described(&["wasi:io/streams"]));
        assert_eq!(kept.find(&component), expect);
        let moved = ModuleSpec { file: "elsewhere/m.wasm".into(), ..component.clone() };
        assert_eq!(kept.find(&moved), expect);
        let others = [
            spec(Kind::Component, "2"),
            spec(Kind::Probe, "1"),
            ModuleSpec { file: "other.wasm".into(), ..component.clone() },
            ModuleSpec { memory_bytes_max: 10, ..component.clone() },
            ModuleSpec { engine: Some("fuel".to_owned()), ..component.clone() },
        ];
        for other in others {
            assert_eq!(kept.find(&other), None, "{other:?}");
        }
        let later = Descriptions { program: Some("another".to_owned()), ..kept };
        assert_eq!(later.find(&component), None);
    }

    #[test]
    fn damaged_or_misnamed_entry_is_ignored() {
        let folder = tempfile::tempdir().unwrap();
        let kept = Descriptions::open(Some(folder.path()));
        let (one, other) = (spec(Kind::Component, "1"), spec(Kind::Component, "2"));
        kept.keep(&one, &described(&[]));
        let file = |spec: &ModuleSpec| {
            let (_, program, module) = kept.key(spec).unwrap();
            folder.path().join(name(program, &module))
        };
        fs::copy(file(&one), file(&other)).unwrap();
        assert_eq!(kept.find(&other), None, "under the name of another");
        let good = fs::read_to_string(file(&one)).unwrap();
        for damaged in ["", "{}", "garbage", &good[..good.len() / 2], &good.replace("\"name\":\"m\"", "\"name\":\"\"")]
        {
            fs::write(file(&one), damaged).unwrap();
            assert_eq!(kept.find(&one), None, "{damaged}");
        }
    }

    #[test]
    fn description_that_depends_on_other_files_is_not_cached() {
        let folder = tempfile::tempdir().unwrap();
        let kept = Descriptions::open(Some(folder.path()));
        let program = |name: &str, text: &str| {
            let file = folder.path().join(name);
            fs::write(&file, text).unwrap();
            ModuleSpec { file, ..spec(Kind::Program { family: "operators".to_owned() }, "1") }
        };
        let cases = [
            (program("a-other", "\x7fELF"), false),
            (program("b-process", "#!/bin/sh\n"), false),
            (program("c-process", "\x7fELF"), true),
        ];
        for (spec, expect) in cases {
            kept.keep(&spec, &described(&[]));
            assert_eq!(kept.find(&spec).is_some(), expect, "{spec:?}");
        }
    }
}
