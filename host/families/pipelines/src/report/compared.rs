//! Ratios of the times of two cells of one run, with intervals and verdicts: of load methods, of arms, and against the database's own
//! client.

use super::{BASELINE_METHOD, LOAD_METHOD, format_arguments, load_method, varying};
use crate::spec;
use bench_model::{Arguments, Arm, Value};
use bench_report::{
    Body, CellView, Column, Datum, FamilyChart, Measure, Notes, RatioRow, RunView, Section, Table, escape, scale,
    widest_spread,
};
use bench_sink::runfile::Status;
use bench_stats::{Band, Claim, LEVEL, Ratios, Verdict, judge, unpaired_ratios};
use std::collections::BTreeSet;

/// Cells that differ by less than this share are equivalent.
const DELTA: f64 = 0.02;

/// The baselines of load methods: the method, and the scenario of the database's own client.
const BASELINES: [(&str, &str); 4] = [
    ("insert", "psql/insert"),
    ("copy", "psql/dump-restore"),
    ("copy-binary", "psql/pipe"),
    ("copy-binary", "psql/server-copy"),
];

/// A cell and its baseline.
struct Pair<'a> {
    title: String,
    baseline: &'a CellView,
    candidate: &'a CellView,
}

impl Pair<'_> {
    /// Those of the candidate, and those that only the baseline has.
    fn arguments(&self) -> Arguments {
        let mut arguments = self.candidate.arguments.clone();
        for (name, value) in self.baseline.arguments.iter() {
            if arguments.get(name).is_none() {
                arguments.set(name, value.clone());
            }
        }
        arguments
    }
}

/// The table of ratios; notes if there are too few processes, or if no pair was measured by one machine; `None` if no cells can be
/// compared.
pub(super) fn section(view: &RunView, cells: &[&CellView]) -> Option<Section> {
    const NAME: &str = "transfers.compared";
    let pairs = pairs(view, cells);
    let names = names(cells, &pairs);
    let (pairs, apart) = of_one_machine(view, pairs, &names);
    let row = |(pair, ratios, verdict): &Measured<'_>| {
        let interval = ratios.means.interval(LEVEL);
        let range = Datum::Range { low: interval.low, high: interval.high, measure: Measure::Factor };
        let is_known = interval.low.is_finite() && interval.high.is_finite();
        vec![
            Datum::text(&pair.title),
            Datum::text(format_arguments(&pair.arguments(), &names)),
            Datum::number(ratios.means.ratio(), Measure::Factor),
            if is_known { range } else { Datum::Absent },
            Datum::number(f64::from(ratios.processes), Measure::Plain),
            Datum::text(describe_verdict(*verdict)),
        ]
    };
    let rows: Vec<_> = measured(&pairs, view.seed).iter().map(row).collect();
    if rows.is_empty() {
        let few = "nothing is compared, because cells have fewer than two processes; give --processes 3 or more";
        let few = (!pairs.is_empty()).then(|| few.to_owned());
        let lines: Vec<_> = few.into_iter().chain(apart).collect();
        let is_any = !lines.is_empty();
        return is_any.then(|| Section::new(NAME, "", Body::Notes(Notes { lines, are_warnings: false })));
    }
    let columns = vec![
        Column::words("compared"),
        Column::words("arguments"),
        Column::figures("of means").key("ratio_of_means"),
        Column::figures("95 % interval").key("ratio_of_means"),
        Column::figures("processes"),
        Column::words("verdict"),
    ];
    Some(Section::new(NAME, "", Body::Table(Table::plain(columns, rows))).with_remarks(apart))
}

/// The same ratios as a chart. `None` if nothing is compared.
pub(super) fn chart(view: &RunView, cells: &[&CellView]) -> Option<FamilyChart> {
    let pairs = pairs(view, cells);
    let names = names(cells, &pairs);
    let (pairs, apart) = of_one_machine(view, pairs, &names);
    let row = |(pair, ratios, verdict): &Measured<'_>| {
        let interval = ratios.means.interval(LEVEL);
        let is_known = interval.low.is_finite() && interval.high.is_finite();
        let name = format!("{} {}", pair.title, format_arguments(&pair.arguments(), &names));
        RatioRow {
            name: escape(name.trim_end()).into_owned(),
            ratio: ratios.means.ratio(),
            interval: is_known.then_some((interval.low, interval.high)),
            words: format!("{}, n = {} processes", describe_verdict(*verdict), ratios.processes),
        }
    };
    let note = format!(
        "Ratio of mean times with its {} % interval over processes; shaded: within ±{} %, which counts as equivalent.",
        LEVEL * 100.0,
        DELTA * 100.0
    );
    let ratios = bench_report::Ratios {
        title: "Ratios of transfers".to_owned(),
        across: "mean time / mean time of the baseline".to_owned(),
        delta: Some(DELTA),
        rows: measured(&pairs, view.seed).iter().map(row).collect(),
        notes: std::iter::once(note).chain(apart.iter().map(|line| escape(line).into_owned())).collect(),
    };
    FamilyChart::ratios("transfers-compared", ratios)
}

