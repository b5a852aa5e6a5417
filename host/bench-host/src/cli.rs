//! The arguments and options of every command.

mod author;
#[cfg(feature = "fleet")]
mod fleet;
mod limits;
mod registry;
mod values;

#[cfg(feature = "fleet")]
pub(crate) use fleet::{AgentArgs, FleetCommand, FleetRunArgs, FleetRunName, MergeArgs, ShownFleetRun};

#[cfg(feature = "wrap")]
pub(crate) use author::WrapArgs;
pub(crate) use author::{CheckArgs, CheckFormat, NewArgs, SdkArgs, WitArgs};
pub(crate) use limits::LimitArgs;
pub(crate) use registry::{AddArgs, RegistryCommand, RemoveArgs, StoredArgs, TrustArgs, VerifyArgs};
#[cfg(feature = "signatures")]
pub(crate) use registry::{KeygenArgs, SignArgs};
#[cfg(feature = "registry")]
pub(crate) use registry::{PullArgs, PushArgs, TransportArgs};
pub(crate) use values::{CpuList, duration_ns, key_values, merge_axes, percent};

use crate::commands::compare::Gate;
use crate::commands::results::ResultsArgs;
use crate::exports;
use crate::family_options::FamilyOptions;
use crate::secret::Secrets;
use crate::show::ShowArgs;
use bench_model::Arm;
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;
use values::{cpu_list, directory_grant, named_build};

