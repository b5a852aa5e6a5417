//! One HTTP/1.1 request at a time, each on a connection of its own: a push is a handful of requests, and a connection that is kept can be
//! one that the registry has closed. Every wait has a limit, and so has every answer.

use crate::error::RegistryError;
use crate::url::Url;
use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto};

/// The largest document of a registry.
pub(crate) const DOCUMENT_BYTES_MAX: u64 = 4 << 20;

/// How long a connection, a part of an answer, or the beginning of one may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// The slowest connection that an upload is waited for, in bytes a second.
const SLOWEST_BYTES_PER_SECOND: u64 = 100_000;

/// Sends requests.
pub(crate) struct Http {
    runtime: Runtime,
}

/// A request.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// An answer. A body that was written elsewhere is empty here.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

/// Where the body of a successful answer goes, and how many bytes it may have.
pub(crate) struct Target<'a> {
    pub(crate) writer: &'a mut dyn Write,
    pub(crate) bytes_max: u64,
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

impl Http {
    pub(crate) fn new() -> Result<Self, RegistryError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        Ok(Self { runtime: runtime.map_err(RegistryError::Write)? })
    }

    /// Sends `question`. The body of a successful answer goes to `target` if there is one.
    pub(crate) fn send(&self, question: &Question, target: Option<Target<'_>>) -> Result<Answer, RegistryError> {
        self.runtime.block_on(exchange(question, target))
    }
}

async fn exchange(question: &Question, target: Option<Target<'_>>) -> Result<Answer, RegistryError> {
    let host = &question.url.authority;
    let stream = within(host, PATIENCE, connect(&question.url)).await??;
    let broken = |error: hyper::Error| RegistryError::Broken { host: host.clone(), reason: error.to_string() };
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
    // Its error is also that of the request.
    let driver = tokio::spawn(async move { connection.await.ok() });
    let upload = Duration::from_secs(question.body.len() as u64 / SLOWEST_BYTES_PER_SECOND);
    let sent = sender.send_request(request(question)?);
    let answer = within(host, PATIENCE + upload, sent).await?.map_err(broken)?;
    let (head, mut body) = answer.into_parts();
    let mut kept = Vec::new();
    let mut target = target.filter(|_| head.status.is_success());
    let bytes_max = target.as_ref().map_or(DOCUMENT_BYTES_MAX, |target| target.bytes_max);
    let mut bytes = 0_u64;
    while let Some(frame) = within(host, PATIENCE, body.frame()).await? {
        let Ok(data) = frame.map_err(broken)?.into_data() else { continue };
        bytes += data.len() as u64;
        if bytes > bytes_max {
            return Err(RegistryError::TooLarge { host: host.clone(), bytes_max });
        }
        match &mut target {
            Some(target) => target.writer.write_all(&data).map_err(RegistryError::Write)?,
            None => kept.extend_from_slice(&data),
        }
    }
    driver.abort();
    Ok(Answer { status: head.status, headers: head.headers, body: kept })
}

fn request(question: &Question) -> Result<Request<Full<Bytes>>, RegistryError> {
    let Question { method, url, headers, body } = question;
    let mut request = Request::builder().method(method).uri(&url.path).header(header::HOST, &url.authority);
    request = request.header(header::USER_AGENT, concat!("bench-host/", env!("CARGO_PKG_VERSION")));
    for (name, value) in headers {
        request = request.header(name, value);
    }
    let request = request.body(Full::new(body.clone()));
    request.map_err(|error| RegistryError::Broken { host: url.authority.clone(), reason: error.to_string() })
}

async fn within<T>(host: &str, limit: Duration, work: impl Future<Output = T>) -> Result<T, RegistryError> {
    let timeout = |_| RegistryError::Timeout { host: host.to_owned(), seconds: limit.as_secs() };
    tokio::time::timeout(limit, work).await.map_err(timeout)
}

async fn connect(url: &Url) -> Result<Box<dyn Stream>, RegistryError> {
    let failed = |reason: String| RegistryError::Connect { host: url.authority.clone(), reason };
    let stream = TcpStream::connect(url.address()).await.map_err(|error| failed(error.to_string()))?;
    if !url.is_tls {
        return Ok(Box::new(stream));
    }
    let name = ServerName::try_from(url.host().to_owned()).map_err(|error| failed(error.to_string()))?;
    let connector = connector().map_err(failed)?;
    let stream = connector.connect(name, stream).await;
    let stream = stream.map_err(|error| failed(format!("{error} (a registry without TLS needs --plain-http)")))?;
    Ok(Box::new(stream))
}

/// TLS with the certificates of the system.
fn connector() -> Result<TlsConnector, String> {
    let mut roots = RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if added == 0 {
        return Err("the system has no certificates of authorities; install ca-certificates".to_owned());
    }
    let provider = Arc::new(crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.map_err(|error| error.to_string())?;
    Ok(TlsConnector::from(Arc::new(builder.with_root_certificates(roots).with_no_client_auth())))
}
