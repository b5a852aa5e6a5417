//! A session: moves the rows again and again, each time into a table that is not there yet, and compares what arrived with what
//! was sent. Only the moving is timed.

use crate::client::Client;
use crate::{DATABASE_URL, FOLDER, Way, script};
use bench_model::{Arguments, Check, ModuleError, Outcome, Session};
use pg_rows::Dataset;
use probe_abi::Host;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

pub(crate) struct Moves {
    way: Way,
    client: Client,
    host: Option<Host>,
    source: String,
    target: String,
    create: String,
    /// What comes before each move.
    clear: Vec<String>,
    /// What the source holds.
    expected: String,
    moves: u64,
    wrong: Option<String>,
    /// Statements of [`Way::Insert`].
    statements: Option<PathBuf>,
    /// A file of the server, of [`Way::ServerCopy`].
    server_file: Option<String>,
}

impl Moves {
    /// Makes the rows, unless they are there, and all that is needed to move them.
    pub(crate) fn open(way: Way, arguments: &Arguments, host: Option<Host>) -> Result<Self, ModuleError> {
        let dataset = Dataset::of(arguments)?;
        let client = Client::new(arguments.text(DATABASE_URL)?)?;
        client.ask(&[&dataset.create()])?;
        let (source, target) = (dataset.table(), pg_rows::target(arguments)?);
        let expected = client.ask(&[&pg_rows::fingerprint(&source)])?;
        let mut clear = vec![format!("DROP TABLE IF EXISTS {target}")];
        if client.ask(&["SELECT usesuper FROM pg_user WHERE usename = current_user"])? == "t" {
            // What one move leaves to be written is not the next one's.
            clear.push("CHECKPOINT".to_owned());
        }
        let create = script::create(&source, &target, arguments.text("table")? == "logged");
        let mut moves = Self {
            way,
            client,
            host,
            source,
            target,
            create,
            clear,
            expected,
            moves: 0,
            wrong: None,
            statements: None,
            server_file: None,
        };
        match way {
            Way::Pipe => {}
            Way::ServerCopy => moves.server_file = Some(moves.choose_server_file()?),
            Way::Insert => moves.statements = Some(moves.write_statements(Path::new(arguments.text(FOLDER)?))?),
        }
        Ok(moves)
    }

    /// A file that the server can write and read, in the folder of its data.
    fn choose_server_file(&self) -> Result<String, ModuleError> {
        let refused = |error: ModuleError| {
            let reason = format!("{error}; only who may write files of the server can have it copy to one");
            ModuleError::Unavailable(reason)
        };
        let folder = self.client.ask(&["SHOW data_directory"]).map_err(refused)?;
        let file = format!("{folder}/bench_host_rows_{}", std::process::id());
        self.client.ask(&[&format!("COPY (SELECT 1) TO {}", literal(&file))]).map_err(refused)?;
        Ok(file)
    }

    /// The INSERTs in a file in `folder`.
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
        self.client.ask(&self.clear.iter().map(String::as_str).collect::<Vec<_>>())?;
        let begin = Instant::now();
        self.move_rows()?;
        let ns = begin.elapsed().as_nanos() as u64;
        self.moves += 1;
        let found = self.client.ask(&[&pg_rows::fingerprint(&self.target)])?;
        if found != self.expected {
            self.wrong.get_or_insert(format!("move {}: expected {}, found {found}", self.moves, self.expected));
            return Ok(());
        }
        if let Some(host) = self.host {
            host.series(self.way.name(), &[])?.record(ns);
        }
        Ok(())
    }

    fn move_rows(&self) -> Result<(), ModuleError> {
        let Self { client, source, target, create, .. } = self;
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
            None => format!("{} times all rows arrived as they left", self.moves),
        };
        Ok(vec![Check::that("hash over all columns of all rows", self.wrong.is_none() && self.moves > 0, detail)])
    }
}

impl Drop for Moves {
    /// What cannot be removed goes with the server, or its owner finds it.
    fn drop(&mut self) {
        let remove = self.server_file.take().map(|file| {
            let program = format!("rm -f -- '{}'", file.replace('\'', "'\\''"));
            format!("COPY (SELECT 1) TO PROGRAM {}", literal(&program))
        });
        let drop_target = format!("DROP TABLE IF EXISTS {}", self.target);
        let statements: Vec<_> = std::iter::once(drop_target.as_str()).chain(remove.as_deref()).collect();
        if let Err(error) = self.client.ask(&statements) {
            eprintln!("psql: what was moved is not removed: {error}");
        }
    }
}

/// A text as SQL writes it.
fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// FNV-1a, 64 bits: <http://www.isthe.com/chongo/tech/comp/fnv/>.
fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
}
