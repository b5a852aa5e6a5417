//! An agent that watches its connection while its repetitions go on: nothing may be sent then, in either direction.

use crate::fake::card;
use crate::made_up;
use crate::over_nats::pause;
use bench_fleet::{
    AgentId, AgentLink, AgentTask, Blocks, Coordinator, Embedded, Fleet, FleetObserver, Guests, JOIN, Part, Reception,
    Server, Spec, Uplink, classify, join_link, listen, wait_for_invitation, wall_ns,
};
use std::io::{self, BufReader};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Returns how much has passed on the agent's connection so far.
pub(crate) type Count = Box<dyn Fn() -> u64 + Send>;

/// Notes how much passed while its repetitions went on.
struct Quiet {
    count: Count,
    passed: Vec<u64>,
}

impl Quiet {
    /// Waits until what was sent before has passed, and returns the count. A side that never stops sending is not waited for.
    fn settled(&self) -> u64 {
        let mut count = (self.count)();
        for _ in 0..40 {
            let before = count;
            pause(Duration::from_millis(250));
            count = (self.count)();
            if count == before {
                break;
            }
        }
        count
    }
}

impl AgentTask for Quiet {
    fn prepare(&mut self, _: &Spec, _: &mut Uplink) -> Result<Duration, String> {
        // The server measures the way to a client about a second after it has connected, while an agent measures its rooflines.
        pause(Duration::from_millis(2_500));
        Ok(Duration::from_secs(600))
    }

    fn measure(&mut self, groups: &[u32], uplink: &mut Uplink) -> Result<bool, String> {
        for cell in groups {
            let before = self.settled();
            // The coordinator asks twice meanwhile who is there.
            pause(Duration::from_millis(2_200));
            self.passed.push((self.count)() - before);
            let part = Part::Repetition { cell: *cell, process: 0 };
            uplink.block(part, &[b'x'; 1 << 20]).map_err(|error| error.to_string())?;
        }
        Ok(true)
    }

    fn finish(&mut self, _: &mut Uplink) -> Result<(), String> {
        Ok(())
    }
}

/// Measures as the agent `a` for who invites it. Returns how much passed during each repetition.
pub(crate) fn serve(server: &Server, count: Count) -> Vec<u64> {
    let invitation = wait_for_invitation(server, "a", &[], &|| false).unwrap().unwrap();
    let AgentLink { orders, messages, check } = join_link(server, "a", &invitation.link).unwrap();
    let orders = listen(BufReader::new(orders), wall_ns, || {});
    let mut task = Quiet { count, passed: Vec::new() };
    let mut uplink = Uplink::with_check(messages, check);
    bench_fleet::serve(&orders, &mut uplink, (&card(), Some("r")), &mut task).unwrap();
    task.passed
}

/// The number of bytes that were sent. It takes a second for each block, so that it is still busy when the next repetition goes on.
#[derive(Clone, Default)]
struct Bytes(Arc<AtomicU64>);

impl Blocks for Bytes {
    fn append(&mut self, _: AgentId, block: &[u8]) -> io::Result<()> {
        pause(Duration::from_secs(1));
        self.0.fetch_add(block.len() as u64, Ordering::SeqCst);
        Ok(())
    }
}

struct Silent;

impl<Q> FleetObserver<Q> for Silent {
    fn changed(&mut self, _: &mut Coordinator<Q>, _: u64) {}

    fn failed(&mut self, agent: &str, reason: &str) {
        panic!("{agent}: {reason}");
    }
}

/// Has an agent that is begun by `start` measure two repetitions for a coordinator at `server`, and checks that nothing passed during them, as
/// `passed` says of it.
#[track_caller]
pub(crate) fn check<T>(server: &Server, start: impl FnOnce() -> T, passed: impl FnOnce(T) -> Vec<u64>) {
    let mut fleet = Fleet::expect_visitors(&[], 1);
    let _reception = Reception::open(server, "r", Guests::Any(1), fleet.door()).unwrap();
    let agent = start();
    let cards = fleet.join(JOIN, &|| false).unwrap();
    let classes = classify(&[("a", &cards[0])], "1", &|_, _| false).unwrap();
    let bytes = Bytes::default();
    let mut coordinator = Coordinator::new(Embedded::new(bytes.clone()), &classes, 2, true).unwrap();
    assert!(!fleet.drive(&mut coordinator, &made_up::spec(), &mut Silent, &|| false).unwrap());
    drop(fleet);
    assert_eq!(passed(agent), [0, 0]);
    assert_eq!(
        bytes.0.load(Ordering::SeqCst),
        2 << 20,
        "larger than one message of the server, each block arrives once"
    );
}
