//! The queue on a NATS server: what is decided is first written to the stream of the run, where the first message of a subject wins, so that
//! another coordinator can go on with it. Leases are measured by the clock of the coordinator that gives them, and stay in its memory.

use super::{AgentId, Blocks, ClassId, Completed, Embedded, Lease, Part, Progress, Queue, QueueError, Stored, Subject};
use crate::nats::{NatsError, Put, RunStream};
use crate::protocol::BLOCK_BYTES_MAX;
use bench_sink::digest;
use serde::{Deserialize, Serialize};

/// A queue whose state and blocks are kept by a NATS server too.
#[derive(Debug)]
pub struct Jetstream<B> {
    inner: Embedded<B>,
    stream: RunStream,
}

/// A block that is larger than a message.
#[derive(Debug, Serialize, Deserialize)]
struct Chunked {
    bytes: u64,
    sha256: String,
    chunks: u32,
}

/// The first byte of a message with a block: whether the block follows, or says where its chunks are.
const WHOLE: u8 = 0;
const CHUNKED: u8 = 1;

impl From<NatsError> for QueueError {
    fn from(error: NatsError) -> Self {
        Self::Server(error.to_string())
    }
}

impl<B: Blocks> Jetstream<B> {
    /// The queue that `stream` keeps. Its blocks are also kept in `blocks`, which is empty.
    pub fn open(stream: RunStream, blocks: B) -> Result<Self, QueueError> {
        let mut inner = Embedded::new(blocks);
        stream.each(|subject, payload| replay(&mut inner, &stream, subject, payload))?;
        Ok(Self { inner, stream })
    }

    /// What keeps the blocks on this machine.
    pub fn blocks(&self) -> &B {
        self.inner.blocks()
    }

    /// The stream of the run.
    pub fn stream(&self) -> &RunStream {
        &self.stream
    }

    /// Writes a block, in chunks if it is too large for one message. Returns what was there before, if anything was.
    fn write(&mut self, subject: Subject, block: &[u8]) -> Result<Option<Vec<u8>>, QueueError> {
        let limit = self.stream.payload_max();
        let message = if block.len() < limit {
            [&[WHOLE][..], block].concat()
        } else {
            let sha256 = digest::of_bytes(block);
            let chunks = block.chunks(limit);
            let head = Chunked { bytes: block.len() as u64, sha256: sha256.clone(), chunks: chunks.len() as u32 };
            for (number, chunk) in (0u32..).zip(chunks) {
                // The digest is part of the subject, so a chunk that is there is the same.
                self.stream.put(&format!("chunk.{sha256}.{number}"), chunk)?;
            }
            let head = serde_json::to_vec(&head).map_err(|error| QueueError::Server(error.to_string()))?;
            [&[CHUNKED][..], head.as_slice()].concat()
        };
        match self.stream.put(&name(subject), &message)? {
            Put::First => Ok(None),
            Put::Taken(found) => block_of(&self.stream, &found).map(Some),
        }
    }

    /// Notes that `agent` was lost with `groups`.
    fn note_losses(&mut self, agent: AgentId, groups: &[u32]) -> Result<(), QueueError> {
        let Some(ClassId(class)) = self.inner.class_of_lease(agent) else { return Ok(()) };
        for group in groups {
            // It may have lost the group before.
            self.stream.put(&format!("lost.{class}.{group}.{}", agent.0), b"")?;
        }
        Ok(())
    }
}

/// The subject of a block.
fn name(subject: Subject) -> String {
    let agent = subject.agent.0;
    match subject.part {
        Part::Repetition { cell, process } => format!("part.{agent}.r.{cell}.{process}"),
        Part::Note(number) => format!("part.{agent}.n.{number}"),
    }
}

/// The block that a message holds or names.
fn block_of(stream: &RunStream, message: &[u8]) -> Result<Vec<u8>, QueueError> {
    let malformed = |what: &str| QueueError::from(NatsError::Malformed(format!("the name of a block ({what})")));
    let (kind, rest) = message.split_first().ok_or_else(|| malformed("empty"))?;
    match *kind {
        WHOLE => Ok(rest.to_vec()),
        CHUNKED => {
            let head: Chunked = serde_json::from_slice(rest).map_err(|error| malformed(&error.to_string()))?;
            if head.bytes > BLOCK_BYTES_MAX {
                return Err(malformed("too large"));
            }
            let mut block = Vec::new();
            for number in 0..head.chunks {
                let chunk = stream.get(&format!("chunk.{}.{number}", head.sha256))?;
                block.extend(chunk.ok_or_else(|| malformed("a chunk is missing"))?);
                if block.len() as u64 > head.bytes {
                    return Err(malformed("too large"));
                }
            }
            if digest::of_bytes(&block) == head.sha256 { Ok(block) } else { Err(malformed("another digest")) }
        }
        _ => Err(malformed("of another version")),
    }
}

