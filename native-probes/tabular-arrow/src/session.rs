//! A session: its input is made when it is opened; every cell of its result is compared, outside of the clock.

use crate::allocated;
use crate::batches::{of_table, to_table};
use crate::stage::{Stage, csv_read, json_read, parquet_scan, parquet_write};
use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use bench_model::{Arguments, Check, ModuleError, Outcome, Session};
use bytes::Bytes;
use probe_abi::Host;
use table_core::allocator::counted;
use table_core::arrow::schema;
use table_core::{Digest, Invariants, Recipe, Table, compare};

pub(crate) struct Bare {
    stage: Stage,
    schema: SchemaRef,
    input: Bytes,
    /// What a writer writes.
    batches: Vec<RecordBatch>,
    expected: Table,
    result: Vec<RecordBatch>,
    written: Vec<u8>,
    first: Digest,
}

impl Bare {
    pub(crate) fn open(stage: Stage, arguments: &Arguments, host: Option<Host>) -> Result<Self, ModuleError> {
        let recipe = Recipe { rows: arguments.size("rows")?, seed: arguments.integer("seed")?.cast_unsigned() };
        let genes = recipe.genes();
        let batches = of_table(&genes)?;
        let input = stage.input(&genes, &batches)?;
        let mut session = Self {
            stage,
            schema: schema(genes.fields()),
            input,
            batches,
            expected: stage.carried(&genes),
            result: Vec::new(),
            written: Vec::new(),
            first: Digest::default(),
        };
        let (ran, first) = counted(|| session.run());
        ran?;
        let (ran, next) = counted(|| session.run());
        ran?;
        allocated::record(host, first, next)?;
        session.first = Digest::of(&session.found()?);
        Ok(session)
    }

    /// The result of the operation before is freed in it, as in the plug-in `tabular`.
    fn run(&mut self) -> Result<(), ModuleError> {
        self.result.clear();
        self.result = match self.stage {
            Stage::Csv => csv_read(&self.input, &self.schema)?,
            Stage::Json => json_read(&self.input, &self.schema)?,
            Stage::ParquetScan => parquet_scan(self.input.clone())?,
            Stage::ParquetWrite => {
                self.written.clear();
                return parquet_write(&self.batches, &mut self.written);
            }
        };
        Ok(())
    }

    fn found(&self) -> Result<Table, ModuleError> {
        if self.stage == Stage::ParquetWrite {
            return to_table(&parquet_scan(Bytes::copy_from_slice(&self.written))?, self.expected.fields());
        }
        to_table(&self.result, self.expected.fields())
    }
}

impl Session for Bare {
    fn iterate(&mut self, times: u64) -> Result<Outcome, ModuleError> {
        for _ in 0..times {
            self.run()?;
        }
        Ok(Outcome { operations: times, bytes: times * self.input.len() as u64, checksum: self.first.checksum() })
    }

    fn verify(&mut self) -> Result<Vec<Check>, ModuleError> {
        let found = self.found()?;
        let differs = compare(&self.expected, &found).err();
        let passed = differs.is_none();
        let (agrees, invariants) = Invariants::compared(&self.expected, &found);
        Ok(vec![
            Check::equal("rows", &self.expected.rows(), &found.rows()),
            Check::that("cells", passed, differs.unwrap_or_else(|| Digest::of(&found).to_string())),
            Check::equal("same-result-as-at-first", &self.first, &Digest::of(&found)),
            Check::that("invariants", agrees, invariants),
        ])
    }
}
