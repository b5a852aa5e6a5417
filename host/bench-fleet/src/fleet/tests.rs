//! Fleets of agents in this process: one that cannot measure the run, or lies, is left out, and the other measures everything.

use super::*;
use crate::agent::{AgentTask, Uplink, listen, serve};
use crate::coordinator::AgentState;
use crate::inspect::Inspector;
use crate::made_up;
use crate::own::AgentCard;
use crate::queue::{Blocks, Embedded, Part};
use bench_sink::runfile::{OutcomeRecord, Planned, Record, encode};

/// What an agent does.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Nature {
    Honest,
    /// It cannot plan the spec.
    Refuses,
    /// It asks for a module that the run does not have.
    Asks,
    /// It sends what is no block.
    Lies,
}

struct Task(Nature);

fn planned() -> Planned {
    made_up::planned(2, 1)
}

impl AgentTask for Task {
    fn lacks(&mut self, _: &Spec) -> Result<Vec<String>, String> {
        Ok(if self.0 == Nature::Asks { vec!["7".to_owned()] } else { Vec::new() })
    }

    fn prepare(&mut self, spec: &Spec, uplink: &mut Uplink) -> Result<Duration, String> {
        if self.0 == Nature::Refuses {
            return Err("its modules differ".to_owned());
        }
        let run = made_up::run(spec.clone(), planned());
        uplink.block(Part::Note(0), &encode(&[Record::Run(run)])).map_err(|error| error.to_string())?;
        Ok(Duration::from_secs(600))
    }

    fn measure(&mut self, groups: &[u32], uplink: &mut Uplink) -> Result<bool, String> {
        for cell in groups {
            let records = [Record::Cell(made_up::cell(*cell, 0, "m")), Record::Outcome(OutcomeRecord::ok(*cell, 0))];
            let block = if self.0 == Nature::Lies { b"made up\n".to_vec() } else { encode(&records) };
            let part = Part::Repetition { cell: *cell, process: 0 };
            uplink.block(part, &block).map_err(|error| error.to_string())?;
        }
        Ok(true)
    }

    fn finish(&mut self, _: &mut Uplink) -> Result<(), String> {
        Ok(())
    }
}

/// Counts the blocks of each agent.
#[derive(Debug, Default)]
struct Counts([u32; 2]);

impl Blocks for Counts {
    fn append(&mut self, agent: AgentId, _: &[u8]) -> io::Result<()> {
        self.0[agent.0 as usize] += 1;
        Ok(())
    }
}

/// What a user is told.
#[derive(Default)]
struct Told(Vec<String>);

const NAMES: [&str; 2] = ["a", "b"];

impl<Q: Queue> FleetObserver<Q> for Told {
    fn changed(&mut self, coordinator: &mut Coordinator<Q>, _: u64) {
        let name = |agent: AgentId| NAMES[agent.0 as usize].to_owned();
        self.0.extend(coordinator.events().iter().map(|event| event.line(name)));
    }

    fn failed(&mut self, agent: &str, reason: &str) {
        self.0.push(format!("{agent} failed: {reason}"));
    }

    fn refused(&mut self, agent: &str, reason: &str) {
        self.0.push(format!("{agent} refused: {reason}"));
    }
}

/// Has an agent of this name come to the fleet.
fn come(fleet: &Fleet, name: &str, nature: Nature) {
    come_with(&fleet.door(), name, Task(nature));
}

/// Has an agent of this name, which does this, come through the door of a fleet.
fn come_with(door: &dyn Fn(Visitor), name: &str, mut task: impl AgentTask + Send + 'static) {
    let (their_orders, orders) = io::pipe().unwrap();
    let (messages, their_messages) = io::pipe().unwrap();
    thread::spawn(move || {
        let orders = listen(BufReader::new(their_orders), wall_ns, || {});
        // The coordinator may be gone first.
        let _ = serve(&orders, &mut Uplink::new(their_messages), (&card(), Some("r")), &mut task);
    });
    door(Visitor { name: name.to_owned(), orders: Box::new(orders), messages: Box::new(messages) });
}

