//! Values of the engine: made of those of a synthetic component, compared, and their resources found.

use bench_wasm::wasmtime::component::types::{ComponentFunc, ComponentItem};
use bench_wasm::wasmtime::component::{Component, ResourceAny, Type, Val};
use bench_wasm::wasmtime::{Engine, Error, Result};
use synthetic_component::{Function, Sample, Value, function_name};

/// The place of a handle in arguments that a call gives away: the way to it, and the number of its resource.
#[derive(Clone, Debug)]
pub(crate) struct Given {
    /// The number of the argument, and then of an element or a field in each list, tuple or record that it is in.
    way: Vec<usize>,
    pub(crate) resource: u32,
}

impl Given {
    /// Those in the arguments of a call of a function of this type.
    pub(crate) fn of(sample: &Sample, ty: &ComponentFunc) -> Vec<Self> {
        let (mut way, mut found) = (Vec::new(), Vec::new());
        for (at, (value, (_, ty))) in sample.arguments.iter().zip(ty.params()).enumerate() {
            way.push(at);
            Self::find(value, &ty, &mut way, &mut found);
            way.pop();
        }
        found
    }

    fn find(value: &Value, ty: &Type, way: &mut Vec<usize>, found: &mut Vec<Self>) {
        let mut each = |value: &Value, ty: &Type, at: usize| {
            way.push(at);
            Self::find(value, ty, way, found);
            way.pop();
        };
        match (value, ty) {
            (Value::List(values), Type::List(list)) => {
                let element = list.ty();
                values.iter().enumerate().for_each(|(at, value)| each(value, &element, at));
            }
            (Value::Fields(values), Type::Record(record)) => {
                let fields = record.fields().zip(values).enumerate();
                fields.for_each(|(at, (field, value))| each(value, &field.ty, at));
            }
            (Value::Fields(values), Type::Tuple(tuple)) => {
                tuple.types().zip(values).enumerate().for_each(|(at, (ty, value))| each(value, &ty, at));
            }
            (Value::Handle(resource), Type::Own(_)) => found.push(Self { way: way.clone(), resource: *resource }),
            (Value::Case(case, Some(value)), ty) => {
                if let Some(ty) = type_of_case(*case, ty) {
                    Self::find(value, &ty, way, found);
                }
            }
            _ => {}
        }
    }

    /// Writes a handle into its place.
    pub(crate) fn put(&self, arguments: &mut [Val], resource: ResourceAny) {
        let found = self.way.split_first().and_then(|(first, way)| at(arguments.get_mut(*first)?, way));
        if let Some(place) = found {
            *place = Val::Resource(resource);
        }
    }
}

/// What is in `val` at the end of this way.
fn at<'a>(val: &'a mut Val, way: &[usize]) -> Option<&'a mut Val> {
    match val {
        Val::List(vals) | Val::Tuple(vals) => {
            let (first, way) = way.split_first()?;
            at(vals.get_mut(*first)?, way)
        }
        Val::Record(fields) => {
            let (first, way) = way.split_first()?;
            at(&mut fields.get_mut(*first)?.1, way)
        }
        Val::Variant(_, Some(val)) | Val::Option(Some(val)) | Val::Result(Ok(Some(val)) | Err(Some(val))) => {
            at(val, way)
        }
        val => Some(val),
    }
}

/// The type of the value of a case.
fn type_of_case(case: u32, ty: &Type) -> Option<Type> {
    match ty {
        Type::Variant(variant) => variant.cases().nth(case as usize)?.ty,
        Type::Option(option) => Some(option.ty()),
        Type::Result(result) if case == 0 => result.ok(),
        Type::Result(result) => result.err(),
        _ => None,
    }
}

