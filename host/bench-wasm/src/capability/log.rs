//! `bench-host:log`: each payload is copied between the component's memory and the log's mapped files, which is what the
//! boundary costs.

use super::{Capability, total_bytes};
use crate::state::State;
use bindings::bench_host::log::log;
use session_log::{LogFault, Logs, OpenError, Options, SessionLog};
use wasmtime::Result;
use wasmtime::component::{HasSelf, Linker, Resource};

#[allow(missing_docs, unreachable_pub, clippy::all, reason = "generated")]
mod bindings {
    wasmtime::component::bindgen!({
        path: "../../wit/log",
        world: "client",
        imports: { default: tracing | trappable },
        with: { "bench-host:log/log.log": session_log::SessionLog },
    });
}

/// The logs of a session, which a slot of its state counts.
pub(super) struct LogCapability;

impl Capability for LogCapability {
    fn link(&self, linker: &mut Linker<State>) -> Result<()> {
        log::add_to_linker::<_, HasSelf<State>>(linker, |state| state)
    }
}

impl log::Host for State {}

impl log::HostLog for State {
    fn open(
        &mut self,
        directory: String,
        durability: log::Durability,
        page_state: log::PageState,
        segment_bytes: u64,
    ) -> Result<Result<Resource<SessionLog>, log::Error>> {
        let options = Options { durability: durability.into(), page_state: page_state.into(), segment_bytes };
        self.body(move |state| match opened(state, &directory, options) {
            Ok(log) => Ok(Ok(state.table.push(log)?)),
            Err(error) => Ok(Err(error)),
        })
    }

    fn append(&mut self, log: Resource<SessionLog>, payload: Vec<u8>) -> Result<Result<u64, log::Error>> {
        self.body(move |state| {
            state.traffic.lifted += payload.len() as u64;
            Ok(state.table.get_mut(&log)?.append(&payload).map_err(log::Error::from))
        })
    }

    fn append_batch(
        &mut self,
        log: Resource<SessionLog>,
        payloads: Vec<Vec<u8>>,
    ) -> Result<Result<log::Range, log::Error>> {
        self.body(move |state| {
            state.traffic.lifted += total_bytes(&payloads);
            let appended = state.table.get_mut(&log)?.append_batch(payloads.iter().map(Vec::as_slice));
            Ok(appended.map(|range| log::Range { start: range.start, end: range.end }).map_err(log::Error::from))
        })
    }

    fn read(&mut self, log: Resource<SessionLog>, sequence: u64) -> Result<Result<Vec<u8>, log::Error>> {
        self.body(move |state| {
            let payload = state.table.get_mut(&log)?.read(sequence).map(<[u8]>::to_vec);
            state.traffic.lowered += payload.as_ref().map_or(0, Vec::len) as u64;
            Ok(payload.map_err(log::Error::from))
        })
    }

    fn first_sequence(&mut self, log: Resource<SessionLog>) -> Result<u64> {
        self.body(move |state| Ok(state.table.get_mut(&log)?.first_sequence()))
    }

    fn next_sequence(&mut self, log: Resource<SessionLog>) -> Result<u64> {
        self.body(move |state| Ok(state.table.get(&log)?.next_sequence()))
    }

    fn sync(&mut self, log: Resource<SessionLog>) -> Result<Result<u64, log::Error>> {
        self.body(move |state| Ok(state.table.get_mut(&log)?.sync().map_err(log::Error::from)))
    }

    fn drop(&mut self, log: Resource<SessionLog>) -> Result<()> {
        self.body(move |state| {
            state.table.delete(log)?;
            Ok(())
        })
    }
}

/// A log for `directory`, if that is a scratch folder of the session. Its files are next to that folder: a component could put a link
/// in their place, or make a mapped one shorter, which would end the process.
fn opened(state: &mut State, directory: &str, options: Options) -> Result<SessionLog, log::Error> {
    let scratch = state.scratch.iter().find(|scratch| scratch.guest == directory);
    let scratch = scratch.ok_or_else(|| log::Error {
        fault: log::Fault::Denied,
        reason: format!(
            "`{directory}` is not a scratch folder of this session; pass what a parameter required as `scratch:NAME` has"
        ),
    })?;
    let folder = scratch.beside.clone();
    state.slot::<Logs>().open(&folder, options).map_err(|error| {
        let reason = error.to_string();
        let fault = match error {
            OpenError::Log(fault) => return fault.into(),
            OpenError::TooMany | OpenError::SegmentBytes(_) => log::Fault::Invalid,
            OpenError::Folder { .. } => log::Fault::Other,
            OpenError::Unsupported => log::Fault::Denied,
        };
        log::Error { fault, reason }
    })
}

vocabulary::log_conversions!(log);

impl From<LogFault> for log::Error {
    fn from(LogFault { fault, reason }: LogFault) -> Self {
        Self { fault: fault.into(), reason }
    }
}
