//! A session: moves the rows repeatedly, each time into a new table, and compares the target with the source. Only the
//! move is timed.

use crate::client::Client;
use crate::elsewhere::Elsewhere;
use crate::{DATABASE_URL, FOLDER, TransferMethod, script};
use bench_model::{Arguments, Check, ModuleError, Outcome, Session};
use pg_rows::{SCHEMA, SOURCE_TABLE, Source};
use probe_abi::Host;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

pub(crate) struct Moves {
    method: TransferMethod,
    client: Client,
    host: Option<Host>,
    source: String,
    /// The rows are the user's.
    is_own: bool,
    target: String,
    create: String,
    /// Statements before each move.
    clear: Vec<String>,
    /// The fingerprint of the source.
    expected: String,
    moves: u64,
    wrong: Option<String>,
    /// The file of statements of [`TransferMethod::Insert`].
    statements: Option<PathBuf>,
    /// The file on the server of [`TransferMethod::ServerCopy`].
    server_file: Option<String>,
    /// The second database of [`TransferMethod::DumpRestore`].
    elsewhere: Option<Elsewhere>,
}

impl Moves {
    /// Creates the rows, unless they exist or are the user's, and prepares the move.
    pub(crate) fn open(method: TransferMethod, arguments: &Arguments, host: Option<Host>) -> Result<Self, ModuleError> {
        let rows = Source::of(arguments)?;
        if method == TransferMethod::DumpRestore && rows.is_own() {
            let reason = "`dump-restore` moves generated rows only, because a second database may lack the types of a table of \
                          yours; the other scenarios of `psql` move it";
            return Err(ModuleError::Unavailable(reason.to_owned()));
        }
        let client = Client::new(arguments.text(DATABASE_URL)?)?;
        let (source, target) = (rows.table(), pg_rows::target(arguments)?);
        let prepare = || {
            client.ask(&[&rows.create()])?;
            client.ask(&[&pg_rows::fingerprint(&source)])
        };
        let expected = prepare().map_err(|error| match rows.is_own() {
            // A table that the user has named is not an error of this probe.
            true => ModuleError::Unavailable(format!("`{SOURCE_TABLE}` cannot be read: {error}")),
            false => error,
        })?;
        let mut clear = vec![format!("DROP TABLE IF EXISTS {target}")];
        if client.ask(&["SELECT usesuper FROM pg_user WHERE usename = current_user"])? == "t" {
            // Writes back the dirty pages of one move, so that they do not slow down the next.
            clear.push("CHECKPOINT".to_owned());
        }
        let is_logged = arguments.text("table")? == "logged";
        let create = script::create(&source, &target, is_logged);
        let mut moves = Self {
            method,
            client,
            host,
            source,
            is_own: rows.is_own(),
            target,
            create,
            clear,
            expected,
            moves: 0,
            wrong: None,
            statements: None,
            server_file: None,
            elsewhere: None,
        };
        match method {
            TransferMethod::Pipe => {}
            TransferMethod::ServerCopy => {
                moves.server_file = Some(moves.choose_server_file(arguments.text(SCHEMA)?)?);
            }
            TransferMethod::Insert => {
                moves.statements = Some(moves.write_statements(Path::new(arguments.text(FOLDER)?))?)
            }
            TransferMethod::DumpRestore => {
                let schema = arguments.text(SCHEMA)?;
                moves.elsewhere = Some(Elsewhere::create(&moves.client, schema, &moves.source, is_logged)?);
            }
        }
        Ok(moves)
    }

    /// Chooses a file in the data folder of the server, and checks that the server can write it. The host knows it by the schema, and removes
    /// it if this process is killed.
    fn choose_server_file(&self, schema: &str) -> Result<String, ModuleError> {
        let refused = |error: ModuleError| {
            let reason =
                format!("{error}; the user needs the right to write files on the server (pg_write_server_files)");
            ModuleError::Unavailable(reason)
        };
        let folder = self.client.ask(&["SHOW data_directory"]).map_err(refused)?;
        let file = format!("{folder}/bench_host_rows_{schema}");
        self.client.ask(&[&format!("COPY (SELECT 1) TO {}", literal(&file))]).map_err(refused)?;
        Ok(file)
    }

