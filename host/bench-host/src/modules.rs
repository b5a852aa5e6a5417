//! The modules a command was given: told apart by name, described by a worker each, granted what the command grants.

use crate::cli::{GrantArgs, LimitArgs};
use crate::scratch::{Scratch, ScratchFolder};
use crate::worker::{Kind, ModuleSpec, Reply, Request};
use crate::{output, paths};
use anyhow::Context;
use bench_drivers::{DirectoryGrant, Grants, ScratchGrant};
use bench_engine::worker::Workers;
use bench_engine::{Cell, Interrupt, Offer, Selection};
use bench_model::{Arguments, Arm, Descriptor, Value};
use bench_sink::digest;
use bench_sink::runfile::ModuleRecord;
use bench_wire::DescriptorJson;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

/// A module that could be loaded.
#[derive(Clone, Debug)]
pub(crate) struct Loaded {
    pub(crate) spec: ModuleSpec,
    pub(crate) offer: Offer,
    /// The interfaces it imports.
    pub(crate) imports: Vec<String>,
}

/// A file that could not.
#[derive(Clone, Debug)]
pub(crate) struct Refused {
    pub(crate) file: PathBuf,
    pub(crate) sha256: Option<String>,
    /// Names the file, says why and what to do.
    pub(crate) reason: String,
}

/// What a command was given.
#[derive(Clone, Debug, Default)]
pub(crate) struct Modules {
    pub(crate) loaded: Vec<Loaded>,
    pub(crate) refused: Vec<Refused>,
}

/// How modules are loaded, whatever they are.
#[derive(Clone, Debug)]
pub(crate) struct Loader {
    pub(crate) workers: Workers,
    pub(crate) grants: Grants,
    pub(crate) cache: Option<PathBuf>,
    pub(crate) limits: LimitArgs,
    /// Folders for workers that want some, for as long as there is a copy of this.
    scratch: Scratch,
}

/// A module and arguments as one worker is to see them.
#[derive(Debug)]
pub(crate) struct Resolved {
    /// With the grants that the arguments' paths need.
    pub(crate) module: ModuleSpec,
    pub(crate) arguments: Arguments,
    /// Removed when this is dropped, which must not be before the worker has ended.
    pub(crate) scratch: Vec<ScratchFolder>,
}

/// The name of the file a builtin module is shown with.
pub(crate) const BUILTIN: &str = "builtin:self";

/// The word that stands for the project's own sources where a scenario reads a path.
const PROJECT: &str = "@project";

/// The word that stands for the system's folder for temporary files where a scenario wants a folder of its own.
const TEMPORARY: &str = "@temp";

impl Loader {
    pub(crate) fn new(grants: &GrantArgs, limits: LimitArgs) -> anyhow::Result<Self> {
        let program = std::env::current_exe().context("cannot find this program to start workers with")?;
        let variable = |name: &String| {
            let value = std::env::var(name).with_context(|| format!("--env {name}: not set, or not text"))?;
            anyhow::Ok((name.clone(), value))
        };
        Ok(Self {
            workers: Workers { program, arguments: vec!["worker".to_owned()] },
            grants: Grants {
                directories: grants.allow_dir.clone(),
                connections: grants.allow_net.clone(),
                scratch: Vec::new(),
                environment: grants.env.iter().map(variable).collect::<anyhow::Result<_>>()?,
            },
            cache: trusted_cache(),
            limits,
            scratch: Scratch::default(),
        })
    }

    pub(crate) fn deadline(&self) -> Duration {
        Duration::from_nanos(self.limits.deadline)
    }

