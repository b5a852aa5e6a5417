//! A server for one test, with helpers.

use pg_cluster::{Cluster, ClusterError};
use pg_wire::{Cursor, DatabaseUrl, Error, Loader, Method, Session, Table, batch};
use tempfile::TempDir;

/// A server that is stopped and removed on drop.
pub(crate) struct Server {
    pub(crate) cluster: Cluster,
    _folder: TempDir,
}

/// Starts a server; prints the reason and returns `None` if PostgreSQL is not installed.
pub(crate) fn start() -> Option<Server> {
    let folder = tempfile::tempdir().expect("a folder");
    match Cluster::start(folder.path(), &[]) {
        Ok(cluster) => Some(Server { cluster, _folder: folder }),
        Err(ClusterError::Unavailable(reason)) => {
            eprintln!("skipped: {reason}");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

impl Server {
    pub(crate) fn url(&self) -> DatabaseUrl {
        DatabaseUrl::parse(&self.cluster.url()).expect("a URL")
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
