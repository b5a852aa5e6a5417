//! A real `nats-server` on this machine for tests; they are skipped where it is not installed.

use bench_fleet::{Login, NatsAddress, Pings, Server};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A running server. It is killed on drop.
pub(crate) struct NatsServer {
    child: Child,
    folder: TempDir,
    /// The command line, up to the program.
    command: Vec<String>,
    host: String,
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
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        Self::start_at(("127.0.0.1", port), &[], settings)
    }

    /// Starts a server that listens on this address, by the program `inside` if one is given, such as one that enters a network.
    pub(crate) fn start_at((host, port): (&str, u16), inside: &[&str], settings: &str) -> Option<Self> {
        let is_there =
            |program: &&str| run(&[(*program).to_owned()], &["--version"]).is_some_and(|mut it| it.wait().is_ok());
        let Some(program) = PROGRAMS.into_iter().find(is_there) else {
            eprintln!("skipped: `nats-server` is absent; `cargo xtask setup` installs it");
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        let settings = settings.replace("STORE", &folder.path().join("store").display().to_string());
        // The server's own pings would reach agents that measure.
        let text = format!("host: \"{host}\"\nport: {port}\nping_interval: \"1h\"\n{settings}\n");
        fs::write(folder.path().join(CONFIG), text).unwrap();
        let command: Vec<String> = inside.iter().chain([&program]).map(|word| (*word).to_owned()).collect();
        let child = start(&command, folder.path());
        let server = Self { child, folder, command, host: host.to_owned(), port };
        server.wait();
        Some(server)
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn address(&self) -> NatsAddress {
        format!("nats://{}:{}", self.host, self.port).parse().unwrap()
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
        self.child = start(&self.command, self.folder.path());
        self.wait();
    }

    #[expect(clippy::disallowed_methods, reason = "another process offers nothing to wait for")]
    fn wait(&self) {
        let begun = Instant::now();
        while TcpStream::connect((self.host.as_str(), self.port)).is_err() {
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

/// Starts what introduces itself as a server of this version, and answers pings only. It serves one client. Returns its port.
pub(crate) fn pretend(version: &str) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let info = format!(
        "INFO {{\"server_id\":\"x\",\"server_name\":\"x\",\"version\":\"{version}\",\"go\":\"\",\"host\":\"127.0.0.1\",\"port\":{port},\"headers\":true,\"max_payload\":1048576,\"proto\":1,\"client_id\":1,\"jetstream\":true}}\r\n"
    );
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.write_all(info.as_bytes()).unwrap();
        for line in BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok) {
            if line.starts_with("PING") && stream.write_all(b"PONG\r\n").is_err() {
                return;
            }
        }
    });
    port
}

/// The name of the file with the server's settings.
const CONFIG: &str = "nats.conf";

fn start(command: &[String], folder: &Path) -> Child {
    let config = folder.join(CONFIG).display().to_string();
    run(command, &["-c", &config]).expect("the program was found")
}

fn run(command: &[String], arguments: &[&str]) -> Option<Child> {
    let (program, words) = command.split_first()?;
    let mut command = Command::new(program);
    command.args(words).args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().ok()
}

/// Makes a certificate for the machine at this address, and its key. Returns their files; `None`, with the reason, if that is not possible here.
pub(crate) fn certify(folder: &Path, address: &str) -> Option<[String; 2]> {
    certify_for(folder, address, "-days 2")
}

/// As [`certify`], for the time that these options of `openssl ca` say.
pub(crate) fn certify_for(folder: &Path, address: &str, time: &str) -> Option<[String; 2]> {
    let settings = format!(
        "[req]\ndistinguished_name = name\nprompt = no\n[name]\nCN = {address}\n[extensions]\nsubjectAltName = IP:{address}\nbasicConstraints = critical,CA:FALSE\n[ca]\ndefault_ca = own\n[own]\ndatabase = index.txt\nnew_certs_dir = .\nrand_serial = yes\ndefault_md = sha256\npolicy = any\n[any]\ncommonName = supplied\n"
    );
    fs::write(folder.join("openssl.cnf"), settings).unwrap();
    fs::write(folder.join("index.txt"), "").unwrap();
    let request = "req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -config openssl.cnf -keyout key.pem -out req.pem";
    let sign = format!(
        "ca -batch -notext -selfsign -config openssl.cnf -in req.pem -keyfile key.pem -extensions extensions {time} -out cert.pem"
    );
    for line in [request, &sign] {
        let made = Command::new("openssl").args(line.split(' ')).current_dir(folder).output();
        if !made.is_ok_and(|output| output.status.success()) {
            eprintln!("skipped: `openssl` is absent, or cannot make a certificate; `apt-get install openssl` has it");
            return None;
        }
    }
    Some(["cert.pem", "key.pem"].map(|file| folder.join(file).display().to_string()))
}

/// Settings of a server that keeps messages, and has a certificate.
pub(crate) fn encrypted([certificate, key]: &[String; 2]) -> String {
    format!("jetstream {{ store_dir: \"STORE\" }}\ntls {{ cert_file: \"{certificate}\", key_file: \"{key}\" }}")
}