/// A plug-in host for benchmarks: runs WebAssembly components and native probes, and compares them.
#[derive(Debug, Parser)]
#[command(version, about, max_term_width = 110)]
pub(crate) struct Cli {
    /// Increase log verbosity on standard error (-v, -vv, -vvv); `RUST_LOG` overrides it
    #[arg(short, long, action = clap::ArgAction::Count, global = true)]
    pub(crate) verbose: u8,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Load components and probes, run every scenario that they describe, and print one table
    #[command(
        after_help = "Examples:\n  bench-host load plugins/*.wasm -p payload_bytes=64,4096 --time 3s\n  bench-host load lib.wasm --call 'add(1, 2)'"
    )]
    Load(LoadArgs),
    /// List modules with their scenarios, parameters, metrics and capabilities, or the cells of a run
    #[command(
        after_help = "Examples:\n  bench-host list plugins/*.wasm\n  bench-host list --run results/2026-01-31T12-00-00Z-1a2b3c"
    )]
    List(ListArgs),
    /// Run suites, or scenarios by name or glob
    #[command(
        after_help = "Examples:\n  bench-host run self\n  bench-host run wal --resume\n  bench-host run 'kernels/*' -p input=README.md --arm native"
    )]
    Run(RunArgs),
    /// Compare arms, builds, runs or git revisions: ratio, confidence interval, verdict, and where the time goes
    #[command(
        after_help = "Examples:\n  bench-host compare 'kernels/*'\n  bench-host compare ring-client/roundtrip -p payload_bytes=64 --engine all\n  bench-host compare old.wasm new.wasm\n  bench-host compare kernels/sha256 --ladder\n  bench-host compare sum-python/sum --against sum-rust/sum\n  bench-host compare results/A results/B\n  bench-host compare --git main..HEAD kernels\n\nThe noise floor (A/A) is an arm compared with itself in the same run; a difference within it is not reported as a difference.\nThe arm native-cpu is native code built for this processor: it shows the effect of instructions that the other arms do not use."
    )]
    Compare(CompareArgs),
    /// Check a run against targets
    #[command(after_help = "Example:\n  bench-host run wal-quick && bench-host validate --targets wal")]
    Validate(ValidateArgs),
    /// Write a run as one page, report.html, with its figures and tables; or print a document made from it, or a figure
    #[command(
        after_help = "Examples:\n  bench-host report\n  bench-host report results/2026-01-31T12-00-00Z-1a2b3c --format aetherless-json\n  bench-host report --format break-even-svg > break-even.svg"
    )]
    Report(ReportArgs),
    /// List the runs of all families, put two revisions side by side, or find steps in the history of a scenario
    #[command(
        after_help = "Examples:\n  bench-host results --last 10 --scenario 'kernels/*'\n  bench-host results --sha 1a2b3c 4d5e6f\n  bench-host results --trend kernels/json-parse"
    )]
    Results(ResultsArgs),
    /// Run cells under a sampling profiler: flame graphs, and which functions take longer in one arm than in another
    #[cfg(feature = "profile")]
    #[command(
        after_help = "Examples:\n  bench-host profile kernels/json-parse --arm wasm,native\n  bench-host profile 'kernels/*' --time 2s"
    )]
    Profile(crate::commands::profile::ProfileArgs),
    /// Show what calls and types of a WIT cost: nanoseconds a call and a byte, between host and component and between components
    #[cfg(feature = "price")]
    #[command(
        after_help = "Examples:\n  bench-host price api.wit\n  bench-host price wit/ proxy --format csv > prices.csv"
    )]
    Price(crate::commands::price::PriceArgs),
    /// Check what this machine supports, and measure its rooflines
    #[command(after_help = "Examples:\n  bench-host doctor --format json\n  bench-host doctor --prove 2m")]
    Doctor(DoctorArgs),
    /// Run the conformance tests on modules: every rule that the host relies on, and what to do where one is broken
    #[command(
        after_help = "Examples:\n  bench-host check plugins/ring-client.wasm\n  bench-host check out/sum.wasm --watch\n  bench-host check out/*.wasm --format junit > check.xml"
    )]
    Check(CheckArgs),
    /// Make the folder of a new plug-in that builds, passes `check` and is measured
    #[command(
        after_help = "Examples:\n  bench-host new sum\n  bench-host new sum --lang go\n  bench-host new copier --lang rust --driver operator\n  bench-host new words --lang python --driver function\n  bench-host new files --lang c --probe"
    )]
    New(NewArgs),
    /// Write the SDKs for plug-ins, which come with this program
    #[command(after_help = "Examples:\n  bench-host sdk --copy sdk\n  ls $(bench-host sdk --path)/rust")]
    Sdk(SdkArgs),
    /// Print a WIT package that plug-ins are built against
    #[command(after_help = "Example:\n  mkdir -p wit && bench-host wit > wit/workload.wit")]
    Wit(WitArgs),
    /// Print the C header of native probes
    #[command(after_help = "Example:\n  bench-host header > bench_probe.h")]
    Header,
    /// Make a component of a core module, as compilers of Go and C build it
    #[cfg(feature = "wrap")]
    #[command(after_help = "Example:\n  bench-host wrap core.wasm -o sum.wasm")]
    Wrap(WrapArgs),
    /// Keep modules by name and digest, sign them, and say what is trusted
    #[command(subcommand)]
    Registry(RegistryCommand),
    /// Measure one run with several machines
    #[cfg(feature = "fleet")]
    #[command(subcommand)]
    Fleet(FleetCommand),
    /// Measure for a fleet on this machine; `fleet run` starts it
    #[cfg(feature = "fleet")]
    #[command(
        after_help = "Example, as `fleet run --on ssh:HOST` does it:\n  ssh HOST bench-host agent --stdio --run ID\n\nIn ~/.ssh/authorized_keys of a machine that others may measure on, but not log in to:\n  restrict,command=\"bench-host agent --stdio --policy policy.toml\" ssh-ed25519 …\nwith a policy.toml like this; native code also needs `natives = true` for its digest:\n  [submitters.\"RWQ…\"]\n  name = \"ci\"\n  natives = true\n  grants = [\"net 127.0.0.1:5432\"]\n  sources = [\"oci://registry.example/acme\"]\n  [modules.\"sha256:9c82…\"]\n  natives = true\nModules that this machine lacks are taken from its store by digest, or from these sources if the run says where they are there, and are\nelse sent by the coordinator.\n\nAt a NATS server, for those whom the policy allows:\n  NATS_CREDS=nats.creds bench-host agent --on tls://queue --name a --policy policy.toml\nThere the agent `a` needs the rights to publish to bench-host.here.a and bench-host.agent.a.up.>, to subscribe to bench-host.call,\nbench-host.agent.a.> and _INBOX.>, and to answer; who runs `fleet run`, to publish to bench-host.> and $JS.API.>, to subscribe to\nbench-host.here.*, bench-host.agent.*.up.> and _INBOX.>, and to answer."
    )]
    Agent(AgentArgs),
    /// Print a completion script for a shell
    #[cfg(feature = "manual")]
    #[command(
        after_help = "Example:\n  bench-host completions bash > ~/.local/share/bash-completion/completions/bench-host"
    )]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page, or write one page per command into a folder
    #[cfg(feature = "manual")]
    #[command(after_help = "Examples:\n  bench-host man | man -l -\n  bench-host man --dir ~/.local/share/man/man1")]
    Man {
        /// Folder to write bench-host.1 and one page per command into [default: print bench-host.1]
        #[arg(long, value_name = "DIR")]
        dir: Option<PathBuf>,
    },
    /// Serve one request of a parent process; started by bench-host itself
    #[command(hide = true)]
    Worker(ProfilingArgs),
}

