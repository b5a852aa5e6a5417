//! A session of Polars: its input is generated and converted when it is opened; every cell of its result is compared, outside of the clock.

use crate::FOLDER;
use crate::frame::{failed, of_table, to_table};
use crate::parts::Parts;
use crate::stage::{BY_ORGANISM, JOIN, Stage};
use bench_model::{Arguments, Check, ModuleError, Outcome, Session};
use polars::prelude::{DataFrame, IntoLazy, ParquetCompression, ParquetReader, ParquetWriter, SerReader};
use polars::sql::SQLContext;
use probe_abi::Host;
use std::fs::File;
use std::path::{Path, PathBuf};
use table_core::clock::Clock;
use table_core::relational::{self, Groups};
use table_core::{Cell, Digest, Recipe, Table, compare};

pub(crate) struct Frames {
    stage: Stage,
    genes: DataFrame,
    publications: DataFrame,
    folder: PathBuf,
    result: DataFrame,
    bytes: u64,
    expected: Table,
    /// The sums of doubles, which are not part of `expected`.
    groups: Option<Groups>,
    first: Digest,
    /// The series of its stages, if an operation has several.
    parts: Option<Parts>,
}

/// The sums of doubles by organism.
type Sums = Vec<(i64, Option<f64>)>;

impl Frames {
    pub(crate) fn open(stage: Stage, arguments: &Arguments, host: Option<Host>) -> Result<Self, ModuleError> {
        limit_threads(arguments.size("threads")?);
        let recipe = Recipe { rows: arguments.size("rows")?, seed: arguments.integer("seed")?.cast_unsigned() };
        let (genes, publications) = (recipe.genes(), recipe.publications());
        let groups = relational::genes_by_organism(&genes);
        let host = host.filter(|_| !stage.parts().is_empty());
        let parts = host.map(|host| Parts::open(host, stage)).transpose()?;
        let mut session = Self {
            stage,
            genes: of_table(&genes)?,
            publications: of_table(&publications)?,
            folder: PathBuf::from(arguments.text(FOLDER)?),
            result: DataFrame::empty(),
            bytes: 0,
            expected: Table::new(Vec::new()),
            groups: None,
            first: Digest::default(),
            parts,
        };
        session.write_input()?;
        (session.expected, session.groups) = match stage {
            Stage::ParquetScan | Stage::ParquetWrite => (genes, None),
            Stage::Join => (relational::full_outer_join(&genes, &publications), None),
            Stage::Aggregate | Stage::PipelineEtl => (groups.exact.clone(), Some(groups)),
        };
        session.run()?;
        session.first = Digest::of(&session.found()?.0);
        Ok(session)
    }

    /// Writes the files that an operation reads.
    fn write_input(&mut self) -> Result<(), ModuleError> {
        let files: &[(&str, &DataFrame)] = match self.stage {
            Stage::ParquetScan => &[("genes.parquet", &self.genes)],
            Stage::PipelineEtl => &[("genes.parquet", &self.genes), ("publications.parquet", &self.publications)],
            Stage::ParquetWrite | Stage::Join | Stage::Aggregate => &[],
        };
        let mut bytes = 0;
        for (name, frame) in files {
            let path = self.folder.join(name);
            write(frame, &path)?;
            bytes += std::fs::metadata(&path).map_err(|error| unreadable(&path, &error))?.len();
        }
        self.bytes = bytes;
        Ok(())
    }

    fn run(&mut self) -> Result<(), ModuleError> {
        let file = |name: &str| self.folder.join(name);
        // Freed in the operation, and before another one is made, so that the peak of the memory is that of one.
        self.result = DataFrame::empty();
        let result = match self.stage {
            Stage::ParquetScan => read(&file("genes.parquet"))?,
            Stage::ParquetWrite => return write(&self.genes, &file("output.parquet")),
            Stage::Join => query(JOIN, &self.genes, &self.publications)?,
            Stage::Aggregate => query(BY_ORGANISM, &self.genes, &self.publications)?,
            Stage::PipelineEtl => return self.pipeline(&mut Clock::start()),
        };
        self.result = result;
        Ok(())
    }

