//! The extension `bench-host:tabular/0.1` of a probe's table, which keeps panics on this side of the boundary.

use super::{accept, arguments, guard};
use crate::{Probe, raw, tabular};
use bench_model::ModuleError;
use std::ffi::c_void;
use std::marker::PhantomData;

/// The table, where the probe has stages.
pub(super) fn table<P: Probe>() -> Option<*const c_void> {
    let table = const { &Stages::<P>::TABLE };
    P::STAGES.is_some().then_some((&raw const *table).cast())
}

struct Stages<P>(PhantomData<P>);

impl<P: Probe> Stages<P> {
    const TABLE: raw::Stages = raw::Stages { size: size_of::<raw::Stages>(), run: run::<P> };
}

unsafe extern "C" fn run<P: Probe>(
    host: *const raw::Host,
    scenario: raw::Str,
    args: *const raw::Arg,
    args_len: usize,
    input: *const raw::StageInput,
    table_out: *mut raw::ArrowArrayStream,
) -> raw::Status {
    // SAFETY: the host passes a table whose first member is its size, and keeps it until the process ends.
    let Some(host) = (unsafe { accept(host) }) else { return raw::INVALID_STATE };
    guard(host, || {
        let run = P::STAGES.ok_or_else(|| ModuleError::Other("the probe has no stages".to_owned()))?;
        // SAFETY: the host passes an input, texts and arguments that it keeps for the duration of the call.
        let (input, scenario, args) = unsafe { (*input, scenario.text(), raw::slice(args, args_len)) };
        // SAFETY: the host lends as many files, and as many tables.
        let (files, tables) =
            unsafe { (raw::slice(input.files, input.files_len), raw::slice(input.tables, input.tables_len)) };
        // SAFETY: the host lends the bytes of each file for the duration of the call.
        let files: Vec<_> = files.iter().map(|file| unsafe { raw::slice(file.ptr, file.len) }).collect();
        // SAFETY: each is a stream that is the probe's to take over.
        let tables = tables.iter().map(|table| unsafe { tabular::read(*table) }).collect::<Result<Vec<_>, _>>()?;
        let result = run(&scenario, &arguments::<P>(&scenario, args)?, &files, tables)?;
        // SAFETY: the host passes room for one stream.
        unsafe { tabular::write(result, table_out) }
    })
}