    /// Writes the INSERTs to a file in `folder`.
    fn write_statements(&self, folder: &Path) -> Result<PathBuf, ModuleError> {
        let columns = format!(
            "SELECT quote_ident(attname) FROM pg_attribute WHERE attrelid = {}::regclass AND attnum > 0 AND NOT attisdropped \
             ORDER BY attnum",
            literal(&self.source)
        );
        let columns: Vec<_> = self.client.ask(&[&columns])?.lines().map(str::to_owned).collect();
        let inserts = self.client.ask(&[&script::inserts(&self.source, &self.target, &columns)])?;
        let path = folder.join("inserts.sql");
        let write = || {
            let mut file = BufWriter::new(File::create(&path)?);
            write!(file, "BEGIN;\n{};\n{inserts}\nCOMMIT;\n", self.create)?;
            file.flush()
        };
        write().map_err(|error: std::io::Error| {
            ModuleError::Unavailable(format!("{}: {error}; give -p {FOLDER}=FOLDER", path.display()))
        })?;
        Ok(path)
    }

    fn once(&mut self) -> Result<(), ModuleError> {
        self.elsewhere.as_ref().map(Elsewhere::clear).transpose()?;
        self.client.ask(&self.clear.iter().map(String::as_str).collect::<Vec<_>>())?;
        let begin = Instant::now();
        self.move_rows()?;
        let ns = begin.elapsed().as_nanos() as u64;
        self.moves += 1;
        let found = match &self.elsewhere {
            Some(elsewhere) => elsewhere.client().ask(&[&pg_rows::fingerprint(&self.source)])?,
            None => self.client.ask(&[&pg_rows::fingerprint(&self.target)])?,
        };
        if found != self.expected {
            if self.is_own && self.client.ask(&[&pg_rows::fingerprint(&self.source)])? != self.expected {
                let reason = format!(
                    "{} changed while it was moved; give a table that is not written to meanwhile",
                    self.source
                );
                return Err(ModuleError::Unavailable(reason));
            }
            self.wrong.get_or_insert(format!("move {}: expected {}, found {found}", self.moves, self.expected));
            return Ok(());
        }
        if let Some(host) = self.host {
            host.series(self.method.name(), &[])?.record(ns);
        }
        Ok(())
    }

    fn move_rows(&self) -> Result<(), ModuleError> {
        let Self { client, source, target, create, .. } = self;
        if let Some(elsewhere) = &self.elsewhere {
            return client.dump_into(elsewhere.client(), source);
        }
        match (&self.statements, &self.server_file) {
            (Some(statements), _) => client.run_file(statements.as_os_str()),
            (None, Some(file)) => {
                let file = literal(file);
                let out = format!("COPY (SELECT * FROM {source}) TO {file} (FORMAT binary)");
                client.ask(&[
                    &out,
                    "BEGIN",
                    create,
                    &format!("COPY {target} FROM {file} (FORMAT binary)"),
                    "COMMIT",
                ])?;
                Ok(())
            }
            (None, None) => {
                let out = format!("\\copy (SELECT * FROM {source}) TO stdout (FORMAT binary)");
                let into = format!("\\copy {target} FROM stdin (FORMAT binary)");
                client.pipe(&out, &["BEGIN", create, &into, "COMMIT"])
            }
        }
    }
}

impl Session for Moves {
    fn iterate(&mut self, times: u64) -> Result<Outcome, ModuleError> {
        for _ in 0..times {
            self.once()?;
        }
        Ok(Outcome { operations: times, bytes: 0, checksum: fnv(self.expected.as_bytes()) })
    }

    fn verify(&mut self) -> Result<Vec<Check>, ModuleError> {
        let detail = match &self.wrong {
            Some(wrong) => wrong.clone(),
            None => format!("all rows were equal after each of {} moves", self.moves),
        };
        Ok(vec![Check::that("hash over all columns of all rows", self.wrong.is_none() && self.moves > 0, detail)])
    }
}

impl Drop for Moves {
    /// Errors are printed only: a server of the run removes its files itself.
    fn drop(&mut self) {
        let remove = self.server_file.take().map(|file| {
            let program = format!("rm -f -- '{}'", file.replace('\'', "'\\''"));
            format!("COPY (SELECT 1) TO PROGRAM {}", literal(&program))
        });
        let drop_target = format!("DROP TABLE IF EXISTS {}", self.target);
        let statements: Vec<_> = std::iter::once(drop_target.as_str()).chain(remove.as_deref()).collect();
        if let Err(error) = self.client.ask(&statements) {
            eprintln!("psql: cannot remove the moved rows: {error}");
        }
    }
}

/// A text as an SQL literal.
pub(crate) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// FNV-1a, 64 bits: <http://www.isthe.com/chongo/tech/comp/fnv/>.
fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
}
