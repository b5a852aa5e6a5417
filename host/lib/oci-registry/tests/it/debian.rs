//! Debian's registry, which has no API of referrers; skipped where it is not installed.

use crate::{User, check_round_trip};
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// A running registry. It is stopped on drop.
struct Server {
    child: Child,
    host: String,
}

impl Server {
    /// Starts it with what is in `folder`; `None` if it is not installed.
    #[expect(clippy::disallowed_methods, reason = "another process offers nothing to wait for")]
    fn start(folder: &Path, port: u16) -> Option<Self> {
        let host = format!("127.0.0.1:{port}");
        let config = folder.join("config.yml");
        let storage = folder.join("storage");
        let text = format!(
            "version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: \"{}\"}}, delete: {{enabled: true}}}}\nhttp: {{addr: \"{host}\"}}\n",
            storage.display()
        );
        fs::write(&config, text).expect("the settings are written");
        let mut command = Command::new("docker-registry");
        command.arg("serve").arg(&config).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().ok()?;
        let server = Self { child, host };
        let started = Instant::now();
        while TcpStream::connect(&server.host).is_err() {
            assert!(started.elapsed() < Duration::from_secs(120), "docker-registry does not answer");
            thread::sleep(Duration::from_millis(20));
        }
        Some(server)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn module_comes_back_from_the_registry_of_debian_before_and_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let Some(server) = Server::start(folder.path(), port) else {
        eprintln!("skipped: `docker-registry` is absent; `apt-get install docker-registry` has it");
        return;
    };
    check_round_trip(&server.host, [&User::new(), &User::new()]);
    drop(server);
    let server = Server::start(folder.path(), port).expect("it was started before");
    let pulled = User::new().pull(&server.host, ":1.2.0", oci_registry::PullOptions::default()).unwrap();
    assert_eq!((pulled.natives.len(), pulled.signatures.len()), (1, 1));
}
