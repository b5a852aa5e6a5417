//! The plan: the steps that a change must pass, their order, and the command that repeats each.

use super::{dependencies, miri};
use crate::command_line::Extent;
use crate::demo::LEAN_FEATURES;
use crate::plugins::WASM_TARGET;
use crate::probes;
use crate::project::{PLUGINS_MANIFEST, folder_name};

/// One step of the plan.
#[derive(Debug)]
pub(super) struct Step {
    /// Its name in headers and in the summary.
    pub(super) title: &'static str,
    /// The action.
    pub(super) work: Work,
}

/// The action of a step.
#[derive(Debug)]
pub(super) enum Work {
    /// Prepare the machine.
    Setup(Extent),
    /// Check the source rules.
    Tidy,
    /// Check the dependencies.
    Dependencies,
    /// Run tests of unsafe code under Miri.
    Miri,
    /// Build the plug-ins, which the host's tests load.
    Plugins,
    /// Build the variants of one plug-in, which tests of comparisons load.
    Variants,
    /// Build the probes, in the profile of the tests.
    Probes,
    /// Check, test and build the probes in these folders, which are workspaces of their own.
    HeavyProbes(Vec<String>),
    /// Run the host on hostile inputs.
    Field,
    /// Check and test the Go modules in these folders.
    Go(Vec<String>),
    /// Run the tests of the root workspace, without deterministic ones that have passed.
    HostTests {
        /// The arguments of cargo.
        arguments: Vec<String>,
        /// Environment variables for the tests.
        variables: &'static [(&'static str, &'static str)],
    },
    /// Run cargo on one of the two workspaces.
    Cargo {
        /// The manifest of the workspace, if it is not the root's.
        manifest: Option<&'static str>,
        /// The arguments of cargo.
        arguments: Vec<String>,
        /// An environment variable for it.
        variable: Option<(&'static str, &'static str)>,
    },
}

impl Step {
    /// The command that repeats this step, in the root.
    pub(super) fn shown(&self) -> String {
        match &self.work {
            Work::Setup(Extent::Required) => "cargo xtask setup".into(),
            Work::Setup(Extent::All) => "cargo xtask setup --all".into(),
            Work::Tidy => "cargo xtask tidy".into(),
            Work::Dependencies => dependencies::shown(),
            Work::Miri => miri::shown(),
            Work::Plugins => "cargo xtask plugins".into(),
            Work::Variants => format!("cargo xtask plugins {WITH_VARIANTS} --variants"),
            Work::Probes => "cargo xtask probes --profile dev".into(),
            Work::HeavyProbes(names) => {
                let shown = |name: &String| {
                    probes::heavy_checks(name).map(|arguments| format!("{}cargo {arguments}", target_folder(name)))
                };
                let build = "cargo xtask probes --heavy --profile dev".to_owned();
                names.iter().flat_map(shown).chain([build]).collect::<Vec<_>>().join(" && ")
            }
            Work::Field => "cargo xtask field".into(),
            Work::Go(modules) => {
                let of = |module: &String| format!("go -C {module} vet ./... && go -C {module} test ./...");
                let format = format!("gofmt -l {}", modules.join(" "));
                [format].into_iter().chain(modules.iter().map(of)).collect::<Vec<_>>().join(" && ")
            }
            Work::HostTests { arguments, variables } => {
                let variables: String = variables.iter().map(|(name, value)| format!("{name}={value} ")).collect();
                format!("{variables}cargo {}", arguments.join(" "))
            }
            Work::Cargo { manifest, arguments, variable } => {
                // Formatting makes nothing.
                let compiled = manifest.filter(|_| arguments.first().is_some_and(|word| word != "fmt"));
                let folder = compiled.and_then(folder_name).map(target_folder).unwrap_or_default();
                let variable = variable.map(|(name, value)| format!("{name}='{value}' ")).unwrap_or_default();
                format!("{folder}{variable}cargo {}", arguments.join(" "))
            }
        }
    }
}

/// The assignment by which a shell gives cargo the target folder of the workspace `name`, which the steps share.
fn target_folder(name: &str) -> String {
    format!("CARGO_TARGET_DIR=\"${{CARGO_TARGET_DIR:-target}}/{name}\" ")
}

/// What is special about packages and Go modules.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Selected<'a> {
    /// The packages of the root workspace that are not compiled.
    pub(super) heavy: &'a [String],
    /// The plug-ins that are not compiled.
    pub(super) heavy_plugins: &'a [String],
    /// The probes that are workspaces of their own, where they are built.
    pub(super) heavy_probes: &'a [String],
    /// The packages of the root workspace that have examples in their documentation.
    pub(super) with_examples: &'a [String],
    /// The folders of the Go modules.
    pub(super) go_modules: &'a [String],
}