/// How a worker makes the stacks of components visible.
#[derive(Debug, Args)]
pub(crate) struct ProfilingArgs {
    /// Write the names of the functions of components to /tmp/perf-PID.map
    #[arg(long)]
    pub(crate) perf_map: bool,
    /// Sample the stacks of components, and write them to this file
    #[arg(long, value_name = "FILE")]
    pub(crate) guest_samples: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct LoadArgs {
    /// Components and core modules (`.wasm`) and probes (`.so`, `.dylib`); a probe in the same folder as a component of the
    /// same name is its native arm. Modules of the store by name, such as `acme:json@1.2.0`, or by digest
    #[arg(required_unless_present = "resume", value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) resume: ResumeArgs,
    #[command(flatten)]
    pub(crate) common: Common,
}

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// Names of suites, suite files (`.toml`), or scenarios by name or glob, such as `kernels/*`
    #[arg(required_unless_present_any = ["category", "resume"], value_name = "SUITE|SCENARIO")]
    pub(crate) what: Vec<String>,
    #[command(flatten)]
    pub(crate) resume: ResumeArgs,
    /// After measuring, run each cell once more under a sampling profiler, into the folder `profile` of the run directory
    #[cfg(feature = "profile")]
    #[arg(long)]
    pub(crate) profile: bool,
    /// Save the run under this name when it is complete, for `compare --baseline NAME`; an older baseline of that name is replaced
    #[arg(long, value_name = "NAME", value_parser = crate::baselines::name)]
    pub(crate) save_baseline: Option<String>,
    /// Select scenarios by category: cold_start, ipc, ring_buffer, e2e
    #[arg(long, value_name = "CATEGORY", value_delimiter = ',')]
    pub(crate) category: Vec<String>,
    /// Folder to search for modules; may be given several times [default: $BENCH_HOST_MODULES, else plugins and native-probes
    /// of the project or of the installation, and bench-host/modules in the user's data folder]
    #[arg(long, value_name = "DIR")]
    pub(crate) modules: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) common: Common,
}

