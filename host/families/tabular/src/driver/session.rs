//! A session of a stage: an operation is one call of it.

use super::job::{self, Expected};
use crate::arrow;
use crate::stages::{Stage, Stages};
use bench_drivers::Recording;
use bench_model::{Arguments, Check, ModuleError, Outcome, Scenario, Session};
use bench_sink::Sink;
use table_core::{Digest, Table};

pub(super) struct StageSession {
    stage: Box<dyn Stage>,
    expected: Expected,
    /// The bytes that an operation reads: of a file, or of the buffers of tables.
    bytes: u64,
    /// The digest of the first result, which all later ones must have.
    first: Digest,
    sink: Sink,
}

impl StageSession {
    /// Opens the scenario and executes one operation that is not timed, so that there is a result even after a batch of 0.
    pub(super) fn open(stages: &dyn Stages, scenario: &Scenario, arguments: &Arguments) -> Result<Self, ModuleError> {
        let (input, expected) = job::prepare(scenario, arguments)?;
        let files: u64 = input.files.iter().map(|file| file.len() as u64).sum();
        let tables: u64 = input.tables.iter().map(|table| arrow::bytes(table)).sum();
        let mut stage = stages.open(scenario, arguments, input)?;
        stage.run()?;
        let first = expected.digest(&table(stage.as_ref())?);
        Ok(Self { stage, expected, bytes: if files > 0 { files } else { tables }, first, sink: Sink::default() })
    }
}

fn table(stage: &dyn Stage) -> Result<Table, ModuleError> {
    let fault = |reason: String| ModuleError::Other(format!("the result of a stage: {reason}"));
    arrow::to_table(&stage.result()?).map_err(fault)
}

impl Session for StageSession {
    fn iterate(&mut self, times: u64) -> Result<Outcome, ModuleError> {
        for _ in 0..times {
            self.stage.run()?;
        }
        Ok(Outcome { operations: times, bytes: times * self.bytes, checksum: self.first.checksum() })
    }

    fn verify(&mut self) -> Result<Vec<Check>, ModuleError> {
        let found = table(self.stage.as_ref())?;
        let mut checks = self.expected.checks(&found);
        checks.push(Check::equal("same-result-as-at-first", &self.first, &self.expected.digest(&found)));
        Ok(checks)
    }
}

impl Recording for StageSession {
    fn sink(&mut self) -> &mut Sink {
        &mut self.sink
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec;
    use crate::stages::Input;
    use arrow_array::RecordBatch;
    use table_core::{Cell, Recipe, relational};

    const ROWS: i64 = 500;

    /// Stages of which every result is these rows.
    struct Answering(fn(&Input) -> Table);

    struct Answer(Vec<RecordBatch>);

    impl Stages for Answering {
        fn open(&self, _: &Scenario, _: &Arguments, input: Input) -> Result<Box<dyn Stage>, ModuleError> {
            Ok(Box::new(Answer(arrow::of_table(&(self.0)(&input)).unwrap())))
        }
    }

    impl Stage for Answer {
        fn run(&mut self) -> Result<(), ModuleError> {
            Ok(())
        }

        fn result(&self) -> Result<Vec<RecordBatch>, ModuleError> {
            Ok(self.0.clone())
        }
    }

    /// Which checks fail where the stage `name` answers so. Whether a difference is in the sample of the invariants is chance.
    #[track_caller]
    fn check(name: &str, answer: fn(&Input) -> Table, expect: &[&str]) {
        let scenario = spec::scenarios().into_iter().find(|scenario| scenario.name == name).unwrap();
        let mut arguments = Arguments::default();
        for parameter in &scenario.parameters {
            arguments.set(parameter.name.as_str(), parameter.defaults[0].clone());
        }
        arguments.set("rows", ROWS);
        let mut session = StageSession::open(&Answering(answer), &scenario, &arguments).unwrap();
        assert_eq!(session.iterate(2).unwrap().operations, 2);
        let checks = session.verify().unwrap().into_iter();
        let failed = checks.filter(|check| !check.passed && check.name != "invariants");
        assert_eq!(failed.map(|check| check.name).collect::<Vec<_>>(), expect, "{name}");
    }

    fn genes() -> Table {
        Recipe { rows: ROWS as usize, seed: 1 }.genes()
    }

    fn joined() -> Table {
        relational::full_outer_join(&genes(), &Recipe { rows: ROWS as usize, seed: 1 }.publications())
    }

    /// The first table of the input.
    fn given(input: &Input) -> Table {
        arrow::to_table(&input.tables[0]).unwrap()
    }

    #[test]
    fn right_results_pass_in_any_order() {
        check(spec::PASS, given, &[]);
        check(spec::PASS, |_| genes().selected((0..ROWS as usize).rev()), &[]);
        check(spec::DECODE, |_| genes(), &[]);
        check(spec::SCAN, |_| genes(), &[]);
        check(spec::JOIN, |_| joined(), &[]);
    }

    #[test]
    fn wrong_results_fail() {
        // The columns without rows, which a scan must fill.
        check(spec::SCAN, given, &["rows", "cells"]);
        check(spec::PASS, |_| genes().selected(1..ROWS as usize), &["rows", "cells"]);
        // NULL made an empty text in the column of symbols.
        let emptied = |_: &Input| {
            genes().mapped(|column, cell| if column == 1 && cell == Cell::Null { Cell::Text("") } else { cell })
        };
        check(spec::DECODE, emptied, &["cells"]);
        check(spec::JOIN, given, &["schema", "rows", "cells"]);
        check(spec::AGGREGATE, |_| genes(), &["schema", "rows", "cells", "sums-of-doubles"]);
    }
}
