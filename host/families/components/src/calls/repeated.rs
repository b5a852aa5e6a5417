//! Repeats a call: to one instance, typed where the signature has a typed call, or to a new instance each time.

use super::parse::{ParsedCall, show};
use super::typed::typed;
use bench_model::ModuleError;
use bench_wasm::wasmtime::component::{ComponentExportIndex, Func, Val};
use bench_wasm::wasmtime::{Error, Result, Store};
use bench_wasm::{Component, Instances, State, trapped};

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

    /// How it is made, for reports.
    fn path(&self) -> &'static str;

    /// Makes it once, in the way that every signature has; returns its result.
    fn once(&mut self) -> Result<Vec<Val>>;
}

/// Makes the first call, and prepares to repeat it.
pub(super) fn first_result(component: &Component, call: &ParsedCall<'_>) -> Result<Reused, ModuleError> {
    let mut store = component.store(&[])?;
    let instance = component.instance_pre().instantiate(&mut store);
    let instance = instance.map_err(|error| trapped("instantiation", &error))?;
    let function = instance.get_func(&mut store, call.export.index);
    let function = function.ok_or_else(|| ModuleError::Other(format!("`{}` is not exported", call.export.name)))?;
    if call.export.ty.async_() {
        let reason = format!(
            "`{}` is an async function of WASI 0.3, which is not run; export it without `async`",
            call.export.name
        );
        return Err(ModuleError::Unavailable(reason));
    }
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
    Ok(Reused { store, calling, function, arguments: call.arguments.clone(), result: results })
}

/// Calls of one instance.
pub(super) struct Reused {
    store: Store<State>,
    calling: Box<dyn Calling>,
    function: Func,
    arguments: Vec<Val>,
    /// The result of the first call.
    pub(super) result: Vec<Val>,
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
fn is_same(one: &[Val], other: &[Val]) -> bool {
    one == other || show(one) == show(other)
}

/// Calls of new instances.
pub(super) struct PerCall {
    instances: Instances,
    function: ComponentExportIndex,
    arguments: Vec<Val>,
    expected: Vec<Val>,
}

impl PerCall {
    pub(super) fn new(component: &Component, call: &ParsedCall<'_>, expected: Vec<Val>) -> Self {
        let (function, arguments) = (call.export.index, call.arguments.clone());
        Self { instances: component.instances(), function, arguments, expected }
    }
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

    fn path(&self) -> &'static str {
        "dynamic, each in a new instance"
    }

    fn once(&mut self) -> Result<Vec<Val>> {
        let mut results = self.expected.clone();
        let store = self.instances.store(&[], |_| ());
        let mut store = store.map_err(|error| Error::msg(error.to_string()))?;
        let instance = self.instances.pre().instantiate(&mut store)?;
        let function = instance.get_func(&mut store, self.function);
        let function = function.ok_or_else(|| Error::msg("the function is not exported"))?;
        function.call(&mut store, &self.arguments, &mut results)?;
        Ok(results)
    }
}
