//! `own-csv` and `own-parquet`: the stages over a table that the user has. Nothing is known of it but the file, so what is written must read
//! back as what the file holds, and the types of CSV are found in all of its rows before anything is timed.

use super::staged::{Clock, StagedSession, Stages, described};
use super::{Entry, csv, parquet};
use crate::own;
use arrow_array::RecordBatch;
use bench_plugin::prelude::*;
use bytes::Bytes;
use table_core::{Digest, Table, fingerprint, infer};

pub(super) const CSV: Entry = Entry { name: "own-csv", describe: describe_csv, open: open_csv };
pub(super) const PARQUET: Entry = Entry { name: "own-parquet", describe: describe_parquet, open: open_parquet };

fn describe_csv() -> Scenario {
    let summary = "A CSV file of one's own: reads it with the types found in all of its rows, writes CSV and Parquet, and scans that.";
    let file = Parameter::new("csv", "table.csv", "the file, with a header; NULL is an empty cell without quotes");
    let scenario = Scenario::new(CSV.name, "tabular", summary).parameter(file);
    described(scenario.requires("read:csv", "the table"))
}

fn describe_parquet() -> Scenario {
    let summary = "A Parquet file of one's own: reads its footer, then all of it, and writes it again with Snappy.";
    let file = Parameter::new("parquet", "table.parquet", "the file; columns are numbers, texts, booleans and times");
    let scenario = Scenario::new(PARQUET.name, "tabular", summary).parameter(file);
    described(scenario.requires("read:parquet", "the table"))
}

fn open_csv(arguments: &Arguments, host: Host) -> Result<Box<dyn Session>, ModuleError> {
    StagedSession::open(CSV.name, OwnCsv::new(own::file(arguments, "csv")?)?, host)
}

fn open_parquet(arguments: &Arguments, host: Host) -> Result<Box<dyn Session>, ModuleError> {
    StagedSession::open(PARQUET.name, OwnParquet::new(own::file(arguments, "parquet")?), host)
}

struct OwnCsv {
    text: Vec<u8>,
    /// The rows, read without Arrow.
    expected: Table,
    written: String,
    parquet: Vec<u8>,
    scanned: Vec<RecordBatch>,
}

impl OwnCsv {
    fn new(text: Vec<u8>) -> Result<Self, ModuleError> {
        let fault = |fault: table_core::Fault| ModuleError::InvalidArgument(format!("`csv`: {fault}"));
        let fields = infer::fields(&text).map_err(fault)?;
        let expected = infer::table(&text, &fields).map_err(fault)?;
        Ok(Self { text, expected, written: String::new(), parquet: Vec::new(), scanned: Vec::new() })
    }
}

impl Stages for OwnCsv {
    fn run(&mut self, clock: &mut Clock) -> Result<(), ModuleError> {
        self.scanned.clear();
        let batches = csv::scan(&self.text, self.expected.fields())?;
        clock.lap("csv-scan");
        self.written.clear();
        csv::write(&batches, self.expected.fields(), &mut self.written);
        clock.lap("csv-write");
        self.parquet.clear();
        parquet::write(&batches, parquet::SNAPPY, &mut self.parquet)?;
        clock.lap("parquet-write");
        self.scanned = parquet::scan(Bytes::copy_from_slice(&self.parquet))?;
        clock.lap("parquet-scan");
        Ok(())
    }

    fn bytes(&self) -> u64 {
        self.text.len() as u64
    }

    fn checks(&self) -> Result<Vec<Check>, ModuleError> {
        let (expected, found) = (&self.expected, own::table(&self.scanned)?);
        let written = own::table(&csv::scan(self.written.as_bytes(), expected.fields())?)?;
        let mut checks = vec![
            Check::equal("schema", &fingerprint(expected.fields()), &fingerprint(found.fields())),
            Check::equal("rows", &expected.rows(), &found.rows()),
        ];
        for (name, rows) in [("cells", &found), ("csv-cells", &written)] {
            let differs = table_core::compare(expected, rows).err();
            let passed = differs.is_none();
            checks.push(Check::that(name, passed, differs.unwrap_or_else(|| Digest::of(rows).to_string())));
        }
        Ok(checks)
    }

