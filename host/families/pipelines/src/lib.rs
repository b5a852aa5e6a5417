//! The family `pipelines`: connectors that move rows from one table to another. It holds the specification, the drivers, one
//! adapter per kind of module, and the servers of a run.

#![deny(unsafe_code)]

mod connectors;
mod driver;
#[expect(unsafe_code, reason = "a probe's functions are called, and call the host")]
mod native;
mod report;
mod retry;
mod servers;
mod spec;
mod user_server;
mod wasm;

pub use connectors::{
    BATCH_BYTES_MAX, BatchError, Code, Connector, ConnectorInstance, Connectors, Emit, Loading, Next, Transfer,
    connectors,
};
pub use spec::{FROM_TABLE, INTO_TABLE};

use bench_drivers::Driver;
use bench_family::{Family, FormerNames, Servers, Shorthand, Takes};
use bench_model::{Arguments, Scenario};
use bench_report::FamilyReport;
use bench_wasm::Capabilities;
use driver::ConnectorDriver;
use std::sync::Arc;
use std::time::Duration;

/// Time allowed for one row to be made, moved and compared on a slow machine.
const ROW: Duration = Duration::from_micros(100);

/// The family.
#[derive(Debug)]
pub struct Pipelines;

impl Family for Pipelines {
    fn name(&self) -> &'static str {
        spec::FAMILY
    }

    fn summary(&self) -> &'static str {
        "Pipelines that move rows"
    }

    fn drivers(&self) -> &'static [&'static dyn Driver] {
        &[&ConnectorDriver(spec::SOURCE), &ConnectorDriver(spec::TRANSFORM), &ConnectorDriver(spec::DESTINATION)]
    }

    fn capabilities(&self) -> Capabilities {
        &[&wasm::BATCHES]
    }

    fn servers(&self) -> Option<Arc<dyn Servers>> {
        Some(Arc::new(servers::Postgres::default()))
    }

    fn report(&self) -> Option<&'static dyn FamilyReport> {
        Some(&report::TransferReport)
    }

    fn options(&self) -> &'static [Shorthand] {
        &[
            Shorthand {
                long: "rows",
                parameter: "rows",
                takes: Takes::Many("N[,N…]"),
                help: "Number of rows; each value makes cells of its own (same as `-p rows=…`)",
            },
            Shorthand {
                long: "compression",
                parameter: spec::COMPRESSION,
                takes: Takes::Many("NAME[,NAME…]"),
                help: "Compression of the batches: none, lz4 or zstd; each value makes cells of its own (same as `-p compression=…`)",
            },
            Shorthand {
                long: "database-url",
                parameter: spec::DATABASE_URL,
                takes: Takes::One("URL"),
                help: "PostgreSQL server to use instead of a temporary one; its address is granted, its password is not recorded (same as `-p database_url=…`)",
            },
            Shorthand {
                long: "source-table",
                parameter: pg_rows::SOURCE_TABLE,
                takes: Takes::One("TABLE"),
                help: "Table to move in place of generated rows (schema.table), or a query (`SELECT …`), on the server of --database-url; it is only read (same as `-p source_table=…`)",
            },
            Shorthand {
                long: "no-aot",
                parameter: spec::CODE,
                takes: Takes::Flag(spec::COMPILED),
                help: "Compile components in every process instead of mapping cached code (same as `-p code=compiled`)",
            },
        ]
    }

    /// Rows are made, moved once to warm up and once per repetition, and compared.
    fn extra_deadline(&self, scenario: &Scenario, arguments: &Arguments, repetitions: u64) -> Duration {
        let has_server = scenario.requirements.iter().any(|requirement| requirement.postgres_parameter().is_some());
        let rows = arguments.integer("rows").ok().filter(|_| has_server).unwrap_or_default();
        let moves = repetitions.saturating_add(2).saturating_mul(rows.unsigned_abs());
        ROW.saturating_mul(u32::try_from(moves).unwrap_or(u32::MAX))
    }

    fn history(&self) -> Option<FormerNames> {
        Some(&[(spec::LOAD_METHOD, spec::LOAD_METHOD_FORMERLY)])
    }
}
