//! A temporary PostgreSQL server: a cluster in a folder of its own, made with the installed programs. It ends with the
//! process that started it, however that ends.

mod account;
mod folder;
mod programs;
mod server;

use account::Account;
use folder::Folder;
use programs::Programs;
use server::Server;
use std::fs;
use std::io::{self, Read};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// The superuser of the cluster.
pub const USER: &str = "bench";

/// The database of every connection.
pub const DATABASE: &str = "postgres";

/// How many ports are tried: another process may take a port between the check and the server's bind.
const PORTS_MAX: u32 = 5;

/// Settings that differ from a fresh cluster, so that nothing but the benchmark works while it is measured, and so that messages can
/// be parsed. Everything else is as installed, durability above all.
const SETTINGS: &[(&str, &str)] = &[("autovacuum", "off"), ("lc_messages", "C"), ("logging_collector", "off")];

/// A server that runs until this is dropped.
#[derive(Debug)]
pub struct Cluster {
    /// Dropped first.
    server: Server,
    address: SocketAddr,
    password: String,
    folder: Folder,
}

/// Why there is no server.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// This machine cannot run a server; says what is missing and what to do.
    #[error("{0}")]
    Unavailable(String),
    /// A file or a process could not be created.
    #[error("the temporary PostgreSQL server in {}: {what}: {source}; make room there, or give --database-url URL", folder.display())]
    Io {
        /// The folder of the cluster.
        folder: PathBuf,
        /// What failed.
        what: &'static str,
        /// The error.
        source: io::Error,
    },
    /// One of PostgreSQL's programs failed; quotes its message.
    #[error("the temporary PostgreSQL server in {}: {what}: {said}; give --database-url URL for a server that runs", folder.display())]
    Program {
        /// The folder of the cluster.
        folder: PathBuf,
        /// What failed.
        what: &'static str,
        /// The message of the program.
        said: String,
    },
}

impl Cluster {
    /// Creates a cluster in a new folder below `parent`, and starts its server with `settings` in addition to the usual ones.
    /// Removes the clusters of dead processes in `parent` first.
    pub fn start(parent: &Path, settings: &[(&str, &str)]) -> Result<Self, ClusterError> {
        let programs = Programs::find()?;
        let account = Account::for_server()?;
        let failed = |what| move |source| ClusterError::Io { folder: parent.to_owned(), what, source };
        let parent = &parent.canonicalize().map_err(failed("the folder cannot be used"))?;
        let folder = Folder::make(parent, account).map_err(failed("no folder can be made"))?;
        let password = password().map_err(failed("no password can be drawn"))?;
        initialise(&programs, account, &folder, &password)?;
        let (server, address) = start_server(&programs, account, &folder, settings)?;
        Ok(Self { server, address, password, folder })
    }

    /// The address where it listens, on the loopback interface only.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL for clients, with the password.
    pub fn url(&self) -> String {
        let Self { address, password, .. } = self;
        format!("postgres://{USER}:{password}@{address}/{DATABASE}")
    }

    /// The folder of the cluster.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The id of the server's main process.
    pub fn process_id(&self) -> io::Result<u32> {
        folder::server_process(self.folder.path())?
            .ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "the server has ended"))
    }

    /// The latest lines of the server's log about failures since the last call, oldest first.
    pub fn complaints(&self) -> Vec<String> {
        self.server.complaints()
    }
}

/// Creates the files of a cluster whose only user has `password`.
fn initialise(programs: &Programs, account: Account, folder: &Folder, password: &str) -> Result<(), ClusterError> {
    let failed = |what| move |source| ClusterError::Io { folder: folder.path().to_owned(), what, source };
    let file = folder.path().join("password");
    write_secret(&file, password)
        .and_then(|()| account.own(&file))
        .map_err(failed("the password cannot be written"))?;
    let mut command = account.command(&programs.initdb, folder.path());
    command.arg("--pgdata").arg(folder.data()).arg("--pwfile").arg(&file);
    // No sync: after a crash the folder is removed anyway.
    command.args(["--username", USER, "--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C", "--no-sync"]);
    let output = command.output().map_err(failed("`initdb` cannot be started"))?;
    if !output.status.success() {
        let said = server::one_line(&String::from_utf8_lossy(&output.stderr));
        return Err(ClusterError::Program { folder: folder.path().to_owned(), what: "`initdb` failed", said });
    }
    fs::remove_file(&file).map_err(failed("the password's file cannot be removed"))
}

fn start_server(
    programs: &Programs,
    account: Account,
    folder: &Folder,
    settings: &[(&str, &str)],
) -> Result<(Server, SocketAddr), ClusterError> {
    let mut tries = 0;
    loop {
        tries += 1;
        let failed = |source| ClusterError::Io { folder: folder.path().to_owned(), what: "no port is free", source };
        let address = free_address().map_err(failed)?;
        let (port, socket) = (address.port().to_string(), folder.path().to_string_lossy());
        let fixed = [("port", &*port), ("listen_addresses", "127.0.0.1"), ("unix_socket_directories", &*socket)];
        let all: Vec<_> = fixed.iter().chain(SETTINGS).chain(settings).copied().collect();
        match Server::start(programs, account, folder, &all) {
            Ok(server) => return Ok((server, address)),
            // Another process took the port.
            Err(said) if said.contains("could not create any TCP/IP sockets") && tries < PORTS_MAX => {}
            Err(said) => {
                let (folder, what) = (folder.path().to_owned(), "the server did not start");
                return Err(ClusterError::Program { folder, what, said });
            }
        }
    }
}

fn free_address() -> io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}

/// A random password, because other users of the machine can reach the port too.
fn password() -> io::Result<String> {
    let mut bytes = [0; 16];
    fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn write_secret(path: &Path, text: &str) -> io::Result<()> {
    let mut file = fs::File::options().write(true).create_new(true).mode(0o600).open(path)?;
    io::Write::write_all(&mut file, text.as_bytes())
}