/// The types of the functions of one interface that a component imports or exports, in the order of their numbers.
pub(crate) fn function_types(
    engine: &Engine,
    component: &Component,
    interface: &str,
    numbers: &[usize],
) -> Result<Vec<ComponentFunc>> {
    let ty = component.component_type();
    let found = ty.get_export(engine, interface).or_else(|| ty.get_import(engine, interface));
    let Some(ComponentItem::ComponentInstance(instance)) = found.map(|found| found.ty) else {
        return Err(Error::msg(format!("the component has no interface `{interface}`")));
    };
    let function = |number: &usize| {
        let name = function_name(*number);
        match instance.get_export(engine, &name).map(|found| found.ty) {
            Some(ComponentItem::ComponentFunc(function)) => Ok(function),
            _ => Err(Error::msg(format!("the interface `{interface}` has no function `{name}`"))),
        }
    };
    numbers.iter().map(function).collect()
}

/// The arguments and the result of a call, as the engine takes them.
#[derive(Clone)]
pub(crate) struct Vals {
    pub(crate) arguments: Vec<Val>,
    /// None or one.
    pub(crate) result: Vec<Val>,
}

impl Vals {
    /// Those of `sample`, with these handles of the resources.
    pub(crate) fn new(sample: &Sample, ty: &ComponentFunc, resources: &[ResourceAny]) -> Self {
        let arguments = sample.arguments.iter().zip(ty.params());
        Self {
            arguments: arguments.map(|(value, (_, ty))| val(value, &ty, resources)).collect(),
            result: sample.result.iter().zip(ty.results()).map(|(value, ty)| val(value, &ty, resources)).collect(),
        }
    }

    /// Those of every payload of `function`.
    pub(crate) fn of_payloads(function: &Function, ty: &ComponentFunc, resources: &[ResourceAny]) -> Vec<Self> {
        function.samples.iter().map(|sample| Self::new(sample, ty, resources)).collect()
    }
}

/// The value as one of the engine. Both have the same type, because both come from the same text.
fn val(value: &Value, ty: &Type, resources: &[ResourceAny]) -> Val {
    let boxed = |value: &Option<Box<Value>>, ty: Option<Type>| {
        value.as_ref().zip(ty).map(|(value, ty)| Box::new(val(value, &ty, resources)))
    };
    match (value, ty) {
        (Value::Bits(bits), ty) => number(*bits, ty),
        (Value::Text(text), Type::String) => Val::String(text.clone()),
        (Value::List(values), Type::List(list)) => {
            let element = list.ty();
            Val::List(values.iter().map(|value| val(value, &element, resources)).collect())
        }
        (Value::Fields(values), Type::Record(record)) => {
            let fields = record.fields().zip(values);
            Val::Record(
                fields.map(|(field, value)| (field.name.to_owned(), val(value, &field.ty, resources))).collect(),
            )
        }
        (Value::Fields(values), Type::Tuple(tuple)) => {
            Val::Tuple(tuple.types().zip(values).map(|(ty, value)| val(value, &ty, resources)).collect())
        }
        (Value::Flags(set), Type::Flags(flags)) => {
            let names = flags.names().zip(set).filter(|(_, is_set)| **is_set);
            Val::Flags(names.map(|(name, _)| name.to_owned()).collect())
        }
        (Value::Case(number, value), Type::Variant(variant)) => {
            let case = variant.cases().nth(*number as usize).expect("the type has the case of its value");
            Val::Variant(case.name.to_owned(), boxed(value, case.ty))
        }
        (Value::Case(number, _), Type::Enum(cases)) => {
            let name = cases.names().nth(*number as usize).expect("the type has the case of its value");
            Val::Enum(name.to_owned())
        }
        (Value::Case(_, value), Type::Option(option)) => Val::Option(boxed(value, Some(option.ty()))),
        (Value::Case(0, value), Type::Result(result)) => Val::Result(Ok(boxed(value, result.ok()))),
        (Value::Case(_, value), Type::Result(result)) => Val::Result(Err(boxed(value, result.err()))),
        (Value::Handle(number), _) => Val::Resource(resources[*number as usize]),
        (value, ty) => unreachable!("{value:?} is of the type {ty:?}"),
    }
}

