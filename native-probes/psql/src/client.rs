//! Finds and runs the program psql, and pg_dump and pg_restore next to it.

use crate::DATABASE_URL;
use bench_model::ModuleError;
use pg_connection::{Address, Environment, Settings};
use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

/// psql and the server that it connects to.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    program: PathBuf,
    /// Without the password, which other users would see on a command line.
    url: String,
    password: Option<String>,
}

impl Client {
    /// Creates a client for the server at `url`.
    pub(crate) fn new(url: &str) -> Result<Self, ModuleError> {
        let program = program().ok_or_else(|| {
            let reason = "psql is not on the search path; run `cargo xtask setup`, or install PostgreSQL's client";
            ModuleError::Unavailable(reason.to_owned())
        })?;
        let (url, password) = without_password(url)?;
        Ok(Self { program, url, password })
    }

    /// The same user at the same server, in another database.
    pub(crate) fn with_database(&self, name: &str) -> Result<Self, ModuleError> {
        let settings = Settings { database: name.to_owned(), ..settings(&self.url)? };
        let address = single_address(&settings)?;
        Ok(Self { url: settings.url(address, settings.ssl_mode), ..self.clone() })
    }

    /// psql without the user's settings, which stops at the first error and prints only results.
    fn command(&self) -> Command {
        let mut command = self.program(&self.program);
        command.args(["--no-psqlrc", "--quiet", "--no-align", "--tuples-only", "--set", "ON_ERROR_STOP=1", "--dbname"]);
        command.arg(&self.url);
        command
    }

    /// A program that is installed with psql.
    fn tool(&self, name: &str) -> Result<Command, ModuleError> {
        let program = self.program.with_file_name(name);
        if !program.is_file() {
            let reason = format!("{} does not exist; install all of PostgreSQL's client", program.display());
            return Err(ModuleError::Unavailable(reason));
        }
        Ok(self.program(&program))
    }

    /// A program of PostgreSQL, with the password and without the user's settings.
    fn program(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        // What decides the connection is in the URL; the user's variables would make it another one.
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("PG")) {
            command.env_remove(name);
        }
        command.env("PGCLIENTENCODING", "UTF8").env("PGOPTIONS", OPTIONS);
        if let Some(password) = &self.password {
            command.env("PGPASSWORD", password);
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs `statements` one after the other and returns the output of psql. Each is a transaction of its own, unless
    /// they contain BEGIN and COMMIT.
    pub(crate) fn ask(&self, statements: &[&str]) -> Result<String, ModuleError> {
        let mut command = self.command();
        for statement in statements {
            command.args(["--command", statement]);
        }
        let output = command.output().map_err(cannot_start)?;
        succeeded(PSQL, &output)?;
        Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
    }

    /// Runs the file `script`.
    pub(crate) fn run_file(&self, script: &OsStr) -> Result<(), ModuleError> {
        succeeded(PSQL, &self.command().arg("--file").arg(script).output().map_err(cannot_start)?)
    }

    /// Runs `out` and `into`, with a pipe from the output of the first to the input of the second; returns when both
    /// have exited.
    pub(crate) fn pipe(&self, out: &str, into: &[&str]) -> Result<(), ModuleError> {
        let (mut source, mut target) = (self.command(), self.command());
        source.args(["--command", out]);
        for statement in into {
            target.args(["--command", statement]);
        }
        piped([PSQL, PSQL], source, target)
    }

    /// Has pg_dump write the rows of `table` to pg_restore, which loads them into the table of that name in the database
    /// of `other`; returns when both have exited.
    pub(crate) fn dump_into(&self, other: &Self, table: &str) -> Result<(), ModuleError> {
        let (mut source, mut target) = (self.tool(PG_DUMP)?, other.tool(PG_RESTORE)?);
        source.args(["--format=custom", "--compress=0", "--data-only", "--table", table, "--dbname"]).arg(&self.url);
        target.args(["--data-only", "--single-transaction", "--dbname"]).arg(&other.url);
        piped([PG_DUMP, PG_RESTORE], source, target)
    }
}

/// Settings of the session. What values look like as text may differ between databases, and rows are compared as text.
const OPTIONS: &str = "-c client_min_messages=warning -c timezone=UTC -c datestyle=ISO,MDY -c intervalstyle=postgres \
                       -c bytea_output=hex -c extra_float_digits=1";

const PSQL: &str = "psql";
const PG_DUMP: &str = "pg_dump";
const PG_RESTORE: &str = "pg_restore";

/// Runs both programs, with a pipe from the output of the first to the input of the second; returns when both have exited.
fn piped(names: [&str; 2], mut source: Command, mut target: Command) -> Result<(), ModuleError> {
    let mut source = source.spawn().map_err(cannot_start)?;
    let rows = source.stdout.take().map_or_else(Stdio::null, Stdio::from);
    let spawned = target.stdin(rows).spawn();
    // Closes the reading end here, or the source would block after a target that exits early.
    drop(target);
    let written = spawned.and_then(Child::wait_with_output);
    let read = source.wait_with_output();
    let (written, read) = (written.map_err(cannot_start)?, read.map_err(cannot_start)?);
    // If the source only lost its reader, report the error of the target.
    succeeded(names[1], &written)?;
    succeeded(names[0], &read)
}

/// Debian's wrapper script on the search path, which looks for the newest version. It takes longer than what is
/// measured.
const WRAPPER: &str = "pg_wrapper";

/// The folder of each version on Debian.
const VERSIONS: &str = "/usr/lib/postgresql";

/// Returns the path of psql itself.
fn program() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|folder| folder.join("psql")).find(|program| program.is_file())?;
    if found.canonicalize().ok()?.file_name() != Some(OsStr::new(WRAPPER)) {
        return Some(found);
    }
    let versions = std::fs::read_dir(VERSIONS).into_iter().flatten().flatten();
    let numbered = versions.filter_map(|entry| Some((entry.file_name().to_str()?.parse::<f64>().ok()?, entry.path())));
    let programs =
        numbered.map(|(version, folder)| (version, folder.join("bin/psql"))).filter(|(_, psql)| psql.is_file());
    programs.max_by(|one, other| one.0.total_cmp(&other.0)).map_or(Some(found), |(_, psql)| Some(psql))
}

