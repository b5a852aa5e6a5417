//! Loads the descriptions of the modules that a command was given, each in a worker, with the grants of the command.

mod needed;

use crate::cli::{GrantArgs, LimitArgs};
use crate::compilers::compilers;
use crate::described::{Described, Descriptions};
use crate::file_digests::FileDigests;
use crate::scratch::Scratch;
use crate::secret::Secrets;
use crate::stored::Trust;
use crate::worker::{Kind, ModuleSpec, Reply, Request};
use crate::{absent, builtin, compiling, families, output, paths, requests, stored};
use anyhow::Context;
use bench_drivers::Grants;
use bench_engine::worker::Workers;
use bench_engine::{Cell, Interrupt, LoadedModule};
use bench_family::Servers;
use bench_model::{Arm, Capability, Descriptor, Scenario};
use bench_sink::digest;
use bench_sink::runfile::ModuleRecord;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

/// A loaded module.
#[derive(Clone, Debug)]
pub(crate) struct Loaded {
    pub(crate) spec: ModuleSpec,
    pub(crate) offer: LoadedModule,
    /// The interfaces that it imports.
    pub(crate) imports: Vec<String>,
    /// What a user can name in its parameters, such as signatures of functions.
    pub(crate) signatures: Vec<String>,
    /// What a user must know about how it is loaded, if that is not as usual.
    pub(crate) note: Option<String>,
    /// Its own names, if it is compared under those of another module.
    pub(crate) own: Option<Box<OwnNames>>,
}

/// The names by which a module describes itself, if the plan has others.
#[derive(Clone, Debug)]
pub(crate) struct OwnNames {
    pub(crate) descriptor: Descriptor,
    /// The scenario, if it has another name, too.
    pub(crate) scenario: Option<String>,
}

/// A file that could not be loaded.
#[derive(Clone, Debug)]
pub(crate) struct Refused {
    pub(crate) file: PathBuf,
    pub(crate) sha256: Option<String>,
    /// Names the file, says why and what to do.
    pub(crate) reason: String,
}

/// The modules that a command was given.
#[derive(Clone, Debug, Default)]
pub(crate) struct Modules {
    pub(crate) loaded: Vec<Loaded>,
    pub(crate) refused: Vec<Refused>,
    /// Modules that scenarios of other modules name, and that are not run themselves.
    pub(crate) companions: Vec<Loaded>,
}

/// How modules are loaded.
#[derive(Clone, Debug)]
pub(crate) struct Loader {
    pub(crate) workers: Workers,
    pub(crate) grants: Grants,
    pub(crate) cache: Option<PathBuf>,
    /// The cache of descriptions.
    pub(crate) descriptions: Descriptions,
    /// What finds the digests of modules. None is kept, unless a command only shows what modules are: what is run is read.
    pub(crate) digests: FileDigests,
    /// What is trusted.
    pub(crate) trust: Trust,
    pub(crate) limits: LimitArgs,
    /// Scratch folders for workers; removed with the last copy of this.
    pub(crate) scratch: Scratch,
    /// Servers for workers; stopped with the last copy of this.
    pub(crate) servers: Option<Arc<dyn Servers>>,
    /// Passwords of the servers that the user named.
    pub(crate) secrets: Secrets,
    /// The program of `--native`.
    pub(crate) native: Option<PathBuf>,
    /// Values of parameters on the command line, some of which name modules.
    pub(crate) parameters: Vec<(String, Vec<String>)>,
}

/// The time that a worker may take in addition to its measured time, unless `--deadline` says otherwise.
const DEADLINE_NS: u64 = 30_000_000_000;

/// The file name that the built-in module is shown with.
pub(crate) const BUILTIN: &str = "builtin:self";

impl Loader {
    /// Loads modules with what the user trusts.
    pub(crate) fn new(grants: &GrantArgs, limits: LimitArgs) -> anyhow::Result<Self> {
        Self::trusting(Trust::read()?, grants, limits)
    }

