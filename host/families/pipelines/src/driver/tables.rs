//! The tables of both sides, as the host itself sees them: it makes the rows, clears what was loaded, and compares. Behind a
//! trait, so that everything but SQL is tested without a server.

use crate::{ROW, retry, spec};
use bench_engine::worker::expect_ns;
use bench_model::{Arguments, Check, ModuleError};
use pg_rows::{SOURCE_TABLE, Source};
use postgres::config::Host;
use postgres::error::SqlState;
use postgres::{Client, Config};

/// What the host does to the tables.
pub(super) trait Tables {
    /// The conditions that figures depend on besides the arguments, as found: names and values.
    fn conditions(&self) -> &[(String, String)];

    /// The table that a source reads, as it is written in SQL, and what it holds.
    fn source(&self) -> (&str, &TableFingerprint);

    /// The table that a destination makes, as it is written in SQL.
    fn target(&self) -> &str;

    /// What must be loaded: what the source holds, or what a transform makes of it.
    fn expected(&self) -> &TableFingerprint;

    /// Gets rid of what was loaded, and of work that the server has put off.
    fn clear(&mut self) -> Result<(), ModuleError>;

    /// What was loaded; `None` where there is no table.
    fn loaded(&mut self) -> Result<Option<TableFingerprint>, ModuleError>;

    /// Whether another session has changed the table that a source reads.
    fn has_source_changed(&mut self) -> Result<bool, ModuleError>;
}

/// What a table holds. Two are equal where their rows are, in whichever order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TableFingerprint {
    pub(super) rows: u64,
    /// Over all columns of all rows.
    pub(super) hash: String,
    /// Names and types.
    pub(super) columns: String,
}

impl TableFingerprint {
    /// Whether `loaded` is what was sent.
    pub(super) fn checks(&self, loaded: &Self) -> Vec<Check> {
        vec![
            Check::equal("rows of the tables", &self.rows, &loaded.rows),
            Check::equal("columns of the tables", &self.columns, &loaded.columns),
            Check::equal("hash over all columns of all rows", &self.hash, &loaded.hash),
        ]
    }
}

/// Settings of the server that decide what a figure is.
const SETTINGS: [&str; 8] = [
    "server_version",
    "fsync",
    "synchronous_commit",
    "full_page_writes",
    "wal_level",
    "shared_buffers",
    "max_wal_size",
    "autovacuum",
];

/// The port of a server whose URL names none.
const PORT: u16 = 5432;

/// Tables in a PostgreSQL server.
pub(super) struct Database {
    client: Client,
    conditions: Vec<(String, String)>,
    source: String,
    held: TableFingerprint,
    expected: TableFingerprint,
    /// The rows are the user's.
    is_own: bool,
    target: String,
    may_checkpoint: bool,
}

/// The time to allow for comparing so many bytes of a table, whose rows are not counted yet: 10 MB/s.
const BYTE_NS: u64 = 100;

impl Database {
    /// Connects to the server that the argument `parameter` names, and makes the rows unless they are there or the user's. With the
    /// arguments of a transform, other rows than those are expected.
    pub(super) fn open(
        parameter: &str,
        arguments: &Arguments,
        transform: Option<&Arguments>,
    ) -> Result<Self, ModuleError> {
        let rows = Source::of(arguments)?;
        let is_own = rows.is_own();
        let mut client = connect(parameter, arguments.text(parameter)?)?;
        let failed = |error| match is_own {
            true => unreadable(parameter, &error),
            false => failure("the rows cannot be made", &error),
        };
        client.batch_execute(&rows.create()).map_err(failed)?;
        let (source, target) = (rows.table(), pg_rows::target(arguments)?);
        if is_own {
            let size = client.query_one("SELECT pg_table_size(to_regclass($1))", &[&source]).map_err(failed)?;
            expect_ns(size.get::<_, i64>(0).unsigned_abs().saturating_mul(BYTE_NS));
        }
        // Reading it all also has the server note which rows are valid, which the first to read must.
        let held = held(&mut client, &source).map_err(failed)?;
        let expected = match transform {
            Some(transform) => transformed(&mut client, &source, &pg_rows::expected(arguments)?, transform)?,
            None => held.clone(),
        };
        let mut conditions = conditions(&mut client).map_err(failed)?;
        if is_own {
            // The argument `rows` is of generated rows.
            conditions.push(("source_rows".to_owned(), held.rows.to_string()));
        }
        let superuser = "SELECT usesuper FROM pg_user WHERE usename = current_user";
        let may_checkpoint = client.query_opt(superuser, &[]).map_err(failed)?.is_some_and(|row| row.get(0));
        Ok(Self { client, conditions, source, held, expected, is_own, target, may_checkpoint })
    }
}

/// What the rows of `source` are after a transform with these arguments, by the query that it says it equals, which becomes `view`.
fn transformed(
    client: &mut Client,
    source: &str,
    view: &str,
    arguments: &Arguments,
) -> Result<TableFingerprint, ModuleError> {
    let query = arguments.iter().fold(arguments.text(spec::EQUALS)?.to_owned(), |query, (name, value)| {
        let is_other = name != spec::EQUALS;
        if is_other { query.replace(&format!("{{{name}}}"), &value.to_string()) } else { query }
    });
    let create = format!("DROP VIEW IF EXISTS {view};\nCREATE VIEW {view} AS {}\n;", query.replace("{from}", source));
    let failed = |error: postgres::Error| {
        let text = describe_error(&error);
        ModuleError::InvalidArgument(format!("`{}` of the transform cannot be run: {text}", spec::EQUALS))
    };
    client.batch_execute("SET client_min_messages = warning").map_err(failed)?;
    client.batch_execute(&create).map_err(failed)?;
    held(client, view).map_err(failed)
}

