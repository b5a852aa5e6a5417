//! The rows: what the host is run with, and what must come of it.

mod components;
mod probes;

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::document::Document;

/// How the host is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Start {
    /// As it is.
    Plain,
    /// By a shell that ignores this signal and sends it after a second, as the end of a terminal after `nohup`.
    Ignoring(&'static str),
    /// By a shell after this `ulimit`.
    Limited(&'static str),
    /// In the project, by a shell, with all plug-ins, those that harm a careless host and the others.
    InProject,
}

/// What a shell runs in the project; `$1` is the folder for results. With the last option, what hangs is waited for half as long.
const ALL_PLUGINS: &str = "exec \"$0\" load plugins/hostile/*.wasm plugins/*.wasm --quick --arm wasm --format json --out \"$1\" \
                           --deadline 15s";

/// A row that takes longer hangs. The slowest waits for a deadline of ten seconds, on a machine that may be busy.
const PATIENCE: Duration = Duration::from_secs(120);

/// That with all plug-ins waits for several, and measures some hundred cells.
const PATIENCE_WITH_ALL: Duration = Duration::from_secs(1_800);

/// One input.
pub(crate) struct Row {
    /// Its name in the table.
    pub(crate) name: &'static str,
    /// The arguments of the host.
    pub(crate) words: Vec<String>,
    start: Start,
    /// The exit statuses that are right.
    statuses: &'static [i32],
    /// What must be printed.
    says: &'static [&'static str],
    /// What must not be printed.
    hides: &'static [&'static str],
    /// The scenarios that must have figures all the same. If there is one, the host prints a document.
    measures: Vec<&'static str>,
}

/// All rows.
pub(crate) fn rows() -> Vec<Row> {
    let mut rows = probes::rows();
    rows.extend(components::rows());
    rows.extend(files());
    rows.extend(command_lines());
    rows.extend(secrets());
    rows
}

fn row(name: &'static str, line: &str, statuses: &'static [i32], says: &'static [&'static str]) -> Row {
    let words = line.split_whitespace().map(str::to_owned).collect();
    Row { name, words, start: Start::Plain, statuses, says, hides: &[], measures: Vec::new() }
}

/// What a measurement takes at least.
const SHORT: &str = "--quick --time 20ms --format json";

/// A file, with its options, that is loaded together with a good one.
fn beside(name: &'static str, file: &str, says: &'static [&'static str]) -> Row {
    let deadline = if file.contains("--deadline") { "" } else { "--deadline 5s" };
    let line = format!("load {file} add.wasm --call add(1,2) {SHORT} {deadline}");
    Row { measures: vec!["add/call"], ..row(name, &line, &[1], says) }
}

/// A scenario of a plug-in that is measured together with its good one.
fn of_plugin(
    name: &'static str,
    plugin: &'static str,
    scenario: &str,
    options: &str,
    statuses: &'static [i32],
    says: &'static [&'static str],
) -> Row {
    let good = if plugin == "hostile" { "hostile/good" } else { "trespass/good" };
    let line = format!("load {plugin}.wasm --filter {plugin}/{{good,{scenario}}} {SHORT} {options}");
    Row { measures: vec![good], ..row(name, &line, statuses, says) }
}

/// Files that are not what they should be.
fn files() -> Vec<Row> {
    vec![
        row("run file that is endless", "list --run zero", &[2], &["not a regular file"]),
        row("run file of the kernel", "list --run kernel", &[2], &["kernel"]),
        row("run file that is a pipe", "list --run pipe", &[2], &["not a regular file"]),
        row("endless run file, validated", "validate zero", &[2], &["not a regular file"]),
        row("endless index of the history", "results --out index", &[2], &["make one with `bench-host run`"]),
        row("endless run file, resumed", "run self --resume zero", &[2], &["not a regular file"]),
        row(
            "suite without processes",
            "run no-processes.toml",
            &[2],
            &["`processes` is 0, and must be from 1 to 1000"],
        ),
        row("suite with a pattern of 300 kB", "run long-glob.toml", &[2], &["invalid pattern"]),
        row("suite of 2 MiB", "run large.toml", &[2], &["the maximum is 1048576"]),
    ]
}

/// Command lines that say two things, or ask for much.
fn command_lines() -> Vec<Row> {
    let ignoring = |name, signal| Row {
        start: Start::Ignoring(signal),
        ..row(name, "run self/histogram-record --quick --processes 2 --time 3s", &[0], &["self"])
    };
    vec![
        ignoring("end of the terminal after nohup", "HUP"),
        ignoring("interrupt that a script ignores", "INT"),
        row(
            "two documents on one stream",
            "run self/histogram-record --quick --bench-json --format json",
            &[2],
            &["--bench-json"],
        ),
        row("list as CSV", "list text.wasm --format csv", &[1], &["not a WebAssembly file"]),
        row("more cells than allowed", "run self/* --cells-max 1 --dry-run", &[2], &["and the maximum is 1"]),
        row(
            "count of operations without a deadline",
            "run self/histogram-record --iterations 2000 --quick",
            &[0],
            &["self"],
        ),
    ]
}