    /// Loads modules with what `trust` says and nothing else of the user's policy.
    pub(crate) fn trusting(trust: Trust, grants: &GrantArgs, limits: LimitArgs) -> anyhow::Result<Self> {
        let program = std::env::current_exe().context("cannot find this program to start workers with")?;
        let cache = trusted_cache();
        Ok(Self {
            descriptions: Descriptions::open(paths::description_cache().as_deref()),
            digests: FileDigests::default(),
            trust,
            workers: Workers {
                program,
                arguments: vec!["worker".to_owned()],
                extends_deadline: limits.deadline.is_none(),
                isolation: limits.isolation,
            },
            grants: requests::given(grants)?,
            cache,
            limits,
            scratch: Scratch::default(),
            servers: families::servers(),
            secrets: Secrets::default(),
            native: None,
            parameters: Vec::new(),
        })
    }

    pub(crate) fn deadline(&self) -> Duration {
        Duration::from_nanos(self.limits.deadline.unwrap_or(DEADLINE_NS))
    }

    /// The deadline of a worker that may have to compile the module first: more time for a large component, which contains an
    /// interpreter. What is compiled is kept.
    pub(crate) fn deadline_of(&self, spec: &ModuleSpec) -> Duration {
        self.deadline() + spec.compile_time()
    }

    /// The deadline of a worker that executes `cell` so many times with the module `spec`: with the time that its family says it takes
    /// besides.
    pub(crate) fn deadline_for(&self, spec: &ModuleSpec, cell: &Cell, repetitions: u64) -> Duration {
        let of_families = families::extra_deadline(&cell.scenario, &cell.arguments, repetitions);
        self.deadline_of(spec) + of_families + builtin::extra_deadline(&cell.scenario, &cell.arguments)
    }

    /// Describes `files`, two at a time, and with each component the probe of the same name in its folder.
    pub(crate) fn load(&self, files: &[PathBuf], with_builtin: bool, interrupt: &Interrupt) -> Modules {
        let (files, unknown) = self.trust.files(files);
        let mut given = with_native_arms(&files);
        given.extend(with_builtin.then(|| PathBuf::from(BUILTIN)));
        let mut modules = self.describe(&given, interrupt);
        if let Some(program) = &self.native {
            match self.native_arm(program, &modules) {
                Ok(native) => modules.loaded.push(native),
                Err(refused) => modules.refused.push(refused),
            }
        }
        modules.refuse_other_descriptions();
        modules.refused.extend(unknown);
        let beside = with_native_arms(&modules.beside(&files, &self.parameters));
        modules.companions = self.describe(&beside, interrupt).loaded;
        modules
    }

    /// Describes `files` alone, even if several are the same arm of one module: as builds of it.
    pub(crate) fn load_alone(&self, files: &[PathBuf], interrupt: &Interrupt) -> Modules {
        let (files, unknown) = self.trust.files(files);
        let mut modules = self.describe(&files, interrupt);
        modules.refused.extend(unknown);
        modules
    }

    /// Loads the module once in a worker; the reason if it cannot be loaded.
    pub(crate) fn try_out(&self, spec: &ModuleSpec, interrupt: &Interrupt) -> Result<(), String> {
        match self.descriptions.find(spec) {
            Some(_) => Ok(()),
            None => self.describe_in_worker(spec, interrupt).map(drop),
        }
    }

    /// The program that the user named as the arm `process` of the first component that has such an arm.
    fn native_arm(&self, program: &Path, modules: &Modules) -> Result<Loaded, Refused> {
        let refuse = |reason: String| Refused { file: program.to_owned(), sha256: None, reason };
        let has_arm = |loaded: &&Loaded| {
            let mut scenarios = loaded.offer.descriptor.scenarios.iter();
            loaded.spec.kind == Kind::Component && scenarios.any(|scenario| scenario.names_arm(Arm::Process))
        };
        let file = program.display();
        let component = modules.loaded.iter().find(has_arm);
        let component = component.ok_or_else(|| {
            refuse(format!("{file}: no given component is a command (`wasi:cli/run`), whose arm `process` it could be"))
        })?;
        let sha256 = digest::of_file(program);
        let sha256 =
            sha256.map_err(|error| refuse(format!("{file}: cannot be read: {error}; give a built program")))?;
        let descriptor = component.offer.descriptor.clone();
        let spec = ModuleSpec {
            file: program.to_owned(),
            sha256: sha256.clone(),
            kind: Kind::Native,
            descriptor: Some(descriptor.clone()),
            ..component.spec.clone()
        };
        let offer = LoadedModule { file: program.to_owned(), sha256, arm: Arm::Process, variant: None, descriptor };
        Ok(Loaded { spec, offer, imports: Vec::new(), signatures: Vec::new(), note: None, own: None })
    }

