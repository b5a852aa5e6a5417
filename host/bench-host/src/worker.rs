//! The requests to a worker process and its replies. The parent never runs the code of a module: only workers do.

mod engines;
mod limits;
mod load;

pub(crate) use engines::runtime;

use crate::cli::ProfilingArgs;
use crate::{Exit, builtin, families};
use bench_drivers::{Corruption, Dependency, Grants, Module, Task, merged, workload};
use bench_engine::{Amount, Budget, PairedBudget, PairedReport, Repetition, Report, calibration};
use bench_model::{Arguments, Check, Descriptor, Scenario};
use bench_native::reclaim;
use bench_sink::environment::{Reading, Witness};
use bench_sink::runfile::{AccountRecord, LimitRecord, Status};
use bench_wasm::{Limits, Profiling, Settings};
use engines::Engines;
use load::{load, load_dependency, unchanged};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Instant;

/// How a module is loaded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Kind {
    /// A component, loaded by the WebAssembly engine.
    Component,
    /// A probe, loaded by the dynamic linker.
    Probe,
    /// A program, started as a family defines.
    Program {
        /// The name of the family.
        family: String,
    },
    /// A program that the user named as the arm `process` of a component, and that is described as the component is.
    Native,
    /// Part of this program.
    Builtin,
}

/// What a worker needs to load a module.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ModuleSpec {
    /// The path of the module.
    pub(crate) file: PathBuf,
    /// The digest of the file.
    pub(crate) sha256: String,
    /// How it is loaded.
    pub(crate) kind: Kind,
    /// The grants of its sessions.
    pub(crate) grants: Grants,
    /// The folder of cached compiled code, if there is one.
    pub(crate) cache: Option<PathBuf>,
    /// The memory limit of a component.
    pub(crate) memory_bytes_max: usize,
    /// The engine settings of a component that differ from the default.
    pub(crate) engine: Option<String>,
    /// The description of a module that does not describe itself.
    pub(crate) descriptor: Option<Descriptor>,
    /// Whether its scenarios need rights that a worker otherwise gives up.
    pub(crate) keeps_rights: bool,
}

/// Another module in the same worker, and its scenario and arguments.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct DependencySpec {
    pub(crate) module: ModuleSpec,
    pub(crate) scenario: String,
    pub(crate) arguments: Arguments,
    /// Further modules.
    pub(crate) further: Vec<DependencySpec>,
}