/// Connection strings with secrets.
fn secrets() -> Vec<Row> {
    let hidden =
        |name, line, statuses, says| Row { hides: &["s3cret", "s3/cret", "cret@"], ..row(name, line, statuses, says) };
    vec![
        hidden(
            "password with a slash",
            "run self/histogram-record --dry-run -p database_url=postgres://ann:s3/cret@h/d",
            &[2],
            &["write the characters"],
        ),
        hidden(
            "password in a parameter of a URL",
            "run self/histogram-record --dry-run -p database_url=postgres://h/d?password=s3cret",
            &[2],
            &["no selected scenario has a parameter"],
        ),
        hidden(
            "password that is not closed",
            "run self/histogram-record --dry-run -p database_url=password='s3cret",
            &[2],
            &["a quote is not closed"],
        ),
    ]
}

impl Row {
    /// Whether it is run in the project, and not in the folder of the corpus.
    pub(crate) fn is_in_project(&self) -> bool {
        self.start == Start::InProject
    }

    /// How long it may take.
    pub(crate) fn patience(&self) -> Duration {
        if self.is_in_project() { PATIENCE_WITH_ALL } else { PATIENCE }
    }

    /// Whether the host prints a document.
    pub(crate) fn has_document(&self) -> bool {
        self.is_in_project() || !self.measures.is_empty()
    }

    /// What a line contains that names the input.
    pub(crate) fn named(&self) -> &'static str {
        self.says.first().copied().unwrap_or_default()
    }

    /// The command that runs it, with a folder for its results.
    pub(crate) fn command(&self, program: &Path, results: &Path) -> Command {
        match self.start {
            Start::Plain => {
                let mut command = Command::new(program);
                command.args(&self.words);
                command
            }
            Start::Ignoring(signal) => self.by_shell(
                &format!("trap '' {signal}; \"$0\" \"$@\" & host=$!; sleep 1; kill -{signal} $host; wait $host"),
                program,
            ),
            Start::Limited(limit) => self.by_shell(&format!("ulimit {limit}; exec \"$0\" \"$@\""), program),
            Start::InProject => {
                let mut command = Command::new("sh");
                command.args(["-c", ALL_PLUGINS]).arg(program).arg(results);
                command
            }
        }
    }

    /// A shell that runs `script`, whose words are the program and its arguments.
    fn by_shell(&self, script: &str, program: &Path) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]).arg(program).args(&self.words);
        command
    }

    /// The differences between the expectation and the `status`, the printed `text` or the `document`.
    pub(crate) fn faults(&self, status: i32, text: &str, document: Option<&Document>) -> Vec<String> {
        let mut faults = Vec::new();
        if !self.statuses.contains(&status) {
            let last = text.lines().last().unwrap_or_default();
            faults.push(format!("the exit status should be {:?}; it printed: {last}", self.statuses));
        }
        faults.extend(
            self.says.iter().filter(|part| !text.contains(**part)).map(|part| format!("{part:?} was not printed")),
        );
        faults
            .extend(self.hides.iter().filter(|part| text.contains(**part)).map(|part| format!("{part:?} was printed")));
        let is_unmeasured = |scenario: &&&str| !document.is_some_and(|document| document.measures(scenario));
        let unmeasured = self.measures.iter().filter(is_unmeasured);
        faults.extend(unmeasured.map(|scenario| format!("{scenario} has no figure, and is a good one")));
        faults
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn rows_have_names_of_their_own() {
        let rows = rows();
        assert_eq!(rows.iter().map(|row| row.name).collect::<BTreeSet<_>>().len(), rows.len());
    }

    #[test]
    fn faults_are_status_missing_text_and_shown_secrets() {
        let row = Row { hides: &["secret"], ..row("name", "list x", &[1], &["part"]) };
        assert!(row.faults(1, "a part of it", None).is_empty());
        let faults = row.faults(101, "a secret", None);
        assert_eq!(faults.len(), 3, "{faults:?}");
        assert!(faults[0].contains("[1]") && faults[0].contains("a secret"), "{faults:?}");
    }

    #[test]
    fn good_plug_in_beside_must_have_a_figure() {
        let row = beside("name", "x.so --deadline 9s", &["x.so"]);
        let words = "load x.so --deadline 9s add.wasm --call add(1,2) --quick --time 20ms --format json";
        assert_eq!(row.words.join(" "), words);
        let document = |status: &str| {
            let text = format!(r#"{{"cells": [{{"scenario": "add/call", "status": "{status}"}}]}}"#);
            Document::parse(&text).unwrap_or_else(|error| panic!("{error}"))
        };
        assert!(row.faults(1, "x.so", Some(&document("ok"))).is_empty());
        for missing in [Some(&document("failed")), None] {
            assert!(row.faults(1, "x.so", missing)[0].starts_with("add/call has no figure"));
        }
    }

    #[test]
    fn scenario_of_a_plug_in_is_measured_with_its_good_one() {
        let row = of_plugin("name", "trespass", "rings", "--memory 1Mi", &[1], &["trespass/rings"]);
        let words = "load trespass.wasm --filter trespass/{good,rings} --quick --time 20ms --format json --memory 1Mi";
        assert_eq!((row.words.join(" "), row.named()), (words.to_owned(), "trespass/rings"));
    }
}
