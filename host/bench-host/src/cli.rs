//! What the command line can say. Words only: what they come to is built elsewhere.

use crate::family_options::FamilyOptions;
use bench_model::Arm;
use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use std::path::PathBuf;

/// A plug-in host for benchmarks: components and native probes in, figures that can be trusted out.
#[derive(Debug, Parser)]
#[command(version, about, max_term_width = 110)]
pub(crate) struct Cli {
    /// Say more on standard error; twice and three times for still more (`RUST_LOG` overrides)
    #[arg(short, long, action = clap::ArgAction::Count, global = true)]
    pub(crate) verbose: u8,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Load components and probes, run every scenario they describe, print one table
    #[command(after_help = "Example:\n  bench-host load plugins/*.wasm -p payload_bytes=64,4096 --time 3s")]
    Load(LoadArgs),
    /// Show what there is: scenarios, parameters, metrics, needed and granted capabilities
    #[command(
        after_help = "Examples:\n  bench-host list plugins/*.wasm\n  bench-host list --run results/2026-01-31T12-00-00Z-1a2b3c"
    )]
    List(ListArgs),
    /// Run a suite, or scenarios by name or glob
    #[command(
        after_help = "Examples:\n  bench-host run self\n  bench-host run wal --resume\n  bench-host run 'kernels/*' -p input=README.md --arm native"
    )]
    Run(RunArgs),
    /// Put two arms, two runs or two git revisions side by side: ratio, interval, verdict, and where the time goes
    #[command(
        after_help = "Examples:\n  bench-host compare 'kernels/*'\n  bench-host compare ring-client/roundtrip -p payload_bytes=64 --engine all\n  bench-host compare results/A results/B\n  bench-host compare --git main..HEAD kernels\n\nAn arm compared with itself in the same run gives the noise floor (A/A), and a difference within it is never called one.\nThe arm native-cpu is native code for this very processor: it shows what is owed to instructions that the other arms do not use."
    )]
    Compare(CompareArgs),
    /// Hold a run against targets
    #[command(after_help = "Example:\n  bench-host run wal-quick && bench-host validate --targets wal")]
    Validate(ValidateArgs),
    /// Print a document made of a run: for the readers of other suites, or a figure
    #[command(
        after_help = "Examples:\n  bench-host report results/2026-01-31T12-00-00Z-1a2b3c --format aetherless-json\n  bench-host report --format break-even-svg > break-even.svg"
    )]
    Report(ReportArgs),
    /// Show what this machine can and cannot do, and its limits
    #[command(after_help = "Example:\n  bench-host doctor --format json")]
    Doctor(DoctorArgs),
    /// Try a module against everything the host relies on
    #[command(after_help = "Example:\n  bench-host check plugins/ring-client.wasm")]
    Check(CheckArgs),
    /// Print a completion script for a shell
    #[command(
        after_help = "Example:\n  bench-host completions bash > ~/.local/share/bash-completion/completions/bench-host"
    )]
    Completions {
        /// Which shell
        shell: Shell,
    },
    /// Print the manual page, or write a page for each command into a folder
    #[command(after_help = "Examples:\n  bench-host man | man -l -\n  bench-host man --dir ~/.local/share/man/man1")]
    Man {
        /// Write bench-host.1 and a page for each command here
        #[arg(long, value_name = "DIR")]
        dir: Option<PathBuf>,
    },
    /// Serve one request of a parent; started by bench-host itself
    #[command(hide = true)]
    Worker,
}

#[derive(Debug, Args)]
pub(crate) struct LoadArgs {
    /// Components (`.wasm`) and probes (`.so`, `.dylib`); a probe beside a component of the same name is its native arm
    #[arg(required_unless_present = "resume", value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) resume: ResumeArgs,
    #[command(flatten)]
    pub(crate) common: Common,
}

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// Suites of the registry, suite files (`.toml`), or scenarios by name or glob
    #[arg(required_unless_present_any = ["category", "resume"], value_name = "SUITE|SCENARIO")]
    pub(crate) what: Vec<String>,
    #[command(flatten)]
    pub(crate) resume: ResumeArgs,
    /// Scenarios by category: cold_start, ipc, ring_buffer, e2e
    #[arg(long, value_name = "CATEGORY", value_delimiter = ',')]
    pub(crate) category: Vec<String>,
    /// Folders to find modules in [default: those of $BENCH_HOST_MODULES, else plugins and native-probes of the project or of
    /// the installation, and bench-host/modules in the user's data folder]
    #[arg(long, value_name = "DIR")]
    pub(crate) modules: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) common: Common,
}