    /// Describes each of `files`.
    fn describe(&self, files: &[PathBuf], interrupt: &Interrupt) -> Modules {
        let (first, second) = files.split_at(files.len().div_ceil(2));
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
                Err(refused) => match absent::interface(&refused.reason) {
                    // That is this program's lack, and no finding about the module.
                    Some(why) => {
                        output::line(&format!("bench-host: {}: left out: {why}", refused.file.display()));
                    }
                    None => modules.refused.push(refused),
                },
            }
        }
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
            _ => self.digests.of(file).map_err(|error| {
                refuse(None, format!("{}: cannot be read: {error}; give the path of a built module", file.display()))
            })?,
        };
        let spec = ModuleSpec {
            file: file.to_owned(),
            sha256: sha256.clone(),
            kind: kind.clone(),
            grants: self.grants_of(&kind, &sha256),
            cache: self.cache.clone(),
            memory_bytes_max: usize::try_from(self.limits.memory).unwrap_or(usize::MAX),
            engine: None,
            descriptor: None,
            // The scenarios of a module are not known while it is described.
            keeps_rights: false,
        };
        let Described { descriptor, imports, signatures, note } = match self.descriptions.find(&spec) {
            Some(described) => described,
            None => self.describe_in_worker(&spec, interrupt).map_err(|reason| refuse(Some(&sha256), reason))?,
        };
        if let Some(note) = &note {
            output::line(&format!("bench-host: {}: {note}", file.display()));
        }
        let keeps_rights = needs_rights(&descriptor);
        let arm = match kind {
            Kind::Component => Arm::Wasm,
            Kind::Program { .. } | Kind::Native => Arm::Process,
            _ if paths::is_native_cpu(file) => Arm::NativeCpu,
            _ => Arm::Native,
        };
        Ok(Loaded {
            offer: LoadedModule { file: file.to_owned(), sha256, arm, variant: None, descriptor },
            spec: ModuleSpec { keeps_rights, ..spec },
            imports,
            signatures,
            note,
            own: None,
        })
    }

    /// The grants of the command, and for a component those of the user's policy.
    fn grants_of(&self, kind: &Kind, sha256: &str) -> Grants {
        let mut grants = self.grants.clone();
        if *kind == Kind::Component {
            stored::merge(&mut grants, self.trust.grants(sha256));
        }
        grants
    }

    /// Describes the module in a worker, and caches the description; or the reason why that failed.
    fn describe_in_worker(&self, spec: &ModuleSpec, interrupt: &Interrupt) -> Result<Described, String> {
        let file = spec.file.display();
        let deadline = self.deadline_of(spec);
        let request = Request::Describe(spec.clone());
        let end = compiling::describe(&self.workers, &request, deadline, interrupt);
        let described = match end.result {
            Ok(Reply::Described { descriptor, imports, signatures, note }) => {
                Described { descriptor, imports, signatures, note }
            }
            Ok(Reply::Refused(reason)) => return Err(reason),
            Ok(_) => return Err(format!("{file}: unexpected reply of the worker")),
            Err(error) => return Err(format!("{file}: failed to load: {error}; build or copy it again")),
        };
        self.descriptions.keep(spec, &described);
        Ok(described)
    }
}

/// Whether a scenario names a program, a privilege or a feature of the kernel that may need rights.
fn needs_rights(descriptor: &Descriptor) -> bool {
    let mut requirements = descriptor.scenarios.iter().flat_map(|scenario| &scenario.requirements);
    requirements.any(|requirement| matches!(requirement.capability, Capability::Probe(_) | Capability::Kernel(_)))
}

impl Loaded {
    /// The name by which the module itself describes the scenario that the plan calls `name`.
    pub(crate) fn own_scenario<'a>(&'a self, name: &'a str) -> &'a str {
        self.own.as_ref().and_then(|own| own.scenario.as_deref()).unwrap_or(name)
    }

    /// The descriptor as the module wrote it.
    fn own_descriptor(&self) -> &Descriptor {
        self.own.as_ref().map_or(&self.offer.descriptor, |own| &own.descriptor)
    }
}

impl Modules {
    pub(crate) fn offers(&self) -> Vec<LoadedModule> {
        self.loaded.iter().map(|loaded| loaded.offer.clone()).collect()
    }

