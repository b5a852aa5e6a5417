//! The parent's side of a worker: starts it, sends one request, waits for the reply, the deadline or an interrupt, and kills all
//! processes that are left.

use super::{Captured, layout};
use crate::Interrupt;
use bench_sink::runfile::Layout;
use rustix::process::{Pid, Signal, kill_process_group};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

/// How workers are started.
#[derive(Clone, Debug)]
pub struct Workers {
    /// The program, which must call [`super::serve`].
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
}

/// How a call of a worker ended, and what the worker printed.
#[derive(Debug)]
pub struct WorkerEnd<Reply> {
    /// The reply, or the reason why there is none.
    pub result: Result<Reply, WorkerError>,
    /// Standard output.
    pub stdout: Captured,
    /// Standard error.
    pub stderr: Captured,
}

/// The reason why there is no reply.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    /// The deadline passed; the worker was killed.
    #[error("no reply within {} s, so the worker was killed; allow more time with --deadline", .0.as_secs_f64())]
    Deadline(Duration),
    /// Interrupted; the worker was killed.
    #[error("interrupted")]
    Interrupted,
    /// The worker exited or crashed before it replied.
    #[error("the worker {how}{}", last_line.as_ref().map_or_else(String::new, |line| format!(": {line}")))]
    Died {
        /// `was killed by SIGSEGV (segmentation fault)`, `exited with status 3`.
        how: String,
        /// The last telling line that it printed to standard error.
        last_line: Option<String>,
    },
    /// The reply cannot be parsed.
    #[error("the worker's reply cannot be parsed: it is of another version of this program")]
    Reply(#[source] serde_json::Error),
    /// It could not be started, or the channel broke.
    #[error("cannot start a worker or communicate with it")]
    Io(#[from] io::Error),
}

/// The events that the parent waits for.
enum Event {
    /// The end of the channel, and what was received before it.
    Reply(Vec<u8>),
    Interrupted,
}

/// The time that a worker has to exit after its reply.
const GRACE: Duration = Duration::from_secs(2);

impl Workers {
    /// Starts a worker, sends it `request`, and waits for the reply within `deadline`. The worker dies with the calling
    /// thread.
    pub fn call<Request: Serialize, Reply: DeserializeOwned>(
        &self,
        request: &Request,
        deadline: Duration,
        interrupt: &Interrupt,
    ) -> WorkerEnd<Reply> {
        self.call_in(None, request, deadline, interrupt)
    }

    /// Like [`call`](Self::call), in a worker with this memory layout.
    pub fn call_in<Request: Serialize, Reply: DeserializeOwned>(
        &self,
        layout: Option<&Layout>,
        request: &Request,
        deadline: Duration,
        interrupt: &Interrupt,
    ) -> WorkerEnd<Reply> {
        match self.start(layout) {
            Ok((child, channel)) => answer(child, channel, request, deadline, interrupt),
            Err(error) => {
                WorkerEnd { result: Err(error.into()), stdout: Captured::default(), stderr: Captured::default() }
            }
        }
    }

    /// Starts a worker in a process group of its own, so that Ctrl-C reaches only the parent, and a kill reaches all processes
    /// that the worker started.
    fn start(&self, layout: Option<&Layout>) -> io::Result<(Child, UnixStream)> {
        let (ours, theirs) = UnixStream::pair()?;
        let child = Command::new(&self.program)
            .args(&self.arguments)
            .envs(layout.map(|layout| (layout::VARIABLE, layout::variable(layout))))
            .stdin(OwnedFd::from(theirs))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()?;
        Ok((child, ours))
    }
}

fn answer<Request: Serialize, Reply: DeserializeOwned>(
    mut child: Child,
    channel: UnixStream,
    request: &Request,
    deadline: Duration,
    interrupt: &Interrupt,
) -> WorkerEnd<Reply> {
    let stdout = child.stdout.take().map(Captured::collect);
    let stderr = child.stderr.take().map(Captured::collect);
    let result = exchange(&child, channel, request, deadline, interrupt);
    // Kill the processes that the worker started, so that they do not disturb the next repetition.
    let group = Pid::from_child(&child);
    let _ = kill_process_group(group, Signal::KILL);
    let status = child.wait();
    let join =
        |thread: Option<std::thread::JoinHandle<Captured>>| thread.and_then(|t| t.join().ok()).unwrap_or_default();
    let (stdout, stderr) = (join(stdout), join(stderr));
    let result = match result {
        Ok(bytes) if bytes.is_empty() => {
            Err(WorkerError::Died { how: describe(status), last_line: stderr.telling_line() })
        }
        Ok(bytes) => serde_json::from_slice(&bytes).map_err(WorkerError::Reply),
        Err(error) => Err(error),
    };
    WorkerEnd { result, stdout, stderr }
}

/// Sends the request and waits for the reply, the deadline or the interrupt. An empty reply means that the worker ended without
/// one.
fn exchange<Request: Serialize>(
    child: &Child,
    channel: UnixStream,
    request: &Request,
    deadline: Duration,
    interrupt: &Interrupt,
) -> Result<Vec<u8>, WorkerError> {
    let started = Instant::now();
    let (events, received) = mpsc::channel();
    let reader = channel.try_clone()?;
    let replies = events.clone();
    std::thread::spawn(move || read_reply(reader, &replies));
    let _subscription = interrupt.subscribe(move || {
        // The receiver is gone after the reply.
        let _ = events.send(Event::Interrupted);
    });
    let mut text = serde_json::to_vec(request).map_err(io::Error::from)?;
    text.push(b'\n');
    match (&channel).write_all(&text) {
        Ok(()) => {}
        // The worker died at once; the exit status gives the reason.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
        Err(error) => return Err(error.into()),
    }
    match received.recv_timeout(deadline.saturating_sub(started.elapsed())) {
        Ok(Event::Reply(bytes)) if bytes.ends_with(b"\n") => {
            // After the reply, let its destructors and exit handlers finish.
            wait_for_end(&received);
            Ok(bytes)
        }
        Ok(Event::Reply(_)) | Err(RecvTimeoutError::Disconnected) => {
            // No complete reply: either the worker is exiting, or it closed the channel and is still running.
            wait_for_exit(child);
            Ok(Vec::new())
        }
        Ok(Event::Interrupted) => Err(WorkerError::Interrupted),
        Err(RecvTimeoutError::Timeout) => Err(WorkerError::Deadline(deadline)),
    }
}

/// Sends one event for the line of the reply, and one for the end of the channel.
fn read_reply(mut channel: UnixStream, events: &Sender<Event>) {
    let mut bytes = Vec::new();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match channel.read(&mut buffer) {
            Ok(0) | Err(_) => {
                let _ = events.send(Event::Reply(bytes));
                return;
            }
            Ok(read) => bytes.extend_from_slice(&buffer[..read]),
        }
        if bytes.ends_with(b"\n") {
            let _ = events.send(Event::Reply(std::mem::take(&mut bytes)));
        }
    }
}

