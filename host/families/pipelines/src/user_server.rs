//! A server that the user names: connects by the rules of libpq, checks that a run may create tables there, and removes the schemas
//! of runs that no longer live. An advisory lock tells which do: the server releases it with the connection.

use crate::retry;
use pg_connection::{Address, Environment, Proxy, Settings, SslMode};
use postgres::error::SqlState;
use postgres::{Client, Config};
use std::net::{IpAddr, Ipv4Addr};

/// The first number of the lock of a schema; the second is a hash of its name.
const LOCK: i32 = 0x6265_6e63;

/// A regular expression for the names of schemas of runs.
const SCHEMAS: &str = "^bench_host_[0-9a-f]{8}$";

/// The same for the databases that scenarios make beside a schema, with its name in parentheses.
const DATABASES: &str = "^(bench_host_[0-9a-f]{8})_[0-9]+_[0-9]+$";

/// How the name of the file begins that a scenario makes in the server's folder; the schema follows.
const FILE: &str = "bench_host_rows_";

/// A connection to the server of a user, held as long as the run.
pub(crate) struct UserServer {
    client: Client,
    /// Where TLS is needed.
    proxy: Option<Proxy>,
    settings: Settings,
    /// The server that was reached.
    address: Address,
    /// The schema of the run's tables.
    schema: String,
}

impl std::fmt::Debug for UserServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UserServer").field("address", &self.address).field("proxy", &self.proxy).finish_non_exhaustive()
    }
}

impl UserServer {
    /// Connects to the first server of `text` that accepts it, and prepares it for tables in `schema`; or the reason why that
    /// fails and what to do.
    pub(crate) fn open(parameter: &str, text: &str, schema: String, environment: &Environment) -> Result<Self, String> {
        let settings = Settings::resolve(text, environment).map_err(|error| {
            format!("{error}; give postgres://USER:PASSWORD@HOST:PORT/DATABASE, or `@cluster` for one of the run's own")
        })?;
        let mut reasons = Vec::new();
        for address in &settings.addresses {
            match connect(&settings, address) {
                Ok((client, proxy)) => {
                    let (settings, address) = (settings.clone(), address.clone());
                    let mut server = Self { client, proxy, settings, address, schema };
                    server.prepare()?;
                    return Ok(server);
                }
                Err(reason) => reasons.push(format!("no connection to {}: {reason}", address.to_connect())),
            }
        }
        let next = format!("start the server, or give another -p {parameter}=URL");
        Err(format!("{}; {next}", reasons.join("; ")))
    }

    /// The URL for connectors, which have no TLS and read no environment.
    pub(crate) fn url(&self) -> String {
        let address = match &self.proxy {
            Some(proxy) => {
                let address = proxy.address();
                Address { host: address.ip().to_string(), ip: None, port: address.port(), ..self.address.clone() }
            }
            // A connector resolves names itself, and knows no `hostaddr`.
            None => Address { host: self.host().to_owned(), ip: None, ..self.address.clone() },
        };
        self.settings.url(&address, SslMode::Disable)
    }

    /// The URL for clients that have TLS themselves.
    pub(crate) fn direct_url(&self) -> String {
        let mode = if self.proxy.is_some() { self.settings.ssl_mode.max(SslMode::Require) } else { SslMode::Disable };
        self.settings.url(&self.address, mode)
    }

    /// The addresses that connectors connect to over TCP.
    pub(crate) fn addresses(&self) -> Vec<String> {
        match &self.proxy {
            Some(proxy) => vec![proxy.address().to_string()],
            None if self.address.is_socket() => Vec::new(),
            None => vec![self.address.to_connect()],
        }
    }

    /// The last error of the proxy since the previous call.
    pub(crate) fn last_error(&self) -> Option<String> {
        self.proxy.as_ref()?.last_error()
    }

    /// The schema of the run's tables.
    pub(crate) fn schema(&self) -> &str {
        &self.schema
    }

