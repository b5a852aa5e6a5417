//! A connection to a NATS server, for code that is not asynchronous.

use super::{Login, NatsError};
use crate::address::NatsAddress;
use async_nats::{Client, ConnectError, ConnectErrorKind, Event};
use std::error::Error;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Notify;
use tokio::task::AbortHandle;

/// How often the client asks whether the server is still there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pings {
    /// Often enough to notice soon that it is not.
    Often,
    /// Practically never: no packet is sent without need, because this machine measures.
    Never,
}

/// A connection to a NATS server. It comes back by itself when it breaks.
#[derive(Clone, Debug)]
pub struct Server {
    // Before the threads: their end must not wait for it.
    client: Client,
    threads: Arc<Runtime>,
    /// Notified when the connection breaks or comes back.
    changed: Arc<Notify>,
    address: String,
}

/// How long the server may take to answer. A longer time would lengthen every pause after its restart.
pub(super) const ANSWER: Duration = Duration::from_secs(2);

/// How long it may take to connect, with everything that both sides say first.
const CONNECT: Duration = Duration::from_secs(10);

/// How long to wait before something is tried again, unless the connection comes back earlier.
const PAUSE: Duration = Duration::from_millis(100);

/// The oldest version that has what is used here.
const OLDEST: (i64, i64, i64) = (2, 9, 2);

impl Server {
    /// Connects to the server at `address`.
    pub fn connect(address: &NatsAddress, login: &Login, pings: Pings) -> Result<Self, NatsError> {
        let threads = Builder::new_multi_thread().worker_threads(1).thread_name("nats").enable_all().build();
        let threads = Arc::new(threads.map_err(NatsError::Start)?);
        let changed = Arc::new(Notify::new());
        let waker = Arc::clone(&changed);
        let interval = match pings {
            Pings::Often => Duration::from_secs(5),
            Pings::Never => Duration::from_secs(86_400 * 365),
        };
        let options = login.options()?.name("bench-host").ping_interval(interval).connection_timeout(CONNECT);
        let options =
            options.request_timeout(Some(ANSWER)).require_tls(address.needs_tls()).ignore_discovered_servers();
        let options = options.reconnect_delay_callback(|attempts| PAUSE * attempts.saturating_sub(1).min(10) as u32);
        let options = options.event_callback(move |event| {
            if matches!(event, Event::Connected | Event::Disconnected) {
                waker.notify_waiters();
            }
            std::future::ready(())
        });
        let client = threads.block_on(options.connect(address.to_string()));
        let client = client.map_err(|error| refusal(address, &error))?;
        Ok(Self { client, threads, changed, address: address.to_string() })
    }

    /// Checks that the server can keep what a fleet measured.
    pub fn check(&self) -> Result<(), NatsError> {
        let (info, address) = (self.client.server_info(), self.address.clone());
        let (major, minor, patch) = OLDEST;
        if !self.client.is_server_compatible(major, minor, patch) {
            return Err(NatsError::TooOld { address, found: info.version });
        }
        if info.jetstream { Ok(()) } else { Err(NatsError::NoJetStream { address }) }
    }

    /// The address.
    pub(super) fn address(&self) -> &str {
        &self.address
    }

    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// Waits for the end of `future`, at most as long as its own time-outs say.
    pub(super) fn wait<T>(&self, future: impl Future<Output = T>) -> T {
        self.threads.block_on(future)
    }

    /// Runs `future` in the background, until it ends or is aborted.
    pub(super) fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) -> AbortHandle {
        self.threads.spawn(future).abort_handle()
    }

    /// Waits a little, but not longer than until the connection breaks or comes back.
    pub(super) fn rest(&self) {
        // The end of the time is as good as the event.
        let _ = self.wait(async { tokio::time::timeout(PAUSE, self.changed.notified()).await });
    }
}

/// Why a connection cannot be made, and what to do.
fn refusal(address: &NatsAddress, error: &ConnectError) -> NatsError {
    let reason = error.to_string().lines().next().unwrap_or_default().to_owned();
    // What is no TLS, or a certificate that is not trusted, arrives as invalid data.
    let is_of_tls = match kind_of_io(error) {
        Some(io::ErrorKind::InvalidData) => true,
        Some(io::ErrorKind::UnexpectedEof) => address.needs_tls(),
        _ => error.kind() == ConnectErrorKind::Tls,
    };
    let address = address.to_string();
    match error.kind() {
        ConnectErrorKind::Authentication | ConnectErrorKind::AuthorizationViolation => {
            NatsError::Refused { address, reason }
        }
        _ if is_of_tls && is_of_time(&reason) => NatsError::OutOfDate { address, reason },
        _ if is_of_tls => NatsError::Tls { address, reason },
        _ => NatsError::Unreachable { address, reason },
    }
}

/// Whether a certificate is refused because it is for another time, which the client tells in words only.
fn is_of_time(reason: &str) -> bool {
    ["certificate expired", "certificate not valid yet"].iter().any(|words| reason.contains(words))
}

