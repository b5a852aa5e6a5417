//! Finds and runs the program psql.

use bench_model::ModuleError;
use std::ffi::OsStr;
use std::io;
use std::path::PathBuf;
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
        let (url, password) = without_password(url);
        Ok(Self { program, url, password })
    }

    /// psql without the user's settings, which stops at the first error and prints only results.
    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(["--no-psqlrc", "--quiet", "--no-align", "--tuples-only", "--set", "ON_ERROR_STOP=1", "--dbname"]);
        command.arg(&self.url).env("PGOPTIONS", "-c client_min_messages=warning");
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
        succeeded(&output)?;
        Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
    }

    /// Runs the file `script`.
    pub(crate) fn run_file(&self, script: &OsStr) -> Result<(), ModuleError> {
        succeeded(&self.command().arg("--file").arg(script).output().map_err(cannot_start)?)
    }

    /// Runs `out` and `into`, with a pipe from the output of the first to the input of the second; returns when both
    /// have exited.
    pub(crate) fn pipe(&self, out: &str, into: &[&str]) -> Result<(), ModuleError> {
        let mut source = self.command().args(["--command", out]).spawn().map_err(cannot_start)?;
        let rows = source.stdout.take().map_or_else(Stdio::null, Stdio::from);
        let mut command = self.command();
        for statement in into {
            command.args(["--command", statement]);
        }
        let target = command.stdin(rows).spawn();
        // Closes the reading end here, or the source would block after a target that exits early.
        drop(command);
        let written = target.and_then(Child::wait_with_output);
        let read = source.wait_with_output();
        let (written, read) = (written.map_err(cannot_start)?, read.map_err(cannot_start)?);
        // If the source only lost its reader, report the error of the target.
        succeeded(&written)?;
        succeeded(&read)
    }
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
    ModuleError::Other(format!("cannot run psql: {error}"))
}

/// The error that psql printed.
fn succeeded(output: &Output) -> Result<(), ModuleError> {
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let mut lines = said.lines().map(str::trim).filter(|line| !line.is_empty());
    let first = lines.next().unwrap_or("it printed no message").to_owned();
    // A server that cannot be reached is a fault of the environment.
    let is_environment = first.contains("connection to server") || first.contains("could not translate host name");
    let reason = format!("psql exited with {}: {first}", output.status);
    Err(if is_environment { ModuleError::Unavailable(reason) } else { ModuleError::Other(reason) })
}

/// Splits the URL into the URL without password, and the decoded password.
fn without_password(url: &str) -> (String, Option<String>) {
    let parts = || {
        let (scheme, rest) = url.split_once("://")?;
        let (login, place) = rest.split_once('@')?;
        let (user, password) = login.split_once(':')?;
        Some((format!("{scheme}://{user}@{place}"), decoded(password)))
    };
    parts().map_or_else(|| (url.to_owned(), None), |(url, password)| (url, Some(password)))
}

/// Decodes percent-encoding (RFC 3986, section 2.1).
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let code = tail.get(..2).and_then(|code| u8::from_str_radix(std::str::from_utf8(code).ok()?, 16).ok());
        match code.filter(|_| *first == b'%') {
            Some(byte) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            None => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_kept_off_the_command_line() {
        let check = |url: &str, expect: (&str, Option<&str>)| {
            let (found, password) = without_password(url);
            assert_eq!((found.as_str(), password.as_deref()), expect);
        };
        check("postgres://u:p%40ss%2@h:1/d", ("postgres://u@h:1/d", Some("p@ss%2")));
        check("postgres://u@h/d", ("postgres://u@h/d", None));
        check("host=h user=u", ("host=h user=u", None));
    }
}
