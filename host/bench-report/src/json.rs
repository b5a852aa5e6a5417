//! The fields of the JSON document of a run: everything a program may want of it, under names that stay.

use crate::calibration::{self, LimitPair};
use crate::{AccountView, CellView, Data, PartView, RunView, SeriesView, environment};
use bench_model::{Arguments, Arm, Checksum, MachineLimit};
use bench_sink::environment::WarningRecord;
use bench_sink::fingerprint::Fingerprint;
use bench_sink::runfile::{
    CalibrationRecord, HardwareRecord, LimitRecord, ModuleRef, Named, OutlierRecord, Overhead, Planned, Status,
};
use serde::{Serialize, Serializer};
use serde_json::Number;
use std::collections::BTreeMap;

/// The fields of `view`.
pub(crate) fn data(view: &RunView) -> Data {
    Data::of(&Document {
        run: run(view),
        modules: view.modules.iter().map(module).collect(),
        cells: view.cells.iter().map(|cell| self::cell(view, cell)).collect(),
    })
}

#[derive(Serialize)]
struct Document<'a> {
    run: RunJson<'a>,
    modules: Vec<ModuleJson<'a>>,
    cells: Vec<CellJson<'a>>,
}

#[derive(Serialize)]
pub(crate) struct RunJson<'a> {
    id: &'a str,
    directory: String,
    seed: u64,
    started: &'a str,
    /// When it was continued after it had been stopped; absent where it was not.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    resumed: Vec<&'a str>,
    /// Null where the run was cut off.
    ended: Option<&'a str>,
    /// Null where all was done.
    interrupted: Option<String>,
    /// Null where the file ends with a whole line.
    torn: Option<TornJson>,
    command: &'a [String],
    planned: &'a Planned,
    fingerprint: &'a Fingerprint,
    /// Left out where nothing of the machine makes figures doubtful.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    warnings: &'a [WarningRecord],
    /// Empty where several machines measured the run: each part has its own.
    calibration: Calibration<'a>,
    /// Left out where the run is no shard and was not merged of shards.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    parts: Vec<PartJson<'a>>,
}

type Calibration<'a> = Pairs<&'a Named<MachineLimit>, LimitJson<'a>>;

/// What one machine measured of a run.
#[derive(Serialize)]
struct PartJson<'a> {
    number: u32,
    of: u32,
    machine: &'a str,
    run: &'a str,
    started: &'a str,
    calibration: Calibration<'a>,
}

#[derive(Serialize)]
struct TornJson {
    line: usize,
    bytes: usize,
}

#[derive(Serialize)]
struct LimitJson<'a> {
    unit: &'a str,
    before: Option<Number>,
    after: Option<Number>,
    /// The 95 % intervals of both; left out where the file has not kept the samples.
    #[serde(skip_serializing_if = "Option::is_none")]
    before_interval: Option<[Number; 2]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    after_interval: Option<[Number; 2]>,
    count: u64,
    detail: &'a str,
}

#[derive(Serialize)]
struct ModuleJson<'a> {
    file: &'a str,
    sha256: Option<&'a str>,
    arm: Option<&'a str>,
    granted: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    compiler: Option<&'a str>,
    refused: Option<&'a str>,
}

#[derive(Serialize)]
struct CellJson<'a> {
    scenario: &'a str,
    family: &'a str,
    arm: &'a str,
    /// Left out where the arm has its default settings.
    #[serde(skip_serializing_if = "Option::is_none")]
    variant: Option<&'a str>,
    arguments: Arguments,
    status: Status,
    reason: Option<&'a str>,
    module: &'a ModuleRef,
    /// Left out where the run has no parts.
    #[serde(skip_serializing_if = "Option::is_none")]
    machine: Option<&'a str>,
    cpu: Option<u32>,
    /// Left out where the driver has found none.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    conditions: BTreeMap<&'a str, &'a str>,
    /// What the machine did meanwhile that makes the figures doubtful; left out where nothing was seen.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    disturbances: Vec<String>,
    processes: u32,
    planned_processes: u32,
    iterations: u64,
    bytes: u64,
    recorded: u64,
    lost: Option<u64>,
    checksum: Option<Checksum>,
    overhead: Option<OverheadJson>,
    limit: Option<RatioJson>,
    /// How many processes have each class; left out where none has.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    steadiness: BTreeMap<&'static str, u32>,
    checks: Vec<CheckJson<'a>>,
    series: Vec<SeriesJson<'a>>,
    /// Left out where nothing is known of it, not even a reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<AccountJson>,
}