/// The pairs that one machine measured, and for each of the others a line with the reason why it has no ratio.
fn of_one_machine<'a>(
    view: &RunView,
    mut pairs: Vec<Pair<'a>>,
    names: &BTreeSet<String>,
) -> (Vec<Pair<'a>>, Vec<String>) {
    let mut apart = Vec::new();
    pairs.retain(|pair| {
        let Err(why) = view.same_host([pair.baseline.cell, pair.candidate.cell]) else { return true };
        let name = format!("{} {}", pair.title, format_arguments(&pair.arguments(), names));
        apart.push(format!("{}: {why}", name.trim_end()));
        false
    });
    (pairs, apart)
}

/// A pair, its ratio and its verdict.
type Measured<'a> = (&'a Pair<'a>, Ratios, Verdict);

/// Every pair with enough processes.
fn measured<'a>(pairs: &'a [Pair<'a>], seed: u64) -> Vec<Measured<'a>> {
    let measured: Vec<_> = pairs.iter().filter_map(|pair| Some((pair, measure(pair, seed)?))).collect();
    let claims: Vec<_> = measured.iter().map(|(pair, ratios)| claim(pair, ratios)).collect();
    let verdicts = judge(&claims, DELTA);
    measured.into_iter().zip(verdicts).map(|((pair, ratios), verdict)| (pair, ratios, verdict)).collect()
}

/// The arguments that tell pairs apart.
fn names(cells: &[&CellView], pairs: &[Pair<'_>]) -> BTreeSet<String> {
    let baselines: Vec<_> = pairs.iter().map(|pair| pair.baseline).collect();
    varying(cells).into_iter().chain(varying(&baselines)).filter(|name| name != LOAD_METHOD).collect()
}

/// Components against native code, each load method against the baseline method, and both arms against the database's own client. Both
/// sides are of the same variant, and have the same values of all arguments that both have, except for the load method.
fn pairs<'a>(view: &'a RunView, cells: &[&'a CellView]) -> Vec<Pair<'a>> {
    let mut pairs = Vec::new();
    for candidate in cells {
        let others = |scenario: &str, arm: Arm, except: &[&str]| {
            let is_it = |cell: &&CellView| {
                cell.scenario == scenario
                    && cell.arm == arm
                    && cell.variant == candidate.variant
                    && cell.status == Status::Ok
                    && candidate.agrees_with(cell, except)
            };
            view.cells.iter().filter(is_it).collect::<Vec<_>>()
        };
        let method = load_method(candidate);
        let named =
            method.map_or_else(|| candidate.scenario.clone(), |method| format!("{} {method}", candidate.scenario));
        if candidate.arm == Arm::Wasm {
            let native = others(&candidate.scenario, Arm::Native, &[]);
            pairs.extend(native.into_iter().map(|baseline| {
                let title = format!("{named}, {} / {}", candidate.arm_label(), baseline.arm_label());
                Pair { title, baseline, candidate }
            }));
        }
        let Some(method) = method else { continue };
        let is_baseline = |cell: &&CellView| load_method(cell) == Some(BASELINE_METHOD);
        for baseline in others(&candidate.scenario, candidate.arm, &[LOAD_METHOD]).into_iter().filter(is_baseline) {
            if method != BASELINE_METHOD {
                pairs.push(Pair {
                    title: format!("{} {}, {method} / {BASELINE_METHOD}", candidate.scenario, candidate.arm_label()),
                    baseline,
                    candidate,
                });
            }
        }
        // The database's own client changes nothing on the way.
        let is_plain = !matches!(candidate.arguments.get(spec::TRANSFORM), Some(Value::Text(name)) if !name.is_empty());
        for (_, scenario) in BASELINES.iter().filter(|(of, _)| *of == method && is_plain) {
            let title = format!("{named} {} / {scenario}", candidate.arm_label());
            let found = others(scenario, Arm::Native, &[]);
            pairs.extend(found.into_iter().map(|baseline| Pair { title: title.clone(), baseline, candidate }));
        }
    }
    pairs
}

fn measure(pair: &Pair<'_>, seed: u64) -> Option<Ratios> {
    unpaired_ratios(&pair.baseline.timed_processes, &pair.candidate.timed_processes, seed)
}

/// The noise floor is how far a process lies from the median of its cell.
fn claim(pair: &Pair<'_>, ratios: &Ratios) -> Claim {
    let band = widest_spread(&pair.baseline.timed_processes, &pair.candidate.timed_processes).map(Band::from_log);
    Claim { estimate: ratios.means, band, pairs: ratios.pairs, processes: ratios.processes }
}

fn describe_verdict(verdict: Verdict) -> String {
    match verdict {
        Verdict::Different => "different".to_owned(),
        Verdict::Equivalent => format!("equivalent ±{} %", DELTA * 100.0),
        Verdict::Undecided { more_pairs } => {
            format!("undecided: ~{} more repetitions", scale::about(more_pairs as f64))
        }
        Verdict::Withheld => "withheld: fewer than 3 processes".to_owned(),
    }
}