/// The plug-in whose variants are built: it has all of them.
pub(super) const WITH_VARIANTS: &str = "kernels";

/// The tests of engine settings, with the code generators that the default build lacks.
const CODE_GENERATORS: &str = "test --package bench-wasm --features code-generators --test it -- settings";

/// All steps, the fast ones first.
pub(super) fn steps(extent: Extent, selected: &Selected<'_>) -> Vec<Step> {
    let host = |line: &str| cargo(None, line, selected.heavy);
    let plugins = |line: &str| cargo(Some(PLUGINS_MANIFEST), line, selected.heavy_plugins);
    let clippy_lean = format!("clippy --package bench-host {LEAN_FEATURES} -- -D warnings");
    let clippy_wasm = format!("clippy --workspace --target {WASM_TARGET} -- -D warnings");
    let mut steps = vec![
        Step { title: "setup", work: Work::Setup(extent) },
        Step { title: "format, host", work: cargo(None, "fmt --all --check", &[]) },
        Step { title: "format, plug-ins", work: cargo(Some(PLUGINS_MANIFEST), "fmt --all --check", &[]) },
        // Checking the sources is fast, so it comes before anything is compiled.
        Step { title: "tidy", work: Work::Tidy },
        Step { title: "dependencies", work: Work::Dependencies },
        Step { title: "plug-ins in Go", work: Work::Go(selected.go_modules.to_vec()) },
        Step { title: "clippy, host", work: host("clippy --workspace --all-targets -- -D warnings") },
        // The workspace unites the features of its members, so the step before does not see the host that `demo` builds.
        Step { title: "clippy, lean host", work: cargo(None, &clippy_lean, &[]) },
        Step { title: "clippy, plug-ins natively", work: plugins("clippy --workspace --all-targets -- -D warnings") },
        Step { title: "clippy, components", work: plugins(&clippy_wasm) },
        // The host's tests load what the next three steps build. Building all plug-ins removes variants, so they come after.
        Step { title: "plug-ins", work: Work::Plugins },
        Step { title: "variants", work: Work::Variants },
        Step { title: "probes", work: Work::Probes },
        Step { title: "tests, host", work: host_tests(selected.heavy, extent) },
        Step { title: "examples", work: examples(selected.with_examples) },
        Step { title: "hostile inputs", work: Work::Field },
        Step { title: "tests, plug-ins", work: plugins("test --workspace") },
        Step { title: "Miri", work: Work::Miri },
        Step { title: "documentation", work: documentation(host("doc --workspace --no-deps")) },
    ];
    if extent == Extent::All {
        let behind =
            |steps: &[Step], title: &str| steps.iter().position(|step| step.title == title).map_or(0, |at| at + 1);
        let generators = Step { title: "tests, code generators", work: cargo(None, CODE_GENERATORS, &[]) };
        steps.insert(behind(&steps, "tests, host"), generators);
    }
    // They take longest, and hardly any change concerns them.
    if !selected.heavy_probes.is_empty() {
        steps.push(Step { title: "heavy probes", work: Work::HeavyProbes(selected.heavy_probes.to_vec()) });
    }
    steps
}

/// A cargo command on a workspace: the manifest and the exclusions go before the arguments after `--`.
fn cargo(manifest: Option<&'static str>, line: &str, exclude: &[String]) -> Work {
    let mut words = line.split_whitespace().map(str::to_owned);
    let mut arguments: Vec<String> = words.by_ref().take_while(|word| word != "--").collect();
    for name in exclude {
        arguments.extend(["--exclude".to_owned(), name.clone()]);
    }
    if let Some(manifest) = manifest {
        arguments.extend(["--manifest-path".to_owned(), manifest.to_owned()]);
    }
    let rest: Vec<String> = words.collect();
    if !rest.is_empty() {
        arguments.push("--".to_owned());
        arguments.extend(rest);
    }
    Work::Cargo { manifest, arguments, variable: None }
}

/// How often agents, servers and coordinators of fleets are killed, and for how many seconds a link is down and an agent is frozen, where all is
/// tested: so often and so long that what holds by chance is found out. Otherwise it is a few times, so that tests are fast.
const FLEETS: &[(&str, &str)] = &[
    ("BENCH_FLEET_TEST_KILLS", "200"),
    ("BENCH_FLEET_TEST_RESTARTS", "10"),
    ("BENCH_FLEET_TEST_CUT", "60"),
    ("BENCH_HOST_TEST_COORDINATORS", "10"),
    ("BENCH_HOST_TEST_FREEZE", "40"),
];