    fn digest(&self) -> Result<Digest, ModuleError> {
        Ok(Digest::of(&own::table(&self.scanned)?))
    }
}

struct OwnParquet {
    file: Bytes,
    /// The number of rows in the footer.
    rows: i64,
    scanned: Vec<RecordBatch>,
    written: Vec<u8>,
}

impl OwnParquet {
    fn new(file: Vec<u8>) -> Self {
        Self { file: file.into(), rows: 0, scanned: Vec::new(), written: Vec::new() }
    }
}

impl Stages for OwnParquet {
    fn run(&mut self, clock: &mut Clock) -> Result<(), ModuleError> {
        let (rows, columns) = parquet::footer(self.file.clone())?;
        clock.lap("parquet-footer");
        if columns == 0 {
            return Err(ModuleError::InvalidArgument("`parquet`: it has no columns; give a file with some".to_owned()));
        }
        self.rows = rows;
        // What was scanned before is freed in this stage.
        self.scanned.clear();
        self.scanned = parquet::scan(self.file.clone())?;
        clock.lap("parquet-scan");
        self.written.clear();
        parquet::write(&self.scanned, parquet::SNAPPY, &mut self.written)?;
        clock.lap("parquet-write");
        Ok(())
    }

    fn bytes(&self) -> u64 {
        self.file.len() as u64
    }

    fn checks(&self) -> Result<Vec<Check>, ModuleError> {
        let written = parquet::scan(Bytes::copy_from_slice(&self.written))?;
        let (expected, found) = (own::table(&self.scanned)?, own::table(&written)?);
        let differs = table_core::compare(&expected, &found).err();
        let passed = differs.is_none();
        Ok(vec![
            Check::equal("schema", &own::schema(&self.scanned), &own::schema(&written)),
            Check::equal("rows", &self.rows, &(expected.rows() as i64)),
            Check::that("cells", passed, differs.unwrap_or_else(|| Digest::of(&found).to_string())),
        ])
    }

    fn digest(&self) -> Result<Digest, ModuleError> {
        Ok(Digest::of(&own::table(&self.scanned)?))
    }
}

#[cfg(test)]
mod tests {
    use super::super::staged;
    use super::*;
    use crate::batches;
    use table_core::csv::Dialect;
    use table_core::{Cell, Field, Kind, Recipe};

    fn check(stages: &mut impl Stages, expect: &[&str]) -> Digest {
        for _ in 0..2 {
            let names: Vec<_> = staged::stages_of(stages).1.into_iter().map(|(name, _)| name).collect();
            assert_eq!(names, [expect, &[staged::OTHER]].concat());
        }
        for check in stages.checks().unwrap() {
            assert!(check.passed, "{}: {}", check.name, check.detail);
        }
        stages.digest().unwrap()
    }

    const CSV_STAGES: [&str; 4] = ["csv-scan", "csv-write", "parquet-write", "parquet-scan"];

    fn csv(text: &str) -> OwnCsv {
        OwnCsv::new(text.as_bytes().to_vec()).unwrap()
    }

    #[test]
    fn rows_of_a_csv_file_survive_every_stage() {
        for rows in [0, 1, 8_193] {
            let genes = Recipe { rows, seed: 2 }.genes();
            let digest = check(&mut csv(&table_core::csv::write(&genes, Dialect::Exact)), &CSV_STAGES);
            assert_eq!(digest.rows, rows as u64);
            if rows > 1 {
                // All types are found again.
                assert_eq!(digest, Digest::of(&genes));
            }
        }
    }