/// The kind of the error of input and output that an error comes from, if it does.
fn kind_of_io(error: &ConnectError) -> Option<io::ErrorKind> {
    let mut source = error.source();
    while let Some(error) = source {
        if let Some(error) = error.downcast_ref::<io::Error>() {
            return Some(error.kind());
        }
        source = error.source();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nats::RunStream;
    use crate::nats_server::{NatsServer, certify, certify_for, encrypted, pretend};
    use std::ffi::OsString;
    use std::fs;
    use std::net::TcpListener;

    /// Opens a run on the server at `address`, and checks why that is not possible.
    #[track_caller]
    fn check(address: &str, login: &Login, parts: &[&str]) {
        let connected = Server::connect(&address.parse().unwrap(), login, Pings::Often);
        let opened = connected.and_then(|server| RunStream::open(&server, "r").map(drop));
        let error = opened.err().map(|error| error.to_string()).unwrap_or_default();
        assert!(!error.contains('\n') && !error.contains("s3cret"), "{error}");
        for part in parts {
            assert!(error.contains(part), "{error}");
        }
    }

    fn login(variables: &[(&str, &str)]) -> Login {
        let get =
            |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| OsString::from(value));
        Login::read(get).unwrap()
    }

    #[test]
    fn server_that_is_not_there_or_too_old_is_named() {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let absent = ["no NATS server answers at nats://127.0.0.1:", "start one with `nats-server --jetstream`"];
        check(&format!("nats://127.0.0.1:{port}"), &Login::default(), &absent);
        let old = format!("nats://127.0.0.1:{}", pretend("2.8.4"));
        check(&old, &Login::default(), &["is 2.8.4, but a fleet needs 2.9.2 or newer"]);
    }

    #[test]
    fn server_without_jetstream_is_named() {
        let Some(nats) = NatsServer::start_with("") else { return };
        check(&nats.address().to_string(), &Login::default(), &["has no JetStream", "`--jetstream`"]);
    }

    #[test]
    fn server_without_tls_is_refused_where_tls_is_needed() {
        let Some(nats) = NatsServer::start() else { return };
        let address = nats.address().to_string().replace("nats://", "tls://");
        check(&address, &Login::default(), &["the NATS server at tls://127.0.0.1:", "cannot be encrypted", "NATS_CA"]);
    }

    #[test]
    fn stranger_is_refused_and_a_user_is_not() {
        let settings = "jetstream { store_dir: \"STORE\" }\nauthorization { user: u, password: s3cret }";
        let Some(nats) = NatsServer::start_with(settings) else { return };
        let address = nats.address().to_string();
        let refused = ["refuses this user", "NATS_USER and NATS_PASSWORD"];
        check(&address, &Login::default(), &refused);
        check(&address, &login(&[("NATS_USER", "u"), ("NATS_PASSWORD", "s3cret2")]), &refused);
        let user = login(&[("NATS_USER", "u"), ("NATS_PASSWORD", "s3cret")]);
        let server = Server::connect(&nats.address(), &user, Pings::Often).unwrap();
        RunStream::open(&server, "r").unwrap().remove().unwrap();
    }

    #[test]
    fn owner_of_an_nkey_is_let_in() {
        // A pair that the documentation of NATS has as an example.
        let public = "UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4";
        let seed = "SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY";
        let settings =
            format!("jetstream {{ store_dir: \"STORE\" }}\nauthorization {{ users: [ {{ nkey: {public} }} ] }}");
        let Some(nats) = NatsServer::start_with(&settings) else { return };
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("seed");
        fs::write(&file, format!("{seed}\n")).unwrap();
        let owner = login(&[("NATS_NKEY", file.to_str().unwrap())]);
        let server = Server::connect(&nats.address(), &owner, Pings::Often).unwrap();
        RunStream::open(&server, "r").unwrap().remove().unwrap();
        check(&nats.address().to_string(), &Login::default(), &["refuses this user", "NATS_NKEY"]);
        fs::write(&file, "not a seed").unwrap();
        check(&nats.address().to_string(), &owner, &["refuses this user"]);
    }

    #[test]
    fn connection_is_encrypted_if_the_certificate_is_trusted() {
        let folder = tempfile::tempdir().unwrap();
        let Some(files) = certify(folder.path(), "127.0.0.1") else { return };
        let Some(nats) = NatsServer::start_with(&encrypted(&files)) else { return };
        let address = nats.address().to_string().replace("nats://", "tls://");
        check(&address, &Login::default(), &["cannot be encrypted", "NATS_CA"]);
        let trusting = login(&[("NATS_CA", &files[0])]);
        let server = Server::connect(&address.parse().unwrap(), &trusting, Pings::Often).unwrap();
        RunStream::open(&server, "r").unwrap().remove().unwrap();
    }

    #[test]
    fn certificate_of_another_time_is_named_as_one() {
        for time in [
            "-startdate 20200101000000Z -enddate 20200102000000Z",
            "-startdate 20990101000000Z -enddate 20990102000000Z",
        ] {
            let folder = tempfile::tempdir().unwrap();
            let Some(files) = certify_for(folder.path(), "127.0.0.1", time) else { return };
            let Some(nats) = NatsServer::start_with(&encrypted(&files)) else { return };
            let address = nats.address().to_string().replace("nats://", "tls://");
            let parts = ["is not valid at the time of this machine", "set the clock of this machine"];
            check(&address, &login(&[("NATS_CA", &files[0])]), &parts);
        }
    }
}
