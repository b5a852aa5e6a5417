//! A second database of the same server, for tools that load a table under the name that it had.

use crate::client::Client;
use crate::session::literal;
use bench_model::ModuleError;
use std::sync::atomic::{AtomicU32, Ordering};

/// The number of the next database of this process.
static NEXT: AtomicU32 = AtomicU32::new(0);

/// The database, which is removed on drop.
pub(crate) struct Elsewhere {
    server: Client,
    client: Client,
    /// Its name, quoted for SQL.
    name: String,
    /// Statements that make the table anew, without rows.
    clear: [String; 2],
}

impl Elsewhere {
    /// Creates the database, for rows of the table `source` in the schema `schema`.
    pub(crate) fn create(server: &Client, schema: &str, source: &str, is_logged: bool) -> Result<Self, ModuleError> {
        let columns = format!(
            "SELECT string_agg(quote_ident(attname) || ' ' || format_type(atttypid, atttypmod), ', ' ORDER BY attnum) \
             FROM pg_attribute WHERE attrelid = {}::regclass AND attnum > 0 AND NOT attisdropped",
            literal(source)
        );
        let columns = server.ask(&[&columns])?;
        let database = format!("{schema}_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let name = identifier(&database);
        server.ask(&[&format!("CREATE DATABASE {name} TEMPLATE template0")])?;
        let unlogged = if is_logged { "" } else { "UNLOGGED " };
        let clear = [format!("DROP TABLE IF EXISTS {source}"), format!("CREATE {unlogged}TABLE {source} ({columns})")];
        // From here on it is removed whatever fails.
        let mut elsewhere = Self { server: server.clone(), client: server.clone(), name, clear };
        elsewhere.client = server.with_database(&database)?;
        elsewhere.client.ask(&[&format!("CREATE SCHEMA {}", identifier(schema))])?;
        Ok(elsewhere)
    }

    /// A client of the database.
    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// Makes the table anew, without rows.
    pub(crate) fn clear(&self) -> Result<(), ModuleError> {
        self.client.ask(&self.clear.each_ref().map(String::as_str)).map(drop)
    }
}

impl Drop for Elsewhere {
    /// Errors are printed only: a server of the run removes its files itself.
    fn drop(&mut self) {
        if let Err(error) = self.server.ask(&[&format!("DROP DATABASE IF EXISTS {}", self.name)]) {
            eprintln!("psql: cannot remove the database {}: {error}", self.name);
        }
    }
}

/// A name as an SQL identifier.
fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
