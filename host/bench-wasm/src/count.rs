//! What operations of a component do, counted on sessions of their own that are never timed. It must not know what a
//! scenario does, nor guess at what could not be counted.

use crate::error::one_line;
use crate::session::WasmSession;
use crate::{Component, watch};
use bench_drivers::Counts;
use bench_model::{Arguments, ModuleError, Scenario, Session};

/// Counts `operations` operations of `scenario`, after a first one that is not counted: what is done once is none of
/// theirs.
pub(crate) fn counts(
    component: &Component,
    scenario: &Scenario,
    arguments: &Arguments,
    operations: u64,
) -> Result<Counts, ModuleError> {
    let mut session = component.open_session(scenario, arguments)?;
    session.iterate(1)?;
    let before = session.parts().0.data().traffic;
    let mut iterated = Ok(());
    let host_calls = watch::calls(|| iterated = session.iterate(operations).map(drop));
    iterated?;
    let after = session.parts().0.data().traffic;
    let instructions = instructions(component, scenario, arguments, operations)
        .inspect_err(|reason| tracing::debug!(%reason, scenario = scenario.name, "instructions are not counted"));
    Ok(Counts {
        host_calls: Some(host_calls.into_iter().collect()),
        lifted_bytes: Some(after.lifted - before.lifted),
        lowered_bytes: Some(after.lowered - before.lowered),
        instructions: instructions.ok(),
        code_bytes: Some(component.code_bytes()),
    })
}

/// Instructions of `operations` operations: those of a call of twice as many, less those of a call of as many, so that
/// what a call costs whatever it does goes out.
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
        Ok([consumed(&mut session, operations)?, consumed(&mut session, operations.saturating_mul(2))?])
    };
    let [once, twice] = count().map_err(|error: ModuleError| error.to_string())?;
    twice.checked_sub(once).ok_or_else(|| format!("twice as many operations took {twice}, as many {once}"))
}

/// Fuel that a call of `operations` operations takes.
fn consumed(session: &mut WasmSession, operations: u64) -> Result<u64, ModuleError> {
    let left =
        |session: &mut WasmSession| session.parts().0.get_fuel().map_err(|error| ModuleError::Other(one_line(&error)));
    let before = left(session)?;
    session.iterate(operations)?;
    Ok(before - left(session)?)
}
