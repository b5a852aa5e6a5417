//! What the scenarios of both connectors have in common: the server, the rows, and what is recorded of a transfer. It must not
//! know how either connector works.

use bench_plugin::model::{Metric, Parameter, Scenario, Unit};

/// The parameter that names the server.
pub const DATABASE_URL: &str = "database_url";

/// The family of both.
pub const FAMILY: &str = "pipelines";

const CLOCK: &str =
    "the clock starts before the first side is started and stops when the last has ended, all rows committed";

/// A scenario that moves rows, for `driver`, with the parameters that say which, and with the series that the driver records.
pub fn transfer(name: &str, driver: &str, summary: &str) -> Scenario {
    let server =
        "postgres://user:password@host:port/database, or `@cluster`, a server that the host starts for the run";
    let rows = Parameter::new("rows", 10_000, "rows of the table");
    let payload =
        Parameter::new("payload", "realistic", "what is in the longest column: words, or one letter repeated");
    let columns = Parameter::new(
        "columns",
        "all",
        "seven columns of integers, texts, a boolean and a timestamp, or those and five more",
    );
    let batch_rows = Parameter::new("batch_rows", 1024, "rows of a batch");
    let seed = Parameter::new("seed", 1, "what the rows are drawn from");
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
        .metric(ns("stage", "one stage of a side; with `/`, a part of a stage").label("side").label("name"))
        .metric(ns("wall", "a side, from before its instance to after its call").label("side"))
        .metric(
            ns("module_load", "from the file being opened to an instance being possible, once a process").label("side"),
        )
        .metric(count("records", "rows read, or written and committed"))
        .metric(
            Metric::new("bytes", Unit::Bytes, "bytes of batches as a side has them; `channel`: as they wait")
                .label("side"),
        )
        .metric(count("host_calls", "calls of the host for a batch"))
        .metric(Metric::new("memory", Unit::Bytes, "the most memory the process ever had resident, once a process"))
}
