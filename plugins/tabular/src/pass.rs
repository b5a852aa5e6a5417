//! A session that runs one stage: an operation is one pass over all rows.

use crate::stage::Stage;
use crate::{allocated, input};
use bench_plugin::prelude::*;
use std::hint::black_box;
use table_core::allocator::counted;
use table_core::{Digest, Invariants, Table, compare, fingerprint};

pub(crate) struct Pass<S> {
    stage: S,
    /// The digest of the result of the first pass, which all later ones must have. It does not depend on the order of rows.
    first: Digest,
}

impl<S: Stage> Pass<S> {
    pub(crate) fn describe() -> Scenario {
        let scenario = Scenario::new(S::NAME, "tabular", S::SUMMARY).limit(MachineLimit::MemoryRead);
        let scenario = S::parameters().into_iter().fold(input::described(scenario), Scenario::parameter);
        let scenario = allocated::described(scenario);
        let size = Metric::new("size", Unit::Bytes, "bytes that the stage wrote, once per process");
        if S::WRITES { scenario.metric(size.direction(Direction::Neutral)) } else { scenario }
    }

    /// Opens the stage and runs two passes that are not timed: so that there is a result even after a batch of 0, and to count what they allocate.
    pub(crate) fn open(arguments: &Arguments, host: Host) -> Result<Box<dyn Session>, ModuleError> {
        let mut stage = S::prepare(input::recipe(arguments)?, arguments)?;
        let (ran, first) = counted(|| stage.run());
        ran?;
        let (ran, next) = counted(|| stage.run());
        ran?;
        allocated::record(host, first, next)?;
        if S::WRITES {
            host.series("size", &[])?.record(stage.written());
        }
        let first = Digest::of(&stage.result()?);
        Ok(Box::new(Self { stage, first }))
    }
}

impl<S: Stage> Session for Pass<S> {
    fn iterate(&mut self, times: u64) -> Result<Outcome, ModuleError> {
        for _ in 0..times {
            // Makes the optimiser assume new input and a used result in every pass.
            black_box(&mut self.stage).run()?;
        }
        Ok(Outcome { operations: times, bytes: times * self.stage.bytes(), checksum: self.first.checksum() })
    }

    fn verify(&mut self) -> Result<Vec<Check>, ModuleError> {
        let result = self.stage.result()?;
        let mut checks = parity(self.stage.expected(), &result);
        checks.push(Check::equal("same-result-as-at-first", &self.first, &Digest::of(&result)));
        checks.extend(self.stage.further_checks());
        Ok(checks)
    }
}

/// The checks that a result is the expected table: its schema, the number of its rows, and all cells of all rows in any order. The last one
/// has what others compare results by.
pub(crate) fn parity(expected: &Table, found: &Table) -> Vec<Check> {
    let cells = compare(expected, found);
    let (agrees, invariants) = Invariants::compared(expected, found);
    vec![
        Check::equal("schema", &fingerprint(expected.fields()), &fingerprint(found.fields())),
        Check::equal("rows", &expected.rows(), &found.rows()),
        Check::that("cells", cells.is_ok(), cells.err().unwrap_or_else(|| Digest::of(found).to_string())),
        Check::that("invariants", agrees, invariants),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use table_core::{Cell, Recipe};

    const ROWS: usize = 500;

    fn genes() -> Table {
        Recipe { rows: ROWS, seed: 1 }.genes()
    }

    /// The genes with another cell for each: `change` gets the row, the column and the cell.
    fn changed(change: impl for<'a> Fn(&'a Table, usize, usize) -> Cell<'a>) -> Table {
        let genes = genes();
        let mut changed = Table::new(genes.fields().to_vec());
        for row in 0..ROWS {
            for column in 0..genes.fields().len() {
                changed.push(column, change(&genes, row, column));
            }
        }
        changed
    }

    /// The first row whose symbol is as `wanted`.
    fn row_with(wanted: Cell<'_>) -> usize {
        let genes = genes();
        (0..ROWS).find(|row| genes.cell(*row, 1) == wanted).unwrap()
    }

    /// Which checks fail, and that they name the place. Whether a mutation is in the sample of the invariants is chance.
    #[track_caller]
    fn check(found: &Table, expect: &[&str], place: &str) {
        let checks = parity(&genes(), found).into_iter().filter(|check| check.name != "invariants");
        let failed: Vec<_> = checks.filter(|check| !check.passed).collect();
        assert_eq!(failed.iter().map(|check| check.name.as_str()).collect::<Vec<_>>(), expect);
        assert!(failed.iter().any(|check| check.detail.contains(place)) || expect.is_empty(), "{failed:?}");
    }

    #[test]
    fn every_mutation_is_found_and_reordering_is_not_one() {
        // Values shuffled among rows.
        let shuffled = changed(|genes, row, column| {
            let from = if column == 3 { (row + 1) % ROWS } else { row };
            genes.cell(from, column)
        });
        check(&shuffled, &["cells"], "`Gene.score`");
        // One value.
        let corrupt = changed(
            |genes, row, column| {
                if (row, column) == (70, 6) { Cell::Integer(1) } else { genes.cell(row, column) }
            },
        );
        check(&corrupt, &["cells"], "row 71, column `Gene.organism.taxonId`: expected Integer(");
        // One row.
        check(&genes().selected(1..ROWS), &["rows", "cells"], "rows are missing, among them row 1: ");
        // Two columns of one type.
        let swapped = |column: usize| if column < 2 { 1 - column } else { column };
        check(&changed(|genes, row, column| genes.cell(row, swapped(column))), &["cells"], "`Gene.primaryIdentifier`");
        // NULL and an empty text, both ways.
        for (from, to) in [(Cell::Null, Cell::Text("")), (Cell::Text(""), Cell::Null)] {
            let at = row_with(from);
            let found =
                changed(|genes, row, column| if (row, column) == (at, 1) { to } else { genes.cell(row, column) });
            check(
                &found,
                &["cells"],
                &format!("row {}, column `Gene.symbol`: expected {from:?}, found {to:?}", at + 1),
            );
        }
        check(&genes().selected((0..ROWS).rev()), &[], "");
    }

    #[test]
    fn invariants_are_written_and_compared() {
        let of = |found: &Table| parity(&genes(), found).pop().unwrap();
        let same = of(&genes().selected((0..ROWS).rev()));
        assert!(same.passed && same.detail.parse() == Ok(Invariants::of(&genes())), "{}", same.detail);
        let fewer = of(&genes().selected(1..ROWS));
        assert!(!fewer.passed && fewer.detail.contains(" row_count=499 "), "{}", fewer.detail);
    }

    #[test]
    fn other_rows_and_other_columns_are_found() {
        check(&Recipe { rows: ROWS, seed: 2 }.genes(), &["cells"], "column `Gene.");
        check(&Recipe { rows: ROWS, seed: 1 }.publications(), &["schema", "cells"], "schema: expected `");
    }
}
