//! A real `nats-server` on this machine for tests; they are skipped where it is not installed.

use bench_fleet::{Login, NatsAddress, Pings, Server};
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A running server. It is killed on drop.
pub(crate) struct NatsServer {
    child: Child,
    folder: TempDir,
    port: u16,
}

/// Where Debian has it, which is not in the path of every user.
const PROGRAMS: [&str; 2] = ["nats-server", "/usr/sbin/nats-server"];

impl NatsServer {
    /// Starts a server with JetStream; `None`, with the reason, if it is not installed.
    pub(crate) fn start() -> Option<Self> {
        Self::start_with("jetstream { store_dir: \"STORE\" }")
    }

    /// Starts a server with these settings, in which `STORE` is a folder.
    pub(crate) fn start_with(settings: &str) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let settings = settings.replace("STORE", &folder.path().join("store").display().to_string());
        // The server's own pings would reach agents that measure.
        let text = format!("host: \"127.0.0.1\"\nport: {port}\nping_interval: \"1h\"\n{settings}\n");
        fs::write(folder.path().join("nats.conf"), text).unwrap();
        let child = PROGRAMS.into_iter().find_map(|program| spawn(program, folder.path().join("nats.conf")));
        let Some(child) = child else {
            eprintln!("skipped: `nats-server` is absent; `cargo xtask setup` installs it");
            return None;
        };
        let server = Self { child, folder, port };
        server.wait();
        Some(server)
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn address(&self) -> NatsAddress {
        format!("nats://127.0.0.1:{}", self.port).parse().unwrap()
    }

    /// A connection to it.
    pub(crate) fn connect(&self) -> Server {
        Server::connect(&self.address(), &Login::default(), Pings::Often).unwrap()
    }

    /// Kills it as `kill -9` does, and starts it again; if it `is_wiped`, with an empty disk.
    pub(crate) fn restart(&mut self, is_wiped: bool) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if is_wiped {
            fs::remove_dir_all(self.folder.path().join("store")).unwrap();
        }
        let config = self.folder.path().join("nats.conf");
        let child = PROGRAMS.into_iter().find_map(|program| spawn(program, config.clone()));
        self.child = child.expect("it was started before");
        self.wait();
    }

    #[expect(clippy::disallowed_methods, reason = "another process offers nothing to wait for")]
    fn wait(&self) {
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(begun.elapsed() < Duration::from_secs(120), "nats-server does not answer");
            thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for NatsServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn spawn(program: &str, config: PathBuf) -> Option<Child> {
    let mut command = Command::new(program);
    command.arg("-c").arg(config).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().ok()
}
