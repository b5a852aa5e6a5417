//! Corrupts bytes that an operation of a component has written, one in each of many sessions, to see whether `verify` notices.

use super::form::Target;
use super::instance::{Accessed, Functions};
use super::rewrite;
use crate::bindings::workload::exports::bench_host::workload::sessions;
use crate::error::one_line;
use crate::session::{WasmSession, trapped};
use crate::state::State;
use crate::{Component, watch};
use bench_drivers::Corruption;
use bench_model::{Arguments, ModuleError, Scenario, Session};
use bench_sink::digest;
use std::ops::Range;
use std::time::{Duration, Instant};
use wasmtime::component::{Instance, InstancePre};

/// How many bytes are corrupted at most, and how long that may take.
const BYTES_MAX: usize = 200;
const TIME_MAX: Duration = Duration::from_secs(3);

/// Changed bytes with fewer unchanged ones between them belong together.
const GAP: usize = 8;

/// How much is compared at once, because most of a memory is unchanged.
const PAGE: usize = 4096;

/// Imports that keep no result: what the host keeps elsewhere cannot be corrupted in the memory.
const KEEP_NOTHING: [&str; 6] =
    ["metrics#", "monotonic-clock#", "wall-clock#", "random#", "insecure-seed#", "environment#"];

/// Bytes of a memory that an operation has written.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Run {
    memory: usize,
    bytes: Range<usize>,
}

/// One byte of a memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    memory: usize,
    at: usize,
}

/// Corrupts results of one operation of `scenario`.
pub(crate) fn corrupt(
    component: &Component,
    scenario: &Scenario,
    arguments: &Arguments,
) -> Result<Corruption, ModuleError> {
    let subject = Subject::new(component, scenario, arguments)?;
    let mut opened = subject.open()?;
    let before = subject.memories(&mut opened)?;
    let mut iterated = Ok(());
    let calls = watch::calls(|| iterated = opened.session.iterate(1).map(drop));
    iterated?;
    let after = subject.memories(&mut opened)?;
    drop(opened);
    let runs = runs(&before, &after);
    let keeps_nothing = |name: &String| KEEP_NOTHING.iter().any(|interface| name.starts_with(interface));
    let mut found = Corruption {
        written_bytes: runs.iter().map(|run| run.bytes.len() as u64).sum(),
        calls_host: !calls.keys().all(keeps_nothing),
        ..Corruption::default()
    };
    let until = Instant::now() + TIME_MAX;
    for place in places(&runs) {
        if Instant::now() >= until {
            break;
        }
        subject.try_one(place, after[place.memory][place.at], &mut found)?;
    }
    Ok(found)
}

/// A component whose memories can be accessed, and what its sessions are opened with.
struct Subject<'a> {
    component: &'a Component,
    scenario: &'a Scenario,
    arguments: &'a Arguments,
    instance: InstancePre<State>,
    sessions: sessions::GuestIndices,
    functions: Functions,
}

struct Opened {
    session: WasmSession,
    instance: Instance,
}

impl<'a> Subject<'a> {
    fn new(component: &'a Component, scenario: &'a Scenario, arguments: &'a Arguments) -> Result<Self, ModuleError> {
        let failed = |error: wasmtime::Error| out_of_reach(&one_line(&error));
        let bytes = component.bytes().map_err(ModuleError::Other)?;
        let bytes = rewrite::rewrite(&bytes).map_err(|why| out_of_reach(&why.to_string()))?;
        let runtime = component.runtime();
        let code = runtime.compile(component.path(), &bytes, &digest::of_bytes(&bytes));
        let code = code.map_err(|error| out_of_reach(&error.to_string()))?.component;
        let instance = component.link(runtime, &code).map_err(failed)?;
        let sessions = sessions::GuestIndices::new(&instance).map_err(failed)?;
        let functions = Functions::of(&code).ok_or_else(|| out_of_reach("it was compiled without an accessor"))?;
        Ok(Self { component, scenario, arguments, instance, sessions, functions })
    }

    fn open(&self) -> Result<Opened, ModuleError> {
        let failed = |error: wasmtime::Error| trapped("instantiation", &error);
        let mut store = self.component.store(&self.scenario.metrics)?;
        let instance = self.instance.instantiate(&mut store).map_err(failed)?;
        let exports = self.sessions.load(&mut store, &instance).map_err(failed)?;
        let session = WasmSession::open(store, exports, &self.scenario.name, self.arguments)?;
        Ok(Opened { session, instance })
    }

    /// Copies of all memories.
    fn memories(&self, opened: &mut Opened) -> Result<Vec<Vec<u8>>, ModuleError> {
        self.look(opened, |memories| memories.iter().map(|memory| memory.to_vec()).collect())
    }