fn wait_for_end(received: &mpsc::Receiver<Event>) {
    let _ = received.recv_timeout(GRACE);
}

/// Waits for a process that is expected to exit soon, up to a maximum time.
fn wait_for_exit(child: &Child) {
    #[cfg(target_os = "linux")]
    {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        use rustix::process::{PidfdFlags, pidfd_open};
        if let Ok(pidfd) = pidfd_open(Pid::from_child(child), PidfdFlags::empty()) {
            let timeout = Timespec { tv_sec: GRACE.as_secs().cast_signed(), tv_nsec: 0 };
            let _ = poll(&mut [PollFd::new(&pidfd, PollFlags::IN)], Some(&timeout));
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = child;
}

fn describe(status: io::Result<ExitStatus>) -> String {
    let Ok(status) = status else { return "ended in an unknown way".to_owned() };
    match (status.signal(), status.code()) {
        (Some(signal), _) => match Signal::from_named_raw(signal) {
            Some(named) => format!("was killed by {}", signal_name(named)),
            None => format!("was killed by signal {signal}"),
        },
        (None, Some(0)) => "exited without a reply".to_owned(),
        (None, Some(code)) => format!("exited with status {code}"),
        (None, None) => "ended in an unknown way".to_owned(),
    }
}

fn signal_name(signal: Signal) -> String {
    let known = [
        (Signal::ABORT, "SIGABRT (abort)"),
        (Signal::SEGV, "SIGSEGV (invalid memory access)"),
        (Signal::BUS, "SIGBUS (bus error)"),
        (Signal::ILL, "SIGILL (illegal instruction)"),
        (Signal::FPE, "SIGFPE (arithmetic error)"),
        (Signal::TRAP, "SIGTRAP (trap)"),
        (Signal::KILL, "SIGKILL (killed from outside, or out of memory)"),
        (Signal::TERM, "SIGTERM (terminated from outside)"),
    ];
    let name = known.iter().find(|(known, _)| *known == signal).map(|(_, name)| (*name).to_owned());
    name.unwrap_or_else(|| format!("signal {}", signal.as_raw()))
}
