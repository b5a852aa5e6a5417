//! The parent's side of a worker: starts it, sends one request, waits for the reply, the deadline or an interrupt, and kills all
//! processes that are left.

#[cfg(target_os = "linux")]
use super::isolation::Group;
use super::output::Capture;
use super::progress::{Doing, Progress};
use super::{Captured, Isolation, exit, isolation, layout, progress, tree};
use crate::Interrupt;
use bench_sink::runfile::Layout;
use rustix::process::{Pid, Signal, kill_process_group};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

/// How workers are started.
#[derive(Clone, Debug)]
pub struct Workers {
    /// The program, which must call [`super::serve`].
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Whether a worker that tells of its progress may take longer than the deadline.
    pub extends_deadline: bool,
    /// How far they are kept apart from the rest of the machine.
    pub isolation: Isolation,
}

/// Maximum size of a reply: the samples of a few hundred series.
pub const REPLY_BYTES_MAX: usize = 512 << 20;

/// How a call of a worker ended, and what the worker printed.
#[derive(Debug)]
pub struct WorkerEnd<Reply> {
    /// The reply, or the reason why there is none.
    pub result: Result<Reply, WorkerError>,
    /// Standard output.
    pub stdout: Captured,
    /// Standard error.
    pub stderr: Captured,
    /// For how long this process was stopped meanwhile, by a signal, a debugger or a control group, and perhaps the worker with it.
    pub stopped: Duration,
    /// What the worker did last, if it has said so.
    pub doing: Option<Doing>,
}

/// The reason why there is no reply.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    /// The deadline passed; the worker was killed.
    #[error("no reply within {} s{}, so the worker was killed; allow more time with --deadline", within.as_secs_f64(), while_doing(doing.as_ref()))]
    Deadline {
        /// The time that it had.
        within: Duration,
        /// What it did last, if it has said so.
        doing: Option<Doing>,
    },
    /// Interrupted; the worker was killed.
    #[error("interrupted")]
    Interrupted,
    /// The caller has ended it for this reason.
    #[error("{0}")]
    Stopped(String),
    /// The worker exited or crashed before it replied.
    #[error("the worker {how}{}{}", while_doing(doing.as_ref()), last_line.as_ref().map_or_else(String::new, |line| format!(": {line}")))]
    Died {
        /// `was killed by SIGSEGV (segmentation fault)`, `exited with status 3`.
        how: String,
        /// What it did last, if it has said so.
        doing: Option<Doing>,
        /// The last telling line that it printed to standard error.
        last_line: Option<String>,
    },
    /// The reply cannot be parsed.
    #[error("the worker's reply cannot be parsed: it is of another version of this program")]
    Reply(#[source] serde_json::Error),
    /// The reply is too large.
    #[error("the worker's reply has more than {} MiB, which is the maximum; record fewer samples or series", REPLY_BYTES_MAX >> 20)]
    TooLong,
    /// It could not be started, or the channel broke.
    #[error("cannot start a worker or communicate with it")]
    Io(#[from] io::Error),
}

/// ` while opening wasm`.
fn while_doing(doing: Option<&Doing>) -> String {
    doing.map_or_else(String::new, |doing| format!(" while {doing}"))
}

/// The events that the parent waits for.
enum Event {
    /// The end of the channel, and what was received before it.
    Reply(Vec<u8>),
    /// More bytes than a reply may have.
    TooLong,
    /// What the worker does, or how much time it is likely to need.
    Progress(Progress),
    /// The worker has ended. A process that it has left may hold its channel open for ever.
    Ended,
    Interrupted,
}

/// The time that a worker has to exit after its reply.
const GRACE: Duration = Duration::from_secs(2);

impl Workers {
    /// Starts a worker, sends it `request`, and waits for the reply within `deadline`. The worker dies with this process.
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
        self.call_observed(layout, request, deadline, interrupt, &|_| ())
    }

    /// Like [`call_in`](Self::call_in). What the worker does is told to `observe` whenever that changes.
    pub fn call_observed<Request: Serialize, Reply: DeserializeOwned>(
        &self,
        layout: Option<&Layout>,
        request: &Request,
        deadline: Duration,
        interrupt: &Interrupt,
        observe: &dyn Fn(&Doing),
    ) -> WorkerEnd<Reply> {
        static WORKERS: AtomicU64 = AtomicU64::new(0);
        let mark = tree::mark(WORKERS.fetch_add(1, Ordering::Relaxed));
        #[cfg(target_os = "linux")]
        let group = if self.isolation == Isolation::None { None } else { Group::of_worker(&mark) };
        #[cfg(target_os = "linux")]
        let folder = group.as_ref().map(|group| group.folder().display().to_string());
        #[cfg(not(target_os = "linux"))]
        let folder = None;
        match self.start(layout, &mark, folder) {
            Ok((child, channel)) => {
                let process = Process {
                    child,
                    mark,
                    #[cfg(target_os = "linux")]
                    group,
                };
                let deadline = Deadline::new(deadline, self.extends_deadline);
                answer(process, channel, request, (deadline, observe), interrupt)
            }
            Err(error) => {
                let (stdout, stderr) = (Captured::default(), Captured::default());
                WorkerEnd { result: Err(error.into()), stdout, stderr, stopped: Duration::ZERO, doing: None }
            }
        }
    }

    /// Starts a worker in a process group of its own, so that Ctrl-C reaches only the parent.
    fn start(&self, layout: Option<&Layout>, mark: &str, group: Option<String>) -> io::Result<(Child, UnixStream)> {
        let (ours, theirs) = UnixStream::pair()?;
        let isolation = self.isolation.as_str();
        let isolation = group.map_or_else(|| isolation.to_owned(), |group| format!("{isolation} {group}"));
        let child = Command::new(&self.program)
            .args(&self.arguments)
            .envs(layout.map(|layout| (layout::VARIABLE, layout::variable(layout))))
            .env(tree::MARK, mark)
            .env(isolation::VARIABLE, isolation)
            .stdin(OwnedFd::from(theirs))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()?;
        Ok((child, ours))
    }
}

