//! Compares the command line that a run was started with and the one that resumes it. Options that only affect how results are
//! shown may differ.

use super::ANEW;
use crate::cli::{Cli, Command, Shown};
use bench_registry::own_name;
use bench_sink::runfile::RunRecord;
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Args, CommandFactory, FromArgMatches};
use pg_connection::{redact, without_hidden};
use std::ffi::OsString;
use std::path::Path;

/// A valid command line.
pub(super) struct CommandLine {
    all: ArgMatches,
    /// The name of the command.
    name: String,
    definition: clap::Command,
    /// The names of the options that only affect how results are stored and shown.
    free: Vec<String>,
}

/// Options that affect neither what is measured nor how it is shown: `--resume`, what is done afterwards, and the options of every command.
const ABOUT: [&str; 6] = ["resume", "save_baseline", "profile", "verbose", "help", "version"];

/// Arguments that select what is run.
const NAMING: [&str; 3] = ["what", "category", "files"];

impl CommandLine {
    /// The command line of this process.
    pub(super) fn given() -> anyhow::Result<Self> {
        Self::parse(std::env::args_os())
    }

    /// Parses `words`, the first of which is the program.
    pub(super) fn of(words: &[String]) -> anyhow::Result<Self> {
        Self::parse(words)
    }

    fn parse(words: impl IntoIterator<Item = impl Into<OsString> + Clone>) -> anyhow::Result<Self> {
        let mut cli = Cli::command();
        cli.build();
        let all = cli.try_get_matches_from_mut(words).map_err(|error| {
            let text = error.to_string();
            anyhow::anyhow!("{}", text.lines().next().unwrap_or("invalid command line").to_owned())
        })?;
        let name = all.subcommand_name().unwrap_or_default().to_owned();
        let definition = cli.find_subcommand(&name).cloned().unwrap_or(cli);
        let shown = Shown::augment_args(clap::Command::default());
        let shown = shown.get_arguments().map(|argument| argument.get_id().as_str());
        let free = shown.chain(ABOUT).map(str::to_owned).collect();
        Ok(Self { all, name, definition, free })
    }

    /// The parsed command.
    pub(super) fn command(&self) -> anyhow::Result<Command> {
        Ok(Cli::from_arg_matches(&self.all)?.command)
    }

    /// What is run, as it is shown to the user.
    pub(super) fn named(&self) -> String {
        let words: Vec<_> = NAMING.iter().flat_map(|id| self.values(id)).collect();
        if words.is_empty() { format!("`bench-host {}`", self.name) } else { format!("`{}`", words.join(" ")) }
    }

    /// Whether the arguments that select what is run are absent or equal to those of `begun`.
    pub(super) fn name_the_same_as(&self, begun: &Self) -> bool {
        let says_any = NAMING.iter().any(|id| self.is_given(id));
        let same = |id: &str| {
            let (now, then) = (self.values(id), begun.values(id));
            now.iter().map(|name| own_name(name)).eq(then.iter().map(|name| own_name(name)))
        };
        self.name == begun.name && (!says_any || NAMING.iter().all(|id| same(id)))
    }

    /// Checks that the options that select what is measured are absent or equal to those that the run in `directory` was `begun`
    /// with.
    pub(super) fn agree_with(&self, begun: &Self, run: &RunRecord, directory: &Path) -> anyhow::Result<()> {
        let directory = directory.display();
        anyhow::ensure!(
            self.name == begun.name,
            "{directory} is a run of `bench-host {}`, not of `bench-host {}`; {ANEW}, or give another run directory",
            begun.name,
            self.name
        );
        if !self.name_the_same_as(begun) {
            anyhow::bail!(
                "{directory} is a run of {}, not of {}; give another run directory, or {ANEW}",
                begun.named(),
                self.named()
            );
        }
        for argument in self.definition.get_arguments() {
            let id = argument.get_id().as_str();
            if self.free.iter().any(|free| free == id) || NAMING.contains(&id) || !self.is_given(id) {
                continue;
            }
            let (now, then) = (self.values(id), begun.values(id));
            let then = if id == "seed" { vec![run.seed.to_string()] } else { then };
            anyhow::ensure!(
                now == then,
                "{directory} was started with {}, not with {}; remove the option, or {ANEW}",
                format_option(argument, &then),
                format_option(argument, &now)
            );
        }
        Ok(())
    }

    fn matches(&self) -> &ArgMatches {
        self.all.subcommand().map_or(&self.all, |(_, matches)| matches)
    }

