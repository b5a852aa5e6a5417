//! How long an agent takes to join a run: to start and to connect, to check the signed spec against the policy of its machine, and to load and
//! plan the modules. The head of its run file is awaited, after which it measures the rooflines.

use super::super::folder::Folder;
use super::super::sessions::closure;
use super::{QueueAt, append, other};
use crate::commands::fleet::spec_of;
use bench_drivers::Recording;
use bench_fleet::{FromAgent, ModuleDigest, Part, Spec, ToAgent};
use bench_model::{Arguments, ModuleError};
use bench_sink::Sink;
use module_store::SecretKey;
use std::fmt::Display;
use std::fs::OpenOptions;
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

/// What the agent is to measure, for which its policy must trust the files of a module.
const RUN: [&str; 4] = ["kernels/crc32c", "--arm", "wasm", "--quick"];

/// Starts an agent, and waits until it has joined.
pub(in crate::builtin) fn join(mut sink: Sink, arguments: &Arguments) -> Result<Box<dyn Recording>, ModuleError> {
    let series = sink.open("joined", &[]).map_err(other)?;
    let mut joining = Joining::new(QueueAt::of(arguments)?)?;
    Ok(closure(sink, move |sink| {
        let begun = Instant::now();
        let _agent = joining.start()?;
        append(sink, series, begun, 1)
    }))
}

/// What agents are started with.
struct Joining {
    program: PathBuf,
    spec: Spec,
    queue: QueueAt,
    /// The policy, and a folder for the run file of each agent.
    folder: Folder,
    /// How many were started.
    agents: u32,
}

/// The process of an agent. It has ended when this is dropped.
struct Agent {
    child: Child,
    /// Whether it waits for other runs when its connection has ended.
    waits: bool,
}

impl Drop for Agent {
    fn drop(&mut self) {
        if self.waits {
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }
}

impl Joining {
    fn new(queue: QueueAt) -> Result<Self, ModuleError> {
        let unavailable = |error: &dyn Display, next: &str| ModuleError::Unavailable(format!("{error:#}{next}"));
        let program = std::env::current_exe().map_err(|error| unavailable(&error, ""))?;
        let spec = spec_of(&RUN, "join");
        let mut spec = spec.map_err(|error| unavailable(&error, "; run `cargo xtask plugins`"))?;
        let key = SecretKey::generate().map_err(other)?;
        let mut policy = format!("[submitters.\"{}\"]\nname = \"self\"\nnatives = true\n", key.public());
        for ModuleDigest { sha256, .. } in &spec.modules {
            policy.push_str(&format!("[modules.\"sha256:{sha256}\"]\nnatives = true\n"));
        }
        spec.signature = Some(key.sign(&spec.statement(), "self/fleet-join").to_string());
        let folder = Folder::new()?;
        let file = folder.0.join(POLICY);
        write_own(&file, &policy).map_err(|error| unavailable(&error, ""))?;
        Ok(Self { program, spec, queue, folder, agents: 0 })
    }

    /// Starts an agent, and waits until it has joined. The end of its connection then asks it to end.
    fn start(&mut self) -> Result<Agent, ModuleError> {
        self.agents += 1;
        let mut command = Command::new(&self.program);
        command.args(["agent", "--name", "a", "--policy"]).arg(self.folder.0.join(POLICY));
        command.arg("--out").arg(self.folder.0.join(self.agents.to_string())).stderr(Stdio::null());
        match &mut self.queue {
            QueueAt::Process => {
                command.arg("--stdio").stdin(Stdio::piped()).stdout(Stdio::piped());
                let mut agent = Agent { child: command.spawn().map_err(other)?, waits: false };
                let (Some(mut orders), Some(messages)) = (agent.child.stdin.take(), agent.child.stdout.take()) else {
                    return Err(other("the agent has no pipes"));
                };
                await_head(&mut orders, &mut BufReader::new(messages), &self.spec)?;
                Ok(agent)
            }
            #[cfg(feature = "nats")]
            QueueAt::Server(server) => {
                let (came, visitors) = std::sync::mpsc::channel();
                let guests = bench_fleet::Guests::Any(1);
                let run = server.next_run();
                let door = move |visitor| _ = came.send(visitor);
                let opened = bench_fleet::Reception::open(&server.connection, &run, guests, door);
                let _reception = opened.map_err(other)?;
                command.args(["--on", &server.address.to_string()]).stdin(Stdio::null()).stdout(Stdio::null());
                let agent = Agent { child: command.spawn().map_err(other)?, waits: true };
                let visitor = visitors.recv_timeout(bench_fleet::JOIN);
                let mut visitor = visitor.map_err(|_| other("the agent did not come to the server"))?;
                await_head(&mut visitor.orders, &mut BufReader::new(visitor.messages), &self.spec)?;
                Ok(agent)
            }
        }
    }
}

/// The name of the file with the policy.
const POLICY: &str = "policy.toml";

/// Writes a file that only this user can change.
fn write_own(file: &Path, text: &str) -> io::Result<()> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(file)?.write_all(text.as_bytes())
}

/// Gives the agent the spec, and waits for the head of its run file.
fn await_head(orders: &mut dyn Write, messages: &mut dyn BufRead, spec: &Spec) -> Result<(), ModuleError> {
    match next(messages)? {
        FromAgent::Hello(_) => {}
        found => return Err(unexpected(&found)),
    }
    let mut line = serde_json::to_vec(&ToAgent::Spec(Box::new(spec.clone()))).map_err(other)?;
    line.push(b'\n');
    orders.write_all(&line).and_then(|()| orders.flush()).map_err(other)?;
    match next(messages)? {
        FromAgent::Block { part: Part::Note(0), .. } => Ok(()),
        found => Err(unexpected(&found)),
    }
}

fn next(messages: &mut dyn BufRead) -> Result<FromAgent, ModuleError> {
    let mut line = String::new();
    messages.read_line(&mut line).map_err(other)?;
    serde_json::from_str(&line).map_err(|_| other(format!("the agent said `{}`", line.trim_end())))
}

fn unexpected(found: &FromAgent) -> ModuleError {
    match found {
        FromAgent::Failed { reason } => other(reason),
        found => other(format!("the agent said {found:?}")),
    }
}