    /// Has `body` look at all memories where they lie.
    fn look<R>(&self, opened: &mut Opened, body: impl FnOnce(&[&[u8]]) -> R) -> Result<R, ModuleError> {
        let (store, _) = opened.session.parts();
        let mut accessed = Accessed { store: &mut *store, instance: &opened.instance, functions: &self.functions };
        let contents = accessed.contents().map_err(|error| out_of_reach(&one_line(&error)))?;
        Ok(body(&contents.view(store).memories))
    }

    /// Corrupts the byte at `place`, which is `byte` after an operation, in a session of its own.
    fn try_one(&self, place: Place, byte: u8, found: &mut Corruption) -> Result<(), ModuleError> {
        let mut opened = self.open()?;
        opened.session.iterate(1)?;
        let now = self.look(&mut opened, |memories| {
            memories.get(place.memory).and_then(|memory| memory.get(place.at).copied())
        })?;
        if now != Some(byte) {
            // This session has its result elsewhere.
            return Ok(());
        }
        let (store, _) = opened.session.parts();
        let mut accessed = Accessed { store, instance: &opened.instance, functions: &self.functions };
        let written = accessed.write(place.memory, place.at, &[byte ^ 1]);
        written.map_err(|error| out_of_reach(&one_line(&error)))?;
        found.corrupted += 1;
        match opened.session.verify() {
            Ok(checks) => found.seen += u64::from(checks.iter().any(|check| !check.passed)),
            // A pointer or a length, not a result.
            Err(ModuleError::Crashed(_)) => found.crashed += 1,
            Err(_) => found.seen += 1,
        }
        Ok(())
    }
}

fn out_of_reach(why: &str) -> ModuleError {
    ModuleError::Unavailable(format!("its memory cannot be accessed: {why}"))
}

/// What an operation has written, in the order of the memories. A memory that has grown was zero before.
fn runs(before: &[Vec<u8>], after: &[Vec<u8>]) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for (memory, now) in after.iter().enumerate() {
        let then = before.get(memory).map_or(&[][..], Vec::as_slice);
        for (page, bytes) in now.chunks(PAGE).enumerate() {
            let start = page * PAGE;
            if then.get(start..start + bytes.len()) == Some(bytes) {
                continue;
            }
            for (at, byte) in bytes.iter().enumerate().map(|(offset, byte)| (start + offset, byte)) {
                if then.get(at).copied().unwrap_or_default() == *byte {
                    continue;
                }
                match runs.last_mut().filter(|run| run.memory == memory && at <= run.bytes.end + GAP) {
                    Some(run) => run.bytes.end = at + 1,
                    None => runs.push(Run { memory, bytes: at..at + 1 }),
                }
            }
        }
    }
    runs
}

/// The bytes to corrupt: spread over all runs, those of short runs first, because results are shorter than buffers.
fn places(runs: &[Run]) -> Vec<Place> {
    let mut chosen: Vec<&Run> = runs.iter().step_by(runs.len().div_ceil(BYTES_MAX).max(1)).collect();
    chosen.sort_by_key(|run| run.bytes.len());
    let each = (BYTES_MAX / chosen.len().max(1)).max(1);
    let mut places = Vec::new();
    for run in chosen {
        let stride = run.bytes.len().div_ceil(each).max(1);
        places.extend(run.bytes.clone().step_by(stride).map(|at| Place { memory: run.memory, at }));
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_changed_bytes_that_lie_together() {
        let before = vec![vec![0; 2 * PAGE], Vec::new()];
        let mut after = vec![vec![0; 2 * PAGE], vec![0; 16]];
        for at in [10, 12, 20, 40, PAGE + 1] {
            after[0][at] = 1;
        }
        after[1][3] = 1;
        let expect = [(0, 10..21), (0, 40..41), (0, PAGE + 1..PAGE + 2), (1, 3..4)];
        assert_eq!(runs(&before, &after), expect.map(|(memory, bytes)| Run { memory, bytes }));
        assert!(runs(&after, &after).is_empty());
    }

    #[test]
    fn places_are_spread_over_all_runs_and_bounded() {
        let run = |bytes| Run { memory: 0, bytes };
        let found = places(&[run(0..1_000_000), run(2_000_000..2_000_004)]);
        assert!(found.len() <= BYTES_MAX + 1, "{}", found.len());
        let first: Vec<_> = found[..5].iter().map(|place| place.at).collect();
        assert_eq!(first, [2_000_000, 2_000_001, 2_000_002, 2_000_003, 0]);
        assert!(found.last().unwrap().at > 980_000);
        let many: Vec<_> = (0..10_000).map(|at| run(at * 100..at * 100 + 1)).collect();
        assert_eq!(places(&many).len(), BYTES_MAX);
        assert!(places(&[]).is_empty());
    }
}
