//! Calls that are awaited, by an executor on this thread: those of async functions, and all of a component of WASI 0.3, whose host may
//! wait. They have dynamic values.

use super::parse::ParsedCall;
use super::repeated::{Repeated, is_same};
use bench_model::ModuleError;
use bench_wasm::wasmtime::component::{ComponentExportIndex, Func, Instance, Val};
use bench_wasm::wasmtime::{Error, Result, Store};
use bench_wasm::{Component, State, trapped};
use tokio::runtime::{Builder, Runtime};

/// The executor of one session.
pub(super) fn executor() -> Result<Runtime, ModuleError> {
    let executor = Builder::new_current_thread().enable_all().build();
    executor.map_err(|error| ModuleError::Unavailable(format!("no executor for async calls: {error}")))
}

/// The function in an instance.
pub(super) fn function(store: &mut Store<State>, instance: &Instance, index: ComponentExportIndex) -> Result<Func> {
    instance.get_func(store, index).ok_or_else(|| Error::msg("the function is not exported"))
}

/// Calls of one instance.
pub(super) struct AwaitedCalls {
    store: Store<State>,
    executor: Runtime,
    function: Func,
    arguments: Vec<Val>,
    /// The result of the first call.
    expected: Vec<Val>,
    found: Vec<Val>,
}

impl AwaitedCalls {
    /// Makes the first call. Returns its result, too.
    pub(super) fn first(component: &Component, call: &ParsedCall<'_>) -> Result<(Self, Vec<Val>), ModuleError> {
        let (mut store, executor) = (component.store(&[])?, executor()?);
        let instance = executor.block_on(component.instance_pre().instantiate_async(&mut store));
        let instance = instance.map_err(|error| trapped("instantiation", &error))?;
        let function = function(&mut store, &instance, call.export.index);
        let function = function.map_err(|error| trapped(call.text, &error))?;
        let found = vec![Val::Bool(false); call.export.ty.results().len()];
        let arguments = call.arguments.clone();
        let mut calls = Self { store, executor, function, arguments, expected: Vec::new(), found };
        calls.expected = calls.once().map_err(|error| trapped(call.text, &error))?;
        let result = calls.expected.clone();
        Ok((calls, result))
    }
}

impl Repeated for AwaitedCalls {
    fn repeat(&mut self, times: u64) -> Result<Option<Vec<Val>>> {
        let Self { store, executor, function, arguments, expected, found } = self;
        executor.block_on(async {
            for _ in 0..times {
                function.call_async(&mut *store, arguments, found).await?;
                if !is_same(found, expected) {
                    return Ok(Some(found.clone()));
                }
            }
            Ok::<_, Error>(None)
        })
    }

    fn store(&mut self) -> Option<&mut Store<State>> {
        Some(&mut self.store)
    }

    fn path(&self) -> &'static str {
        "dynamic, awaited"
    }

    fn once(&mut self) -> Result<Vec<Val>> {
        let Self { store, executor, function, arguments, found, .. } = self;
        executor.block_on(function.call_async(store, arguments, found))?;
        Ok(found.clone())
    }
}
