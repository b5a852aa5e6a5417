//! Types and values of the engine as the WAVE notation reads and writes them. The engine's own feature for this would be compiled into
//! every host.

use bench_wasm::wasmtime::component::types::ComponentFunc;
use bench_wasm::wasmtime::component::{Type, Val};
use std::borrow::Cow;
use wasm_wave::wasm::{DisplayFunc, DisplayValue, WasmFunc, WasmType, WasmTypeKind, WasmValue, WasmValueError};

/// A type.
#[derive(Clone)]
pub(crate) struct WaveType(pub(crate) Type);

/// A value. Those of handles, streams and futures have no notation.
#[derive(Clone)]
pub(crate) struct WaveValue(pub(crate) Val);

/// The type of a function: `func(a: u32) -> string`.
pub(crate) fn show_function(ty: &ComponentFunc) -> String {
    DisplayFunc(Function(ty)).to_string()
}

/// A value in WAVE notation.
pub(crate) fn show_value(value: &Val) -> String {
    DisplayValue(&WaveValue(value.clone())).to_string()
}

struct Function<'a>(&'a ComponentFunc);

impl WasmFunc for Function<'_> {
    type Type = WaveType;

    fn params(&self) -> Box<dyn Iterator<Item = WaveType> + '_> {
        Box::new(self.0.params().map(|(_, ty)| WaveType(ty)))
    }

    fn param_names(&self) -> Box<dyn Iterator<Item = Cow<'_, str>> + '_> {
        Box::new(self.0.params().map(|(name, _)| Cow::Borrowed(name)))
    }

    fn results(&self) -> Box<dyn Iterator<Item = WaveType> + '_> {
        Box::new(self.0.results().map(WaveType))
    }
}

impl WasmType for WaveType {
    fn kind(&self) -> WasmTypeKind {
        match &self.0 {
            Type::Bool => WasmTypeKind::Bool,
            Type::S8 => WasmTypeKind::S8,
            Type::U8 => WasmTypeKind::U8,
            Type::S16 => WasmTypeKind::S16,
            Type::U16 => WasmTypeKind::U16,
            Type::S32 => WasmTypeKind::S32,
            Type::U32 => WasmTypeKind::U32,
            Type::S64 => WasmTypeKind::S64,
            Type::U64 => WasmTypeKind::U64,
            Type::Float32 => WasmTypeKind::F32,
            Type::Float64 => WasmTypeKind::F64,
            Type::Char => WasmTypeKind::Char,
            Type::String => WasmTypeKind::String,
            Type::List(_) => WasmTypeKind::List,
            Type::Record(_) => WasmTypeKind::Record,
            Type::Tuple(_) => WasmTypeKind::Tuple,
            Type::Variant(_) => WasmTypeKind::Variant,
            Type::Enum(_) => WasmTypeKind::Enum,
            Type::Option(_) => WasmTypeKind::Option,
            Type::Result(_) => WasmTypeKind::Result,
            Type::Flags(_) => WasmTypeKind::Flags,
            _ => WasmTypeKind::Unsupported,
        }
    }

    fn list_element_type(&self) -> Option<Self> {
        if let Type::List(list) = &self.0 { Some(Self(list.ty())) } else { None }
    }

    fn record_fields(&self) -> Box<dyn Iterator<Item = (Cow<'_, str>, Self)> + '_> {
        match &self.0 {
            Type::Record(record) => Box::new(record.fields().map(|field| (field.name.into(), Self(field.ty)))),
            _ => Box::new(std::iter::empty()),
        }
    }

    fn tuple_element_types(&self) -> Box<dyn Iterator<Item = Self> + '_> {
        match &self.0 {
            Type::Tuple(tuple) => Box::new(tuple.types().map(Self)),
            _ => Box::new(std::iter::empty()),
        }
    }