    /// Removes the schema, and what scenarios have made beside it.
    pub(crate) fn forget(&mut self) -> Result<(), String> {
        if self.client.is_closed() {
            (self.client, self.proxy) = connect(&self.settings, &self.address)?;
        }
        remove(&mut self.client, &self.schema).map_err(|error| describe(&error))
    }

    fn host(&self) -> &str {
        self.address.ip.as_ref().unwrap_or(&self.address.host)
    }

    fn prepare(&mut self) -> Result<(), String> {
        self.check_rights()?;
        let failed = |error: postgres::Error| describe(&error);
        self.client.execute("SELECT pg_advisory_lock($1, hashtext($2))", &[&LOCK, &self.schema]).map_err(failed)?;
        self.remove_orphans().map_err(failed)
    }

    /// Checks that tables can be created; an error names the statement that would allow it.
    fn check_rights(&mut self) -> Result<(), String> {
        let sql = "SELECT pg_is_in_recovery(), current_setting('transaction_read_only') = 'on', \
                   has_database_privilege(current_database(), 'CREATE'), quote_ident(current_user), \
                   quote_ident(current_database())";
        let row = self.client.query_one(sql, &[]).map_err(|error| describe(&error))?;
        let (is_replica, is_read_only, may_create): (bool, bool, bool) = (row.get(0), row.get(1), row.get(2));
        let (user, database): (String, String) = (row.get(3), row.get(4));
        if is_replica {
            return Err(
                "the server is a replica, which cannot be written to; give the address of its primary".to_owned()
            );
        }
        if is_read_only {
            return Err(format!(
                "the connection is read-only; run ALTER ROLE {user} SET default_transaction_read_only = off, or give another user"
            ));
        }
        if !may_create {
            return Err(format!(
                "the user {user} may not create a schema in the database {database}; run GRANT CREATE ON DATABASE {database} TO {user}"
            ));
        }
        Ok(())
    }

    /// Removes what is left of runs whose lock no session holds, in whichever database. What belongs to another user stays.
    fn remove_orphans(&mut self) -> Result<(), postgres::Error> {
        let left = "SELECT DISTINCT schema FROM (SELECT nspname::text AS schema FROM pg_namespace WHERE nspname ~ $1 \
                    UNION SELECT substring(datname::text FROM $2) FROM pg_database WHERE datname ~ $2) AS found \
                    WHERE schema <> $3 AND NOT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' \
                    AND classid = $4::int4::oid AND objid = hashtext(schema)::oid)";
        for row in self.client.query(left, &[&SCHEMAS, &DATABASES, &self.schema, &LOCK])? {
            let schema: String = row.get(0);
            let locked = self.client.query_one("SELECT pg_try_advisory_lock($1, hashtext($2))", &[&LOCK, &schema])?;
            if locked.get(0) {
                match remove(&mut self.client, &schema) {
                    Ok(()) => tracing::info!(schema, "removed what was left of a run that no longer lives"),
                    Err(error) => tracing::debug!(schema, %error, "what is left of an earlier run stays"),
                }
                self.client.execute("SELECT pg_advisory_unlock($1, hashtext($2))", &[&LOCK, &schema])?;
            }
        }
        Ok(())
    }
}

/// Removes the schema of a run, its databases, and its file in the folder of the server.
fn remove(client: &mut Client, schema: &str) -> Result<(), postgres::Error> {
    client.batch_execute(&pg_rows::forget(schema))?;
    let of_schema = "SELECT quote_ident(datname) FROM pg_database WHERE substring(datname::text FROM $1) = $2";
    for row in client.query(of_schema, &[&DATABASES, &schema])? {
        let name: String = row.get(0);
        // The session of a worker that was killed may not have ended yet. Servers before version 13 cannot end it.
        if client.batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).is_err() {
            client.batch_execute(&format!("DROP DATABASE IF EXISTS {name}"))?;
        }
    }
    remove_file(client, schema);
    Ok(())
}

