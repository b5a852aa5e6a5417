//! Builds small runs for the tests of targets.

use bench_model::{Arguments, Arm, Direction, Unit, Value};
use bench_report::RunView;
use bench_sink::Series;
use bench_sink::fingerprint::Fingerprint;
use bench_sink::runfile::{
    AccountRecord, CalibrationRecord, CellRecord, EndRecord, LimitRecord, ModuleRef, Named, OutcomeRecord, PartRecord,
    Planned, Record, RunFile, RunRecord, SeriesRecord, Status, When,
};
use std::path::PathBuf;

/// A run of cells, by default of `m/s` in the arm `native`.
pub(super) struct Run {
    records: Vec<Record>,
    cells: u32,
    stopped: Option<String>,
}

/// One cell, with one process.
pub(super) struct Cell {
    record: CellRecord,
    series: Vec<Series>,
    outcome: (Status, Option<&'static str>),
    instructions: Option<u64>,
}

impl Run {
    pub(super) fn new(cells: impl IntoIterator<Item = Cell>) -> Self {
        let mut run = Self { records: Vec::new(), cells: 0, stopped: None };
        cells.into_iter().for_each(|cell| run.add(cell));
        run
    }

    /// Adds what another machine measured, on which reading the clock takes so many nanoseconds, if it was measured.
    pub(super) fn part(mut self, machine: &str, clock: Option<f64>, cells: impl IntoIterator<Item = Cell>) -> Self {
        let before = self.records.iter().filter(|record| matches!(record, Record::Part(_))).count();
        self.records.push(Record::Part(PartRecord {
            number: before as u32 + 1,
            of: 2,
            run: format!("by-hand@{machine}"),
            started: String::new(),
            fingerprint: Fingerprint { cpus: 2, ..Fingerprint::default() },
            boot_id: Some(format!("kernel of {machine}")),
            clock: Vec::new(),
        }));
        cells.into_iter().for_each(|cell| self.add(cell));
        match clock {
            Some(median) => self.limit("clock", median),
            None => self,
        }
    }

    fn add(&mut self, cell: Cell) {
        let number = self.cells;
        self.cells += 1;
        let (status, reason) = cell.outcome;
        let outcome =
            OutcomeRecord { reason: reason.map(str::to_owned), ..OutcomeRecord::without_figures(number, 0, status) };
        self.records.push(Record::Cell(CellRecord { cell: number, ..cell.record }));
        self.records.extend(cell.series.iter().map(|series| Record::Series(SeriesRecord::new(number, 0, series))));
        self.records.push(Record::Outcome(outcome));
        if cell.instructions.is_some() {
            let instructions = cell.instructions;
            let account = AccountRecord { cell: number, counted: 8, instructions, ..AccountRecord::default() };
            self.records.push(Record::Account(account));
        }
    }

    /// Adds a roofline, in nanoseconds.
    pub(super) fn limit(mut self, name: &str, median: f64) -> Self {
        let limit = LimitRecord {
            limit: Named::Known(name.parse().unwrap()),
            unit: Unit::Nanoseconds,
            median: Some(median),
            min: Some(median),
            count: 1,
            samples: Vec::new(),
            detail: String::new(),
        };
        self.records.push(Record::Calibration(CalibrationRecord { when: When::Before, limits: vec![limit] }));
        self
    }

    /// Adds a cell that was planned and not run.
    pub(super) fn stopped(mut self, why: &str) -> Self {
        self.cells += 1;
        self.stopped = Some(why.to_owned());
        self
    }

    pub(super) fn view(self) -> RunView {
        let run = RunRecord {
            id: "by-hand".to_owned(),
            started: String::new(),
            seed: 0,
            command: Vec::new(),
            planned: Planned {
                cells: self.cells,
                processes: 1,
                time_ns: None,
                iterations: None,
                within_ns: None,
                order_sha256: None,
            },
            fingerprint: Fingerprint { cpus: 2, ..Fingerprint::default() },
            program_sha256: None,
            warnings: Vec::new(),
            inputs: Vec::new(),
        };
        let end = EndRecord { finished: String::new(), stopped: self.stopped };
        let records = [Record::Run(run)].into_iter().chain(self.records).chain([Record::End(end)]).collect();
        RunView::of(RunFile { directory: PathBuf::from("results/by-hand"), records, torn: None }).unwrap()
    }
}

impl Cell {
    pub(super) fn new() -> Self {
        let record = CellRecord {
            cell: 0,
            process: 0,
            scenario: "m/s".to_owned(),
            family: String::new(),
            arm: Arm::Native,
            variant: None,
            arguments: Arguments::default(),
            module: ModuleRef { file: String::new(), sha256: String::new() },
            limit: None,
            cpu: None,
            conditions: Vec::new(),
        };
        Self { record, series: Vec::new(), outcome: (Status::Ok, None), instructions: None }
    }

    pub(super) fn scenario(mut self, scenario: &str) -> Self {
        self.record.scenario = scenario.to_owned();
        self
    }

    pub(super) fn variant(mut self, variant: &str) -> Self {
        self.record.variant = Some(variant.to_owned());
        self
    }

    pub(super) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.record.arguments.set(name, value);
        self
    }

    /// Nanoseconds under the scenario's own name.
    pub(super) fn timed(self, samples: impl IntoIterator<Item = u64>) -> Self {
        let name = self.record.scenario.split_once('/').unwrap().1.to_owned();
        self.series(&name, "ns", 1, samples)
    }

    /// Samples that span `batch` operations each.
    pub(super) fn series(
        mut self,
        metric: &str,
        unit: &str,
        batch: u64,
        samples: impl IntoIterator<Item = u64>,
    ) -> Self {
        let mut series = Series::new(metric, Unit::from(unit), Direction::LowerIsBetter);
        series.batch = batch;
        samples.into_iter().for_each(|sample| series.record(sample));
        self.series.push(series);
        self
    }

    pub(super) fn label(mut self, name: &str, value: &str) -> Self {
        self.series.last_mut().unwrap().labels = vec![(name.to_owned(), value.to_owned())];
        self
    }

    /// The instructions of 8 operations.
    pub(super) fn instructions(mut self, count: u64) -> Self {
        self.instructions = Some(count);
        self
    }

    pub(super) fn ended(mut self, status: Status, reason: &'static str) -> Self {
        self.outcome = (status, Some(reason));
        self
    }
}
