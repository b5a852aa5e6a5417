//! Lays values out as the canonical ABI passes them: flat, one core value after the other, and in memory.

use crate::value::Value;
use std::collections::HashMap;
use wit_parser::{Alignment, Handle, Int, Resolve, SizeAlign, Type, TypeDefKind, TypeId};

/// The types of an interface with their sizes.
pub(crate) struct Types<'a> {
    pub(crate) resolve: &'a Resolve,
    sizes: SizeAlign,
    resources: Vec<TypeId>,
}

impl<'a> Types<'a> {
    /// `resources` are in the order of their numbers.
    pub(crate) fn new(resolve: &'a Resolve, resources: Vec<TypeId>) -> Self {
        let mut sizes = SizeAlign::default();
        sizes.fill(resolve);
        Self { resolve, sizes, resources }
    }

    /// The size in bytes.
    pub(crate) fn size(&self, ty: &Type) -> u32 {
        self.sizes.size(ty).size_wasm32() as u32
    }

    pub(crate) fn align(&self, ty: &Type) -> u32 {
        self.sizes.align(ty).align_wasm32() as u32
    }

    /// The number of the resource that a handle is of.
    pub(crate) fn resource(&self, handle: &Handle) -> u32 {
        let (Handle::Own(id) | Handle::Borrow(id)) = handle;
        let found = self.resources.iter().position(|known| known == id);
        found.expect("every resource of the interface has a number") as u32
    }

