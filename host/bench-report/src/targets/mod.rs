//! The targets that a run was checked against: the value of each, its bound, and the verdict.

mod csv;
mod json;
mod table;

pub use self::table::targets_document;

use crate::{Datum, Measure};
use bench_model::{Arguments, Direction, Unit};

/// The result of checking a run against one target.
#[derive(Clone, Debug)]
pub struct TargetResult {
    /// The name of the set of targets.
    pub set: String,
    /// The name of the target.
    pub name: String,
    /// One line that describes the target.
    pub summary: String,
    /// The full name of the scenario, `module/scenario`.
    pub scenario: String,
    /// The arm, with its variant where it has one.
    pub arm: String,
    /// What the value and the bound measure.
    pub quantity: Quantity,
    /// Whether a value below or above the bound passes; never neutral.
    pub direction: Direction,
    /// The bound, above 0.
    pub bound: f64,
    /// The measured value, or the reason why there is none.
    pub held: Result<MeasuredValue, String>,
}

/// What a value and its bound measure.
#[derive(Clone, Debug, PartialEq)]
pub enum Quantity {
    /// A figure in the unit of its samples, or in the empty unit if there are no samples to tell it.
    Plain(Unit),
    /// Operations per second.
    Rate,
    /// A ratio to another figure.
    Ratio,
    /// The increase of a figure per unit of an argument.
    Growth {
        /// The unit of the figure.
        unit: Unit,
        /// The name of the argument.
        over: String,
    },
}

/// The value of a target: that of the worst cell that it applies to.
#[derive(Clone, Debug, PartialEq)]
pub struct MeasuredValue {
    /// The value.
    pub value: f64,
    /// The number of samples.
    pub samples: u64,
    /// The number of operations that all samples span.
    pub operations: u64,
    /// The number of operations per sample, if it is the same for all.
    pub batch: Option<u64>,
    /// The arguments of the cell, or those that all cells share.
    pub arguments: Arguments,
    /// The cell or point of the run with this value, if there are several.
    pub at: Option<String>,
}

/// The verdict on a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetVerdict {
    /// The value is within the bound.
    Pass,
    /// The value is beyond the bound.
    Miss,
    /// There is no value.
    NotMeasured,
}

impl TargetResult {
    /// The verdict: whether the value is within the bound.
    pub fn verdict(&self) -> TargetVerdict {
        match self.margin() {
            None => TargetVerdict::NotMeasured,
            Some(margin) if margin >= 0.0 => TargetVerdict::Pass,
            // NaN meets no bound.
            Some(_) => TargetVerdict::Miss,
        }
    }

    /// The distance of the value to the bound, as a share of the bound; negative if the target is missed.
    pub fn margin(&self) -> Option<f64> {
        self.held.as_ref().ok().map(|held| self.margin_of(held.value))
    }

    /// `value` as text with the unit of the bound, scaled.
    pub(crate) fn text_of(&self, value: f64) -> String {
        self.quantity.datum(value).shown()
    }

    /// The margin of another value.
    pub fn margin_of(&self, value: f64) -> f64 {
        self.margin_to(self.bound, value)
    }

    /// The margin that `value` would have with another bound.
    pub fn margin_to(&self, bound: f64, value: f64) -> f64 {
        match self.direction {
            Direction::HigherIsBetter => (value - bound) / bound,
            Direction::LowerIsBetter | Direction::Neutral => (bound - value) / bound,
        }
    }
}

impl TargetVerdict {
    /// The text in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Miss => "miss",
            Self::NotMeasured => "not measured",
        }
    }
}

impl Quantity {
    fn datum(&self, value: f64) -> Datum {
        let measure = match self {
            Self::Plain(unit) | Self::Growth { unit, .. } => Measure::Unit(unit.clone()),
            Self::Rate => Measure::PerSecond(Unit::Count),
            Self::Ratio => Measure::Factor,
        };
        Datum::number(value, measure)
    }

    /// The unit in documents: a UCUM unit, `1/s`, `1`, or a unit per argument.
    fn unit(&self) -> String {
        match self {
            Self::Plain(unit) => unit.to_string(),
            Self::Rate => "1/s".to_owned(),
            Self::Ratio => "1".to_owned(),
            Self::Growth { unit, over } => format!("{unit}/{over}"),
        }
    }
}

