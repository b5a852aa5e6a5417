//! A `nats-server` of this machine, for as long as something is measured with it.

use super::super::folder::Folder;
use super::{Nothing, other};
use bench_fleet::{ClassId, Coordinator, Jetstream, Login, Loopback, NatsAddress, Pings, RunStream, Server};
use bench_model::ModuleError;
use std::fs;
use std::io::{self, BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};

/// A server with an empty store, and the coordinator's connection to it.
pub(super) struct NatsServer {
    pub(super) connection: Server,
    pub(super) address: NatsAddress,
    /// How many runs it has had.
    runs: u32,
    _process: Process,
    _folder: Folder,
}

/// Where Debian has it, which is not in the path of every user.
const PROGRAMS: [&str; 2] = ["nats-server", "/usr/sbin/nats-server"];

/// What it prints when it can be connected to.
const READY: &str = "Server is ready";

impl NatsServer {
    pub(super) fn start() -> Result<Self, ModuleError> {
        let folder = Folder::new()?;
        let unavailable = |error: io::Error| ModuleError::Unavailable(format!("{}: {error}", folder.0.display()));
        let listener = TcpListener::bind(("127.0.0.1", 0)).and_then(|listener| listener.local_addr());
        let port = listener.map_err(unavailable)?.port();
        let settings = folder.0.join("nats.conf");
        let store = folder.0.join("store").display().to_string();
        // The server's own pings would reach agents that measure.
        let text = format!(
            "host: \"127.0.0.1\"\nport: {port}\nping_interval: \"1h\"\njetstream {{ store_dir: \"{store}\" }}\n"
        );
        fs::write(&settings, text).map_err(unavailable)?;
        let process = Process::start(&settings)?;
        let address: NatsAddress = format!("nats://127.0.0.1:{port}").parse().map_err(other)?;
        let connection = Server::connect(&address, &Login::default(), Pings::Often).map_err(other)?;
        Ok(Self { connection, address, runs: 0, _process: process, _folder: folder })
    }

    /// A name that no run of it has had.
    pub(super) fn next_run(&mut self) -> String {
        self.runs += 1;
        format!("run-{}", self.runs)
    }

    /// Begins a fleet of one agent, as [`Loopback::begin`] does.
    pub(super) fn begin(&mut self, folder: &Path, block: Vec<u8>, groups: u32) -> io::Result<Loopback> {
        let run = self.next_run();
        Loopback::begin_at((&self.connection, &self.address), &run, folder, block, groups)
    }

    /// Submits the groups of a plan, and removes them.
    pub(super) fn submit(&mut self, groups: u32) -> Result<(), ModuleError> {
        let run = self.next_run();
        let stream = RunStream::open(&self.connection, &run).map_err(other)?;
        let queue = Jetstream::open(stream, Nothing).map_err(other)?;
        let coordinator = Coordinator::new(queue, &[ClassId(0); 2], groups, true).map_err(other)?;
        coordinator.queue().stream().remove().map_err(other)
    }
}

/// The process of the server. It is killed on drop.
struct Process {
    child: Child,
    /// Open, because a server whose log nobody reads any more may end.
    log: BufReader<ChildStderr>,
}

impl Process {
    /// Starts the program with these settings, and waits until it can be connected to.
    fn start(settings: &Path) -> Result<Self, ModuleError> {
        let unavailable = |reason: String| ModuleError::Unavailable(format!("`nats-server` {reason}"));
        let mut child = None;
        for program in PROGRAMS {
            let mut command = Command::new(program);
            command.arg("-c").arg(settings).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
            match command.spawn() {
                Ok(started) => {
                    child = Some(started);
                    break;
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(unavailable(format!("cannot be started: {error}"))),
            }
        }
        let absent = || unavailable("is absent; `cargo xtask setup` installs it".to_owned());
        let mut child = child.ok_or_else(absent)?;
        let log = child.stderr.take().map(BufReader::new).ok_or_else(|| other("the server has no log"))?;
        let mut process = Self { child, log };
        let mut last = String::new();
        loop {
            let mut line = String::new();
            let read = process.log.read_line(&mut line).map_err(other)?;
            if read == 0 {
                return Err(unavailable(format!("has ended: {}", last.trim_end())));
            }
            if line.contains(READY) {
                return Ok(process);
            }
            last = line;
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
