//! The function called in process: as a session that the host times, and natively also for the driver `function`.

use bench_plugin::prelude::*;
use function_core::{REQUEST, State, expected_response};
use std::hint::black_box;

struct InProcess {
    state: State,
    expected: Vec<u8>,
    answer: Vec<u8>,
    /// Wrong responses.
    wrong: u64,
}

/// A session whose operation handles one request.
pub(crate) fn open(arguments: &Arguments) -> Result<Box<dyn Session>, ModuleError> {
    let state = State::initialise(arguments.size("heap_bytes")?, 0);
    Ok(Box::new(InProcess { state, expected: expected_response(), answer: Vec::new(), wrong: 0 }))
}

impl Session for InProcess {
    fn iterate(&mut self, times: u64) -> Result<Outcome, ModuleError> {
        for _ in 0..times {
            let answer = self.state.handle(black_box(REQUEST));
            self.answer =
                answer.map_err(|error| ModuleError::Other(format!("the function rejected the request: {error}")))?;
            self.wrong += u64::from(self.answer != self.expected);
        }
        Ok(Outcome { operations: times, bytes: times * REQUEST.len() as u64, checksum: self.answer.len() as u64 })
    }

    fn verify(&mut self) -> Result<Vec<Check>, ModuleError> {
        let (expected, found) = (String::from_utf8_lossy(&self.expected), String::from_utf8_lossy(&self.answer));
        Ok(vec![Check::equal("answer", &expected, &found), Check::equal("wrong-answers", &0, &self.wrong)])
    }
}

/// The plug-in as a probe.
#[cfg(not(target_family = "wasm"))]
pub(crate) struct InPlace(State);

#[cfg(not(target_family = "wasm"))]
impl probe_abi::Probe for InPlace {
    const FUNCTION: Option<probe_abi::function::Start> = Some(|heap_bytes, init_ms| {
        let heap_bytes = usize::try_from(heap_bytes).map_err(|_| {
            ModuleError::InvalidArgument(format!("`heap_bytes` is {heap_bytes}, more than this machine can address"))
        })?;
        Ok(Box::new(Self(State::initialise(heap_bytes, init_ms))))
    });

    fn describe() -> Descriptor {
        crate::Function::describe()
    }

    fn open(scenario: &str, arguments: &Arguments, host: Host) -> Result<Box<dyn Session>, ModuleError> {
        crate::Function::open(scenario, arguments, host)
    }
}

#[cfg(not(target_family = "wasm"))]
impl probe_abi::function::Answering for InPlace {
    fn answer(&mut self, body: &[u8]) -> (u16, Vec<u8>) {
        self.0.respond(body)
    }
}
