//! Run files that tests of reports make up, written with the writer of a run, and the report in each format.

#![forbid(unsafe_code)]

use bench_model::{Arguments, Arm, Checksum, Direction, MachineLimit, Unit, Value};
use bench_report::{
    ComparisonDetail, ComparisonReport, Courses, Csv, Detail, Document, FamilyReport, Json, Layout, Markdown, Page,
    PageRun, Renderer, RunView, Text,
};
use bench_sink::Series;
use bench_sink::fingerprint::Fingerprint;
use bench_sink::runfile::{
    AccountRecord, CalibrationRecord, CellRecord, CheckRecord, EndRecord, FILE_NAME, LimitRecord, ModuleRecord,
    ModuleRef, Named, OutcomeRecord, Overhead, PartRecord, Planned, Record, RunFile, RunRecord, RunWriter,
    SeriesRecord, Status, When,
};
use std::collections::BTreeSet;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

/// `document` in a format, in the width of an output that is not a terminal.
pub fn rendered(renderer: &dyn Renderer, document: &Document) -> String {
    renderer.render(document, &Layout::default())
}

/// A family's report; none for a run without families.
pub type Family = Option<&'static dyn FamilyReport>;

/// The report of a run with the sections of `family`.
pub fn run_document(view: &RunView, family: Family) -> Document {
    bench_report::run_document(view, family.as_slice(), Detail::default())
}

/// The report as text.
pub fn text(view: &RunView, family: Family) -> String {
    rendered(&Text, &run_document(view, family))
}

/// The report as Markdown.
pub fn markdown(view: &RunView, family: Family) -> String {
    rendered(&Markdown, &run_document(view, family))
}

/// The report as JSON.
pub fn json(view: &RunView, family: Family) -> String {
    rendered(&Json, &run_document(view, family))
}

/// The report as comma-separated values.
pub fn csv(view: &RunView, family: Family) -> String {
    rendered(&Csv, &run_document(view, family))
}

/// The page with the part of `family`.
pub fn page(run: &Run, family: Family) -> String {
    let file = run.file();
    let (view, courses) = (run.view(), Courses::of(&file).unwrap());
    Page { runs: vec![PageRun::new(&view, &file, &courses, family.as_slice())], ..Page::default() }.html()
}

/// The warnings of the report.
pub fn warnings(view: &RunView) -> Vec<String> {
    run_document(view, None).warnings().map(str::to_owned).collect()
}

/// `comparison` in a format, with its cost breakdowns.
pub fn compared(renderer: &dyn Renderer, comparison: &ComparisonReport) -> String {
    let detail = ComparisonDetail { breakdown: true, all_cells: false };
    rendered(renderer, &bench_report::comparison_document(comparison, detail))
}

/// A run directory that is removed when this is dropped.
#[derive(Debug)]
pub struct Run {
    folder: tempfile::TempDir,
    writer: RunWriter,
}

impl Run {
    /// A run of `cells` cells with `processes` processes each, of which nothing is done yet.
    pub fn begin(cells: u32, processes: u32) -> Self {
        Self::begin_on("2026-01-02T03-04-05Z-abc", fingerprint(), cells, processes)
    }

    /// The same, under a name of its own and on any machine.
    pub fn begin_on(id: &str, fingerprint: Fingerprint, cells: u32, processes: u32) -> Self {
        Self::begin_with(id, fingerprint, None, cells, processes)
    }

    /// The same, measured by the program with this digest.
    fn begin_with(
        id: &str,
        fingerprint: Fingerprint,
        program_sha256: Option<String>,
        cells: u32,
        processes: u32,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let writer = RunWriter::create(&folder.path().join("run")).unwrap();
        let planned = Planned {
            cells,
            processes,
            time_ns: Some(1_000_000_000),
            iterations: None,
            within_ns: None,
            order_sha256: None,
        };
        let run = RunRecord {
            id: id.to_owned(),
            started: "2026-01-02T03:04:05Z".to_owned(),
            seed: 7,
            command: vec!["bench-host".to_owned(), "load".to_owned(), "ring.wasm".to_owned()],
            planned,
            fingerprint,
            program_sha256,
            warnings: Vec::new(),
            inputs: Vec::new(),
        };
        let mut begun = Self { folder, writer };
        begun.append(&[Record::Run(run)]);
        begun
    }

