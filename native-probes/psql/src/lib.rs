//! The probe `psql`: the rows of the family `pipelines`, moved by what PostgreSQL itself offers, which is what connectors are
//! held against. It describes the scenarios and opens them; it must not know how a statement gets to the server.

mod client;
mod script;
mod session;

use bench_model::{Arguments, Descriptor, ModuleError, Parameter, Scenario, Session, Unit};
use probe_abi::{Host, Probe, export_probe};

/// The probe.
#[derive(Debug)]
pub struct Psql;

/// The parameter that names the server.
const DATABASE_URL: &str = "database_url";

/// The parameter that names the folder for statements.
const FOLDER: &str = "folder";

/// How rows are moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// One psql copies out, another in, with a pipe between them.
    Pipe,
    /// The server copies to a file of its own, and from it.
    ServerCopy,
    /// One psql runs statements out of a file.
    Insert,
}

impl Way {
    const ALL: [Self; 3] = [Self::Pipe, Self::ServerCopy, Self::Insert];

    fn name(self) -> &'static str {
        match self {
            Self::Pipe => "pipe",
            Self::ServerCopy => "server-copy",
            Self::Insert => "insert",
        }
    }

    fn scenario(self) -> Scenario {
        let (summary, clock) = match self {
            Self::Pipe => (
                "All rows out of one psql by COPY, and into another, in binary",
                "from before either psql is started until both have ended, committed",
            ),
            Self::ServerCopy => (
                "All rows into a file on the server by COPY, and out of it, in binary",
                "from before psql is started until it has ended, committed",
            ),
            Self::Insert => (
                "All rows by INSERT of 256 rows a statement, their values written out, by psql out of a file",
                "from before psql is started until it has ended, committed",
            ),
        };
        let scenario = Scenario::new(self.name(), "pipelines", summary)
            .times_itself(Unit::Nanoseconds, clock)
            .requires(format!("postgres:{DATABASE_URL}"), "the server whose rows are moved")
            .can_use("cpu:2", "a processor for each side")
            .parameter(Parameter::new(DATABASE_URL, "@cluster", "the server, or one of the run's own"))
            .parameter(Parameter::new("rows", 10_000, "rows of the table").between(0, 1_000_000_000))
            .parameter(
                Parameter::new("payload", "realistic", "what is in the longest column")
                    .choices(["realistic", "repetitive"]),
            )
            .parameter(Parameter::new("columns", "all", "twelve columns, or the first seven").choices(["all", "seed"]))
            .parameter(
                Parameter::new("table", "logged", "whether the table's changes go through the server's log")
                    .choices(["logged", "unlogged"]),
            )
            .parameter(Parameter::new("seed", 1, "what the rows are drawn from"));
        if self == Self::Insert {
            let folder = Parameter::new(FOLDER, "@temp", "where the statements are written");
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
        Way::ALL.into_iter().map(Way::scenario).fold(descriptor, Descriptor::scenario)
    }

    fn open(scenario: &str, arguments: &Arguments, host: Host) -> Result<Box<dyn Session>, ModuleError> {
        open(scenario, arguments, Some(host))
    }
}

/// Opens a scenario. Without a host, its samples are forgotten.
pub fn open(scenario: &str, arguments: &Arguments, host: Option<Host>) -> Result<Box<dyn Session>, ModuleError> {
    let way = Way::ALL.into_iter().find(|way| way.name() == scenario);
    let way = way.ok_or_else(|| ModuleError::UnknownScenario(scenario.to_owned()))?;
    Ok(Box::new(session::Moves::open(way, arguments, host)?))
}

export_probe!(Psql);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_descriptor_keeps_the_rules() {
        Psql::describe().validate().unwrap();
    }
}