    fn is_given(&self, id: &str) -> bool {
        let matches = self.matches();
        matches.try_contains_id(id).unwrap_or(false) && matches.value_source(id) == Some(ValueSource::CommandLine)
    }

    /// The values of the argument, without passwords; none if the command has no such argument.
    fn values(&self, id: &str) -> Vec<String> {
        let raw = self.matches().try_get_raw(id).ok().flatten();
        raw.into_iter().flatten().map(|value| without_hidden(&redact(&value.to_string_lossy()))).collect()
    }
}

/// `--time 2s`, `no --time`, `--quick`, `no --quick`.
fn format_option(argument: &Arg, values: &[String]) -> String {
    let name = format!("--{}", argument.get_long().unwrap_or(argument.get_id().as_str()));
    let is_flag = !argument.get_action().takes_values();
    match values {
        [] => format!("no {name}"),
        [value] if is_flag && value == "false" => format!("no {name}"),
        _ if is_flag => name,
        values => format!("{name} {}", values.join(&format!(" {name} "))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bench_sink::fingerprint::Fingerprint;
    use bench_sink::runfile::Planned;

    fn words(line: &str) -> CommandLine {
        CommandLine::of(&line.split(' ').map(str::to_owned).collect::<Vec<_>>()).unwrap()
    }

    /// Compares `given` with a run that was started with `begun` and has the seed 7; an error must contain all `parts`.
    #[track_caller]
    fn check(begun: &str, given: &str, parts: Option<&[&str]>) {
        let planned =
            Planned { cells: 1, processes: 1, time_ns: None, iterations: None, within_ns: None, order_sha256: None };
        let (id, started, command) = (String::new(), String::new(), Vec::new());
        let (fingerprint, program_sha256) = (Fingerprint::take(""), None);
        let (warnings, inputs) = (Vec::new(), Vec::new());
        let run = RunRecord { id, started, seed: 7, command, planned, fingerprint, program_sha256, warnings, inputs };
        let found = words(&format!("bench-host {given}")).agree_with(
            &words(&format!("bench-host {begun}")),
            &run,
            Path::new("results/r"),
        );
        match (found, parts) {
            (Ok(()), None) => {}
            (Err(error), Some(parts)) => {
                let error = error.to_string();
                assert!(error.starts_with("results/r ") && !error.contains('\n'), "{error}");
                parts.iter().for_each(|part| assert!(error.contains(part), "{part:?} is not in: {error}"));
            }
            (found, expect) => panic!("`{begun}` and `{given}`: {found:?}, expected {expect:?}"),
        }
    }

    #[test]
    fn absent_and_equal_options_agree() {
        let begun = "run self -p n=1,2 --arm wasm,native --quick --time 2s --deadline 9s --out a";
        for given in [
            "run self --resume",
            "run --resume x",
            "run self --resume -p n=1,2 --arm wasm --arm native --quick --time=2s --seed 7 --memory 1Gi",
            "run self --resume --format json --wide --all-series --dry-run --out b -v --bench-json",
        ] {
            check(begun, given, None);
        }
        check("run operators-mixed", "run mixed --resume", None);
        let url = "run self --resume --database-url postgres://u:secret@h/d";
        check("run self --database-url postgres://u@h/d", url, None);
    }

    #[test]
    fn different_option_is_reported_with_both_values() {
        let begun = "run self -p n=1 --time 2s";
        check(begun, "run ipc --resume x", Some(&["`self`", "`ipc`"]));
        check(begun, "run self --category ipc --resume x", Some(&["`self`", "`self ipc`"]));
        check(begun, "load self --resume x", Some(&["`bench-host run`", "`bench-host load`"]));
        check(begun, "run self --resume -p n=2", Some(&["--parameter n=1", "--parameter n=2"]));
        check(begun, "run self --resume --time 3s", Some(&["--time 2s", "--time 3s"]));
        check(begun, "run self --resume --quick", Some(&["started with no --quick, not with --quick"]));
        check(begun, "run self --resume --processes 2", Some(&["no --processes", "--processes 2"]));
        check(begun, "run self --resume --seed 8", Some(&["--seed 7", "--seed 8"]));
        check(begun, "run self --resume --memory 1Mi", Some(&["--memory 1Gi", "--memory 1Mi"]));
        let other = "run self --resume --database-url postgres://u:secret@i/d";
        check("run self --database-url postgres://u@h/d", other, Some(&["postgres://u@h/d", "postgres://u@i/d"]));
    }
}