    /// Tells the clock the end of each stage. What is freed afterwards is in none.
    fn pipeline(&self, clock: &mut Clock) -> Result<(), ModuleError> {
        let file = |name: &str| self.folder.join(name);
        let (genes, publications) = (read(&file("genes.parquet"))?, read(&file("publications.parquet"))?);
        clock.lap("scan");
        let _joined = query(JOIN, &genes, &publications)?;
        clock.lap("join");
        let groups = query(BY_ORGANISM, &genes, &publications)?;
        clock.lap("aggregate");
        write(&groups, &file("output.parquet"))?;
        clock.lap("parquet-output");
        Ok(())
    }

    /// The rows of the last result, without the column that is not exact, and the sums in that column.
    fn found(&self) -> Result<(Table, Sums), ModuleError> {
        let fields = self.stage.fields();
        let all = match self.stage {
            Stage::ParquetWrite | Stage::PipelineEtl => to_table(&read(&self.folder.join("output.parquet"))?, &fields)?,
            Stage::ParquetScan | Stage::Join | Stage::Aggregate => to_table(&self.result, &fields)?,
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

/// Polars reads the number of its threads when it first needs them, which is after this.
#[expect(unsafe_code, reason = "the number of threads can only be given in the environment")]
fn limit_threads(threads: usize) {
    // SAFETY: the worker opens a session in the thread that executes it, and no other thread of it reads the environment.
    unsafe { std::env::set_var("POLARS_MAX_THREADS", threads.to_string()) };
}

/// The result of a statement over both tables. Planning it is part of the operation, as it is for other engines.
fn query(statement: &str, genes: &DataFrame, publications: &DataFrame) -> Result<DataFrame, ModuleError> {
    let mut context = SQLContext::new();
    // Both share their buffers with the originals.
    context.register("genes", genes.clone().lazy());
    context.register("publications", publications.clone().lazy());
    context.execute(statement).and_then(|plan| plan.collect()).map_err(failed)
}

fn read(path: &Path) -> Result<DataFrame, ModuleError> {
    let file = File::open(path).map_err(|error| unreadable(path, &error))?;
    ParquetReader::new(file).finish().map_err(failed)
}

fn write(frame: &DataFrame, path: &Path) -> Result<(), ModuleError> {
    let file = File::create(path).map_err(|error| unreadable(path, &error))?;
    let writer = ParquetWriter::new(file).with_compression(ParquetCompression::Snappy);
    writer.finish(&mut frame.clone()).map(|_| ()).map_err(failed)
}

fn unreadable(path: &Path, error: &std::io::Error) -> ModuleError {
    ModuleError::Unavailable(format!("`{FOLDER}`: {}: {error}", path.display()))
}

impl Session for Frames {
    fn iterate(&mut self, times: u64) -> Result<Outcome, ModuleError> {
        for _ in 0..times {
            let Some(parts) = &self.parts else {
                self.run()?;
                continue;
            };
            let mut clock = Clock::start();
            self.pipeline(&mut clock)?;
            parts.record(clock);
        }
        Ok(Outcome { operations: times, bytes: times * self.bytes, checksum: self.first.checksum() })
    }

    fn verify(&mut self) -> Result<Vec<Check>, ModuleError> {
        let (found, sums) = self.found()?;
        let differs = compare(&self.expected, &found).err();
        let passed = differs.is_none();
        let mut checks = vec![
            Check::equal("rows", &self.expected.rows(), &found.rows()),
            Check::that("cells", passed, differs.unwrap_or_else(|| Digest::of(&found).to_string())),
            Check::equal("same-result-as-at-first", &self.first, &Digest::of(&found)),
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