    /// Appends these records.
    pub fn append(&mut self, records: &[Record]) {
        self.writer.append(records).unwrap();
    }

    /// Ends the run, before all was done where `stopped` says why.
    pub fn end(&mut self, stopped: Option<&str>) {
        let end = EndRecord { finished: "2026-01-02T03:05:00Z".to_owned(), stopped: stopped.map(str::to_owned) };
        self.append(&[Record::End(end)]);
    }

    /// Leaves the beginning of a line, as a kill does.
    pub fn tear(&self) {
        let path = self.directory().join(FILE_NAME);
        OpenOptions::new().append(true).open(path).unwrap().write_all(b"{\"v\":1,\"rec").unwrap();
    }

    /// The run directory.
    pub fn directory(&self) -> PathBuf {
        self.folder.path().join("run")
    }

    /// The file, as if it had been read from `results/run`.
    pub fn file(&self) -> RunFile {
        let mut file = RunFile::read(&self.directory()).unwrap();
        file.directory = Path::new("results").join("run");
        file
    }

    /// The view of the file.
    pub fn view(&self) -> RunView {
        RunView::of(self.file()).unwrap()
    }
}

/// What one machine measured of a merged run.
#[derive(Clone, Debug)]
pub struct Part {
    machine: String,
    fingerprint: Fingerprint,
    limits: Vec<(String, f64)>,
    blocks: Vec<Block>,
}

impl Part {
    /// A part of the agent with this name, which nothing but its running kernel distinguishes from others.
    pub fn new(machine: &str) -> Self {
        Self { machine: machine.to_owned(), fingerprint: fingerprint(), limits: Vec::new(), blocks: Vec::new() }
    }

    /// Sets the fingerprint of the machine.
    #[must_use]
    pub fn on(mut self, fingerprint: Fingerprint) -> Self {
        self.fingerprint = fingerprint;
        self
    }

    /// Adds a roofline, the same before and after, in nanoseconds (per byte if it is one of memory).
    #[must_use]
    pub fn limit(mut self, name: &str, median: f64) -> Self {
        self.limits.push((name.to_owned(), median));
        self
    }

    /// Adds a repetition.
    #[must_use]
    pub fn block(mut self, block: Block) -> Self {
        self.blocks.push(block);
        self
    }
}

/// The run `id`, merged of what the agents of a fleet measured with the program of this digest.
pub fn merged(id: &str, program: &str, parts: impl IntoIterator<Item = Part>) -> Run {
    let parts: Vec<Part> = parts.into_iter().collect();
    let blocks = || parts.iter().flat_map(|part| &part.blocks);
    let cells: BTreeSet<u32> = blocks().map(|block| block.cell.cell).collect();
    let processes = blocks().map(|block| block.cell.process + 1).max().unwrap_or(1);
    let head = parts.first().map_or_else(fingerprint, |part| part.fingerprint.clone());
    let mut run = Run::begin_with(id, head, Some(program.to_owned()), cells.len() as u32, processes);
    let of = parts.len() as u32;
    for (number, part) in (1..).zip(parts) {
        let limits: Vec<_> = part.limits.iter().map(|(name, median)| (name.as_str(), Some(*median))).collect();
        let record = PartRecord {
            number,
            of,
            run: format!("{id}@{}", part.machine),
            started: "2026-01-02T03:04:05Z".to_owned(),
            fingerprint: part.fingerprint,
            boot_id: Some(format!("kernel of {}", part.machine)),
            clock: Vec::new(),
        };
        run.append(&[Record::Part(record), calibration(When::Before, &limits)]);
        part.blocks.into_iter().for_each(|block| run.append(&block.records()));
        run.append(&[calibration(When::After, &limits)]);
    }
    run.end(None);
    run
}