/// The name of the field in a target's TOML that sets the bound.
fn bound_name(direction: Direction) -> &'static str {
    match direction {
        Direction::HigherIsBetter => "at_least",
        Direction::LowerIsBetter | Direction::Neutral => "at_most",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Csv, Document, Layout, Markdown, Renderer, Text};

    fn judged(name: &str, quantity: Quantity, direction: Direction, bound: f64, value: f64) -> TargetResult {
        let held = MeasuredValue {
            value,
            samples: 12_000,
            operations: 12_000,
            batch: Some(1),
            arguments: [("payload_bytes", 64i64)].into_iter().collect(),
            at: None,
        };
        TargetResult {
            set: "mine".to_owned(),
            name: name.to_owned(),
            summary: format!("{name} held to its bound"),
            scenario: "m/s".to_owned(),
            arm: "native".to_owned(),
            quantity,
            direction,
            bound,
            held: Ok(held),
        }
    }

    #[track_caller]
    fn check(direction: Direction, value: f64, verdict: TargetVerdict, margin: f64) {
        let judged = judged("t", Quantity::Ratio, direction, 10.0, value);
        assert_eq!(judged.verdict(), verdict, "{direction:?} {value}");
        assert!((judged.margin().unwrap() - margin).abs() < 1e-12, "{direction:?} {value}: {:?}", judged.margin());
    }

    #[test]
    fn a_bound_has_a_right_side() {
        check(Direction::LowerIsBetter, 9.0, TargetVerdict::Pass, 0.1);
        check(Direction::LowerIsBetter, 10.0, TargetVerdict::Pass, 0.0);
        check(Direction::LowerIsBetter, 12.0, TargetVerdict::Miss, -0.2);
        check(Direction::HigherIsBetter, 12.0, TargetVerdict::Pass, 0.2);
        check(Direction::HigherIsBetter, 10.0, TargetVerdict::Pass, 0.0);
        check(Direction::HigherIsBetter, 9.0, TargetVerdict::Miss, -0.1);
    }

    /// One target of each quantity, one of them with a place, and one that failed with a text of the module.
    fn some() -> Vec<TargetResult> {
        let (less, more) = (Direction::LowerIsBetter, Direction::HigherIsBetter);
        let growth = Quantity::Growth { unit: Unit::Bytes, over: "streams".to_owned() };
        let mut some = vec![
            judged("append", Quantity::Plain(Unit::Nanoseconds), less, 10_000.0, 1_234.0),
            judged("batch", Quantity::Rate, more, 1e7, 14_249_000.0),
            judged("raw", Quantity::Ratio, more, 0.6, 0.5),
            judged("memory", growth, less, 1024.0, 104.0),
            judged("broken", Quantity::Plain(Unit::from("")), less, 500.0, 0.0),
        ];
        if let Ok(held) = &mut some[1].held {
            held.batch = Some(16);
            held.at = Some("worst of 2 at batch=10".to_owned());
        }
        some[4].held = Err("m/s native failed: \u{1b}[31mred".to_owned());
        some
    }

    /// As text, or as records.
    fn rendered(renderer: &dyn Renderer, judged: &[TargetResult], width: usize) -> String {
        let document = Document {
            records: Some(csv::records(judged)),
            sections: vec![table::targets(judged)],
            ..Document::default()
        };
        renderer.render(&document, &Layout { width, ..Layout::default() })
    }

    #[test]
    fn text_has_a_line_a_target() {
        insta::assert_snapshot!(rendered(&Text, &some(), 100), @r"
        verdict       target    value       bound  margin  what is held
        pass          append  1.23 µs   ≤ 10.0 µs    88 %  append held to its bound
        pass          batch   14.2M/s   ≥ 10.0M/s    42 %  batch held to its bound; worst of 2 at batch=10
        MISS          raw      0.500×    ≥ 0.600×   -17 %  raw held to its bound
        pass          memory    104 B  ≤ 1.00 KiB    90 %  memory held to its bound
        not measured  broken        –       ≤ 500       –  m/s native failed: \u{1b}[31mred
        ");
    }

    #[test]
    fn several_sets_are_told_apart_and_markdown_is_a_table() {
        let mut two = some()[..2].to_vec();
        two[1].set = "own|2".to_owned();
        insta::assert_snapshot!(rendered(&Markdown, &two, 100), @r"
        | set | verdict | target | value | bound | margin | n | what is held |
        | --- | --- | --- | --: | --: | --: | --: | --- |
        | mine | pass | append | 1.23 µs | ≤ 10.0 µs | 88 % | 12.0k | append held to its bound |
        | own\|2 | pass | batch | 14.2M/s | ≥ 10.0M/s | 42 % | 12.0k × 16 | batch held to its bound; worst of 2 at batch=10 |
        ");
    }

    #[test]
    fn documents_have_base_units_and_say_what_is_absent() {
        insta::assert_snapshot!(rendered(&Csv, &some(), 100), @r"
        set,target,summary,scenario,arm,arguments,verdict,reason,unit,value,bound_kind,bound,margin,samples
        mine,append,append held to its bound,m/s,native,payload_bytes=64,pass,,ns,1234,at_most,10000,0.877,12000
        mine,batch,batch held to its bound,m/s,native,payload_bytes=64,pass,,1/s,14249000,at_least,10000000,0.425,12000
        mine,raw,raw held to its bound,m/s,native,payload_bytes=64,miss,,1,0.5,at_least,0.6,-0.167,12000
        mine,memory,memory held to its bound,m/s,native,payload_bytes=64,pass,,By/streams,104,at_most,1024,0.898,12000
        mine,broken,broken held to its bound,m/s,native,,not measured,m/s native failed: \u{1b}[31mred,,,at_most,500,,
        ");
    }
}
