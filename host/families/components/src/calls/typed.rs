//! Calls with the types of Rust, which cost much less than calls with dynamic values. Signatures that have such a call are those of up
//! to two parameters of the same common type.

use super::repeated::Calling;
use bench_wasm::State;
use bench_wasm::wasmtime::component::{ComponentNamedList, Func, Lift, Lower, TypedFunc, Val};
use bench_wasm::wasmtime::{Result, Store};
use std::sync::Arc;

/// The call of `function` with these arguments, and the result that it must have, if its signature has a typed call.
pub(super) fn typed(
    store: &Store<State>,
    function: Func,
    arguments: &[Val],
    expected: &[Val],
) -> Option<Box<dyn Calling>> {
    let found = Typing { store, function, arguments, expected };
    match arguments {
        [] => found.with_any_result::<()>(),
        [_] => None
            .or_else(|| found.with_any_result::<(u32,)>())
            .or_else(|| found.with_any_result::<(i32,)>())
            .or_else(|| found.with_any_result::<(u64,)>())
            .or_else(|| found.with_any_result::<(i64,)>())
            .or_else(|| found.with_any_result::<(f32,)>())
            .or_else(|| found.with_any_result::<(f64,)>())
            .or_else(|| found.with_any_result::<(Arc<str>,)>())
            .or_else(|| found.with_any_result::<(Arc<[u8]>,)>()),
        [_, _] => None
            .or_else(|| found.with_alike_result::<u32>())
            .or_else(|| found.with_alike_result::<i32>())
            .or_else(|| found.with_alike_result::<u64>())
            .or_else(|| found.with_alike_result::<i64>())
            .or_else(|| found.with_alike_result::<f32>())
            .or_else(|| found.with_alike_result::<f64>())
            .or_else(|| found.with::<(Arc<str>, Arc<str>), (String,)>()),
        _ => None,
    }
}

/// A function whose typed call is looked for.
struct Typing<'a> {
    store: &'a Store<State>,
    function: Func,
    arguments: &'a [Val],
    expected: &'a [Val],
}

impl Typing<'_> {
    fn with<P, R>(&self) -> Option<Box<dyn Calling>>
    where
        P: Values + Clone + ComponentNamedList + Lower + 'static,
        R: Values + ComponentNamedList + Lift + 'static,
    {
        let function = self.function.typed::<P, R>(self.store).ok()?;
        let (arguments, expected) = (P::of(self.arguments)?, R::of(self.expected)?);
        Some(Box::new(TypedCall { function, arguments, expected }))
    }

    fn with_any_result<P>(&self) -> Option<Box<dyn Calling>>
    where
        P: Values + Clone + ComponentNamedList + Lower + 'static,
    {
        None.or_else(|| self.with::<P, ()>())
            .or_else(|| self.with::<P, (bool,)>())
            .or_else(|| self.with::<P, (u32,)>())
            .or_else(|| self.with::<P, (i32,)>())
            .or_else(|| self.with::<P, (u64,)>())
            .or_else(|| self.with::<P, (i64,)>())
            .or_else(|| self.with::<P, (f32,)>())
            .or_else(|| self.with::<P, (f64,)>())
            .or_else(|| self.with::<P, (String,)>())
            .or_else(|| self.with::<P, (Vec<u8>,)>())
    }

    /// Two arguments of one type, and a result of that type or none.
    fn with_alike_result<T>(&self) -> Option<Box<dyn Calling>>
    where
        T: Value + Clone + Lower + Lift + Send + Sync + 'static,
    {
        None.or_else(|| self.with::<(T, T), (T,)>())
            .or_else(|| self.with::<(T, T), ()>())
            .or_else(|| self.with::<(T, T), (bool,)>())
    }
}

/// A typed call and its result.
struct TypedCall<P: 'static, R: 'static> {
    function: TypedFunc<P, R>,
    arguments: P,
    expected: R,
}

