//! A registry in this process: what is pushed is kept in memory, and it can be told to misbehave.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

/// How the registry behaves.
#[derive(Clone, Debug, Default)]
pub(crate) struct Behaviour {
    /// Whether it has the API of referrers.
    pub(crate) has_referrers: bool,
    /// The header `authorization` that it wants, and the challenge without it.
    pub(crate) wants: Option<(String, String)>,
    /// Whether blobs come with a bit flipped.
    pub(crate) lies_about_blobs: bool,
    /// Whether blobs come with a byte more.
    pub(crate) adds_bytes: bool,
    /// Whether manifests come with a space more.
    pub(crate) lies_about_manifests: bool,
    /// Where blobs are said to be.
    pub(crate) sends_blobs_to: Option<String>,
    /// How many tags a page has; all if 0.
    pub(crate) tags_a_page: usize,
    /// Whether lists and manifests never end.
    pub(crate) floods: bool,
}

#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) behaviour: Behaviour,
    pub(crate) blobs: BTreeMap<String, Vec<u8>>,
    /// By tag or digest.
    pub(crate) manifests: BTreeMap<String, (String, Vec<u8>)>,
    /// The requests, with the header `authorization` of each.
    pub(crate) requests: Vec<(String, Option<String>)>,
}

/// A running registry. It is stopped on drop.
pub(crate) struct Stub {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    is_stopping: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

struct Request {
    method: String,
    path: String,
    query: String,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

struct Response {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

impl Stub {
    pub(crate) fn start(behaviour: Behaviour) -> Self {
        let state = State { behaviour, ..State::default() };
        Self::serve("127.0.0.1:0".parse().unwrap(), Arc::new(Mutex::new(state)))
    }

    fn serve(address: SocketAddr, state: Arc<Mutex<State>>) -> Self {
        let listener = TcpListener::bind(address).expect("a port to listen on");
        let address = listener.local_addr().unwrap();
        let is_stopping = Arc::new(AtomicBool::new(false));
        let (shared, stopping) = (Arc::clone(&state), Arc::clone(&is_stopping));
        let accept = move || {
            for stream in listener.incoming() {
                if stopping.load(Ordering::SeqCst) {
                    return;
                }
                // A client that goes away early is no error here.
                let _ = stream.map(|stream| answer_one(stream, &shared));
            }
        };
        Self { address, state, is_stopping, thread: Some(std::thread::spawn(accept)) }
    }

    pub(crate) fn host(&self) -> String {
        self.address.to_string()
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stops it, runs `meanwhile`, and starts it again at the same address with what it has kept.
    pub(crate) fn restart(self, meanwhile: impl FnOnce()) -> Self {
        let (address, state) = (self.address, Arc::clone(&self.state));
        drop(self);
        meanwhile();
        Self::serve(address, state)
    }
}

impl Drop for Stub {
    fn drop(&mut self) {
        self.is_stopping.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn answer_one(mut stream: TcpStream, state: &Mutex<State>) -> Option<()> {
    let request = read_request(&mut stream)?;
    let response = state.lock().unwrap_or_else(PoisonError::into_inner).answer(&request);
    let mut head = format!("HTTP/1.1 {} X\r\nconnection: close\r\n", response.status);
    for (name, value) in &response.headers {
        head += &format!("{name}: {value}\r\n");
    }
    head += &format!("content-length: {}\r\n\r\n", response.body.len());
    stream.write_all(head.as_bytes()).ok()?;
    if request.method != "HEAD" {
        stream.write_all(&response.body).ok()?;
    }
    Some(())
}

fn read_request(stream: &mut TcpStream) -> Option<Request> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 1 << 16];
    loop {
        let mut headers = [httparse::EMPTY_HEADER; 32];
        let mut parsed = httparse::Request::new(&mut headers);
        if let Ok(httparse::Status::Complete(head)) = parsed.parse(&bytes) {
            let target = parsed.path?;
            let (path, query) = target.split_once('?').unwrap_or((target, ""));
            let named = |header: &httparse::Header<'_>| {
                let value = String::from_utf8_lossy(header.value).into_owned();
                (header.name.to_ascii_lowercase(), value)
            };
            let mut request = Request {
                method: parsed.method?.to_owned(),
                path: path.to_owned(),
                query: query.to_owned(),
                headers: parsed.headers.iter().map(named).collect(),
                body: Vec::new(),
            };
            let length = request.headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
            request.body = bytes.split_off(head);
            while request.body.len() < length {
                let read = stream.read(&mut buffer).ok().filter(|read| *read > 0)?;
                request.body.extend_from_slice(&buffer[..read]);
            }
            return Some(request);
        }
        let read = stream.read(&mut buffer).ok().filter(|read| *read > 0)?;
        bytes.extend_from_slice(&buffer[..read]);
    }
}

impl State {
    fn answer(&mut self, request: &Request) -> Response {
        let authorization = request.headers.get("authorization").cloned();
        self.requests.push((format!("{} {}", request.method, request.path), authorization.clone()));
        if request.path == "/token" {
            return self.token(request);
        }
        if let Some((wanted, challenge)) = &self.behaviour.wants
            && authorization.as_ref() != Some(wanted)
        {
            let headers = vec![("www-authenticate", challenge.clone())];
            return Response { status: 401, headers, body: Vec::new() };
        }
        let Some(rest) = request.path.strip_prefix("/v2/acme/json/") else { return status(404) };
        let (kind, name) = rest.split_once('/').unwrap_or((rest, ""));
        match (request.method.as_str(), kind) {
            ("HEAD" | "GET", "blobs") => self.blob(name),
            ("POST", "blobs") => Response {
                status: 202,
                headers: vec![("location", "/v2/acme/json/uploads/1?x=1".to_owned())],
                body: Vec::new(),
            },
            ("PUT", "uploads") => {
                let digest = request.query.rsplit("digest=").next().unwrap_or_default().replace("%3A", ":");
                self.blobs.insert(digest, request.body.clone());
                status(201)
            }
            ("PUT", "manifests") => self.put_manifest(name, request),
            ("GET", "manifests") => self.manifest(name),
            ("GET", "referrers") if self.behaviour.has_referrers => self.referrers(name),
            ("GET", "tags") => self.tags(request),
            _ => status(404),
        }
    }

