//! `tpch`: two queries of TPC-H over its table `lineitem`, made by the crate `tpchgen`. Results are compared with sums over the same rows in
//! whole numbers, and at scale 1 also with the answers that TPC publishes.

use crate::FOLDER;
use crate::engine::Engine;
use bench_model::{Arguments, Arm, Check, ModuleError, Outcome, Parameter, Scenario, Session};
use std::collections::BTreeMap;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use tpchgen::csv::LineItemCsv;
use tpchgen::generators::{LineItem, LineItemGenerator};
use tpchgen::q_and_a::QueryAndAnswer;

pub(crate) const NAME: &str = "tpch";

/// The scale at which TPC has published answers, in thousandths.
const PUBLISHED: usize = 1_000;

const TABLE: &str = "CREATE TABLE lineitem (l_orderkey BIGINT, l_partkey BIGINT, l_suppkey BIGINT, l_linenumber INTEGER,
    l_quantity DECIMAL(15,2), l_extendedprice DECIMAL(15,2), l_discount DECIMAL(15,2), l_tax DECIMAL(15,2), l_returnflag VARCHAR,
    l_linestatus VARCHAR, l_shipdate DATE, l_commitdate DATE, l_receiptdate DATE, l_shipinstruct VARCHAR, l_shipmode VARCHAR,
    l_comment VARCHAR)";

/// The pricing summary report, with the parameter of TPC's validation.
const Q1: &str = "SELECT l_returnflag, l_linestatus, sum(l_quantity), sum(l_extendedprice), sum(l_extendedprice * (1 - l_discount)),
    sum(l_extendedprice * (1 - l_discount) * (1 + l_tax)), avg(l_quantity), avg(l_extendedprice), avg(l_discount), count(*)
    FROM lineitem WHERE l_shipdate <= DATE '1998-09-02' GROUP BY ALL ORDER BY ALL";

/// Forecasting revenue change, with the parameters of TPC's validation.
const Q6: &str = "SELECT sum(l_extendedprice * l_discount) FROM lineitem WHERE l_shipdate >= DATE '1994-01-01'
    AND l_shipdate < DATE '1995-01-01' AND l_discount BETWEEN 0.05 AND 0.07 AND l_quantity < 24";

pub(crate) fn describe() -> Scenario {
    let parameters = [
        Parameter::new("query", 1, "number of the query").choices([1, 6]),
        Parameter::new("scale_permille", 10, "scale factor in thousandths; 1000 has TPC's published answers")
            .between(1, 10_000),
    ];
    let summary = "A query of TPC-H over the table lineitem in memory, into a table in memory.";
    let scenario = crate::described(Scenario::new(NAME, "tabular", summary).in_arms([Arm::Native]));
    parameters.into_iter().fold(scenario, Scenario::parameter)
}

pub(crate) struct Tpch {
    engine: Engine,
    folder: PathBuf,
    query: &'static str,
    number: i32,
    scale_permille: usize,
    expected: Vec<Vec<Expected>>,
    first: u64,
}

impl Tpch {
    pub(crate) fn open(arguments: &Arguments) -> Result<Self, ModuleError> {
        let (engine, folder) = crate::session::opened(arguments)?;
        let number = i32::try_from(arguments.integer("query")?).unwrap_or(0);
        let scale_permille = arguments.size("scale_permille")?;
        let sums = load(&engine, &folder, scale_permille)?;
        let (query, expected) = if number == 1 { (Q1, sums.q1()) } else { (Q6, sums.q6()) };
        let mut session = Self { engine, folder, query, number, scale_permille, expected, first: 0 };
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
            self.engine.execute(&format!("CREATE OR REPLACE TABLE result AS {}", self.query))?;
        }
        Ok(Outcome { operations: times, bytes: 0, checksum: self.first })
    }

    fn verify(&mut self) -> Result<Vec<Check>, ModuleError> {
        let found = self.result()?;
        let differs = difference(&self.expected, &found);
        let mut checks = vec![
            Check::equal("rows", &self.expected.len(), &found.len()),
            Check::that(
                "cells",
                differs.is_none(),
                differs.unwrap_or_else(|| "equal to sums in whole numbers".to_owned()),
            ),
        ];
        if self.scale_permille == PUBLISHED {
            let published = QueryAndAnswer::new(self.number, 1.0).map_err(ModuleError::Other)?;
            let differs = difference(&answers(published.answer()), &found);
            checks.push(Check::that(
                "published-answer",
                differs.is_none(),
                differs.unwrap_or_else(|| "equal".to_owned()),
            ));
        }
        Ok(checks)
    }
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

