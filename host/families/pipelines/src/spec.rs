//! The specification of the drivers `source` and `destination`: parameters, metrics and requirements of their scenarios.

use bench_model::{Metric, Parameter, Scenario, Unit};

/// The family's name.
pub(crate) const FAMILY: &str = "pipelines";

/// The driver of scenarios that read.
pub(crate) const SOURCE: &str = "source";

/// The driver of scenarios that write what a source reads.
pub(crate) const DESTINATION: &str = "destination";

/// The driver of scenarios that change what a source reads before a destination writes it.
pub(crate) const TRANSFORM: &str = "transform";

/// The parameter of a transform with the query whose rows it must hand on.
pub(crate) const EQUALS: &str = "equals";

/// The argument that the driver adds for a connector that reads: the table, as it is written in SQL.
pub const FROM_TABLE: &str = "from_table";

/// The argument that the driver adds for a connector that writes: the table, as it is written in SQL. It does not exist yet.
pub const INTO_TABLE: &str = "into_table";

/// The parameter with the URL of the server.
pub(crate) const DATABASE_URL: &str = "database_url";

/// The parameters that the driver reads.
pub(crate) const COMPRESSION: &str = "compression";
pub(crate) const INFLIGHT: &str = "max_inflight_batches";
pub(crate) const CODE: &str = "code";

/// The parameter with how often a transfer is tried again whose server cannot be reached.
pub(crate) const RETRIES: &str = "retries";

/// The names of the metrics besides the time of a transfer, which has the name of the scenario, and [`RETRIES`].
pub(crate) mod metric {
    pub(crate) const STAGE: &str = "stage";
    pub(crate) const WALL: &str = "wall";
    pub(crate) const MODULE_LOAD: &str = "module_load";
    pub(crate) const RECORDS: &str = "records";
    pub(crate) const BYTES: &str = "bytes";
    pub(crate) const HOST_CALLS: &str = "host_calls";
    pub(crate) const MEMORY: &str = "memory";
}

/// The label of metrics of one side, and its value for the channel between the sides.
pub(crate) const SIDE: &str = "side";
pub(crate) const CHANNEL: &str = "channel";

/// The label of [`metric::STAGE`] with the name of the stage.
pub(crate) const STAGE_NAME: &str = "name";

/// The value of [`CODE`] with which compiled code is neither taken from the cache nor put there.
pub(crate) const COMPILED: &str = "compiled";

/// The parameter with the way in which a destination writes rows, and its former name.
pub(crate) const LOAD_METHOD: &str = "load_method";
pub(crate) const LOAD_METHOD_FORMERLY: &str = "mode";

/// Reading all rows of a table.
pub(crate) fn source(name: &str) -> Scenario {
    transfer(name, SOURCE, "Reads all rows of a table as batches.")
}

/// Changing rows between a source and a destination.
pub(crate) fn transform(name: &str) -> Scenario {
    let equals = "query whose rows it must hand on, so that they can be compared; `{from}` is the table that is read, and `{NAME}` an \
                  argument of the transform";
    Scenario::new(name, FAMILY, "Changes the batches of a source on their way to a destination.")
        .driven_by(TRANSFORM)
        .times_itself(Unit::Nanoseconds, "part of the transfer of a destination, which has the parameter `transform`")
        .parameter(Parameter::new(EQUALS, "SELECT * FROM {from}", equals))
}

/// Moving all rows of a table to another table.
pub(crate) fn destination(name: &str) -> Scenario {
    let source = Parameter::new("source", "pg-source/read", "the scenario of the source, as module/scenario");
    let transform = Parameter::new(
        TRANSFORM,
        "",
        "the scenario that changes batches on their way, as module/scenario; empty: they arrive as they were read",
    );
    let load_method = Parameter::new(
        LOAD_METHOD,
        "copy-binary",
        "how rows are written: INSERT (insert), or COPY of text (copy) or binary (copy-binary)",
    );
    let table =
        Parameter::new("table", "logged", "whether the target table is written to the server's write-ahead log");
    let compression = Parameter::new(COMPRESSION, "none", "compression of batches between source and destination");
    let inflight =
        Parameter::new(INFLIGHT, 16, "batches in the channel between source and destination before the source waits");
    let code = Parameter::new(CODE, "cached", "whether compiled code is loaded from the cache, or compiled again");
    transfer(name, DESTINATION, "Moves all rows of a table to another table of the same server as batches.")
        .requires("module:source", "the module of the source")
        .can_use("module:transform", "the module of the transform")
        .parameter(source)
        .parameter(transform)
        .parameter(load_method.choices(["insert", "copy", "copy-binary"]))
        .parameter(table.choices(["logged", "unlogged"]))
        .parameter(compression.choices(["none", "lz4", "zstd"]))
        .parameter(inflight.between(1, 1024))
        .parameter(code.choices(["cached", COMPILED]))
}

/// What both have in common.
fn transfer(name: &str, driver: &str, summary: &str) -> Scenario {
    let server = "URL of the server: postgres://user:password@host:port/database; @cluster starts a server for the run";
    let [rows, payload, columns, seed, source_table] = pg_rows::parameters();
    let batch_rows = Parameter::new("batch_rows", 1024, "rows in a batch");
    let retries = "how often a transfer is tried again whose server takes no connection at the moment";
    let clock = "from the start of the first side until the last has ended and all rows are committed";
    let scenario = Scenario::new(name, FAMILY, summary)
        .driven_by(driver)
        .times_itself(Unit::Nanoseconds, clock)
        .requires(format!("postgres:{DATABASE_URL}"), "the server whose rows are moved")
        .parameter(Parameter::new(DATABASE_URL, "@cluster", server))
        .parameter(source_table)
        .parameter(rows)
        .parameter(payload)
        .parameter(columns)
        .parameter(batch_rows.between(1, i64::from(u16::MAX)))
        .parameter(Parameter::new(RETRIES, 2, retries).between(0, 100))
        .parameter(seed);
    recorded().into_iter().fold(scenario, Scenario::metric)
}

/// The series besides the timed one.
fn recorded() -> [Metric; 8] {
    let ns = |name, summary| Metric::new(name, Unit::Nanoseconds, summary).label(SIDE);
    let count = |name, summary| Metric::new(name, Unit::Count, summary).label(SIDE);
    let bytes = "bytes of batches on a side; `channel`: in the channel, after compression";
    [
        ns(metric::STAGE, "time of one stage of a side; a name with `/` is a part of a stage").label(STAGE_NAME),
        ns(metric::WALL, "wall time of a side, from before it is instantiated until its call returns"),
        ns(metric::MODULE_LOAD, "time from opening the module file until it can be instantiated, once per process"),
        count(metric::RECORDS, "rows that were read, or written and committed"),
        Metric::new(metric::BYTES, Unit::Bytes, bytes).label(SIDE),
        count(metric::HOST_CALLS, "calls of the host for batches"),
        Metric::new(RETRIES, Unit::Count, "attempts before, whose server took no connection; no figure contains them"),
        Metric::new(metric::MEMORY, Unit::Bytes, "peak resident memory of the process, once per process"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use bench_model::Descriptor;

    #[test]
    fn specifications_are_valid_descriptors() {
        for scenario in [source("read"), transform("change"), destination("load")] {
            Descriptor::new("module", "1", "").scenario(scenario).validate().unwrap();
        }
    }
}
