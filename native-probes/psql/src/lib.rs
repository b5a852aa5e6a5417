//! The probe `psql`: moves the rows of the family `pipelines` with PostgreSQL's own client and server, as a baseline
//! for connectors.

mod client;
mod elsewhere;
mod script;
mod session;

use bench_model::{Arguments, Descriptor, ModuleError, Parameter, Scenario, Session, Unit};
use probe_abi::{Host, Probe, export_probe};

/// The probe.
#[derive(Debug)]
pub struct Psql;

/// The parameter with the URL of the server.
const DATABASE_URL: &str = "database_url";

/// The parameter with the folder for statements.
const FOLDER: &str = "folder";

/// How rows are moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TransferMethod {
    /// One psql copies out and another copies in, with a pipe between them.
    Pipe,
    /// The server copies to a file on its disk, and from it.
    ServerCopy,
    /// One psql runs statements from a file.
    Insert,
    /// pg_dump writes the rows to pg_restore, which loads them into a second database.
    DumpRestore,
}

impl TransferMethod {
    const ALL: [Self; 4] = [Self::Pipe, Self::ServerCopy, Self::Insert, Self::DumpRestore];

    fn name(self) -> &'static str {
        match self {
            Self::Pipe => "pipe",
            Self::ServerCopy => "server-copy",
            Self::Insert => "insert",
            Self::DumpRestore => "dump-restore",
        }
    }

    fn scenario(self) -> Scenario {
        let (summary, clock) = match self {
            Self::Pipe => (
                "All rows through a pipe from one psql to another, by COPY in binary",
                "from the start of the first psql until both have exited and the rows are committed",
            ),
            Self::ServerCopy => (
                "All rows to a file on the server and back, by COPY in binary",
                "from the start of psql until it has exited and the rows are committed",
            ),
            Self::Insert => (
                "All rows by INSERT statements of 256 rows each, with literal values, which psql reads from a file",
                "from the start of psql until it has exited and the rows are committed",
            ),
            Self::DumpRestore => (
                "All rows from pg_dump to pg_restore, by COPY of text, into a second database that is removed afterwards",
                "from the start of pg_dump until pg_restore has exited and the rows are committed",
            ),
        };
        let [rows, payload, columns, seed, source_table] = pg_rows::parameters();
        let scenario = Scenario::new(self.name(), "pipelines", summary)
            .times_itself(Unit::Nanoseconds, clock)
            .requires(format!("postgres:{DATABASE_URL}"), "the server whose rows are moved")
            .can_use("cpu:2", "a processor for each process")
            .parameter(Parameter::new(
                DATABASE_URL,
                "@cluster",
                "the URL of the server; @cluster starts a server for the run",
            ))
            .parameter(source_table)
            .parameter(rows)
            .parameter(payload)
            .parameter(columns)
            .parameter(
                Parameter::new(
                    "table",
                    "logged",
                    "whether the target table is written to the server's write-ahead log",
                )
                .choices(["logged", "unlogged"]),
            )
            .parameter(seed);
        if self == Self::Insert {
            let folder = Parameter::new(
                FOLDER,
                "@temp",
                "folder for the file of statements; @temp is a scratch folder of the host",
            );
            scenario.parameter(folder).requires(format!("scratch:{FOLDER}"), "psql reads the statements from a file")
        } else {
            scenario
        }
    }
}

impl Probe for Psql {
    fn describe() -> Descriptor {
        let summary = "Rows moved by PostgreSQL's own client and server.";
        let descriptor = Descriptor::new("psql", env!("CARGO_PKG_VERSION"), summary);
        TransferMethod::ALL.into_iter().map(TransferMethod::scenario).fold(descriptor, Descriptor::scenario)
    }

    fn open(scenario: &str, arguments: &Arguments, host: Host) -> Result<Box<dyn Session>, ModuleError> {
        open(scenario, arguments, Some(host))
    }
}

/// Opens a scenario. Without a host, its samples are discarded.
pub fn open(scenario: &str, arguments: &Arguments, host: Option<Host>) -> Result<Box<dyn Session>, ModuleError> {
    let method = TransferMethod::ALL.into_iter().find(|method| method.name() == scenario);
    let method = method.ok_or_else(|| ModuleError::UnknownScenario(scenario.to_owned()))?;
    Ok(Box::new(session::Moves::open(method, arguments, host)?))
}

export_probe!(Psql);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_descriptor_is_valid() {
        Psql::describe().validate().unwrap();
    }
}