    /// The files, in the folders of `files`, of modules that scenarios name and that were not given.
    fn beside(&self, files: &[PathBuf], parameters: &[(String, Vec<String>)]) -> Vec<PathBuf> {
        let mut wanted = self.wanted(parameters.iter());
        wanted.retain(|name| self.loaded.iter().all(|loaded| loaded.offer.descriptor.name != *name));
        let in_folder = |file: &PathBuf| {
            let extension = file.extension().unwrap_or_default();
            wanted.iter().map(|name| file.with_file_name(name).with_extension(extension)).collect::<Vec<_>>()
        };
        let found: BTreeSet<_> = files.iter().flat_map(in_folder).filter(|file| file.is_file()).collect();
        found.into_iter().collect()
    }

    /// The scenario `name` (`module/scenario`) and its module, in `arm`; or the reason why it does not exist and what to do.
    pub(crate) fn scenario(&self, name: &str, arm: Arm) -> Result<(&Loaded, &Scenario), String> {
        let (module, scenario) = name.split_once('/').ok_or_else(|| format!("`{name}`: expected MODULE/SCENARIO"))?;
        let mut all = self.loaded.iter().chain(&self.companions);
        let same_module = |loaded: &&Loaded| loaded.offer.descriptor.name == module && loaded.offer.arm == arm;
        let loaded = all
            .find(same_module)
            .ok_or_else(|| format!("no module `{module}` in the arm {arm}; build it, and give its file too"))?;
        let descriptor = &loaded.offer.descriptor;
        let found = descriptor.scenarios.iter().find(|known| known.name == scenario);
        found.map(|found| (loaded, found)).ok_or_else(|| {
            let known: Vec<_> = descriptor.scenarios.iter().map(|known| known.name.as_str()).collect();
            format!("the module `{module}` has no scenario `{scenario}`; its scenarios are {}", known.join(", "))
        })
    }

    /// The modules as they are recorded at the head of a run file.
    pub(crate) fn records(&self) -> Vec<ModuleRecord> {
        let loaded = self.loaded.iter().chain(&self.companions).map(|loaded| ModuleRecord {
            file: loaded.offer.file.display().to_string(),
            sha256: Some(loaded.offer.sha256.clone()),
            arm: Some(loaded.offer.arm),
            descriptor: Some(loaded.own_descriptor().clone()),
            granted: if loaded.spec.kind == Kind::Component { loaded.spec.grants.describe() } else { Vec::new() },
            compiler: compilers(&loaded.spec),
            note: loaded.note.clone(),
            refused: None,
        });
        let refused = self.refused.iter().map(|refused| {
            let file = refused.file.display().to_string();
            // The record has a field for the file, so the reason need not name it.
            let reason = refused.reason.strip_prefix(&format!("{file}: ")).unwrap_or(&refused.reason);
            ModuleRecord {
                sha256: refused.sha256.clone(),
                arm: None,
                descriptor: None,
                granted: Vec::new(),
                compiler: None,
                note: None,
                refused: Some(reason.to_owned()),
                file,
            }
        });
        loaded.chain(refused).collect()
    }

    /// Two files may be two arms of one module. If they describe it differently, or are the same arm, the later one is refused,
    /// because the cells of the two could not be distinguished.
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

/// The folder of compiled code. If others can write to it, a message says so, and workers do not use it.
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

/// Inserts after each component its probe and its programs, and after each probe the programs that it describes, each file once.
fn with_native_arms(files: &[PathBuf]) -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> = Vec::new();
    for file in files {
        let beside = paths::native_arm(file).into_iter().chain(families::programs_beside(file));
        let beside = beside.filter(|_| paths::is_component(file));
        let described = families::programs_of_probe(file).filter(|_| paths::is_probe(file));
        for file in std::iter::once(file.clone()).chain(beside).chain(described) {
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
        // Reading from a pipe may block forever.
        _ if file.exists() && !file.is_file() => {
            Err(format!("{}: a folder, a pipe or a device, not a file; give built modules", file.display()))
        }
        _ if paths::is_component(file) => Ok(Kind::Component),
        _ if paths::is_probe(file) => Ok(Kind::Probe),
        _ => match families::of_program(file) {
            Some(family) => Ok(Kind::Program { family: family.to_owned() }),
            None => Err(format!(
                "{}: neither a component (.wasm) nor a probe (.so, .dylib); give built modules",
                file.display()
            )),
        },
    }
}
