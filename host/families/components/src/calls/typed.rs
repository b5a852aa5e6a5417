//! Calls with the types of Rust, which cost much less than calls with dynamic values. The signatures that have such a call are those of
//! no parameter or one of a plain type, of two of one type or of common ones, and of three of one type or of places, texts and bytes.

use super::repeated::Calling;
use bench_wasm::State;
use bench_wasm::wasmtime::component::{ComponentNamedList, Func, Lift, Lower, TypedFunc, Val};
use bench_wasm::wasmtime::{Result, Store};
use std::sync::Arc;

/// The call in `$body` with `$name` as the type that `$value` has; `None` if that is none of these. One signature is looked for instead of
/// all, and the code of a call is there once for each signature, however many ways lead to it.
macro_rules! of_type {
    ($value:expr, $name:ident, $body:expr, [$($case:ident $ty:ty),*]) => {
        match $value {
            $(Val::$case(_) => {
                type $name = $ty;
                $body
            })*
            _ => None,
        }
    };
}

/// The same for every type that a parameter of a typed call can have.
macro_rules! of_plain_type {
    ($value:expr, $name:ident, $body:expr) => {
        of_type!($value, $name, $body, [
            Bool bool, U8 u8, S8 i8, U16 u16, S16 i16, U32 u32, S32 i32, U64 u64, S64 i64, Float32 f32, Float64 f64,
            Char char, String Arc<str>, List Arc<[u8]>
        ])
    };
}

/// The same for the types of which each can stand beside each.
macro_rules! of_common_type {
    ($value:expr, $name:ident, $body:expr) => {
        of_type!($value, $name, $body, [
            Bool bool, U32 u32, S32 i32, U64 u64, S64 i64, Float64 f64, String Arc<str>, List Arc<[u8]>
        ])
    };
}

/// The same for the types of which any three can stand beside each other: texts, bytes, and places and lengths in them.
macro_rules! of_text_type {
    ($value:expr, $name:ident, $body:expr) => {
        of_type!($value, $name, $body, [U32 u32, String Arc<str>, List Arc<[u8]>])
    };
}

/// The call of `function` with these arguments, and the result that it must have, if its signature has a typed call.
pub(super) fn typed(
    store: &Store<State>,
    function: Func,
    arguments: &[Val],
    expected: &[Val],
) -> Option<Box<dyn Calling>> {
    let found = Typing { store, function, arguments, expected };
    match arguments {
        [] => found.with_plain_result::<()>(),
        [one] => of_plain_type!(one, A, found.with_common_result::<(A,), A>()),
        [one, two] => None
            .or_else(|| of_common_type!(one, A, of_common_type!(two, B, found.with_result_of::<(A, B), A, B>())))
            .or_else(|| of_plain_type!(one, A, found.with_result_of::<(A, A), A, A>())),
        [one, two, three] => None
            .or_else(|| {
                of_text_type!(
                    one,
                    A,
                    of_text_type!(two, B, of_text_type!(three, C, found.with_result_of::<(A, B, C), A, C>()))
                )
            })
            .or_else(|| of_plain_type!(one, A, found.with_result_of::<(A, A, A), A, A>())),
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
        R: Results + ComponentNamedList + Lift + 'static,
    {
        let (arguments, expected) = (P::of(self.arguments)?, R::of(self.expected)?);
        let function = self.function.typed::<P, R>(self.store).ok()?;
        Some(Box::new(TypedCall { function, arguments, expected }))
    }

    fn with_plain_result<P>(&self) -> Option<Box<dyn Calling>>
    where
        P: Values + Clone + ComponentNamedList + Lower + 'static,
    {
        self.with_common_result::<P, u8>()
            .or_else(|| self.with::<P, (i8,)>())
            .or_else(|| self.with::<P, (u16,)>())
            .or_else(|| self.with::<P, (i16,)>())
            .or_else(|| self.with::<P, (f32,)>())
            .or_else(|| self.with::<P, (char,)>())
    }

    /// A result of a common type or of the type `A`, or none.
    fn with_common_result<P, A>(&self) -> Option<Box<dyn Calling>>
    where
        P: Values + Clone + ComponentNamedList + Lower + 'static,
        A: Value,
    {
        self.with_result_of::<P, A, A>()
            .or_else(|| self.with::<P, (i32,)>())
            .or_else(|| self.with::<P, (u64,)>())
            .or_else(|| self.with::<P, (i64,)>())
            .or_else(|| self.with::<P, (f64,)>())
            .or_else(|| self.with::<P, (String,)>())
            .or_else(|| self.with::<P, (Vec<u8>,)>())
    }

    /// A result of the type of one of the parameters, a truth value, a number, or none.
    fn with_result_of<P, A, B>(&self) -> Option<Box<dyn Calling>>
    where
        P: Values + Clone + ComponentNamedList + Lower + 'static,
        A: Value,
        B: Value,
    {
        self.with::<P, (A::Lifted,)>()
            .or_else(|| self.with::<P, (B::Lifted,)>())
            .or_else(|| self.with::<P, ()>())
            .or_else(|| self.with::<P, (bool,)>())
            .or_else(|| self.with::<P, (u32,)>())
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
    R: Results + ComponentNamedList + Lift + 'static,
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
}

/// A result with a type of Rust, or none.
trait Results: Values {
    fn values(self) -> Vec<Val>;
    fn equals(&self, other: &Self) -> bool;
}

impl Values for () {
    fn of(values: &[Val]) -> Option<Self> {
        values.is_empty().then_some(())
    }
}

impl Results for () {
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
}

impl<A: Value> Results for (A,) {
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
        let [one, two] = values else { return None };
        Some((A::of(one)?, B::of(two)?))
    }
}

impl<A: Value, B: Value, C: Value> Values for (A, B, C) {
    fn of(values: &[Val]) -> Option<Self> {
        let [one, two, three] = values else { return None };
        Some((A::of(one)?, B::of(two)?, C::of(three)?))
    }
}

/// A value with a type of Rust.
trait Value: Sized {
    /// The type that a result has for which this is the type of a parameter.
    type Lifted: Value + Lift + 'static;

    fn of(value: &Val) -> Option<Self>;
    fn value(self) -> Val;
    fn equals(&self, other: &Self) -> bool;
}

macro_rules! plain_values {
    ($($ty:ty, $case:ident;)*) => {$(
        impl Value for $ty {
            type Lifted = Self;

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
    u8, U8;
    i8, S8;
    u16, U16;
    i16, S16;
    u32, U32;
    i32, S32;
    u64, U64;
    i64, S64;
    char, Char;
    String, String;
}

/// Equal bits are equal results, so a result that is not a number equals itself.
macro_rules! float_values {
    ($($ty:ty, $case:ident;)*) => {$(
        impl Value for $ty {
            type Lifted = Self;

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
    type Lifted = String;

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
            type Lifted = Vec<u8>;

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