/// Figures of one operation, but for the bytes of memory and code.
#[derive(Serialize)]
pub(crate) struct AccountJson {
    /// Left out where anything was counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    absent: Option<String>,
    counted: u64,
    instructions: Option<Number>,
    host_calls: Option<Pairs<String, Option<Number>>>,
    lifted_bytes: Option<Number>,
    lowered_bytes: Option<Number>,
    watched: u64,
    /// Left out where it was not read, as by earlier versions.
    #[serde(skip_serializing_if = "Option::is_none")]
    cpu_ns: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    memory_bytes_before: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    memory_bytes_peak: Option<u64>,
    faults_minor: Option<Number>,
    faults_major: Option<Number>,
    switches_voluntary: Option<Number>,
    switches_involuntary: Option<Number>,
    memory_bytes_max: Option<u64>,
    code_bytes: Option<u64>,
    /// Of all watched operations together.
    #[serde(skip_serializing_if = "Option::is_none")]
    hardware: Option<HardwareRecord>,
    #[serde(skip_serializing_if = "Option::is_none")]
    outliers: Option<OutlierRecord>,
}

impl AccountJson {
    pub(crate) fn of(account: AccountView) -> Self {
        let calls = |calls: Vec<(String, f64)>| calls.into_iter().map(|(name, calls)| (name, significant(calls)));
        Self {
            absent: account.absent,
            counted: account.counted,
            instructions: account.instructions.and_then(significant),
            host_calls: account.host_calls.map(|all| Pairs(calls(all).collect())),
            lifted_bytes: account.lifted_bytes.and_then(significant),
            lowered_bytes: account.lowered_bytes.and_then(significant),
            watched: account.watched,
            cpu_ns: account.cpu_ns.and_then(significant),
            memory_bytes_before: account.memory_bytes_before,
            memory_bytes_peak: account.memory_bytes_peak,
            faults_minor: account.faults_minor.and_then(significant),
            faults_major: account.faults_major.and_then(significant),
            switches_voluntary: account.switches_voluntary.and_then(significant),
            switches_involuntary: account.switches_involuntary.and_then(significant),
            memory_bytes_max: account.memory_bytes_max,
            code_bytes: account.code_bytes,
            hardware: account.hardware,
            outliers: account.outliers,
        }
    }
}

#[derive(Serialize)]
struct OverheadJson {
    clock_ns: Option<Number>,
    call_ns: Option<Number>,
}

#[derive(Serialize)]
struct RatioJson {
    name: &'static str,
    ratio: Option<Number>,
}

#[derive(Serialize)]
struct CheckJson<'a> {
    name: &'a str,
    passed: bool,
    detail: &'a str,
}

#[derive(Serialize)]
struct SeriesJson<'a> {
    metric: &'a str,
    unit: &'a str,
    direction: &'static str,
    labels: Pairs<&'a str, &'a str>,
    batch: Option<u64>,
    count: u64,
    min: Option<Number>,
    mean: Option<Number>,
    p50: Option<Number>,
    p90: Option<Number>,
    p99: Option<Number>,
    p999: Option<Number>,
    max: Option<Number>,
    std_dev: Option<Number>,
}

/// An object that keeps its order.
pub(crate) struct Pairs<K, V>(pub(crate) Vec<(K, V)>);

impl<K: Serialize, V: Serialize> Serialize for Pairs<K, V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, value)| (key, value)))
    }
}

fn steadiness(cell: &CellView) -> BTreeMap<&'static str, u32> {
    let mut counts = BTreeMap::new();
    cell.steadiness.iter().for_each(|class| *counts.entry(class.as_str()).or_default() += 1);
    counts
}

pub(crate) fn run(view: &RunView) -> RunJson<'_> {
    let of_run = if view.parts.len() > 1 { &[][..] } else { &view.calibration[..] };
    let parts = view.calibrations().filter_map(|(part, records)| Some(self::part(part?, records)));
    RunJson {
        id: &view.id,
        directory: view.directory.display().to_string(),
        seed: view.seed,
        started: &view.started,
        resumed: view.resumed.iter().map(|resumed| resumed.started.as_str()).collect(),
        ended: view.ended.as_ref().map(|end| end.finished.as_str()),
        interrupted: view.interrupted(),
        torn: view.torn.map(|torn| TornJson { line: torn.line, bytes: torn.bytes }),
        command: &view.command,
        planned: &view.planned,
        fingerprint: &view.fingerprint,
        warnings: &view.warnings,
        calibration: limits(of_run),
        parts: parts.collect(),
    }
}

fn part<'a>(part: &'a PartView, records: &'a [CalibrationRecord]) -> PartJson<'a> {
    let record = &part.record;
    PartJson {
        number: record.number,
        of: record.of,
        machine: part.name(),
        run: &record.run,
        started: &record.started,
        calibration: limits(records),
    }
}

fn limits(records: &[CalibrationRecord]) -> Calibration<'_> {
    let pairs = calibration::pairs(records).into_iter();
    Pairs(pairs.filter_map(|(name, pair)| Some((name, limit(&pair)?))).collect())
}

