//! Code for the handles in values that are given away: those of arguments are made before the calls and put into a stock, which is in the
//! caller's memory; who is given one drops it.

use crate::PAYLOADS;
use crate::core_module::{CoreModule, SELECTED, STOCK, at};
use crate::layout::{Place, Types};
use std::collections::BTreeSet;
use wasm_encoder::{BlockType, InstructionSink, ValType};
use wit_parser::{Function, Type, TypeDefKind};

/// The representation of every resource.
pub(crate) const REPRESENTATION: i32 = 1;

/// Bytes of a handle, and of an address.
const BYTES: i32 = 4;

/// What is done with each handle in a value. The functions that do it are in the order of the resources.
#[derive(Clone, Copy)]
pub(crate) enum Action<'a> {
    /// It is dropped.
    Drop(&'a [u32]),
    /// It is made, and written into its place in memory.
    Make(&'a [u32]),
}

/// Code that visits every handle which a value gives away.
#[derive(Clone, Copy)]
pub(crate) struct Visit<'a> {
    pub(crate) types: &'a Types<'a>,
    pub(crate) action: Action<'a>,
    /// The first of [`list_locals`] locals.
    pub(crate) first_local: u32,
}

/// The number of locals that visiting values of these types needs.
pub(crate) fn list_locals<'t>(types: &Types<'_>, of: impl IntoIterator<Item = &'t Type>) -> u32 {
    2 * of.into_iter().map(|ty| list_depth(types, ty)).max().unwrap_or(0)
}

/// How deep lists with handles are nested.
fn list_depth(types: &Types<'_>, ty: &Type) -> u32 {
    match types.definition(ty) {
        Some(TypeDefKind::List(element)) if types.has_owned(element) => 1 + list_depth(types, element),
        Some(TypeDefKind::List(_)) => 0,
        _ => types.parts(ty).iter().map(|part| list_depth(types, &part.ty)).max().unwrap_or(0),
    }
}

impl Visit<'_> {
    /// Visits the parameters of an exported function, whose core values have these types.
    pub(crate) fn parameters(
        self,
        code: &mut InstructionSink<'_>,
        function: &Function,
        is_indirect: bool,
        locals: &[ValType],
    ) {
        let types: Vec<Type> = function.params.iter().map(|parameter| parameter.ty).collect();
        if is_indirect {
            for (ty, offset) in types.iter().zip(self.types.parameter_offsets(&types)) {
                self.memory(code, ty, 0, offset, 0);
            }
            return;
        }
        let mut first = 0;
        for ty in &types {
            self.flat(code, ty, first, locals);
            first += self.types.flat_len(ty) as u32;
        }
    }

    /// Visits a value in memory, at this offset from the address in the local `base`; it is in so many lists.
    pub(crate) fn memory(self, code: &mut InstructionSink<'_>, ty: &Type, base: u32, offset: u32, depth: u32) {
        match self.types.definition(ty) {
            _ if !self.types.has_owned(ty) => {}
            Some(TypeDefKind::Handle(handle)) => {
                let resource = self.types.resource(handle) as usize;
                code.local_get(base);
                match self.action {
                    Action::Drop(drops) => code.i32_load(at(offset)).call(drops[resource]),
                    Action::Make(makes) => code.i32_const(REPRESENTATION).call(makes[resource]).i32_store(at(offset)),
                };
            }
            Some(TypeDefKind::List(element)) => {
                let cursor = self.first_local + 2 * depth;
                code.local_get(base).i32_load(at(offset)).local_set(cursor);
                code.local_get(base).i32_load(at(offset + BYTES.cast_unsigned()));
                self.elements(code, element, depth);
            }
            _ => {
                for part in self.types.parts(ty) {
                    self.memory(code, &part.ty, base, offset + part.offset, depth);
                }
            }
        }
    }

    /// Visits a value whose core values are the locals from `first` on.
    fn flat(self, code: &mut InstructionSink<'_>, ty: &Type, first: u32, locals: &[ValType]) {
        match self.types.definition(ty) {
            _ if !self.types.has_owned(ty) => {}
            Some(TypeDefKind::Handle(handle)) => {
                if let Action::Drop(drops) = self.action {
                    get(code, first, locals);
                    code.call(drops[self.types.resource(handle) as usize]);
                }
            }
            Some(TypeDefKind::List(element)) => {
                get(code, first, locals);
                code.local_set(self.first_local);
                get(code, first + 1, locals);
                self.elements(code, element, 0);
            }
            _ => {
                for part in self.types.parts(ty) {
                    self.flat(code, &part.ty, first + part.flat, locals);
                }
            }
        }
    }

    /// Visits the elements of a list, whose address is in its first local and whose length is on the stack.
    fn elements(self, code: &mut InstructionSink<'_>, element: &Type, depth: u32) {
        let cursor = self.first_local + 2 * depth;
        let end = cursor + 1;
        let size = self.types.size(element).cast_signed();
        code.i32_const(size).i32_mul().local_get(cursor).i32_add().local_set(end);
        each(code, cursor, end, size, |code| self.memory(code, element, cursor, 0, depth + 1));
    }
}

