//! The agent's side of a fleet: takes one spec, measures groups of cells until nothing is left, and sends every block after it was written
//! to the agent's own run file.

use crate::protocol::{self, FromAgent, HostCard, PROTOCOL, Spec, ToAgent};
use crate::queue::Part;
use bench_sink::digest;
use std::io::{self, BufRead, Write};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

/// What an agent does with its orders.
pub trait AgentTask {
    /// The digests of the modules of `spec` that this machine lacks; or why it cannot or may not measure the spec.
    fn lacks(&mut self, _spec: &Spec) -> Result<Vec<String>, String> {
        Ok(Vec::new())
    }

    /// Keeps a module that it lacked.
    fn keep_module(&mut self, sha256: &str, _bytes: &[u8]) -> Result<(), String> {
        Err(format!("the module {sha256} was not asked for"))
    }

    /// Plans `spec`, begins a run file, and measures the rooflines. Returns how long a repetition may take at most, with everything
    /// around it; or why this machine cannot measure the spec, and what to do.
    fn prepare(&mut self, spec: &Spec, uplink: &mut Uplink) -> Result<Duration, String>;

    /// Measures groups of cells. Returns whether all were measured; if not, it was interrupted.
    fn measure(&mut self, groups: &[u32], uplink: &mut Uplink) -> Result<bool, String>;

    /// Measures the rooflines again, and ends the run file.
    fn finish(&mut self, uplink: &mut Uplink) -> Result<(), String>;
}

/// The way to the coordinator.
pub struct Uplink {
    out: Box<dyn Write + Send>,
    /// Asks whether the coordinator is still there, if the connection does not tell its end.
    check: Option<Box<dyn FnMut() -> io::Result<()> + Send>>,
}

/// How often an agent that waits for orders asks whether the coordinator is still there. One that measures does not ask.
const CHECK: Duration = Duration::from_secs(5);

impl Uplink {
    /// Sends to `out`.
    pub fn new(out: impl Write + Send + 'static) -> Self {
        Self { out: Box::new(out), check: None }
    }

    /// Sends to `out`, a connection that does not tell its end. While the agent waits for orders, `check` asks whether the coordinator is
    /// still there.
    pub fn with_check(out: impl Write + Send + 'static, check: Box<dyn FnMut() -> io::Result<()> + Send>) -> Self {
        Self { out: Box::new(out), check: Some(check) }
    }

    /// Sends a block, which must be in the agent's own run file already.
    pub fn block(&mut self, part: Part, block: &[u8]) -> io::Result<()> {
        protocol::send_block(&mut self.out, part, block)
    }

    fn send(&mut self, message: &FromAgent) -> io::Result<()> {
        protocol::send(&mut self.out, message)
    }
}

impl std::fmt::Debug for Uplink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Uplink").finish_non_exhaustive()
    }
}

/// How an agent ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Served {
    /// It measured until nothing was left.
    Done,
    /// The coordinator ended, or asked it to stop.
    Stopped,
    /// It cannot measure the spec; the coordinator knows this reason.
    Refused(String),
    /// It could not go on; the coordinator knows this reason.
    Failed(String),
}

/// An order that has arrived.
#[derive(Debug)]
pub struct Received {
    order: ToAgent,
    /// The bytes of the module that it brings, if it brings one.
    module: Vec<u8>,
    /// When it arrived, by the clock of this machine.
    at_ns: i64,
}

/// The orders that have arrived, and the clock of this machine.
#[derive(Debug)]
pub struct Orders {
    received: Receiver<Received>,
    clock: fn() -> i64,
}

impl Orders {
    /// The next order; `None` at the end. Questions for the time are answered.
    fn next(&self, uplink: &mut Uplink) -> io::Result<Option<(ToAgent, Vec<u8>)>> {
        while let Some(Received { order, module, at_ns }) = self.wait(uplink)? {
            match order {
                ToAgent::Clock { sent_ns } => {
                    let answered_ns = (self.clock)();
                    uplink.send(&FromAgent::Clock { sent_ns, received_ns: at_ns, answered_ns })?;
                }
                order => return Ok(Some((order, module))),
            }
        }
        Ok(None)
    }

