//! The family `pipelines`: its drivers, command-line options and extra deadline.

use bench_drivers::Driver;
use bench_drivers::pipelines::ConnectorDriver;
use bench_family::{Family, Shorthand, Takes};
use bench_model::{Arguments, Scenario};
use std::time::Duration;

/// Time allowed for one row to be made, moved and compared on a slow machine.
const ROW: Duration = Duration::from_micros(100);

/// The family.
pub(crate) struct Pipelines;

impl Family for Pipelines {
    fn name(&self) -> &'static str {
        "pipelines"
    }

    fn summary(&self) -> &'static str {
        "Pipelines that move rows"
    }

    fn drivers(&self) -> &'static [&'static dyn Driver] {
        &[&ConnectorDriver("source"), &ConnectorDriver("destination")]
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
                parameter: "compression",
                takes: Takes::Many("NAME[,NAME…]"),
                help: "Compression of the batches: none, lz4 or zstd; each value makes cells of its own (same as `-p compression=…`)",
            },
            Shorthand {
                long: "database-url",
                parameter: "database_url",
                takes: Takes::One("URL"),
                help: "PostgreSQL server to use instead of a temporary one; its address is granted, its password is not recorded (same as `-p database_url=…`)",
            },
            Shorthand {
                long: "no-aot",
                parameter: "code",
                takes: Takes::Flag("compiled"),
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

    fn keeps_history(&self) -> bool {
        true
    }
}
