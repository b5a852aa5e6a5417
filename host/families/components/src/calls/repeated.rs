//! Repeats a call: to one instance, typed where the signature has a typed call, or to a new instance each time.

use super::awaited::{AwaitedCalls, executor, function};
use super::parse::{ParsedCall, show};
use super::typed::typed;
use bench_model::ModuleError;
use bench_wasm::wasmtime::component::{ComponentExportIndex, Func, Val};
use bench_wasm::wasmtime::{Error, Result, Store};
use bench_wasm::{Component, Instances, State, StoreObserver, trapped};
use tokio::runtime::Runtime;

/// A function, its arguments, and the result that it must have.
pub(super) trait Calling {
    /// Calls it `times` times; returns the first result that differs, if one does.
    fn call(&mut self, store: &mut Store<State>, times: u64) -> Result<Option<Vec<Val>>>;

    /// How it is called, for reports.
    fn path(&self) -> &'static str;
}

/// A call that can be repeated.
pub(super) trait Repeated {
    /// Makes it `times` times; returns the first result that differs, if one does.
    fn repeat(&mut self, times: u64) -> Result<Option<Vec<Val>>>;

    /// The store of its instance; `None` if each call has an instance of its own.
    fn store(&mut self) -> Option<&mut Store<State>>;

    /// What observes the stores of calls that have an instance of their own.
    fn observer(&mut self) -> Option<&mut StoreObserver> {
        None
    }

    /// How it is made, for reports.
    fn path(&self) -> &'static str;

    /// Makes it once, in the way that every signature has; returns its result.
    fn once(&mut self) -> Result<Vec<Val>>;
}

/// Whether the calls are awaited: those of an async function, and all of a component whose host may wait.
fn is_awaited(component: &Component, call: &ParsedCall<'_>) -> bool {
    call.export.ty.async_() || component.runtime().awaits_calls()
}

/// Makes the first call, and prepares to repeat it in its instance. Returns its result, too.
pub(super) fn reused(
    component: &Component,
    call: &ParsedCall<'_>,
) -> Result<(Box<dyn Repeated>, Vec<Val>), ModuleError> {
    if is_awaited(component, call) {
        let (calls, result) = AwaitedCalls::first(component, call)?;
        return Ok((Box::new(calls), result));
    }
    let reused = Reused::first(component, call)?;
    let result = reused.result.clone();
    Ok((Box::new(reused), result))
}

/// Prepares to repeat the call, each time in a new instance, with this result.
pub(super) fn per_call(
    component: &Component,
    call: &ParsedCall<'_>,
    expected: Vec<Val>,
) -> Result<Box<dyn Repeated>, ModuleError> {
    let executor = is_awaited(component, call).then(executor).transpose()?;
    let (function, arguments) = (call.export.index, call.arguments.clone());
    Ok(Box::new(PerCall { instances: component.instances(), executor, function, arguments, expected }))
}

/// Calls of one instance.
struct Reused {
    store: Store<State>,
    calling: Box<dyn Calling>,
    function: Func,
    arguments: Vec<Val>,
    /// The result of the first call.
    result: Vec<Val>,
}

impl Reused {
    fn first(component: &Component, call: &ParsedCall<'_>) -> Result<Self, ModuleError> {
        let mut store = component.store(&[])?;
        let instance = component.instance_pre().instantiate(&mut store);
        let instance = instance.map_err(|error| trapped("instantiation", &error))?;
        let function = instance.get_func(&mut store, call.export.index);
        let function = function.ok_or_else(|| ModuleError::Other(format!("`{}` is not exported", call.export.name)))?;
        let mut results = vec![Val::Bool(false); call.export.ty.results().len()];
        let called = function.call(&mut store, &call.arguments, &mut results);
        called.map_err(|error| trapped(call.text, &error))?;
        let typed = typed(&store, function, &call.arguments, &results);
        let dynamic = || -> Box<dyn Calling> {
            Box::new(DynamicCall {
                function,
                arguments: call.arguments.clone(),
                expected: results.clone(),
                found: results.clone(),
            })
        };
        let calling = typed.unwrap_or_else(dynamic);
        Ok(Self { store, calling, function, arguments: call.arguments.clone(), result: results })
    }
}

impl Repeated for Reused {
    #[inline]
    fn repeat(&mut self, times: u64) -> Result<Option<Vec<Val>>> {
        self.calling.call(&mut self.store, times)
    }

    fn store(&mut self) -> Option<&mut Store<State>> {
        Some(&mut self.store)
    }

    fn path(&self) -> &'static str {
        self.calling.path()
    }

    fn once(&mut self) -> Result<Vec<Val>> {
        let mut results = self.result.clone();
        self.function.call(&mut self.store, &self.arguments, &mut results)?;
        Ok(results)
    }
}

/// A call with dynamic values, for every signature.
struct DynamicCall {
    function: Func,
    arguments: Vec<Val>,
    expected: Vec<Val>,
    found: Vec<Val>,
}

impl Calling for DynamicCall {
    fn call(&mut self, store: &mut Store<State>, times: u64) -> Result<Option<Vec<Val>>> {
        for _ in 0..times {
            self.function.call(&mut *store, &self.arguments, &mut self.found)?;
            if !is_same(&self.found, &self.expected) {
                return Ok(Some(self.found.clone()));
            }
        }
        Ok(None)
    }

    fn path(&self) -> &'static str {
        "dynamic"
    }
}

/// Whether the results are equal. A result that is not a number equals itself, as it is written.
pub(super) fn is_same(one: &[Val], other: &[Val]) -> bool {
    one == other || show(one) == show(other)
}

/// Calls of new instances.
struct PerCall {
    instances: Instances,
    /// What awaits them, if they are awaited.
    executor: Option<Runtime>,
    function: ComponentExportIndex,
    arguments: Vec<Val>,
    expected: Vec<Val>,
}

impl Repeated for PerCall {
    fn repeat(&mut self, times: u64) -> Result<Option<Vec<Val>>> {
        for _ in 0..times {
            let results = self.once()?;
            if !is_same(&results, &self.expected) {
                return Ok(Some(results));
            }
        }
        Ok(None)
    }

    fn store(&mut self) -> Option<&mut Store<State>> {
        None
    }

    fn observer(&mut self) -> Option<&mut StoreObserver> {
        Some(self.instances.observer())
    }

    fn path(&self) -> &'static str {
        if self.executor.is_some() {
            "dynamic, awaited, each in a new instance"
        } else {
            "dynamic, each in a new instance"
        }
    }

    fn once(&mut self) -> Result<Vec<Val>> {
        let mut results = self.expected.clone();
        let store = self.instances.store(&[], |_| ());
        let mut store = store.map_err(|error| Error::msg(error.to_string()))?;
        let Some(executor) = &self.executor else {
            let instance = self.instances.pre().instantiate(&mut store)?;
            function(&mut store, &instance, self.function)?.call(&mut store, &self.arguments, &mut results)?;
            return Ok(results);
        };
        executor.block_on(async {
            let instance = self.instances.pre().instantiate_async(&mut store).await?;
            function(&mut store, &instance, self.function)?.call_async(&mut store, &self.arguments, &mut results).await
        })?;
        Ok(results)
    }
}