fn number(bits: u64, ty: &Type) -> Val {
    match ty {
        Type::Bool => Val::Bool(bits != 0),
        Type::S8 => Val::S8(bits as i8),
        Type::U8 => Val::U8(bits as u8),
        Type::S16 => Val::S16(bits as i16),
        Type::U16 => Val::U16(bits as u16),
        Type::S32 => Val::S32(bits as i32),
        Type::U32 => Val::U32(bits as u32),
        Type::S64 => Val::S64(bits as i64),
        Type::Float32 => Val::Float32(f32::from_bits(bits as u32)),
        Type::Float64 => Val::Float64(f64::from_bits(bits)),
        Type::Char => Val::Char(char::from_u32(bits as u32).expect("only characters are made up")),
        _ => Val::U64(bits),
    }
}

/// Whether the values are equal; handles are, whatever they stand for.
pub(crate) fn are_equal(some: &[Val], others: &[Val]) -> bool {
    some.len() == others.len() && some.iter().zip(others).all(|(one, other)| is_equal(one, other))
}

fn is_equal(one: &Val, other: &Val) -> bool {
    let inner = |one: &Option<Box<Val>>, other: &Option<Box<Val>>| match (one, other) {
        (Some(one), Some(other)) => is_equal(one, other),
        (one, other) => one.is_none() && other.is_none(),
    };
    match (one, other) {
        (Val::Resource(_), Val::Resource(_)) => true,
        (Val::List(some), Val::List(others)) | (Val::Tuple(some), Val::Tuple(others)) => are_equal(some, others),
        (Val::Record(some), Val::Record(others)) => {
            let equal = |((name, one), (other_name, other)): (&(String, Val), &(String, Val))| {
                name == other_name && is_equal(one, other)
            };
            some.len() == others.len() && some.iter().zip(others).all(equal)
        }
        (Val::Variant(name, one), Val::Variant(other_name, other)) => name == other_name && inner(one, other),
        (Val::Option(one), Val::Option(other)) => inner(one, other),
        (Val::Result(Ok(one)), Val::Result(Ok(other))) | (Val::Result(Err(one)), Val::Result(Err(other))) => {
            inner(one, other)
        }
        (one, other) => one == other,
    }
}

/// Does something with every handle in `vals`.
pub(crate) fn visit_resources(vals: &[Val], visit: &mut impl FnMut(ResourceAny) -> Result<()>) -> Result<()> {
    for val in vals {
        match val {
            Val::Resource(resource) => visit(*resource)?,
            Val::List(vals) | Val::Tuple(vals) => visit_resources(vals, visit)?,
            Val::Record(fields) => {
                for (_, val) in fields {
                    visit_resources(std::slice::from_ref(val), visit)?;
                }
            }
            Val::Variant(_, Some(val)) | Val::Option(Some(val)) | Val::Result(Ok(Some(val)) | Err(Some(val))) => {
                visit_resources(std::slice::from_ref(val.as_ref()), visit)?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// Replaces every handle in `vals`.
pub(crate) fn renew_resources(vals: &mut [Val], renew: &mut impl FnMut() -> Result<ResourceAny>) -> Result<()> {
    for val in vals {
        match val {
            Val::Resource(resource) => *resource = renew()?,
            Val::List(vals) | Val::Tuple(vals) => renew_resources(vals, renew)?,
            Val::Record(fields) => {
                for (_, val) in fields {
                    renew_resources(std::slice::from_mut(val), renew)?;
                }
            }
            Val::Variant(_, Some(val)) | Val::Option(Some(val)) | Val::Result(Ok(Some(val)) | Err(Some(val))) => {
                renew_resources(std::slice::from_mut(val.as_mut()), renew)?;
            }
            _ => {}
        }
    }
    Ok(())
}
