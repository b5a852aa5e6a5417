//! A session of DataFusion: its input is generated and registered when it is opened, as tables in memory and as the file that all engines read;
//! every cell of its result is compared, outside of the clock.

use crate::stage::{FILE, GENES, PUBLICATIONS, Stage};
use crate::{FOLDER, allocated, batches};
use bench_model::{Arguments, Check, ModuleError, Outcome, Session};
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::config::TableParquetOptions;
use datafusion::dataframe::DataFrameWriteOptions;
use datafusion::datasource::MemTable;
use datafusion::error::DataFusionError;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::prelude::{ParquetReadOptions, SessionConfig, SessionContext};
use probe_abi::Host;
use std::path::PathBuf;
use std::sync::Arc;
use table_core::allocator::counted;
use table_core::relational::{self, Groups};
use table_core::{Cell, Digest, Invariants, Recipe, Table, compare, parquet};
use tokio::runtime::Runtime;

pub(crate) struct Statements {
    runtime: Runtime,
    context: SessionContext,
    stage: Stage,
    folder: PathBuf,
    result: Vec<RecordBatch>,
    bytes: u64,
    expected: Table,
    /// The sums of doubles, which are not part of `expected`.
    groups: Option<Groups>,
    first: Digest,
}

/// The sums of doubles by organism.
type Sums = Vec<(i64, Option<f64>)>;

impl Statements {
    pub(crate) fn open(stage: Stage, arguments: &Arguments, host: Option<Host>) -> Result<Self, ModuleError> {
        let recipe = Recipe { rows: arguments.size("rows")?, seed: arguments.integer("seed")?.cast_unsigned() };
        let (genes, publications) = (recipe.genes(), recipe.publications());
        let threads = arguments.size("threads")?;
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build();
        let runtime =
            runtime.map_err(|error| ModuleError::Unavailable(format!("DataFusion's threads do not start: {error}")))?;
        let memory = arguments.size("memory_mib")? << 20;
        // Without caches, an operation lists its files and reads their footers itself, and a file that was written again is not taken for
        // the one before.
        let environment = RuntimeEnvBuilder::new()
            .with_memory_limit(memory, 1.0)
            .with_metadata_cache_limit(0)
            .with_object_list_cache_limit(0)
            .with_file_statistics_cache_limit(0);
        let environment = environment.build_arc().map_err(failed)?;
        let config = SessionConfig::new().with_target_partitions(threads);
        let context = SessionContext::new_with_config_rt(config, environment);
        register(&context, GENES, &genes, threads)?;
        register(&context, PUBLICATIONS, &publications, threads)?;
        let file = parquet::write(&genes);
        let groups = relational::genes_by_organism(&genes);
        let (expected, groups) = match stage {
            Stage::ParquetScan | Stage::ParquetWrite => (genes, None),
            Stage::ParquetFooter => {
                let mut rows = Table::new(stage.fields());
                rows.push_row([Cell::Integer(genes.rows() as i64)]);
                (rows, None)
            }
            Stage::Join => (relational::full_outer_join(&genes, &publications), None),
            Stage::Aggregate => (groups.exact.clone(), Some(groups)),
        };
        let folder = PathBuf::from(arguments.text(FOLDER)?);
        let (result, first) = (Vec::new(), Digest::default());
        let mut session = Self { runtime, context, stage, folder, result, bytes: 0, expected, groups, first };
        session.write_input(&file)?;
        let (ran, first) = counted(|| session.run());
        ran?;
        let (ran, next) = counted(|| session.run());
        ran?;
        allocated::record(host, first, next)?;
        session.first = Digest::of(&session.found()?.0);
        Ok(session)
    }

    /// Writes the file that scans read.
    fn write_input(&mut self, file: &[u8]) -> Result<(), ModuleError> {
        let path = self.path("genes.parquet")?;
        std::fs::write(&path, file)
            .map_err(|error| ModuleError::Unavailable(format!("`{FOLDER}`: {path}: {error}")))?;
        self.register_file(FILE, &path)?;
        if self.stage == Stage::ParquetScan {
            self.bytes = file.len() as u64;
        }
        Ok(())
    }

    fn path(&self, name: &str) -> Result<String, ModuleError> {
        let path = self.folder.join(name);
        let text = path.to_str().map(str::to_owned);
        text.ok_or_else(|| ModuleError::InvalidArgument(format!("`{FOLDER}`: {} is not UTF-8", path.display())))
    }

