//! Calls of a component by the host.

use crate::call_path::CallForm;
use crate::compile;
use crate::reference::{REFERENCES, TypedCalls};
use crate::values::{Vals, are_equal, function_types, visit_resources};
use bench_wasm::Runtime;
use bench_wasm::wasmtime::component::{Component, Func, Instance, Linker, ResourceAny, TypedFunc, Val};
use bench_wasm::wasmtime::{Error, Result, Store};
use synthetic_component::{API, Components, function_name, give_name};

/// An instance of the component that is called.
pub(crate) struct Callee {
    store: Store<()>,
    select: TypedFunc<(u32,), ()>,
    functions: Vec<Called>,
    typed: Vec<TypedCalls>,
}

/// A function, what it is called with, and what it must return.
struct Called {
    func: Func,
    payloads: Vec<Vals>,
    /// The result of the last call.
    found: Vec<Val>,
    has_resources: bool,
}

impl Callee {
    pub(crate) fn new(runtime: &Runtime, components: &Components) -> Result<Self> {
        let engine = runtime.engine();
        let component = compile(runtime, "callee", &components.callee)?;
        let mut store = Store::new(engine, ());
        let instance = Linker::new(engine).instantiate(&mut store, &component)?;
        let select = instance.get_typed_func(&mut store, "select")?;
        let resources = (0..components.resources)
            .map(|number| made(&mut store, &instance, number))
            .collect::<Result<Vec<ResourceAny>>>()?;
        let numbers: Vec<_> = (0..components.functions.len()).collect();
        let types = function_types(engine, &component, API, &numbers)?;
        let mut functions = Vec::with_capacity(types.len());
        for ((number, function), ty) in components.functions.iter().enumerate().zip(&types) {
            let func = exported(&mut store, &instance, &function_name(number))?;
            let payloads = Vals::of_payloads(function, ty, &resources);
            let found = vec![Val::Bool(false); ty.results().len()];
            functions.push(Called { func, payloads, found, has_resources: function.has_resources });
        }
        let references = functions.iter().zip(&components.functions).take(REFERENCES).enumerate();
        let typed = references
            .map(|(number, (called, function))| TypedCalls::new(&store, number, called.func, function))
            .collect::<Result<Vec<_>>>()?;
        Ok(Self { store, select, functions, typed })
    }

    /// Chooses the payload.
    pub(crate) fn select(&mut self, payload: usize) -> Result<()> {
        self.select.call(&mut self.store, (payload as u32,))
    }

    /// Calls the function with this number so many times.
    pub(crate) fn repeat(&mut self, number: usize, form: CallForm, payload: usize, times: u32) -> Result<()> {
        if form == CallForm::Typed {
            return self.typed[number].repeat(&mut self.store, payload, times);
        }
        let called = &mut self.functions[number];
        for _ in 0..times {
            called.func.call(&mut self.store, &called.payloads[payload].arguments, &mut called.found)?;
            if called.has_resources {
                visit_resources(&called.found, &mut |resource| resource.resource_drop(&mut self.store))?;
            }
        }
        Ok(())
    }

    /// Whether the function returned what it has to, in the last dynamic call.
    pub(crate) fn is_right(&self, number: usize, payload: usize) -> bool {
        let called = &self.functions[number];
        are_equal(&called.found, &called.payloads[payload].result)
    }
}

/// A new resource with this number.
fn made(store: &mut Store<()>, instance: &Instance, number: usize) -> Result<ResourceAny> {
    let give = exported(store, instance, &give_name(number))?;
    let mut found = [Val::Bool(false)];
    give.call(store, &[], &mut found)?;
    match found {
        [Val::Resource(resource)] => Ok(resource),
        _ => Err(Error::msg("no resource was made")),
    }
}

/// A function of the interface.
fn exported(store: &mut Store<()>, instance: &Instance, name: &str) -> Result<Func> {
    let interface = instance.get_export_index(&mut *store, None, API);
    let index = instance.get_export_index(&mut *store, interface.as_ref(), name);
    let func = index.and_then(|index| instance.get_func(&mut *store, index));
    func.ok_or_else(|| Error::msg(format!("the component exports no `{name}`")))
}

/// A caller and a callee in one component.
pub(crate) struct Composed {
    store: Store<()>,
    select: [TypedFunc<(u32,), ()>; 2],
    calls: TypedFunc<(), (u64,)>,
    runs: Vec<TypedFunc<(u32,), ()>>,
}

impl Composed {
    pub(crate) fn new(runtime: &Runtime, components: &Components) -> Result<Self> {
        let engine = runtime.engine();
        let component: Component = compile(runtime, "composed", &components.composed)?;
        let mut store = Store::new(engine, ());
        let instance = Linker::new(engine).instantiate(&mut store, &component)?;
        let prepare: TypedFunc<(), ()> = instance.get_typed_func(&mut store, "prepare")?;
        prepare.call(&mut store, ())?;
        let select = [
            instance.get_typed_func(&mut store, "select-caller")?,
            instance.get_typed_func(&mut store, "select-callee")?,
        ];
        let calls = instance.get_typed_func(&mut store, "calls")?;
        let names = (0..components.functions.len()).map(synthetic_component::run_name);
        let runs = names.map(|name| instance.get_typed_func(&mut store, &*name)).collect::<Result<Vec<_>>>()?;
        Ok(Self { store, select, calls, runs })
    }

    /// Chooses the payload, of arguments and of results.
    pub(crate) fn select(&mut self, payload: usize) -> Result<()> {
        self.select.iter().try_for_each(|select| select.call(&mut self.store, (payload as u32,)))
    }

    /// Calls the function with this number so many times.
    pub(crate) fn repeat(&mut self, number: usize, times: u32) -> Result<()> {
        self.runs[number].call(&mut self.store, (times,))
    }

    /// How many calls have arrived at the callee.
    pub(crate) fn calls(&mut self) -> Result<u64> {
        Ok(self.calls.call(&mut self.store, ())?.0)
    }
}