    /// Waits for an order; `None` at the end.
    fn wait(&self, uplink: &mut Uplink) -> io::Result<Option<Received>> {
        let Some(check) = &mut uplink.check else { return Ok(self.received.recv().ok()) };
        loop {
            match self.received.recv_timeout(CHECK) {
                Ok(received) => return Ok(Some(received)),
                Err(RecvTimeoutError::Disconnected) => return Ok(None),
                Err(RecvTimeoutError::Timeout) => check()?,
            }
        }
    }
}

/// Receives the orders in `input` on a thread of its own. `clock` is the clock of this machine, as [`wall_ns`](crate::wall_ns). At the
/// end of the input, `on_end` is called once: it interrupts what is being measured.
pub fn listen(
    mut input: impl BufRead + Send + 'static,
    clock: fn() -> i64,
    on_end: impl FnOnce() + Send + 'static,
) -> Orders {
    let (sender, received) = mpsc::channel();
    thread::spawn(move || {
        // A message that cannot be read ends the connection as its end does: nothing after it can be trusted.
        while let Ok(Some((order, module))) = protocol::receive_order(&mut input) {
            if sender.send(Received { order, module, at_ns: clock() }).is_err() {
                break;
            }
        }
        drop(sender);
        on_end();
    });
    Orders { received, clock }
}

/// Serves one coordinator, which started this agent for the run `run`. Without one, the task decides which specs it measures.
pub fn serve(
    orders: &Orders,
    uplink: &mut Uplink,
    (card, run): (&HostCard, Option<&str>),
    task: &mut dyn AgentTask,
) -> io::Result<Served> {
    uplink.send(&FromAgent::Hello(Box::new(card.clone())))?;
    let spec = match orders.next(uplink)? {
        Some((ToAgent::Spec(spec), _)) => spec,
        Some(_) => {
            return refuse(
                uplink,
                "the first order is not a spec; install the same bench-host on both machines".to_owned(),
            );
        }
        None => return Ok(Served::Stopped),
    };
    if let Some(reason) = foreign(&spec, card, run) {
        return refuse(uplink, reason);
    }
    match task.lacks(&spec) {
        Ok(digests) if digests.is_empty() => {}
        Ok(digests) => match fetch(orders, uplink, digests, task)? {
            Fetched::All => {}
            Fetched::Stopped => return Ok(Served::Stopped),
            Fetched::Failed(reason) => return refuse(uplink, reason),
        },
        Err(reason) => return refuse(uplink, reason),
    }
    let lease = match task.prepare(&spec, uplink).and_then(|lease| protocol::check_lease(lease).map(|()| lease)) {
        Ok(lease) => lease,
        Err(reason) => return refuse(uplink, reason),
    };
    uplink.send(&FromAgent::Ready { lease_ns: u64::try_from(lease.as_nanos()).unwrap_or(u64::MAX) })?;
    loop {
        uplink.send(&FromAgent::Claim)?;
        match orders.next(uplink)? {
            Some((ToAgent::Measure { groups }, _)) => match task.measure(&groups, uplink) {
                Ok(true) => uplink.send(&FromAgent::Completed { groups })?,
                Ok(false) => return Ok(Served::Stopped),
                Err(reason) => return fail(uplink, reason),
            },
            Some((ToAgent::Leave, _)) => {
                if let Err(reason) = task.finish(uplink) {
                    return fail(uplink, reason);
                }
                uplink.send(&FromAgent::Leaving)?;
                return Ok(Served::Done);
            }
            Some((ToAgent::Spec(_), _)) => return fail(uplink, "an agent measures one spec only".to_owned()),
            // It is answered where it arrives.
            Some((ToAgent::Clock { .. }, _)) => {}
            Some((ToAgent::Module { sha256, .. }, _)) => {
                return fail(uplink, format!("the module {sha256} was not asked for"));
            }
            None => return Ok(Served::Stopped),
        }
    }
}

/// The outcome of asking for modules.
enum Fetched {
    All,
    Stopped,
    Failed(String),
}

