//! The references: calls whose types are known when this is compiled, and the call of a core module.

use bench_wasm::wasmtime::component::{ComponentNamedList, Func, Lower, TypedFunc};
use bench_wasm::wasmtime::{Engine, Instance, Module, Result, Store, TypedFunc as CoreFunc};
use std::sync::Arc;
use synthetic_component::{Function, Value};

/// How many references there are: functions of every [`Api`](synthetic_component::Api), the first ones.
pub(crate) const REFERENCES: usize = 3;

/// A module whose function `empty` does nothing: its type, the function, the export, and the code, which is an end.
const EMPTY: &[u8] =
    b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x03\x02\x01\0\x07\x09\x01\x05empty\0\0\x0a\x04\x01\x02\0\x0b";

/// An empty function of a core module.
pub(crate) struct CoreCall {
    store: Store<()>,
    empty: CoreFunc<(), ()>,
}

impl CoreCall {
    pub(crate) fn new(engine: &Engine) -> Result<Self> {
        let mut store = Store::new(engine, ());
        let instance = Instance::new(&mut store, &Module::from_binary(engine, EMPTY)?, &[])?;
        let empty = instance.get_typed_func(&mut store, "empty")?;
        Ok(Self { store, empty })
    }

    pub(crate) fn repeat(&mut self, times: u32) -> Result<()> {
        (0..times).try_for_each(|_| self.empty.call(&mut self.store, ()))
    }
}

/// Calls of a reference with the types of Rust.
pub(crate) enum TypedCalls {
    /// Without arguments.
    Empty(TypedFunc<(), ()>),
    /// With the text of each payload.
    Text(TypedFunc<(Arc<str>,), ()>, Vec<Arc<str>>),
    /// With the bytes of each payload.
    Bytes(TypedFunc<(Arc<[u8]>,), ()>, Vec<Arc<[u8]>>),
}

impl TypedCalls {
    /// Those of the reference with this number.
    pub(crate) fn new(store: &Store<()>, number: usize, func: Func, function: &Function) -> Result<Self> {
        let arguments = function.samples.iter().flat_map(|sample| &sample.arguments);
        Ok(match number {
            0 => Self::Empty(func.typed(store)?),
            1 => Self::Text(func.typed(store)?, arguments.filter_map(text).collect()),
            _ => Self::Bytes(func.typed(store)?, arguments.filter_map(bytes).collect()),
        })
    }

    pub(crate) fn repeat(&self, store: &mut Store<()>, payload: usize, times: u32) -> Result<()> {
        match self {
            Self::Empty(func) => repeat(func, store, &(), times),
            Self::Text(func, texts) => repeat(func, store, &(Arc::clone(&texts[payload]),), times),
            Self::Bytes(func, bytes) => repeat(func, store, &(Arc::clone(&bytes[payload]),), times),
        }
    }
}

fn repeat<P>(func: &TypedFunc<P, ()>, store: &mut Store<()>, arguments: &P, times: u32) -> Result<()>
where
    P: ComponentNamedList + Lower + Clone + 'static,
{
    (0..times).try_for_each(|_| func.call(&mut *store, arguments.clone()))
}

fn text(value: &Value) -> Option<Arc<str>> {
    if let Value::Text(text) = value { Some(text.as_str().into()) } else { None }
}

fn bytes(value: &Value) -> Option<Arc<[u8]>> {
    let Value::List(values) = value else { return None };
    let byte = |value: &Value| if let Value::Bits(bits) = value { Some(*bits as u8) } else { None };
    values.iter().map(byte).collect()
}
