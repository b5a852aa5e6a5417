//! `tpch`: queries of TPC-H over tables that the crate `tpchgen` makes. Results are compared with sums over the same rows in whole numbers, and at
//! scale 1 also with the answers that TPC publishes.

mod oracle;
mod queries;
mod tables;

use self::oracle::Oracle;
use self::queries::Query;
use crate::FOLDER;
use crate::engine::Engine;
use bench_model::{Arguments, Arm, Check, ModuleError, Outcome, Parameter, Scenario, Session};
use std::path::{Path, PathBuf};
use tpchgen::csv::LineItemCsv;
use tpchgen::generators::LineItemGenerator;
use tpchgen::q_and_a::QueryAndAnswer;

pub(crate) const NAME: &str = "tpch";

/// The scale at which TPC has published answers, in thousandths.
const PUBLISHED: usize = 1_000;

const TABLE: &str = "CREATE TABLE lineitem (l_orderkey BIGINT, l_partkey BIGINT, l_suppkey BIGINT, l_linenumber INTEGER,
    l_quantity DECIMAL(15,2), l_extendedprice DECIMAL(15,2), l_discount DECIMAL(15,2), l_tax DECIMAL(15,2), l_returnflag VARCHAR,
    l_linestatus VARCHAR, l_shipdate DATE, l_commitdate DATE, l_receiptdate DATE, l_shipinstruct VARCHAR, l_shipmode VARCHAR,
    l_comment VARCHAR)";

pub(crate) fn describe() -> Scenario {
    let parameters = [
        Parameter::new("query", 1, "number of the query").choices(queries::ALL.map(|query| query.number)),
        Parameter::new("scale_permille", 10, "scale factor in thousandths; 1000 has TPC's published answers")
            .between(1, 10_000),
    ];
    let summary = "A query of TPC-H over tables in memory, into a table in memory.";
    let scenario = crate::described(Scenario::new(NAME, "tabular", summary).in_arms([Arm::Native]));
    parameters.into_iter().fold(scenario, Scenario::parameter)
}

pub(crate) struct Tpch {
    engine: Engine,
    folder: PathBuf,
    query: Query,
    scale_permille: usize,
    expected: Vec<Vec<Expected>>,
    first: u64,
}

impl Tpch {
    pub(crate) fn open(arguments: &Arguments) -> Result<Self, ModuleError> {
        let number = arguments.integer("query")?;
        let query = queries::ALL.into_iter().find(|query| query.number == number);
        let query = query.ok_or_else(|| ModuleError::InvalidArgument(format!("`query`: {number} is not known")))?;
        let scale_permille = arguments.size("scale_permille")?;
        let (engine, folder) = crate::session::opened(arguments)?;
        let oracle = load(&engine, &folder, &query, scale_permille)?;
        let expected = oracle.rows(number);
        let expected =
            expected.ok_or_else(|| ModuleError::Other(format!("the rows of query {number} are not known")))?;
        let mut session = Self { engine, folder, query, scale_permille, expected, first: 0 };
        session.iterate(1)?;
        session.first = hash(&session.result()?);
        Ok(session)
    }

    fn result(&self) -> Result<Vec<Vec<String>>, ModuleError> {
        let path = self.folder.join("result.csv");
        let options = "FORMAT csv, HEADER false, DELIMITER '|'";
        self.engine.execute(&format!("COPY result TO '{}' ({options})", path.display()))?;
        let text = std::fs::read_to_string(&path).map_err(|error| unreadable(&path, &error))?;
        Ok(text.lines().map(|line| line.split('|').map(str::to_owned).collect()).collect())
    }
}

impl Session for Tpch {
    fn iterate(&mut self, times: u64) -> Result<Outcome, ModuleError> {
        for _ in 0..times {
            self.engine.execute(&format!("CREATE OR REPLACE TABLE result AS {}", self.query.text))?;
        }
        Ok(Outcome { operations: times, bytes: 0, checksum: self.first })
    }

    fn verify(&mut self) -> Result<Vec<Check>, ModuleError> {
        let found = self.result()?;
        let mut checks = vec![
            Check::equal("rows", &self.expected.len(), &found.len()),
            agrees("cells", &self.expected, &found, "equal to sums in whole numbers"),
        ];
        if self.scale_permille == PUBLISHED {
            let number = i32::try_from(self.query.number).unwrap_or_default();
            let published = QueryAndAnswer::new(number, 1.0).map_err(ModuleError::Other)?;
            checks.push(agrees("published-answer", &answers(published.answer()), &found, "equal"));
        }
        Ok(checks)
    }
}

/// The check that there is no difference.
fn agrees(name: &str, expected: &[Vec<Expected>], found: &[Vec<String>], otherwise: &str) -> Check {
    let differs = difference(expected, found);
    Check::that(name, differs.is_none(), differs.unwrap_or_else(|| otherwise.to_owned()))
}

/// What a cell must be.
#[derive(Clone, Debug, PartialEq)]
enum Expected {
    /// This text, with exactly these digits.
    Exact(String),
    /// This number, up to the error of one division.
    Quotient(f64),
    /// This number, rounded to two digits behind the point.
    Rounded(String),
}

impl Expected {
    fn is(&self, found: &str) -> bool {
        match self {
            Self::Exact(text) => text == found,
            Self::Quotient(number) => {
                found.parse().is_ok_and(|found: f64| (found - number).abs() <= number.abs() * 4.0 * f64::EPSILON)
            }
            Self::Rounded(text) => {
                let rounded = found.parse().ok().map(|found: f64| format!("{found:.2}"));
                text == found
                    || rounded
                        .zip(text.parse().ok())
                        .is_some_and(|(found, text): (_, f64)| found == format!("{text:.2}"))
            }
        }
    }
}

