//! The arm `process` of operators: each operator is a process that calls the control plane through a Unix socket. The program
//! describes its scenarios itself.

use crate::operators::{Event, Factory, Key, Object, Operator, Operators, Plane, PlaneError, Scope, Suspension};
use bench_drivers::{Direct, Module};
use bench_family::Program;
use bench_model::{Descriptor, ModuleError};
use operator_process::{Answer, Call, Done, EventLine, Lines, ObjectLine, Reply, decode_state, encode_state};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;

/// Such a program is in the folder of its component and has the component's name followed by `-process`.
pub(crate) const OPERATORS: Program =
    Program { ending: "-process", is_whole: |_| true, describes_itself: true, of_probe: false, load };

/// Loads the program at `program`, which describes itself.
fn load(program: &Path) -> Result<Box<dyn Module>, String> {
    let refused = |reason: String| format!("{}: {reason}; build it again", program.display());
    let program = std::path::absolute(program).map_err(|error| refused(error.to_string()))?;
    let mut described = command(&program);
    let described = described.arg("--describe").stdin(Stdio::null()).stderr(Stdio::inherit()).output();
    let described = described.map_err(|error| refused(format!("it cannot be started: {error}")))?;
    if !described.status.success() {
        return Err(refused(format!("it does not describe itself: {}", described.status)));
    }
    let descriptor = serde_json::from_slice::<Descriptor>(&described.stdout)
        .map_err(|error| refused(format!("its descriptor cannot be read: {error}")))?;
    let operators: Box<dyn Operators> = Box::new(OperatorProgram { program });
    Ok(Box::new(Direct::new(descriptor, operators)))
}

/// A program whose processes are operators.
struct OperatorProgram {
    program: PathBuf,
}

/// A process gets nothing from the host's environment.
fn command(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear();
    command
}

impl Operators for OperatorProgram {
    fn prepare(&mut self, suspension: Suspension, _: usize) -> Result<Box<dyn Factory>, ModuleError> {
        suspension.without_images("a process")?;
        Ok(Box::new(ProcessFactory { program: self.program.clone() }))
    }
}

/// Starts processes of one program.
struct ProcessFactory {
    program: PathBuf,
}

impl Factory for ProcessFactory {
    fn make(&mut self, plane: Arc<dyn Plane>) -> Result<Box<dyn Operator>, ModuleError> {
        let start = || {
            let (host, process) = UnixStream::pair()?;
            let child = command(&self.program).stdin(OwnedFd::from(process)).stdout(Stdio::null()).spawn()?;
            io::Result::Ok((child, host))
        };
        let program = self.program.display();
        let (child, host) = start().map_err(|error| {
            ModuleError::Unavailable(format!("{program}: cannot be started: {error}; see `ulimit -n` and `ulimit -u`"))
        })?;
        Ok(Box::new(ProcessOperator { child, lines: Lines::new(host), plane }))
    }
}

/// One process. It is killed when this is dropped, and ends with the worker, whose end of the socket is then closed.
struct ProcessOperator {
    child: Child,
    lines: Lines,
    plane: Arc<dyn Plane>,
}

/// The result of a successful call.
struct Left {
    watches: Vec<Scope>,
    state: Option<Vec<u8>>,
}

impl ProcessOperator {
    /// Sends a call to the process, and answers its requests until the call has ended.
    fn call(&mut self, call: &Call<'_>) -> Result<Left, ModuleError> {
        let name = &*call.call;
        if let Err(error) = self.lines.send(call) {
            return Err(self.ended(name, &error.to_string()));
        }
        loop {
            let reply = match self.lines.receive::<Reply<'_>>() {
                Ok(Some(Ok(reply))) => reply,
                Ok(Some(Err(unreadable))) => return Err(breach(name, &unreadable.0)),
                Ok(None) => return Err(self.ended(name, "it closed its socket")),
                Err(error) => return Err(self.ended(name, &error.to_string())),
            };
            let (question, object) = match reply {
                Reply { plane: Some(question), object: Some(object), done: None, error: None } => (question, object),
                Reply { plane: None, object: None, done: Some(done), error: None } => return left(name, done),
                Reply { plane: None, object: None, done: None, error: Some(reason) } => {
                    return Err(ModuleError::Other(reason.into_owned()));
                }
                _ => return Err(breach(name, "its line is neither a request nor a result")),
            };
            let asked = ask(&*self.plane, &question, &object)
                .ok_or_else(|| breach(name, &format!("unknown request `{question}`")))?;
            if let Err(error) = answer(&mut self.lines, asked) {
                return Err(self.ended(name, &error.to_string()));
            }
        }
    }

    fn ended(&mut self, call: &str, why: &str) -> ModuleError {
        // A process that closes its socket is about to exit; otherwise it is killed.
        let _ = self.child.kill();
        let status = self.child.wait().map_or_else(|error| error.to_string(), |status: ExitStatus| status.to_string());
        ModuleError::Crashed(format!("`{call}`: the process has ended ({status}): {why}"))
    }
}

