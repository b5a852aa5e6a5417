//! Parameters, requirements and metrics that the scenarios of both connectors share.

use bench_plugin::model::{Metric, Parameter, Scenario, Unit};

/// The parameter with the URL of the server.
pub const DATABASE_URL: &str = "database_url";

/// The family of both connectors.
pub const FAMILY: &str = "pipelines";

const CLOCK: &str = "from the start of the first side until the last has ended and all rows are committed";

/// A scenario for `driver` that moves rows, with the parameters of the rows and the metrics that the driver records.
pub fn transfer(name: &str, driver: &str, summary: &str) -> Scenario {
    let server = "URL of the server: postgres://user:password@host:port/database; @cluster starts a server for the run";
    let rows = Parameter::new("rows", 10_000, "rows in the table");
    let payload = Parameter::new(
        "payload",
        "realistic",
        "content of the longest column: words (realistic), or one letter repeated (repetitive)",
    );
    let columns = Parameter::new(
        "columns",
        "all",
        "all twelve columns, or the first seven (seed): integers, texts, a boolean and a timestamp",
    );
    let batch_rows = Parameter::new("batch_rows", 1024, "rows in a batch");
    let seed = Parameter::new("seed", 1, "seed of the random rows");
    let ns = |name: &str, summary: &str| Metric::new(name, Unit::Nanoseconds, summary);
    let count = |name: &str, summary: &str| Metric::new(name, Unit::Count, summary).label("side");
    Scenario::new(name, FAMILY, summary)
        .driven_by(driver)
        .times_itself(Unit::Nanoseconds, CLOCK)
        .requires(format!("postgres:{DATABASE_URL}"), "the server whose rows are moved")
        .parameter(Parameter::new(DATABASE_URL, "@cluster", server))
        .parameter(rows.between(0, 1_000_000_000))
        .parameter(payload.choices(["realistic", "repetitive"]))
        .parameter(columns.choices(["all", "seed"]))
        .parameter(batch_rows.between(1, i64::from(u16::MAX)))
        .parameter(seed)
        .metric(
            ns("stage", "time of one stage of a side; a name with `/` is a part of a stage")
                .label("side")
                .label("name"),
        )
        .metric(ns("wall", "wall time of a side, from before it is instantiated until its call returns").label("side"))
        .metric(
            ns("module_load", "time from opening the module file until it can be instantiated, once per process")
                .label("side"),
        )
        .metric(count("records", "rows that were read, or written and committed"))
        .metric(
            Metric::new(
                "bytes",
                Unit::Bytes,
                "bytes of batches on a side; `channel`: in the channel, after compression",
            )
            .label("side"),
        )
        .metric(count("host_calls", "calls of the host for batches"))
        .metric(Metric::new("memory", Unit::Bytes, "peak resident memory of the process, once per process"))
}