#[derive(Debug, Args)]
pub(crate) struct CompareArgs {
    /// Scenarios by name or glob, or suites, whose arms are compared; or two run directories; or one that `compare` has made
    #[arg(required_unless_present = "git", value_name = "SCENARIO|SUITE|RUN")]
    pub(crate) what: Vec<String>,
    /// Build two revisions apart from the working tree, and compare what they measure
    #[arg(long, value_name = "BASE..HEAD")]
    pub(crate) git: Option<String>,
    /// Compare engine settings of the wasm arm with its default settings: on-demand, no-cow, fuel, epoch, opt-none,
    /// concurrency, or all
    #[arg(long, value_name = "SWITCH", value_delimiter = ',', conflicts_with = "git")]
    pub(crate) engine: Vec<String>,
    /// Differences below this many per cent do not matter
    #[arg(long, value_name = "PERCENT", default_value_t = 2.0, value_parser = percent)]
    pub(crate) delta: f64,
    /// Compare runs of different machines all the same
    #[arg(long)]
    pub(crate) across_machines: bool,
    /// Folders to find modules in [default: those of $BENCH_HOST_MODULES, else plugins and native-probes of the project or of
    /// the installation, and bench-host/modules in the user's data folder]
    #[arg(long, value_name = "DIR")]
    pub(crate) modules: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) common: Common,
}

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Modules [default: those in the folders that `run` searches, and the suites]
    #[arg(value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Show what a run has recorded instead, also one that was cut off
    #[arg(long, value_name = "DIR", conflicts_with = "files")]
    pub(crate) run: Option<PathBuf>,
    /// Try every scenario once, and show which imports are used
    #[arg(long, conflicts_with = "run")]
    pub(crate) used: bool,
    #[command(flatten)]
    pub(crate) grants: GrantArgs,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
    #[command(flatten)]
    pub(crate) limits: LimitArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ValidateArgs {
    /// A run directory [default: the newest in results]
    pub(crate) run: Option<PathBuf>,
    /// Which set of targets, of the registry or a file (`.toml`); may be given several times
    #[arg(long, value_name = "NAME", default_value = "self")]
    pub(crate) targets: Vec<String>,
    /// Where runs are kept
    #[arg(long, value_name = "DIR", default_value = "results")]
    pub(crate) out: PathBuf,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    /// A run directory [default: the newest in results]
    pub(crate) run: Option<PathBuf>,
    /// Which document [default: the files that a run leaves beside its run file, made again]
    #[arg(long, value_enum)]
    pub(crate) format: Option<ReportFormat>,
    /// Where runs are kept
    #[arg(long, value_name = "DIR", default_value = "results")]
    pub(crate) out: PathBuf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReportFormat {
    /// The JSON document of the Aetherless benchmarking framework
    AetherlessJson,
    /// From how much work at the start on a restore is cheaper than a start: curves and where they meet
    BreakEvenJson,
    /// The same curves, drawn
    BreakEvenSvg,
    /// Memory by the number of operators: what each adds, in every phase, with its interval
    OperatorsJson,
}

#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    /// Spend less on each limit
    #[arg(long)]
    pub(crate) quick: bool,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// A component or a probe
    #[arg(value_name = "MODULE")]
    pub(crate) module: PathBuf,
    /// A value for a parameter, instead of its first default
    #[arg(short = 'p', long = "parameter", value_name = "KEY=VALUE", value_parser = key_values)]
    pub(crate) parameters: Vec<(String, Vec<String>)>,
    #[command(flatten)]
    pub(crate) grants: GrantArgs,
    #[command(flatten)]
    pub(crate) limits: LimitArgs,
}

