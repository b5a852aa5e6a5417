//! What the coordinator of a fleet and its agents say to each other: lines of JSON, and after the announcement of a block its bytes.

use crate::queue::Part;
use bench_model::Arm;
use bench_sink::digest;
use bench_sink::fingerprint::Fingerprint;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::io::{self, BufRead, Read, Write};
use std::time::Duration;

/// The version of these messages. Both sides must have the same.
pub const PROTOCOL: u32 = 3;

const HOST_VERSION: &str = env!("CARGO_PKG_VERSION");

/// Maximum size of a line.
const LINE_BYTES_MAX: u64 = 4 << 20;

/// Maximum size of a block, the same as that of a worker's reply.
pub(crate) const BLOCK_BYTES_MAX: u64 = 512 << 20;

/// The longest time that an agent may be silent. What takes longer would keep a run waiting for days when an agent is lost.
pub const LEASE_MAX: Duration = Duration::from_secs(6 * 3_600);

/// An error, with what to do, if an agent would have to be silent for longer than that.
pub fn check_lease(lease: Duration) -> Result<(), String> {
    if lease <= LEASE_MAX {
        return Ok(());
    }
    Err(format!(
        "a repetition may take {} s, but a fleet waits at most {} s for one; give a shorter --deadline or --time",
        lease.as_secs(),
        LEASE_MAX.as_secs()
    ))
}

/// What a login shell may print before the agent's first line.
const GREETING_LINES_MAX: usize = 1_000;

/// The machine and the program of an agent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HostCard {
    /// The version of these messages.
    pub protocol: u32,
    /// The version of bench-host.
    pub host_version: String,
    /// The digest of the program file, if it can be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub program_sha256: Option<String>,
    /// The machine and the program.
    pub fingerprint: Fingerprint,
    /// Identifies the running kernel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boot_id: Option<String>,
}

impl HostCard {
    /// A program of this version of bench-host, on a machine of which nothing is known.
    pub fn of_version(host_version: &str) -> Self {
        Self {
            protocol: PROTOCOL,
            host_version: host_version.to_owned(),
            program_sha256: None,
            fingerprint: Fingerprint::default(),
            boot_id: None,
        }
    }
}

/// A module that agents must have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModuleDigest {
    /// The name of the module.
    pub name: String,
    /// The arm of the file.
    pub arm: Arm,
    /// The digest of the file.
    pub sha256: String,
    /// The path of the file in a folder of modules; empty if it is part of bench-host.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub file: String,
    /// Where it is in a registry, as `oci://HOST/REPOSITORY[:TAG]@sha256:…` with the digest of its manifest, if that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
}

/// What is measured. It holds no passwords.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spec {
    /// The version of these messages.
    pub protocol: u32,
    /// The version of bench-host that submits it.
    pub host_version: String,
    /// The name of the run.
    pub id: String,
    /// The arguments of `bench-host run` that select the cells and the effort.
    pub words: Vec<String>,
    /// The command line that is recorded.
    pub command: Vec<String>,
    /// The seed of the random order of the cells.
    pub seed: u64,
    /// The digest of the plan: agents that find other cells or another order refuse.
    pub order_sha256: String,
    /// The modules of the plan.
    pub modules: Vec<ModuleDigest>,
    /// The submitter's signature of all else, for machines that have a policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
}

impl Spec {
    /// What the submitter signs.
    pub fn statement(&self) -> Vec<u8> {
        // A spec is plain data with text keys, which can always be written as JSON.
        serde_json::to_vec(&Self { signature: None, ..self.clone() }).expect("a spec is JSON")
    }
}

/// A message of an agent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "message", rename_all = "kebab-case")]
pub enum FromAgent {
    /// The first message.
    Hello(Box<HostCard>),
    /// The answer to a question for the time.
    Clock {
        /// The time in the question.
        sent_ns: i64,
        /// When the question arrived, by the clock of the agent's machine.
        received_ns: i64,
        /// When it was answered, by the same clock.
        answered_ns: i64,
    },
    /// It lacks modules of the spec.
    Need {
        /// Their digests.
        sha256: Vec<String>,
    },
    /// The plan is that of the spec, and the rooflines are measured.
    Ready {
        /// How long it may be silent: longer than the deadline of every repetition.
        lease_ns: u64,
    },
    /// The bytes of a block follow.
    Block {
        /// What the block holds.
        part: Part,
        /// The number of its bytes.
        bytes: u64,
        /// Their digest.
        sha256: String,
    },
    /// It can measure more groups.
    Claim,
    /// It has measured these groups, and sent all blocks of them.
    Completed {
        /// Their numbers.
        groups: Vec<u32>,
    },
    /// It has sent everything, and ends.
    Leaving,
    /// It cannot go on, and ends.
    Failed {
        /// What is wrong and what to do.
        reason: String,
    },
}