/// What checks the blocks of so many agents.
fn inspector(agents: usize) -> Inspector {
    let cells = (0..planned().cells).map(made_up::planned_cell).collect();
    Inspector::new(&made_up::spec(), planned(), cells, vec![None; agents])
}

/// Has two agents of one class measure two groups of one cell each. Returns what the user is told.
fn measure(natures: [Nature; 2]) -> (Coordinator<Embedded<Counts>>, Vec<String>) {
    let mut fleet = Fleet::expect_visitors(&[], natures.len());
    NAMES.iter().zip(natures).for_each(|(name, nature)| come(&fleet, name, nature));
    fleet.join(JOIN, &|| false).unwrap();
    let mut coordinator =
        Coordinator::new(Embedded::new(Counts::default()), &[ClassId(0); 2], planned().cells, true).unwrap();
    coordinator.decide_classes();
    coordinator.inspect(inspector(natures.len()));
    let mut told = Told::default();
    assert!(!fleet.drive(&mut coordinator, &made_up::spec(), &mut told, &|| false).unwrap());
    (coordinator, told.0)
}

/// Checks that an agent of this nature is left out, and another measures everything.
#[track_caller]
fn check(nature: Nature, told: &str) {
    let (coordinator, found) = measure([nature, Nature::Honest]);
    assert_eq!(found, [told]);
    assert_eq!(coordinator.state(AgentId(0)).0, &AgentState::Excluded);
    for group in 0..planned().cells {
        assert_eq!(coordinator.owner(ClassId(0), group), Some(AgentId(1)));
    }
    assert_eq!(coordinator.queue().blocks().0[1], 3, "the head and two repetitions");
}

#[test]
fn fleet_goes_on_without_an_agent_that_refuses_the_spec() {
    check(Nature::Refuses, "a refused: its modules differ");
}

#[test]
fn fleet_goes_on_without_an_agent_to_which_no_module_can_be_sent() {
    let told = "a refused: the module 7 cannot be sent to it: it is not a module of this run; start a new run";
    check(Nature::Asks, told);
}

#[test]
fn fleet_goes_on_without_an_agent_that_lies() {
    let told = "agent a sent a block of cell 0, process 0 that cannot be so: line 1 is not a record of a run file; nothing more is taken of \
                it, and others measure what it held";
    check(Nature::Lies, told);
}

#[test]
fn fleet_ends_when_no_agent_is_left() {
    let (coordinator, told) = measure([Nature::Refuses, Nature::Refuses]);
    assert_eq!(told.len(), 2, "{told:?}");
    let progress = coordinator.progress(ClassId(0)).unwrap();
    assert_eq!((progress.finished, progress.waiting + progress.leased), (0, 2));
}

/// An agent that says that it prepares, and then hangs: its connection does not tell that it is lost.
struct Hanging<F> {
    /// What happens meanwhile.
    meanwhile: F,
    /// Ends with the test.
    end: mpsc::Receiver<()>,
}

impl<F: FnMut()> AgentTask for Hanging<F> {
    fn prepare(&mut self, _: &Spec, _: &mut Uplink) -> Result<Duration, String> {
        (self.meanwhile)();
        let _ = self.end.recv();
        Err("it is hanging".to_owned())
    }

    fn measure(&mut self, _: &[u32], _: &mut Uplink) -> Result<bool, String> {
        Ok(false)
    }

    fn finish(&mut self, _: &mut Uplink) -> Result<(), String> {
        Ok(())
    }
}

/// Loses the only agent in this way while it prepares, and has another one come in its place. Checks what the user is told, and how many groups
/// are finished.
#[track_caller]
fn check_loss(kind: LossKind, expect: &[&str], finished: u32) {
    let mut fleet = Fleet::expect_visitors(&["a".to_owned()], 1);
    let (lose, door) = (fleet.losses(), fleet.door());
    let (_end, end) = mpsc::channel();
    let meanwhile = move || {
        lose(AgentLoss { agent: "a".to_owned(), reason: "its machine went away".to_owned(), kind });
        if kind != LossKind::Final {
            come_with(&door, "a", Task(Nature::Honest));
        }
    };
    come_with(&fleet.door(), "a", Hanging { meanwhile, end });
    fleet.join(JOIN, &|| false).unwrap();
    let mut coordinator =
        Coordinator::new(Embedded::new(Counts::default()), &[ClassId(0)], planned().cells, true).unwrap();
    coordinator.decide_classes();
    coordinator.inspect(inspector(1));
    let mut told = Told::default();
    assert!(!fleet.drive(&mut coordinator, &made_up::spec(), &mut told, &|| false).unwrap());
    assert_eq!(told.0, expect);
    let progress = coordinator.progress(ClassId(0)).unwrap();
    assert_eq!((progress.finished, progress.given_up), (finished, 0));
}

