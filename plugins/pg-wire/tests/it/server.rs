//! A server for one test, or a database for one test on a server that tests share, with helpers.

use pg_cluster::{Cluster, ClusterError, DATABASE};
use pg_wire::{Cursor, DatabaseUrl, Error, Loader, Method, Session, Table, batch};
use std::env;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use tempfile::TempDir;

/// A database of a server, which is stopped and removed when no test uses it.
pub(crate) struct Server {
    pub(crate) cluster: Arc<Cluster>,
    url: String,
    /// Of a server for one test.
    _folder: Option<TempDir>,
}

/// Starts a server for one test; prints the reason and returns `None` if PostgreSQL is not installed.
pub(crate) fn start() -> Option<Server> {
    let folder = tempfile::tempdir().expect("a folder");
    let cluster = available(cluster(folder.path()))?;
    Some(Server { url: cluster.url(), cluster, _folder: Some(folder) })
}

/// Creates a database on the server that tests share, which ends with this process: to make a server takes longer than most tests. Like
/// [`start`] otherwise.
pub(crate) fn database() -> Option<Server> {
    static SHARED: OnceLock<Result<Arc<Cluster>, String>> = OnceLock::new();
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let cluster = available(SHARED.get_or_init(|| cluster(&env::temp_dir())).clone())?;
    let mut server = Server { url: cluster.url(), cluster, _folder: None };
    let name = format!("test_{}", NEXT.fetch_add(1, Ordering::Relaxed));
    server.execute(&format!("create database {name}"));
    let place = server.url.strip_suffix(DATABASE).expect("the URL ends with the database");
    server.url = format!("{place}{name}");
    Some(server)
}

/// The error is the reason why this machine cannot run a server.
fn cluster(parent: &Path) -> Result<Arc<Cluster>, String> {
    match Cluster::start(parent, &[]) {
        Ok(cluster) => Ok(Arc::new(cluster)),
        Err(ClusterError::Unavailable(reason)) => Err(reason),
        Err(error) => panic!("{error}"),
    }
}

fn available(cluster: Result<Arc<Cluster>, String>) -> Option<Arc<Cluster>> {
    cluster.inspect_err(|reason| eprintln!("skipped: {reason}")).ok()
}

impl Server {
    pub(crate) fn url(&self) -> DatabaseUrl {
        DatabaseUrl::parse(&self.url).expect("a URL")
    }

    pub(crate) fn session(&self) -> Session {
        Session::connect(&self.url()).expect("a connection")
    }

    pub(crate) fn execute(&self, sql: &str) {
        self.session().execute("testing", sql).expect("a statement");
    }

    /// Runs a query with one value.
    pub(crate) fn value(&self, sql: &str) -> String {
        let rows = self.session().rows("testing", sql).expect("a query");
        rows.into_iter().flatten().flatten().next().unwrap_or_default()
    }
}

/// Reads all rows of a query, like a source.
pub(crate) fn read(session: &mut Session, sql: &str, batch_rows: u16) -> Result<Vec<Vec<u8>>, Error> {
    let mut cursor = Cursor::open(session, sql, batch_rows)?;
    let mut batches = Vec::new();
    while let Some(batch) = cursor.next(&mut |_| {})? {
        let mut stream = Vec::new();
        batch::encode(&batch, &mut stream)?;
        batches.push(stream);
    }
    cursor.close()?;
    Ok(batches)
}

/// Loads batches like a destination, and returns the number of rows.
pub(crate) fn load(session: &mut Session, method: Method, table: &str, batches: Vec<Vec<u8>>) -> Result<u64, Error> {
    let table = Table { name: table.to_owned(), is_logged: true };
    let mut batches = (1..).zip(batches).map(|(number, stream)| (stream.len(), batch::decode(stream, number)));
    let (bytes, first) = batches.next().expect("a batch");
    let first = first?;
    let mut loader = Loader::begin(session, method, &table, first.schema_ref())?;
    let mut write_all = || {
        loader.write(&first, bytes)?;
        batches.try_for_each(|(bytes, batch)| loader.write(&batch?, bytes))?;
        loader.finish()
    };
    match write_all() {
        Ok(rows) => loader.commit().map(|()| rows),
        Err(error) => {
            loader.abort();
            Err(error)
        }
    }
}
