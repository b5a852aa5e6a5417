//! The rows: what the host is run with, and what must come of it.

use std::path::Path;
use std::process::Command;

/// How the host is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Start {
    /// As it is.
    Plain,
    /// By a shell that ignores this signal and sends it after a second, as the end of a terminal after `nohup`.
    Ignoring(&'static str),
    /// By a shell after this `ulimit`.
    Limited(&'static str),
}

/// One input.
pub(crate) struct Row {
    /// Its name in the table.
    pub(crate) name: &'static str,
    /// The arguments of the host.
    pub(crate) words: Vec<&'static str>,
    start: Start,
    /// The exit statuses that are right.
    statuses: &'static [i32],
    /// What must be printed.
    says: &'static [&'static str],
    /// What must not be printed.
    hides: &'static [&'static str],
}

/// All rows.
pub(crate) fn rows() -> Vec<Row> {
    let mut rows = modules();
    rows.extend(files());
    rows.extend(command_lines());
    rows.extend(secrets());
    rows
}

fn row(name: &'static str, line: &'static str, statuses: &'static [i32], says: &'static [&'static str]) -> Row {
    Row { name, words: line.split(' ').collect(), start: Start::Plain, statuses, says, hides: &[] }
}

/// Probes and components that harm the program that loads them.
fn modules() -> Vec<Row> {
    vec![
        row(
            "probe whose child leaves the group and holds the output",
            "list escape.so --deadline 5s",
            &[1],
            &["escape.so"],
        ),
        row("the same, loaded", "load escape.so --deadline 5s --quick", &[2], &["escape.so"]),
        row("the same, checked", "check escape.so --deadline 5s", &[1], &["escape.so"]),
        row("probe that leaves its own group", "list wander.so --deadline 2s", &[1], &["no reply within 2 s"]),
        Row {
            start: Start::Limited("-d 500000"),
            ..row("probe that takes all memory", "list hoard.so --deadline 60s", &[1], &["hoard.so: ", "SIGABRT"])
        },
        row("probe that leaves an orphan", "list orphan.so --deadline 5s", &[1], &["orphan.so"]),
        row("probe that stops its parent", "list stop_parent.so --deadline 2s", &[1], &["no reply within 2 s"]),
        row(
            "probe that kills its parent",
            "list kill_parent.so --deadline 20s",
            &[1],
            &["kill_parent.so: ", "SIGKILL"],
        ),
        row(
            "probe that forges a reply",
            "list forge.so --deadline 5s",
            &[1],
            &["forge.so: unexpected reply of the worker"],
        ),
        row("probe that replies without end", "list endless.so --deadline 60s", &[1], &["reply has more than 512 MiB"]),
        row("probe that hangs when it is loaded", "list hang.so --deadline 2s", &[1], &["no reply within 2 s"]),
        row("probe that blocks all signals", "list block_signals.so --deadline 2s", &[1], &["no reply within 2 s"]),
        row(
            "probe that closes the socket of its reply",
            "list close_files.so --deadline 20s",
            &[1],
            &["close_files.so: ", "SIGKILL"],
        ),
        row(
            "probe that changes limits and processors, and another file",
            "list limit.so text.wasm --deadline 10s",
            &[1],
            &["limit.so: ", "bench_probe_v1", "text.wasm: not a WebAssembly file"],
        ),
        row("probe that crashes when it is loaded", "list crash.so --deadline 20s", &[1], &["crash.so: ", "SIGSEGV"]),
        row("probe that aborts", "list give_up.so --deadline 20s", &[1], &["give_up.so: ", "SIGABRT"]),
        row(
            "probe that ends as if all were well",
            "list leave.so --deadline 20s",
            &[1],
            &["leave.so: ", "exited without a reply"],
        ),
        row(
            "probe that writes past what it was lent",
            "load lent.so --quick --deadline 10s",
            &[1],
            &["lent/past-the-end", "was killed by SIG"],
        ),
        row(
            "probe that describes a hundred thousand cells",
            "load cells.so --dry-run",
            &[2],
            &["the selection has 99225 cells", "--cells-max"],
        ),
        row(
            "probe with a thousand scenarios of a hundred parameters",
            "check scenarios.so --within 2s",
            &[0, 1],
            &["allow more with --within"],
        ),
        Row {
            hides: &["\u{202e}"],
            ..row("text that turns the direction of reading", "list cells.so --format json", &[0], &["\\u202e"])
        },
        Row {
            start: Start::Limited("-v 8000000"),
            ..row(
                "component where address space is limited",
                "load add.wasm --quick --processes 1 --call add(1,2)",
                &[0],
                &["ulimit -v", "on demand"],
            )
        },
        row(
            "component of WASI 0.3 with nothing to run",
            "list async.wasm",
            &[1],
            &["async.wasm: exports nothing to run"],
        ),
        row("component that is cut off", "list cut.wasm", &[1], &["cut.wasm: "]),
        row("core module", "list core.wasm", &[0, 1], &["core.wasm"]),
        row("text in place of a component", "list text.wasm", &[1], &["not a WebAssembly file"]),
        row(
            "components nested very deep",
            "list nested.wasm --deadline 20s",
            &[1],
            &["nested.wasm: ", "nested more than 100 deep"],
        ),
        row(
            "component with a hundred thousand instances",
            "list instances.wasm --deadline 20s",
            &[1],
            &["instances.wasm: "],
        ),
        row("types that double at each level", "list doubling.wasm --deadline 20s", &[1], &["doubling.wasm: "]),
    ]
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
    /// The command that runs it.
    pub(crate) fn command(&self, program: &Path) -> Command {
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
        }
    }

    /// A shell that runs `script`, whose words are the program and its arguments.
    fn by_shell(&self, script: &str, program: &Path) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]).arg(program).args(&self.words);
        command
    }

    /// The differences between the expectation and the `status` or the printed `text`.
    pub(crate) fn faults(&self, status: i32, text: &str) -> Vec<String> {
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
        assert!(row.faults(1, "a part of it").is_empty());
        let faults = row.faults(101, "a secret");
        assert_eq!(faults.len(), 3, "{faults:?}");
        assert!(faults[0].contains("[1]") && faults[0].contains("a secret"), "{faults:?}");
    }
}
