//! The PostgreSQL servers of a run: a temporary one, started when a cell first needs it, and those that the user names. Everything
//! that a run creates in them is removed at its end, or by the next run if it was killed.

use crate::user_server::UserServer;
use bench_family::{Server, Servers};
use bench_sink::digest;
use pg_cluster::{Cluster, ClusterError};
use pg_connection::{Environment, redact};
use std::collections::BTreeMap;
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
    /// What the names of its schemas are made of.
    unique: String,
    environment: Environment,
    /// The temporary server, or the reason why this machine cannot run one.
    own: Mutex<Option<Result<Cluster, String>>>,
    /// The user's servers by connection string, which may contain tables of this run.
    users: Mutex<BTreeMap<String, UserServer>>,
}

impl Default for Postgres {
    fn default() -> Self {
        Self::new(Environment::of_process())
    }
}

impl Servers for Postgres {
    /// The first cell that needs the temporary server waits for it to start; a server that has died is replaced.
    fn server(&self, parameter: &str, text: &str) -> Result<Server, String> {
        if text == CLUSTER {
            return self.own();
        }
        let mut users = self.users.lock().unwrap_or_else(PoisonError::into_inner);
        if !users.contains_key(text) {
            // Each has a schema of its own, because two texts may be of one database, and of two users.
            let server = UserServer::open(parameter, text, self.schema(1 + users.len()), &self.environment)?;
            users.insert(text.to_owned(), server);
        }
        let server = &users[text];
        Ok(Server {
            url: server.url(),
            direct_url: server.direct_url(),
            addresses: server.addresses(),
            schema: server.schema().to_owned(),
        })
    }

    fn last_error(&self) -> Option<String> {
        let users = self.users.lock().unwrap_or_else(PoisonError::into_inner);
        let of_proxies = users.values().filter_map(UserServer::last_error).last();
        let own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        of_proxies.or_else(|| own.as_ref()?.as_ref().ok()?.complaints().pop())
    }
}

impl Postgres {
    fn new(environment: Environment) -> Self {
        let unique = format!("{:?} {}", UNIX_EPOCH.elapsed(), std::process::id());
        Self { unique, environment, own: Mutex::default(), users: Mutex::default() }
    }

    /// The name of the schema of one of the servers.
    fn schema(&self, number: usize) -> String {
        format!("{SCHEMA}{}", &digest::of_bytes(format!("{} {number}", self.unique).as_bytes())[..8])
    }

