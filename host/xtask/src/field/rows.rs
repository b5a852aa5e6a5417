//! The rows: what the host is run with, and what must come of it.

use std::path::Path;
use std::process::Command;

/// How the host is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Start {
    /// As it is.
    Plain,
    /// By a shell that ignores SIGHUP and sends it after a second, as the end of a terminal after `nohup`.
    WithoutTerminal,
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

/// Probes and components that harm whoever loads them.
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
        row(
            "probe that writes past what it was lent",
            "load lent.so --quick --deadline 10s",
            &[1],
            &["lent/past-the-end", "was killed by SIG"],
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
    let terminal = row(
        "end of the terminal after nohup",
        "run self/histogram-record --quick --processes 2 --time 3s",
        &[0],
        &["self"],
    );
    vec![
        Row { start: Start::WithoutTerminal, ..terminal },
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
            Start::WithoutTerminal => {
                let script = "trap '' HUP; \"$0\" \"$@\" & host=$!; sleep 1; kill -HUP $host; wait $host";
                let mut command = Command::new("sh");
                command.args(["-c", script]).arg(program).args(&self.words);
                command
            }
        }
    }

    /// What of the `status` and of the printed `text` is not right.
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