    /// Describes `files`, two at a time, and with each component the probe of its name beside it.
    pub(crate) fn load(&self, files: &[PathBuf], with_builtin: bool, interrupt: &Interrupt) -> Modules {
        let mut given = with_native_arms(files);
        given.extend(with_builtin.then(|| PathBuf::from(BUILTIN)));
        let (first, second) = given.split_at(given.len().div_ceil(2));
        let load_all = |files: &[PathBuf]| files.iter().map(|file| self.load_one(file, interrupt)).collect::<Vec<_>>();
        let mut results = Vec::new();
        thread::scope(|scope| {
            let other = scope.spawn(|| load_all(second));
            results = load_all(first);
            results.extend(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        });
        let mut modules = Modules::default();
        for result in results {
            match result {
                Ok(loaded) => modules.loaded.push(loaded),
                Err(refused) => modules.refused.push(refused),
            }
        }
        modules.refuse_other_descriptions();
        modules
    }

    fn load_one(&self, file: &Path, interrupt: &Interrupt) -> Result<Loaded, Refused> {
        let refuse = |sha256: Option<&str>, reason: String| Refused {
            file: file.to_owned(),
            sha256: sha256.map(str::to_owned),
            reason,
        };
        let kind = kind(file).map_err(|reason| refuse(None, reason))?;
        let sha256 = match kind {
            Kind::Builtin => env!("CARGO_PKG_VERSION").to_owned(),
            _ => digest::of_file(file).map_err(|error| {
                refuse(None, format!("{}: cannot be read: {error}; give the path of a built module", file.display()))
            })?,
        };
        let spec = ModuleSpec {
            file: file.to_owned(),
            sha256: sha256.clone(),
            kind,
            grants: self.grants.clone(),
            cache: self.cache.clone(),
            memory_bytes_max: usize::try_from(self.limits.memory).unwrap_or(usize::MAX),
            engine: None,
        };
        let end = self.workers.call::<_, Reply>(&Request::Describe(spec.clone()), self.deadline(), interrupt);
        let (descriptor, imports) = match end.result {
            Ok(Reply::Described { descriptor, imports }) => (descriptor, imports),
            Ok(Reply::Refused(reason)) => return Err(refuse(Some(&sha256), reason)),
            Ok(_) => {
                return Err(refuse(Some(&sha256), format!("{}: the worker answered something else", file.display())));
            }
            Err(error) => {
                return Err(refuse(
                    Some(&sha256),
                    format!("{}: while it was loaded, {error}; build or copy it again", file.display()),
                ));
            }
        };
        let descriptor = Descriptor::try_from(descriptor)
            .map_err(|reason| refuse(Some(&sha256), format!("{}: {reason}", file.display())))?;
        let arm = match kind {
            Kind::Component => Arm::Wasm,
            Kind::Server => Arm::Process,
            _ if paths::is_native_cpu(file) => Arm::NativeCpu,
            _ => Arm::Native,
        };
        Ok(Loaded { offer: Offer { file: file.to_owned(), sha256, arm, variant: None, descriptor }, spec, imports })
    }
}

impl Modules {
    pub(crate) fn offers(&self) -> Vec<Offer> {
        self.loaded.iter().map(|loaded| loaded.offer.clone()).collect()
    }

    /// Only the modules that `selections` name, so that a run records what it used; all of them where a selection names
    /// none or is malformed, for the plan to say so.
    pub(crate) fn only_needed(mut self, selections: &[Selection]) -> Self {
        let is_named = |loaded: &Loaded| {
            let mut named = selections.iter().map(|selection| selection.names(&loaded.offer.descriptor));
            named.any(|named| named.unwrap_or(true))
        };
        if self.loaded.iter().any(is_named) {
            self.loaded.retain(is_named);
        }
        self
    }

    /// What is written of each at the head of a run file.
    pub(crate) fn records(&self) -> Vec<ModuleRecord> {
        let loaded = self.loaded.iter().map(|loaded| ModuleRecord {
            file: loaded.offer.file.display().to_string(),
            sha256: Some(loaded.offer.sha256.clone()),
            arm: Some(loaded.offer.arm.to_string()),
            descriptor: Some(DescriptorJson::from(&loaded.offer.descriptor)),
            granted: if loaded.spec.kind == Kind::Component { loaded.spec.grants.describe() } else { Vec::new() },
            refused: None,
        });
        let refused = self.refused.iter().map(|refused| {
            let file = refused.file.display().to_string();
            // The record has the file beside the reason, so the reason need not name it again.
            let reason = refused.reason.strip_prefix(&format!("{file}: ")).unwrap_or(&refused.reason);
            ModuleRecord {
                sha256: refused.sha256.clone(),
                arm: None,
                descriptor: None,
                granted: Vec::new(),
                refused: Some(reason.to_owned()),
                file,
            }
        });
        loaded.chain(refused).collect()
    }

    /// Two files may be two arms of one module. If they describe it differently, or are the same arm of it, the later one
    /// is refused: its cells could not be told from the other's.
    fn refuse_other_descriptions(&mut self) {
        let mut kept: Vec<Loaded> = Vec::new();
        for loaded in std::mem::take(&mut self.loaded) {
            let same_name = |other: &&Loaded| other.offer.descriptor.name == loaded.offer.descriptor.name;
            let other = kept.iter().find(same_name);
            let reason = other.and_then(|other| {
                let (file, first, name) = (loaded.offer.file.display(), other.offer.file.display(), &loaded.offer.descriptor.name);
                if kept.iter().any(|other| same_name(&other) && other.offer.arm == loaded.offer.arm) {
                    Some(format!("{file}: module `{name}` was loaded from {first} already; give one of the two"))
                } else if other.offer.descriptor != loaded.offer.descriptor {
                    Some(format!("{file}: describes module `{name}` differently than {first}; build both arms from the same source"))
                } else {
                    None
                }
            });
            match reason {
                None => kept.push(loaded),
                Some(reason) => {
                    let (file, sha256) = (loaded.offer.file, Some(loaded.offer.sha256));
                    self.refused.push(Refused { file, sha256, reason });
                }
            }
        }
        self.loaded = kept;
    }
}

/// The folder of compiled code. One that cannot be trusted is told here, where the user sees it, and no worker is given it.
fn trusted_cache() -> Option<PathBuf> {
    let directory = paths::code_cache()?;
    match bench_wasm::Cache::open(&directory) {
        Ok(_) => Some(directory),
        Err(error) => {
            output::line(&format!("bench-host: compiled code is not cached: {error}"));
            None
        }
    }
}

/// Each component's probe after it, and its server after that, each file once.
fn with_native_arms(files: &[PathBuf]) -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> = Vec::new();
    for file in files {
        let probe = file.with_extension(std::env::consts::DLL_EXTENSION);
        // The probe says what the server does.
        let beside = if probe.is_file() { vec![paths::process_arm(file), probe] } else { Vec::new() };
        let beside = beside.into_iter().rev().filter(|beside| paths::is_component(file) && beside.is_file());
        for file in std::iter::once(file.clone()).chain(beside) {
            if !all.contains(&file) {
                all.push(file);
            }
        }
    }
    all
}

