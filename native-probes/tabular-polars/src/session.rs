//! A session of Polars: its input is generated, and read from the files that all engines read, when it is opened; every cell of its result is
//! compared, outside of the clock.

use crate::FOLDER;
use crate::allocated;
use crate::frame::{failed, to_table};
use crate::parts::Parts;
use crate::stage::{BY_ORGANISM, JOIN, Stage};
use bench_model::{Arguments, Check, ModuleError, Outcome, Session};
use polars::prelude::{DataFrame, IntoLazy, ParquetCompression, ParquetReader, ParquetWriter, SerReader};
use polars::sql::SQLContext;
use probe_abi::Host;
use std::fs::File;
use std::path::{Path, PathBuf};
use table_core::allocator::counted;
use table_core::clock::Clock;
use table_core::relational::{self, Groups};
use table_core::{Cell, Digest, Invariants, Recipe, Table, compare, parquet};

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
    /// The join within a pipeline, and the rows that it had in the last operation.
    joined: Option<Digest>,
    joined_rows: usize,
    first: Digest,
    /// The series of its stages, if an operation has several.
    parts: Option<Parts>,
}

/// The files that an operation may read.
const GENES: &str = "genes.parquet";
const PUBLICATIONS: &str = "publications.parquet";

/// The sums of doubles by organism.
type Sums = Vec<(i64, Option<f64>)>;

impl Frames {
    pub(crate) fn open(stage: Stage, arguments: &Arguments, host: Option<Host>) -> Result<Self, ModuleError> {
        limit_threads(arguments.size("threads")?);
        let recipe = Recipe { rows: arguments.size("rows")?, seed: arguments.integer("seed")?.cast_unsigned() };
        let (genes, publications) = (recipe.genes(), recipe.publications());
        let groups = relational::genes_by_organism(&genes);
        let folder = PathBuf::from(arguments.text(FOLDER)?);
        let (gene_bytes, genes_frame) = canonical(&folder.join(GENES), &genes)?;
        let (publication_bytes, publications_frame) = canonical(&folder.join(PUBLICATIONS), &publications)?;
        let parts = host.filter(|_| !stage.parts().is_empty()).map(|host| Parts::open(host, stage)).transpose()?;
        let bytes = match stage {
            Stage::ParquetScan => gene_bytes,
            Stage::PipelineEtl => gene_bytes + publication_bytes,
            Stage::ParquetWrite | Stage::Join | Stage::Aggregate => 0,
        };
        let mut session = Self {
            stage,
            genes: genes_frame,
            publications: publications_frame,
            folder,
            result: DataFrame::empty(),
            bytes,
            expected: Table::new(Vec::new()),
            groups: None,
            joined: None,
            joined_rows: 0,
            first: Digest::default(),
            parts,
        };
        let joins = stage.parts().contains(&"join");
        session.joined = joins.then(|| Digest::of(&relational::full_outer_join(&genes, &publications)));
        (session.expected, session.groups) = match stage {
            Stage::ParquetScan | Stage::ParquetWrite => (genes, None),
            Stage::Join => (relational::full_outer_join(&genes, &publications), None),
            Stage::Aggregate | Stage::PipelineEtl => (groups.exact.clone(), Some(groups)),
        };
        let (ran, first) = counted(|| session.run());
        ran?;
        let (ran, next) = counted(|| session.run());
        ran?;
        allocated::record(host, first, next)?;
        session.first = Digest::of(&session.found()?.0);
        Ok(session)
    }

    fn run(&mut self) -> Result<(), ModuleError> {
        let file = |name: &str| self.folder.join(name);
        // Freed in the operation, and before another one is made, so that the peak of the memory is that of one.
        self.result = DataFrame::empty();
        let result = match self.stage {
            Stage::ParquetScan => read(&file(GENES))?,
            Stage::ParquetWrite => return write(&self.genes, &file("output.parquet")),
            Stage::Join => query(JOIN, &self.genes, &self.publications)?,
            Stage::Aggregate => query(BY_ORGANISM, &self.genes, &self.publications)?,
            Stage::PipelineEtl => {
                self.joined_rows = self.pipeline(&mut Clock::start())?;
                return Ok(());
            }
        };
        self.result = result;
        Ok(())
    }

    /// Tells the clock the end of each stage. What is freed afterwards is in none. Returns the number of joined rows.
    fn pipeline(&self, clock: &mut Clock) -> Result<usize, ModuleError> {
        let file = |name: &str| self.folder.join(name);
        let (genes, publications) = (read(&file(GENES))?, read(&file(PUBLICATIONS))?);
        clock.lap("scan");
        let joined = query(JOIN, &genes, &publications)?;
        clock.lap("join");
        let groups = query(BY_ORGANISM, &genes, &publications)?;
        clock.lap("aggregate");
        write(&groups, &file("output.parquet"))?;
        clock.lap("parquet-output");
        Ok(joined.height())
    }

    /// Whether the join within a pipeline has the rows that it must have. It is computed once more, because its rows are not kept.
    fn joined_checks(&self) -> Result<Vec<Check>, ModuleError> {
        let Some(expected) = self.joined else { return Ok(Vec::new()) };
        let file = |name: &str| read(&self.folder.join(name));
        let joined = query(JOIN, &file(GENES)?, &file(PUBLICATIONS)?)?;
        let found = Digest::of(&to_table(&joined, &Stage::Join.fields())?);
        Ok(vec![
            Check::equal("joined-rows", &expected.rows, &(self.joined_rows as u64)),
            Check::equal("joined-cells", &expected, &found),
        ])
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

/// Writes the file that all engines read, and reads it; also returns its size.
fn canonical(path: &Path, table: &Table) -> Result<(u64, DataFrame), ModuleError> {
    let file = parquet::write(table);
    std::fs::write(path, &file).map_err(|error| unreadable(path, &error))?;
    Ok((file.len() as u64, read(path)?))
}

pub(crate) fn read(path: &Path) -> Result<DataFrame, ModuleError> {
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
            let joined_rows = self.pipeline(&mut clock)?;
            parts.record(clock);
            self.joined_rows = joined_rows;
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
        checks.extend(self.joined_checks()?);
        Ok(checks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_join_within_a_pipeline_fails() {
        let folder = tempfile::tempdir().unwrap();
        let mut arguments = Arguments::default();
        for (name, value) in [("rows", 300), ("seed", 1), ("threads", 1)] {
            arguments.set(name, value);
        }
        arguments.set(FOLDER, folder.path().to_str().unwrap());
        let mut session = Frames::open(Stage::PipelineEtl, &arguments, None).unwrap();
        let failed = |session: &mut Frames| {
            let failed = session.verify().unwrap().into_iter().filter(|check| !check.passed);
            failed.map(|check| check.name).collect::<Vec<_>>()
        };
        session.iterate(1).unwrap();
        assert_eq!(failed(&mut session), [""; 0]);
        session.joined_rows -= 1;
        assert_eq!(failed(&mut session), ["joined-rows"]);
        session.iterate(1).unwrap();
        session.joined = Some(Digest::default());
        assert_eq!(failed(&mut session), ["joined-rows", "joined-cells"]);
    }
}