#[test]
fn agent_that_is_lost_elsewhere_is_told_by_what_started_it() {
    let lost = "agent a was lost; it held nothing";
    let restarted = "agent a is started again; it goes on from its own run file";
    for kind in [LossKind::Failed, LossKind::Disrupted] {
        check_loss(kind, &[lost, restarted], planned().cells);
    }
    check_loss(LossKind::Final, &["a failed: its machine went away", lost], 0);
}

#[test]
fn fleet_does_not_begin_without_an_agent_that_is_not_started() {
    let mut fleet = Fleet::expect_visitors(&["a".to_owned()], 1);
    let lose = fleet.losses();
    for agent in ["a", "unknown"] {
        lose(AgentLoss { agent: agent.to_owned(), reason: "no machine".to_owned(), kind: LossKind::Disrupted });
    }
    lose(AgentLoss { agent: "a".to_owned(), reason: "no image".to_owned(), kind: LossKind::Final });
    assert_eq!(fleet.join(JOIN, &|| false).unwrap_err().to_string(), "agent a does not come: no image");
}

/// The card of all agents here.
fn card() -> HostCard {
    // One that comes again has to be of the same program.
    HostCard { program_sha256: Some("p".to_owned()), ..HostCard::of_version("1") }
}

/// A fleet that goes on with a run of the agents `a` and `b`.
fn resumed() -> Fleet {
    let mut fleet = Fleet::expect_visitors(&NAMES.map(str::to_owned), NAMES.len());
    fleet.remember(NAMES.map(|name| AgentCard { agent: name.to_owned(), card: card() }).to_vec());
    fleet
}

/// The coordinator of these two agents, of whose groups so many are finished.
fn coordinator_of(finished: u32) -> Coordinator<Embedded<Counts>> {
    let mut queue = Embedded::new(Counts::default());
    queue.submit(ClassId(0), planned().cells).unwrap();
    for group in 0..finished {
        queue.complete(ClassId(0), group, AgentId(0)).unwrap();
    }
    let mut coordinator = Coordinator::new(queue, &[ClassId(0); 2], planned().cells, true).unwrap();
    coordinator.decide_classes();
    coordinator.inspect(inspector(NAMES.len()));
    coordinator
}

#[test]
fn run_goes_on_without_an_agent_that_does_not_come_again() {
    let mut fleet = resumed();
    let lose = fleet.losses();
    lose(AgentLoss { agent: "a".to_owned(), reason: "its Job has ended".to_owned(), kind: LossKind::Final });
    come(&fleet, "b", Nature::Honest);
    assert_eq!(fleet.join(JOIN, &|| false).unwrap(), [card(), card()]);
    let (mut coordinator, mut told) = (coordinator_of(0), Told::default());
    assert!(!fleet.drive(&mut coordinator, &made_up::spec(), &mut told, &|| false).unwrap());
    let absent = "a failed: its Job has ended; the run goes on without it";
    assert_eq!(told.0, [absent, "agent a was lost; it held nothing"]);
    assert!((0..planned().cells).all(|group| coordinator.owner(ClassId(0), group) == Some(AgentId(1))));
}