/// A worker that was started.
struct Process {
    /// The supervisor, or the worker where there is none.
    child: Child,
    /// What all of its processes have in their environment.
    mark: String,
    /// The group of the worker and all that it starts.
    #[cfg(target_os = "linux")]
    group: Option<Group>,
}

impl Process {
    /// Has the kernel end all processes of the group.
    fn kill_group(&self) {
        #[cfg(target_os = "linux")]
        if let Some(group) = &self.group {
            group.kill();
        }
    }

    /// Ends and removes the group. The memory limit, if it reached that.
    fn remove_group(&mut self) -> Option<u64> {
        #[cfg(target_os = "linux")]
        {
            let group = self.group.take()?;
            group.kill();
            let exceeded = group.exceeded_memory_bytes();
            group.remove(GRACE);
            exceeded
        }
        #[cfg(not(target_os = "linux"))]
        {
            None
        }
    }
}

fn answer<Request: Serialize, Reply: DeserializeOwned>(
    mut process: Process,
    channel: UnixStream,
    request: &Request,
    (mut deadline, observe): (Deadline, &dyn Fn(&Doing)),
    interrupt: &Interrupt,
) -> WorkerEnd<Reply> {
    let stdout = process.child.stdout.take().map(Capture::start);
    let stderr = process.child.stderr.take().map(Capture::start);
    let mut doing = None;
    let course = Course { deadline: &mut deadline, doing: &mut doing, observe };
    let result = exchange(&process.child, channel, request, course, interrupt);
    let status = end(&mut process, result.is_ok());
    let how = match process.remove_group() {
        Some(bytes) => format!("was killed because it used more than {} MiB of memory", bytes >> 20),
        None => exit::describe(status),
    };
    let finish = |capture: Option<Capture>| capture.map(|capture| capture.finish(GRACE)).unwrap_or_default();
    let (stdout, stderr) = (finish(stdout), finish(stderr));
    let result = match result {
        Ok(bytes) if bytes.is_empty() => {
            Err(WorkerError::Died { how, doing: doing.clone(), last_line: stderr.telling_line() })
        }
        Ok(bytes) => serde_json::from_slice(&bytes).map_err(WorkerError::Reply),
        Err(error) => Err(error),
    };
    WorkerEnd { result, stdout, stderr, stopped: deadline.stopped, doing }
}

