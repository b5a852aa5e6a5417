//! `--fail-on`: turns a comparison into an exit status for continuous integration. Only a ratio with the verdict *different* and beyond a
//! threshold counts, so that noise does not fail a build.

use crate::{Exit, output};
use bench_report::{Comparison, ComparisonReport, InstructionCounts, scale};
use bench_sink::runfile::Status;
use bench_stats::{LEVEL, PROCESSES_MIN, Verdict};
use std::fmt;
use std::str::FromStr;

/// Which changes are a finding.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Gate {
    direction: Direction,
    /// 0.03 is three per cent.
    share: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direction {
    Worse,
    Better,
    Changed,
}

impl FromStr for Gate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = || "expected worse, better or changed, and a percentage, such as worse:3%".to_owned();
        let (direction, percent) = text.split_once(':').unwrap_or((text, "0"));
        let direction = match direction {
            "worse" => Direction::Worse,
            "better" => Direction::Better,
            "changed" => Direction::Changed,
            _ => return Err(expected()),
        };
        let percent: f64 = percent.trim_end_matches('%').trim().parse().map_err(|_| expected())?;
        if !(0.0..1000.0).contains(&percent) {
            return Err("expected a percentage from 0 up to 1000".to_owned());
        }
        Ok(Self { direction, share: percent / 100.0 })
    }
}

impl fmt::Display for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let direction = match self.direction {
            Direction::Worse => "worse",
            Direction::Better => "better",
            Direction::Changed => "changed",
        };
        write!(f, "{direction}:{}%", self.share * 100.0)
    }
}

impl Gate {
    /// The exit status: a finding only if a comparison is different and beyond the threshold; not measured if something failed, if a count
    /// is not exact, or if nothing has a verdict to decide by. Says what was found on standard error. Exact counts decide without a verdict.
    pub(super) fn exit(&self, comparison: &ComparisonReport, counts: Option<&InstructionCounts>) -> Exit {
        let (beyond, decided): (Vec<String>, usize) = match counts {
            Some(counts) => {
                let exact = counts.ratios();
                let beyond = exact.iter().filter(|(_, ratio)| self.exceeds(*ratio)).map(|(name, _)| name.clone());
                (beyond.collect(), exact.len())
            }
            None => {
                let decided = comparison.comparisons.iter().filter(|compared| is_decided(compared));
                (comparison.comparisons.iter().filter_map(|compared| self.finding(compared)).collect(), decided.count())
            }
        };
        beyond.iter().for_each(|found| output::line(&format!("bench-host: {self}: {found}")));
        output::line(&format!("bench-host: --fail-on {self}: {}", summary(comparison, counts, beyond.len(), decided)));
        let not_exact = counts.map(InstructionCounts::not_exact).unwrap_or_default();
        not_measured(&not_exact).iter().for_each(|line| output::line(&format!("bench-host: {line}")));
        let failed = comparison.comparisons.iter().filter(|compared| compared.status == Status::Failed).count();
        match (beyond.len(), failed + not_exact.len(), decided) {
            (1.., ..) => Exit::Finding,
            (0, 0, 1..) => Exit::Done,
            (0, ..) => Exit::NotMeasured,
        }
    }

    /// The comparison and its ratio, if it is different and beyond the threshold.
    fn finding(&self, compared: &Comparison) -> Option<String> {
        let figures = compared.figures.as_ref().filter(|figures| figures.verdict == Verdict::Different)?;
        let ratio = figures.ratios.medians.ratio();
        let interval = figures.ratios.medians.interval(LEVEL);
        self.exceeds(ratio).then(|| {
            format!(
                "{} {}: {}× [{}–{}], n {} pairs",
                format!("{} {}", compared.scenario, compared.arguments).trim_end(),
                compared.title(),
                scale::factor(ratio),
                scale::factor(interval.low),
                scale::factor(interval.high),
                figures.ratios.pairs
            )
        })
    }

    /// Whether a ratio of B to A is beyond the threshold; a ratio above 1 is worse.
    fn exceeds(&self, ratio: f64) -> bool {
        let (is_worse, is_better) = (ratio > 1.0 + self.share, ratio < 1.0 - self.share);
        match self.direction {
            Direction::Worse => is_worse,
            Direction::Better => is_better,
            Direction::Changed => is_worse || is_better,
        }
    }
}

