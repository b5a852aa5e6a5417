//! Instruction counts of two sides, compared without tolerance. The engine counts the WebAssembly operators that operations execute, so
//! equal code with equal input has equal counts on every machine, however noisy it is.

use super::{ComparisonReport, Runs};
use crate::document::{Body, Column, Datum, Group, Measure, Section, Table};
use crate::{CellView, RunView};
use bench_model::Arguments;
use bench_sink::runfile::Status;

/// The counts of all cells that both sides have and any of them counted.
#[derive(Clone, Debug, PartialEq)]
pub struct InstructionCounts {
    cells: Vec<CountedCell>,
}

/// A cell of both sides.
#[derive(Clone, Debug, PartialEq)]
struct CountedCell {
    scenario: String,
    arguments: Arguments,
    arm: String,
    a: Counts,
    b: Counts,
}

/// The counts of one side.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Counts {
    /// No run of the side counted.
    Absent,
    /// The same in every run: instructions of an operation, and how many operations were counted.
    Exact { instructions: f64, operations: u64 },
    /// Not the same in every run of the side, so the cell is not deterministic.
    Varying { low: f64, high: f64 },
}

impl InstructionCounts {
    /// The counts of the two sides of `comparison`; an error if it has no sides.
    pub fn of(comparison: &ComparisonReport) -> Result<Self, String> {
        let Runs::Sides { a, b } = &comparison.runs else {
            let why =
                "instructions are compared between two runs or revisions; name two runs, or give --git BASE..HEAD";
            return Err(why.to_owned());
        };
        let mut cells: Vec<CountedCell> = Vec::new();
        // A cell that one side alone counted is among them, so that what is not compared is seen.
        for cell in counted(a).chain(counted(b)).filter(|cell| [a, b].iter().all(|side| has(side, cell))) {
            let known = |one: &CountedCell| {
                one.scenario == cell.scenario && one.arguments == cell.arguments && one.arm == cell.arm_label()
            };
            if cells.iter().any(known) {
                continue;
            }
            cells.push(CountedCell {
                scenario: cell.scenario.clone(),
                arguments: cell.arguments.clone(),
                arm: cell.arm_label(),
                a: Counts::of(a, cell),
                b: Counts::of(b, cell),
            });
        }
        // Values are never NaN, so arguments always compare.
        cells.sort_by(|a, b| {
            let key = |cell: &CountedCell| (cell.scenario.clone(), cell.arguments.clone(), cell.arm.clone());
            key(a).partial_cmp(&key(b)).unwrap_or(std::cmp::Ordering::Equal)
        });
        Ok(Self { cells })
    }

    /// Each cell that was counted exactly on both sides, as text, with the ratio of B to A.
    pub fn ratios(&self) -> Vec<(String, f64)> {
        let ratio = |cell: &CountedCell| {
            let (a, b) = cell.exact()?;
            Some((format!("{}: {a} instructions an operation in A, {b} in B", cell.name()), b / a))
        };
        self.cells.iter().filter_map(ratio).collect()
    }

    /// Each cell that cannot be compared exactly, as text with the reason.
    pub fn not_exact(&self) -> Vec<(String, &'static str)> {
        let cells = self.cells.iter().filter(|cell| cell.exact().is_none());
        cells.map(|cell| (cell.name(), cell.why_not_exact())).collect()
    }

    /// How many cells execute more instructions in B.
    pub fn grown(&self) -> usize {
        self.ratios().iter().filter(|(_, ratio)| *ratio > 1.0).count()
    }

    /// Whether any cell was counted exactly on both sides.
    pub fn has_exact(&self) -> bool {
        self.cells.iter().any(|cell| cell.exact().is_some())
    }

    /// A row for each cell.
    pub fn section(&self) -> Section {
        let columns = vec![
            Column::words("arm"),
            Column::words("arguments"),
            Column::words("counts"),
            Column::figures("A"),
            Column::figures("B"),
            Column::figures("B / A").key("ratio"),
            Column::figures("n").key("operations"),
        ];
        let chunks = self.cells.chunk_by(|one, other| one.scenario == other.scenario);
        let groups = chunks.map(|cells| Group {
            name: cells[0].scenario.clone(),
            remark: "WebAssembly operators of an operation".to_owned(),
            rows: cells.iter().map(CountedCell::row).collect(),
        });
        let table = Table { grouped_by: "scenario".to_owned(), columns, groups: groups.collect() };
        let mut remarks = Vec::new();
        if self.cells.is_empty() {
            remarks.push("no cell of both sides was counted: only the arm wasm has instruction counts".to_owned());
        }
        if self.cells.iter().any(CountedCell::is_varying) {
            remarks.push(
                "a count that varies between runs of one side is not compared: the cell is not deterministic"
                    .to_owned(),
            );
        }
        Section::new("instructions", "Instructions, compared exactly", Body::Table(table)).with_remarks(remarks)
    }
}

