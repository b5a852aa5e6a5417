//! Computes the figure of a target from one series: of one cell, or as the slope over several cells.

use super::compared_cells::{ComparedCells, without};
use bench_model::{Arguments, Unit, Value};
use bench_registry::{Figure, Per, SeriesName, Target};
use bench_report::{CellView, SeriesView, scale};
use bench_sink::runfile::Status;
use bench_stats::{LEVEL, per_second, quantile_is_supported, samples_needed, slope};

/// The value of a figure.
#[derive(Clone, Debug)]
pub(super) struct Reading {
    pub(super) value: f64,
    pub(super) unit: Unit,
    pub(super) samples: u64,
    pub(super) operations: u64,
    pub(super) batch: Option<u64>,
    /// Number of values and confidence interval of a slope, as text.
    pub(super) spread: Option<String>,
}

impl Reading {
    /// The arguments of the cell, or those that all cells of a slope share.
    pub(super) fn shared_arguments(&self, subject: &ComparedCells<'_>, target: &Target) -> Arguments {
        let arguments = &subject[0].arguments;
        target.slope_over.as_deref().map_or_else(|| arguments.clone(), |over| without(arguments, over))
    }
}

/// The target's figure of one series: that of the cell, or its slope over several.
pub(super) fn figure(cells: &[&CellView], name: &SeriesName, target: &Target) -> Result<Reading, String> {
    let readings = cells.iter().map(|cell| of_cell(cell, name, target)).collect::<Result<Vec<_>, _>>()?;
    let first = readings[0].clone();
    let Some(over) = &target.slope_over else { return Ok(first) };
    if readings.iter().any(|reading| reading.unit != first.unit) {
        return Err(format!("{} has values in several units", title(cells[0])));
    }
    let places = cells.iter().map(|cell| number(cell, over)).collect::<Result<Vec<_>, _>>()?;
    let points: Vec<_> = places.into_iter().zip(readings.iter().map(|reading| reading.value)).collect();
    let slope = slope(&points)
        .ok_or_else(|| format!("{} {} has one value of `{over}`; a slope needs two", name.scenario, name.arm))?;
    let interval = slope.interval(LEVEL).map(|interval| {
        let [low, high] = [interval.low, interval.high].map(|bound| scale::figure(bound, &first.unit));
        format!(" (95 % interval {low} to {high})")
    });
    Ok(Reading {
        value: slope.estimate,
        samples: readings.iter().map(|reading| reading.samples).sum(),
        operations: readings.iter().map(|reading| reading.operations).sum(),
        batch: first.batch.filter(|batch| readings.iter().all(|reading| reading.batch == Some(*batch))),
        spread: Some(format!("over {} values of {over}{}", slope.points, interval.unwrap_or_default())),
        unit: first.unit,
    })
}

/// The unit of a series, however few samples it has.
pub(super) fn unit(cell: &CellView, name: &SeriesName) -> Option<Unit> {
    series(cell, name).ok().map(|series| series.unit.clone())
}

/// The metric that is counted instead of sampled: instructions of an operation.
const INSTRUCTIONS: &str = "instructions";

fn of_cell(cell: &CellView, name: &SeriesName, target: &Target) -> Result<Reading, String> {
    if name.metric.as_deref() == Some(INSTRUCTIONS) && !cell.series.iter().any(|series| series.metric == INSTRUCTIONS) {
        return instructions(cell, name, target);
    }
    let series = series(cell, name)?;
    let named = || format!("{} {}", title(cell), series.title());
    if series.samples < target.samples_min {
        return Err(format!("{}: {} samples, at least {} are needed", named(), series.samples, target.samples_min));
    }
    let per = operations(&name.per, cell)?;
    let value = match target.figure {
        Figure::Quantile(quantile) if !quantile_is_supported(series.samples, quantile) => {
            let needed = samples_needed(quantile);
            return Err(format!("{}: {} samples, the quantile {quantile} needs {needed}", named(), series.samples));
        }
        Figure::Quantile(quantile) => series.distribution.quantile(quantile).map(|value| value / per),
        Figure::Mean => Some(series.total / series.operations as f64 / per),
        Figure::Rate if series.unit != Unit::Nanoseconds => {
            return Err(format!("{}: a rate needs times, and these samples are {}", named(), series.unit));
        }
        Figure::Rate => per_second(series.operations as f64 * per, series.total),
    };
    Ok(Reading {
        value: value.ok_or_else(|| format!("{}: the total time of the samples is 0", named()))?,
        unit: series.unit.clone(),
        samples: series.samples,
        operations: series.operations,
        batch: series.batch,
        spread: None,
    })
}

