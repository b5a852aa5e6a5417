//! Debian's registry with a certificate and a password, as users reach it; skipped where it is not installed.

use crate::host::{Host, Ran, eventually, skip};
use crate::stored::{NAME, User};
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// What bcrypt makes of the password `U*U`: one of the vectors of its reference implementation.
const HTPASSWD: &str = "user:$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW\n";

/// The same user and password in base64, as `docker login` keeps them.
const LOGIN: &str = "dXNlcjpVKlU=";

const OPENSSL: &str = "[req]\ndistinguished_name = name\nx509_extensions = extensions\nprompt = no\n[name]\nCN = 127.0.0.1\n\
                       [extensions]\nsubjectAltName = IP:127.0.0.1\nbasicConstraints = critical,CA:FALSE\n";

/// A registry that is stopped on drop.
struct Registry {
    child: Child,
    host: String,
}

impl Registry {
    /// Starts a registry with a certificate and a password, all in `folder`; `None` where what it needs is not installed.
    fn start(folder: &Path) -> Option<Self> {
        fs::write(folder.join("openssl.cnf"), OPENSSL).unwrap();
        let line = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -config openssl.cnf -keyout key.pem -out cert.pem";
        let made = Command::new("openssl").args(line.split(' ')).current_dir(folder).output();
        if !made.is_ok_and(|output| output.status.success()) {
            skip("`openssl` is absent or makes no certificate; `apt-get install openssl` has it");
            return None;
        }
        fs::write(folder.join("htpasswd"), HTPASSWD).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let (host, files) = (format!("127.0.0.1:{port}"), folder.display());
        let settings = format!(
            "version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: \"{files}/storage\"}}}}\n\
             http: {{addr: \"{host}\", tls: {{certificate: \"{files}/cert.pem\", key: \"{files}/key.pem\"}}}}\n\
             auth: {{htpasswd: {{realm: test, path: \"{files}/htpasswd\"}}}}\n"
        );
        let config = folder.join("config.yml");
        fs::write(&config, settings).unwrap();
        let mut command = Command::new("docker-registry");
        command.arg("serve").arg(&config).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let Ok(child) = command.spawn() else {
            skip("`docker-registry` is absent; `cargo xtask setup` installs it");
            return None;
        };
        let registry = Self { child, host };
        eventually("docker-registry listens", || TcpStream::connect(&registry.host).is_ok());
        Some(registry)
    }

    /// Logs `user` in, as `docker login` does.
    fn log_in(&self, user: &User) {
        let folder = user.host.path("docker");
        fs::create_dir_all(&folder).unwrap();
        let text = format!("{{\"auths\": {{\"{}\": {{\"auth\": \"{LOGIN}\"}}}}}}", self.host);
        fs::write(folder.join("config.json"), text).unwrap();
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn module_goes_through_a_registry_with_a_certificate_and_a_password() {
    let folder = tempfile::tempdir().unwrap();
    let Some(registry) = Registry::start(folder.path()) else { return };
    let repository = format!("oci://{}/acme/hostile", registry.host);
    let (push, pull) = (format!("registry push {NAME} {repository}"), format!("registry pull {repository}:0.1.0"));
    let user = User::with_module();
    let trusting = |user: &User, line: &str, status: i32| {
        let mut command = user.command(line);
        Ran::of(command.env("SSL_CERT_FILE", folder.path().join("cert.pem"))).check(line, status)
    };
    trusting(&user, &push, 2).one_line(&[&registry.host, "it expects TLS", "--tls"]);
    let push = format!("{push} --tls");
    Ran::of(&mut user.command(&push)).check(&push, 2).one_line(&[&registry.host, "certificate"]);
    trusting(&user, &push, 2).one_line(&[&registry.host, "a user name and password are needed", "docker login"]);
    registry.log_in(&user);
    let pushed = trusting(&user, &push, 0).stdout;
    assert!(pushed.contains("1 probes and signatures attached"), "{pushed}");
    let other = User { host: Host::new() };
    registry.log_in(&other);
    let versions = trusting(&other, &format!("registry list {repository} --tls --format json"), 0).json();
    let expect = serde_json::json!([{"tag": "0.1.0", "address": format!("{repository}:0.1.0"), "is_stored": false}]);
    assert_eq!(versions["versions"], expect);
    let pulled = trusting(&other, &format!("{pull} --tls"), 0);
    assert!(pulled.stdout.starts_with(&format!("{NAME} sha256:")), "{}", pulled.stdout);
    let secret = [&pulled.stdout, &pulled.stderr, &pushed].into_iter().find(|text| text.contains("U*U"));
    assert_eq!(secret, None, "the password is shown");
    other.measures(NAME, &["wasm"]);
}