/// Whether any of `runs` has figures of the cell.
fn has(runs: &[RunView], wanted: &CellView) -> bool {
    let mut cells = runs.iter().flat_map(|run| &run.cells);
    cells.any(|cell| cell.status == Status::Ok && cell.identity() == wanted.identity())
}

/// The cells of `runs` that have a count.
fn counted(runs: &[RunView]) -> impl Iterator<Item = &CellView> {
    let cells = runs.iter().flat_map(|run| &run.cells);
    cells.filter(|cell| cell.status == Status::Ok && count(cell).is_some())
}

/// Instructions and operations of a cell.
fn count(cell: &CellView) -> Option<(u64, u64)> {
    let account = cell.account.as_ref().filter(|account| account.counted > 0)?;
    Some((account.instructions?, account.counted))
}

impl Counts {
    fn of(runs: &[RunView], wanted: &CellView) -> Self {
        let counts = counted(runs).filter(|cell| cell.identity() == wanted.identity()).filter_map(count);
        let counts: Vec<(u64, u64)> = counts.collect();
        let each = || counts.iter().map(|(instructions, operations)| *instructions as f64 / *operations as f64);
        let Some((first, operations)) = counts.first() else { return Self::Absent };
        // Compared as whole numbers, because a quotient may be rounded.
        let is_same = |(instructions, of): &(u64, u64)| {
            u128::from(*instructions) * u128::from(*operations) == u128::from(*first) * u128::from(*of)
        };
        match counts.iter().all(is_same) {
            true => Self::Exact {
                instructions: *first as f64 / *operations as f64,
                operations: counts.iter().map(|(_, operations)| operations).sum(),
            },
            false => Self::Varying {
                low: each().fold(f64::INFINITY, f64::min),
                high: each().fold(f64::NEG_INFINITY, f64::max),
            },
        }
    }

    fn datum(self) -> Datum {
        match self {
            Self::Absent => Datum::Absent,
            Self::Exact { instructions, .. } => Datum::number(instructions, Measure::Plain),
            Self::Varying { low, high } => Datum::Range { low, high, measure: Measure::Plain },
        }
    }
}

impl CountedCell {
    fn name(&self) -> String {
        format!("{} {} {}", self.scenario, self.arguments, self.arm).replace("  ", " ")
    }

    /// Whether the counts of a side differ.
    fn is_varying(&self) -> bool {
        [self.a, self.b].iter().any(|counts| matches!(counts, Counts::Varying { .. }))
    }

    /// Why it has no ratio, if it has none.
    fn why_not_exact(&self) -> &'static str {
        match (self.a, self.b) {
            (Counts::Varying { .. }, _) | (_, Counts::Varying { .. }) => {
                "the count varies between runs of one side: not deterministic"
            }
            (Counts::Absent, _) => "not counted in A",
            (_, Counts::Absent) => "not counted in B",
            _ => "no instruction was counted in A",
        }
    }

    /// The counts of both sides, if both are exact and above 0.
    fn exact(&self) -> Option<(f64, f64)> {
        match (self.a, self.b) {
            (Counts::Exact { instructions: a, .. }, Counts::Exact { instructions: b, .. }) if a > 0.0 => Some((a, b)),
            _ => None,
        }
    }

    fn row(&self) -> Vec<Datum> {
        let verdict = match self.exact() {
            None if self.is_varying() => "not deterministic",
            None => "not counted",
            Some((a, b)) if a == b => "equal",
            Some((a, b)) if a < b => "more",
            Some(_) => "fewer",
        };
        let operations =
            [self.a, self.b].map(|counts| if let Counts::Exact { operations, .. } = counts { operations } else { 0 });
        vec![
            Datum::text(&self.arm),
            Datum::text(self.arguments.to_string()),
            Datum::text(verdict),
            self.a.datum(),
            self.b.datum(),
            Datum::or_absent(self.exact().map(|(a, b)| Datum::number(b / a, Measure::Factor))),
            Datum::count(operations.iter().sum::<u64>() as f64),
        ]
    }
}