    /// The offsets of fields that follow each other, and the size and alignment of all.
    fn fields<'t>(&self, types: impl IntoIterator<Item = &'t Type> + Clone) -> (Vec<u32>, u32, u32) {
        let whole = self.sizes.record(types.clone());
        let offsets = self.sizes.field_offsets(types);
        let offsets = offsets.into_iter().map(|(offset, _)| offset.size_wasm32() as u32).collect();
        (offsets, whole.size.size_wasm32() as u32, alignment(whole.align))
    }

    /// How many core values a value has.
    pub(crate) fn flat_len(&self, ty: &Type) -> usize {
        match ty {
            Type::String => 2,
            Type::Id(id) => match &self.resolve.types[*id].kind {
                TypeDefKind::Type(ty) => self.flat_len(ty),
                TypeDefKind::List(_) => 2,
                TypeDefKind::Handle(_) => 1,
                TypeDefKind::Record(record) => record.fields.iter().map(|field| self.flat_len(&field.ty)).sum(),
                TypeDefKind::Tuple(tuple) => tuple.types.iter().map(|ty| self.flat_len(ty)).sum(),
                TypeDefKind::Flags(flags) => flags.repr().count(),
                kind => 1 + self.payload_len(&cases(kind).1),
            },
            _ => 1,
        }
    }

    /// How many core values the largest of the cases has.
    fn payload_len(&self, cases: &[Option<Type>]) -> usize {
        cases.iter().flatten().map(|ty| self.flat_len(ty)).max().unwrap_or(0)
    }

    /// Appends the core values of `value`; what it points to is put into `data`.
    pub(crate) fn flatten(&self, data: &mut Data, ty: &Type, value: &Value, flat: &mut Vec<Flat>) {
        match value {
            Value::Bits(bits) => flat.push(Flat::Bits(*bits)),
            Value::Handle(resource) => flat.push(Flat::Handle(self.handle(ty, *resource))),
            Value::Flags(set) => flat.extend(words(set).into_iter().map(|word| Flat::Bits(u64::from(word)))),
            Value::Text(_) | Value::List(_) => {
                let (pointer, length) = self.place(data, ty, value);
                flat.extend([pointer, length].map(|part| Flat::Bits(u64::from(part))));
            }
            Value::Fields(values) => {
                for (ty, value) in self.field_types(ty).iter().zip(values) {
                    self.flatten(data, ty, value, flat);
                }
            }
            Value::Case(case, value) => {
                let cases = self.cases_of(ty).1;
                let end = flat.len() + 1 + self.payload_len(&cases);
                flat.push(Flat::Bits(u64::from(*case)));
                if let (Some(ty), Some(value)) = (&cases[*case as usize], value) {
                    self.flatten(data, ty, value, flat);
                }
                // Core values that only other cases have. A value that shares its place with a wider one is extended with zeros.
                flat.resize(end, Flat::Bits(0));
            }
        }
    }

    /// The bytes of `value` in memory; what it points to is put into `data`.
    pub(crate) fn image(&self, data: &mut Data, ty: &Type, value: &Value) -> Image {
        let mut image = Image::of_size(self.size(ty), self.align(ty));
        self.store(data, ty, value, 0, &mut image);
        image
    }

    /// The bytes of parameters that are passed in memory.
    pub(crate) fn image_of_parameters(&self, data: &mut Data, types: &[Type], values: &[Value]) -> Image {
        let (offsets, size, align) = self.fields(types);
        let mut image = Image::of_size(size, align);
        for ((ty, value), at) in types.iter().zip(values).zip(offsets) {
            self.store(data, ty, value, at, &mut image);
        }
        image
    }

    /// The offsets of parameters that are passed in memory.
    pub(crate) fn parameter_offsets(&self, types: &[Type]) -> Vec<u32> {
        self.fields(types).0
    }

    fn store(&self, data: &mut Data, ty: &Type, value: &Value, at: u32, image: &mut Image) {
        match value {
            Value::Bits(bits) => image.write(at, &bits.to_le_bytes()[..self.size(ty) as usize]),
            Value::Handle(resource) => image.handles.push(Place { at, handle: self.handle(ty, *resource) }),
            Value::Flags(set) => {
                let bytes: Vec<u8> = words(set).into_iter().flat_map(u32::to_le_bytes).collect();
                image.write(at, &bytes[..self.size(ty) as usize]);
            }
            Value::Text(_) | Value::List(_) => {
                let (pointer, length) = self.place(data, ty, value);
                image.write(at, &pointer.to_le_bytes());
                image.write(at + 4, &length.to_le_bytes());
            }
            Value::Fields(values) => {
                let types = self.field_types(ty);
                let (offsets, ..) = self.fields(&types);
                for ((ty, value), offset) in types.iter().zip(values).zip(offsets) {
                    self.store(data, ty, value, at + offset, image);
                }
            }
            Value::Case(case, value) => {
                let (tag, cases) = self.cases_of(ty);
                image.write(at, &case.to_le_bytes()[..tag_bytes(tag)]);
                if let (Some(ty), Some(value)) = (&cases[*case as usize], value) {
                    let offset = self.sizes.payload_offset(tag, cases.iter().map(Option::as_ref));
                    self.store(data, ty, value, at + offset.size_wasm32() as u32, image);
                }
            }
        }
    }

    /// Puts the contents of a string or list into `data`: their address, and how many bytes or elements.
    fn place(&self, data: &mut Data, ty: &Type, value: &Value) -> (u32, u32) {
        match (value, self.element_of(ty)) {
            (Value::Text(text), _) => (data.share(text.as_bytes(), 1), text.len() as u32),
            (Value::List(values), Some(element)) => {
                let (size, align) = (self.size(&element), self.align(&element));
                let mut image = Image::of_size(size * values.len() as u32, align);
                for (at, value) in (0..).step_by(size as usize).zip(values) {
                    self.store(data, &element, value, at, &mut image);
                }
                (data.put(&image), values.len() as u32)
            }
            _ => unreachable!("{value:?} is a string or a list, and of this type"),
        }
    }

    fn handle(&self, ty: &Type, resource: u32) -> HandleType {
        let is_owned = matches!(self.definition(ty), Some(TypeDefKind::Handle(Handle::Own(_))));
        HandleType { resource, is_owned }
    }

    /// How many handles `value` gives away.
    pub(crate) fn count_owned(&self, ty: &Type, value: &Value) -> u32 {
        match value {
            Value::Handle(resource) => u32::from(self.handle(ty, *resource).is_owned),
            Value::List(values) => {
                let element = self.element_of(ty);
                element.map_or(0, |ty| values.iter().map(|value| self.count_owned(&ty, value)).sum())
            }
            Value::Fields(values) => {
                let types = self.field_types(ty);
                types.iter().zip(values).map(|(ty, value)| self.count_owned(ty, value)).sum()
            }
            Value::Case(case, Some(value)) => {
                let ty = self.cases_of(ty).1[*case as usize];
                ty.map_or(0, |ty| self.count_owned(&ty, value))
            }
            Value::Bits(_) | Value::Text(_) | Value::Flags(_) | Value::Case(_, None) => 0,
        }
    }

    /// Whether a value gives handles away, if it is none that is drawn.
    pub(crate) fn has_owned(&self, ty: &Type) -> bool {
        match self.definition(ty) {
            Some(TypeDefKind::Handle(handle)) => matches!(handle, Handle::Own(_)),
            Some(TypeDefKind::List(element)) => self.has_owned(element),
            _ => self.parts(ty).iter().any(|part| self.has_owned(&part.ty)),
        }
    }

    /// The fields of a record or tuple, or the value of the case that is taken, of a value that is none that is drawn.
    pub(crate) fn parts(&self, ty: &Type) -> Vec<Part> {
        match self.definition(ty) {
            Some(TypeDefKind::Record(_) | TypeDefKind::Tuple(_)) => {
                let types = self.field_types(ty);
                let offsets = self.fields(&types).0;
                let mut flat = 0;
                let part = |(ty, offset): (Type, u32)| {
                    let part = Part { ty, offset, flat };
                    flat += self.flat_len(&ty) as u32;
                    part
                };
                types.into_iter().zip(offsets).map(part).collect()
            }
            Some(kind) => {
                let (tag, cases) = cases(kind);
                let Some(ty) = cases.get(taken_case(kind, &cases)).copied().flatten() else { return Vec::new() };
                let offset = self.sizes.payload_offset(tag, cases.iter().map(Option::as_ref));
                vec![Part { ty, offset: offset.size_wasm32() as u32, flat: 1 }]
            }
            None => Vec::new(),
        }
    }

    /// The definition behind names.
    pub(crate) fn definition(&self, ty: &Type) -> Option<&TypeDefKind> {
        let Type::Id(id) = ty else { return None };
        match &self.resolve.types[*id].kind {
            TypeDefKind::Type(ty) => self.definition(ty),
            kind => Some(kind),
        }
    }

    fn element_of(&self, ty: &Type) -> Option<Type> {
        if let Some(TypeDefKind::List(element)) = self.definition(ty) { Some(*element) } else { None }
    }

    fn field_types(&self, ty: &Type) -> Vec<Type> {
        match self.definition(ty) {
            Some(TypeDefKind::Record(record)) => record.fields.iter().map(|field| field.ty).collect(),
            Some(TypeDefKind::Tuple(tuple)) => tuple.types.clone(),
            _ => Vec::new(),
        }
    }

    fn cases_of(&self, ty: &Type) -> (Int, Vec<Option<Type>>) {
        self.definition(ty).map_or((Int::U8, Vec::new()), cases)
    }
}

