//! The command line of `cargo xtask`: its tasks, options and help texts.

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, ArgMatches, Command};

/// The requested task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Task {
    /// Prepare this machine.
    Setup {
        /// How much to install.
        extent: Extent,
    },
    /// Build the plug-ins, as components and as probes.
    Plugins {
        /// The profile, and which plug-ins.
        request: PluginRequest,
    },
    /// Build the native probes.
    Probes {
        /// The profile.
        profile: Profile,
        /// Whether those that take minutes to compile are built, too.
        is_heavy: bool,
    },
    /// Generate what is derived from the WIT packages.
    Abi,
    /// Draw the picture of the README.
    Picture {
        /// Whether to measure its run anew.
        is_measured: bool,
    },
    /// Build the modules of a first table, or all modules, and show the table.
    Demo {
        /// Whether to show all modules.
        extent: Extent,
    },
    /// Pack the program, the modules and their documentation into an archive.
    Dist {
        /// Whether to test the archive in an empty root.
        is_tried: bool,
    },
    /// Run all checks and tests that a change must pass.
    Test {
        /// Whether to include the optional steps.
        extent: Extent,
        /// Whether to repeat what has passed with the same inputs, too.
        is_repeated: bool,
    },
    /// Check the rules on sources that clippy cannot check.
    Tidy,
    /// Run the host on inputs that harm a careless one.
    Field,
}

/// Whether a task includes the optional parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    /// Only what every contributor needs.
    Required,
    /// Also the optional parts.
    All,
}

/// Which plug-ins are built, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PluginRequest {
    /// The profile.
    pub(crate) profile: Profile,
    /// The names of the plug-ins; empty for all.
    pub(crate) names: Vec<String>,
    /// Whether probes for this processor (`native-cpu`) are built too.
    pub(crate) has_native_cpu: bool,
    /// Whether the variants that `compare --ladder` shows are built too.
    pub(crate) has_variants: bool,
    /// Whether the files must be the same wherever the checkout is.
    pub(crate) is_reproducible: bool,
    /// Whether it is an error if their digests are not the recorded ones.
    pub(crate) is_locked: bool,
}

impl PluginRequest {
    /// All plug-ins, without probes for this processor.
    pub(crate) fn all(profile: Profile) -> Self {
        Self {
            profile,
            names: Vec::new(),
            has_native_cpu: false,
            has_variants: false,
            is_reproducible: false,
            is_locked: false,
        }
    }
}

/// The cargo profile of modules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Profile {
    /// The profile of `cargo test`; its figures are meaningless.
    Dev,
    /// The profile for measuring.
    Release,
}

impl Profile {
    /// The name of the profile in cargo.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Profile::Dev => "dev",
            Profile::Release => "release",
        }
    }
}

/// Parses the arguments of this process. Help and errors are printed and end the process.
pub(crate) fn parse() -> Task {
    task(&command().get_matches())
}

fn command() -> Command {
    Command::new("xtask")
        .bin_name("cargo xtask")
        .about("The project's own commands")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommands([
            Command::new("setup")
                .about("Install what building and testing need; says what is there, done or left out")
                .arg(flag("all", "Try the optional parts too: Go, perf, cargo-deny, DuckDB's library")),
            Command::new("plugins")
                .about("Build plugins/* into plugins/<name>.wasm and their native twins")
                .arg(
                    Arg::new("name")
                        .help("Only these plug-ins; `hostile` are those in plugins/hostile, which harm a careless host")
                        .action(ArgAction::Append),
                )
                .arg(flag("native-cpu", "Build twins for this very processor too, for the arm native-cpu"))
                .arg(flag(
                    "variants",
                    "Build the variants of `compare --ladder` too: without SIMD, portable, with dlmalloc",
                ))
                .arg(
                    flag("reproducible", "Build the same files wherever the checkout is, in a target folder of its own, and write their digests to registry/modules.toml")
                        .conflicts_with_all(["native-cpu", "variants", "debug"]),
                )
                .arg(
                    flag("locked", "Write no digests, and fail if they are not those in registry/modules.toml")
                        .requires("reproducible"),
                )
                .arg(flag("debug", "Compile without optimisation; figures then mean nothing")),
            Command::new("probes")
                .about("Build native-probes/* into native-probes/<name>.so")
                .arg(flag("heavy", "Build those that take minutes to compile, too: DataFusion, Polars"))
                .arg(profile()),
            Command::new("abi").about("Generate the C header, its Rust twin and the vocabulary from wit/"),
            Command::new("picture").about("Draw the picture of the README from the run in host/picture").arg(flag(
                "measure",
                "Measure that run anew on this machine, which should be idle; takes about five minutes",
            )),
            Command::new("demo")
                .about("Prepare, build a small host and two plug-ins, then show a first table and a comparison")
                .arg(flag("all", "Build everything and load every module")),
            Command::new("dist")
                .about("Pack the program, modules, completions and manual pages into an archive for this system")
                .arg(flag(
                    "try",
                    "Run the archive in a root of its own, without this checkout and without a toolchain",
                )),
            Command::new("test")
                .about("Run everything a change must pass, and stop at the first failure")
                .arg(flag("all", "Cover the optional parts and the heavy packages too"))
                .arg(flag("again", "Repeat what has passed with the same inputs, too")),
            Command::new("field").about(
                "Run the host on hostile modules and damaged files, and hold what comes of each to what it should be",
            ),
            Command::new("tidy").about("Check the source rules that clippy cannot see"),
        ])
}

fn flag(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).help(help).action(ArgAction::SetTrue)
}

