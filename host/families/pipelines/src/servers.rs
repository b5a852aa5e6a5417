//! The PostgreSQL servers of a run: a temporary one, started when a cell first needs it, and those that the user names. Everything
//! that a run creates in them is removed at its end.

use crate::driver::{addresses, forget};
use bench_family::{Server, Servers};
use bench_sink::digest;
use pg_cluster::Cluster;
use std::collections::BTreeSet;
use std::io::Write;
use std::sync::{Mutex, PoisonError};
use std::time::UNIX_EPOCH;

/// The value of a parameter that stands for the temporary server.
const CLUSTER: &str = "@cluster";

/// The prefix of the schema names of runs.
const SCHEMA: &str = "bench_host_";

/// The servers of a run. They are stopped and cleaned when this is dropped.
#[derive(Debug)]
pub(crate) struct Postgres {
    schema: String,
    /// The temporary server, or the reason why it could not be started.
    own: Mutex<Option<Result<Cluster, String>>>,
    /// The user's servers, which may contain tables of this run.
    users: Mutex<BTreeSet<String>>,
}

impl Default for Postgres {
    fn default() -> Self {
        let unique = format!("{:?} {}", UNIX_EPOCH.elapsed(), std::process::id());
        let schema = format!("{SCHEMA}{}", &digest::of_bytes(unique.as_bytes())[..8]);
        Self { schema, own: Mutex::default(), users: Mutex::default() }
    }
}

impl Servers for Postgres {
    /// The first cell that needs the temporary server waits for it to start; a server that has died is replaced.
    fn server(&self, parameter: &str, text: &str) -> Result<Server, String> {
        let url = if text == CLUSTER { self.own()? } else { text.to_owned() };
        let addresses = addresses(parameter, &url).map_err(|error| error.to_string())?;
        if text != CLUSTER {
            self.users.lock().unwrap_or_else(PoisonError::into_inner).insert(url.clone());
        }
        Ok(Server { url, addresses, schema: self.schema.clone() })
    }

    fn last_error(&self) -> Option<String> {
        let own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        own.as_ref()?.as_ref().ok()?.complaints().pop()
    }
}

impl Postgres {
    fn own(&self) -> Result<String, String> {
        let mut own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(Ok(cluster)) = &*own
            && cluster.process_id().is_err()
        {
            own.take();
        }
        let start = || Cluster::start(&std::env::temp_dir(), &[]).map_err(|error| error.to_string());
        own.get_or_insert_with(start).as_ref().map(Cluster::url).map_err(Clone::clone)
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let users = self.users.get_mut().unwrap_or_else(PoisonError::into_inner);
        for url in std::mem::take(users) {
            if let Err(error) = forget(&url, &self.schema) {
                // Nobody is left to report to where standard error is closed.
                let _ = writeln!(
                    std::io::stderr(),
                    "bench-host: {error}; remove it by hand: DROP SCHEMA {} CASCADE",
                    self.schema
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn server_of_the_user_is_granted_by_address_without_password() {
        let postgres = Postgres::default();
        let check = |url: &str, expect: Result<&[&str], &str>| match (postgres.server("database_url", url), expect) {
            (Ok(server), Ok(addresses)) => {
                assert_eq!(
                    (server.url.as_str(), server.addresses),
                    (url, addresses.iter().map(|one| (*one).to_owned()).collect())
                )
            }
            (Err(error), Err(part)) => assert!(error.contains(part) && !error.contains("secret"), "{error}"),
            (found, expect) => panic!("{url}: {found:?}, expected {expect:?}"),
        };
        check("postgres://user:secret@db.example:6432/rows", Ok(&["db.example:6432"]));
        check("postgres://user:secret@db.example/rows", Ok(&["db.example:5432"]));
        check("postgres://user@%2Fvar%2Frun/rows", Ok(&[]));
        check("no url", Err("`database_url` is no URL of a server"));
        // These servers were never reached, so there is nothing to remove.
        postgres.users.lock().unwrap().clear();
    }
}
