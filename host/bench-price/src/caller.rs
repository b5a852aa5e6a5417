//! Calls of the host by a component.

use crate::call_path::CallForm;
use crate::callee::{Stock, stocks};
use crate::compile;
use crate::reference::REFERENCES;
use crate::values::{Vals, are_equal, function_types, renew_resources, visit_resources};
use bench_wasm::wasmtime::component::{
    Component, ComponentNamedList, Linker, LinkerInstance, Lower, Resource, ResourceAny, ResourceType, TypedFunc, Val,
};
use bench_wasm::wasmtime::{AsContextMut, Engine, Error, Result, Store, StoreContextMut};
use bench_wasm::{Runtime, wait};
use synthetic_component::{API, Components, function_name, give_name, resource_name, run_name};

/// What every resource of the host is.
enum HostResource {}

/// The representation of every resource.
const REPRESENTATION: u32 = 1;

/// What the host's functions return, and what they have seen.
#[derive(Default)]
struct Host {
    functions: Vec<Answers>,
    /// Whether the functions are async.
    is_async: bool,
    payload: usize,
    /// Whether arguments are compared with what they must be.
    is_checking: bool,
    /// How many calls had the arguments that they must have, while checking.
    right: u64,
}

/// What a function gets and returns with each payload.
struct Answers {
    payloads: Vec<Vals>,
    has_resources: bool,
}

/// An instance of the component that calls.
pub(crate) struct Caller {
    store: Store<Host>,
    select: TypedFunc<(u32,), ()>,
    runs: Vec<TypedFunc<(u32,), ()>>,
    stocks: Vec<Option<Stock>>,
}

impl Caller {
    /// A caller whose calls have this form; with types of Rust, those of the references alone.
    pub(crate) fn new(runtime: &Runtime, components: &Components, form: CallForm) -> Result<Self> {
        let engine = runtime.engine();
        let component = compile(runtime, "caller", &components.caller)?;
        let linker = linker(engine, components, form)?;
        let mut store = Store::new(engine, Host::default());
        let functions = answers(&mut store, engine, &component, components)?;
        store.data_mut().functions = functions;
        store.data_mut().is_async = components.is_async;
        let instance = match components.is_async {
            true => wait(linker.instantiate_async(&mut store, &component))?,
            false => linker.instantiate(&mut store, &component)?,
        };
        let prepare: TypedFunc<(), ()> = instance.get_typed_func(&mut store, "prepare")?;
        call(&prepare, &mut store, ())?;
        let select = instance.get_typed_func(&mut store, "select")?;
        let names = (0..components.functions.len()).map(run_name);
        let runs = names.map(|name| instance.get_typed_func(&mut store, &*name)).collect::<Result<Vec<_>>>()?;
        let stocks = stocks(&mut store, &instance, components)?;
        Ok(Self { store, select, runs, stocks })
    }

    /// Chooses the payload, of arguments and of results.
    pub(crate) fn select(&mut self, payload: usize) -> Result<()> {
        self.store.data_mut().payload = payload;
        call(&self.select, &mut self.store, (payload as u32,))
    }

    /// Has the component make the handles that so many calls of the function with this number give away.
    pub(crate) fn prepare(&mut self, number: usize, times: u32) -> Result<()> {
        let stock = self.stocks[number].as_ref();
        stock.map_or(Ok(()), |stock| call(stock, &mut self.store, (times,)))
    }

    /// Has the component call the function with this number so many times.
    pub(crate) fn repeat(&mut self, number: usize, times: u32) -> Result<()> {
        call(&self.runs[number], &mut self.store, (times,))
    }

    /// Whether a call, which was prepared, has the arguments that it must have.
    pub(crate) fn is_right(&mut self, number: usize) -> Result<bool> {
        let host = self.store.data_mut();
        (host.is_checking, host.right) = (true, 0);
        self.repeat(number, 1)?;
        let host = self.store.data_mut();
        host.is_checking = false;
        Ok(host.right == 1)
    }
}

/// Calls a function of the component. Where functions of the host are async, calls of the component are awaited.
fn call<P>(function: &TypedFunc<P, ()>, store: &mut Store<Host>, parameters: P) -> Result<()>
where
    P: ComponentNamedList + Lower + 'static,
{
    match store.data().is_async {
        true => wait(function.call_async(store, parameters)),
        false => function.call(store, parameters),
    }
}