/// Who may not look for the file has not made it.
fn remove_file(client: &mut Client, schema: &str) {
    let find = "SELECT path FROM (SELECT current_setting('data_directory') || '/' || $1::text || $2::text AS path) AS file \
                WHERE (pg_stat_file(path, true)).size IS NOT NULL";
    let Ok(Some(row)) = client.query_opt(find, &[&FILE, &schema]) else { return };
    let path: String = row.get(0);
    let program = format!("rm -f -- '{}'", path.replace('\'', r"'\''"));
    let remove = format!("COPY (SELECT 1) TO PROGRAM '{}'", program.replace('\'', "''"));
    if let Err(error) = client.batch_execute(&remove) {
        tracing::debug!(schema, %error, "the file of moved rows stays");
    }
}

/// Whether to try with TLS, in this order. Unless it is asked for, a server of this machine is used without, because the proxy would
/// be part of what connectors are measured with.
fn attempts(mode: SslMode, address: &Address) -> &'static [bool] {
    match mode {
        _ if address.is_socket() => &[false],
        SslMode::Disable => &[false],
        SslMode::Allow => &[false, true],
        SslMode::Prefer if is_loopback(address) => &[false, true],
        SslMode::Prefer => &[true, false],
        SslMode::Require | SslMode::VerifyCa | SslMode::VerifyFull => &[true],
    }
}

fn is_loopback(address: &Address) -> bool {
    let host = address.ip.as_ref().unwrap_or(&address.host);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn connect(settings: &Settings, address: &Address) -> Result<(Client, Option<Proxy>), String> {
    let mut reason = String::new();
    for is_encrypted in attempts(settings.ssl_mode, address) {
        match attempt(settings, address, *is_encrypted) {
            Ok(connected) => return Ok(connected),
            Err((failure, is_final)) => {
                // The first reason is that of what was asked for.
                if reason.is_empty() || is_final {
                    reason = failure;
                }
                if is_final {
                    break;
                }
            }
        }
    }
    Err(reason)
}

/// One attempt; an error says why, and whether another with or without TLS is in vain.
fn attempt(
    settings: &Settings,
    address: &Address,
    is_encrypted: bool,
) -> Result<(Client, Option<Proxy>), (String, bool)> {
    let start = || Proxy::start(settings, address).map_err(|error| (error.to_string(), false));
    let proxy = is_encrypted.then(start).transpose()?;
    let mut config = Config::new();
    config.user(&settings.user).dbname(&settings.database).application_name("bench-host");
    config.ssl_mode(postgres::config::SslMode::Disable).connect_timeout(settings.timeout);
    if let Some(password) = &address.password {
        config.password(password);
    }
    match &proxy {
        Some(proxy) => config.host(&Ipv4Addr::LOCALHOST.to_string()).port(proxy.address().port()),
        None => config.host(address.ip.as_ref().unwrap_or(&address.host)).port(address.port),
    };
    match retry::connect(&config) {
        Ok(client) => Ok((client, proxy)),
        Err(error) => {
            let is_rejected = error.code() == Some(&SqlState::INVALID_AUTHORIZATION_SPECIFICATION);
            let of_proxy = proxy.as_ref().and_then(Proxy::last_error);
            // A wrong password is as wrong with TLS; a rule of the server may be about TLS.
            let is_final = error.code().is_some() && !is_rejected;
            Err((of_proxy.unwrap_or_else(|| describe(&error)), is_final))
        }
    }
}

/// What the server said; else what the connection's fault was.
fn describe(error: &postgres::Error) -> String {
    match error.as_db_error() {
        Some(error) => format!("{}: {}", error.severity(), error.message()),
        None => {
            let source = std::error::Error::source(error).map_or_else(String::new, |source| format!(": {source}"));
            format!("{error}{source}")
        }
    }
}