/// Ends the worker and everything that it started, so that nothing disturbs the next repetition. One that `is_ending` has a moment
/// to end by itself. The child is the supervisor, which ends after its whole tree; where there is none, it is the worker.
fn end(process: &mut Process, is_ending: bool) -> io::Result<ExitStatus> {
    let root = Pid::from_child(&process.child);
    if is_ending {
        wait_for_exit(&process.child);
    }
    if !matches!(process.child.try_wait(), Ok(Some(_))) {
        process.kill_group();
        tree::kill_descendants(root, GRACE);
        let _ = rustix::process::kill_process(root, Signal::KILL);
    }
    // Without a supervisor, the group is all that is known of the worker's processes.
    let _ = kill_process_group(root, Signal::KILL);
    let status = process.child.wait();
    if !status.as_ref().is_ok_and(|status| status.code().is_some()) {
        // A supervisor exits after its tree. One that was killed, perhaps by the module, has left the tree behind.
        tree::kill_marked(&process.mark, GRACE);
    }
    status
}

/// What changes while a worker is waited for.
struct Course<'a> {
    deadline: &'a mut Deadline,
    /// Becomes what the worker does.
    doing: &'a mut Option<Doing>,
    /// Is told what the worker does.
    observe: &'a dyn Fn(&Doing),
}

/// Sends the request and waits for the reply, the deadline or the interrupt. An empty reply means that the worker ended without
/// one.
fn exchange<Request: Serialize>(
    child: &Child,
    channel: UnixStream,
    request: &Request,
    course: Course<'_>,
    interrupt: &Interrupt,
) -> Result<Vec<u8>, WorkerError> {
    let Course { deadline, doing, observe } = course;
    let (events, received) = mpsc::channel();
    let reader = channel.try_clone()?;
    let replies = events.clone();
    std::thread::spawn(move || read_reply(reader, &replies));
    send_end(child, events.clone());
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
    loop {
        match deadline.wait(&received) {
            Ok(Event::Ended) => deadline.shorten(GRACE),
            Ok(Event::Progress(progress)) => {
                match progress {
                    Progress::ExpectNs(ns) => deadline.extend(Duration::from_nanos(ns)),
                    Progress::Doing(now) => {
                        observe(&now);
                        *doing = Some(now);
                    }
                }
                // There may be one message after the other for ever.
                if deadline.left().is_zero() {
                    return Err(WorkerError::Deadline { within: deadline.whole(), doing: doing.clone() });
                }
            }
            Ok(Event::Reply(bytes)) if bytes.ends_with(b"\n") => {
                // After the reply, let its destructors and exit handlers finish.
                wait_for_end(&received);
                return Ok(bytes);
            }
            Ok(Event::Reply(_)) | Err(RecvTimeoutError::Disconnected) => {
                // No complete reply: either the worker is exiting, or it closed the channel and is still running.
                wait_for_exit(child);
                return Ok(Vec::new());
            }
            Ok(Event::TooLong) => return Err(WorkerError::TooLong),
            Ok(Event::Interrupted) => return Err(WorkerError::Interrupted),
            Err(RecvTimeoutError::Timeout) if deadline.has_ended => return Ok(Vec::new()),
            Err(RecvTimeoutError::Timeout) => {
                return Err(WorkerError::Deadline { within: deadline.whole(), doing: doing.clone() });
            }
        }
    }
}

/// When a worker is killed.
#[derive(Clone, Copy, Debug)]
struct Deadline {
    started: Instant,
    /// The time without any progress.
    within: Duration,
    until: Instant,
    is_extended: bool,
    /// The worker has ended, and only what it has sent before is waited for.
    has_ended: bool,
    /// For how long this process was stopped while it waited.
    stopped: Duration,
}

/// How often a process that waits for a worker looks at the clock, to notice that it was stopped.
const LOOK: Duration = Duration::from_secs(1);

/// A process that looks at the clock so much too late was stopped, and not only waiting for a processor.
const LATE_MIN: Duration = Duration::from_secs(1);

impl Deadline {
    fn new(within: Duration, is_extended: bool) -> Self {
        let started = Instant::now();
        // A deadline beyond what the clock can hold is none.
        let until = started.checked_add(within).unwrap_or(started + LONG);
        Self { started, within, until, is_extended, has_ended: false, stopped: Duration::ZERO }
    }

