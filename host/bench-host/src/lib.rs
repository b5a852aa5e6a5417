//! The program `bench-host`: parses the command line and runs the command. Exit status: 0 success, 1 a finding (failed cell, failed
//! check, missed target), 2 not measured.
//!
//! It is a library, because cargo compiles one as soon as the interfaces of what it depends on are known, and a program only when all of that is
//! compiled.

mod absent;
mod baselines;
mod builtin;
mod cli;
mod commands;
mod compilers;
mod compiling;
mod conformance;
mod cost;
mod derived;
mod described;
mod effort;
mod execute;
mod exports;
mod families;
mod family_options;
mod file_digests;
mod fingerprint;
mod history;
mod inputs;
mod kept_output;
mod live;
mod modules;
mod output;
mod paths;
mod progress;
mod requests;
mod resolve;
mod resume;
mod scratch;
mod scratch_budget;
mod secret;
mod show;
mod signals;
mod stored;
mod tree;
mod worker;

use clap::Parser;
use cli::{Cli, Command};
use resume::Wanted;
use std::process::ExitCode;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Success: everything was done, without a finding.
    Done,
    /// A cell failed, a check failed, a target was missed.
    Finding,
    /// Nothing was measured, or not all of it.
    NotMeasured,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Done => Self::SUCCESS,
            Exit::Finding => Self::from(1),
            Exit::NotMeasured => Self::from(2),
        }
    }
}

/// Runs the command line of this process.
pub fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(refused) => match absent::reason(&refused).or_else(|| value_refusal(&refused)) {
            Some(reason) => return fail(&reason),
            None => refused.exit(),
        },
    };
    start_log(cli.verbose);
    match execute(cli.command) {
        Ok(exit) => exit.into(),
        Err(error) => fail(&error),
    }
}

/// Why the value of an option was refused, if that is what is wrong with a command line: the parsers of values say what to do in one line.
fn value_refusal(refused: &clap::Error) -> Option<anyhow::Error> {
    let text = refused.to_string();
    let reason = text.lines().next()?.strip_prefix("error: ")?;
    (refused.kind() == clap::error::ErrorKind::ValueValidation).then(|| anyhow::anyhow!("{reason}"))
}

fn fail(error: &anyhow::Error) -> ExitCode {
    output::error(error);
    Exit::NotMeasured.into()
}

fn execute(command: Command) -> anyhow::Result<Exit> {
    let (command, earlier) = match resume::wanted(&command)? {
        Wanted::Anew => (command, None),
        Wanted::Rest(rest) => (rest.command, Some(rest.earlier)),
        Wanted::Finished { directory, show, save_baseline } => {
            let exit = execute::show(&directory, &show)?;
            if let Some(name) = save_baseline.filter(|_| exit == Exit::Done) {
                baselines::save(&directory, &name)?;
            }
            return Ok(exit);
        }
    };
    match command {
        Command::Load(arguments) => commands::load::run(arguments, earlier),
        Command::List(arguments) => commands::list::run(&arguments),
        Command::Run(arguments) => commands::run::run(arguments, earlier),
        Command::Compare(arguments) => commands::compare::run(arguments),
        Command::Validate(arguments) => commands::validate::run(&arguments),
        Command::Report(arguments) => commands::report::run(&arguments),
        Command::Results(arguments) => commands::results::run(&arguments),
        #[cfg(feature = "profile")]
        Command::Profile(arguments) => commands::profile::run(arguments),
        #[cfg(feature = "price")]
        Command::Price(arguments) => commands::price::run(&arguments),
        Command::Doctor(arguments) => commands::doctor::run(&arguments),
        Command::Check(arguments) => commands::check::run(&arguments),
        Command::New(arguments) => commands::new::run(&arguments),
        Command::Sdk(arguments) => commands::sdk::run(&arguments),
        Command::Wit(arguments) => commands::sdk::wit(&arguments),
        Command::Header => commands::sdk::header(),
        #[cfg(feature = "wrap")]
        Command::Wrap(arguments) => commands::wrap::run(&arguments),
        Command::Registry(command) => commands::registry::run(&command),
        #[cfg(feature = "fleet")]
        Command::Fleet(command) => commands::fleet::run(command),
        #[cfg(feature = "fleet")]
        Command::Agent(arguments) => commands::agent::run(&arguments),
        #[cfg(feature = "manual")]
        Command::Completions { shell } => commands::completions::run(shell),
        #[cfg(feature = "manual")]
        Command::Man { dir } => commands::man::run(dir.as_deref()),
        Command::Worker(arguments) => worker::serve(&arguments),
    }
}

/// Writes logs to standard error, filtered by `RUST_LOG`, else by the number of `-v`.
fn start_log(verbose: u8) {
    let default = [LevelFilter::WARN, LevelFilter::INFO, LevelFilter::DEBUG, LevelFilter::TRACE];
    let given = std::env::var("RUST_LOG").ok().filter(|given| !given.is_empty());
    let targets = given.and_then(|given| given.parse::<Targets>().ok()).unwrap_or_else(|| {
        let of_engine = ["wasmtime", "cranelift", "regalloc2"].map(|target| (target, LevelFilter::WARN));
        Targets::new().with_default(default[usize::from(verbose.min(3))]).with_targets(of_engine)
    });
    let lines = fmt::layer().with_writer(std::io::stderr).with_target(verbose > 1);
    tracing_subscriber::registry().with(targets).with(lines).init();
}
