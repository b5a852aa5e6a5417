//! A session that runs one stage: an operation is one pass over all rows.

use crate::input;
use crate::stage::Stage;
use bench_plugin::prelude::*;
use std::hint::black_box;
use table_core::{Digest, Table, compare, fingerprint};

pub(crate) struct Pass<S> {
    stage: S,
    /// The digest of the result of the first pass, which all later ones must have. It does not depend on the order of rows.
    first: Digest,
}

impl<S: Stage> Pass<S> {
    pub(crate) fn describe() -> Scenario {
        let scenario = Scenario::new(S::NAME, "tabular", S::SUMMARY).limit(MachineLimit::MemoryRead);
        let scenario = S::parameters().into_iter().fold(input::described(scenario), Scenario::parameter);
        let size = Metric::new("size", Unit::Bytes, "bytes that the stage wrote, once per process");
        if S::WRITES { scenario.metric(size.direction(Direction::Neutral)) } else { scenario }
    }

    /// Opens the stage and runs one pass that is not timed, so that there is a result even after a batch of 0.
    pub(crate) fn open(arguments: &Arguments, host: Host) -> Result<Box<dyn Session>, ModuleError> {
        let mut stage = S::prepare(input::recipe(arguments)?, arguments)?;
        stage.run()?;
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

/// The checks that a result is the expected table: its schema, the number of its rows, and all cells of all rows in any order.
pub(crate) fn parity(expected: &Table, found: &Table) -> Vec<Check> {
    let cells = compare(expected, found);
    vec![
        Check::equal("schema", &fingerprint(expected.fields()), &fingerprint(found.fields())),
        Check::equal("rows", &expected.rows(), &found.rows()),
        Check::that("cells", cells.is_ok(), cells.err().unwrap_or_else(|| Digest::of(found).to_string())),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use table_core::Recipe;

    fn failed(found: &Table) -> Vec<String> {
        let expected = Recipe { rows: 500, seed: 1 }.genes();
        parity(&expected, found).into_iter().filter(|check| !check.passed).map(|check| check.name).collect()
    }

    #[test]
    fn reordering_passes_and_a_lost_row_does_not() {
        let genes = Recipe { rows: 500, seed: 1 }.genes();
        assert_eq!(failed(&genes.selected((0..500).rev())), [""; 0]);
        assert_eq!(failed(&genes.selected(1..500)), ["rows", "cells"]);
        assert_eq!(failed(&Recipe { rows: 500, seed: 2 }.genes()), ["cells"]);
        assert_eq!(failed(&Recipe { rows: 500, seed: 1 }.publications()), ["schema", "cells"]);
    }
}