#[test]
fn agent_that_comes_after_the_run_has_gone_on_measures_what_is_left() {
    let mut fleet = resumed();
    assert_eq!(fleet.join(Duration::ZERO, &|| false).unwrap().len(), NAMES.len(), "none is waited for");
    come(&fleet, "b", Nature::Honest);
    let (mut coordinator, mut told) = (coordinator_of(0), Told::default());
    assert!(!fleet.drive(&mut coordinator, &made_up::spec(), &mut told, &|| false).unwrap());
    let absent = NAMES.map(|name| format!("{name} failed: it did not come within 0 s; the run goes on without it"));
    assert_eq!(told.0, absent);
    assert!((0..planned().cells).all(|group| coordinator.owner(ClassId(0), group) == Some(AgentId(1))));
    assert_eq!(coordinator.state(AgentId(0)).0, &AgentState::Silent, "it was not waited for at the end");
}

#[test]
fn run_whose_groups_are_all_measured_needs_no_agent_and_another_one_does() {
    let check = |finished: u32| {
        let mut fleet = resumed();
        let lose = fleet.losses();
        for agent in NAMES {
            lose(AgentLoss { agent: agent.to_owned(), reason: "it is off".to_owned(), kind: LossKind::Final });
        }
        fleet.join(JOIN, &|| false).unwrap();
        let (mut coordinator, mut told) = (coordinator_of(finished), Told::default());
        fleet.drive(&mut coordinator, &made_up::spec(), &mut told, &|| false).map_err(|error| error.to_string())
    };
    assert_eq!(check(planned().cells), Ok(false));
    let error = check(1).unwrap_err();
    assert!(error.starts_with("agent a did not join: it is off"), "it can be gone on with another time: {error}");
}

/// The way to an agent that reads its orders up to the spec, and then nothing until the other end of `end` is gone.
struct UpToTheSpec {
    out: io::PipeWriter,
    end: mpsc::Receiver<()>,
}

impl Write for UpToTheSpec {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.starts_with(b"{\"message\":\"spec\"") {
            let _ = self.end.recv();
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Has the agent `a` come, which claims groups as soon as the fleet measures, but does not read its spec. It is there until the other ends of
/// `ends` are gone.
fn come_deaf(fleet: &Fleet, measures: mpsc::Receiver<()>, [end, end_of_thread]: [mpsc::Receiver<()>; 2]) {
    let (their_orders, out) = io::pipe().unwrap();
    let (messages, mut their_messages) = io::pipe().unwrap();
    thread::spawn(move || {
        let mut orders = BufReader::new(their_orders);
        protocol::send(&mut their_messages, &FromAgent::Hello(Box::new(card()))).unwrap();
        for _ in 0..CLOCK_SAMPLES {
            let Some((ToAgent::Clock { sent_ns }, _)) = protocol::receive_order(&mut orders).unwrap() else { return };
            let (received_ns, answered_ns) = (wall_ns(), wall_ns());
            let answer = FromAgent::Clock { sent_ns, received_ns, answered_ns };
            protocol::send(&mut their_messages, &answer).unwrap();
        }
        measures.recv().unwrap();
        for message in [FromAgent::Ready { lease_ns: 1 }, FromAgent::Claim] {
            protocol::send(&mut their_messages, &message).unwrap();
        }
        let _ = end_of_thread.recv();
    });
    let (door, orders) = (fleet.door(), Box::new(UpToTheSpec { out, end }));
    door(Visitor { name: "a".to_owned(), orders, messages: Box::new(messages) });
}

#[test]
fn agent_that_reads_nothing_keeps_no_other_waiting() {
    let mut fleet = Fleet::expect_visitors(&NAMES.map(str::to_owned), NAMES.len());
    // They are gone before the fleet is.
    let (_end, end) = mpsc::channel();
    let (_end_of_thread, end_of_thread) = mpsc::channel();
    let (measure, measures) = mpsc::channel();
    come_deaf(&fleet, measures, [end, end_of_thread]);
    come(&fleet, "b", Nature::Honest);
    fleet.join(JOIN, &|| false).unwrap();
    measure.send(()).unwrap();
    let (mut coordinator, mut told) = (coordinator_of(0), Told::default());
    assert!(!fleet.drive(&mut coordinator, &made_up::spec(), &mut told, &|| false).unwrap());
    assert_eq!(told.0, ["agent a has not answered for longer than what it does may take; it held nothing"]);
    assert!((0..planned().cells).all(|group| coordinator.owner(ClassId(0), group) == Some(AgentId(1))));
}
