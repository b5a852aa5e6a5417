//! Counts calls, bytes and instructions of a component's operations, in sessions of their own that are never timed. Values that cannot
//! be counted are absent.

use crate::state::Traffic;
use crate::{Component, ComponentSession, watch};
use bench_drivers::Counts;
use bench_model::{Arguments, ModuleError, Scenario};

/// Counts `operations` operations of `scenario`, after a first one that is not counted, so that one-time work is excluded.
pub(crate) fn counts(
    component: &Component,
    scenario: &Scenario,
    arguments: &Arguments,
    operations: u64,
) -> Result<Counts, ModuleError> {
    let mut session = component.open_session(scenario, arguments)?;
    session.iterate(1)?;
    let before = traffic(session.as_mut());
    let mut iterated = Ok(());
    let host_calls = watch::calls(|| iterated = session.iterate(operations).map(drop));
    iterated?;
    let after = traffic(session.as_mut());
    let instructions = instructions(component, scenario, arguments, operations)
        .inspect_err(|reason| tracing::debug!(%reason, scenario = scenario.name, "instructions are not counted"));
    Ok(Counts {
        host_calls: Some(host_calls.into_iter().collect()),
        lifted_bytes: after.zip(before).map(|(after, before)| after.lifted - before.lifted),
        lowered_bytes: after.zip(before).map(|(after, before)| after.lowered - before.lowered),
        instructions: instructions.ok(),
        code_bytes: Some(component.code_bytes()),
    })
}

/// Instructions of `operations` operations: those of a call with twice as many, minus those of a call with as many, so that the
/// fixed cost of a call cancels out.
fn instructions(
    component: &Component,
    scenario: &Scenario,
    arguments: &Arguments,
    operations: u64,
) -> Result<u64, String> {
    let runtime = component.runtime().counting().map_err(|error| error.to_string())?;
    let twin = component.twin(&runtime)?;
    let count = || {
        let mut session = twin.open_session(scenario, arguments)?;
        session.iterate(1)?;
        let session = session.as_mut();
        Ok([consumed(session, operations)?, consumed(session, operations.saturating_mul(2))?])
    };
    let [once, twice] = count().map_err(|error: ModuleError| error.to_string())?;
    twice
        .checked_sub(once)
        .ok_or_else(|| format!("{operations} operations took {once} instructions, but twice as many took only {twice}"))
}

/// The fuel that a call with `operations` operations consumes.
fn consumed(session: &mut dyn ComponentSession, operations: u64) -> Result<u64, ModuleError> {
    let before = session.fuel_consumed()?;
    session.iterate(operations)?;
    Ok(session.fuel_consumed()? - before)
}

/// The bytes that capabilities have copied so far; `None` if each operation has an instance of its own.
fn traffic(session: &mut dyn ComponentSession) -> Option<Traffic> {
    Some(session.store()?.data().traffic)
}