#[derive(Debug, Args)]
pub(crate) struct CompareArgs {
    /// Scenarios by name or glob, or suites, whose arms are compared; or one module file whose arms are (`sum.wasm`, with `sum.so` next
    /// to it), or several (`old.wasm new.wasm`), which are builds of one module; or two run directories; or one that `compare` wrote
    #[arg(required_unless_present_any = ["git", "variant", "baseline"], value_name = "SCENARIO|SUITE|FILE|RUN")]
    pub(crate) what: Vec<String>,
    /// Compare this build of a module, under this name; give it once per build, the baseline first
    #[arg(long, value_name = "NAME=FILE[,FILE…]", value_parser = named_build, conflicts_with_all = ["git", "engine"])]
    pub(crate) variant: Vec<(String, Vec<PathBuf>)>,
    /// Compare the given scenarios with this one, of another module; both must have the same result
    #[arg(long, value_name = "SCENARIO", conflicts_with_all = ["git", "engine", "variant", "ladder"])]
    pub(crate) against: Option<String>,
    /// Show step by step why a component is slower than native code: native, wasm, without SIMD, with bounds checks, not
    /// optimised, Winch, Pulley
    #[arg(long, conflicts_with_all = ["git", "engine", "variant", "arm"])]
    pub(crate) ladder: bool,
    /// Compare a run with the baseline that `run --save-baseline NAME` saved [default run: the newest one in the folder of --out]
    #[arg(long, value_name = "NAME", conflicts_with_all = ["git", "engine"])]
    pub(crate) baseline: Option<String>,
    /// Exit with status 1 only if a comparison is different and beyond this, such as `worse:3%`, `better:3%` or `changed:3%`; with
    /// status 2 if something failed, or if no comparison has a verdict
    #[arg(long, value_name = "DIRECTION[:PERCENT]")]
    pub(crate) fail_on: Option<Gate>,
    /// Also compare this exact count of components between two runs or revisions, without tolerance
    #[arg(long, value_enum, value_name = "METRIC", conflicts_with = "engine")]
    pub(crate) metric: Option<Metric>,
    /// Compare two git revisions, each built in a checkout of its own, such as `main..HEAD`
    #[arg(long, value_name = "BASE..HEAD")]
    pub(crate) git: Option<String>,
    /// Compare engine settings of the arm wasm with the default settings: on-demand, no-cow, fuel, epoch, opt-none,
    /// concurrency, bounds, spectre, inlining, regalloc, nan, winch, pulley, or all of them
    #[arg(long, value_name = "SETTING", value_delimiter = ',', conflicts_with = "git")]
    pub(crate) engine: Vec<String>,
    /// Measure each comparison until it is different or equivalent, or until the time of --within is spent; what is undecided gets
    /// the time of what is decided
    #[arg(long, conflicts_with_all = ["git", "ladder"])]
    pub(crate) decide: bool,
    /// Time for all comparisons with --decide
    #[arg(long, value_name = "DURATION", value_parser = duration_ns, default_value = "10m", requires = "decide")]
    pub(crate) within: u64,
    /// Smallest difference that matters, in per cent
    #[arg(long, value_name = "PERCENT", default_value_t = 2.0, value_parser = percent)]
    pub(crate) delta: f64,
    /// Show where the time of an operation goes; always shown when only one scenario is compared, but for a ladder, which measures
    /// that only with this option
    #[arg(long)]
    pub(crate) breakdown: bool,
    /// Compare runs even if they were measured on different machines
    #[arg(long)]
    pub(crate) across_machines: bool,
    /// Folder to search for modules; may be given several times [default: $BENCH_HOST_MODULES, else plugins and native-probes
    /// of the project or of the installation, and bench-host/modules in the user's data folder]
    #[arg(long, value_name = "DIR")]
    pub(crate) modules: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// A metric that is compared without tolerance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Metric {
    /// WebAssembly operators that an operation executes, as the engine counts them
    Instructions,
}

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Modules to list [default: the suites, and the modules in the folders that `run` searches]
    #[arg(value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Show the results of a run instead, even if it did not finish
    #[arg(long, value_name = "DIR", conflicts_with = "files")]
    pub(crate) run: Option<PathBuf>,
    /// Execute every scenario once, and show which imports it uses
    #[arg(long, conflicts_with = "run")]
    pub(crate) used: bool,
    #[command(flatten)]
    pub(crate) grants: GrantArgs,
    #[command(flatten)]
    pub(crate) show: ShowArgs,
    #[command(flatten)]
    pub(crate) limits: LimitArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ValidateArgs {
    /// A run directory [default: the newest one in the folder of --out]
    pub(crate) run: Option<PathBuf>,
    /// A set of targets: its name, or a file (`.toml`); may be given several times
    #[arg(long, value_name = "NAME", default_value = "self")]
    pub(crate) targets: Vec<String>,
    /// Folder that holds the run directories
    #[arg(long, value_name = "DIR", default_value = "results")]
    pub(crate) out: PathBuf,
    #[command(flatten)]
    pub(crate) show: ShowArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    /// Run directories; the others are compared with the first [default: the newest one in the folder of --out]
    #[arg(value_name = "RUN")]
    pub(crate) runs: Vec<PathBuf>,
    /// Print this document instead of writing `report.html` with its figures and tables
    #[arg(long, value_name = "FORMAT", value_parser = exports::parser())]
    pub(crate) format: Option<exports::Format>,
    /// Folder for the files [default: the run directory; of several runs the folder of --out]
    #[arg(long, value_name = "DIR")]
    pub(crate) to: Option<PathBuf>,
    /// Write the PNG of every figure; otherwise the first 64 have one, and those of single cells only where there are no more than 64 in
    /// all; each has an SVG in any case
    #[arg(long, conflicts_with = "format")]
    pub(crate) all_figures: bool,
    /// A set of targets to check the runs against: its name, or a file (`.toml`); may be given several times [default: those of
    /// the registry that apply to a cell]
    #[arg(long, value_name = "NAME")]
    pub(crate) targets: Vec<String>,
    /// Smallest difference between runs that matters, in per cent
    #[arg(long, value_name = "PERCENT", default_value_t = 2.0, value_parser = percent)]
    pub(crate) delta: f64,
    /// Compare runs even if they were measured on different machines
    #[arg(long)]
    pub(crate) across_machines: bool,
    /// Folder that holds the run directories
    #[arg(long, value_name = "DIR", default_value = "results")]
    pub(crate) out: PathBuf,
}

