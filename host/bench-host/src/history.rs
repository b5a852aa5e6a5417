//! The history of runs: one line of JSON per repetition, appended to one file in the folder of all runs, so that revisions can be
//! compared. Only families that ask for it have a history; each series is a field.

use crate::{families, output};
use bench_engine::Journal;
use bench_family::FormerNames;
use bench_model::{Unit, Value};
use bench_sink::runfile::{CellRecord, OutcomeRecord, Record, RunWriter, SeriesRecord, Status, WriteError};
use serde_json::{Map, json};
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::process::Command;

/// The name of the file in the folder of all runs.
const FILE: &str = "results.jsonl";

/// The prefix of printed lines, by which other programs find them in the output.
const MARK: &str = "@@BENCH_JSON@@";

/// Where lines are written.
pub(crate) struct History {
    /// Opened when the first line is written.
    file: Option<File>,
    folder: std::path::PathBuf,
    run: String,
    is_printed: bool,
    /// Read when the first line is written.
    git: Option<Git>,
}

/// A run file whose blocks are also appended to the history after they were written.
pub(crate) struct Remembered<'a> {
    pub(crate) writer: &'a mut RunWriter,
    pub(crate) history: History,
}

impl Journal for Remembered<'_> {
    fn append(&mut self, records: &[Record]) -> Result<(), WriteError> {
        self.writer.append(records)?;
        self.history.append(records);
        Ok(())
    }
}

/// The git revision of the working directory, if it is in a repository.
struct Git {
    sha: Option<String>,
    branch: Option<String>,
}

impl History {
    /// The history of the run in `directory`. Lines are also printed if `is_printed`.
    pub(crate) fn new(directory: &Path, is_printed: bool) -> Self {
        let folder = directory.parent().unwrap_or(Path::new(".")).to_owned();
        let run = directory.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Self { file: None, folder, run, is_printed, git: None }
    }

    /// Appends one line per repetition of `block`, if its family has a history. A failure is only reported, because the run file
    /// has all data.
    fn append(&mut self, block: &[Record]) {
        let (Some(Record::Cell(cell)), Some(Record::Outcome(outcome))) = (block.first(), block.last()) else { return };
        let Some(former_names) = families::history(&cell.family).filter(|_| outcome.status == Status::Ok) else {
            return;
        };
        let series =
            block.iter().filter_map(|record| if let Record::Series(series) = record { Some(series) } else { None });
        let lines = self.lines(cell, &series.collect::<Vec<_>>(), outcome, former_names);
        if self.is_printed {
            lines.iter().for_each(|line| drop(output::print(&format!("{MARK}{line}\n"))));
        }
        if let Err(error) = self.write(&lines) {
            let path = self.folder.join(FILE);
            output::line(&format!(
                "bench-host: cannot write {}: {error}; this run is missing in the history",
                path.display()
            ));
        }
    }

    fn write(&mut self, lines: &[String]) -> io::Result<()> {
        if self.file.is_none() {
            self.file = Some(File::options().create(true).append(true).open(self.folder.join(FILE))?);
        }
        // One write, so that the lines of concurrent runs do not mix.
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        self.file.as_mut().map_or(Ok(()), |file| file.write_all(text.as_bytes()))
    }

    fn lines(
        &mut self,
        cell: &CellRecord,
        series: &[&SeriesRecord],
        outcome: &OutcomeRecord,
        former_names: FormerNames,
    ) -> Vec<String> {
        let git = self.git.get_or_insert_with(Git::look);
        let mut common = Map::new();
        let mut set = |name: &str, value: serde_json::Value| common.insert(name.to_owned(), value);
        set("timestamp", json!(jiff::Timestamp::now().to_string()));
        set("run", json!(self.run));
        set("scenario", json!(cell.scenario));
        set("arm", json!(cell.arm));
        set("process", json!(cell.process));
        set("git_sha", json!(git.sha));
        set("git_branch", json!(git.branch));
        for (name, value) in cell.arguments.iter() {
            let former = former_names.iter().find(|(now, _)| *now == name);
            set(former.map_or(name, |(_, former)| *former), plain(value));
        }
        for (name, value) in &cell.conditions {
            set(name, json!(value));
        }
        let repetitions = outcome.recorded;
        let of_repetition = |index: u64| {
            let mut line = common.clone();
            line.insert("repetition".to_owned(), json!(index));
            let fields = series.iter().filter_map(|series| Some((field(series), sample(series, index, repetitions)?)));
            line.extend(fields.map(|(name, sample)| (name, json!(sample))));
            serde_json::Value::Object(line).to_string()
        };
        (0..repetitions).map(of_repetition).collect()
    }
}

