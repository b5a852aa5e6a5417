//! A session of DuckDB: its input is generated and loaded when it is opened; its result leaves as CSV that loses nothing, so that every cell
//! is compared, outside of the clock.

use crate::FOLDER;
use crate::engine::Engine;
use crate::parts::Parts;
use crate::stage::{self, GENES, JOINED, PUBLICATIONS, Stage};
use bench_model::{Arguments, Check, ModuleError, Outcome, Session};
use probe_abi::Host;
use std::path::{Path, PathBuf};
use table_core::clock::Clock;
use table_core::csv::{self, Dialect};
use table_core::relational::{self, Groups};
use table_core::{
    Cell, Digest, Field, Invariants, Recipe, Table, compare, gene_fields, parquet, publication_fields, text,
};

pub(crate) struct Statements {
    engine: Engine,
    stage: Stage,
    folder: PathBuf,
    statements: Vec<String>,
    bytes: u64,
    expected: Table,
    /// The sums of doubles, which are not part of `expected`.
    groups: Option<Groups>,
    /// The join within a pipeline, whose rows are not part of its result.
    joined: Option<Digest>,
    first: Digest,
    /// The series of its stages, if an operation has several.
    parts: Option<Parts>,
}

/// The sums of doubles by organism.
type Sums = Vec<(i64, Option<f64>)>;

impl Statements {
    pub(crate) fn open(stage: Stage, arguments: &Arguments, host: Option<Host>) -> Result<Self, ModuleError> {
        let (engine, folder) = opened(arguments)?;
        let recipe = Recipe { rows: arguments.size("rows")?, seed: arguments.integer("seed")?.cast_unsigned() };
        let (genes, publications) = (recipe.genes(), recipe.publications());
        for (name, table) in [(GENES, &genes), (PUBLICATIONS, &publications)] {
            load(&engine, &folder, name, table)?;
        }
        let bytes = input_bytes(stage, &folder)?;
        let groups = relational::genes_by_organism(&genes);
        let joins = stage.parts().contains(&"join");
        let joined = joins.then(|| Digest::of(&relational::full_outer_join(&genes, &publications)));
        let (expected, groups) = match stage {
            Stage::CsvScan | Stage::CsvWrite | Stage::ParquetScan | Stage::ParquetWrite => (genes, None),
            Stage::ParquetFooter => {
                let mut rows = Table::new(stage.fields());
                rows.push_row([Cell::Integer(genes.rows() as i64)]);
                (rows, None)
            }
            Stage::Join => (relational::full_outer_join(&genes, &publications), None),
            Stage::Aggregate | Stage::PipelineElt => (groups.exact.clone(), Some(groups)),
        };
        let statements = stage.statements(&folder.to_string_lossy());
        let host = host.filter(|_| !stage.parts().is_empty());
        let parts = host.map(|host| Parts::open(host, stage)).transpose()?;
        let first = Digest::default();
        let mut session = Self { engine, stage, folder, statements, bytes, expected, groups, joined, first, parts };
        session.run()?;
        session.first = Digest::of(&session.result()?.0);
        Ok(session)
    }

    fn run(&self) -> Result<(), ModuleError> {
        self.statements.iter().try_for_each(|statement| self.engine.execute(statement))
    }

    /// As [`run`](Self::run), with a clock of each stage.
    fn run_in_parts(&self) -> Result<Clock, ModuleError> {
        let mut clock = Clock::start();
        for (statement, part) in self.statements.iter().zip(self.stage.parts().iter().copied()) {
            self.engine.execute(statement)?;
            clock.lap(part);
        }
        Ok(clock)
    }

    /// The rows of the last result, without the column that is not exact, and the sums in that column.
    fn result(&self) -> Result<(Table, Sums), ModuleError> {
        let folder = self.folder.to_string_lossy();
        if let Some(statement) = self.stage.read_back(&folder) {
            self.engine.execute(&statement)?;
        }
        let fields = self.stage.fields();
        let all = self.rows_of("result", &fields)?;
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

    /// The rows of a table.
    fn rows_of(&self, table: &str, fields: &[Field]) -> Result<Table, ModuleError> {
        let path = self.folder.join(format!("{table}.csv"));
        self.engine.execute(&format!("COPY {table} TO '{}' ({})", path.display(), stage::CSV_OPTIONS))?;
        read(&path, fields)
    }

    /// Whether the join within a pipeline has the rows that it must have.
    fn joined_checks(&self) -> Result<Vec<Check>, ModuleError> {
        let Some(expected) = self.joined else { return Ok(Vec::new()) };
        let found = self.rows_of(JOINED, &relational::joined_fields(&gene_fields(), &publication_fields()))?;
        let found = Digest::of(&found);
        Ok(vec![
            Check::equal("joined-rows", &expected.rows, &found.rows),
            Check::equal("joined-cells", &expected, &found),
        ])
    }

    /// The names and types of the result's columns, in order. DuckDB's tables do not declare which may hold NULL.
    fn schema_check(&self) -> Result<Check, ModuleError> {
        let folder = self.folder.to_string_lossy();
        let columns =
            "SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = 'result' ORDER BY column_index";
        self.engine
            .execute(&format!("COPY ({columns}) TO '{folder}/schema.csv' (FORMAT csv, HEADER false, QUOTE '|')"))?;
        let found = std::fs::read_to_string(self.folder.join("schema.csv")).map_err(unreadable)?.replace('|', "");
        let column = |field: &Field| format!("{},{}\n", field.name, stage::sql_type(field.kind));
        let expected: String = self.stage.fields().iter().map(column).collect();
        Ok(Check::equal("schema", &expected, &found))
    }
}

impl Session for Statements {
    fn iterate(&mut self, times: u64) -> Result<Outcome, ModuleError> {
        for _ in 0..times {
            match &self.parts {
                Some(parts) => parts.record(self.run_in_parts()?),
                None => self.run()?,
            }
        }
        Ok(Outcome { operations: times, bytes: times * self.bytes, checksum: self.first.checksum() })
    }

