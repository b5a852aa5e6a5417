//! Measures what keeping workers apart costs. Every operation starts two workers, one as a run has them and one without isolation, and the
//! order alternates, so that disturbances of the machine affect both.

use super::pairs::Turn;
use super::sessions::closure;
use crate::modules::BUILTIN;
use crate::worker::{Kind, MeasureRequest, ModuleSpec, Reply, Request};
use bench_drivers::{Grants, Recording, workload};
use bench_engine::Interrupt;
use bench_engine::worker::{Isolation, Workers};
use bench_model::{Arguments, ModuleError};
use bench_sink::{SeriesId, Sink};
use bench_stats::Distribution;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// The label of both series, and its values.
pub(super) const LABEL: &str = "isolation";
const LEVELS: [Isolation; 2] = [Isolation::Standard, Isolation::None];

/// The scenarios of this module that a worker can measure: a computation, and calls of the kernel that it accounts for.
pub(super) const WORKS: [&str; 2] = ["histogram-record", "file-read"];

/// For how long a worker measures one of them, and warms it up before.
const MEASURED_NS: u64 = 30_000_000;
const WARM_UP_NS: u64 = 5_000_000;

/// The time for one worker.
const DEADLINE: Duration = Duration::from_secs(30);

/// Workers with one level of isolation, and the series of what is measured of them.
struct Side {
    workers: Workers,
    series: SeriesId,
}

/// Both sides, in the order of [`LEVELS`].
fn sides(sink: &mut Sink, metric: &str) -> Result<[Side; 2], ModuleError> {
    let program = std::env::current_exe().map_err(|error| ModuleError::Unavailable(error.to_string()))?;
    let mut side = |isolation: Isolation| {
        let label = (LABEL.to_owned(), isolation.to_string());
        let series = sink.open(metric, &[label]).map_err(|error| ModuleError::Other(error.to_string()))?;
        let arguments = vec!["worker".to_owned()];
        let workers = Workers { program: program.clone(), arguments, extends_deadline: false, isolation };
        Ok::<_, ModuleError>(Side { workers, series })
    };
    let [standard, none] = LEVELS;
    Ok([side(standard)?, side(none)?])
}

/// Has both sides measured, in an order that alternates, and records what `measure` returns.
fn record(
    sink: &mut Sink,
    sides: &[Side; 2],
    is_first: bool,
    mut measure: impl FnMut(&Workers) -> Result<u64, ModuleError>,
) -> Result<[u64; 2], ModuleError> {
    let mut found = [0; 2];
    let order = if is_first { [0, 1] } else { [1, 0] };
    for index in order {
        found[index] = measure(&sides[index].workers)?;
        sink.append(sides[index].series, &[found[index]]).map_err(|error| ModuleError::Other(error.to_string()))?;
    }
    Ok(found)
}

/// Starts workers that describe this module.
pub(super) fn worker_start(mut sink: Sink) -> Result<Box<dyn Recording>, ModuleError> {
    let sides = sides(&mut sink, "worker_start")?;
    let added = sink.open("added", &[]).map_err(|error| ModuleError::Other(error.to_string()))?;
    let mut turn = Turn::default();
    Ok(closure(sink, move |sink| {
        let [standard, none] = record(sink, &sides, turn.next(), |workers| {
            let begun = Instant::now();
            let reply = workers.call(&Request::Describe(this_module()), DEADLINE, &Interrupt::new()).result;
            let ns = u64::try_from(begun.elapsed().as_nanos()).unwrap_or(u64::MAX);
            match reply {
                Ok(Reply::Described { .. }) => Ok(ns),
                other => Err(unexpected(other)),
            }
        })?;
        let more = standard.saturating_sub(none);
        sink.append(added, &[more]).map_err(|error| ModuleError::Other(error.to_string()))
    }))
}

/// Has workers measure the scenario that the argument names.
pub(super) fn cell(mut sink: Sink, arguments: &Arguments) -> Result<Box<dyn Recording>, ModuleError> {
    let sides = sides(&mut sink, "operations_1000")?;
    let work = arguments.text("work")?.to_owned();
    let mut turn = Turn::default();
    Ok(closure(sink, move |sink| record(sink, &sides, turn.next(), |workers| thousand_ns(workers, &work)).map(drop)))
}

/// The median time of 1000 operations of the scenario `work` in a worker.
fn thousand_ns(workers: &Workers, work: &str) -> Result<u64, ModuleError> {
    let request = MeasureRequest {
        module: this_module(),
        companion: None,
        cell: 0,
        process: 0,
        scenario: work.to_owned(),
        driver: workload::NAME.to_owned(),
        arguments: Arguments::default(),
        warm_up_ns: WARM_UP_NS,
        time_ns: Some(MEASURED_NS),
        iterations: None,
    };
    let reply = workers.call(&Request::Measure(Box::new(request)), DEADLINE, &Interrupt::new()).result;
    let report = match reply {
        Ok(Reply::Measured(report)) => report,
        other => return Err(unexpected(other)),
    };
    let timed = report.series.iter().find(|series| series.metric == work);
    let found = timed.and_then(|series| {
        let samples = series.raw.as_ref()?.iter().map(|sample| *sample as f64);
        let per_sample = Distribution::of_samples(samples).quantile(0.5)?;
        Some((per_sample * 1_000.0 / series.batch.max(1) as f64).round() as u64)
    });
    let reason = || report.outcome.reason.clone().unwrap_or_else(|| "a worker has measured nothing".to_owned());
    found.ok_or_else(|| ModuleError::Other(reason()))
}

/// This module, as a worker loads it.
fn this_module() -> ModuleSpec {
    ModuleSpec {
        file: PathBuf::from(BUILTIN),
        sha256: env!("CARGO_PKG_VERSION").to_owned(),
        kind: Kind::Builtin,
        grants: Grants::default(),
        cache: None,
        memory_bytes_max: 0,
        engine: None,
        descriptor: None,
        keeps_rights: false,
    }
}

fn unexpected(reply: Result<Reply, bench_engine::worker::WorkerError>) -> ModuleError {
    ModuleError::Other(match reply {
        Ok(Reply::Refused(reason)) => reason,
        Ok(_) => "unexpected reply of the worker".to_owned(),
        Err(error) => error.to_string(),
    })
}
