//! A session: starts the function repeatedly, interleaved with its baseline, and checks every response.

use crate::Companion;
use crate::listener::{Listener, NoResponse};
use crate::options::{Options, SCENARIO, StartMethod};
use crate::start::{Restore, Script, Spawn, Start, Zygote};
use bench_model::{Check, ModuleError, Outcome, Session};
use probe_abi::Host;
use std::time::Instant;

/// Bytes of a wrong response that are shown.
const SHOWN_BYTES: usize = 200;

struct ColdStarts {
    // Fields are dropped in order: the processes before the socket that they listen on.
    start: Box<dyn Start>,
    listener: Listener,
    host: Option<Host>,
    expected: Vec<u8>,
    answers: u64,
    wrong: Option<String>,
}

/// Prepares what is needed once for any number of starts.
pub(crate) fn open(
    options: &Options,
    companion: Companion,
    host: Option<Host>,
) -> Result<Box<dyn Session>, ModuleError> {
    let listener = Listener::new()
        .map_err(|error| ModuleError::Unavailable(format!("cannot create a socket for the function: {error}")))?;
    let start: Box<dyn Start> = match options.method {
        StartMethod::Spawn(exec) => Box::new(Spawn::new(exec, options, companion, &listener)?),
        StartMethod::Script(language) => Box::new(Script::new(language, options, &listener)?),
        StartMethod::Zygote => Box::new(Zygote::new(options, &companion, &listener)?),
        StartMethod::Restore { lazy } => Box::new(Restore::new(lazy, options, companion, &listener)?),
    };
    let expected = function_core::expected_response();
    Ok(Box::new(ColdStarts { start, listener, host, expected, answers: 0, wrong: None }))
}

impl ColdStarts {
    fn once(&mut self) -> Result<(), ModuleError> {
        if let Some((metric, ns)) = self.start.bare(&self.listener)? {
            self.record(metric, &[], ns)?;
        }
        self.start.prepare()?;
        let mut pending = self.listener.ask()?;
        let asked = Instant::now();
        self.start.start()?;
        let mut watching = true;
        let message = loop {
            let no_response = match pending.answer(self.start.watch().filter(|_| watching)) {
                Ok(message) => break message,
                Err(no_response) => no_response,
            };
            let NoResponse::Failed(reason) = no_response else {
                watching = false;
                self.start.handle_change(asked)?;
                continue;
            };
            return Err(ModuleError::Other(format!("no response from the function: {reason}{}", self.start.failure())));
        };
        let is_right = message.line == "HTTP/1.1 200 OK" && message.body == self.expected;
        let ns = asked.elapsed().as_nanos() as u64;
        drop(pending);
        for (name, ns) in self.start.end(asked)? {
            self.record("stage", &[("name", name)], ns)?;
        }
        self.answers += 1;
        if is_right {
            return self.record(SCENARIO, &[], ns);
        }
        let body = String::from_utf8_lossy(&message.body[..message.body.len().min(SHOWN_BYTES)]).into_owned();
        self.wrong.get_or_insert(format!("start {}: {}: {body}", self.answers, message.line));
        Ok(())
    }

    fn record(&self, metric: &str, labels: &[(&str, &str)], ns: u64) -> Result<(), ModuleError> {
        if let Some(host) = self.host {
            host.series(metric, labels)?.record(ns);
        }
        Ok(())
    }
}

impl Session for ColdStarts {
    fn iterate(&mut self, times: u64) -> Result<Outcome, ModuleError> {
        for _ in 0..times {
            self.once()?;
        }
        Ok(Outcome { operations: times, bytes: 0, checksum: fnv(&self.expected) })
    }

    fn verify(&mut self) -> Result<Vec<Check>, ModuleError> {
        let detail = match &self.wrong {
            Some(wrong) => format!("{wrong}; expected {}", String::from_utf8_lossy(&self.expected)),
            None => format!("{} first responses equal the expected response", self.answers),
        };
        Ok(vec![Check::that("first-answers", self.wrong.is_none() && self.answers > 0, detail)])
    }
}

/// FNV-1a, 64 bits: <http://www.isthe.com/chongo/tech/comp/fnv/>.
fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
}
