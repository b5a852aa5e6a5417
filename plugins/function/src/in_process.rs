//! The function called in place, as a session that the host times. It must not know which arm it is built for.

use bench_plugin::prelude::*;
use function_core::{REQUEST, State, expected_response};
use std::hint::black_box;

struct InProcess {
    state: State,
    expected: Vec<u8>,
    answer: Vec<u8>,
    /// Answers that were not the expected one.
    wrong: u64,
}

/// A session whose operation answers one request.
pub(crate) fn open(arguments: &Arguments) -> Result<Box<dyn Session>, ModuleError> {
    let state = State::initialise(arguments.size("heap_bytes")?, 0);
    Ok(Box::new(InProcess { state, expected: expected_response(), answer: Vec::new(), wrong: 0 }))
}

impl Session for InProcess {
    fn iterate(&mut self, times: u64) -> Result<Outcome, ModuleError> {
        for _ in 0..times {
            let answer = self.state.handle(black_box(REQUEST));
            self.answer = answer.map_err(|error| ModuleError::Other(format!("the request is refused: {error}")))?;
            self.wrong += u64::from(self.answer != self.expected);
        }
        Ok(Outcome { operations: times, bytes: times * REQUEST.len() as u64, checksum: self.answer.len() as u64 })
    }

    fn verify(&mut self) -> Result<Vec<Check>, ModuleError> {
        let (expected, found) = (String::from_utf8_lossy(&self.expected), String::from_utf8_lossy(&self.answer));
        Ok(vec![Check::equal("answer", &expected, &found), Check::equal("wrong-answers", &0, &self.wrong)])
    }
}