fn profile() -> Arg {
    Arg::new("profile")
        .long("profile")
        .help("The cargo profile; measure with release only")
        .value_parser(PossibleValuesParser::new([Profile::Dev.name(), Profile::Release.name()]))
        .default_value(Profile::Release.name())
}

fn task(matches: &ArgMatches) -> Task {
    match matches.subcommand() {
        Some(("setup", given)) => Task::Setup { extent: extent(given) },
        Some(("plugins", given)) => {
            let names = given.get_many::<String>("name").into_iter().flatten().cloned().collect();
            let profile = if given.get_flag("debug") { Profile::Dev } else { Profile::Release };
            let (has_native_cpu, has_variants) = (given.get_flag("native-cpu"), given.get_flag("variants"));
            let (is_reproducible, is_locked) = (given.get_flag("reproducible"), given.get_flag("locked"));
            let request = PluginRequest { profile, names, has_native_cpu, has_variants, is_reproducible, is_locked };
            Task::Plugins { request }
        }
        Some(("probes", given)) => {
            let dev = given.get_one::<String>("profile").is_some_and(|name| name == Profile::Dev.name());
            let profile = if dev { Profile::Dev } else { Profile::Release };
            Task::Probes { profile, is_heavy: given.get_flag("heavy") }
        }
        Some(("abi", _)) => Task::Abi,
        Some(("picture", given)) => Task::Picture { is_measured: given.get_flag("measure") },
        Some(("demo", given)) => Task::Demo { extent: extent(given) },
        Some(("dist", given)) => Task::Dist { is_tried: given.get_flag("try") },
        Some(("test", given)) => Task::Test { extent: extent(given), is_repeated: given.get_flag("again") },
        Some(("field", _)) => Task::Field,
        Some(("tidy", _)) => Task::Tidy,
        // The parser requires one of the subcommands of `command`, which are all handled above.
        other => unreachable!("subcommand {other:?} is listed but has no task"),
    }
}

fn extent(given: &ArgMatches) -> Extent {
    if given.get_flag("all") { Extent::All } else { Extent::Required }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, expect: Option<Task>) {
        let words = std::iter::once("xtask").chain(line.split_whitespace());
        let got = command().try_get_matches_from(words).ok().map(|matches| task(&matches));
        assert_eq!(got, expect, "`cargo xtask {line}`");
    }

    #[test]
    fn every_subcommand_has_a_task() {
        command().debug_assert();
        check("setup", Some(Task::Setup { extent: Extent::Required }));
        check("setup --all", Some(Task::Setup { extent: Extent::All }));
        check("plugins", Some(Task::Plugins { request: PluginRequest::all(Profile::Release) }));
        check("plugins --debug", Some(Task::Plugins { request: PluginRequest::all(Profile::Dev) }));
        let names = vec!["a".to_owned(), "b".to_owned()];
        let request = PluginRequest { names, has_native_cpu: true, ..PluginRequest::all(Profile::Release) };
        check("plugins a b --native-cpu", Some(Task::Plugins { request }));
        let request = PluginRequest { has_variants: true, ..PluginRequest::all(Profile::Release) };
        check("plugins --variants", Some(Task::Plugins { request }));
        let request = PluginRequest { is_reproducible: true, ..PluginRequest::all(Profile::Release) };
        check("plugins --reproducible", Some(Task::Plugins { request: request.clone() }));
        let request = PluginRequest { is_locked: true, ..request };
        check("plugins --reproducible --locked", Some(Task::Plugins { request }));
        check("probes", Some(Task::Probes { profile: Profile::Release, is_heavy: false }));
        check("probes --heavy", Some(Task::Probes { profile: Profile::Release, is_heavy: true }));
        check("probes --profile dev", Some(Task::Probes { profile: Profile::Dev, is_heavy: false }));
        check("abi", Some(Task::Abi));
        check("picture", Some(Task::Picture { is_measured: false }));
        check("picture --measure", Some(Task::Picture { is_measured: true }));
        check("demo", Some(Task::Demo { extent: Extent::Required }));
        check("demo --all", Some(Task::Demo { extent: Extent::All }));
        check("dist --try", Some(Task::Dist { is_tried: true }));
        check("test", Some(Task::Test { extent: Extent::Required, is_repeated: false }));
        check("test --all --again", Some(Task::Test { extent: Extent::All, is_repeated: true }));
        check("field", Some(Task::Field));
        check("tidy", Some(Task::Tidy));
    }

    #[test]
    fn commands_in_documents_are_understood() {
        const BEGIN: &str = "cargo xtask ";
        let documents = [
            include_str!("../../../README.md"),
            include_str!("../../ARCHITECTURE.md"),
            include_str!("../../DECISIONS.md"),
            include_str!("../../CONTRIBUTING.md"),
            include_str!("../../TUTORIAL.md"),
        ];
        // A command ends with its line, its quotes, or where a remark begins.
        let lines = documents.iter().flat_map(|text| text.lines());
        let rests = lines.flat_map(|line| line.match_indices(BEGIN).map(move |(at, _)| &line[at + BEGIN.len()..]));
        let commands: Vec<&str> = rests.filter_map(|rest| rest.split(['`', '#']).next()).collect();
        assert!(commands.len() > 10, "{commands:?}");
        for line in commands {
            let words = std::iter::once("xtask").chain(line.split_whitespace());
            let found = command().try_get_matches_from(words);
            assert!(found.is_ok(), "`{BEGIN}{line}`: {}", found.unwrap_err());
        }
    }

    #[test]
    fn invalid_arguments_are_refused() {
        check("", None);
        check("tests", None);
        check("probes --profile bench", None);
        check("tidy --all", None);
        check("plugins --reproducible --debug", None);
        check("plugins --locked", None);
    }
}