fn host_tests(exclude: &[String], extent: Extent) -> Work {
    let variables = if extent == Extent::All { FLEETS } else { &[] };
    match cargo(None, "test --workspace --tests", exclude) {
        Work::Cargo { arguments, .. } => Work::HostTests { arguments, variables },
        other => other,
    }
}

/// The examples in the documentation of these packages.
fn examples(packages: &[String]) -> Work {
    let names = packages.iter().flat_map(|package| ["--package", package.as_str()]);
    let line: Vec<&str> = ["test", "--doc"].into_iter().chain(names).collect();
    cargo(None, &line.join(" "), &[])
}

fn documentation(work: Work) -> Work {
    match work {
        Work::Cargo { manifest, arguments, .. } => {
            Work::Cargo { manifest, arguments, variable: Some(("RUSTDOCFLAGS", "-D warnings")) }
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_has_a_command() {
        let text = |text: &str| [text.to_owned()];
        let (heavy, with_examples, go_modules) = (text("duckdb-probe"), text("wal-log"), text("plugins/a-go"));
        let selected =
            Selected { heavy: &heavy, with_examples: &with_examples, go_modules: &go_modules, ..Selected::default() };
        let shown: Vec<String> = steps(Extent::Required, &selected).iter().map(Step::shown).collect();
        assert_eq!(
            shown,
            [
                "cargo xtask setup",
                "cargo fmt --all --check",
                "cargo fmt --all --check --manifest-path plugins/Cargo.toml",
                "cargo xtask tidy",
                "cargo deny --config host/deny.toml --locked check bans licenses sources && \
                 cargo deny --manifest-path plugins/Cargo.toml --config host/deny.toml --locked check bans licenses sources",
                "gofmt -l plugins/a-go && go -C plugins/a-go vet ./... && go -C plugins/a-go test ./...",
                "cargo clippy --workspace --all-targets --exclude duckdb-probe -- -D warnings",
                "cargo clippy --package bench-host --no-default-features -- -D warnings",
                r#"CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-target}/plugins" cargo clippy --workspace --all-targets --manifest-path plugins/Cargo.toml -- -D warnings"#,
                r#"CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-target}/plugins" cargo clippy --workspace --target wasm32-wasip2 --manifest-path plugins/Cargo.toml -- -D warnings"#,
                "cargo xtask plugins",
                "cargo xtask plugins kernels --variants",
                "cargo xtask probes --profile dev",
                "cargo test --workspace --tests --exclude duckdb-probe",
                "cargo test --doc --package wal-log",
                "cargo xtask field",
                r#"CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-target}/plugins" cargo test --workspace --manifest-path plugins/Cargo.toml"#,
                "MIRIFLAGS='-Zmiri-disable-isolation -Zmiri-disable-weak-memory-emulation' cargo +nightly miri test --package wal-log --lib -- checksum record turn --skip flipped_bit && \
                 MIRIFLAGS='-Zmiri-disable-isolation -Zmiri-disable-weak-memory-emulation' cargo +nightly miri test --package shm-ring --test heap",
                "RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps --exclude duckdb-probe",
            ],
        );
    }

    #[test]
    fn all_begins_with_the_optional_parts_and_ends_with_the_heavy_probes() {
        let heavy_probes = ["tabular-a".to_owned()];
        let steps = steps(Extent::All, &Selected { heavy_probes: &heavy_probes, ..Selected::default() });
        let [first, .., last] = &steps[..] else { panic!("{steps:?}") };
        assert_eq!(first.shown(), "cargo xtask setup --all");
        let behind = |title: &str| steps[1 + steps.iter().position(|step| step.title == title).unwrap()].shown();
        assert_eq!(
            behind("tests, host"),
            "cargo test --package bench-wasm --features code-generators --test it -- settings"
        );
        let tests = steps.iter().find(|step| step.title == "tests, host").unwrap().shown();
        assert_eq!(
            tests,
            "BENCH_FLEET_TEST_KILLS=200 BENCH_FLEET_TEST_RESTARTS=10 BENCH_FLEET_TEST_CUT=60 BENCH_HOST_TEST_COORDINATORS=10 \
             BENCH_HOST_TEST_FREEZE=40 cargo test --workspace --tests"
        );
        let folder = r#"CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-target}/tabular-a""#;
        let manifest = "--manifest-path native-probes/tabular-a/Cargo.toml";
        assert_eq!(
            last.shown(),
            format!(
                "{folder} cargo clippy --all-targets {manifest} -- -D warnings && {folder} cargo test {manifest} && \
                 cargo xtask probes --heavy --profile dev"
            )
        );
    }
}