/// What each function gets and returns. Handles in results stand for new ones.
fn answers(
    store: &mut Store<Host>,
    engine: &Engine,
    component: &Component,
    components: &Components,
) -> Result<Vec<Answers>> {
    let numbers: Vec<_> = (0..components.functions.len()).collect();
    let types = function_types(engine, component, API, &numbers)?;
    let resources =
        (0..components.resources).map(|_| new_resource(store.as_context_mut())).collect::<Result<Vec<_>>>()?;
    let functions = components.functions.iter().zip(&types);
    let answers = functions.map(|(function, ty)| Answers {
        payloads: Vals::of_payloads(function, ty, &resources),
        has_resources: function.has_resources,
    });
    Ok(answers.collect())
}

fn new_resource(store: StoreContextMut<'_, Host>) -> Result<ResourceAny> {
    Resource::<HostResource>::new_own(REPRESENTATION).try_into_resource_any(store)
}

/// The host's functions: those of the references with types of Rust if the calls have this form, all others with dynamic values.
fn linker(engine: &Engine, components: &Components, form: CallForm) -> Result<Linker<Host>> {
    let mut linker = Linker::new(engine);
    define(&mut linker.instance(API)?, components, if form == CallForm::Typed { REFERENCES } else { 0 })?;
    Ok(linker)
}

/// Defines the functions; the first `typed` ones with types of Rust.
fn define(interface: &mut LinkerInstance<'_, Host>, components: &Components, typed: usize) -> Result<()> {
    for number in 0..components.resources {
        interface.resource(&resource_name(number), ResourceType::host::<HostResource>(), |_, _| Ok(()))?;
        interface.func_new(&give_name(number), |store, _, _, results| {
            results[0] = Val::Resource(new_resource(store)?);
            Ok(())
        })?;
    }
    for number in 0..components.functions.len() {
        let name = function_name(number);
        if number < typed {
            define_typed(interface, &name, number)?;
        } else if components.is_async {
            interface.func_new_concurrent(&name, move |host, _, arguments, results| {
                Box::pin(
                    async move { host.with(|mut access| answer(access.as_context_mut(), number, arguments, results)) },
                )
            })?;
        } else {
            interface.func_new(&name, move |store, _, arguments, results| answer(store, number, arguments, results))?;
        }
    }
    Ok(())
}

/// Defines a reference with types of Rust.
fn define_typed(interface: &mut LinkerInstance<'_, Host>, name: &str, number: usize) -> Result<()> {
    match number {
        0 => interface.func_wrap(name, |store: StoreContextMut<'_, Host>, (): ()| arrive(store, 0, 0)),
        1 => interface
            .func_wrap(name, |store: StoreContextMut<'_, Host>, (text,): (String,)| arrive(store, 1, text.len())),
        _ => interface
            .func_wrap(name, |store: StoreContextMut<'_, Host>, (bytes,): (Vec<u8>,)| arrive(store, 2, bytes.len())),
    }
}

/// Checks the length of the argument of a reference.
fn arrive(mut store: StoreContextMut<'_, Host>, number: usize, bytes: usize) -> Result<()> {
    let host = store.data_mut();
    if host.is_checking {
        let expected = match host.functions[number].payloads[host.payload].arguments.first() {
            Some(Val::String(text)) => text.len(),
            Some(Val::List(vals)) => vals.len(),
            _ => 0,
        };
        host.right += u64::from(bytes == expected);
    }
    Ok(())
}

/// Returns the result of the selected payload, and drops the handles that it got.
fn answer(mut store: StoreContextMut<'_, Host>, number: usize, arguments: &[Val], results: &mut [Val]) -> Result<()> {
    let host = store.data_mut();
    let function = host.functions.get(number).ok_or_else(|| Error::msg("no such function"))?;
    let vals = &function.payloads[host.payload.min(function.payloads.len() - 1)];
    if host.is_checking {
        host.right += u64::from(are_equal(arguments, &vals.arguments));
    }
    if let (Some(result), Some(place)) = (vals.result.first(), results.first_mut()) {
        *place = result.clone();
    }
    let (has_resources, is_async) = (function.has_resources, host.is_async);
    if has_resources {
        visit_resources(arguments, &mut |resource| match is_async {
            // Where calls are awaited, a handle is not dropped in place: its host takes what it stands for.
            true => Resource::<HostResource>::try_from_resource_any(resource, store.as_context_mut()).map(drop),
            false => resource.resource_drop(store.as_context_mut()),
        })?;
        renew_resources(results, &mut || new_resource(store.as_context_mut()))?;
    }
    Ok(())
}
