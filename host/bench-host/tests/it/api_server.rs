//! What answers like the API server of a cluster, on this machine: it keeps objects of any kind, lists, watches and deletes them, and refuses what
//! it is told to. Nothing acts upon the objects but the test.

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

/// A running server. It is stopped on drop.
pub(crate) struct ApiServer {
    address: SocketAddr,
    shared: Arc<Shared>,
    listener: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// Grows with each change.
    version: u64,
    /// By the path of their collection.
    objects: BTreeMap<String, Vec<Value>>,
    /// What watches tell: the version and the collection of each change, and the change.
    changes: Vec<(u64, String, Value)>,
    /// The methods and the collections that are refused.
    refused: Vec<(&'static str, &'static str)>,
    /// The method and the path of each request.
    requests: Vec<String>,
    is_over: bool,
}

struct Request {
    method: String,
    path: String,
    /// What follows the question mark.
    query: String,
    body: Value,
}

/// An answer.
enum Answer {
    Now(u16, Value),
    /// The changes of this collection, of objects with this label, after this version.
    Watch(String, Option<(String, String)>, u64),
}

impl ApiServer {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared::default());
        let served = Arc::clone(&shared);
        let listen = move || {
            for stream in listener.incoming().map(Result::unwrap) {
                if served.state().is_over {
                    return;
                }
                let served = Arc::clone(&served);
                // It ends with its connection.
                thread::spawn(move || serve(&stream, &served));
            }
        };
        Self { address, shared, listener: Some(thread::spawn(listen)) }
    }

    /// Writes a kubeconfig that names this server into `folder`.
    pub(crate) fn kubeconfig(&self, folder: &Path) -> PathBuf {
        let path = folder.join("kubeconfig");
        let text = format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: here\n\
             contexts: [{{name: here, context: {{cluster: test, user: me}}}}]\n\
             clusters: [{{name: test, cluster: {{server: 'http://{}'}}}}]\n\
             users: [{{name: me, user: {{}}}}]\n",
            self.address
        );
        fs::write(&path, text).unwrap();
        path
    }

    /// Refuses requests with this method about objects of this collection from now on.
    pub(crate) fn refuse(&self, method: &'static str, collection: &'static str) {
        self.shared.state().refused.push((method, collection));
    }

    /// Refuses nothing any more.
    pub(crate) fn allow(&self) {
        self.shared.state().refused.clear();
    }

    /// The objects of a collection.
    pub(crate) fn objects(&self, collection: &str) -> Vec<Value> {
        self.shared.state().objects.get(collection).cloned().unwrap_or_default()
    }

    /// Puts an object into a collection, in place of the one of its name.
    pub(crate) fn put(&self, collection: &str, object: Value) {
        let mut state = self.shared.state();
        let name = object["metadata"]["name"].clone();
        let known = state.objects.entry(collection.to_owned()).or_default();
        let place = known.iter().position(|known| known["metadata"]["name"] == name);
        if let Some(place) = place {
            known.remove(place);
        }
        state.add(collection, object, if place.is_some() { "MODIFIED" } else { "ADDED" });
        drop(state);
        self.shared.changed.notify_all();
    }

    /// The method and the path of each request so far.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.shared.state().requests.clone()
    }
}

impl Drop for ApiServer {
    fn drop(&mut self) {
        self.shared.state().is_over = true;
        self.shared.changed.notify_all();
        drop(TcpStream::connect(self.address));
        if let Some(listener) = self.listener.take() {
            let _ = listener.join();
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Answers the requests of one connection until that is closed.
fn serve(stream: &TcpStream, shared: &Shared) {
    let mut reader = BufReader::new(stream);
    while let Some(request) = read(&mut reader) {
        let answer = shared.state().answer(&request);
        shared.changed.notify_all();
        let is_written = match answer {
            Answer::Now(status, body) => write(stream, status, &body.to_string()),
            Answer::Watch(collection, label, from) => watch(stream, shared, &collection, label.as_ref(), from),
        };
        if is_written.is_none() {
            return;
        }
    }
}

fn read(reader: &mut BufReader<&TcpStream>) -> Option<Request> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let mut words = head.split_whitespace();
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        if name.eq_ignore_ascii_case("content-length") { value.trim().parse::<usize>().ok() } else { None }
    });
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body).ok()?;
    let (path, query) = target.split_once('?').unwrap_or((target.as_str(), ""));
    let (path, query) = (path.to_owned(), query.to_owned());
    Some(Request { method, path, query, body: serde_json::from_slice(&body).unwrap_or_default() })
}