/// Whether a run that was stopped is continued.
#[derive(Debug, Args)]
pub(crate) struct ResumeArgs {
    /// Continue a run that was stopped, the newest unfinished one of the same words in `--out` unless one is named: what is done
    /// is kept, the rest is measured with the options and the seed that the run was begun with
    #[arg(long, value_name = "RUN_DIRECTORY")]
    pub(crate) resume: Option<Option<PathBuf>>,
}

/// What every command that measures takes. An option stands in one of the two, so that what resumes a run need not know it.
#[derive(Debug, Args)]
pub(crate) struct Common {
    #[command(flatten)]
    pub(crate) measured: Measured,
    #[command(flatten)]
    pub(crate) shown: Shown,
}

/// What is measured. A run that is resumed is given the same, or nothing.
#[derive(Debug, Args)]
pub(crate) struct Measured {
    /// A value for a parameter; several are an axis (a comma within a value is written `\,`)
    #[arg(short = 'p', long = "parameter", value_name = "KEY=VALUE[,VALUE…]", value_parser = key_values)]
    pub(crate) parameters: Vec<(String, Vec<String>)>,
    /// Only scenarios whose `module/scenario` matches
    #[arg(long, value_name = "GLOB")]
    pub(crate) filter: Option<String>,
    /// Only these arms
    #[arg(long, value_name = "ARM", value_delimiter = ',')]
    pub(crate) arm: Option<Vec<Arm>>,
    /// One process of 0.1 s a cell: to see that it works, not to trust the figures
    #[arg(long)]
    pub(crate) quick: bool,
    /// Measured time a cell, over all its processes [default: 1.5s]
    #[arg(long, value_name = "DURATION", value_parser = duration_ns, conflicts_with = "iterations")]
    pub(crate) time: Option<u64>,
    /// Measured operations a cell, over all its processes, at least
    #[arg(long, visible_alias = "iters", value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) iterations: Option<u64>,
    /// Worker processes a cell [default: 3]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) processes: Option<u32>,
    /// What the order of cells is drawn from [default: from the clock, and recorded]
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    #[command(flatten)]
    pub(crate) families: FamilyOptions,
    #[command(flatten)]
    pub(crate) grants: GrantArgs,
    #[command(flatten)]
    pub(crate) limits: LimitArgs,
}

/// Where and how it is shown. A run that is resumed may be given anything here.
#[derive(Clone, Debug, Args)]
pub(crate) struct Shown {
    /// Where runs are kept
    #[arg(long, value_name = "DIR", default_value = "results")]
    pub(crate) out: PathBuf,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
    /// Show the cells in their order and what they will cost, and run nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Print a line `@@BENCH_JSON@@{…}` for each repetition that is kept in the history of runs
    #[arg(long)]
    pub(crate) bench_json: bool,
    /// Show neither progress nor what a run will cost
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

/// What modules are granted; nothing by default.
#[derive(Debug, Args)]
pub(crate) struct GrantArgs {
    /// Let components connect to this address over TCP
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) allow_net: Vec<String>,
    /// Let components see this folder under a name of theirs
    #[arg(long, value_name = "HOST::GUEST[:ro]", value_parser = directory_grant)]
    pub(crate) allow_dir: Vec<bench_drivers::DirectoryGrant>,
    /// Let components see this environment variable
    #[arg(long, value_name = "NAME")]
    pub(crate) env: Vec<String>,
}

/// What a module may use.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct LimitArgs {
    /// Memory of a component, in bytes (`512Mi`)
    #[arg(long, value_name = "BYTES", value_parser = bytes, default_value = "1Gi")]
    pub(crate) memory: u64,
    /// How long a worker may take beyond its measured time, before it is killed
    #[arg(long, value_name = "DURATION", value_parser = duration_ns, default_value = "30s")]
    pub(crate) deadline: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Aligned text
    #[default]
    Table,
    /// One document
    Json,
    /// One line a series
    Csv,
    /// A table for a page
    Markdown,
}

