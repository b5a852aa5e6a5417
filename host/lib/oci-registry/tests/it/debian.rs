//! Debian's registry, which has no API of referrers; skipped where it is not installed.

use crate::{NAME, User, check, check_round_trip};
use module_store::Digest;
use oci_registry::PullOptions;
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// The password of the user `user`, and what bcrypt makes of it: one of the vectors of its reference implementation.
const PASSWORD: &str = "U*U";
const HTPASSWD: &str = "user:$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW\n";

/// A running registry. It is stopped on drop.
struct Server {
    child: Child,
    host: String,
}

impl Server {
    /// Starts it with what is in `folder`, and with the password if `has_password`; `None` if it is not installed.
    #[expect(clippy::disallowed_methods, reason = "another process offers nothing to wait for")]
    fn start(folder: &Path, port: u16, has_password: bool) -> Option<Self> {
        let host = format!("127.0.0.1:{port}");
        let config = folder.join("config.yml");
        let storage = folder.join("storage");
        let mut text = format!(
            "version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: \"{}\"}}, delete: {{enabled: true}}}}\nhttp: {{addr: \"{host}\"}}\n",
            storage.display()
        );
        if has_password {
            let file = folder.join("htpasswd");
            fs::write(&file, HTPASSWD).expect("the password is written");
            text += &format!("auth: {{htpasswd: {{realm: test, path: \"{}\"}}}}\n", file.display());
        }
        fs::write(&config, text).expect("the settings are written");
        let mut command = Command::new("docker-registry");
        command.arg("serve").arg(&config).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let Ok(child) = command.spawn() else {
            eprintln!("skipped: `docker-registry` is absent; `cargo xtask setup` installs it");
            return None;
        };
        let mut server = Self { child, host };
        let started = Instant::now();
        while TcpStream::connect(&server.host).is_err() {
            let ended = server.child.try_wait().expect("the state of a child can be asked");
            assert!(ended.is_none(), "docker-registry ended: {ended:?}");
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

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Where the registry with this folder keeps a blob.
fn kept(folder: &Path, digest: &Digest) -> PathBuf {
    let hex = digest.hex();
    folder.join("storage/docker/registry/v2/blobs/sha256").join(&hex[..2]).join(&hex).join("data")
}

#[test]
fn module_comes_back_from_the_registry_of_debian_before_and_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let port = free_port();
    let Some(server) = Server::start(folder.path(), port, false) else { return };
    check_round_trip(&server.host, [&User::new(), &User::new()]);
    drop(server);
    let server = Server::start(folder.path(), port, false).expect("it was started before");
    let pulled = User::new().pull(&server.host, ":1.2.0", PullOptions::default()).unwrap();
    assert_eq!((pulled.natives.len(), pulled.signatures.len()), (1, 1));
}

#[test]
fn registry_of_debian_gets_the_password_that_it_asks_for() {
    let folder = tempfile::tempdir().unwrap();
    let Some(server) = Server::start(folder.path(), free_port(), true) else { return };
    let pull = |user: User| user.pull(&server.host, ":1.2.0", PullOptions::default());
    check(pull(User::new()), &[&server.host, "a user name and password are needed"]);
    check(pull(User::with_password("wrong")), &["the user name or password was refused"]);
    check_round_trip(&server.host, [&User::with_password(PASSWORD), &User::with_password(PASSWORD)]);
}

#[test]
fn registry_of_debian_whose_disk_lies_is_found_out() {
    let folder = tempfile::tempdir().unwrap();
    let Some(server) = Server::start(folder.path(), free_port(), false) else { return };
    let one = User::new();
    let module = one.add("a");
    one.push(&module, &server.host).unwrap();
    let component = module.component.as_ref().unwrap().digest;
    let path = kept(folder.path(), &component);
    let right = fs::read(&path).unwrap();
    let mut wrong = right.clone();
    *wrong.last_mut().unwrap() ^= 1;
    fs::write(&path, &wrong).unwrap();
    let other = User::new();
    let pull = || other.pull(&server.host, ":1.2.0", PullOptions::default());
    let (wanted, found) = (component.to_string(), Digest::of_bytes(&wrong).to_string());
    check(pull(), &[&server.host, &format!("gave something else for {wanted}"), &found, "do not use this registry"]);
    assert!(!other.store.has(&component) && other.store.modules().unwrap().0.is_empty());
    fs::remove_file(&path).unwrap();
    check(pull(), &[&wanted]);
    assert!(other.store.modules().unwrap().0.is_empty());
    fs::write(&path, &right).unwrap();
    assert_eq!(pull().unwrap().name, Some(NAME.parse().unwrap()));
}