/// The instructions of an operation, which are exact: equal code with equal input has equal counts.
fn instructions(cell: &CellView, name: &SeriesName, target: &Target) -> Result<Reading, String> {
    has_figures(cell)?;
    if target.figure != Figure::Mean {
        return Err(format!("{}: instructions are counted, not sampled; use `mean = true`", title(cell)));
    }
    let account = cell.account.as_ref().filter(|account| account.counted > 0);
    let counted = account.and_then(|account| Some((account.instructions? as f64, account.counted)));
    let (total, operations) = counted.ok_or_else(|| {
        format!("{}: its instructions were not counted; the engine counts those of the arm wasm", title(cell))
    })?;
    Ok(Reading {
        value: total / operations as f64 / self::operations(&name.per, cell)?,
        unit: Unit::Count,
        samples: operations,
        operations,
        batch: Some(1),
        spread: None,
    })
}

/// Why the cell has no figures, if it has none.
fn has_figures(cell: &CellView) -> Result<(), String> {
    let why = || cell.reason.as_deref().unwrap_or("the run file does not say why");
    match cell.status {
        Status::Ok => Ok(()),
        Status::Failed => Err(format!("{} failed: {}", title(cell), why())),
        Status::Skipped => Err(format!("{} was skipped: {}", title(cell), why())),
        Status::Void => Err(format!("{} is void: {}", title(cell), why())),
    }
}

/// The series of the cell, or why there is none.
fn series<'a>(cell: &'a CellView, name: &SeriesName) -> Result<&'a SeriesView, String> {
    has_figures(cell)?;
    let Some(metric) = &name.metric else {
        return cell.timed().ok_or_else(|| format!("{} has no samples of `{}`", title(cell), cell.scenario_name()));
    };
    let is_labelled = |series: &&SeriesView| {
        series.labels.len() == name.labels.len()
            && series.labels.iter().all(|(label, value)| name.labels.get(label) == Some(value))
    };
    let found = cell.series.iter().filter(|series| series.metric == *metric).find(is_labelled);
    found.ok_or_else(|| {
        let labels: String = name.labels.iter().map(|(label, value)| format!(" {label}={value}")).collect();
        format!("{} has no samples of `{metric}`{labels}", title(cell))
    })
}

/// The number of operations that one operation of the cell counts as.
pub(super) fn operations(per: &Per, cell: &CellView) -> Result<f64, String> {
    match per {
        Per::Number(number) => Ok(*number),
        Per::Argument(name) => {
            let value = number(cell, name)?;
            if value > 0.0 {
                Ok(value)
            } else {
                Err(format!("{}: `{name}` is {value}, which is not a number of operations", title(cell)))
            }
        }
    }
}

/// The argument of the cell as a number.
fn number(cell: &CellView, argument: &str) -> Result<f64, String> {
    match cell.arguments.get(argument) {
        Some(Value::Integer(value)) => Ok(*value as f64),
        Some(Value::Decimal(value)) => Ok(*value),
        _ => Err(format!("{} has no numeric argument `{argument}`", title(cell))),
    }
}

/// The cell as an error message names it.
pub(super) fn title(cell: &CellView) -> String {
    format!("{} {} {}", cell.scenario, cell.arm_label(), cell.arguments).trim_end().to_owned()
}