impl DependencySpec {
    /// All of its modules.
    fn modules(&self) -> Vec<&ModuleSpec> {
        std::iter::once(&self.module).chain(self.further.iter().flat_map(Self::modules)).collect()
    }
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Request {
    /// Describe the module.
    Describe(ModuleSpec),
    /// Execute one repetition of a cell.
    Measure(Box<MeasureRequest>),
    /// Execute one repetition of several cells, interleaved.
    Compare(Box<CompareRequest>),
    /// Count the resource usage of operations of a cell.
    Account { module: ModuleSpec, cell: u32, process: u32, scenario: String, arguments: Arguments },
    /// Run the conformance tests on the module.
    Check {
        module: ModuleSpec,
        companion: Option<Box<DependencySpec>>,
        scenario: String,
        driver: String,
        arguments: Arguments,
    },
    /// Corrupt results of operations, and have `verify` look at them.
    Corrupt { module: ModuleSpec, scenario: String, arguments: Arguments },
    /// Measure the scenario interleaved with itself, with more work on one side.
    Burdened { module: ModuleSpec, scenario: String, arguments: Arguments, time_ns: u64, seed: u64 },
    /// Measure chains that are longer than the baseline by these thousandths, interleaved.
    Chains { extra: Vec<u64>, time_ns: u64, seed: u64 },
    /// Measure the calls of synthetic components of an interface.
    #[cfg(feature = "price")]
    Price { wit: String, awaited: Option<String>, effort: bench_price::Effort, seed: u64, cache: Option<PathBuf> },
    /// Measure the rooflines.
    Calibrate { samples: u32, slow_samples: u32, directory: PathBuf, cache: Option<PathBuf> },
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct MeasureRequest {
    pub(crate) module: ModuleSpec,
    pub(crate) companion: Option<Box<DependencySpec>>,
    pub(crate) cell: u32,
    pub(crate) process: u32,
    pub(crate) scenario: String,
    pub(crate) driver: String,
    pub(crate) arguments: Arguments,
    pub(crate) warm_up_ns: u64,
    /// Either this or `iterations` is set.
    pub(crate) time_ns: Option<u64>,
    pub(crate) iterations: Option<u64>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct CompareRequest {
    /// The first is the baseline.
    pub(crate) candidates: Vec<CandidateSpec>,
    pub(crate) process: u32,
    pub(crate) seed: u64,
    pub(crate) warm_up_ns: u64,
    pub(crate) time_ns: u64,
    pub(crate) blocks_max: u64,
    pub(crate) ledger_ns: u64,
}

/// One of the cells that are measured interleaved.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct CandidateSpec {
    pub(crate) module: ModuleSpec,
    pub(crate) label: String,
    pub(crate) cell: u32,
    pub(crate) scenario: String,
    pub(crate) arguments: Arguments,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Reply {
    Described {
        descriptor: Descriptor,
        imports: Vec<String>,
        signatures: Vec<String>,
        note: Option<String>,
    },
    Measured(Box<Report>),
    Compared(Box<PairedReport>),
    /// The reason why the resource usage cannot be counted, if it cannot.
    Accounted(Result<Box<AccountRecord>, String>),
    Checked {
        /// The reason why the environment cannot run it, if it cannot.
        checks: Result<Vec<(String, bool, String)>, String>,
        used: Vec<String>,
    },
    /// The reason why nothing can be corrupted, if it cannot.
    Corrupted(Result<Option<Corruption>, String>),
    /// Nanoseconds per operation of both sides; or the reason why they cannot be measured.
    Burdened(Result<[Vec<f64>; 2], String>),
    Calibrated(Vec<LimitRecord>),
    /// Nanoseconds per operation of each chain.
    Chains(Vec<Vec<f64>>),
    #[cfg(feature = "price")]
    Priced(Vec<bench_price::Measured>),
    /// The module cannot be loaded.
    Refused(String),
}

/// How the engines of this process make stacks visible; set once, before the request is served.
static PROFILING: OnceLock<Profiling> = OnceLock::new();

/// Serves one request in a process whose supervisor ends everything that a module leaves behind, with stacks of components made visible as
/// `options` say.
pub(crate) fn serve(options: &ProfilingArgs) -> anyhow::Result<Exit> {
    let profiling = match (options.perf_map, &options.guest_samples) {
        (_, Some(_)) => Profiling::GuestSamples,
        (true, None) => Profiling::PerfMap,
        (false, None) => Profiling::Off,
    };
    PROFILING.get_or_init(|| profiling);
    #[cfg(target_os = "linux")]
    let supervisor = bench_engine::worker::supervise(bench_native::fork)?;
    #[cfg(not(target_os = "linux"))]
    let supervisor = None;
    bench_engine::worker::serve(supervisor, |request: Request| {
        let reply = answer(request);
        // Before the reply, because the parent ends this process after it.
        match options.guest_samples.as_deref().map(write_guest_samples) {
            Some(Err(error)) => Reply::Refused(format!("cannot write the samples of stacks: {error}")),
            _ => reply,
        }
    })?;
    Ok(Exit::Done)
}

/// One line of JSON per sample: nanoseconds, and the names of the functions, the caller first.
fn write_guest_samples(path: &Path) -> std::io::Result<()> {
    let samples = bench_wasm::take_guest_samples().into_iter();
    let line = |sample: bench_wasm::GuestSample| {
        let ns = u64::try_from(sample.time.as_nanos()).unwrap_or(u64::MAX);
        serde_json::json!([ns, sample.functions]).to_string() + "\n"
    };
    std::fs::write(path, samples.map(line).collect::<String>())
}

/// Whether a module that the request names needs rights that a worker otherwise gives up.
fn keeps_rights(request: &Request) -> bool {
    fn of_dependency(dependency: &DependencySpec) -> bool {
        dependency.module.keeps_rights || dependency.further.iter().any(of_dependency)
    }
    let with = |module: &ModuleSpec, companion: Option<&DependencySpec>| {
        module.keeps_rights || companion.is_some_and(of_dependency)
    };
    match request {
        Request::Measure(request) => with(&request.module, request.companion.as_deref()),
        Request::Check { module, companion, .. } => with(module, companion.as_deref()),
        Request::Compare(request) => request.candidates.iter().any(|candidate| candidate.module.keeps_rights),
        Request::Describe(module)
        | Request::Account { module, .. }
        | Request::Corrupt { module, .. }
        | Request::Burdened { module, .. } => module.keeps_rights,
        Request::Chains { .. } | Request::Calibrate { .. } => false,
        #[cfg(feature = "price")]
        Request::Price { .. } => false,
    }
}

fn answer(request: Request) -> Reply {
    limits::apply(&request);
    // Before any code of a module.
    if let Err(reason) = bench_engine::worker::confine(keeps_rights(&request)) {
        return Reply::Refused(format!("{reason}; `--isolation none` measures without"));
    }
    match request {
        Request::Describe(spec) => with_module(&spec, |module| {
            let descriptor = described(module);
            // Overrides of the module must fit the specification of the driver.
            match descriptor.validate() {
                Ok(()) => {
                    let (imports, signatures, note) = (module.imports(), module.signatures(), module.note());
                    Reply::Described { descriptor, imports, signatures, note }
                }
                Err(error) => Reply::Refused(format!("{}: {error}", spec.file.display())),
            }
        }),
        Request::Measure(request) => {
            let companion = request.companion.as_deref();
            let changed =
                std::iter::once(&request.module).chain(companion.into_iter().flat_map(DependencySpec::modules));
            if let Some(reason) = changed.filter_map(|spec| unchanged(spec).err()).next() {
                return Reply::Refused(reason);
            }
            let started = Instant::now();
            with_dependency(&request.module, companion, |module, companion| {
                let load_ns = u64::try_from(started.elapsed().as_nanos()).ok();
                let mut report = measure(module, companion, &request);
                report.outcome.load_ns = load_ns;
                Reply::Measured(Box::new(report))
            })
        }
        Request::Compare(request) => compare(&request),
        Request::Account { module, cell, process, scenario, arguments } => {
            let repetition = Repetition { cell, process };
            with_module(&module, |module| account(module, repetition, &scenario, &arguments))
        }
        Request::Check { module, companion, scenario, arguments, .. } => {
            with_dependency(&module, companion.as_deref(), |module, companion| {
                check(module, companion, &scenario, &arguments)
            })
        }
        Request::Corrupt { module, scenario, arguments } => with_module(&module, |module| {
            with_scenario(module, &scenario, |module, scenario| {
                Reply::Corrupted(module.corrupt(scenario, &arguments).map_err(|error| error.to_string()))
            })
        }),
        Request::Burdened { module, scenario, arguments, time_ns, seed } => with_module(&module, |module| {
            with_scenario(module, &scenario, |module, scenario| {
                let budget = PairedBudget { warm_up_ns: time_ns / 20, time_ns, blocks_max: BURDENED_BLOCKS };
                let times = workload::burdened(module, scenario, &arguments, &budget, seed);
                Reply::Burdened(times.map_err(|failure| failure.reason))
            })
        }),
        Request::Chains { extra, time_ns, seed } => {
            builtin::chain::measure(&extra, time_ns, seed).map_or_else(Reply::Refused, Reply::Chains)
        }
        #[cfg(feature = "price")]
        Request::Price { wit, awaited, effort, seed, cache } => {
            let runtime = runtime(cache, Limits::default(), &Settings::default());
            let awaited = awaited.as_deref();
            let measured = runtime.and_then(|runtime| bench_price::measure(&runtime, &wit, awaited, effort, seed));
            measured.map_or_else(Reply::Refused, Reply::Priced)
        }
        Request::Calibrate { samples, slow_samples, directory, cache } => {
            let effort = calibration::Effort { samples, slow_samples };
            let mut limits = calibration::measure(effort, &directory);
            match runtime(cache, Limits::default(), &Settings::default()) {
                Ok(runtime) => limits.push(bench_wasm::component_call(&runtime, effort)),
                Err(reason) => limits.push(calibration::absent(bench_model::MachineLimit::ComponentCall, reason)),
            }
            Reply::Calibrated(limits)
        }
    }
}

fn with_module(spec: &ModuleSpec, body: impl FnOnce(&mut dyn Module) -> Reply) -> Reply {
    match load(spec, &mut Engines::default()) {
        Ok(mut module) => body(module.as_mut()),
        Err(reason) => Reply::Refused(reason),
    }
}

/// Calls `body` with the scenario `name` of the module.
fn with_scenario(module: &mut dyn Module, name: &str, body: impl FnOnce(&mut dyn Module, &Scenario) -> Reply) -> Reply {
    match scenario(module, name) {
        Some(scenario) => body(module, &scenario),
        None => Reply::Refused(format!("the module no longer describes a scenario `{name}`")),
    }
}

/// Blocks of a scenario that is measured against itself, at most.
const BURDENED_BLOCKS: u64 = 200;

/// Like [`with_module`], with the second module.
fn with_dependency(
    spec: &ModuleSpec,
    beside: Option<&DependencySpec>,
    body: impl FnOnce(&mut dyn Module, Option<&mut Dependency>) -> Reply,
) -> Reply {
    let mut engines = Engines::default();
    let companion = beside.map(|beside| load_dependency(beside, &mut engines)).transpose();
    let loaded = companion.and_then(|companion| Ok((companion, load(spec, &mut engines)?)));
    match loaded {
        Ok((mut companion, mut module)) => body(module.as_mut(), companion.as_mut()),
        Err(reason) => Reply::Refused(reason),
    }
}

fn measure(module: &mut dyn Module, companion: Option<&mut Dependency>, request: &MeasureRequest) -> Report {
    let repetition = Repetition { cell: request.cell, process: request.process };
    let amount = match (request.iterations, request.time_ns) {
        (Some(operations), _) => Amount::Operations(operations),
        (None, time_ns) => Amount::Time { ns: time_ns.unwrap_or_default() },
    };
    let Some(scenario) = scenario(module, &request.scenario) else {
        let reason = format!("the module no longer describes a scenario `{}`", request.scenario);
        return Report::without_figures(repetition, Status::Failed, reason);
    };
    let budget = Budget { warm_up_ns: request.warm_up_ns, amount };
    let before = Reading::now();
    let task = Task { repetition, scenario: &scenario, arguments: &request.arguments, budget, reclaim };
    let mut report = families::drivers().run(module, companion, &task);
    report.outcome.witness = Some(Witness::since(&before));
    report
}

/// Loads the modules of all cells, and measures them interleaved.
fn compare(request: &CompareRequest) -> Reply {
    let mut modules = Vec::with_capacity(request.candidates.len());
    for candidate in &request.candidates {
        if let Err(reason) = unchanged(&candidate.module) {
            return Reply::Refused(reason);
        }
        // Each has an engine of its own, as it has where it is measured alone.
        match load(&candidate.module, &mut Engines::default()) {
            Ok(module) => modules.push(module),
            Err(reason) => return Reply::Refused(reason),
        }
    }
    let mut scenarios = Vec::with_capacity(modules.len());
    for (candidate, module) in request.candidates.iter().zip(&modules) {
        match scenario(module.as_ref(), &candidate.scenario) {
            Some(scenario) => scenarios.push(scenario),
            None => {
                return Reply::Refused(format!("the module no longer describes a scenario `{}`", candidate.scenario));
            }
        }
    }
    for (module, scenario) in modules.iter_mut().zip(&scenarios) {
        match families::sessions(module.as_mut(), scenario) {
            Ok(Some(own)) => *module = own,
            Ok(None) => {}
            Err(reason) => return Reply::Refused(reason),
        }
    }
    let Some(baseline) = scenarios.first() else {
        return Reply::Refused("there is nothing to compare".to_owned());
    };
    let candidates = request.candidates.iter().zip(&mut modules).zip(&scenarios);
    let mut candidates: Vec<_> = candidates
        .map(|((candidate, module), scenario)| workload::CandidateCell {
            module: module.as_mut(),
            label: candidate.label.clone(),
            scenario,
            cell: candidate.cell,
            arguments: &candidate.arguments,
        })
        .collect();
    let budget =
        PairedBudget { warm_up_ns: request.warm_up_ns, time_ns: request.time_ns, blocks_max: request.blocks_max };
    let task = workload::PairedTask {
        scenario: baseline,
        process: request.process,
        budget,
        ledger_ns: request.ledger_ns,
        seed: request.seed,
    };
    let before = Reading::now();
    let mut paired = workload::compare(&mut candidates, &task);
    let witness = Witness::since(&before);
    paired.reports.iter_mut().for_each(|report| report.outcome.witness = Some(witness));
    Reply::Compared(Box::new(paired))
}

fn account(module: &mut dyn Module, repetition: Repetition, name: &str, arguments: &Arguments) -> Reply {
    let Some(scenario) = scenario(module, name) else {
        return Reply::Refused(format!("the module no longer describes a scenario `{name}`"));
    };
    // Nothing is timed here, so the budget does not matter.
    let budget = Budget { warm_up_ns: 0, amount: Amount::Operations(1) };
    let task = Task { repetition, scenario: &scenario, arguments, budget, reclaim };
    let counted = families::sessions(module, &scenario).and_then(|own| {
        let counted = match own {
            Some(mut own) => workload::account(own.as_mut(), &task),
            None => workload::account(module, &task),
        };
        counted.map_err(|error| error.to_string())
    });
    Reply::Accounted(counted.map(Box::new))
}

fn check(module: &mut dyn Module, mut companion: Option<&mut Dependency>, name: &str, arguments: &Arguments) -> Reply {
    let Some(scenario) = scenario(module, name) else {
        return Reply::Refused(format!("the module no longer describes a scenario `{name}`"));
    };
    let mut result = Ok(Vec::new());
    let used = module.watch(&mut |module| {
        result = families::drivers().conformance(module, companion.as_deref_mut(), &scenario, arguments);
    });
    let plain = |check: Check| (check.name, check.passed, check.detail);
    let checks = match result {
        Ok(checks) => Ok(checks.into_iter().map(plain).collect()),
        Err(error) if error.is_environment() => Err(error.to_string()),
        // Whatever else it is, the environment is not to blame.
        Err(error) => Ok(vec![("opens".to_owned(), false, error.to_string())]),
    };
    Reply::Checked { checks, used }
}

/// The module's descriptor, completed with the specifications of the drivers.
fn described(module: &dyn Module) -> Descriptor {
    merged(module.descriptor(), families::drivers())
}

fn scenario(module: &dyn Module, name: &str) -> Option<Scenario> {
    described(module).scenarios.into_iter().find(|scenario| scenario.name == name)
}