fn difference(expected: &[Vec<Expected>], found: &[Vec<String>]) -> Option<String> {
    if expected.len() != found.len() {
        return Some(format!("expected {} rows, found {}", expected.len(), found.len()));
    }
    let cells = expected.iter().zip(found).enumerate().flat_map(|(row, (wanted, cells))| {
        let columns = wanted.len().max(cells.len());
        (0..columns).map(move |column| (row + 1, column + 1, wanted.get(column), cells.get(column)))
    });
    let mut cells = cells.into_iter();
    let wrong =
        cells.find(|(_, _, wanted, found)| !matches!((wanted, found), (Some(wanted), Some(found)) if wanted.is(found)));
    wrong
        .map(|(row, column, wanted, found)| format!("row {row}, column {column}: expected {wanted:?}, found {found:?}"))
}

/// The rows of a published answer, of which the first line has the names.
fn answers(text: &str) -> Vec<Vec<Expected>> {
    let lines = text.lines().filter(|line| !line.trim().is_empty()).skip(1);
    lines.map(|line| line.split('|').map(|cell| Expected::Rounded(cell.trim().to_owned())).collect()).collect()
}

/// Thousandths of the scale factor that are generated into one file, about 600,000 rows.
const PART_PERMILLE: usize = 100;

/// Loads the tables of `query`. Generates `lineitem` into one file after another, of which one is on the disk at a time.
fn load(engine: &Engine, folder: &Path, query: &Query, scale_permille: usize) -> Result<Oracle, ModuleError> {
    let scale = scale_permille as f64 / PUBLISHED as f64;
    let mut oracle = Oracle::new()?;
    for table in query.others {
        tables::load(engine, folder, *table, scale, &mut oracle)?;
    }
    let path = folder.join("lineitem.csv");
    let copy = tables::copy("lineitem", &path);
    let parts = i32::try_from(scale_permille.div_ceil(PART_PERMILLE)).unwrap_or(i32::MAX);
    engine.execute(TABLE)?;
    for part in 1..=parts {
        let rows = LineItemGenerator::new(scale, part, parts).iter().inspect(|row| oracle.item(row));
        tables::write(&path, rows.map(LineItemCsv::new)).map_err(|error| unreadable(&path, &error))?;
        engine.execute(&copy)?;
    }
    std::fs::remove_file(&path).map_err(|error| unreadable(&path, &error))?;
    Ok(oracle)
}

fn hash(rows: &[Vec<String>]) -> u64 {
    // Quotients depend on the order of summation.
    let exact = |row: &Vec<String>| {
        row.iter()
            .enumerate()
            .filter(|(column, _)| !(6..9).contains(column))
            .map(|(_, cell)| cell.clone())
            .collect::<Vec<_>>()
    };
    table_core::hash(rows.iter().map(|row| exact(row).join("|")).collect::<Vec<_>>().join("\n").as_bytes())
}

fn unreadable(path: &Path, error: &std::io::Error) -> ModuleError {
    ModuleError::Unavailable(format!("`{FOLDER}`: {}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::tables::Other;
    use super::*;

    #[test]
    fn cells_are_compared_as_what_they_are() {
        let check =
            |expected: Expected, found: &str, is: bool| assert_eq!(expected.is(found), is, "{expected:?}, {found}");
        check(Expected::Exact("1.50".to_owned()), "1.50", true);
        check(Expected::Exact("1.50".to_owned()), "1.5", false);
        check(Expected::Quotient(0.1), "0.1", true);
        check(Expected::Quotient(0.1), "0.1000001", false);
        check(Expected::Rounded("55909065222.83".to_owned()), "55909065222.827692", true);
        check(Expected::Rounded("25.50".to_owned()), "25.51", false);
        check(Expected::Rounded("A".to_owned()), "A", true);
    }

    #[test]
    fn every_difference_is_found() {
        let rows =
            |text: &str| text.lines().map(|line| line.split('|').map(str::to_owned).collect()).collect::<Vec<Vec<_>>>();
        let expected = answers("\na|b\nA |1.00\nB |2.00\n");
        assert_eq!(difference(&expected, &rows("A|1\nB|2.001")), None);
        for (found, expect) in [
            ("A|1", "expected 2 rows"),
            ("B|2\nA|1", "row 1, column 1"),
            ("A|1\nB|2.01", "row 2, column 2"),
            ("A|1|x\nB|2", "row 1, column 3"),
        ] {
            assert!(difference(&expected, &rows(found)).unwrap().contains(expect), "{found}");
        }
    }

    #[test]
    fn every_query_has_a_published_answer() {
        for query in queries::ALL {
            let published = QueryAndAnswer::new(query.number as i32, 1.0).unwrap();
            let answers = answers(published.answer());
            assert!(!answers.is_empty() && answers.iter().all(|row| row.len() == answers[0].len()), "{}", query.number);
            // What it reads is loaded.
            for (name, table) in [("customer", Other::Customer), ("orders", Other::Orders), ("part", Other::Part)] {
                let is_read = query.text.split(|letter: char| !letter.is_alphanumeric()).any(|word| word == name);
                assert_eq!(query.others.contains(&table), is_read, "{name} of {}", query.number);
            }
        }
    }
}
