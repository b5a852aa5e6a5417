//! A proxy on the loopback interface that speaks TLS to a server, for clients that cannot: components have no TLS, and all arms must
//! do the same. It relays bytes; a client authenticates to the server itself.

use crate::{Address, Settings, TlsError, tls};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::pki_types::ServerName;

/// Why a server cannot be reached with TLS.
#[derive(Debug, thiserror::Error)]
pub enum ProxyError {
    /// The settings of TLS cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The host is not a name that a certificate can be for.
    #[error("`{0}` is not a host name")]
    Host(String),
    /// The server does not answer within the time of the settings.
    #[error("no answer within {} s", .0.as_secs())]
    Timeout(Duration),
    /// The server does not offer TLS.
    #[error("the server does not offer TLS; set `ssl = on` there, or give sslmode=disable")]
    NotOffered,
    /// The connection or the handshake failed.
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// A running proxy. Dropping it closes its connections.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    /// Dropped to end the thread.
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
    last_error: Arc<Mutex<Option<String>>>,
}

/// What every connection of a proxy needs.
#[derive(Clone)]
struct Target {
    address: String,
    host: ServerName<'static>,
    config: Arc<ClientConfig>,
    timeout: Duration,
}

/// The message by which a client asks for TLS: its length, and a number in place of a protocol version.
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];

/// The answer of a server that offers TLS.
const OFFERED: u8 = b'S';

impl Proxy {
    /// Tries a handshake with the server at `address`, and starts a proxy for it.
    pub fn start(settings: &Settings, address: &Address) -> Result<Self, ProxyError> {
        let host = ServerName::try_from(address.host.clone()).map_err(|_| ProxyError::Host(address.host.clone()))?;
        let config = tls::config(settings)?;
        let target = Target { address: address.to_connect(), host, config, timeout: settings.timeout };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        drop(runtime.block_on(target.connect())?);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel();
        let last_error = Arc::<Mutex<Option<String>>>::default();
        let errors = Arc::clone(&last_error);
        let serve = move || {
            runtime.block_on(async move {
                tokio::select! {
                    () = serve(listener, target, errors) => {}
                    _ = stopped => {}
                }
            });
        };
        let thread = std::thread::Builder::new().name("tls-proxy".to_owned()).spawn(serve)?;
        Ok(Self { address, stop: Some(stop), thread: Some(thread), last_error })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The last error of a connection since the previous call.
    pub fn last_error(&self) -> Option<String> {
        self.last_error.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic of it has been printed.
            let _ = thread.join();
        }
    }
}

async fn serve(listener: TcpListener, target: Target, errors: Arc<Mutex<Option<String>>>) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
    // Ends when the runtime does, with all connections.
    while let Ok((client, _)) = listener.accept().await {
        let (target, errors) = (target.clone(), Arc::clone(&errors));
        tokio::spawn(async move {
            if let Err(error) = relay(client, &target).await {
                *errors.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.to_string());
            }
        });
    }
}

async fn relay(mut client: TcpStream, target: &Target) -> Result<(), ProxyError> {
    client.set_nodelay(true)?;
    let mut server = target.connect().await?;
    match copy_bidirectional(&mut client, &mut server).await {
        // Servers close without the end that TLS has for it.
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(()),
        ended => ended.map(drop).map_err(ProxyError::Io),
    }
}

impl Target {
    async fn connect(&self) -> Result<TlsStream<TcpStream>, ProxyError> {
        let connected = tokio::time::timeout(self.timeout, self.handshake()).await;
        connected.map_err(|_| ProxyError::Timeout(self.timeout))?
    }

    async fn handshake(&self) -> Result<TlsStream<TcpStream>, ProxyError> {
        let mut server = TcpStream::connect(&self.address).await?;
        server.set_nodelay(true)?;
        server.write_all(&SSL_REQUEST).await?;
        if server.read_u8().await? != OFFERED {
            return Err(ProxyError::NotOffered);
        }
        Ok(TlsConnector::from(Arc::clone(&self.config)).connect(self.host.clone(), server).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Environment;
    use std::io::{Read, Write};

    /// A server that answers a request for TLS with `answer`.
    fn server(answer: &'static [u8]) -> (u16, JoinHandle<[u8; 8]>) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let thread = std::thread::spawn(move || {
            let (mut client, _) = listener.accept().unwrap();
            let mut request = [0; 8];
            client.read_exact(&mut request).unwrap();
            client.write_all(answer).unwrap();
            request
        });
        (port, thread)
    }

    fn start(port: u16, words: &str) -> Result<Proxy, ProxyError> {
        let text = format!("host=localhost hostaddr=127.0.0.1 port={port} {words}");
        let settings = Settings::resolve(&text, &Environment::new([], None, "ann")).unwrap();
        Proxy::start(&settings, &settings.addresses[0])
    }

    #[test]
    fn server_without_tls_is_named_as_such() {
        let (port, thread) = server(b"N");
        let error = start(port, "sslmode=require").unwrap_err();
        assert!(matches!(error, ProxyError::NotOffered), "{error}");
        assert_eq!(thread.join().unwrap(), SSL_REQUEST);
    }

    #[test]
    fn server_that_is_none_fails_the_handshake() {
        let (port, _) = server(b"S and not a handshake");
        assert!(matches!(start(port, "sslmode=require"), Err(ProxyError::Io(_))));
        let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = silent.local_addr().unwrap().port();
        assert!(matches!(start(port, "connect_timeout=1"), Err(ProxyError::Timeout(_))));
    }

    #[test]
    fn missing_authority_is_refused_before_anything_is_sent() {
        let error = start(1, "sslmode=verify-full").unwrap_err().to_string();
        assert!(error.contains("~/.postgresql/root.crt"), "{error}");
        let error = start(1, "sslmode=verify-full sslrootcert=/nowhere").unwrap_err().to_string();
        assert!(error.starts_with("`sslrootcert`: /nowhere: "), "{error}");
    }
}