/// A message to an agent. The end of its input asks it to stop.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "message", rename_all = "kebab-case")]
pub enum ToAgent {
    /// What is measured.
    Spec(Box<Spec>),
    /// What time is it?
    Clock {
        /// The time by the clock of the coordinator's machine.
        sent_ns: i64,
    },
    /// The bytes of a module follow.
    Module {
        /// Their digest.
        sha256: String,
        /// Their number.
        bytes: u64,
    },
    /// Measure these groups of cells.
    Measure {
        /// Their numbers in the plan.
        groups: Vec<u32>,
    },
    /// Nothing is left: measure the rooflines again, and end.
    Leave,
}

/// The reason why a message cannot be received.
#[derive(Debug, thiserror::Error)]
pub enum ProtocolError {
    /// The connection broke.
    #[error("the connection broke")]
    Io(#[from] io::Error),
    /// It is not a message.
    #[error("it sent what is not a message of bench-host {HOST_VERSION}; install the same version on both machines")]
    Syntax(#[source] serde_json::Error),
    /// It did not introduce itself.
    #[error("it printed more than {GREETING_LINES_MAX} lines before its first message; is it bench-host?")]
    Greeting,
    /// A line or a block is too large.
    #[error("it sent a message of more than {} MiB, which is the maximum", .0 >> 20)]
    TooLong(u64),
    /// The bytes of a block are not those that were announced.
    #[error("a block arrived damaged: its digest is {found}, not {expected}")]
    Damaged {
        /// The announced digest.
        expected: String,
        /// The digest of what arrived.
        found: String,
    },
}

/// Writes one message.
pub(crate) fn send(out: &mut dyn Write, message: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(message)?;
    line.push(b'\n');
    out.write_all(&line)?;
    out.flush()
}

/// Writes the announcement of a block, and the block.
pub(crate) fn send_block(out: &mut dyn Write, part: Part, block: &[u8]) -> io::Result<()> {
    let (bytes, sha256) = (block.len() as u64, digest::of_bytes(block));
    send(out, &FromAgent::Block { part, bytes, sha256 })?;
    out.write_all(block)?;
    out.flush()
}

/// Writes the announcement of a module, and the module.
pub(crate) fn send_module(out: &mut dyn Write, sha256: &str, module: &[u8]) -> io::Result<()> {
    send(out, &ToAgent::Module { sha256: sha256.to_owned(), bytes: module.len() as u64 })?;
    out.write_all(module)?;
    out.flush()
}

/// Reads the next message to an agent and the bytes of its module, which are empty for other messages; `None` at the end, or if the last
/// message is incomplete.
pub(crate) fn receive_order(input: &mut impl BufRead) -> Result<Option<(ToAgent, Vec<u8>)>, ProtocolError> {
    let Some(line) = line(input)? else { return Ok(None) };
    let order: ToAgent = parse(&line)?;
    let module = match &order {
        ToAgent::Module { bytes, .. } => announced(input, *bytes)?,
        _ => Some(Vec::new()),
    };
    Ok(module.map(|module| (order, module)))
}

/// Reads so many bytes, as was announced; `None` if there are fewer.
fn announced(input: &mut impl BufRead, bytes: u64) -> Result<Option<Vec<u8>>, ProtocolError> {
    if bytes > BLOCK_BYTES_MAX {
        return Err(ProtocolError::TooLong(BLOCK_BYTES_MAX));
    }
    // What was announced is not reserved: memory grows with what arrives.
    let mut block = Vec::new();
    input.by_ref().take(bytes).read_to_end(&mut block)?;
    Ok((block.len() as u64 == bytes).then_some(block))
}

/// Reads the first message of an agent, and skips what a login shell prints before it; `None` at the end.
pub(crate) fn receive_hello(input: &mut impl BufRead) -> Result<Option<FromAgent>, ProtocolError> {
    for _ in 0..GREETING_LINES_MAX {
        let Some(line) = line(input)? else { return Ok(None) };
        if line.starts_with(b"{\"message\":") {
            return parse(&line).map(Some);
        }
    }
    Err(ProtocolError::Greeting)
}

/// Reads the next message of an agent and the bytes of its block, which are empty for other messages; `None` at the end, or if the last
/// message is incomplete.
pub(crate) fn receive(input: &mut impl BufRead) -> Result<Option<(FromAgent, Vec<u8>)>, ProtocolError> {
    let Some(line) = line(input)? else { return Ok(None) };
    let message: FromAgent = parse(&line)?;
    let (bytes, expected) = match &message {
        FromAgent::Block { bytes, sha256, .. } => (*bytes, sha256.clone()),
        _ => return Ok(Some((message, Vec::new()))),
    };
    let Some(block) = announced(input, bytes)? else { return Ok(None) };
    let found = digest::of_bytes(&block);
    if found != expected {
        return Err(ProtocolError::Damaged { expected, found });
    }
    Ok(Some((message, block)))
}

/// The next complete line; `None` at the end.
fn line(input: &mut impl BufRead) -> Result<Option<Vec<u8>>, ProtocolError> {
    let mut line = Vec::new();
    input.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut line)?;
    match line.last() {
        Some(b'\n') => Ok(Some(line)),
        _ if line.len() as u64 == LINE_BYTES_MAX => Err(ProtocolError::TooLong(LINE_BYTES_MAX)),
        _ => Ok(None),
    }
}

fn parse<T: DeserializeOwned>(line: &[u8]) -> Result<T, ProtocolError> {
    serde_json::from_slice(line).map_err(ProtocolError::Syntax)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PART: Part = Part::Repetition { cell: 3, process: 1 };

    /// Reads all messages of an agent; the text of the error if there is one.
    fn all(mut bytes: &[u8]) -> Result<Vec<(FromAgent, Vec<u8>)>, String> {
        let mut found = Vec::new();
        while let Some(message) = receive(&mut bytes).map_err(|error| error.to_string())? {
            found.push(message);
        }
        Ok(found)
    }

    #[track_caller]
    fn check_refused(bytes: &[u8], part: &str) {
        let error = all(bytes).unwrap_err();
        assert!(error.contains(part), "{error}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn cut_stream_yields_its_whole_messages(block in prop::collection::vec(any::<u8>(), 0..200), share in 0.0f64..1.0) {
            let mut bytes = Vec::new();
            send_block(&mut bytes, PART, &block).unwrap();
            let end = bytes.len();
            send(&mut bytes, &FromAgent::Claim).unwrap();
            let whole = all(&bytes).unwrap();
            prop_assert_eq!(whole.len(), 2);
            prop_assert_eq!(&whole[0].1, &block);
            prop_assert_eq!(&whole[1], &(FromAgent::Claim, Vec::new()));
            let cut = (bytes.len() as f64 * share) as usize;
            prop_assert_eq!(all(&bytes[..cut]).unwrap().len(), usize::from(cut >= end));
        }
    }

    #[test]
    fn damaged_or_oversized_messages_are_refused() {
        let mut bytes = Vec::new();
        send_block(&mut bytes, PART, b"block").unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        check_refused(&bytes, "a block arrived damaged");
        check_refused(b"{\"message\":\"nonsense\"}\n", "not a message of bench-host");
        check_refused(b"[[[[\n", "not a message of bench-host");
        let huge = FromAgent::Block { part: PART, bytes: u64::MAX, sha256: String::new() };
        let mut bytes = Vec::new();
        send(&mut bytes, &huge).unwrap();
        check_refused(&bytes, "more than 512 MiB");
        check_refused(&vec![b'['; LINE_BYTES_MAX as usize + 1], "more than 4 MiB");
    }

    #[test]
    fn greeting_of_a_login_shell_is_skipped() {
        let mut bytes = b"Welcome!\n\n".to_vec();
        send(&mut bytes, &FromAgent::Claim).unwrap();
        assert_eq!(receive_hello(&mut &bytes[..]).unwrap(), Some(FromAgent::Claim));
        assert_eq!(receive_hello(&mut &b"bench-host: not found\n"[..]).unwrap(), None);
        assert!(receive_hello(&mut "hello\n".repeat(2_000).as_bytes()).is_err());
    }
}