    #[test]
    fn rows_of_a_parquet_file_survive_every_stage() {
        let stages = ["parquet-footer", "parquet-scan", "parquet-write"];
        for rows in [0, 8_193] {
            let genes = Recipe { rows, seed: 2 }.genes();
            let digest = check(&mut OwnParquet::new(parquet::file(&genes, parquet::SNAPPY).unwrap().to_vec()), &stages);
            assert_eq!(digest, Digest::of(&genes));
        }
    }

    #[test]
    fn changed_file_fails_its_checks() {
        let mut changed = csv("a,b\nx,1\ny,2\n");
        staged::stages_of(&mut changed);
        changed.written = "a,b\nx,1\ny,3\n".to_owned();
        let failed: Vec<_> = changed.checks().unwrap().into_iter().filter(|check| !check.passed).collect();
        assert_eq!(failed.len(), 1);
        assert!(failed[0].name == "csv-cells" && failed[0].detail.contains("column `b`"), "{}", failed[0].detail);
    }

    fn refused(text: &str, expect: &str) {
        let error = OwnCsv::new(text.as_bytes().to_vec()).err().unwrap().to_string();
        assert_eq!(error, format!("invalid argument: `csv`: {expect}"));
    }

    #[test]
    fn broken_tables_are_refused_with_their_place() {
        refused("", "it is empty, without a header");
        refused("a,b\nx,1\ny,2,3\n", "row 2: more cells than the 2 columns");
        refused("a,b\nx\0,1\n", "row 1, column `a`: '\\0' outside of quotes");
        let foreign = OwnParquet::new(b"PAR1 is not all of it".to_vec()).run(&mut Clock::start()).unwrap_err();
        assert!(foreign.to_string().starts_with("reading a Parquet footer: "), "{foreign}");
    }

    fn parquet_refused(file: &[u8], expect: &str) {
        let error = OwnParquet::new(file.to_vec()).run(&mut Clock::start()).unwrap_err().to_string();
        assert!(error.starts_with(expect), "{error}");
    }

    #[test]
    fn parquet_files_that_are_not_whole_tables_are_refused() {
        let genes = Recipe { rows: 5_000, seed: 2 }.genes();
        let whole = parquet::file(&genes, parquet::SNAPPY).unwrap();
        parquet_refused(&[], "reading a Parquet footer: ");
        parquet_refused(&whole[..whole.len() / 2], "reading a Parquet footer: ");
        // The footer says where pages are, and other bytes are there.
        let mut damaged = whole.to_vec();
        damaged[4..whole.len() / 2].fill(0xff);
        parquet_refused(&damaged, "reading Parquet: ");
        let mut without = Vec::new();
        let empty = RecordBatch::new_empty(batches::schema(&[]));
        parquet::write(&[empty], parquet::SNAPPY, &mut without).unwrap();
        parquet_refused(&without, "invalid argument: `parquet`: it has no columns");
    }

    #[test]
    fn two_thousand_columns_of_a_parquet_file_are_read() {
        let fields = (0..2_000).map(|column| Field::nullable(format!("c{column}"), Kind::Integer));
        let mut wide = Table::new(fields.collect());
        wide.push_row((0..2_000).map(Cell::Integer));
        let file = parquet::file(&wide, parquet::SNAPPY).unwrap();
        let digest = check(&mut OwnParquet::new(file.to_vec()), &["parquet-footer", "parquet-scan", "parquet-write"]);
        assert_eq!(digest, Digest::of(&wide));
    }

    #[test]
    fn fractions_after_whole_numbers_keep_their_digits() {
        let mut table = csv("a,b\n1,\n2,\n0.5,late\n");
        check(&mut table, &CSV_STAGES);
        assert_eq!(fingerprint(table.expected.fields()), "a decimal(2); b text");
    }

    #[test]
    fn two_thousand_columns_are_read() {
        let line = |cell: fn(usize) -> String| (0..2_000).map(cell).collect::<Vec<_>>().join(",");
        let text = format!("{}\n{}\n", line(|column| format!("c{column}")), line(|column| column.to_string()));
        assert_eq!(check(&mut csv(&text), &CSV_STAGES).rows, 1);
    }
}