impl<P, R> Calling for TypedCall<P, R>
where
    P: Clone + ComponentNamedList + Lower + 'static,
    R: Values + ComponentNamedList + Lift + 'static,
{
    #[inline]
    fn call(&mut self, store: &mut Store<State>, times: u64) -> Result<Option<Vec<Val>>> {
        for _ in 0..times {
            let result = self.function.call(&mut *store, self.arguments.clone())?;
            if !result.equals(&self.expected) {
                return Ok(Some(result.values()));
            }
        }
        Ok(None)
    }

    fn path(&self) -> &'static str {
        "typed"
    }
}

/// A parameter list or a result with the types of Rust.
trait Values: Sized {
    fn of(values: &[Val]) -> Option<Self>;
    fn values(self) -> Vec<Val>;
    fn equals(&self, other: &Self) -> bool;
}

impl Values for () {
    fn of(values: &[Val]) -> Option<Self> {
        values.is_empty().then_some(())
    }

    fn values(self) -> Vec<Val> {
        Vec::new()
    }

    fn equals(&self, (): &Self) -> bool {
        true
    }
}

impl<A: Value> Values for (A,) {
    fn of(values: &[Val]) -> Option<Self> {
        let [value] = values else { return None };
        Some((A::of(value)?,))
    }

    fn values(self) -> Vec<Val> {
        vec![self.0.value()]
    }

    #[inline]
    fn equals(&self, other: &Self) -> bool {
        self.0.equals(&other.0)
    }
}

impl<A: Value, B: Value> Values for (A, B) {
    fn of(values: &[Val]) -> Option<Self> {
        let [first, second] = values else { return None };
        Some((A::of(first)?, B::of(second)?))
    }

    fn values(self) -> Vec<Val> {
        vec![self.0.value(), self.1.value()]
    }

    #[inline]
    fn equals(&self, other: &Self) -> bool {
        self.0.equals(&other.0) && self.1.equals(&other.1)
    }
}

/// A value with a type of Rust.
trait Value: Sized {
    fn of(value: &Val) -> Option<Self>;
    fn value(self) -> Val;
    fn equals(&self, other: &Self) -> bool;
}

macro_rules! plain_values {
    ($($ty:ty, $case:ident;)*) => {$(
        impl Value for $ty {
            fn of(value: &Val) -> Option<Self> {
                if let Val::$case(value) = value { Some(value.clone()) } else { None }
            }

            fn value(self) -> Val {
                Val::$case(self)
            }

            #[inline]
            fn equals(&self, other: &Self) -> bool {
                self == other
            }
        }
    )*};
}

plain_values! {
    bool, Bool;
    u32, U32;
    i32, S32;
    u64, U64;
    i64, S64;
    String, String;
}

/// Equal bits are equal results, so a result that is not a number equals itself.
macro_rules! float_values {
    ($($ty:ty, $case:ident;)*) => {$(
        impl Value for $ty {
            fn of(value: &Val) -> Option<Self> {
                if let Val::$case(value) = value { Some(*value) } else { None }
            }

            fn value(self) -> Val {
                Val::$case(self)
            }

            #[inline]
            fn equals(&self, other: &Self) -> bool {
                self.to_bits() == other.to_bits()
            }
        }
    )*};
}

float_values! {
    f32, Float32;
    f64, Float64;
}

impl Value for Arc<str> {
    fn of(value: &Val) -> Option<Self> {
        if let Val::String(text) = value { Some(text.as_str().into()) } else { None }
    }

    fn value(self) -> Val {
        Val::String(self.to_string())
    }

    fn equals(&self, other: &Self) -> bool {
        self == other
    }
}

macro_rules! byte_values {
    ($($ty:ty;)*) => {$(
        impl Value for $ty {
            fn of(value: &Val) -> Option<Self> {
                let Val::List(values) = value else { return None };
                let byte = |value: &Val| if let Val::U8(byte) = value { Some(*byte) } else { None };
                values.iter().map(byte).collect()
            }

            fn value(self) -> Val {
                Val::List(self.iter().copied().map(Val::U8).collect())
            }

            #[inline]
            fn equals(&self, other: &Self) -> bool {
                self == other
            }
        }
    )*};
}

byte_values! {
    Arc<[u8]>;
    Vec<u8>;
}
