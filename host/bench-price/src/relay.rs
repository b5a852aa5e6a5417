//! Passes values from the host through a component to the host, and back. What arrives must be what was sent.

use crate::values::{Vals, are_equal, function_types};
use crate::{compile, reason};
use bench_wasm::Runtime;
use bench_wasm::wasmtime::component::types::ComponentFunc;
use bench_wasm::wasmtime::component::{Func, Linker, TypedFunc, Val};
use bench_wasm::wasmtime::{Engine, Error, Result, Store};
use std::collections::BTreeMap;
use synthetic_component::{Components, Sample, VALUES, function_name};

/// An instance of the component that passes on what it gets.
#[expect(missing_debug_implementations, reason = "a store cannot be shown")]
pub struct Relay {
    store: Store<Passed>,
    reset: TypedFunc<(), ()>,
    functions: BTreeMap<usize, (Func, ComponentFunc)>,
}

/// What is on its way.
#[derive(Default)]
struct Passed {
    /// What has to arrive at the host.
    arguments: Vec<Val>,
    /// What the host returns.
    result: Vec<Val>,
    /// Whether the arguments arrived.
    has_arrived: bool,
}

impl Relay {
    /// A relay of the functions in which no resource occurs.
    pub fn new(runtime: &Runtime, components: &Components) -> Result<Self, String> {
        Self::instantiate(runtime, components).map_err(|error| reason(&error))
    }

    fn instantiate(runtime: &Runtime, components: &Components) -> Result<Self> {
        let engine = runtime.engine();
        let component = compile(runtime, "relay", &components.relay)?;
        let functions = components.functions.iter().enumerate();
        let numbers: Vec<usize> =
            functions.filter(|(_, function)| !function.has_resources).map(|(number, _)| number).collect();
        let mut store = Store::new(engine, Passed::default());
        let instance = linker(engine, &numbers)?.instantiate(&mut store, &component)?;
        let reset = instance.get_typed_func(&mut store, "reset")?;
        let interface = instance.get_export_index(&mut store, None, VALUES);
        let types = function_types(engine, &component, VALUES, &numbers)?;
        let mut functions = BTreeMap::new();
        for (number, ty) in numbers.into_iter().zip(types) {
            let index = instance.get_export_index(&mut store, interface.as_ref(), &function_name(number));
            let func = index.and_then(|index| instance.get_func(&mut store, index));
            let func = func.ok_or_else(|| Error::msg(format!("the relay exports no function {number}")))?;
            functions.insert(number, (func, ty));
        }
        Ok(Self { store, reset, functions })
    }

    /// Sends the arguments of `sample` to the function with this number, which returns its result. An error says what did not arrive. A
    /// function with resources has no relay, and is right.
    pub fn check(&mut self, number: usize, sample: &Sample) -> Result<(), String> {
        let Some((func, ty)) = self.functions.get(&number) else { return Ok(()) };
        let Vals { arguments, result } = Vals::new(sample, ty, &[]);
        let mut found = vec![Val::Bool(false); result.len()];
        *self.store.data_mut() = Passed { arguments: arguments.clone(), result: result.clone(), has_arrived: false };
        let called = func.call(&mut self.store, &arguments, &mut found);
        let called = called.and_then(|()| self.reset.call(&mut self.store, ()));
        called.map_err(|error| reason(&error))?;
        match self.store.data().has_arrived {
            false => Err("arguments changed between the host, a component and the host".to_owned()),
            true if !are_equal(&found, &result) => {
                Err("the result changed between the host, a component and the host".to_owned())
            }
            true => Ok(()),
        }
    }
}

/// The host's functions: each compares its arguments, and returns the result.
fn linker(engine: &Engine, numbers: &[usize]) -> Result<Linker<Passed>> {
    let mut linker = Linker::<Passed>::new(engine);
    let mut interface = linker.instance(VALUES)?;
    for number in numbers {
        interface.func_new(&function_name(*number), |mut store, _, arguments, results| {
            let passed = store.data_mut();
            passed.has_arrived = are_equal(arguments, &passed.arguments);
            results.iter_mut().zip(&passed.result).for_each(|(place, result)| *place = result.clone());
            Ok(())
        })?;
    }
    Ok(linker)
}
