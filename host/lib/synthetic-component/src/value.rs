//! Values of types of a WIT, and how they are made up: with a payload of a given size, or drawn.

use crate::layout::{Types, taken_case};
use wit_parser::{Type, TypeDefKind};

/// A value. Names of fields and cases are in its type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A number, character or flag, as the canonical ABI passes it: extended to 32 or 64 bits, and those bits in an unsigned number.
    Bits(u64),
    /// A string.
    Text(String),
    /// A list.
    List(Vec<Value>),
    /// The fields of a record or tuple.
    Fields(Vec<Value>),
    /// A case of a variant, enum, option (0 is none) or result (0 is ok), and its value.
    Case(u32, Option<Box<Value>>),
    /// Which flags are set.
    Flags(Vec<bool>),
    /// A handle of the resource with this number.
    Handle(u32),
}

/// Bytes of a string that is an element of a list, in values with a given payload.
const INNER_TEXT_BYTES: u64 = 8;

/// Elements of a list that is an element of a list, in values with a given payload.
const INNER_ELEMENTS: u64 = 2;

/// The most elements of a list and characters of a string that is drawn.
const DRAWN_MAX: u64 = 5;

/// Makes up values.
pub(crate) struct Sampler<'a> {
    pub(crate) types: &'a Types<'a>,
    payload: u64,
    /// The state of the generator, if values are drawn.
    random: Option<u64>,
    /// In how many lists the value is.
    depth: u32,
    numbers: u64,
    /// The bytes of all strings and lists so far.
    pub(crate) bytes: u64,
}

impl<'a> Sampler<'a> {
    /// Each string and list that is not in a list has about `payload` bytes. Options and results have a value, and of the cases of
    /// a variant the last one that has a value is taken, so that a value is as large as its type permits.
    pub(crate) fn of_size(types: &'a Types<'a>, payload: u64) -> Self {
        Self { types, payload, random: None, depth: 0, numbers: 0, bytes: 0 }
    }

    /// Everything is drawn: numbers, lengths, characters and cases.
    pub(crate) fn drawn(types: &'a Types<'a>, seed: u64) -> Self {
        Self { random: Some(seed), ..Self::of_size(types, 0) }
    }

    pub(crate) fn value(&mut self, ty: &Type) -> Value {
        match ty {
            Type::String => self.text(),
            Type::Id(id) => match &self.types.resolve.types[*id].kind {
                TypeDefKind::Type(ty) => self.value(ty),
                TypeDefKind::List(element) => self.list(element),
                TypeDefKind::Record(record) => {
                    Value::Fields(record.fields.iter().map(|field| self.value(&field.ty)).collect())
                }
                TypeDefKind::Tuple(tuple) => Value::Fields(tuple.types.iter().map(|ty| self.value(ty)).collect()),
                TypeDefKind::Flags(flags) => Value::Flags(flags.flags.iter().map(|_| self.below(2, 1) == 1).collect()),
                TypeDefKind::Handle(handle) => Value::Handle(self.types.resource(handle)),
                kind => self.case(kind),
            },
            number => Value::Bits(self.number(number)),
        }
    }

    /// A number below `bound` if values are drawn, else `fixed`.
    fn below(&mut self, bound: u64, fixed: u64) -> u64 {
        match &mut self.random {
            Some(state) => next(state) % bound.max(1),
            None => fixed,
        }
    }

    fn number(&mut self, ty: &Type) -> u64 {
        self.numbers += 1;
        let counted = self.numbers % 100;
        let raw = self.below(u64::MAX, counted);
        // Whole numbers that both kinds of floating-point numbers hold exactly, and no NaN, whose bits the engine may change.
        let whole = raw as u16;
        let extended = |signed: i32| u64::from(signed as u32);
        match ty {
            Type::Bool => raw % 2,
            Type::U8 => u64::from(raw as u8),
            Type::U16 => u64::from(raw as u16),
            Type::S8 => extended(i32::from(raw as i8)),
            Type::S16 => extended(i32::from(raw as i16)),
            Type::U32 | Type::S32 => u64::from(raw as u32),
            Type::F32 => u64::from(f32::from(whole).to_bits()),
            Type::F64 => f64::from(whole).to_bits(),
            Type::Char => u64::from(u32::from(CHARACTERS[raw as usize % CHARACTERS.len()])),
            _ => raw,
        }
    }

    fn text(&mut self) -> Value {
        let bytes = if self.depth == 0 { self.payload } else { INNER_TEXT_BYTES };
        let text: String = match self.random {
            Some(_) => {
                let length = self.below(DRAWN_MAX, 0);
                (0..length).map(|_| CHARACTERS[self.below(CHARACTERS.len() as u64, 0) as usize]).collect()
            }
            None => ('a'..='z').cycle().take(bytes as usize).collect(),
        };
        self.bytes += text.len() as u64;
        Value::Text(text)
    }

    fn list(&mut self, element: &Type) -> Value {
        let size = u64::from(self.types.size(element)).max(1);
        let fixed = if self.depth == 0 { self.payload.div_ceil(size) } else { INNER_ELEMENTS };
        let length = self.below(DRAWN_MAX, fixed);
        self.bytes += length * size;
        self.depth += 1;
        let numbers = self.numbers;
        let elements = (0..length).map(|_| self.value(element)).collect();
        self.depth -= 1;
        // What follows a list is the same for every payload: a result that is one core value is a constant of the function.
        self.numbers = numbers;
        Value::List(elements)
    }

    fn case(&mut self, kind: &TypeDefKind) -> Value {
        let (_, cases) = crate::layout::cases(kind);
        let case = self.below(cases.len() as u64, taken_case(kind, &cases) as u64);
        let value = cases[case as usize].map(|ty| Box::new(self.value(&ty)));
        Value::Case(case as u32, value)
    }
}

/// Characters of one to four bytes.
const CHARACTERS: [char; 8] = ['a', 'z', '0', ' ', '"', 'é', '€', '𝄞'];

/// The next number of the generator SplitMix64 (Steele, Lea and Flood 2014).
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