    fn variant_cases(&self) -> Box<dyn Iterator<Item = (Cow<'_, str>, Option<Self>)> + '_> {
        match &self.0 {
            Type::Variant(variant) => Box::new(variant.cases().map(|case| (case.name.into(), case.ty.map(Self)))),
            _ => Box::new(std::iter::empty()),
        }
    }

    fn enum_cases(&self) -> Box<dyn Iterator<Item = Cow<'_, str>> + '_> {
        match &self.0 {
            Type::Enum(cases) => Box::new(cases.names().map(Into::into)),
            _ => Box::new(std::iter::empty()),
        }
    }

    fn option_some_type(&self) -> Option<Self> {
        if let Type::Option(option) = &self.0 { Some(Self(option.ty())) } else { None }
    }

    fn result_types(&self) -> Option<(Option<Self>, Option<Self>)> {
        if let Type::Result(result) = &self.0 { Some((result.ok().map(Self), result.err().map(Self))) } else { None }
    }

    fn flags_names(&self) -> Box<dyn Iterator<Item = Cow<'_, str>> + '_> {
        match &self.0 {
            Type::Flags(flags) => Box::new(flags.names().map(Into::into)),
            _ => Box::new(std::iter::empty()),
        }
    }
}

/// Values of one type of Rust: the case of a value, and the functions that make and unwrap it.
macro_rules! plain_values {
    ($($case:ident, $ty:ty, $make:ident, $unwrap:ident;)*) => {$(
        fn $make(value: $ty) -> Self {
            Self(Val::$case(value))
        }

        fn $unwrap(&self) -> $ty {
            match &self.0 {
                Val::$case(value) => *value,
                other => wrong(other),
            }
        }
    )*};
}

impl WasmValue for WaveValue {
    type Type = WaveType;

    plain_values! {
        Bool, bool, make_bool, unwrap_bool;
        S8, i8, make_s8, unwrap_s8;
        U8, u8, make_u8, unwrap_u8;
        S16, i16, make_s16, unwrap_s16;
        U16, u16, make_u16, unwrap_u16;
        S32, i32, make_s32, unwrap_s32;
        U32, u32, make_u32, unwrap_u32;
        S64, i64, make_s64, unwrap_s64;
        U64, u64, make_u64, unwrap_u64;
        Float32, f32, make_f32, unwrap_f32;
        Float64, f64, make_f64, unwrap_f64;
        Char, char, make_char, unwrap_char;
    }

    fn kind(&self) -> WasmTypeKind {
        match &self.0 {
            Val::Bool(_) => WasmTypeKind::Bool,
            Val::S8(_) => WasmTypeKind::S8,
            Val::U8(_) => WasmTypeKind::U8,
            Val::S16(_) => WasmTypeKind::S16,
            Val::U16(_) => WasmTypeKind::U16,
            Val::S32(_) => WasmTypeKind::S32,
            Val::U32(_) => WasmTypeKind::U32,
            Val::S64(_) => WasmTypeKind::S64,
            Val::U64(_) => WasmTypeKind::U64,
            Val::Float32(_) => WasmTypeKind::F32,
            Val::Float64(_) => WasmTypeKind::F64,
            Val::Char(_) => WasmTypeKind::Char,
            Val::String(_) => WasmTypeKind::String,
            Val::List(_) => WasmTypeKind::List,
            Val::Record(_) => WasmTypeKind::Record,
            Val::Tuple(_) => WasmTypeKind::Tuple,
            Val::Variant(..) => WasmTypeKind::Variant,
            Val::Enum(_) => WasmTypeKind::Enum,
            Val::Option(_) => WasmTypeKind::Option,
            Val::Result(_) => WasmTypeKind::Result,
            Val::Flags(_) => WasmTypeKind::Flags,
            _ => WasmTypeKind::Unsupported,
        }
    }

    fn make_string(value: Cow<'_, str>) -> Self {
        Self(Val::String(value.into_owned()))
    }

    fn make_list(_: &WaveType, values: impl IntoIterator<Item = Self>) -> Result<Self, WasmValueError> {
        Ok(Self(Val::List(values.into_iter().map(|value| value.0).collect())))
    }

    fn make_record<'a>(
        _: &WaveType,
        fields: impl IntoIterator<Item = (&'a str, Self)>,
    ) -> Result<Self, WasmValueError> {
        Ok(Self(Val::Record(fields.into_iter().map(|(name, value)| (name.to_owned(), value.0)).collect())))
    }

    fn make_tuple(_: &WaveType, values: impl IntoIterator<Item = Self>) -> Result<Self, WasmValueError> {
        Ok(Self(Val::Tuple(values.into_iter().map(|value| value.0).collect())))
    }

    fn make_variant(_: &WaveType, case: &str, value: Option<Self>) -> Result<Self, WasmValueError> {
        Ok(Self(Val::Variant(case.to_owned(), boxed(value))))
    }

    fn make_enum(_: &WaveType, case: &str) -> Result<Self, WasmValueError> {
        Ok(Self(Val::Enum(case.to_owned())))
    }

    fn make_option(_: &WaveType, value: Option<Self>) -> Result<Self, WasmValueError> {
        Ok(Self(Val::Option(boxed(value))))
    }

    fn make_result(_: &WaveType, value: Result<Option<Self>, Option<Self>>) -> Result<Self, WasmValueError> {
        Ok(Self(Val::Result(value.map(boxed).map_err(boxed))))
    }