    /// Waits for an event until the deadline. The time for which this process was stopped does not count: nothing that the worker sent
    /// meanwhile has been read.
    fn wait<Event>(&mut self, received: &Receiver<Event>) -> Result<Event, RecvTimeoutError> {
        loop {
            let (begun, asked) = (Instant::now(), self.left().min(LOOK));
            let event = received.recv_timeout(asked);
            self.postpone(begun.elapsed().saturating_sub(asked));
            match event {
                Err(RecvTimeoutError::Timeout) if !self.left().is_zero() => {}
                event => return event,
            }
        }
    }

    /// This process looked at the clock so much later than it had asked for.
    fn postpone(&mut self, late: Duration) {
        if late >= LATE_MIN {
            self.stopped += late;
            self.until = self.until.checked_add(late).unwrap_or(self.until);
        }
    }

    fn left(&self) -> Duration {
        self.until.saturating_duration_since(Instant::now())
    }

    fn whole(&self) -> Duration {
        self.until - self.started
    }

    /// The worker has ended: what it has sent arrives within `time`.
    fn shorten(&mut self, time: Duration) {
        self.until = self.until.min(Instant::now() + time);
        self.has_ended = true;
    }

    /// Allows twice the time that the worker expects, because a machine that is busy slows it down.
    fn extend(&mut self, expected: Duration) {
        let longer = Instant::now().checked_add(self.within + 2 * expected.min(LONG));
        self.until =
            longer.filter(|_| self.is_extended && !self.has_ended).map_or(self.until, |longer| longer.max(self.until));
    }
}

/// Longer than any run; the clock can hold it.
const LONG: Duration = Duration::from_secs(365 * 24 * 3600);

/// Sends one event for each message about progress, one for the first line of the reply, and one for the end of the channel.
fn read_reply(mut channel: UnixStream, events: &Sender<Event>) {
    let mut bytes = Vec::new();
    let mut buffer = vec![0; 64 * 1024];
    // After the reply or the deadline nothing receives any more.
    let send = |event| drop(events.send(event));
    loop {
        let read = match channel.read(&mut buffer) {
            Ok(0) | Err(_) => return send(Event::Reply(bytes)),
            Ok(read) => read,
        };
        bytes.extend_from_slice(&buffer[..read]);
        for progress in progress::take(&mut bytes) {
            send(Event::Progress(progress));
        }
        if bytes.len() > REPLY_BYTES_MAX {
            return send(Event::TooLong);
        }
        if buffer[..read].contains(&b'\n')
            && let Some(end) = bytes.iter().position(|byte| *byte == b'\n')
        {
            // A module may have written more.
            bytes.truncate(end + 1);
            send(Event::Reply(std::mem::take(&mut bytes)));
        }
    }
}

