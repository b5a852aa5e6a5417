//! What the family `pipelines` offers.

use bench_drivers::Driver;
use bench_drivers::pipelines::ConnectorDriver;
use bench_family::{Family, Shorthand, Takes};
use bench_model::{Arguments, Scenario};
use std::time::Duration;

/// What a row may take on a slow machine to be made, moved and compared.
const ROW: Duration = Duration::from_micros(100);

/// The family.
pub(crate) struct Pipelines;

impl Family for Pipelines {
    fn name(&self) -> &'static str {
        "pipelines"
    }

    fn summary(&self) -> &'static str {
        "Scenarios that move rows"
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
                help: "How many rows; several are an axis (`-p rows=…`)",
            },
            Shorthand {
                long: "compression",
                parameter: "compression",
                takes: Takes::Many("NAME[,NAME…]"),
                help: "What is done to batches on their way: none, lz4, zstd; several are an axis (`-p compression=…`)",
            },
            Shorthand {
                long: "database-url",
                parameter: "database_url",
                takes: Takes::One("URL"),
                help: "The server, instead of one of the run's own (`-p database_url=…`); its address is granted, and its password not recorded",
            },
            Shorthand {
                long: "no-aot",
                parameter: "code",
                takes: Takes::Flag("compiled"),
                help: "Compile components anew instead of mapping cached code (`-p code=compiled`)",
            },
        ]
    }

    /// Rows are made, moved to warm up and in each of the repetitions, and compared.
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