    /// The temporary server. Its URL has everything, so nothing of the user's environment decides how it is reached.
    fn own(&self) -> Result<Server, String> {
        let mut own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(Ok(cluster)) = &*own
            && cluster.process_id().is_err()
        {
            own.take();
        }
        let cluster = match &mut *own {
            Some(Ok(cluster)) => cluster,
            Some(Err(reason)) => return Err(reason.clone()),
            none => match Cluster::start(&std::env::temp_dir(), &[]) {
                Ok(cluster) => none.insert(Ok(cluster)).as_mut().map_err(|reason| reason.clone())?,
                Err(error) => {
                    let reason = error.to_string();
                    // What failed once may succeed for the next cell.
                    if matches!(error, ClusterError::Unavailable(_)) {
                        *none = Some(Err(reason.clone()));
                    }
                    return Err(reason);
                }
            },
        };
        let (url, addresses) = (cluster.url(), vec![cluster.address().to_string()]);
        Ok(Server { direct_url: url.clone(), url, addresses, schema: self.schema(0) })
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let users = self.users.get_mut().unwrap_or_else(PoisonError::into_inner);
        for (text, mut server) in std::mem::take(users) {
            if let Err(error) = server.forget() {
                // Where standard error is closed, this cannot be reported.
                let _ = writeln!(
                    std::io::stderr(),
                    "bench-host: the schema {schema} cannot be removed from {}: {error}; the next run there removes it, or DROP \
                     SCHEMA {schema} CASCADE",
                    redact(&text),
                    schema = server.schema(),
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use postgres::{Client, NoTls};
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;
    use std::process::Command;

    /// A server of its own; `None` with a message where this machine has no PostgreSQL.
    fn cluster() -> Option<(tempfile::TempDir, Cluster)> {
        let parent = tempfile::tempdir().unwrap();
        std::fs::set_permissions(parent.path(), std::fs::Permissions::from_mode(0o711)).unwrap();
        match Cluster::start(parent.path(), &[]) {
            Err(ClusterError::Unavailable(reason)) => {
                eprintln!("skipped: {reason}");
                None
            }
            cluster => Some((parent, cluster.unwrap())),
        }
    }

    /// Without anything of the user who runs the tests.
    fn servers() -> Postgres {
        Postgres::new(Environment::new([], None, "nobody"))
    }

    fn schemas(client: &mut Client) -> Vec<String> {
        let rows =
            client.query("SELECT nspname::text FROM pg_namespace WHERE nspname LIKE 'bench_host_%' ORDER BY 1", &[]);
        rows.unwrap().iter().map(|row| row.get(0)).collect()
    }

    #[test]
    fn schemas_of_dead_runs_are_removed_and_those_of_living_ones_stay() {
        let Some((_parent, cluster)) = cluster() else { return };
        let mut client = Client::connect(&cluster.url(), NoTls).unwrap();
        let living = servers();
        let of_living = living.server("database_url", &cluster.url()).unwrap().schema;
        let create = |schema: &str| format!("CREATE SCHEMA {schema}; CREATE TABLE {schema}.rows (n int);");
        client.batch_execute(&create(&of_living)).unwrap();
        client.batch_execute(&create("bench_host_deadbeef")).unwrap();
        client.batch_execute(&create("bench_host_of_somebody_else")).unwrap();
        let next = servers();
        let server = next.server("database_url", &cluster.url()).unwrap();
        assert_eq!(server.addresses, [cluster.address().to_string()]);
        assert_eq!(schemas(&mut client), [of_living.as_str(), "bench_host_of_somebody_else"]);
        drop((next, living));
        assert_eq!(schemas(&mut client), ["bench_host_of_somebody_else"]);
    }

    #[test]
    fn databases_and_files_of_dead_runs_are_removed_with_their_schemas() {
        let Some((_parent, cluster)) = cluster() else { return };
        let mut client = Client::connect(&cluster.url(), NoTls).unwrap();
        let living = servers();
        let of_living = living.server("database_url", &cluster.url()).unwrap().schema;
        let folder: String = client.query_one("SHOW data_directory", &[]).unwrap().get(0);
        let file = |schema: &str| Path::new(&folder).join(format!("bench_host_rows_{schema}"));
        for schema in [&*of_living, "bench_host_deadbeef"] {
            client.batch_execute(&format!("CREATE DATABASE {schema}_7_0 TEMPLATE template0")).unwrap();
            client.batch_execute(&format!("COPY (SELECT 1) TO '{}'", file(schema).display())).unwrap();
        }
        client.batch_execute("CREATE DATABASE bench_host_of_somebody_else TEMPLATE template0").unwrap();
        let databases = |client: &mut Client| -> Vec<String> {
            let all =
                "SELECT datname::text FROM pg_database WHERE datname LIKE 'bench_host_%' ORDER BY datname ~ 'somebody'";
            client.query(all, &[]).unwrap().iter().map(|row| row.get(0)).collect()
        };
        // It looks from another database, in which nothing is locked.
        let next = servers();
        let (address, slash) = cluster.url().rsplit_once('/').map(|(address, _)| (address.to_owned(), '/')).unwrap();
        next.server("database_url", &format!("{address}{slash}bench_host_of_somebody_else")).unwrap();
        assert_eq!(databases(&mut client), [format!("{of_living}_7_0").as_str(), "bench_host_of_somebody_else"]);
        assert!(file(&of_living).exists() && !file("bench_host_deadbeef").exists());
        drop(living);
        assert_eq!(databases(&mut client), ["bench_host_of_somebody_else"]);
        assert!(!file(&of_living).exists());
    }

    #[test]
    fn two_texts_of_one_database_have_a_schema_each() {
        let Some((_parent, cluster)) = cluster() else { return };
        let servers = servers();
        let one = servers.server("database_url", &cluster.url()).unwrap();
        let other = servers.server("database_url", &format!("{}?sslmode=disable", cluster.url())).unwrap();
        assert_ne!(one.schema, other.schema);
        assert_eq!(servers.server("database_url", &cluster.url()).unwrap().schema, one.schema);
    }

    #[test]
    fn missing_rights_are_named_with_the_statement_that_gives_them() {
        let Some((_parent, cluster)) = cluster() else { return };
        let mut client = Client::connect(&cluster.url(), NoTls).unwrap();
        let roles = "CREATE ROLE poor LOGIN PASSWORD 's3cret'; CREATE ROLE reader LOGIN PASSWORD 's3cret'; \
                     ALTER ROLE reader SET default_transaction_read_only = on";
        client.batch_execute(roles).unwrap();
        let check = |user: &str, password: &str, part: &str| {
            let address = cluster.address();
            let text = format!(
                "host={} port={} user={user} password={password} dbname=postgres",
                address.ip(),
                address.port()
            );
            let error = servers().server("database_url", &text).unwrap_err();
            assert!(error.contains(part) && !error.contains(password), "{error}");
        };
        check("poor", "s3cret", "run GRANT CREATE ON DATABASE postgres TO poor");
        check("reader", "s3cret", "run ALTER ROLE reader SET default_transaction_read_only = off");
        check("poor", "wr0ng", "password authentication failed for user");
    }

    #[test]
    fn unusable_text_and_unreachable_server_say_what_to_do() {
        let check = |text: &str, parts: &[&str]| {
            let error = servers().server("database_url", text).unwrap_err();
            parts.iter().for_each(|part| assert!(error.contains(part), "{part:?} is not in: {error}"));
            assert!(!error.contains("secret"), "{error}");
        };
        check("no url", &["no `=`", "or `@cluster` for one of the run's own"]);
        let unreachable = "postgres://user:secret@127.0.0.1:1/rows";
        check(
            unreachable,
            &["no connection to 127.0.0.1:1: ", "start the server, or give another -p database_url=URL"],
        );
        check("postgres://user:secret@127.0.0.1:1,127.0.0.1:2/rows", &["127.0.0.1:1: ", "127.0.0.1:2: "]);
    }

    /// Makes a certificate and its key in `folder`, for the name `localhost`; returns whether that is possible here.
    fn certificate(folder: &Path) -> bool {
        let mut command = Command::new("openssl");
        command.args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]);
        command.args(["-addext", "subjectAltName=DNS:localhost", "-keyout"]).arg(folder.join("server.key"));
        command.arg("-out").arg(folder.join("server.crt")).output().is_ok_and(|output| output.status.success())
    }

    #[test]
    fn server_that_wants_tls_is_reached_by_all_parties() {
        let Some((parent, cluster)) = cluster() else { return };
        if !certificate(parent.path()) {
            eprintln!("skipped: openssl is not installed, so no certificate can be made");
            return;
        }
        let mut client = Client::connect(&cluster.url(), NoTls).unwrap();
        let (key, root) = (parent.path().join("server.key"), parent.path().join("server.crt"));
        require_tls(&mut client, &cluster, &key, &root);
        let url = cluster.url().replace(&cluster.address().ip().to_string(), "localhost");
        let with = |parameters: &str| format!("{url}?{parameters}");
        let verified = format!("sslmode=verify-full&sslrootcert={}", root.display());
        for parameters in ["sslmode=require", "sslmode=prefer", &verified] {
            let servers = servers();
            let server = servers
                .server("database_url", &with(parameters))
                .unwrap_or_else(|error| panic!("{parameters}: {error}"));
            assert!(server.direct_url.contains("@localhost:") && !server.direct_url.contains("sslmode=disable"));
            let mut connector = Client::connect(&server.url, NoTls).unwrap();
            let row = connector.query_one("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()", &[]).unwrap();
            assert!(row.get::<_, bool>(0), "{parameters}");
        }
        let error = servers().server("database_url", &with("sslmode=disable")).unwrap_err();
        assert!(error.contains("no encryption") || error.contains("SSL off"), "{error}");
        let by_address = format!("{}?{verified}", cluster.url());
        let error = servers().server("database_url", &by_address).unwrap_err();
        assert!(error.contains("certificate"), "{error}");
    }

    /// Has the server speak TLS, and refuse everything else.
    fn require_tls(client: &mut Client, cluster: &Cluster, key: &Path, certificate: &Path) {
        use std::os::unix::fs::{MetadataExt, chown};
        let data: String = client.query_one("SHOW data_directory", &[]).unwrap().get(0);
        let owner = std::fs::metadata(&data).unwrap();
        let copy = |from: &Path, name: &str| {
            let to = Path::new(&data).join(name);
            std::fs::copy(from, &to).unwrap();
            std::fs::set_permissions(&to, std::fs::Permissions::from_mode(0o600)).unwrap();
            chown(&to, Some(owner.uid()), Some(owner.gid())).unwrap();
        };
        copy(key, "server.key");
        copy(certificate, "server.crt");
        let rules = "hostssl all all 127.0.0.1/32 scram-sha-256\nhostssl all all ::1/128 scram-sha-256\n";
        std::fs::write(Path::new(&data).join("pg_hba.conf"), rules).unwrap();
        client.batch_execute("ALTER SYSTEM SET ssl = on").unwrap();
        client.batch_execute("SELECT pg_reload_conf()").unwrap();
        // The server reads its settings again in its own time.
        while Client::connect(&cluster.url(), NoTls).is_ok() {
            std::thread::yield_now();
        }
    }
}
