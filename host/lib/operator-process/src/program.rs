//! The operator's side: serves the host's calls, and asks the control plane through the same socket.

use crate::{Answer, Call, Done, Lines, ObjectLine, Reply, Unreadable, WatchLine, decode_state, encode_state};
use bench_model::Descriptor;
use operator_core::{Event, Key, Object, Operator, Plane, PlaneError, Stored};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::process::ExitCode;

/// The `main` of a program that is one operator: prints its descriptor with `--describe`, and serves its host otherwise.
pub fn main(describe: impl FnOnce() -> Descriptor, mut operator: impl Operator) -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let result = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => socket().and_then(|socket| serve(&mut operator, socket)),
        ["--describe"] => print(&describe()),
        _ => {
            Err(io::Error::other("unknown argument: bench-host starts this program; --describe prints its descriptor"))
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // If this fails too, the error cannot be reported.
            let _ = writeln!(io::stderr(), "operator: {error}");
            ExitCode::FAILURE
        }
    }
}

fn print(descriptor: &Descriptor) -> io::Result<()> {
    let mut text = serde_json::to_string(descriptor)?;
    text.push('\n');
    io::stdout().write_all(text.as_bytes())
}

/// Standard input, which is a socket when the host starts the program.
fn socket() -> io::Result<UnixStream> {
    let socket = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    let is_socket = socket.local_addr();
    is_socket.map_err(|_| {
        io::Error::other(
            "standard input is not a socket: bench-host starts this program; --describe prints its descriptor",
        )
    })?;
    Ok(socket)
}

/// Serves the calls that come through `socket` until it is closed.
pub fn serve(operator: &mut dyn Operator, socket: UnixStream) -> io::Result<()> {
    let mut plane = Remote(Lines::new(socket.try_clone()?));
    // A call lends its texts to the operator while the operator asks the control plane, so calls and questions have separate
    // lines. They never overlap: no answer is pending when a call is read, and no call while an answer is.
    let mut calls = Lines::new(socket);
    loop {
        let Some(call) = calls.receive::<Call<'_>>()? else { return Ok(()) };
        let call = call.map_err(|Unreadable(reason)| io::Error::new(io::ErrorKind::InvalidData, reason))?;
        match perform(operator, &mut plane, &call) {
            Ok(done) => plane.0.send(&Reply { done: Some(done), ..Reply::default() })?,
            Err(reason) => plane.0.send(&Reply { error: Some(reason.into()), ..Reply::default() })?,
        }
    }
}

fn perform(operator: &mut dyn Operator, plane: &mut Remote, call: &Call<'_>) -> Result<Done<'static>, String> {
    match (&*call.call, &call.event, &call.state) {
        ("start", None, None) => {
            let watches = operator.start(plane, &call.arguments)?.into_iter();
            let watches = watches.map(|watch| WatchLine { kind: watch.kind, namespace: watch.namespace }).collect();
            Ok(Done { watches, ..Done::default() })
        }
        ("reconcile", Some(event), None) => {
            let key = key_in(&event.object);
            let resource_version = event.object.resource_version.unwrap_or_default();
            let object = || {
                let spec = event.object.spec.ok_or("the object of the event has no spec")?;
                Ok::<_, String>(Object { key, resource_version, spec: spec.get() })
            };
            let event = match &*event.kind {
                "ADDED" => Event::Added(object()?),
                "MODIFIED" => Event::Modified(object()?),
                "DELETED" => Event::Deleted(key, resource_version),
                other => return Err(format!("unknown event `{other}`")),
            };
            operator.reconcile(plane, event)?;
            Ok(Done::default())
        }
        ("suspend", None, None) => {
            Ok(Done { state: Some(encode_state(&operator.suspend()).into()), ..Done::default() })
        }
        ("resume", None, Some(state)) => {
            let state = decode_state(state).map_err(|error| error.to_string())?;
            operator.resume(&state)?;
            Ok(Done::default())
        }
        (other, ..) => Err(format!("unknown call `{other}`, or its fields are missing")),
    }
}

/// The control plane behind the socket.
struct Remote(Lines);

impl Remote {
    /// Asks `question` about `object` and waits for the answer.
    fn ask(&mut self, question: &'static str, object: ObjectLine<'_>) -> Result<Answer<'_>, PlaneError> {
        let lost = |reason: String| PlaneError::Unavailable(format!("the host does not answer: {reason}"));
        let question = Reply { plane: Some(question.into()), object: Some(object), ..Reply::default() };
        self.0.send(&question).map_err(|error| lost(error.to_string()))?;
        let answer = self.0.receive::<Answer<'_>>().map_err(|error| lost(error.to_string()))?;
        let answer = answer.ok_or_else(|| lost("its end of the socket is closed".to_owned()))?;
        let answer = answer.map_err(|error| lost(error.to_string()))?;
        match answer.refused.as_deref() {
            None => Ok(answer),
            Some(reason) => {
                let message = || answer.message.as_deref().unwrap_or(reason).to_owned();
                Err(match reason {
                    "notFound" => PlaneError::NotFound,
                    "conflict" => PlaneError::Conflict(answer.version.unwrap_or_default()),
                    "invalid" => PlaneError::Invalid(message()),
                    _ => PlaneError::Unavailable(message()),
                })
            }
        }
    }

    /// Asks a question whose answer is an object.
    fn stored(&mut self, question: &'static str, object: ObjectLine<'_>) -> Result<Stored, PlaneError> {
        let object = self.ask(question, object)?.object;
        let stored = object.and_then(|object| Some((object.resource_version?, object.spec?.get().to_owned())));
        let (resource_version, spec) =
            stored.ok_or_else(|| PlaneError::Unavailable("the host's answer has no object".to_owned()))?;
        Ok(Stored { resource_version, spec })
    }

    fn written(
        &mut self,
        question: &'static str,
        key: Key<'_>,
        spec: &str,
        version: Option<u64>,
    ) -> Result<u64, PlaneError> {
        let spec: &RawValue = serde_json::from_str(spec)
            .map_err(|error| PlaneError::Invalid(format!("the spec is not JSON: {error}")))?;
        let object = ObjectLine { resource_version: version, spec: Some(spec), ..key_out(key) };
        self.stored(question, object).map(|stored| stored.resource_version)
    }
}

impl Plane for Remote {
    fn get(&mut self, key: Key<'_>) -> Result<Stored, PlaneError> {
        self.stored("get", key_out(key))
    }

    fn apply(&mut self, key: Key<'_>, spec: &str) -> Result<u64, PlaneError> {
        self.written("apply", key, spec, None)
    }

    fn create(&mut self, key: Key<'_>, spec: &str) -> Result<u64, PlaneError> {
        self.written("create", key, spec, None)
    }

    fn update(&mut self, object: Object<'_>) -> Result<u64, PlaneError> {
        self.written("update", object.key, object.spec, Some(object.resource_version))
    }

    fn delete(&mut self, key: Key<'_>) -> Result<(), PlaneError> {
        self.ask("delete", key_out(key)).map(drop)
    }
}

fn key_in<'a>(object: &'a ObjectLine<'_>) -> Key<'a> {
    Key { kind: &object.kind, namespace: &object.namespace, name: &object.name }
}

fn key_out(key: Key<'_>) -> ObjectLine<'_> {
    let [kind, namespace, name] = [key.kind, key.namespace, key.name].map(Cow::Borrowed);
    ObjectLine { kind, namespace, name, ..ObjectLine::default() }
}

#[cfg(test)]
mod tests;
