//! Calls of a component by the host.

use crate::call_path::CallForm;
use crate::compile;
use crate::reference::{REFERENCES, TypedCalls};
use crate::values::{Given, Vals, are_equal, function_types, visit_resources};
use bench_wasm::wasmtime::component::{Component, Func, Instance, Linker, ResourceAny, TypedFunc, Val};
use bench_wasm::wasmtime::{Error, Result, Store};
use bench_wasm::{Runtime, wait};
use synthetic_component::{API, Components, function_name, give_name, run_name, stock_name};

/// An instance of the component that is called.
pub(crate) struct Callee {
    store: Store<()>,
    select: TypedFunc<(u32,), ()>,
    functions: Vec<Called>,
    typed: Vec<TypedCalls>,
    /// The functions that make resources.
    gives: Vec<Func>,
    /// The handles that the next calls give away.
    stock: std::vec::IntoIter<ResourceAny>,
}

/// A function, what it is called with, and what it must return.
struct Called {
    func: Func,
    payloads: Vec<Vals>,
    /// The result of the last call.
    found: Vec<Val>,
    has_resources: bool,
    /// For each payload, where its arguments have handles that are given away.
    given: Vec<Vec<Given>>,
}

impl Callee {
    pub(crate) fn new(runtime: &Runtime, components: &Components) -> Result<Self> {
        let engine = runtime.engine();
        let component = compile(runtime, "callee", &components.callee)?;
        let mut store = Store::new(engine, ());
        let instance = Linker::new(engine).instantiate(&mut store, &component)?;
        let select = instance.get_typed_func(&mut store, "select")?;
        let gives = (0..components.resources).map(|number| exported(&mut store, &instance, &give_name(number)));
        let gives = gives.collect::<Result<Vec<Func>>>()?;
        let resources = gives.iter().map(|give| made(&mut store, give)).collect::<Result<Vec<ResourceAny>>>()?;
        let numbers: Vec<_> = (0..components.functions.len()).collect();
        let types = function_types(engine, &component, API, &numbers)?;
        let mut functions = Vec::with_capacity(types.len());
        for ((number, function), ty) in components.functions.iter().enumerate().zip(&types) {
            let func = exported(&mut store, &instance, &function_name(number))?;
            let payloads = Vals::of_payloads(function, ty, &resources);
            let found = vec![Val::Bool(false); ty.results().len()];
            let given = function.samples.iter().map(|sample| Given::of(sample, ty)).collect();
            functions.push(Called { func, payloads, found, has_resources: function.has_resources, given });
        }
        let typed = if components.is_async { 0 } else { REFERENCES };
        let references = functions.iter().zip(&components.functions).take(typed).enumerate();
        let typed = references
            .map(|(number, (called, function))| TypedCalls::new(&store, number, called.func, function))
            .collect::<Result<Vec<_>>>()?;
        Ok(Self { store, select, functions, typed, gives, stock: Vec::new().into_iter() })
    }

    /// Chooses the payload.
    pub(crate) fn select(&mut self, payload: usize) -> Result<()> {
        self.select.call(&mut self.store, (payload as u32,))
    }

    /// Makes the handles that so many calls of the function with this number give away.
    pub(crate) fn prepare(&mut self, number: usize, payload: usize, times: u32) -> Result<()> {
        let given = &self.functions[number].given[payload];
        let mut stock = Vec::with_capacity(given.len() * times as usize);
        for _ in 0..times {
            for given in given {
                stock.push(made(&mut self.store, &self.gives[given.resource as usize])?);
            }
        }
        self.stock = stock.into_iter();
        Ok(())
    }

    /// Calls the function with this number so many times.
    pub(crate) fn repeat(&mut self, number: usize, form: CallForm, payload: usize, times: u32) -> Result<()> {
        match form {
            CallForm::Typed => self.typed[number].repeat(&mut self.store, payload, times),
            CallForm::Awaited => wait(self.repeat_awaited(number, payload, times)),
            CallForm::Core | CallForm::Dynamic | CallForm::Fused => {
                for _ in 0..times {
                    let called = self.functions[number].next_call(payload, &mut self.stock)?;
                    called.func.call(&mut self.store, &called.payloads[payload].arguments, &mut called.found)?;
                    called.drop_result(&mut self.store)?;
                }
                Ok(())
            }
        }
    }

    async fn repeat_awaited(&mut self, number: usize, payload: usize, times: u32) -> Result<()> {
        for _ in 0..times {
            let called = self.functions[number].next_call(payload, &mut self.stock)?;
            let arguments = &called.payloads[payload].arguments;
            called.func.call_async(&mut self.store, arguments, &mut called.found).await?;
            called.drop_result(&mut self.store)?;
        }
        Ok(())
    }

    /// Whether the function returned what it has to, in the last dynamic call.
    pub(crate) fn is_right(&self, number: usize, payload: usize) -> bool {
        let called = &self.functions[number];
        are_equal(&called.found, &called.payloads[payload].result)
    }
}

impl Called {
    /// The function, with the next handles of the stock in its arguments.
    #[inline]
    fn next_call(&mut self, payload: usize, stock: &mut impl Iterator<Item = ResourceAny>) -> Result<&mut Self> {
        for given in &self.given[payload] {
            let resource = stock.next().ok_or_else(|| Error::msg("a call gives more handles away than were made"))?;
            given.put(&mut self.payloads[payload].arguments, resource);
        }
        Ok(self)
    }

    /// Drops the handles of the result.
    #[inline]
    fn drop_result(&self, store: &mut Store<()>) -> Result<()> {
        match self.has_resources {
            true => visit_resources(&self.found, &mut |resource| resource.resource_drop(&mut *store)),
            false => Ok(()),
        }
    }
}

/// A new resource, made by this function.
fn made(store: &mut Store<()>, give: &Func) -> Result<ResourceAny> {
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

/// Makes so many handles for the calls that give them away.
pub(crate) type Stock = TypedFunc<(u32,), ()>;

/// The functions of a caller that make the handles which calls give away; `None` of a function whose calls give none away.
pub(crate) fn stocks<T: 'static>(
    store: &mut Store<T>,
    instance: &Instance,
    components: &Components,
) -> Result<Vec<Option<Stock>>> {
    let functions = components.functions.iter().enumerate().map(|(number, function)| {
        let stock = function.gives.then(|| instance.get_typed_func(&mut *store, &*stock_name(number)));
        stock.transpose()
    });
    functions.collect()
}

/// A caller and a callee in one component.
pub(crate) struct Composed {
    store: Store<()>,
    select: [TypedFunc<(u32,), ()>; 2],
    calls: TypedFunc<(), (u64,)>,
    runs: Vec<TypedFunc<(u32,), ()>>,
    stocks: Vec<Option<Stock>>,
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
        let names = (0..components.functions.len()).map(run_name);
        let runs = names.map(|name| instance.get_typed_func(&mut store, &*name)).collect::<Result<Vec<_>>>()?;
        let stocks = stocks(&mut store, &instance, components)?;
        Ok(Self { store, select, calls, runs, stocks })
    }

    /// Has the component make the handles that so many calls of the function with this number give away.
    pub(crate) fn prepare(&mut self, number: usize, times: u32) -> Result<()> {
        let stock = self.stocks[number].as_ref();
        stock.map_or(Ok(()), |stock| stock.call(&mut self.store, (times,)))
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