    /// In the order of the type, as the engine returns them.
    fn make_flags<'a>(ty: &WaveType, names: impl IntoIterator<Item = &'a str>) -> Result<Self, WasmValueError> {
        let given: Vec<_> = names.into_iter().map(|name| name.strip_prefix('%').unwrap_or(name)).collect();
        let known: Vec<String> = ty.flags_names().map(Cow::into_owned).collect();
        if let Some(unknown) = given.iter().find(|name| !known.iter().any(|known| known == *name)) {
            return Err(WasmValueError::Other(format!("unknown flag {unknown:?}")));
        }
        Ok(Self(Val::Flags(known.into_iter().filter(|name| given.contains(&name.as_str())).collect())))
    }

    fn unwrap_string(&self) -> Cow<'_, str> {
        if let Val::String(text) = &self.0 { Cow::Borrowed(text) } else { wrong(&self.0) }
    }

    fn unwrap_list(&self) -> Box<dyn Iterator<Item = Cow<'_, Self>> + '_> {
        if let Val::List(values) = &self.0 { Box::new(values.iter().map(owned)) } else { wrong(&self.0) }
    }

    fn unwrap_record(&self) -> Box<dyn Iterator<Item = (Cow<'_, str>, Cow<'_, Self>)> + '_> {
        let Val::Record(fields) = &self.0 else { wrong(&self.0) };
        Box::new(fields.iter().map(|(name, value)| (Cow::Borrowed(name.as_str()), owned(value))))
    }

    fn unwrap_tuple(&self) -> Box<dyn Iterator<Item = Cow<'_, Self>> + '_> {
        if let Val::Tuple(values) = &self.0 { Box::new(values.iter().map(owned)) } else { wrong(&self.0) }
    }

    fn unwrap_variant(&self) -> (Cow<'_, str>, Option<Cow<'_, Self>>) {
        let Val::Variant(case, value) = &self.0 else { wrong(&self.0) };
        (Cow::Borrowed(case), value.as_deref().map(owned))
    }

    fn unwrap_enum(&self) -> Cow<'_, str> {
        if let Val::Enum(case) = &self.0 { Cow::Borrowed(case) } else { wrong(&self.0) }
    }

    fn unwrap_option(&self) -> Option<Cow<'_, Self>> {
        if let Val::Option(value) = &self.0 { value.as_deref().map(owned) } else { wrong(&self.0) }
    }

    fn unwrap_result(&self) -> Result<Option<Cow<'_, Self>>, Option<Cow<'_, Self>>> {
        match &self.0 {
            Val::Result(Ok(value)) => Ok(value.as_deref().map(owned)),
            Val::Result(Err(value)) => Err(value.as_deref().map(owned)),
            other => wrong(other),
        }
    }

    fn unwrap_flags(&self) -> Box<dyn Iterator<Item = Cow<'_, str>> + '_> {
        let Val::Flags(names) = &self.0 else { wrong(&self.0) };
        Box::new(names.iter().map(|name| Cow::Borrowed(name.as_str())))
    }
}

fn boxed(value: Option<WaveValue>) -> Option<Box<Val>> {
    value.map(|value| Box::new(value.0))
}

fn owned(value: &Val) -> Cow<'_, WaveValue> {
    Cow::Owned(WaveValue(value.clone()))
}

/// The notation unwraps a value only as what [`WasmValue::kind`] says.
fn wrong(value: &Val) -> ! {
    unreachable!("{value:?} is unwrapped as another kind of value")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_every_kind_are_written() {
        let number = || Box::new(Val::U8(1));
        for (value, expect) in [
            (Val::Bool(true), "true"),
            (Val::S64(-1), "-1"),
            (Val::Float32(1.5), "1.5"),
            (Val::Float64(f64::NAN), "nan"),
            (Val::Char('a'), "'a'"),
            (Val::String("a\"b".to_owned()), r#""a\"b""#),
            (Val::List(vec![Val::U8(1), Val::U8(2)]), "[1, 2]"),
            (Val::Record(vec![("x".to_owned(), Val::U8(1))]), "{x: 1}"),
            (Val::Tuple(vec![Val::U8(1), Val::Bool(false)]), "(1, false)"),
            (Val::Variant("some-case".to_owned(), Some(number())), "some-case(1)"),
            (Val::Enum("red".to_owned()), "red"),
            (Val::Option(Some(number())), "some(1)"),
            (Val::Option(None), "none"),
            (Val::Result(Ok(None)), "ok"),
            (Val::Result(Err(Some(number()))), "err(1)"),
            (Val::Flags(vec!["a".to_owned(), "b".to_owned()]), "{a, b}"),
        ] {
            assert_eq!(show_value(&value), expect);
        }
    }
}
