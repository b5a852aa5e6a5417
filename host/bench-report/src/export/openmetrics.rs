//! OpenMetrics text, for a push gateway or a file collector: a summary for each series, in seconds and bytes.
//! <https://prometheus.io/docs/specs/om/open_metrics_spec/>

use crate::{CellView, PartView, RunView, SeriesView, calibration, escape};
use bench_model::Unit;
use bench_sink::runfile::Status;
use std::collections::BTreeMap;
use std::fmt::Write;

/// The cells, their series and the rooflines of `view`. A quantile that too few samples support is left out.
pub fn openmetrics(view: &RunView) -> String {
    let mut out = String::new();
    info(&mut out, view);
    family(&mut out, "bench_host_cell_ok", "gauge", "", "1 where the figures of the cell count, 0 where they do not.");
    for cell in &view.cells {
        let ok = u8::from(cell.status == Status::Ok);
        line(&mut out, "bench_host_cell_ok", &labels(view, cell, None), &ok.to_string());
    }
    series(&mut out, view);
    rooflines(&mut out, view);
    out.push_str("# EOF\n");
    out
}

fn info(out: &mut String, view: &RunView) {
    // Not of the type `info`, which push gateways and collectors of files refuse with everything else.
    family(out, "bench_host_run_info", "gauge", "", "The run that the other metrics are of.");
    let machine = &view.fingerprint;
    let labels = [
        ("run", view.id.clone()),
        ("started", view.started.clone()),
        ("seed", view.seed.to_string()),
        ("version", machine.host_version.clone()),
        ("cpu", machine.cpu_model.clone().unwrap_or_else(|| machine.architecture.clone())),
    ];
    line(out, "bench_host_run_info", &labels.map(|(name, value)| (name, value)), "1");
}

/// A family for each unit, because all samples of a family have one.
fn series(out: &mut String, view: &RunView) {
    let mut by_unit: BTreeMap<&str, Vec<(&CellView, &SeriesView)>> = BTreeMap::new();
    for (cell, series) in view.cells.iter().flat_map(|cell| cell.series.iter().map(move |series| (cell, series))) {
        by_unit.entry(unit(&series.unit).0).or_default().push((cell, series));
    }
    for (unit_name, all) in by_unit {
        let name = match unit_name {
            "" => "bench_host_series".to_owned(),
            unit => format!("bench_host_series_{unit}"),
        };
        let help = "The samples of a series, each of one operation; the label metric names it.";
        family(out, &name, "summary", unit_name, help);
        for (cell, series) in all {
            summary(out, &name, &labels(view, cell, Some(series)), series);
        }
    }
}

fn summary(out: &mut String, name: &str, labels: &[(&'static str, String)], series: &SeriesView) {
    let factor = unit(&series.unit).1;
    let summary = &series.summary;
    let quantiles = [
        ("0.5", summary.p50),
        ("0.9", summary.p90),
        ("0.99", summary.p99),
        ("0.999", summary.p999),
        ("1.0", Some(summary.max)),
    ];
    for (quantile, value) in quantiles {
        let Some(value) = value else { continue };
        let labels: Vec<(&str, String)> = labels.iter().cloned().chain([("quantile", quantile.to_owned())]).collect();
        line(out, name, &labels, &number(value * factor));
    }
    line(out, &format!("{name}_count"), labels, &summary.count.to_string());
    line(out, &format!("{name}_sum"), labels, &number(summary.mean * summary.count as f64 * factor));
}

fn rooflines(out: &mut String, view: &RunView) {
    for (name, per_byte) in [("bench_host_roofline_seconds", false), ("bench_host_roofline_per_byte_seconds", true)] {
        family(out, name, "gauge", "seconds", "What the machine itself takes, the mean of before and after the run.");
        for (part, records) in view.calibrations() {
            for (limit, pair) in calibration::pairs(records) {
                let known = limit.known().filter(|limit| limit.is_per_byte() == per_byte);
                let (Some(limit), Some(value)) = (known, pair.median()) else { continue };
                let labels: Vec<_> = [("roofline", limit.to_string())].into_iter().chain(of_part(part)).collect();
                line(out, name, &labels, &number(value * 1e-9));
            }
        }
    }
}

/// The unit of a family, and how many of it one of the unit of the series is.
fn unit(unit: &Unit) -> (&'static str, f64) {
    match unit {
        Unit::Nanoseconds => ("seconds", 1e-9),
        Unit::Bytes => ("bytes", 1.0),
        Unit::Count | Unit::Other(_) => ("", 1.0),
    }
}

fn labels(view: &RunView, cell: &CellView, series: Option<&SeriesView>) -> Vec<(&'static str, String)> {
    let mut labels =
        vec![("scenario", view.name_of(cell)), ("arm", cell.arm_label()), ("arguments", cell.arguments.to_string())];
    labels.extend(of_part(view.host_of(cell.cell)));
    if let Some(series) = series {
        let own: Vec<String> = series.labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
        labels.extend([("metric", series.metric.clone()), ("labels", own.join(","))]);
        if let Unit::Other(name) = &series.unit {
            labels.push(("unit", name.to_string()));
        }
    }
    labels.retain(|(_, value)| !value.is_empty());
    labels
}

/// The machine of a part of a merged run, and the number of the part, because one machine can have measured several.
fn of_part(part: Option<&PartView>) -> impl Iterator<Item = (&'static str, String)> {
    let labels = |part: &PartView| [("machine", part.name().to_owned()), ("shard", part.record.number.to_string())];
    part.map(labels).into_iter().flatten()
}

fn family(out: &mut String, name: &str, kind: &str, unit: &str, help: &str) {
    writeln!(out, "# TYPE {name} {kind}").expect("a string takes all text");
    if !unit.is_empty() {
        writeln!(out, "# UNIT {name} {unit}").expect("a string takes all text");
    }
    writeln!(out, "# HELP {name} {help}").expect("a string takes all text");
}

fn line(out: &mut String, name: &str, labels: &[(&'static str, String)], value: &str) {
    let quoted = |text: &str| escape(text).replace('\\', "\\\\").replace('"', "\\\"");
    let labels: Vec<String> = labels.iter().map(|(name, value)| format!("{name}=\"{}\"", quoted(value))).collect();
    writeln!(out, "{name}{{{}}} {value}", labels.join(",")).expect("a string takes all text");
}

/// With six digits.
fn number(value: f64) -> String {
    format!("{value:.5e}").parse::<f64>().map_or_else(|_| value.to_string(), |value| format!("{value:e}"))
}