/// Why the table or query of the user cannot be read, which is no fault of a module.
fn unreadable(parameter: &str, error: &postgres::Error) -> ModuleError {
    ModuleError::Unavailable(format!(
        "`{SOURCE_TABLE}` cannot be read: {}; give a table or a query that the user of `{parameter}` may read there",
        describe_error(error)
    ))
}

/// What the URL in the argument `parameter` says; an error does not repeat it, for there is a password in it.
fn parsed(parameter: &str, url: &str) -> Result<Config, ModuleError> {
    url.parse().map_err(|error| {
        let reason = format!(
            "`{parameter}` is no URL of a server: {error}; give postgres://USER:PASSWORD@HOST:PORT/DATABASE, or `@cluster` for \
             one of the run's own"
        );
        ModuleError::InvalidArgument(reason)
    })
}

/// A connection to the server at `url`, for the host itself.
fn connect(parameter: &str, url: &str) -> Result<Client, ModuleError> {
    let config = parsed(parameter, url)?;
    retry::connect(&config).map_err(|error| {
        let (shown, reason) = (server_address(&config), describe_error(&error));
        let reason =
            format!("no connection to {shown}: {reason}; start the server, or give another -p {parameter}=URL");
        ModuleError::Unavailable(reason)
    })
}

/// The server, without the password.
fn server_address(config: &Config) -> String {
    let host = |host: &Host| match host {
        Host::Tcp(host) => host.clone(),
        Host::Unix(path) => path.display().to_string(),
    };
    let hosts: Vec<_> = config.get_hosts().iter().map(host).collect();
    let port = config.get_ports().first().copied().unwrap_or(PORT);
    format!("{}:{port}", hosts.join(","))
}

/// The failure of `what`. Missing rights are those of the user, and no fault of a module.
fn failure(what: &str, error: &postgres::Error) -> ModuleError {
    let reason = format!("{what}: {}", describe_error(error));
    match error.code() {
        Some(&SqlState::INSUFFICIENT_PRIVILEGE) => {
            ModuleError::Unavailable(format!("{reason}; GRANT the right, or give another user"))
        }
        Some(&SqlState::READ_ONLY_SQL_TRANSACTION) => {
            ModuleError::Unavailable(format!("{reason}; give a server that can be written to"))
        }
        _ => ModuleError::Other(reason),
    }
}

/// What the server said; else what the connection's fault was.
fn describe_error(error: &postgres::Error) -> String {
    match error.as_db_error() {
        Some(error) => format!("{}: {}", error.severity(), error.message()),
        None => {
            let source = std::error::Error::source(error).map_or_else(String::new, |source| format!(": {source}"));
            format!("{error}{source}")
        }
    }
}

fn held(client: &mut Client, table: &str) -> Result<TableFingerprint, postgres::Error> {
    let row = client.query_one(&pg_rows::fingerprint(table), &[])?;
    Ok(TableFingerprint { rows: row.get::<_, i64>(0).cast_unsigned(), hash: row.get(1), columns: row.get(2) })
}

fn conditions(client: &mut Client) -> Result<Vec<(String, String)>, postgres::Error> {
    let one = |setting: &&str| {
        let row = client.query_one("SELECT current_setting($1)", &[setting])?;
        Ok(((*setting).to_owned(), row.get(0)))
    };
    let mut conditions = SETTINGS.iter().map(one).collect::<Result<Vec<_>, postgres::Error>>()?;
    let encrypted = "SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid() AND ssl";
    let tls = client.query_opt(encrypted, &[])?.map_or_else(|| "off".to_owned(), |row| row.get(0));
    conditions.push(("tls".to_owned(), tls));
    Ok(conditions)
}

impl Tables for Database {
    fn conditions(&self) -> &[(String, String)] {
        &self.conditions
    }

    fn source(&self) -> (&str, &TableFingerprint) {
        (&self.source, &self.held)
    }

    fn target(&self) -> &str {
        &self.target
    }

    fn expected(&self) -> &TableFingerprint {
        &self.expected
    }

    fn clear(&mut self) -> Result<(), ModuleError> {
        if self.is_own {
            // The parent does not know how many rows there are.
            let ns = u64::try_from(ROW.as_nanos()).unwrap_or(u64::MAX);
            expect_ns(ns.saturating_mul(self.held.rows));
        }
        let mut statements = format!("DROP TABLE IF EXISTS {};", self.target);
        if self.may_checkpoint {
            // What one repetition leaves to be written is not the next one's.
            statements.push_str(" CHECKPOINT;");
        }
        let failed =
            |error| ModuleError::Other(format!("{} cannot be removed: {}", self.target, describe_error(&error)));
        self.client.batch_execute("SET client_min_messages = warning").map_err(failed)?;
        statements.split_inclusive(';').try_for_each(|statement| self.client.batch_execute(statement)).map_err(failed)
    }

    fn loaded(&mut self) -> Result<Option<TableFingerprint>, ModuleError> {
        let failed =
            |error| ModuleError::Other(format!("what was loaded cannot be looked at: {}", describe_error(&error)));
        let exists = self.client.query_one("SELECT to_regclass($1) IS NOT NULL", &[&self.target]).map_err(failed)?;
        if exists.get(0) { held(&mut self.client, &self.target).map(Some).map_err(failed) } else { Ok(None) }
    }

    fn has_source_changed(&mut self) -> Result<bool, ModuleError> {
        let failed = |error| failure("the rows cannot be compared again", &error);
        Ok(self.is_own && held(&mut self.client, &self.source).map_err(failed)? != self.held)
    }
}
