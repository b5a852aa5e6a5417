//! Encodes the components of an interface: one that is called, one that calls, both composed, and one that passes on.

use crate::guests;
use crate::layout::Types;
use crate::value::{Sampler, Value};
use crate::{API, PAYLOADS, function_name, resource_name, run_name, stock_name};
use wasm_encoder::{ComponentBuilder, ComponentExportKind};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::{PackageId, Resolve, Type, TypeId, WorldKey};

/// The reason why the components of an interface cannot be made: a mistake of this crate.
#[derive(Debug, thiserror::Error)]
#[error("no component can be made of the interface: {0}; please report the WIT")]
pub struct MakeError(String);

/// The components of an interface.
pub struct Components {
    /// Exports [`API`]; every function returns the constant result of the payload that `select` has chosen. `calls` counts them.
    pub callee: Vec<u8>,
    /// Imports [`API`]; the functions of [`run_name`] call with the constant arguments of the payload that `select` has chosen,
    /// after `prepare` was called once. Where calls give handles away, that of [`stock_name`] makes those for as many calls before.
    pub caller: Vec<u8>,
    /// A caller whose imports are a callee. Exports the functions of both; `select` chooses for both, as `select-caller` and
    /// `select-callee`. Empty if the functions are async.
    pub composed: Vec<u8>,
    /// Imports and exports [`VALUES`](crate::VALUES) and passes on what it gets, until `reset` is called. Empty if the functions are async.
    pub relay: Vec<u8>,
    /// Whether the functions are async. Then the callee returns before its calls end, as guests with callbacks do, and calls of the caller
    /// return at once, if their results are there.
    pub is_async: bool,
    /// The functions, in the order of their numbers.
    pub functions: Vec<Function>,
    /// The number of resources.
    pub resources: usize,
    resolve: Resolve,
    api: Vec<wit_parser::Function>,
    resource_types: Vec<TypeId>,
}

impl std::fmt::Debug for Components {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Components").field("functions", &self.functions.len()).finish_non_exhaustive()
    }
}

/// A function of the components.
#[derive(Clone, Debug)]
pub struct Function {
    /// Arguments and results for each payload, or for the first alone if they do not vary.
    pub samples: Vec<Sample>,
    /// Whether a resource occurs in it.
    pub has_resources: bool,
    /// Whether its type says that arguments give handles away.
    pub gives: bool,
}

/// The arguments and the result of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// The bytes of all strings and lists.
    pub bytes: u64,
    /// The handles that the arguments give away.
    pub given: u32,
    /// The arguments.
    pub arguments: Vec<Value>,
    /// The result, of a function that has one.
    pub result: Option<Value>,
}

/// A function, with what it is called with.
#[derive(Clone, Copy)]
pub(crate) struct Shape<'a> {
    pub(crate) function: &'a wit_parser::Function,
    pub(crate) samples: &'a [Sample],
    pub(crate) gives: bool,
}

fn failed(error: impl std::fmt::Display) -> MakeError {
    MakeError(format!("{error:#}").split_whitespace().collect::<Vec<_>>().join(" "))
}

impl Components {
    /// The components of the interface that is written in `wit`, as [`Api`](crate::Api) has it.
    pub fn new(wit: &str) -> Result<Self, MakeError> {
        let mut resolve = Resolve::default();
        let package = resolve.push_str("price.wit", wit).map_err(failed)?;
        let interface = |name: &str| {
            let id = resolve.packages[package].interfaces.get(name).copied();
            id.map(|id| &resolve.interfaces[id]).ok_or_else(|| MakeError(format!("it has no interface `{name}`")))
        };
        let (api, values) = (interface("api")?, interface("values")?);
        let functions = numbered(|number| api.functions.get(&function_name(number)).cloned());
        let resource_types = numbered(|number| api.types.get(&resource_name(number)).copied());
        let caller = resolve.packages[package].worlds.get("caller").map(|id| &resolve.worlds[*id]);
        let gives = |number| {
            let stock = WorldKey::Name(stock_name(number));
            caller.is_some_and(|caller| caller.exports.contains_key(&stock))
        };
        let relayed: Vec<(usize, &wit_parser::Function)> = (0..functions.len())
            .filter_map(|number| Some((number, values.functions.get(&function_name(number))?)))
            .collect();
        let types = Types::new(&resolve, resource_types.clone());
        let described: Vec<Function> = functions
            .iter()
            .enumerate()
            .map(|(number, function)| Function {
                samples: samples(&types, function),
                has_resources: !values.functions.contains_key(&function.name),
                gives: gives(number),
            })
            .collect();
        let shape = |number: usize, function| {
            let Function { samples, gives, .. } = &described[number];
            Shape { function, samples, gives: *gives }
        };
        let shapes: Vec<_> = functions.iter().enumerate().map(|(number, function)| shape(number, function)).collect();
        let resources = resource_types.len();
        let callee = encode(&resolve, package, "callee", guests::callee(&types, &shapes, resources))?;
        let caller = encode(&resolve, package, "caller", guests::caller(&types, &shapes, resources))?;
        let is_async = functions.iter().any(|function| function.kind.is_async());
        let (mut composed, mut relay) = (Vec::new(), Vec::new());
        if !is_async {
            let numbers: Vec<_> = relayed.iter().map(|(number, _)| *number).collect();
            let shapes: Vec<_> = relayed.iter().map(|(number, function)| shape(*number, *function)).collect();
            relay = encode(&resolve, package, "relay", guests::relay(&types, &shapes, &numbers))?;
            composed = compose(&callee, &caller, &described);
        }
        drop(types);
        let (api, functions) = (functions, described);
        Ok(Self { callee, caller, composed, relay, is_async, functions, resources, resolve, api, resource_types })
    }