/// The type of the number that names the case, and the types of all cases; no cases for other types.
pub(crate) fn cases(kind: &TypeDefKind) -> (Int, Vec<Option<Type>>) {
    match kind {
        TypeDefKind::Variant(variant) => (variant.tag(), variant.cases.iter().map(|case| case.ty).collect()),
        TypeDefKind::Enum(cases) => (cases.tag(), vec![None; cases.cases.len()]),
        TypeDefKind::Option(ty) => (Int::U8, vec![None, Some(*ty)]),
        TypeDefKind::Result(result) => (Int::U8, vec![result.ok, result.err]),
        _ => (Int::U8, Vec::new()),
    }
}

/// The case that values have which are not drawn: a value of an option, success, and the last case of a variant that has a value.
pub(crate) fn taken_case(kind: &TypeDefKind, cases: &[Option<Type>]) -> usize {
    match kind {
        TypeDefKind::Result(_) => 0,
        _ => cases.iter().rposition(Option::is_some).unwrap_or(0),
    }
}

fn tag_bytes(tag: Int) -> usize {
    match tag {
        Int::U8 => 1,
        Int::U16 => 2,
        Int::U32 => 4,
        Int::U64 => 8,
    }
}

fn alignment(align: Alignment) -> u32 {
    align.align_wasm32() as u32
}