/// The core value in a local, which is wider than 32 bits where a case has a wider one in its place.
fn get(code: &mut InstructionSink<'_>, local: u32, locals: &[ValType]) {
    code.local_get(local);
    if locals[local as usize] == ValType::I64 {
        code.i32_wrap_i64();
    }
}

/// Repeats `body` with the local `cursor` advanced by `step` each time, up to the local `end`.
fn each(code: &mut InstructionSink<'_>, cursor: u32, end: u32, step: i32, body: impl FnOnce(&mut InstructionSink<'_>)) {
    code.block(BlockType::Empty).loop_(BlockType::Empty);
    code.local_get(cursor).local_get(end).i32_ge_u().br_if(1);
    body(code);
    code.local_get(cursor).i32_const(step).i32_add().local_set(cursor).br(0).end().end();
}

/// Repeats `body` as often as the local `times` says; `done` is a local of its own.
pub(crate) fn repeat(
    code: &mut InstructionSink<'_>,
    times: u32,
    done: u32,
    body: impl FnOnce(&mut InstructionSink<'_>),
) {
    each(code, done, times, 1, body);
}

/// Where a function's arguments have handles that each call gives away.
pub(crate) struct Stock {
    /// The numbers of the resources. Each has the address of a table with the begin and the end of a list of addresses for every payload.
    lists: Vec<(u32, u32)>,
}

impl Stock {
    /// Of a function with these places for each payload.
    pub(crate) fn new(module: &mut CoreModule, places: &[Vec<Place>]) -> Self {
        let resources: BTreeSet<u32> = places.iter().flatten().map(|place| place.handle.resource).collect();
        let lists = resources.into_iter().map(|resource| {
            let row = 2 * BYTES.cast_unsigned();
            let table = module.data.reserve(row * PAYLOADS.len() as u32, row);
            for (row, places) in (table..).step_by(row as usize).zip(places) {
                let of_resource = places.iter().filter(|place| place.handle.resource == resource);
                let addresses: Vec<u8> = of_resource.flat_map(|place| place.at.to_le_bytes()).collect();
                let begin = module.data.reserve(addresses.len() as u32, BYTES.cast_unsigned());
                module.data.write(begin, &addresses);
                module.data.write(row, &begin.to_le_bytes());
                module.data.write(row + BYTES.cast_unsigned(), &(begin + addresses.len() as u32).to_le_bytes());
            }
            (resource, table)
        });
        Self { lists: lists.collect() }
    }

    /// How many locals its code needs.
    pub(crate) fn locals(&self) -> u32 {
        2 + 2 * self.lists.len() as u32
    }

    /// Code that begins with the first handle of the stock, for the selected payload.
    pub(crate) fn begin(&self, code: &mut InstructionSink<'_>, first: u32) {
        code.global_get(STOCK).local_set(first);
        for ((_, table), begin) in self.lists.iter().zip((first + 2..).step_by(2)) {
            for (local, offset) in [(begin, 0), (begin + 1, BYTES.cast_unsigned())] {
                code.global_get(SELECTED).i32_const(2 * BYTES).i32_mul().i32_load(at(table + offset)).local_set(local);
            }
        }
    }

    /// Code that writes the next handles into their places, for one call.
    pub(crate) fn give(&self, code: &mut InstructionSink<'_>, first: u32) {
        self.each_place(code, first, |code, _| {
            code.local_get(first + 1).i32_load(at(0)).local_get(first).i32_load(at(0)).i32_store(at(0));
        });
    }

    /// Code that makes the handles of one call with these functions, and puts them into the stock.
    pub(crate) fn fill(&self, code: &mut InstructionSink<'_>, first: u32, makes: &[u32]) {
        self.each_place(code, first, |code, resource| {
            code.local_get(first).call(makes[resource as usize]).i32_store(at(0));
        });
    }

    /// Code that makes the handles of one call in their places.
    pub(crate) fn make(&self, code: &mut InstructionSink<'_>, first: u32, makes: &[u32]) {
        self.each_place(code, first, |code, resource| {
            code.local_get(first + 1).i32_load(at(0)).i32_const(REPRESENTATION);
            code.call(makes[resource as usize]).i32_store(at(0));
        });
    }

    /// Does something for each place, whose address is in memory at that in the second local. The first has the address of a handle.
    fn each_place(&self, code: &mut InstructionSink<'_>, first: u32, body: impl Fn(&mut InstructionSink<'_>, u32)) {
        for ((resource, _), begin) in self.lists.iter().zip((first + 2..).step_by(2)) {
            code.local_get(begin).local_set(first + 1);
            each(code, first + 1, begin + 1, BYTES, |code| {
                body(code, *resource);
                code.local_get(first).i32_const(BYTES).i32_add().local_set(first);
            });
        }
    }
}
