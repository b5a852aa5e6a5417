//! The parent's side of a worker: start it, send one request, wait for one reply, a deadline or a wish to stop, whichever
//! comes first, and leave nothing running.

use super::Captured;
use crate::Interrupt;
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
    /// The program, which calls [`super::serve`].
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
}

/// How work in a worker ended, and what the worker printed meanwhile.
#[derive(Debug)]
pub struct WorkerEnd<Reply> {
    /// The reply, or why there is none.
    pub result: Result<Reply, WorkerError>,
    /// Standard output.
    pub stdout: Captured,
    /// Standard error.
    pub stderr: Captured,
}

/// Why there is no reply.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    /// The deadline passed; the worker was killed.
    #[error("no answer within {} s; the worker was killed (--deadline allows more)", .0.as_secs_f64())]
    Deadline(Duration),
    /// Somebody wants to stop; the worker was killed.
    #[error("interrupted")]
    Interrupted,
    /// The worker ended by itself before it replied.
    #[error("the worker {how}{}", last_line.as_ref().map_or_else(String::new, |line| format!(": {line}")))]
    Died {
        /// `was killed by SIGSEGV (segmentation fault)`, `exited with status 3`.
        how: String,
        /// The last thing it printed to standard error that says something.
        last_line: Option<String>,
    },
    /// It replied something else.
    #[error("the worker's reply is not one this version knows")]
    Reply(#[source] serde_json::Error),
    /// It could not be started, or the channel broke.
    #[error("cannot start or reach a worker")]
    Io(#[from] io::Error),
}

/// What the parent waits for.
enum Event {
    /// The channel has reached its end; what came before it.
    Reply(Vec<u8>),
    Interrupted,
}

/// A worker that has replied is given this long to end by itself.
const GRACE: Duration = Duration::from_secs(2);

impl Workers {
    /// Has one worker answer `request` within `deadline`. Call it from a thread that outlives the worker: the worker dies
    /// with the thread.
    pub fn call<Request: Serialize, Reply: DeserializeOwned>(
        &self,
        request: &Request,
        deadline: Duration,
        interrupt: &Interrupt,
    ) -> WorkerEnd<Reply> {
        match self.start() {
            Ok((child, channel)) => answer(child, channel, request, deadline, interrupt),
            Err(error) => {
                WorkerEnd { result: Err(error.into()), stdout: Captured::default(), stderr: Captured::default() }
            }
        }
    }

    /// A worker in a process group of its own: a Ctrl-C at the terminal reaches the parent alone, and a kill reaches
    /// whatever the worker started.
    fn start(&self) -> io::Result<(Child, UnixStream)> {
        let (ours, theirs) = UnixStream::pair()?;
        let child = Command::new(&self.program)
            .args(&self.arguments)
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
    // Whatever the worker started goes with it; nothing may be left for the next unit to compete with.
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

/// Sends the request and waits for the first of reply, deadline and interrupt. An empty reply means that the worker ended
/// without one.
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
        // Nobody receives any more once the reply is there.
        let _ = events.send(Event::Interrupted);
    });
    let mut text = serde_json::to_vec(request).map_err(io::Error::from)?;
    text.push(b'\n');
    match (&channel).write_all(&text) {
        Ok(()) => {}
        // The worker died at once; the end of the channel tells how.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
        Err(error) => return Err(error.into()),
    }
    match received.recv_timeout(deadline.saturating_sub(started.elapsed())) {
        Ok(Event::Reply(bytes)) if bytes.ends_with(b"\n") => {
            // It has replied; let its destructors and exit handlers come to their end.
            wait_for_end(&received);
            Ok(bytes)
        }
        Ok(Event::Reply(_)) | Err(RecvTimeoutError::Disconnected) => {
            // Ended without a whole reply: its status is about to be there, or it closed the channel and lives on.
            wait_for_exit(child);
            Ok(Vec::new())
        }
        Ok(Event::Interrupted) => Err(WorkerError::Interrupted),
        Err(RecvTimeoutError::Timeout) => Err(WorkerError::Deadline(deadline)),
    }
}

/// Sends one event for the reply's line, and one for the end of the channel.
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

/// Waits until the process has exited, which it is about to do, and gives up after a while.
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