/// Per cent, as a user writes them; more than 0 and less than 100.
fn percent(text: &str) -> Result<f64, String> {
    let percent = text.trim_end_matches('%').trim().parse::<f64>().map_err(|_| "expected a number of per cent (2)")?;
    if percent > 0.0 && percent < 100.0 {
        Ok(percent)
    } else {
        Err("expected more than 0 and less than 100".to_owned())
    }
}

fn key_values(text: &str) -> Result<(String, Vec<String>), String> {
    let (key, values) = text.split_once('=').ok_or("expected KEY=VALUE[,VALUE…]")?;
    if key.is_empty() {
        return Err("the name of the parameter is missing".to_owned());
    }
    Ok((key.to_owned(), split_values(values)))
}

/// Splits at commas that no backslash precedes.
fn split_values(text: &str) -> Vec<String> {
    let mut values = vec![String::new()];
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            ',' => values.push(String::new()),
            '\\' if characters.peek() == Some(&',') => {
                values.last_mut().expect("never empty").extend(characters.next())
            }
            other => values.last_mut().expect("never empty").push(other),
        }
    }
    values
}

pub(crate) fn duration_ns(text: &str) -> Result<u64, String> {
    let duration: jiff::SignedDuration =
        text.parse().map_err(|_| "expected a duration such as 500ms, 2s, 1m".to_owned())?;
    u64::try_from(duration.as_nanos()).ok().filter(|ns| *ns > 0).ok_or_else(|| "expected a duration above 0".to_owned())
}

fn bytes(text: &str) -> Result<u64, String> {
    match bench_model::Value::parse(bench_model::Kind::Integer, text) {
        Ok(bench_model::Value::Integer(bytes @ 1..)) => Ok(bytes.cast_unsigned()),
        _ => Err("expected a size such as 1048576, 512Mi, 1Gi".to_owned()),
    }
}

fn directory_grant(text: &str) -> Result<bench_drivers::DirectoryGrant, String> {
    let (host, guest) = text.split_once("::").ok_or("expected HOST::GUEST[:ro]")?;
    let (guest, read_only) = guest.strip_suffix(":ro").map_or((guest, false), |guest| (guest, true));
    if host.is_empty() || guest.is_empty() {
        return Err("expected HOST::GUEST[:ro]".to_owned());
    }
    Ok(bench_drivers::DirectoryGrant { host: host.into(), guest: guest.to_owned(), read_only })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn lists_are_axes_and_commas_can_be_escaped() {
        let check = |text: &str, expect: &[&str]| assert_eq!(split_values(text), expect, "{text}");
        check("64", &["64"]);
        check("64,4Ki", &["64", "4Ki"]);
        check(r"a\,b,c\d", &["a,b", r"c\d"]);
        check("", &[""]);
        assert!(key_values("=1").is_err() && key_values("n").is_err());
    }

    #[test]
    fn durations_and_sizes_have_units() {
        assert_eq!(duration_ns("1.5s"), Ok(1_500_000_000));
        assert_eq!(duration_ns("200ms"), Ok(200_000_000));
        assert!(duration_ns("0s").is_err() && duration_ns("-1s").is_err() && duration_ns("5").is_err());
        assert_eq!(bytes("512Mi"), Ok(512 << 20));
        assert!(bytes("0").is_err() && bytes("lots").is_err());
    }

    #[test]
    fn a_margin_is_a_share_of_something() {
        assert_eq!((percent("2"), percent("0.5 %")), (Ok(2.0), Ok(0.5)));
        assert!(percent("0").is_err() && percent("-1").is_err() && percent("100").is_err() && percent("NaN").is_err());
    }

    #[test]
    fn a_folder_is_granted_under_a_name() {
        let grant = directory_grant("/a::/b:ro").unwrap();
        assert_eq!((grant.guest.as_str(), grant.read_only), ("/b", true));
        assert!(directory_grant("/a:/b").is_err() && directory_grant("::/b").is_err());
    }
}