/// Has an event sent when the process has ended, even if others hold its channel.
fn send_end(child: &Child, events: Sender<Event>) {
    #[cfg(target_os = "linux")]
    {
        use rustix::event::{PollFd, PollFlags, poll};
        use rustix::process::{PidfdFlags, pidfd_open};
        if let Ok(pidfd) = pidfd_open(Pid::from_child(child), PidfdFlags::empty()) {
            std::thread::spawn(move || {
                while poll(&mut [PollFd::new(&pidfd, PollFlags::IN)], None) == Err(rustix::io::Errno::INTR) {}
                // After the reply or the deadline nothing receives any more.
                let _ = events.send(Event::Ended);
            });
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = (child, events);
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    fn events(written: &[u8]) -> Vec<Event> {
        let (mut worker, parent) = UnixStream::pair().unwrap();
        let (sender, received) = mpsc::channel();
        let reader = std::thread::spawn(move || read_reply(parent, &sender));
        worker.write_all(written).unwrap();
        drop(worker);
        reader.join().unwrap();
        received.iter().collect()
    }

    #[test]
    fn progress_precedes_the_reply_and_the_end() {
        let found = events(b"{\"expect_ns\":7}\n{\"Described\":1}\n");
        let [Event::Progress(progress), Event::Reply(reply), Event::Reply(end)] = &found[..] else {
            panic!("{}", found.len())
        };
        assert_eq!(*progress, Progress::ExpectNs(7));
        assert_eq!((reply.as_slice(), end.as_slice()), (&b"{\"Described\":1}\n"[..], &b""[..]));
    }

    #[test]
    fn messages_without_end_do_not_postpone_the_deadline() {
        let mut child = Command::new("sleep").arg("600").spawn().unwrap();
        let (mut worker, parent) = UnixStream::pair().unwrap();
        let flood = std::thread::spawn(move || {
            // Until the other end is closed.
            while worker.write_all(b"{\"doing\":{\"what\":\"opening\",\"arm\":null}}\n").is_ok() {}
        });
        let (mut deadline, mut doing) = (Deadline::new(Duration::from_millis(50), false), None);
        let told = Cell::new(0_u64);
        let observe = |doing: &Doing| told.set(told.get() + u64::from(doing.is("opening")));
        let parent_end = parent.try_clone().unwrap();
        let course = Course { deadline: &mut deadline, doing: &mut doing, observe: &observe };
        let result = exchange(&child, parent_end, &(), course, &Interrupt::new());
        assert!(told.get() > 0, "what it does is told meanwhile");
        let error = result.unwrap_err().to_string();
        parent.shutdown(std::net::Shutdown::Both).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        flood.join().unwrap();
        assert!(error.starts_with("no reply within 0.05 s while opening, so the worker was killed"), "{error}");
    }

    #[test]
    fn only_the_first_line_is_the_reply() {
        let found = events(b"{\"Described\":1}\n{\"Described\":2}\n{\"Descr");
        let [Event::Reply(reply), Event::Reply(_)] = &found[..] else { panic!("{}", found.len()) };
        assert_eq!(reply.as_slice(), b"{\"Described\":1}\n");
    }

    #[test]
    fn reply_without_an_end_is_cut_off_at_its_maximum() {
        let (mut worker, parent) = UnixStream::pair().unwrap();
        let (sender, received) = mpsc::channel();
        std::thread::spawn(move || read_reply(parent, &sender));
        let piece = vec![b'x'; 1 << 20];
        while worker.write_all(&piece).is_ok() {}
        assert!(matches!(received.iter().last(), Some(Event::TooLong)));
    }

    #[test]
    fn deadline_is_later_by_the_time_for_which_this_process_was_stopped() {
        let second = Duration::from_secs(1);
        for is_extended in [true, false] {
            let mut deadline = Deadline::new(9 * second, is_extended);
            deadline.postpone(LATE_MIN - Duration::from_nanos(1));
            assert_eq!((deadline.whole(), deadline.stopped), (9 * second, Duration::ZERO), "it waited for a processor");
            deadline.postpone(5 * second);
            deadline.postpone(2 * second);
            assert_eq!((deadline.whole(), deadline.stopped), (16 * second, 7 * second));
        }
    }

    #[test]
    fn deadline_is_waited_for_over_many_looks_at_the_clock() {
        let (sender, received) = mpsc::channel();
        let mut deadline = Deadline::new(LOOK + Duration::from_millis(1), false);
        let begun = Instant::now();
        assert_eq!(deadline.wait(&received), Err(RecvTimeoutError::Timeout));
        assert!(begun.elapsed() >= LOOK + Duration::from_millis(1));
        sender.send(7).unwrap();
        assert_eq!(Deadline::new(LOOK, false).wait(&received), Ok(7));
        drop(sender);
        assert_eq!(Deadline::new(LOOK, false).wait(&received), Err(RecvTimeoutError::Disconnected));
    }

    #[test]
    fn deadline_follows_from_what_the_worker_expects_unless_it_is_fixed() {
        let second = Duration::from_secs(1);
        let mut deadline = Deadline::new(second, true);
        deadline.extend(3 * second);
        assert!(deadline.whole() >= 7 * second, "{deadline:?}");
        deadline.extend(Duration::ZERO);
        assert!(deadline.whole() >= 7 * second, "it is never shortened");
        deadline.extend(Duration::MAX);
        deadline.shorten(second);
        let shortened = deadline.whole();
        deadline.extend(9 * second);
        assert_eq!(deadline.whole(), shortened, "it has ended");
        let mut fixed = Deadline::new(second, false);
        fixed.extend(3 * second);
        assert_eq!(fixed.whole(), second);
    }
}