impl Operator for ProcessOperator {
    fn start(&mut self, arguments: &[(String, String)]) -> Result<Vec<Scope>, ModuleError> {
        let call = Call { call: "start".into(), arguments: arguments.to_vec(), ..Call::default() };
        Ok(self.call(&call)?.watches)
    }

    fn reconcile(&mut self, event: &Event) -> Result<(), ModuleError> {
        let event = match event {
            Event::Added(object) => EventLine { kind: "ADDED".into(), object: object_out(object)? },
            Event::Modified(object) => EventLine { kind: "MODIFIED".into(), object: object_out(object)? },
            Event::Deleted(key, version) => {
                let object = ObjectLine { resource_version: Some(*version), ..key_out(key) };
                EventLine { kind: "DELETED".into(), object }
            }
        };
        self.call(&Call { call: "reconcile".into(), event: Some(event), ..Call::default() }).map(drop)
    }

    fn suspend(&mut self) -> Result<Vec<u8>, ModuleError> {
        let left = self.call(&Call { call: "suspend".into(), ..Call::default() })?;
        left.state.ok_or_else(|| breach("suspend", "the result has no state"))
    }

    fn resume(&mut self, state: &[u8]) -> Result<(), ModuleError> {
        self.call(&Call { call: "resume".into(), state: Some(encode_state(state).into()), ..Call::default() }).map(drop)
    }

    fn process(&self) -> Option<u32> {
        Some(self.child.id())
    }
}

impl Drop for ProcessOperator {
    fn drop(&mut self) {
        // It may have exited already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn left(call: &str, done: Done<'_>) -> Result<Left, ModuleError> {
    let watches = done.watches.into_iter().map(|watch| Scope::new(watch.kind, watch.namespace)).collect();
    let state = done.state.map(|state| decode_state(&state)).transpose();
    let state = state.map_err(|unreadable| breach(call, &unreadable.0))?;
    Ok(Left { watches, state })
}

/// The control plane's answer to a request: an object, or that it was removed. `None` if the request is unknown.
fn ask(plane: &dyn Plane, question: &str, object: &ObjectLine<'_>) -> Option<Result<Option<Arc<Object>>, PlaneError>> {
    let key = Key::new(&*object.kind, &*object.namespace, &*object.name);
    let spec = object.spec.map_or("", RawValue::get);
    Some(match question {
        "get" => plane.get(&key).map(Some),
        "apply" => plane.apply(&key, spec).map(Some),
        "create" => plane.create(&key, spec).map(Some),
        "update" => {
            let resource_version = object.resource_version?;
            plane.update(&Object { key, resource_version, spec: spec.to_owned() }).map(Some)
        }
        "delete" => plane.delete(&key).map(|()| None),
        _ => return None,
    })
}

fn answer(lines: &mut Lines, asked: Result<Option<Arc<Object>>, PlaneError>) -> io::Result<()> {
    let refused = |reason: &'static str, message: String| Answer {
        refused: Some(reason.into()),
        message: Some(message.into()),
        ..Answer::default()
    };
    match asked {
        Ok(Some(object)) => {
            let object = object_out(&object).map_err(io::Error::other)?;
            lines.send(&Answer { object: Some(object), ..Answer::default() })
        }
        Ok(None) => lines.send(&Answer { removed: Some(true), ..Answer::default() }),
        Err(PlaneError::NotFound) => lines.send(&Answer { refused: Some("notFound".into()), ..Answer::default() }),
        Err(PlaneError::Conflict(version)) => {
            lines.send(&Answer { refused: Some("conflict".into()), version: Some(version), ..Answer::default() })
        }
        Err(error @ PlaneError::Invalid(_)) => lines.send(&refused("invalid", error.to_string())),
        Err(error) => lines.send(&refused("unavailable", error.to_string())),
    }
}

fn object_out(object: &Object) -> Result<ObjectLine<'_>, ModuleError> {
    let spec = serde_json::from_str(&object.spec);
    let spec: &RawValue = spec.map_err(|error| ModuleError::Other(format!("{}: {error}", object.key)))?;
    Ok(ObjectLine { resource_version: Some(object.resource_version), spec: Some(spec), ..key_out(&object.key) })
}

fn key_out(key: &Key) -> ObjectLine<'_> {
    let [kind, namespace, name] = [&key.kind, &key.namespace, &key.name].map(|text| Cow::Borrowed(text.as_str()));
    ObjectLine { kind, namespace, name, ..ObjectLine::default() }
}

fn breach(function: &str, reason: &str) -> ModuleError {
    ModuleError::Crashed(format!("`{function}` broke the contract: {reason}"))
}