/// Asks for modules, and has the task keep them.
fn fetch(orders: &Orders, uplink: &mut Uplink, digests: Vec<String>, task: &mut dyn AgentTask) -> io::Result<Fetched> {
    uplink.send(&FromAgent::Need { sha256: digests.clone() })?;
    for wanted in digests {
        let (sent, bytes) = match orders.next(uplink)? {
            Some((ToAgent::Module { sha256, .. }, bytes)) => (sha256, bytes),
            Some(_) => return Ok(Fetched::Failed(format!("the module {wanted} was not sent, but another order"))),
            None => return Ok(Fetched::Stopped),
        };
        let found = digest::of_bytes(&bytes);
        if sent != wanted || found != wanted {
            return Ok(Fetched::Failed(format!("the module that was sent has the digest {found}, not {wanted}")));
        }
        if let Err(reason) = task.keep_module(&wanted, &bytes) {
            return Ok(Fetched::Failed(reason));
        }
    }
    Ok(Fetched::All)
}

/// Says before it is ready that it cannot measure the spec.
fn refuse(uplink: &mut Uplink, reason: String) -> io::Result<Served> {
    uplink.send(&FromAgent::Failed { reason: reason.clone() })?;
    Ok(Served::Refused(reason))
}

fn fail(uplink: &mut Uplink, reason: String) -> io::Result<Served> {
    uplink.send(&FromAgent::Failed { reason: reason.clone() })?;
    Ok(Served::Failed(reason))
}