    fn register_file(&self, name: &str, path: &str) -> Result<(), ModuleError> {
        self.runtime.block_on(self.context.register_parquet(name, path, ParquetReadOptions::default())).map_err(failed)
    }

    fn collect(&self, query: &str) -> Result<Vec<RecordBatch>, ModuleError> {
        let collected = async { self.context.sql(query).await?.collect().await };
        self.runtime.block_on(collected).map_err(failed)
    }

    /// Writes the rows of a query as one Parquet file.
    fn write(&self, query: &str, path: &str) -> Result<(), ModuleError> {
        let mut parquet = TableParquetOptions::default();
        parquet.global.compression = Some("snappy".to_owned());
        let options = DataFrameWriteOptions::new().with_single_file_output(true);
        let written = async { self.context.sql(query).await?.write_parquet(path, options, Some(parquet)).await };
        self.runtime.block_on(written).map(|_| ()).map_err(failed)
    }

    fn run(&mut self) -> Result<(), ModuleError> {
        if self.stage == Stage::ParquetWrite {
            return self.write(self.stage.query(), &self.path("output.parquet")?);
        }
        self.result.clear();
        self.result = self.collect(self.stage.query())?;
        Ok(())
    }

    /// The rows of the last result, without the column that is not exact, and the sums in that column.
    fn found(&self) -> Result<(Table, Sums), ModuleError> {
        let fields = self.stage.fields();
        let all = if self.stage == Stage::ParquetWrite {
            self.register_file("output", &self.path("output.parquet")?)?;
            let rows = self.collect("SELECT * FROM output");
            self.context.deregister_table("output").map_err(failed)?;
            batches::to_table(&rows?, &fields)?
        } else {
            batches::to_table(&self.result, &fields)?
        };
        if self.groups.is_none() {
            return Ok((all, Vec::new()));
        }
        let exact = fields.len() - 1;
        let mut table = Table::new(fields[..exact].to_vec());
        let mut sums = Vec::new();
        for row in 0..all.rows() {
            table.push_row(all.row(row).take(exact));
            if let Cell::Integer(taxon) = all.cell(row, 0) {
                let sum = if let Cell::Real(sum) = all.cell(row, exact) { Some(sum) } else { None };
                sums.push((taxon, sum));
            }
        }
        Ok((table, sums))
    }
}

/// Registers a table in memory, with its batches dealt out to as many partitions as there are threads.
fn register(context: &SessionContext, name: &str, table: &Table, threads: usize) -> Result<(), ModuleError> {
    let mut partitions = vec![Vec::new(); threads];
    for (number, batch) in batches::of_table(table)?.into_iter().enumerate() {
        partitions[number % threads].push(batch);
    }
    let table = MemTable::try_new(batches::schema(table.fields()), partitions).map_err(failed)?;
    context.register_table(name, Arc::new(table)).map(|_| ()).map_err(failed)
}

impl Session for Statements {
    fn iterate(&mut self, times: u64) -> Result<Outcome, ModuleError> {
        for _ in 0..times {
            self.run()?;
        }
        Ok(Outcome { operations: times, bytes: times * self.bytes, checksum: self.first.checksum() })
    }

    fn verify(&mut self) -> Result<Vec<Check>, ModuleError> {
        let (found, sums) = self.found()?;
        let differs = compare(&self.expected, &found).err();
        let passed = differs.is_none();
        let (agrees, invariants) = Invariants::compared(&self.expected, &found);
        let mut checks = vec![
            Check::equal("rows", &self.expected.rows(), &found.rows()),
            Check::that("cells", passed, differs.unwrap_or_else(|| Digest::of(&found).to_string())),
            Check::equal("same-result-as-at-first", &self.first, &Digest::of(&found)),
            Check::that("invariants", agrees, invariants),
        ];
        if let Some(groups) = &self.groups {
            let wrong = sums.iter().find(|(taxon, sum)| !groups.sums.get(taxon).is_some_and(|near| near.is_near(*sum)));
            let detail =
                wrong.map_or("within n·ε·Σ|x|".to_owned(), |wrong| format!("not within n·ε·Σ|x|: {wrong:?}"));
            checks.push(Check::that("sums-of-doubles", wrong.is_none(), detail));
        }
        Ok(checks)
    }
}

fn failed(error: DataFusionError) -> ModuleError {
    let text = error.to_string();
    ModuleError::Other(format!("DataFusion: {}", text.lines().next().unwrap_or_default()))
}
