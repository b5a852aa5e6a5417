//! The tables that queries read besides `lineitem`: generated, written as CSV, and loaded.

use super::oracle::Oracle;
use super::unreadable;
use crate::engine::Engine;
use bench_model::ModuleError;
use std::fmt::Display;
use std::io::{BufWriter, Write};
use std::path::Path;
use tpchgen::csv::{CustomerCsv, NationCsv, OrderCsv, PartCsv, RegionCsv, SupplierCsv};
use tpchgen::generators::{
    CustomerGenerator, NationGenerator, OrderGenerator, PartGenerator, RegionGenerator, SupplierGenerator,
};

/// A table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Other {
    Customer,
    Orders,
    Part,
    Supplier,
    Nation,
    Region,
}

const CUSTOMER: &str = "c_custkey BIGINT, c_name VARCHAR, c_address VARCHAR, c_nationkey BIGINT, c_phone VARCHAR,
    c_acctbal DECIMAL(15,2), c_mktsegment VARCHAR, c_comment VARCHAR";
const ORDERS: &str =
    "o_orderkey BIGINT, o_custkey BIGINT, o_orderstatus VARCHAR, o_totalprice DECIMAL(15,2), o_orderdate DATE,
    o_orderpriority VARCHAR, o_clerk VARCHAR, o_shippriority INTEGER, o_comment VARCHAR";
const PART: &str = "p_partkey BIGINT, p_name VARCHAR, p_mfgr VARCHAR, p_brand VARCHAR, p_type VARCHAR, p_size INTEGER,
    p_container VARCHAR, p_retailprice DECIMAL(15,2), p_comment VARCHAR";
const SUPPLIER: &str = "s_suppkey BIGINT, s_name VARCHAR, s_address VARCHAR, s_nationkey BIGINT, s_phone VARCHAR,
    s_acctbal DECIMAL(15,2), s_comment VARCHAR";
const NATION: &str = "n_nationkey BIGINT, n_name VARCHAR, n_regionkey BIGINT, n_comment VARCHAR";
const REGION: &str = "r_regionkey BIGINT, r_name VARCHAR, r_comment VARCHAR";

/// Loads a table of this scale factor. Its rows are told to `oracle`.
pub(super) fn load(
    engine: &Engine,
    folder: &Path,
    table: Other,
    scale: f64,
    oracle: &mut Oracle,
) -> Result<(), ModuleError> {
    let to = Destination { engine, folder };
    match table {
        Other::Customer => {
            let rows = CustomerGenerator::new(scale, 1, 1).iter().inspect(|row| oracle.customer(row));
            to.fill("customer", CUSTOMER, rows.map(CustomerCsv::new))
        }
        Other::Orders => {
            let rows = OrderGenerator::new(scale, 1, 1).iter().inspect(|row| oracle.order(row));
            to.fill("orders", ORDERS, rows.map(OrderCsv::new))
        }
        Other::Part => {
            let rows = PartGenerator::new(scale, 1, 1).iter().inspect(|row| oracle.part(row));
            to.fill("part", PART, rows.map(PartCsv::new))
        }
        Other::Supplier => {
            let rows = SupplierGenerator::new(scale, 1, 1).iter().inspect(|row| oracle.supplier(row));
            to.fill("supplier", SUPPLIER, rows.map(SupplierCsv::new))
        }
        Other::Nation => {
            let rows = NationGenerator::new(scale, 1, 1).iter().inspect(|row| oracle.nation(row));
            to.fill("nation", NATION, rows.map(NationCsv::new))
        }
        Other::Region => {
            let rows = RegionGenerator::new(scale, 1, 1).iter().inspect(|row| oracle.region(row));
            to.fill("region", REGION, rows.map(RegionCsv::new))
        }
    }
}

struct Destination<'a> {
    engine: &'a Engine,
    folder: &'a Path,
}

impl Destination<'_> {
    /// Makes a table of these rows of CSV. The file is removed when they are loaded.
    fn fill(&self, table: &str, columns: &str, rows: impl Iterator<Item = impl Display>) -> Result<(), ModuleError> {
        let path = self.folder.join(format!("{table}.csv"));
        self.engine.execute(&format!("CREATE TABLE {table} ({columns})"))?;
        write(&path, rows).map_err(|error| unreadable(&path, &error))?;
        self.engine.execute(&copy(table, &path))?;
        std::fs::remove_file(&path).map_err(|error| unreadable(&path, &error))
    }
}

/// Writes a file of these rows.
pub(super) fn write(path: &Path, mut rows: impl Iterator<Item = impl Display>) -> std::io::Result<()> {
    let mut file = BufWriter::new(std::fs::File::create(path)?);
    rows.try_for_each(|row| writeln!(file, "{row}"))?;
    file.flush()
}

/// The statement that loads a file without a header.
pub(super) fn copy(table: &str, path: &Path) -> String {
    format!("COPY {table} FROM '{}' (FORMAT csv, HEADER false, AUTO_DETECT false)", path.display())
}