/// Takes over what an earlier coordinator has written.
fn replay<B: Blocks>(
    inner: &mut Embedded<B>,
    stream: &RunStream,
    subject: &str,
    payload: &[u8],
) -> Result<(), QueueError> {
    let malformed = || QueueError::from(NatsError::Malformed(subject.to_owned()));
    let number = |word: &str| word.parse::<u32>().map_err(|_| malformed());
    let words: Vec<&str> = subject.split('.').collect();
    match words.as_slice() {
        ["class", class] => inner.submit(ClassId(number(class)?), number_of(payload).ok_or_else(malformed)?),
        ["part", agent, "r", cell, process] => {
            let part = Part::Repetition { cell: number(cell)?, process: number(process)? };
            let subject = Subject { agent: AgentId(number(agent)?), part };
            inner.store(subject, &block_of(stream, payload)?).map(drop)
        }
        ["part", agent, "n", note] => {
            let subject = Subject { agent: AgentId(number(agent)?), part: Part::Note(number(note)?) };
            inner.store(subject, &block_of(stream, payload)?).map(drop)
        }
        ["done", class, group] => {
            let agent = AgentId(number_of(payload).ok_or_else(malformed)?);
            inner.complete(ClassId(number(class)?), number(group)?, agent).map(drop)
        }
        ["lost", class, group, agent] => {
            inner.note_loss(ClassId(number(class)?), number(group)?, AgentId(number(agent)?))
        }
        // Chunks are read with the block that names them; the owner of the queue may have written more.
        _ => Ok(()),
    }
}

fn number_of(payload: &[u8]) -> Option<u32> {
    std::str::from_utf8(payload).ok()?.parse().ok()
}

impl<B: Blocks> Queue for Jetstream<B> {
    fn submit(&mut self, class: ClassId, groups: u32) -> Result<(), QueueError> {
        if self.inner.progress(class).is_ok() {
            return Ok(());
        }
        let subject = format!("class.{}", class.0);
        let groups = match self.stream.put(&subject, groups.to_string().as_bytes())? {
            Put::First => groups,
            Put::Taken(known) => number_of(&known).ok_or(NatsError::Malformed(subject))?,
        };
        self.inner.submit(class, groups)
    }

    fn claim(&mut self, class: ClassId, agent: AgentId, hand: u32, lease: Lease) -> Result<Vec<u32>, QueueError> {
        self.inner.claim(class, agent, hand, lease)
    }

    fn renew(&mut self, agent: AgentId, lease: Lease) -> Result<(), QueueError> {
        self.inner.renew(agent, lease)
    }

    fn store(&mut self, subject: Subject, block: &[u8]) -> Result<Stored, QueueError> {
        if self.inner.is_stored(subject) {
            return self.inner.store(subject, block);
        }
        // Another coordinator, or this one before its answer was lost, may have been first.
        if let Some(first) = self.write(subject, block)? {
            let stored = self.inner.store(subject, &first)?;
            return if first == block { Ok(stored) } else { Ok(Stored::Different) };
        }
        self.inner.store(subject, block)
    }

    fn complete(&mut self, class: ClassId, group: u32, agent: AgentId) -> Result<Completed, QueueError> {
        self.inner.check(class, group)?;
        if self.inner.owner(class, group).is_some() {
            return self.inner.complete(class, group, agent);
        }
        let subject = format!("done.{}.{group}", class.0);
        if let Put::Taken(by) = self.stream.put(&subject, agent.0.to_string().as_bytes())? {
            let by = AgentId(number_of(&by).ok_or(NatsError::Malformed(subject))?);
            if by != agent {
                self.inner.complete(class, group, by)?;
            }
        }
        self.inner.complete(class, group, agent)
    }

    fn release(&mut self, agent: AgentId) -> Result<Vec<u32>, QueueError> {
        let groups = self.inner.release(agent)?;
        self.note_losses(agent, &groups)?;
        Ok(groups)
    }

    fn take_back(&mut self, agent: AgentId) -> Result<Vec<u32>, QueueError> {
        self.inner.take_back(agent)
    }

    fn expire(&mut self, now_ns: u64) -> Result<Vec<(AgentId, Vec<u32>)>, QueueError> {
        let expired = self.inner.expire(now_ns)?;
        for (agent, groups) in &expired {
            self.note_losses(*agent, groups)?;
        }
        Ok(expired)
    }

    fn wake_ns(&self) -> Option<u64> {
        self.inner.wake_ns()
    }

    fn progress(&self, class: ClassId) -> Result<Progress, QueueError> {
        self.inner.progress(class)
    }

    fn owner(&self, class: ClassId, group: u32) -> Option<AgentId> {
        self.inner.owner(class, group)
    }
}

#[cfg(test)]
mod tests {
    use super::super::contract::{self, Kept};
    use super::*;
    use crate::nats::Server;
    use crate::nats_server::NatsServer;
    use std::cell::Cell;

    const PART: Part = Part::Repetition { cell: 3, process: 1 };
    const A: AgentId = AgentId(0);
    const B: AgentId = AgentId(1);
    const CLASS: ClassId = ClassId(0);

    fn open(server: &Server, run: &str) -> Jetstream<Kept> {
        Jetstream::open(RunStream::open(server, run).unwrap(), Kept::default()).unwrap()
    }