fn cannot_start(error: io::Error) -> ModuleError {
    ModuleError::Other(format!("cannot run PostgreSQL's client: {error}"))
}

/// The error that the program printed.
fn succeeded(program: &str, output: &Output) -> Result<(), ModuleError> {
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let mut lines = said.lines().map(str::trim).filter(|line| !line.is_empty());
    let first = lines.next().unwrap_or("it printed no message").to_owned();
    // A server that cannot be reached is a fault of the environment.
    let of_environment = [
        "connection to server",
        "could not translate host name",
        "permission denied",
        "read-only transaction",
        "must be superuser",
        "server version mismatch",
    ];
    let is_environment = of_environment.iter().any(|part| first.contains(part));
    let reason = format!("{program} exited with {}: {first}", output.status);
    Err(if is_environment { ModuleError::Unavailable(reason) } else { ModuleError::Other(reason) })
}

/// The URL without the password, and the password.
fn without_password(url: &str) -> Result<(String, Option<String>), ModuleError> {
    let settings = settings(url)?;
    let address = single_address(&settings)?;
    let open = Address { password: None, ..address.clone() };
    Ok((settings.url(&open, settings.ssl_mode), address.password.clone()))
}

fn settings(url: &str) -> Result<Settings, ModuleError> {
    // The host has resolved the URL, so nothing of the environment is left to add.
    let settings = Settings::resolve(url, &Environment::default());
    settings.map_err(|error| ModuleError::InvalidArgument(format!("`{DATABASE_URL}`: {error}")))
}

fn single_address(settings: &Settings) -> Result<&Address, ModuleError> {
    match &settings.addresses[..] {
        [address] => Ok(address),
        _ => Err(ModuleError::InvalidArgument(format!("`{DATABASE_URL}`: several servers; give one of them"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_database_has_the_same_server_and_user() {
        let (url, password) = without_password("postgres://u:p@h:1/d?sslmode=disable").unwrap();
        let client = Client { program: "psql".into(), url, password };
        let other = client.with_database("a b").unwrap();
        assert_eq!(other.url, "postgres://u@h:1/a%20b?sslmode=disable");
        assert_eq!(other.password.as_deref(), Some("p"));
    }

    #[test]
    fn password_is_kept_off_the_command_line() {
        let check = |url: &str, expect: (&str, Option<&str>)| {
            let (found, password) = without_password(url).unwrap();
            assert_eq!((found.as_str(), password.as_deref()), expect);
        };
        check("postgres://u:p%40ss%25@h:1/d", ("postgres://u@h:1/d?sslmode=prefer", Some("p@ss%")));
        check("postgres://u@h/d?sslmode=disable", ("postgres://u@h:5432/d?sslmode=disable", None));
        check("host=h user=u password='a b'", ("postgres://u@h:5432/u?sslmode=prefer", Some("a b")));
        assert!(without_password("postgres://u:p@ss/word@h").is_err());
    }
}