/// Whether anything may be claimed of the comparison. Of one whose verdict is withheld, nothing is.
fn is_decided(compared: &Comparison) -> bool {
    compared.verdict().is_some_and(|verdict| verdict != Verdict::Withheld)
}

/// How many comparisons are beyond the threshold, or that nothing could be decided. A gate that decided nothing must not look like one that
/// found nothing.
fn summary(comparison: &ComparisonReport, counts: Option<&InstructionCounts>, beyond: usize, decided: usize) -> String {
    if counts.is_some() {
        return match decided {
            0 => "nothing is decided: no cell has an exact count on both sides".to_owned(),
            _ => format!("{beyond} of {decided} comparisons are beyond it"),
        };
    }
    let all = comparison.comparisons.len();
    match decided {
        0 => format!(
            "nothing is decided: none of {all} comparisons has a verdict; measure with at least {PROCESSES_MIN} processes on a machine that \
             does nothing else"
        ),
        _ if decided < all => {
            format!("{beyond} of {decided} comparisons are beyond it; {} more have no verdict", all - decided)
        }
        _ => format!("{beyond} of {decided} comparisons are beyond it"),
    }
}

/// A line for each reason why counts are not compared, with the cells that have it.
fn not_measured(cells: &[(String, &str)]) -> Vec<String> {
    let mut reasons: Vec<&str> = cells.iter().map(|(_, reason)| *reason).collect();
    reasons.sort_unstable();
    reasons.dedup();
    let line = |reason: &str| {
        let of_reason = cells.iter().filter(|(_, other)| *other == reason);
        let names: Vec<&str> = of_reason.map(|(name, _)| name.as_str()).collect();
        format!("not measured: {}: {reason}", names.join(", "))
    };
    reasons.into_iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use bench_model::{Arguments, Arm};
    use bench_report::Options;
    use bench_sink::fingerprint::Fingerprint;
    use bench_sink::runfile::{
        AccountRecord, CellRecord, EndRecord, ModuleRef, OutcomeRecord, Planned, Record, RunFile, RunRecord,
    };
    use sample_run::Block;
    use std::path::PathBuf;

    /// A run whose cells `m/0`, `m/1`, … executed so many instructions in an operation, or were not counted.
    fn run(id: &str, counts: &[Option<u64>]) -> RunFile {
        let planned = Planned {
            cells: counts.len() as u32,
            processes: 1,
            time_ns: None,
            iterations: None,
            within_ns: None,
            order_sha256: None,
        };
        let run = RunRecord {
            id: id.to_owned(),
            started: String::new(),
            seed: 0,
            command: Vec::new(),
            planned,
            fingerprint: Fingerprint::default(),
            program_sha256: None,
            warnings: Vec::new(),
            inputs: Vec::new(),
        };
        let mut records = vec![Record::Run(run)];
        for (cell, instructions) in (0..).zip(counts) {
            records.push(Record::Cell(CellRecord {
                cell,
                process: 0,
                scenario: format!("m/{cell}"),
                family: String::new(),
                arm: Arm::Wasm,
                variant: None,
                arguments: Arguments::default(),
                module: ModuleRef { file: String::new(), sha256: String::new() },
                limit: None,
                cpu: None,
                conditions: Vec::new(),
            }));
            records.push(Record::Outcome(OutcomeRecord::ok(cell, 0)));
            let instructions = *instructions;
            records.push(Record::Account(AccountRecord { cell, counted: 1, instructions, ..AccountRecord::default() }));
        }
        records.push(Record::End(EndRecord { finished: String::new(), stopped: None }));
        RunFile { directory: PathBuf::from(id), records, torn: None }
    }

    #[test]
    fn count_that_is_not_exact_is_not_measured() {
        let check = |a: &[&[Option<u64>]], b: &[Option<u64>], expect: Exit, lines: &[&str]| {
            let of_a = a.iter().enumerate().map(|(number, counts)| run(&format!("a{number}"), counts)).collect();
            let comparison = ComparisonReport::of_runs(of_a, vec![run("b", b)], &Options::default(), false).unwrap();
            let counts = InstructionCounts::of(&comparison).unwrap();
            let exit = "worse:0%".parse::<Gate>().unwrap().exit(&comparison, Some(&counts));
            assert_eq!(exit, expect);
            assert_eq!(not_measured(&counts.not_exact()), lines);
        };
        let exact = [Some(100), Some(200), Some(300)];
        check(&[&exact], &exact, Exit::Done, &[]);
        let varying = [Some(100), Some(201), Some(301)];
        let line = "not measured: m/1 wasm, m/2 wasm: the count varies between runs of one side: not deterministic";
        check(&[&exact, &varying], &exact, Exit::NotMeasured, &[line]);
        check(&[&exact, &varying], &[Some(101), Some(200), Some(300)], Exit::Finding, &[line]);
        let uncounted = [Some(100), None, Some(300)];
        check(&[&exact], &uncounted, Exit::NotMeasured, &["not measured: m/1 wasm: not counted in B"]);
        check(&[&uncounted], &uncounted, Exit::Done, &[]);
    }

    /// A run of so many processes, whose operations take about `factor` nanoseconds, and a little more in each further process.
    fn timed(id: &str, processes: u32, factor: u64) -> RunFile {
        let mut run = sample_run::Run::begin_on(id, sample_run::fingerprint(), 1, processes);
        for process in 0..processes {
            let samples = (0..40).map(|n| factor * (1_000 + 2 * u64::from(process)) + n);
            run.append(&Block::new(0, process, "m/s", "wasm").timed(1_000, samples).records());
        }
        run.end(None);
        run.file()
    }

    #[test]
    fn gate_that_cannot_decide_does_not_pass() {
        let check = |processes: u32, factor: u64, expect: Exit, line: &str| {
            let (a, b) = (timed("a", processes, 1_000), timed("b", processes, factor));
            let comparison = ComparisonReport::of_runs(vec![a], vec![b], &Options::default(), false).unwrap();
            let gate: Gate = "worse:3%".parse().unwrap();
            assert_eq!(gate.exit(&comparison, None), expect, "{:?}", comparison.comparisons);
            let decided = comparison.comparisons.iter().filter(|compared| is_decided(compared)).count();
            let beyond = usize::from(expect == Exit::Finding);
            assert_eq!(summary(&comparison, None, beyond, decided), line);
        };
        let nothing = "nothing is decided: none of 1 comparisons has a verdict; measure with at least 3 processes on a machine that does \
                       nothing else";
        check(2, 1_000, Exit::NotMeasured, nothing);
        check(2, 2_000, Exit::NotMeasured, nothing);
        check(3, 1_000, Exit::Done, "0 of 1 comparisons are beyond it");
        check(3, 2_000, Exit::Finding, "1 of 1 comparisons are beyond it");
    }

    #[test]
    fn gate_is_parsed_and_printed() {
        for (text, expect) in
            [("worse:3%", Some("worse:3%")), ("better:0.5", Some("better:0.5%")), ("changed", Some("changed:0%"))]
        {
            assert_eq!(text.parse::<Gate>().ok().map(|gate| gate.to_string()).as_deref(), expect, "{text}");
        }
        for text in ["", "slower:3%", "worse:lots", "worse:-1%", "worse:NaN", "worse:"] {
            assert!(text.parse::<Gate>().is_err(), "{text}");
        }
    }

    #[test]
    fn ratio_at_the_threshold_is_not_beyond_it() {
        let check = |gate: &str, ratio: f64, expect: bool| {
            assert_eq!(gate.parse::<Gate>().unwrap().exceeds(ratio), expect, "{gate} {ratio}");
        };
        check("worse:50%", 1.5, false);
        check("worse:50%", 1.51, true);
        check("worse:50%", 0.1, false);
        check("better:50%", 0.49, true);
        check("better:50%", 0.5, false);
        check("changed", 1.0, false);
        check("changed", 1.000_001, true);
        check("changed", 0.999_999, true);
    }
}