/// The documents that `report --format` prints in addition to those of families.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReportFormat {
    /// The JSON document of the Aetherless benchmarking framework
    AetherlessJson,
    /// Bencher Metric Format (JSON)
    BencherJson,
    /// Markdown for a comment on a pull request, at most as long as GitHub permits
    GithubComment,
    /// Markdown for the summary of a GitHub job: appended to the file that $GITHUB_STEP_SUMMARY names, else printed
    GithubSummary,
    /// HdrHistogram's percentile distribution: of one cell printed, of several a file for each in the folder of --to
    Hgrm,
    /// JUnit XML: a case for each cell and each target
    Junit,
    /// OpenMetrics text, as Prometheus reads it
    Openmetrics,
}

#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    /// Spend less time on each roofline
    #[arg(long)]
    pub(crate) quick: bool,
    /// Time to test comparisons on this machine, 1m if no time is given: how often equal code is called different, and which
    /// differences are found
    #[arg(long, value_name = "DURATION", value_parser = duration_ns, num_args = 0..=1, default_missing_value = "1m")]
    pub(crate) prove: Option<u64>,
    /// Seed of the random orders of --prove
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    #[command(flatten)]
    pub(crate) show: ShowArgs,
}

/// Whether an interrupted run is resumed.
#[derive(Debug, Args)]
pub(crate) struct ResumeArgs {
    /// Resume an interrupted run: keep its finished repetitions, and measure the others with its options and seed. Without a
    /// directory: the newest unfinished run in the folder of --out that was started with the same arguments
    #[arg(long, value_name = "RUN_DIRECTORY")]
    pub(crate) resume: Option<Option<PathBuf>>,
}

/// The options of every command that measures. Each is in one of the two groups, so that `--resume` needs no list of options.
#[derive(Debug, Args)]
pub(crate) struct Common {
    #[command(flatten)]
    pub(crate) measured: Measured,
    #[command(flatten)]
    pub(crate) shown: Shown,
}