#[derive(Clone, Copy, Default)]
struct Group {
    rows: i128,
    quantity: i128,
    price: i128,
    discount: i128,
    discounted: i128,
    charge: i128,
}

/// The sums of both queries, in whole numbers of the last digit.
#[derive(Default)]
struct Sums {
    groups: BTreeMap<(String, String), Group>,
    revenue: i128,
}

impl Sums {
    fn add(&mut self, item: &LineItem<'_>) {
        let (price, discount) = (i128::from(item.l_extendedprice.0), i128::from(item.l_discount.0));
        let tax = i128::from(item.l_tax.0);
        let date = item.l_shipdate.to_string();
        if date.as_str() <= "1998-09-02" {
            let key = (item.l_returnflag.to_owned(), item.l_linestatus.to_owned());
            let group = self.groups.entry(key).or_default();
            group.rows += 1;
            group.quantity += i128::from(item.l_quantity) * 100;
            group.price += price;
            group.discount += discount;
            group.discounted += price * (100 - discount);
            group.charge += price * (100 - discount) * (100 + tax);
        }
        let is_of_1994 = ("1994-01-01".."1995-01-01").contains(&date.as_str());
        if is_of_1994 && (5..=7).contains(&discount) && item.l_quantity < 24 {
            self.revenue += price * discount;
        }
    }

    fn q1(&self) -> Vec<Vec<Expected>> {
        let exact = |value: i128, digits: u32| Expected::Exact(decimal(value, digits));
        let row = |((flag, status), group): (&(String, String), &Group)| {
            let mean = |sum: i128| Expected::Quotient(sum as f64 / 100.0 / group.rows as f64);
            vec![
                Expected::Exact(flag.clone()),
                Expected::Exact(status.clone()),
                exact(group.quantity, 2),
                exact(group.price, 2),
                exact(group.discounted, 4),
                exact(group.charge, 6),
                mean(group.quantity),
                mean(group.price),
                mean(group.discount),
                Expected::Exact(group.rows.to_string()),
            ]
        };
        self.groups.iter().map(row).collect()
    }

    fn q6(&self) -> Vec<Vec<Expected>> {
        vec![vec![Expected::Exact(decimal(self.revenue, 4))]]
    }
}

/// A number that is not negative, with this many digits behind the point.
fn decimal(value: i128, digits: u32) -> String {
    let unit = 10_i128.pow(digits);
    format!("{}.{:0width$}", value / unit, value % unit, width = digits as usize)
}

/// Thousandths of the scale factor that are generated into one file, about 600,000 rows.
const PART_PERMILLE: usize = 100;

/// Generates `lineitem` into one file after another, of which one is on the disk at a time, loads them, and returns the sums over all.
fn load(engine: &Engine, folder: &Path, scale_permille: usize) -> Result<Sums, ModuleError> {
    let path = folder.join("lineitem.csv");
    let copy = format!("COPY lineitem FROM '{}' (FORMAT csv, HEADER false, AUTO_DETECT false)", path.display());
    let scale = scale_permille as f64 / PUBLISHED as f64;
    let parts = i32::try_from(scale_permille.div_ceil(PART_PERMILLE)).unwrap_or(i32::MAX);
    let mut sums = Sums::default();
    engine.execute(TABLE)?;
    for part in 1..=parts {
        let written = write(LineItemGenerator::new(scale, part, parts), &path, &mut sums);
        written.map_err(|error| unreadable(&path, &error))?;
        engine.execute(&copy)?;
    }
    std::fs::remove_file(&path).map_err(|error| unreadable(&path, &error))?;
    Ok(sums)
}

fn write(rows: LineItemGenerator<'_>, path: &Path, sums: &mut Sums) -> std::io::Result<()> {
    let mut file = BufWriter::new(std::fs::File::create(path)?);
    for item in rows.iter() {
        sums.add(&item);
        writeln!(file, "{}", LineItemCsv::new(item))?;
    }
    file.flush()
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
    fn numbers_have_their_digits() {
        assert_eq!((decimal(7, 4), decimal(1_230_078, 6)), ("0.0007".to_owned(), "1.230078".to_owned()));
    }
}