/// A machine of a fixed description.
pub fn fingerprint() -> Fingerprint {
    Fingerprint {
        host_version: "0.1.0".to_owned(),
        os: "linux".to_owned(),
        kernel: "6.1.0".to_owned(),
        architecture: "x86_64".to_owned(),
        cpu_model: Some("A Processor".to_owned()),
        cpus: 2,
        memory_bytes: Some(1 << 33),
        load: Some([0.5, 0.25, 0.0]),
        ..Fingerprint::default()
    }
}

/// One repetition of a cell.
#[derive(Clone, Debug)]
pub struct Block {
    /// What was measured.
    pub cell: CellRecord,
    /// The samples.
    pub series: Vec<SeriesRecord>,
    /// The results of `verify`.
    pub checks: Vec<CheckRecord>,
    /// What its operations used.
    pub account: Option<AccountRecord>,
    /// How it ended.
    pub outcome: OutcomeRecord,
}

impl Block {
    /// An ok repetition without samples.
    pub fn new(cell: u32, process: u32, scenario: &str, arm: &str) -> Self {
        let module = ModuleRef { file: format!("plugins/{arm}"), sha256: "00ff".to_owned() };
        let record = CellRecord {
            cell,
            process,
            scenario: scenario.to_owned(),
            family: "family".to_owned(),
            arm: arm.parse().unwrap(),
            variant: None,
            arguments: Arguments::default(),
            module,
            limit: None,
            cpu: Some(1),
            conditions: Vec::new(),
        };
        let check =
            CheckRecord { cell, process, name: "payload".to_owned(), passed: true, detail: "64 of 64".to_owned() };
        Self {
            cell: record,
            series: Vec::new(),
            checks: vec![check],
            account: None,
            outcome: outcome(cell, process, Status::Ok, None),
        }
    }

    /// Sets an argument.
    #[must_use]
    pub fn argument(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.cell.arguments.set(name, value);
        self
    }

    /// Sets the family of the scenario.
    #[must_use]
    pub fn family(mut self, family: &str) -> Self {
        self.cell.family = family.to_owned();
        self
    }

    /// Sets the variant of the arm.
    #[must_use]
    pub fn variant(mut self, variant: &str) -> Self {
        self.cell.variant = Some(variant.to_owned());
        self
    }

    /// Sets the checksum of one operation.
    #[must_use]
    pub fn checksum(mut self, checksum: u64) -> Self {
        self.outcome.checksum = Some(Checksum(checksum));
        self
    }

    /// Sets the roofline that it is compared with.
    #[must_use]
    pub fn limit(mut self, limit: &str) -> Self {
        self.cell.limit = Some(named(limit));
        self
    }

    /// Sets what its operations used; the record is of this repetition, whatever it says.
    #[must_use]
    pub fn account(mut self, account: AccountRecord) -> Self {
        self.account = Some(AccountRecord { cell: self.cell.cell, process: self.cell.process, ..account });
        self
    }

    /// Timed samples of `batch` operations, under the scenario's own name, of 64 bytes an operation.
    #[must_use]
    pub fn timed(self, batch: u64, samples: impl IntoIterator<Item = u64>) -> Self {
        let name = self.cell.scenario.split_once('/').unwrap().1.to_owned();
        let mut timed = self.series(&name, Unit::Nanoseconds, &[], batch, samples);
        timed.outcome.recorded = timed.series.last().unwrap().count;
        timed.outcome.iterations = timed.outcome.recorded * batch;
        timed.outcome.bytes = timed.outcome.iterations * 64;
        timed.outcome.checksum = Some(Checksum(0xaa));
        timed.outcome.overhead = Some(Overhead { clock_ns: 20.0 + f64::from(timed.cell.process), call_ns: 1.5 });
        timed
    }

    /// Adds samples of another metric.
    #[must_use]
    pub fn series(
        mut self,
        metric: &str,
        unit: Unit,
        labels: &[(&str, &str)],
        batch: u64,
        samples: impl IntoIterator<Item = u64>,
    ) -> Self {
        let mut series = Series::new(metric, unit, Direction::LowerIsBetter);
        series.batch = batch;
        series.labels = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        samples.into_iter().for_each(|sample| series.record(sample));
        self.series.push(SeriesRecord::new(self.cell.cell, self.cell.process, &series));
        self
    }