    #[test]
    fn queue_on_a_server_keeps_the_contract() {
        let Some(nats) = NatsServer::start() else { return };
        let server = nats.connect();
        let number = Cell::new(0);
        let make = || {
            number.set(number.get() + 1);
            open(&server, &format!("r{}", number.get()))
        };
        contract::check(12, make, |queue| queue.blocks().0.clone());
    }

    #[test]
    fn another_coordinator_goes_on_with_what_the_server_keeps() {
        let Some(nats) = NatsServer::start() else { return };
        let server = nats.connect();
        // Empty, of one message, and of several.
        let blocks = [Vec::new(), b"small".to_vec(), (0..1_500_000u32).map(|byte| byte as u8).collect()];
        let lease = Lease { now_ns: 0, until_ns: 1 };
        let subject = |agent, number| Subject { agent, part: Part::Note(number) };
        let mut first = open(&server, "r");
        first.submit(CLASS, 3).unwrap();
        assert_eq!(first.claim(CLASS, A, 1, lease).unwrap(), [0]);
        for (number, block) in (0..).zip(&blocks) {
            assert_eq!(first.store(subject(A, number), block).unwrap(), Stored::First);
        }
        assert_eq!(first.complete(CLASS, 0, A).unwrap(), Completed::First);
        for agent in [A, B] {
            assert_eq!(first.claim(CLASS, agent, 1, lease).unwrap(), [1]);
            assert_eq!(first.release(agent).unwrap(), [1]);
        }
        assert_eq!(first.claim(CLASS, B, 1, lease).unwrap(), [2], "its lease ends with its coordinator");
        let mut second = open(&server, "r");
        assert_eq!(second.blocks().0, blocks.map(|block| (A, block)));
        assert_eq!(second.owner(CLASS, 0), Some(A));
        let expect = Progress { waiting: 1, finished: 1, given_up: 1, ..Progress::default() };
        assert_eq!(second.progress(CLASS).unwrap(), expect);
        assert_eq!(second.claim(CLASS, A, 9, lease).unwrap(), [2]);
        // The coordinator that was believed to be lost goes on too: who is first counts for both.
        assert_eq!(first.complete(CLASS, 2, B).unwrap(), Completed::First);
        assert_eq!(second.complete(CLASS, 2, A).unwrap(), Completed::Known { by: B });
        assert_eq!(second.owner(CLASS, 2), Some(B));
        assert_eq!(first.store(Subject { agent: B, part: PART }, b"one").unwrap(), Stored::First);
        assert_eq!(
            second.store(Subject { agent: B, part: PART }, b"one").unwrap(),
            Stored::First,
            "it has yet to keep it"
        );
        assert_eq!(second.store(Subject { agent: B, part: PART }, b"other").unwrap(), Stored::Different);
    }

    #[test]
    fn run_of_which_the_server_has_lost_a_part_begins_anew() {
        let Some(mut nats) = NatsServer::start() else { return };
        let server = nats.connect();
        let mut queue = open(&server, "r");
        queue.submit(CLASS, 2).unwrap();
        queue.store(Subject { agent: A, part: PART }, b"block").unwrap();
        nats.restart(true);
        assert_eq!(queue.complete(CLASS, 0, A).unwrap(), Completed::First, "it waits for the server");
        assert_eq!(queue.progress(CLASS).unwrap(), Progress { waiting: 1, finished: 1, ..Progress::default() });
        let again = open(&server, "r");
        assert!(again.progress(CLASS).is_err(), "what is left of the run is not taken for the whole");
        assert!(again.blocks().0.is_empty());
    }

    #[test]
    fn names_that_lead_elsewhere_and_foreign_content_are_refused() {
        let Some(nats) = NatsServer::start() else { return };
        let server = nats.connect();
        for run in ["", "../r", "a.b", "*", "r\u{1b}"] {
            let error = RunStream::open(&server, run).unwrap_err().to_string();
            assert!(error.contains("start a new run") && !error.contains('\u{1b}'), "{error}");
        }
        let huge = [&[CHUNKED][..], br#"{"bytes":99999999999,"sha256":"0","chunks":4000000000}"#.as_slice()].concat();
        let missing = [&[CHUNKED][..], br#"{"bytes":9,"sha256":"0","chunks":1}"#.as_slice()].concat();
        let cases: [(&str, &[u8]); 6] = [
            ("part.0.n.0", b""),
            ("part.0.n.1", b"\x07block"),
            ("part.0.n.2", &huge),
            ("part.0.n.3", &missing),
            ("class.0", b"many"),
            ("done.0.0", b"nobody"),
        ];
        for (number, (subject, payload)) in (0..).zip(cases) {
            let run = format!("r{number}");
            let mut stream = RunStream::open(&server, &run).unwrap();
            assert_eq!(stream.put(subject, payload).unwrap(), Put::First);
            let opened = Jetstream::open(RunStream::open(&server, &run).unwrap(), Kept::default());
            let error = opened.err().map(|error| error.to_string()).unwrap_or_default();
            assert!(error.contains("keeps something else under") && !error.contains('\n'), "{subject}: {error}");
        }
    }
}
