//! `--fail-on`: turns a comparison into an exit status for continuous integration. Only a ratio with the verdict *different* and beyond a
//! threshold counts, so that noise does not fail a build.

use crate::{Exit, output};
use bench_report::{Comparison, ComparisonReport, InstructionCounts, scale};
use bench_sink::runfile::Status;
use bench_stats::{LEVEL, Verdict};
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
    /// The exit status: a finding only if a comparison is different and beyond the threshold; not measured if something failed, or if
    /// there is nothing to decide by. Says what was found on standard error. Exact counts decide without a verdict.
    pub(super) fn exit(&self, comparison: &ComparisonReport, counts: Option<&InstructionCounts>) -> Exit {
        let (beyond, all) = match counts {
            Some(counts) => {
                let exact = counts.ratios();
                (
                    exact.iter().filter(|(_, ratio)| self.exceeds(*ratio)).map(|(name, _)| name.clone()).collect(),
                    exact.len(),
                )
            }
            None => {
                let decided = comparison.comparisons.iter().filter(|compared| compared.figures.is_some());
                (comparison.comparisons.iter().filter_map(|compared| self.finding(compared)).collect(), decided.count())
            }
        };
        let beyond: Vec<String> = beyond;
        beyond.iter().for_each(|found| output::line(&format!("bench-host: {self}: {found}")));
        output::line(&format!("bench-host: --fail-on {self}: {} of {all} comparisons are beyond it", beyond.len()));
        let failed = comparison.comparisons.iter().filter(|compared| compared.status == Status::Failed).count();
        match (beyond.len(), failed, all) {
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

#[cfg(test)]
mod tests {
    use super::*;

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