/// Options that select what is measured. When a run is resumed, they must be absent or equal to those it was started with.
#[derive(Debug, Args)]
pub(crate) struct Measured {
    /// Values of a parameter, such as `rows=1Ki,1Mi`; each value makes cells of its own (write a comma in a value as `\,`). Given
    /// again, it adds values
    #[arg(short = 'p', long = "parameter", value_name = "KEY=VALUE[,VALUE…]", value_parser = key_values)]
    pub(crate) parameters: Vec<(String, Vec<String>)>,
    /// Run only scenarios whose full name `module/scenario` matches
    #[arg(long, value_name = "GLOB")]
    pub(crate) filter: Option<String>,
    /// Run only these arms: wasm, native, native-cpu, process [default: all that a module has]
    #[arg(long, value_name = "ARM", value_delimiter = ',')]
    pub(crate) arm: Option<Vec<Arm>>,
    /// Measure 0.1 s per cell in one process: enough to see that it works, not for reliable figures
    #[arg(long)]
    pub(crate) quick: bool,
    /// Measured time per cell, over all its processes [default: 1.5s]
    #[arg(long, value_name = "DURATION", value_parser = duration_ns, conflicts_with = "iterations")]
    pub(crate) time: Option<u64>,
    /// Minimum number of measured operations per cell, over all its processes, instead of a time
    #[arg(long, visible_alias = "iters", value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) iterations: Option<u64>,
    /// Worker processes per cell [default: 3]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) processes: Option<u32>,
    /// Processors to use, such as `2,4-7` [default: all that this process may use]; of several kinds, the fastest are used
    #[arg(long, value_name = "LIST", value_parser = cpu_list)]
    pub(crate) cpu: Option<CpuList>,
    /// Maximum number of cells [default: 10000]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) cells_max: Option<u32>,
    /// Seed of the random order of the cells [default: taken from the clock, and recorded]
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// Measure only one of several shards of the plan, such as `2/4`, which `fleet merge` joins to one run; without --seed, the
    /// seed is derived from the plan, so that all shards have the same
    #[arg(long, value_name = "K/N")]
    pub(crate) shard: Option<bench_engine::Shard>,
    /// Passwords that were moved out of the parameters.
    #[arg(skip)]
    pub(crate) secrets: Secrets,
    /// Program that was built from the same source as the given component, and is its arm `process`
    #[arg(long, value_name = "PROGRAM")]
    pub(crate) native: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) families: FamilyOptions,
    #[command(flatten)]
    pub(crate) grants: GrantArgs,
    #[command(flatten)]
    pub(crate) limits: LimitArgs,
}

/// Options that select how results are stored and shown. They may differ when a run is resumed.
#[derive(Clone, Debug, Args)]
pub(crate) struct Shown {
    /// Folder that holds the run directories
    #[arg(long, value_name = "DIR", default_value = "results")]
    pub(crate) out: PathBuf,
    #[command(flatten)]
    pub(crate) show: ShowArgs,
    /// Print the cells in their order and the estimated duration, and run nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Print each line of the history of runs, prefixed with `@@BENCH_JSON@@`: one line of JSON per repetition
    #[arg(long)]
    pub(crate) bench_json: bool,
    /// Show the cells, their figures and samples on the full screen while they are measured; drawn between repetitions only
    #[arg(long, conflicts_with = "quiet")]
    pub(crate) live: bool,
    /// Print neither progress nor the estimated duration
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

/// What modules are granted: by default nothing but interfaces of the host that reach nothing outside of the run.
#[derive(Debug, Args)]
pub(crate) struct GrantArgs {
    /// Allow components to connect to this address over TCP, and then also to look up any name; may be given several times [default: none]
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) allow_net: Vec<String>,
    /// Make the folder HOST visible to components as GUEST, read-only with `:ro`; may be given several times [default: none]
    #[arg(long, value_name = "HOST::GUEST[:ro]", value_parser = directory_grant)]
    pub(crate) allow_dir: Vec<bench_drivers::DirectoryGrant>,
    /// Pass this environment variable to components; may be given several times [default: none]
    #[arg(long, value_name = "NAME")]
    pub(crate) env: Vec<String>,
    /// Deny components an interface of the host that they otherwise have (ring, log, control-plane); may be given several times [default: none]
    #[arg(long, value_name = "NAME[,NAME…]", value_delimiter = ',')]
    pub(crate) deny: Vec<bench_model::HostInterface>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn command_line_is_well_formed() {
        Cli::command().debug_assert();
    }
}
