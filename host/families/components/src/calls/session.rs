//! A session of the scenario `call`.

use super::parse::{ParsedCall, parse_result, show};
use super::repeated::{Repeated, per_call, reused};
use bench_drivers::Recording;
use bench_model::{Check, ModuleError, Outcome, Session};
use bench_sink::{Sink, digest};
use bench_wasm::wasmtime::Store;
use bench_wasm::{Component, ComponentSession, State, StoreObserver, trapped};

/// A call that is repeated.
pub(super) struct CallSession {
    call: Box<dyn Repeated>,
    /// The call as the user wrote it.
    text: String,
    /// The result of the first call, in WAVE notation.
    result: String,
    /// The result that the user expects, in WAVE notation.
    expected: Option<String>,
    checksum: u64,
    calls: u64,
    sink: Sink,
}

impl CallSession {
    /// Makes the first call, whose result all others must have.
    pub(super) fn open(
        component: &Component,
        call: &ParsedCall<'_>,
        expect: &str,
        is_reused: bool,
    ) -> Result<Self, ModuleError> {
        let expected = if expect.is_empty() { None } else { Some(parse_result(expect, call.export)) };
        let expected = expected.transpose().map_err(ModuleError::InvalidArgument)?.map(|value| show(&[value]));
        let (reused, first) = reused(component, call)?;
        let result = show(&first);
        Ok(Self {
            checksum: checksum(result.as_bytes()),
            call: if is_reused { reused } else { per_call(component, call, first)? },
            text: call.text.to_owned(),
            result,
            expected,
            calls: 0,
            sink: Sink::default(),
        })
    }
}

/// The first eight bytes of the SHA-256 of a result.
fn checksum(bytes: &[u8]) -> u64 {
    let digest = digest::of_bytes(bytes);
    u64::from_str_radix(&digest[..16], 16).expect("a digest has hexadecimal digits")
}

impl Session for CallSession {
    #[inline]
    fn iterate(&mut self, times: u64) -> Result<Outcome, ModuleError> {
        match self.call.repeat(times) {
            Ok(None) => {
                self.calls += times;
                Ok(Outcome { operations: times, bytes: 0, checksum: self.checksum })
            }
            Ok(Some(other)) => Err(ModuleError::Other(format!(
                "the result of `{}` changed from `{}` to `{}`; a benchmark needs a call that always has the same result",
                self.text,
                self.result,
                show(&other)
            ))),
            Err(error) => Err(trapped(&self.text, &error)),
        }
    }

    fn verify(&mut self) -> Result<Vec<Check>, ModuleError> {
        let again = show(&self.call.once().map_err(|error| trapped(&self.text, &error))?);
        let detail = format!("{} = {again}, after {} calls ({})", self.text, self.calls, self.call.path());
        let same = Check::that("same-result", again == self.result, detail);
        let expected = self.expected.as_ref().map(|expected| Check::equal("expected-result", expected, &self.result));
        Ok(std::iter::once(same).chain(expected).collect())
    }
}

impl Recording for CallSession {
    fn sink(&mut self) -> &mut Sink {
        &mut self.sink
    }
}

impl ComponentSession for CallSession {
    fn store(&mut self) -> Option<&mut Store<State>> {
        self.call.store()
    }

    fn observer(&mut self) -> Option<&mut StoreObserver> {
        self.call.observer()
    }
}