    fn verify(&mut self) -> Result<Vec<Check>, ModuleError> {
        let (found, sums) = self.result()?;
        let differs = compare(&self.expected, &found).err();
        let passed = differs.is_none();
        let (agrees, invariants) = Invariants::compared(&self.expected, &found);
        let mut checks = vec![
            self.schema_check()?,
            Check::equal("rows", &self.expected.rows(), &found.rows()),
            Check::that("cells", passed, differs.unwrap_or_else(|| Digest::of(&found).to_string())),
            Check::equal("same-result-as-at-first", &self.first, &Digest::of(&found)),
            Check::that("invariants", agrees, invariants),
        ];
        if let Some(groups) = &self.groups {
            let wrong = sums.iter().find(|(taxon, sum)| !groups.sums.get(taxon).is_some_and(|near| near.is_near(*sum)));
            checks.push(Check::that("sums-of-doubles", wrong.is_none(), format!("not within n·ε·Σ|x|: {wrong:?}")));
        }
        checks.extend(self.joined_checks()?);
        Ok(checks)
    }
}

/// A database with the settings and the folder of the arguments.
pub(crate) fn opened(arguments: &Arguments) -> Result<(Engine, PathBuf), ModuleError> {
    let library = arguments.text("library")?;
    let engine = Engine::open(library, arguments.size("threads")?, arguments.size("memory_mib")?)?;
    let folder = arguments.text(FOLDER)?;
    // The path becomes part of statements.
    if folder.contains('\'') {
        return Err(ModuleError::InvalidArgument(format!("`{FOLDER}` is `{folder}`, which has a quote")));
    }
    Ok((engine, PathBuf::from(folder)))
}

/// Writes a table as the files that all engines read, and loads it.
fn load(engine: &Engine, folder: &Path, name: &str, table: &Table) -> Result<(), ModuleError> {
    let files = [("csv", csv::write(table, Dialect::Exact).into_bytes()), ("parquet", parquet::write(table))];
    for (extension, content) in files {
        let path = folder.join(format!("{name}.{extension}"));
        std::fs::write(&path, content)
            .map_err(|error| ModuleError::Unavailable(format!("{} cannot be written: {error}", path.display())))?;
    }
    engine.execute(&format!("CREATE TABLE {name} AS {}", stage::read_parquet(&folder.to_string_lossy(), name)))
}

/// The bytes of the files that an operation reads; 0 if it reads tables.
fn input_bytes(stage: Stage, folder: &Path) -> Result<u64, ModuleError> {
    let files: &[&str] = match stage {
        Stage::CsvScan => &["genes.csv"],
        Stage::ParquetScan => &["genes.parquet"],
        Stage::PipelineElt => &["genes.parquet", "publications.parquet"],
        Stage::CsvWrite | Stage::ParquetWrite | Stage::ParquetFooter | Stage::Join | Stage::Aggregate => &[],
    };
    let sizes = files.iter().map(|file| std::fs::metadata(folder.join(file)).map(|file| file.len()));
    sizes.sum::<std::io::Result<u64>>().map_err(unreadable)
}

/// The rows of a file that DuckDB wrote.
pub(crate) fn read(path: &Path, fields: &[Field]) -> Result<Table, ModuleError> {
    let bytes = std::fs::read(path).map_err(unreadable)?;
    let mut table = Table::new(fields.to_vec());
    let read = csv::read(&bytes, Dialect::Exact, fields, |column, value| {
        let cell = value.map_or(Ok(Cell::Null), |value| text::parse(fields[column].kind, value))?;
        table.push(column, cell);
        Ok(())
    });
    read.map_err(|fault| ModuleError::Other(format!("the result that DuckDB wrote: {fault}")))?;
    Ok(table)
}

fn unreadable(error: std::io::Error) -> ModuleError {
    ModuleError::Other(format!("a file of DuckDB cannot be read: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_join_within_a_pipeline_fails() {
        let folder = tempfile::tempdir().unwrap();
        let mut arguments = Arguments::default();
        for (name, value) in [("rows", 300), ("seed", 1), ("threads", 1), ("memory_mib", 256)] {
            arguments.set(name, value);
        }
        arguments.set("library", crate::engine::DEFAULT);
        arguments.set(FOLDER, folder.path().to_str().unwrap());
        let mut session = match Statements::open(Stage::PipelineElt, &arguments, None) {
            Err(error @ ModuleError::Unavailable(_)) => return eprintln!("skipped: {error}"),
            opened => opened.unwrap(),
        };
        let failed = |session: &mut Statements| {
            let failed = session.verify().unwrap().into_iter().filter(|check| !check.passed);
            failed.map(|check| check.name).collect::<Vec<_>>()
        };
        assert_eq!(failed(&mut session), [""; 0]);
        let change = |session: &Statements, statement: &str| session.engine.execute(statement).unwrap();
        change(&session, r#"UPDATE joined SET "Publication.year" = 1 WHERE "Publication.year" IS NOT NULL"#);
        assert_eq!(failed(&mut session), ["joined-cells"]);
        change(&session, r#"DELETE FROM joined WHERE "Publication.year" IS NULL"#);
        assert_eq!(failed(&mut session), ["joined-rows", "joined-cells"]);
        session.iterate(1).unwrap();
        assert_eq!(failed(&mut session), [""; 0]);
    }
}