    /// The same repetition, which ended in another way; series stay, as a file may hold them.
    #[must_use]
    pub fn ended(mut self, status: Status, reason: &str) -> Self {
        self.outcome = outcome(self.cell.cell, self.cell.process, status, Some(reason));
        self
    }

    /// Its records in the order of a run file.
    pub fn records(self) -> Vec<Record> {
        let mut records = vec![Record::Cell(self.cell)];
        records.extend(self.series.into_iter().map(Record::Series));
        records.extend(self.checks.into_iter().map(Record::Check));
        records.extend(self.account.map(Record::Account));
        records.push(Record::Outcome(self.outcome));
        records
    }
}

/// The end of a repetition without figures.
pub fn outcome(cell: u32, process: u32, status: Status, reason: Option<&str>) -> OutcomeRecord {
    OutcomeRecord { reason: reason.map(str::to_owned), ..OutcomeRecord::without_figures(cell, process, status) }
}

/// A module that was found, or refused for a reason.
pub fn module(file: &str, refused: Option<&str>) -> Record {
    Record::Module(ModuleRecord {
        file: file.to_owned(),
        sha256: Some("00ff".to_owned()),
        arm: refused.is_none().then_some(Arm::Wasm),
        descriptor: None,
        granted: Vec::new(),
        compiler: None,
        refused: refused.map(str::to_owned),
        note: None,
    })
}

/// A limit by its name, also where only a later version knows it.
fn named(limit: &str) -> Named<MachineLimit> {
    limit.parse().map_or_else(|_| Named::Later(limit.to_owned()), Named::Known)
}

/// Rooflines with their medians, in nanoseconds (per byte for those of memory); `None` is one that could not be measured.
pub fn calibration(when: When, medians: &[(&str, Option<f64>)]) -> Record {
    let limit = |(name, median): &(&str, Option<f64>)| LimitRecord {
        limit: named(name),
        unit: Unit::from(if name.starts_with("memory") { "ns/By" } else { "ns" }),
        median: *median,
        min: *median,
        count: 200,
        samples: Vec::new(),
        detail: "by hand".to_owned(),
    };
    Record::Calibration(CalibrationRecord { when, limits: medians.iter().map(limit).collect() })
}

/// A run with something of everything: two arms, a sweep, a module's own series, limits and their drift, a failed and a
/// skipped cell, a refused module, and one cell that was never run.
pub fn eventful() -> Run {
    let mut run = Run::begin(6, 2);
    run.append(&[module("plugins/wasm", None), module("broken.wasm", Some("not a component:\nbad magic"))]);
    run.append(&[calibration(
        When::Before,
        &[("clock", Some(20.1)), ("cache-line", Some(50.0)), ("memory-read", Some(0.05))],
    )]);
    let stream = |cell, process, arm, bytes: i64| {
        Block::new(cell, process, "ring/stream", arm).argument("payload_bytes", bytes).limit("memory-read")
    };
    for process in 0..2 {
        let lag = [("side", "left")];
        let first = u64::from(process) * 500;
        run.append(&stream(0, process, "wasm", 64).timed(1024, (1..=500).map(|n| (first + n) * 1024)).records());
        run.append(&stream(1, process, "native", 64).timed(1024, (1..=500).map(|n| n * 512)).records());
        let own = stream(2, process, "wasm", 4096).timed(1, 1..=20).series("lag", Unit::Bytes, &lag, 1, [2048; 10]);
        run.append(&own.records());
    }
    run.append(
        &stream(3, 0, "native", 4096)
            .timed(1, 1..=20)
            .ended(Status::Failed, "check `payload` failed: \u{1b}[31m1 of 64")
            .records(),
    );
    run.append(
        &Block::new(4, 0, "ring/roundtrip", "native")
            .limit("cache-line")
            .ended(Status::Skipped, "needs 4 processors, there are 2")
            .records(),
    );
    run.append(&[calibration(
        When::After,
        &[("clock", Some(20.4)), ("cache-line", None), ("memory-read", Some(0.06))],
    )]);
    run.end(Some("interrupted"));
    run
}