/// Why `spec` is not for this agent.
fn foreign(spec: &Spec, card: &HostCard, run: Option<&str>) -> Option<String> {
    if let Some(run) = run.filter(|run| *run != spec.id) {
        return Some(format!(
            "this agent was started for the run {run}, but the spec is of {}; an agent takes specs only from who started it",
            spec.id
        ));
    }
    let is_same = spec.protocol == PROTOCOL && spec.host_version == card.host_version;
    (!is_same).then(|| {
        format!(
            "the spec is of bench-host {}, but this is bench-host {}; install the same version on both machines",
            spec.host_version, card.host_version
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::made_up::spec;
    use crate::protocol::ModuleDigest;
    use bench_model::Arm;
    use std::sync::{Arc, Mutex};

    /// Notes what it is asked, and stops before the group 9.
    #[derive(Default)]
    struct Notes(Vec<String>);

    impl AgentTask for Notes {
        fn lacks(&mut self, spec: &Spec) -> Result<Vec<String>, String> {
            Ok(spec.modules.iter().map(|module| module.sha256.clone()).collect())
        }

        fn keep_module(&mut self, _: &str, bytes: &[u8]) -> Result<(), String> {
            self.0.push(format!("keep {}", String::from_utf8_lossy(bytes)));
            Ok(())
        }

        fn prepare(&mut self, spec: &Spec, uplink: &mut Uplink) -> Result<Duration, String> {
            self.0.push(format!("prepare {}", spec.id));
            uplink.block(Part::Note(0), b"head\n").map_err(|error| error.to_string())?;
            match spec.words.first().map(String::as_str) {
                None => Err("nothing to measure".to_owned()),
                Some("long") => Ok(2 * protocol::LEASE_MAX),
                Some(_) => Ok(Duration::from_secs(1)),
            }
        }

        fn measure(&mut self, groups: &[u32], _: &mut Uplink) -> Result<bool, String> {
            self.0.push(format!("measure {groups:?}"));
            Ok(!groups.contains(&9))
        }

        fn finish(&mut self, _: &mut Uplink) -> Result<(), String> {
            self.0.push("finish".to_owned());
            Ok(())
        }
    }

    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn measure(groups: &[u32]) -> ToAgent {
        ToAgent::Measure { groups: groups.to_vec() }
    }

    /// Serves `orders`, and checks the end, what the task was asked, and the kinds of messages.
    #[track_caller]
    fn check(orders: Vec<ToAgent>, end: Served, asked: &[&str], sent: &[&str]) {
        let mut input = Vec::new();
        orders.iter().for_each(|order| protocol::send(&mut input, order).unwrap());
        check_input(input, end, asked, sent);
    }

    #[track_caller]
    fn check_input(input: Vec<u8>, end: Served, asked: &[&str], sent: &[&str]) {
        let orders = listen(io::Cursor::new(input), || 7, || {});
        let out = Shared::default();
        let card = HostCard::of_version("1");
        let mut task = Notes::default();
        let served = serve(&orders, &mut Uplink::new(out.clone()), (&card, Some("r")), &mut task).unwrap();
        assert_eq!((served, task.0.iter().map(String::as_str).collect::<Vec<_>>().as_slice()), (end, asked));
        let bytes = out.0.lock().unwrap().clone();
        let mut bytes = &bytes[..];
        let mut kinds = Vec::new();
        while let Some((message, _)) = protocol::receive(&mut bytes).unwrap() {
            let value = serde_json::to_value(&message).unwrap();
            kinds.push(value["message"].as_str().unwrap().to_owned());
        }
        assert_eq!(kinds, sent);
    }

    #[test]
    fn groups_are_measured_until_nothing_is_left() {
        let orders = vec![ToAgent::Spec(Box::new(spec())), measure(&[0, 2]), measure(&[1]), ToAgent::Leave];
        let asked = ["prepare r", "measure [0, 2]", "measure [1]", "finish"];
        let sent = ["hello", "block", "ready", "claim", "completed", "claim", "completed", "claim", "leaving"];
        check(orders, Served::Done, &asked, &sent);
    }

    #[test]
    fn end_of_the_orders_and_an_interrupt_stop_it() {
        check(Vec::new(), Served::Stopped, &[], &["hello"]);
        let orders = vec![ToAgent::Spec(Box::new(spec())), measure(&[9])];
        let sent = ["hello", "block", "ready", "claim"];
        check(orders, Served::Stopped, &["prepare r", "measure [9]"], &sent);
    }

    #[test]
    fn questions_for_the_time_are_answered_between_other_orders() {
        let clock = ToAgent::Clock { sent_ns: 5 };
        let orders = vec![clock.clone(), ToAgent::Spec(Box::new(spec())), clock, measure(&[1]), ToAgent::Leave];
        let asked = ["prepare r", "measure [1]", "finish"];
        let sent = ["hello", "clock", "block", "ready", "claim", "clock", "completed", "claim", "leaving"];
        check(orders, Served::Done, &asked, &sent);
    }

    #[test]
    fn lacking_modules_are_asked_for_and_kept_if_they_have_the_digest() {
        let with = |bytes: &[u8]| {
            let module = ModuleDigest {
                name: "m".to_owned(),
                arm: Arm::Wasm,
                sha256: digest::of_bytes(b"module"),
                file: "m.wasm".to_owned(),
                address: None,
            };
            let spec = Spec { modules: vec![module.clone()], ..spec() };
            let mut input = Vec::new();
            protocol::send(&mut input, &ToAgent::Spec(Box::new(spec))).unwrap();
            protocol::send_module(&mut input, &module.sha256, bytes).unwrap();
            protocol::send(&mut input, &ToAgent::Leave).unwrap();
            input
        };
        let asked = ["keep module", "prepare r", "finish"];
        let sent = ["hello", "need", "block", "ready", "claim", "leaving"];
        check_input(with(b"module"), Served::Done, &asked, &sent);
        let reason = format!(
            "the module that was sent has the digest {}, not {}",
            digest::of_bytes(b"other"),
            digest::of_bytes(b"module")
        );
        check_input(with(b"other"), Served::Refused(reason), &[], &["hello", "need", "failed"]);
        let mut cut = with(b"module");
        cut.truncate(cut.len() - 22);
        check_input(cut, Served::Stopped, &[], &["hello", "need"]);
    }

    #[track_caller]
    fn check_refused(spec: Spec, reason: &str, asked: &[&str]) {
        let sent: &[&str] = if asked.is_empty() { &["hello", "failed"] } else { &["hello", "block", "failed"] };
        check(vec![ToAgent::Spec(Box::new(spec))], Served::Refused(reason.to_owned()), asked, sent);
    }

    #[test]
    fn spec_of_a_stranger_or_another_version_is_refused_before_anything_is_loaded() {
        let stranger =
            "this agent was started for the run r, but the spec is of x; an agent takes specs only from who started it";
        check_refused(Spec { id: "x".to_owned(), ..spec() }, stranger, &[]);
        let version =
            "the spec is of bench-host 2, but this is bench-host 1; install the same version on both machines";
        check_refused(Spec { host_version: "2".to_owned(), ..spec() }, version, &[]);
        check_refused(Spec { words: Vec::new(), ..spec() }, "nothing to measure", &["prepare r"]);
        let long = protocol::check_lease(2 * protocol::LEASE_MAX).unwrap_err();
        check_refused(Spec { words: vec!["long".to_owned()], ..spec() }, &long, &["prepare r"]);
    }
}