    /// Arguments and a result of the function with this number whose numbers, lengths and cases are drawn.
    pub fn drawn(&self, number: usize, seed: u64) -> Sample {
        let types = Types::new(&self.resolve, self.resource_types.clone());
        sample(Sampler::drawn(&types, seed), &self.api[number])
    }
}

/// What has the numbers from 0 on.
fn numbered<T>(of: impl Fn(usize) -> Option<T>) -> Vec<T> {
    (0..).map_while(of).collect()
}

fn samples(types: &Types<'_>, function: &wit_parser::Function) -> Vec<Sample> {
    let of_size = |payload: &u64| sample(Sampler::of_size(types, *payload), function);
    let mut samples: Vec<Sample> = PAYLOADS.iter().map(of_size).collect();
    if samples.iter().all(|sample| sample.bytes == samples[0].bytes) {
        samples.truncate(1);
    }
    samples
}

fn sample(mut sampler: Sampler<'_>, function: &wit_parser::Function) -> Sample {
    let arguments: Vec<_> = function.params.iter().map(|parameter| sampler.value(&parameter.ty)).collect();
    let result = function.result.as_ref().map(|ty: &Type| sampler.value(ty));
    let given = function.params.iter().zip(&arguments);
    let given = given.map(|(parameter, value)| sampler.types.count_owned(&parameter.ty, value)).sum();
    Sample { bytes: sampler.bytes, given, arguments, result }
}

/// The component around `core` that has this world.
fn encode(resolve: &Resolve, package: PackageId, world: &str, mut core: Vec<u8>) -> Result<Vec<u8>, MakeError> {
    let world = resolve.select_world(&[package], Some(world)).map_err(failed)?;
    embed_component_metadata(&mut core, resolve, world, StringEncoding::UTF8).map_err(failed)?;
    let mut encoder = ComponentEncoder::default().validate(true).module(&core).map_err(failed)?;
    encoder.encode().map_err(failed)
}

/// A component with a callee and a caller in it.
fn compose(callee: &[u8], caller: &[u8], functions: &[Function]) -> Vec<u8> {
    use ComponentExportKind::{Func, Instance};
    let mut component = ComponentBuilder::default();
    let callee = component.component_raw(None, callee);
    let caller = component.component_raw(None, caller);
    let no_arguments: [(&str, ComponentExportKind, u32); 0] = [];
    let callee = component.instantiate(None, callee, no_arguments);
    let api = component.alias_export(callee, API, Instance);
    let caller = component.instantiate(None, caller, [(API, Instance, api)]);
    let mut export = |instance: u32, name: &str, exported: &str| {
        let function = component.alias_export(instance, name, Func);
        component.export(exported, Func, function, None);
    };
    export(callee, "select", "select-callee");
    export(callee, "calls", "calls");
    export(caller, "select", "select-caller");
    export(caller, "prepare", "prepare");
    for (number, function) in functions.iter().enumerate() {
        export(caller, &run_name(number), &run_name(number));
        if function.gives {
            export(caller, &stock_name(number), &stock_name(number));
        }
    }
    component.finish()
}