/// Flags as the words that they are passed in.
fn words(set: &[bool]) -> Vec<u32> {
    let word = |flags: &[bool]| -> u32 { flags.iter().enumerate().map(|(bit, set)| u32::from(*set) << bit).sum() };
    set.chunks(32).map(word).collect()
}

/// A core value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flat {
    /// Its bits; a value of 32 bits has zeros in the others.
    Bits(u64),
    /// A handle, which is known only when the component runs.
    Handle(HandleType),
}

/// What a handle is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HandleType {
    /// The number of the resource.
    pub(crate) resource: u32,
    /// Whether it is given away, so that each call needs another one.
    pub(crate) is_owned: bool,
}

/// Where a handle has to be written: an offset or an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) at: u32,
    pub(crate) handle: HandleType,
}

/// A part of a value: its offset in memory, and how many core values are before it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part {
    pub(crate) ty: Type,
    pub(crate) offset: u32,
    pub(crate) flat: u32,
}

/// Bytes, and where in them handles have to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Image {
    pub(crate) bytes: Vec<u8>,
    pub(crate) align: u32,
    pub(crate) handles: Vec<Place>,
}

impl Image {
    fn of_size(size: u32, align: u32) -> Self {
        Self { bytes: vec![0; size as usize], align, handles: Vec::new() }
    }

    fn write(&mut self, at: u32, bytes: &[u8]) {
        self.bytes[at as usize..][..bytes.len()].copy_from_slice(bytes);
    }
}

/// Where the constants of a module begin; below it is room for null pointers to be wrong.
pub(crate) const DATA_START: u32 = 1024;

/// The alignment of everything that is not aligned otherwise.
const ALIGN_MAX: u32 = 16;

/// The constants of a module.
#[derive(Debug, Default)]
pub(crate) struct Data {
    pub(crate) bytes: Vec<u8>,
    /// The addresses at which handles have to be written in what was put here.
    pub(crate) handles: Vec<Place>,
    /// Equal contents have one address.
    shared: HashMap<(u32, Vec<u8>), u32>,
}

impl Data {
    /// Room for `size` bytes: its address.
    pub(crate) fn reserve(&mut self, size: u32, align: u32) -> u32 {
        let start = self.end().next_multiple_of(align.max(1));
        self.bytes.resize((start - DATA_START + size) as usize, 0);
        start
    }

    /// The address of these bytes, which are never written.
    fn share(&mut self, bytes: &[u8], align: u32) -> u32 {
        if let Some(address) = self.shared.get(&(align, bytes.to_vec())) {
            return *address;
        }
        let address = self.put_alone(bytes, align);
        self.shared.insert((align, bytes.to_vec()), address);
        address
    }

    fn put_alone(&mut self, bytes: &[u8], align: u32) -> u32 {
        let address = self.reserve(bytes.len() as u32, align);
        self.write(address, bytes);
        address
    }

    /// The address of an image; one with handles has an address of its own, because they are written later.
    pub(crate) fn put(&mut self, image: &Image) -> u32 {
        if image.handles.is_empty() {
            return self.share(&image.bytes, image.align);
        }
        let address = self.put_alone(&image.bytes, image.align);
        self.handles.extend(image.handles.iter().map(|place| Place { at: address + place.at, ..*place }));
        address
    }

    /// Overwrites reserved bytes.
    pub(crate) fn write(&mut self, address: u32, bytes: &[u8]) {
        self.bytes[(address - DATA_START) as usize..][..bytes.len()].copy_from_slice(bytes);
    }

    fn end(&self) -> u32 {
        DATA_START + self.bytes.len() as u32
    }

    /// The first address behind the constants.
    pub(crate) fn heap(&self) -> u32 {
        self.end().next_multiple_of(ALIGN_MAX)
    }
}