fn kind(file: &Path) -> Result<Kind, String> {
    match file {
        _ if file.as_os_str() == BUILTIN => Ok(Kind::Builtin),
        // Reading a pipe may never end.
        _ if file.exists() && !file.is_file() => {
            Err(format!("{}: a folder, a pipe or a device, not a file; give built modules", file.display()))
        }
        _ if paths::is_component(file) => Ok(Kind::Component),
        _ if paths::is_probe(file) => Ok(Kind::Probe),
        _ if paths::is_server(file) && paths::described_by(file).is_file() => Ok(Kind::Server),
        _ => Err(format!(
            "{}: neither a component (.wasm) nor a probe (.so, .dylib); give built modules",
            file.display()
        )),
    }
}

impl Loader {
    /// What a cell's paths come to for one worker, or why they come to nothing and what to do.
    pub(crate) fn resolve(&self, loaded: &Loaded, cell: &Cell) -> Result<Resolved, String> {
        let mut resolved =
            Resolved { module: loaded.spec.clone(), arguments: cell.arguments.clone(), scratch: Vec::new() };
        for requirement in &cell.scenario.requirements {
            if let Some((name, text)) = named(requirement.read_parameter(), &cell.arguments) {
                resolved.read(name, text)?;
            } else if let Some((name, text)) = named(requirement.scratch_parameter(), &cell.arguments) {
                let parent = if text == TEMPORARY { std::env::temp_dir() } else { PathBuf::from(text) };
                let folder = self.scratch.folder(&parent).map_err(|error| {
                    let parent = parent.display();
                    format!("parameter `{name}`: no folder can be made in {parent}: {error}; give -p {name}=FOLDER")
                })?;
                resolved.write(name, folder);
            }
        }
        Ok(resolved)
    }
}

impl Resolved {
    /// Lets the module read the file or folder at `text`.
    fn read(&mut self, parameter: &str, text: &str) -> Result<(), String> {
        let next = format!("give -p {parameter}=PATH");
        let path = if text == PROJECT {
            paths::project()
                .map(|project| project.join("host"))
                .ok_or_else(|| format!("the project's own sources are not here; {next}"))?
        } else {
            PathBuf::from(text)
        };
        let path = path
            .canonicalize()
            .map_err(|error| format!("parameter `{parameter}`: {}: {error}; {next}", path.display()))?;
        // A single file is seen through its folder, for a folder is the least that can be granted.
        match path.file_name() {
            Some(name) if path.is_file() && self.module.kind == Kind::Component => {
                let seen = format!("/{parameter}/{}", name.to_string_lossy());
                self.grant(parameter, path.parent().unwrap_or(Path::new("/")), true);
                self.arguments.set(parameter, Value::Text(seen));
            }
            _ => self.grant(parameter, &path, true),
        }
        Ok(())
    }

    /// Lets the module fill `folder`, and keeps it.
    fn write(&mut self, parameter: &str, folder: ScratchFolder) {
        self.grant(parameter, folder.path(), false);
        if let Some(Value::Text(guest)) = self.arguments.get(parameter) {
            let scratch = ScratchGrant { guest: guest.clone(), beside: folder.beside().to_owned() };
            self.module.grants.scratch.push(scratch);
        }
        self.scratch.push(folder);
    }

    /// Lets `parameter` be the path at which the module sees `path`.
    fn grant(&mut self, parameter: &str, path: &Path, read_only: bool) {
        let seen = if self.module.kind == Kind::Component {
            let guest = format!("/{parameter}");
            let grant = DirectoryGrant { host: path.to_owned(), guest: guest.clone(), read_only };
            self.module.grants.directories.push(grant);
            guest
        } else {
            path.to_string_lossy().into_owned()
        };
        self.arguments.set(parameter, Value::Text(seen));
    }
}

/// The parameter that a requirement names, and its text.
fn named<'a>(parameter: Option<&'a str>, arguments: &'a Arguments) -> Option<(&'a str, &'a str)> {
    let parameter = parameter?;
    match arguments.get(parameter)? {
        Value::Text(text) => Some((parameter, text)),
        _ => None,
    }
}