    /// The tags, or a page of them.
    fn tags(&self, request: &Request) -> Response {
        let last = request.query.split('&').find_map(|field| field.strip_prefix("last="));
        let is_listed = |tag: &&String| !tag.starts_with("sha256:") && last.is_none_or(|last| tag.as_str() > last);
        let mut tags: Vec<&String> = self.manifests.keys().filter(is_listed).collect();
        let size = self.behaviour.tags_a_page;
        let mut link = None;
        if size > 0 && tags.len() > size {
            tags.truncate(size);
            link = Some(format!("</v2/acme/json/tags/list?last={}&n={size}>; rel=\"next\"", tags[size - 1]));
        }
        let mut response = json("application/json", &serde_json::json!({"name": "acme/json", "tags": tags}));
        response.headers.extend(link.map(|link| ("link", link)));
        response
    }

    /// Gives a token for the password that the header says.
    fn token(&self, request: &Request) -> Response {
        if request.headers.get("authorization").map(String::as_str) != Some("Basic dXNlcjpwYXNzd29yZA==") {
            return status(401);
        }
        json("application/json", &serde_json::json!({"token": "TOKEN"}))
    }

    fn blob(&self, digest: &str) -> Response {
        let Some(bytes) = self.blobs.get(digest) else { return status(404) };
        if let Some(other) = &self.behaviour.sends_blobs_to {
            return Response {
                status: 307,
                headers: vec![("location", format!("{other}/{digest}"))],
                body: Vec::new(),
            };
        }
        let mut body = bytes.clone();
        if self.behaviour.lies_about_blobs {
            body[0] ^= 1;
        }
        if self.behaviour.adds_bytes {
            body.push(0);
        }
        Response { status: 200, headers: Vec::new(), body }
    }

    fn put_manifest(&mut self, name: &str, request: &Request) -> Response {
        let kind = request.headers.get("content-type").cloned().unwrap_or_default();
        let digest = module_store::Digest::of_bytes(&request.body).to_string();
        for name in [name.to_owned(), digest] {
            self.manifests.insert(name, (kind.clone(), request.body.clone()));
        }
        let has_subject =
            serde_json::from_slice::<serde_json::Value>(&request.body).is_ok_and(|body| body["subject"].is_object());
        let listed = (self.behaviour.has_referrers && has_subject).then(|| ("oci-subject", "yes".to_owned()));
        Response { status: 201, headers: listed.into_iter().collect(), body: Vec::new() }
    }

    fn manifest(&self, name: &str) -> Response {
        if self.behaviour.floods {
            return Response { status: 200, headers: Vec::new(), body: vec![b' '; (4 << 20) + 1] };
        }
        let Some((kind, bytes)) = self.manifests.get(name) else { return status(404) };
        let mut body = bytes.clone();
        if self.behaviour.lies_about_manifests {
            body.push(b' ');
        }
        Response { status: 200, headers: vec![("content-type", kind.clone())], body }
    }

    fn referrers(&self, subject: &str) -> Response {
        let attached = self.manifests.iter().filter(|(name, _)| name.starts_with("sha256:"));
        let attached = attached.filter_map(|(name, (kind, bytes))| {
            let manifest: serde_json::Value = serde_json::from_slice(bytes).ok()?;
            let descriptor = serde_json::json!({
                "mediaType": kind, "digest": name, "size": bytes.len(), "artifactType": manifest["artifactType"],
            });
            (manifest["subject"]["digest"] == subject).then_some(descriptor)
        });
        let kind = module_store::media_type::INDEX;
        let index =
            serde_json::json!({"schemaVersion": 2, "mediaType": kind, "manifests": attached.collect::<Vec<_>>()});
        json(kind, &index)
    }
}

fn status(status: u16) -> Response {
    Response { status, headers: Vec::new(), body: Vec::new() }
}

fn json(kind: &str, value: &serde_json::Value) -> Response {
    Response { status: 200, headers: vec![("content-type", kind.to_owned())], body: value.to_string().into_bytes() }
}