fn limit<'a>(pair: &LimitPair<'a>) -> Option<LimitJson<'a>> {
    let record = pair.any()?;
    Some(LimitJson {
        unit: record.unit.as_str(),
        before: pair.before().and_then(significant),
        after: pair.after().and_then(significant),
        before_interval: pair.before.and_then(interval),
        after_interval: pair.after.and_then(interval),
        count: record.count,
        detail: &record.detail,
    })
}

fn interval(record: &LimitRecord) -> Option<[Number; 2]> {
    let interval = calibration::interval(record)?;
    Some([significant(interval.low)?, significant(interval.high)?])
}

fn module(module: &bench_sink::runfile::ModuleRecord) -> ModuleJson<'_> {
    ModuleJson {
        file: &module.file,
        sha256: module.sha256.as_deref(),
        arm: module.arm.map(Arm::as_str),
        granted: &module.granted,
        compiler: module.compiler.as_deref(),
        refused: module.refused.as_deref(),
    }
}

fn cell<'a>(view: &'a RunView, cell: &'a CellView) -> CellJson<'a> {
    let check =
        |check: &'a crate::CheckView| CheckJson { name: &check.name, passed: check.passed, detail: &check.detail };
    CellJson {
        scenario: &cell.scenario,
        family: &cell.family,
        arm: cell.arm.as_str(),
        variant: cell.variant.as_deref(),
        arguments: cell.arguments.clone(),
        status: cell.status,
        reason: cell.reason.as_deref(),
        module: &cell.module,
        machine: view.host_of(cell.cell).map(PartView::name),
        cpu: cell.cpu,
        conditions: cell.conditions.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect(),
        disturbances: environment::of_cell(cell),
        processes: cell.processes,
        planned_processes: view.planned.processes,
        iterations: cell.iterations,
        bytes: cell.bytes,
        recorded: cell.recorded,
        lost: cell.lost,
        checksum: cell.checksum,
        overhead: cell.overhead.map(overhead),
        limit: cell
            .limit
            .map(|limit| RatioJson { name: limit.as_str(), ratio: cell.ratio_to_limit(view).and_then(figure) }),
        steadiness: steadiness(cell),
        checks: cell.checks.iter().map(check).collect(),
        series: cell.series.iter().map(series).collect(),
        account: cell.account.as_ref().map(|account| AccountJson::of(AccountView::of(account))),
    }
}

fn overhead(overhead: Overhead) -> OverheadJson {
    OverheadJson { clock_ns: figure(overhead.clock_ns), call_ns: figure(overhead.call_ns) }
}

fn series(series: &SeriesView) -> SeriesJson<'_> {
    let summary = &series.summary;
    // A sample is a whole number; what it is per operation need not be.
    let sample = |value: f64| if series.batch == Some(1) { Some(Number::from(value as u64)) } else { figure(value) };
    SeriesJson {
        metric: &series.metric,
        unit: series.unit.as_str(),
        direction: series.direction.as_str(),
        labels: Pairs(series.labels.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()),
        batch: series.batch,
        count: summary.count,
        min: sample(summary.min),
        mean: figure(summary.mean),
        p50: summary.p50.and_then(sample),
        p90: summary.p90.and_then(sample),
        p99: summary.p99.and_then(sample),
        p999: summary.p999.and_then(sample),
        max: sample(summary.max),
        std_dev: summary.std_dev.and_then(figure),
    }
}

/// `value` with six significant digits: a roofline per byte is far below 1, so that a number of decimal places would not do. `None` if
/// it is not finite.
pub fn significant(value: f64) -> Option<Number> {
    Number::from_f64(six_digits(value))
}

/// `value` as [`precise`] has it. `None` if it is not finite.
pub(crate) fn figure(value: f64) -> Option<Number> {
    Number::from_f64(precise(value))
}

/// `value` to the thousandth; below a tenth, where thousandths would lose most of it, with six significant digits.
pub(crate) fn precise(value: f64) -> f64 {
    let thousandths = (value * 1000.0).round() / 1000.0;
    // Not finite: a value so large that a thousand of it is none.
    if value.abs() < 0.1 || !thousandths.is_finite() { six_digits(value) } else { thousandths }
}

fn six_digits(value: f64) -> f64 {
    format!("{value:.5e}").parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_figures_keep_six_digits() {
        let check = |value: f64, expect: f64| assert_eq!(precise(value), expect, "{value}");
        check(0.0, 0.0);
        check(0.000_123_456_78, 0.000_123_457);
        check(-0.000_000_4, -0.000_000_4);
        check(0.012_345_67, 0.012_345_7);
        check(0.123_456, 0.123);
        check(1_234.567_89, 1_234.568);
        check(1.5e306, 1.5e306);
        assert_eq!((figure(f64::NAN), figure(f64::INFINITY)), (None, None));
    }
}