fn write(mut stream: &TcpStream, status: u16, body: &str) -> Option<()> {
    let kind = "content-type: application/json";
    let text = format!("HTTP/1.1 {status} X\r\n{kind}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    stream.write_all(text.as_bytes()).ok()
}

/// Tells the changes of a collection until the client or this server is gone.
fn watch(
    mut stream: &TcpStream,
    shared: &Shared,
    collection: &str,
    label: Option<&(String, String)>,
    mut from: u64,
) -> Option<()> {
    let head = "HTTP/1.1 200 X\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";
    stream.write_all(head.as_bytes()).ok()?;
    let mut state = shared.state();
    while !state.is_over {
        let is_told = |(version, of, change): &&(u64, String, Value)| {
            *version > from && of == collection && has_label(&change["object"], label)
        };
        let told: Vec<_> = state.changes.iter().filter(is_told).map(|(_, _, change)| change.to_string()).collect();
        from = state.version;
        drop(state);
        for line in told {
            stream.write_all(format!("{:x}\r\n{line}\n\r\n", line.len() + 1).as_bytes()).ok()?;
        }
        state = shared.state();
        if state.version == from && !state.is_over {
            state = shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
    None
}

/// Whether an object has a label; any object has none.
fn has_label(object: &Value, label: Option<&(String, String)>) -> bool {
    label.is_none_or(|(name, value)| object["metadata"]["labels"][name.as_str()] == value.as_str())
}

impl State {
    fn answer(&mut self, request: &Request) -> Answer {
        let Request { method, path, query, body } = request;
        self.requests.push(format!("{method} {path}"));
        let Some((root, rest)) = path.split_once("/namespaces/") else { return refusal(404, "there is no such path") };
        let parts: Vec<&str> = rest.split('/').collect();
        let (collection, name) = match parts.as_slice() {
            [namespace, plural] => (format!("{root}/namespaces/{namespace}/{plural}"), None),
            [namespace, plural, name] => (format!("{root}/namespaces/{namespace}/{plural}"), Some(*name)),
            _ => return refusal(404, "there is no such path"),
        };
        if self.refused.iter().any(|(refused, of)| refused == method && *of == collection) {
            return refusal(403, &format!("{} is forbidden: User \"me\" may not {method} it", parts[1]));
        }
        let fields: BTreeMap<&str, &str> = query.split('&').filter_map(|field| field.split_once('=')).collect();
        let label = fields.get("labelSelector").map(|label| label.replace("%2F", "/").replace("%3D", "="));
        let label = label.and_then(|label| label.split_once('=').map(|(a, b)| (a.to_owned(), b.to_owned())));
        match (method.as_str(), name) {
            ("GET", None) if fields.contains_key("watch") => {
                Answer::Watch(collection, label, fields["resourceVersion"].parse().unwrap())
            }
            ("GET", None) => {
                let all = self.objects.get(&collection).into_iter().flatten();
                let items: Vec<_> = all.filter(|object| has_label(object, label.as_ref())).collect();
                let metadata = json!({ "resourceVersion": self.version.to_string() });
                Answer::Now(200, json!({ "kind": "List", "metadata": metadata, "items": items }))
            }
            ("GET", Some(name)) => self.found(&collection, name).map_or_else(missing, |found| Answer::Now(200, found)),
            ("POST", None) => self.create(&collection, body),
            ("DELETE", Some(name)) => self.delete(&collection, name, body),
            _ => refusal(405, "this server does not do that"),
        }
    }

    fn found(&self, collection: &str, name: &str) -> Option<Value> {
        self.objects.get(collection)?.iter().find(|object| object["metadata"]["name"] == name).cloned()
    }

    fn create(&mut self, collection: &str, body: &Value) -> Answer {
        if self.found(collection, body["metadata"]["name"].as_str().unwrap()).is_some() {
            return refusal(409, "it already exists");
        }
        Answer::Now(201, self.add(collection, body.clone(), "ADDED"))
    }

    fn delete(&mut self, collection: &str, name: &str, body: &Value) -> Answer {
        let Some(found) = self.found(collection, name) else { return missing() };
        let wanted = &body["preconditions"]["uid"];
        if wanted.is_string() && *wanted != found["metadata"]["uid"] {
            return refusal(409, "the UID in the precondition does not match");
        }
        let known = self.objects.entry(collection.to_owned()).or_default();
        known.retain(|object| object["metadata"]["name"] != name);
        self.version += 1;
        self.changes.push((self.version, collection.to_owned(), json!({ "type": "DELETED", "object": found })));
        Answer::Now(200, json!({ "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success" }))
    }

    /// Adds an object, and returns it as it is then.
    fn add(&mut self, collection: &str, mut object: Value, change: &str) -> Value {
        self.version += 1;
        let metadata = &mut object["metadata"];
        metadata["resourceVersion"] = json!(self.version.to_string());
        if metadata["uid"].is_null() {
            metadata["uid"] = json!(format!("u{}", self.version));
            metadata["creationTimestamp"] = json!(format!("2026-01-01T00:{:02}:00Z", self.version % 60));
        }
        self.objects.entry(collection.to_owned()).or_default().push(object.clone());
        self.changes.push((self.version, collection.to_owned(), json!({ "type": change, "object": object })));
        object
    }
}

fn missing() -> Answer {
    refusal(404, "it is not found")
}

fn refusal(code: u16, message: &str) -> Answer {
    let mut status = json!({ "kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code });
    status["message"] = json!(message);
    Answer::Now(code, status)
}