/// The name of a field, such as `stage.source.fetch_ns`: the metric, the values of its labels, and the unit if it is a time.
fn field(series: &SeriesRecord) -> String {
    let labels: String = series.labels.iter().map(|(_, value)| format!(".{}", value.replace('/', "."))).collect();
    match series.unit {
        Unit::Nanoseconds => format!("{}{labels}_ns", series.metric),
        _ => format!("{}{labels}", series.metric),
    }
}

/// The value of the series for the repetition `index`; a single value applies to all repetitions.
fn sample(series: &SeriesRecord, index: u64, repetitions: u64) -> Option<u64> {
    let raw = series.raw.as_ref()?;
    match raw.len() as u64 {
        1 => raw.first().copied(),
        count if count == repetitions => raw.get(usize::try_from(index).ok()?).copied(),
        _ => None,
    }
}

fn plain(value: &Value) -> serde_json::Value {
    match value {
        Value::Flag(value) => json!(value),
        Value::Integer(value) => json!(value),
        Value::Decimal(value) => json!(value),
        Value::Text(value) => json!(value),
    }
}

impl Git {
    fn look() -> Self {
        let ask = |arguments: &[&str]| {
            let output = Command::new("git").args(arguments).output().ok().filter(|output| output.status.success())?;
            let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
            (!text.is_empty()).then_some(text)
        };
        Self { sha: ask(&["rev-parse", "--short", "HEAD"]), branch: ask(&["rev-parse", "--abbrev-ref", "HEAD"]) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bench_model::{Arguments, Arm, Direction};
    use bench_sink::runfile::ModuleRef;

    fn series(metric: &str, unit: &str, labels: &[(&str, &str)], raw: &[u64]) -> SeriesRecord {
        SeriesRecord {
            cell: 0,
            process: 0,
            metric: metric.to_owned(),
            unit: Unit::from(unit),
            direction: Direction::Neutral,
            labels: labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            batch: 1,
            count: raw.len() as u64,
            histogram: String::new(),
            raw: Some(raw.to_vec()),
        }
    }

    fn block(family: &str, status: Status) -> Vec<Record> {
        let mut arguments = Arguments::default();
        arguments.set("load_method", Value::Text("copy".to_owned()));
        arguments.set("rows", Value::Integer(10));
        let cell = CellRecord {
            cell: 0,
            process: 0,
            scenario: "m/load".to_owned(),
            family: family.to_owned(),
            arm: Arm::Native,
            variant: None,
            arguments,
            module: ModuleRef { file: "m.so".to_owned(), sha256: String::new() },
            limit: None,
            cpu: None,
            conditions: vec![("source_code".to_owned(), "cached".to_owned())],
        };
        let series = [
            series("load", "ns", &[], &[100, 200]),
            series("stage", "ns", &[("side", "source"), ("name", "emit/blocked")], &[1, 2]),
            series("memory", "By", &[], &[7]),
        ];
        let outcome = OutcomeRecord { recorded: 2, ..OutcomeRecord::without_figures(0, 0, status) };
        let series = series.into_iter().map(Record::Series);
        [Record::Cell(cell)].into_iter().chain(series).chain([Record::Outcome(outcome)]).collect()
    }

    #[test]
    fn each_repetition_is_a_line_with_all_fields() {
        let folder = tempfile::tempdir().unwrap();
        let mut history = History::new(&folder.path().join("run-1"), false);
        for _ in 0..2 {
            history.append(&block("pipelines", Status::Ok));
        }
        let text = std::fs::read_to_string(folder.path().join(FILE)).unwrap();
        let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 4);
        let expect = json!({
            "run": "run-1", "scenario": "m/load", "arm": "native", "process": 0, "repetition": 1, "mode": "copy", "rows": 10,
            "source_code": "cached", "load_ns": 200, "stage.source.emit.blocked_ns": 2, "memory": 7,
        });
        for (name, value) in expect.as_object().unwrap() {
            assert_eq!(lines[1][name], *value, "{name}");
        }
        assert!(lines[1]["timestamp"].as_str().unwrap().ends_with('Z'));
        assert!(lines[1].as_object().unwrap().contains_key("git_branch"));
    }

    #[test]
    fn failed_cells_and_families_without_history_have_no_lines() {
        let folder = tempfile::tempdir().unwrap();
        let mut history = History::new(&folder.path().join("run-1"), false);
        history.append(&block("kernels", Status::Ok));
        history.append(&block("pipelines", Status::Failed));
        assert!(!folder.path().join(FILE).exists());
    }
}
