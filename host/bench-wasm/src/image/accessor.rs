//! The accessor: a core module that imports all memories and mutable globals of a component, and whose functions the component
//! exports.
//!
//! Its functions are those of the instance [`INSTANCE`]. For memory *m*: `size` (in pages of 64 KiB), `grow` (by so many; the size
//! before, or 2³² − 1), `read` (all of it, as a list that lies where it is) and `write` (bytes, from where `seek` said). For word
//! *w* of the mutable globals, of which one of 128 bits has two and any other one: `get` and `set`. `take` hands out the next
//! free handle of the component's, and `give` takes it back.

use super::module::{global_name, memory_name};
use super::rewrite::{InstanceState, Spaces};
use wasm_encoder::{
    Alias, CanonicalFunctionSection, CanonicalOption, CodeSection, Component, ComponentAliasSection,
    ComponentExportKind, ComponentExportSection, ComponentInstanceSection, ComponentTypeSection, ComponentValType,
    ConstExpr, EntityType, ExportKind, ExportSection, Function, FunctionSection, GlobalSection, GlobalType,
    ImportSection, InstanceSection, InstructionSink, MemArg, MemoryType, Module, ModuleArg, ModuleSection,
    PrimitiveValType, TypeSection, ValType,
};

/// Under which a component exports the accessor's functions.
pub(super) const INSTANCE: &str = "bench-host:image/accessor";

/// Types of the accessor's functions, by index.
#[derive(Clone, Copy)]
enum Core {
    ToI32,
    I32,
    I32ToI32,
    /// That of a function which takes a list.
    I32Pair,
    /// That of `realloc`.
    I32FourToI32,
    ToI64,
    I64,
}

/// Types of the component's functions, by index; the first two are for the others.
#[derive(Clone, Copy)]
enum Lifted {
    Resource,
    Bytes,
    ToU32,
    U32,
    U32ToU32,
    ToBytes,
    FromBytes,
    ToU64,
    U64,
}

/// The functions that the accessor imports to make handles; their indices come before those of its own functions.
const HANDLES: &str = "handles";
const NEW: u32 = 0;
const DROP: u32 = 1;
const IMPORTED: u32 = 2;

/// Core instances that are appended: what makes handles, and the accessor.
const ACCESSOR: u32 = 1;

/// Appends the accessor to a component in which there are `spaces`, and whose instances hold `held`.
pub(super) fn append(component: &mut Component, spaces: &Spaces, held: &[InstanceState]) {
    let memories: Vec<(u32, u32)> = pairs(held, |held| &held.holdings.memories);
    let globals: Vec<(u32, (u32, wasmparser::ValType))> = pairs(held, |held| &held.holdings.globals);
    let mut accessor = Accessor {
        spaces,
        functions: FunctionSection::new(),
        exports: ExportSection::new(),
        code: CodeSection::new(),
        aliases: ComponentAliasSection::new(),
        canonical: CanonicalFunctionSection::new(),
        lifted: Vec::new(),
    };
    // Its own globals come after those that it imports.
    let (place, saved) = (globals.len() as u32, globals.len() as u32 + 1);
    let allocate = accessor.add_common(place);
    for (number, (instance, index)) in (0..).zip(&memories) {
        accessor.add_memory(number, (*instance, *index), saved, allocate);
    }
    let mut word = 0;
    for (number, (_, (_, kind))) in (0..).zip(&globals) {
        word = accessor.add_global(number, *kind, word);
    }
    accessor.finish(component, &imports(&memories, &globals), held);
}

fn pairs<T: Copy>(held: &[InstanceState], of: impl Fn(&InstanceState) -> &Vec<T>) -> Vec<(u32, T)> {
    held.iter().flat_map(|held| of(held).iter().map(|&each| (held.instance, each))).collect()
}

fn imports(memories: &[(u32, u32)], globals: &[(u32, (u32, wasmparser::ValType))]) -> ImportSection {
    let mut imports = ImportSection::new();
    imports.import(HANDLES, "new", EntityType::Function(Core::I32ToI32 as u32));
    imports.import(HANDLES, "drop", EntityType::Function(Core::I32 as u32));
    // One of any size.
    let memory = MemoryType { minimum: 0, maximum: None, memory64: false, shared: false, page_size_log2: None };
    for (instance, index) in memories {
        imports.import(&instance.to_string(), &memory_name(*index), memory);
    }
    for (instance, (index, kind)) in globals {
        let val_type = match kind {
            wasmparser::ValType::I32 => ValType::I32,
            wasmparser::ValType::I64 => ValType::I64,
            wasmparser::ValType::F32 => ValType::F32,
            wasmparser::ValType::F64 => ValType::F64,
            wasmparser::ValType::V128 => ValType::V128,
            wasmparser::ValType::Ref(_) => unreachable!("references were refused"),
        };
        let global = GlobalType { val_type, mutable: true, shared: false };
        imports.import(&instance.to_string(), &global_name(*index), global);
    }
    imports
}

/// Sections of the accessor, and of the component, that grow with every function.
struct Accessor<'a> {
    spaces: &'a Spaces,
    functions: FunctionSection,
    exports: ExportSection,
    code: CodeSection,
    aliases: ComponentAliasSection,
    canonical: CanonicalFunctionSection,
    lifted: Vec<String>,
}

impl Accessor<'_> {
    /// A function of the accessor's; its index among the component's core functions.
    fn core(&mut self, kind: Core, body: impl FnOnce(&mut InstructionSink<'_>)) -> u32 {
        let number = self.functions.len();
        let name = number.to_string();
        self.functions.function(kind as u32);
        let mut function = Function::new([]);
        body(&mut function.instructions());
        function.instructions().end();
        self.code.function(&function);
        self.exports.export(&name, ExportKind::Func, IMPORTED + number);
        let instance = self.spaces.core_instances + ACCESSOR;
        self.aliases.alias(Alias::CoreInstanceExport { instance, kind: ExportKind::Func, name: &name });
        self.spaces.core_functions + IMPORTED + number
    }

    /// A function of the component's.
    fn lift(&mut self, name: impl Into<String>, core: u32, kind: Lifted, options: &[CanonicalOption]) {
        self.canonical.lift(core, self.spaces.types + kind as u32, options.iter().copied());
        self.lifted.push(name.into());
    }

    /// What there is once; the function that gives `write` its place.
    fn add_common(&mut self, place: u32) -> u32 {
        let take = self.core(Core::ToI32, |code| {
            code.i32_const(0).call(NEW);
        });
        self.lift("take", take, Lifted::ToU32, &[]);
        let give = self.core(Core::I32, |code| {
            code.local_get(0).call(DROP);
        });
        self.lift("give", give, Lifted::U32, &[]);
        let seek = self.core(Core::I32, |code| {
            code.local_get(0).global_set(place);
        });
        self.lift("seek", seek, Lifted::U32, &[]);
        self.core(Core::I32FourToI32, |code| {
            code.global_get(place);
        })
    }

    fn add_memory(&mut self, number: u32, (instance, index): (u32, u32), saved: u32, allocate: u32) {
        self.aliases.alias(Alias::CoreInstanceExport { instance, kind: ExportKind::Memory, name: &memory_name(index) });
        let memory = CanonicalOption::Memory(self.spaces.core_memories + number);
        let size = self.core(Core::ToI32, |code| {
            code.memory_size(number);
        });
        self.lift(format!("size{number}"), size, Lifted::ToU32, &[]);
        let grow = self.core(Core::I32ToI32, |code| {
            code.local_get(0).memory_grow(number);
        });
        self.lift(format!("grow{number}"), grow, Lifted::U32ToU32, &[]);
        // The address and length of the list have to be in the memory itself. The overwritten bytes are restored after the list was
        // read.
        let at = |offset| MemArg { offset, align: 2, memory_index: number };
        let read = self.core(Core::ToI32, |code| {
            code.i32_const(0).i64_load(at(0)).global_set(saved);
            code.i32_const(0).i32_const(0).i32_store(at(0));
            code.i32_const(0).memory_size(number).i32_const(16).i32_shl().i32_store(at(4));
            code.i32_const(0);
        });
        let put_back = self.core(Core::I32, |code| {
            code.i32_const(0).global_get(saved).i64_store(at(0));
        });
        self.lift(format!("read{number}"), read, Lifted::ToBytes, &[memory, CanonicalOption::PostReturn(put_back)]);
        // The bytes are where they belong before it is called.
        let write = self.core(Core::I32Pair, |_| ());
        self.lift(format!("write{number}"), write, Lifted::FromBytes, &[memory, CanonicalOption::Realloc(allocate)]);
    }

    /// The words of a global, of which this is the first; the one after its last.
    fn add_global(&mut self, global: u32, kind: wasmparser::ValType, first: u32) -> u32 {
        use wasmparser::ValType::{F32, F64, I32, V128};
        let words = if kind == V128 { 2 } else { 1 };
        for lane in 0..words {
            let get = self.core(Core::ToI64, |code| {
                code.global_get(global);
                match kind {
                    I32 => code.i64_extend_i32_u(),
                    F32 => code.i32_reinterpret_f32().i64_extend_i32_u(),
                    F64 => code.i64_reinterpret_f64(),
                    V128 => code.i64x2_extract_lane(lane),
                    _ => code,
                };
            });
            self.lift(format!("get{}", first + u32::from(lane)), get, Lifted::ToU64, &[]);
            let set = self.core(Core::I64, |code| {
                if kind == V128 {
                    code.global_get(global);
                }
                code.local_get(0);
                match kind {
                    I32 => code.i32_wrap_i64(),
                    F32 => code.i32_wrap_i64().f32_reinterpret_i32(),
                    F64 => code.f64_reinterpret_i64(),
                    V128 => code.i64x2_replace_lane(lane),
                    _ => code,
                };
                code.global_set(global);
            });
            self.lift(format!("set{}", first + u32::from(lane)), set, Lifted::U64, &[]);
        }
        first + u32::from(words)
    }

    fn finish(self, component: &mut Component, imports: &ImportSection, held: &[InstanceState]) {
        let Self { spaces, functions, exports, code, aliases, canonical, lifted } = self;
        let mut module = Module::new();
        module.section(&core_types()).section(imports).section(&functions);
        module.section(&own_globals()).section(&exports).section(&code);
        component.section(&ModuleSection(&module)).section(&types(spaces.types));
        let mut handles = CanonicalFunctionSection::new();
        let resource = spaces.types + Lifted::Resource as u32;
        handles.resource_new(resource).resource_drop(resource);
        component.section(&handles);
        let mut instances = InstanceSection::new();
        let handle = |number| (ExportKind::Func, spaces.core_functions + number);
        let functions = [("new", handle(NEW)), ("drop", handle(DROP))];
        instances.export_items(functions.map(|(name, (kind, index))| (name, kind, index)));
        let mut arguments = vec![(HANDLES.to_owned(), ModuleArg::Instance(spaces.core_instances))];
        arguments.extend(held.iter().map(|held| (held.instance.to_string(), ModuleArg::Instance(held.instance))));
        instances.instantiate(spaces.core_modules, arguments);
        component.section(&instances).section(&aliases).section(&canonical);
        let mut instance = ComponentInstanceSection::new();
        let function = |(number, name)| (name, ComponentExportKind::Func, spaces.functions + number as u32);
        instance.export_items(lifted.iter().map(String::as_str).enumerate().map(function));
        component.section(&instance);
        let mut export = ComponentExportSection::new();
        export.export(INSTANCE, ComponentExportKind::Instance, spaces.instances, None);
        component.section(&export);
    }
}

/// [`Core`], in its order.
fn core_types() -> TypeSection {
    use ValType::{I32, I64};
    let kinds: [(&[ValType], &[ValType]); 7] = [
        (&[], &[I32]),
        (&[I32], &[]),
        (&[I32], &[I32]),
        (&[I32, I32], &[]),
        (&[I32, I32, I32, I32], &[I32]),
        (&[], &[I64]),
        (&[I64], &[]),
    ];
    let mut types = TypeSection::new();
    for (parameters, results) in kinds {
        types.ty().function(parameters.iter().copied(), results.iter().copied());
    }
    types
}

/// [`Lifted`], in its order.
fn types(first: u32) -> ComponentTypeSection {
    let word = |kind| Some(ComponentValType::Primitive(kind));
    let (short, long) = (word(PrimitiveValType::U32), word(PrimitiveValType::U64));
    let bytes = Some(ComponentValType::Type(first + Lifted::Bytes as u32));
    let mut types = ComponentTypeSection::new();
    types.resource(ValType::I32, None);
    types.defined_type().list(ComponentValType::Primitive(PrimitiveValType::U8));
    for (parameter, result) in
        [(None, short), (short, None), (short, short), (None, bytes), (bytes, None), (None, long), (long, None)]
    {
        types.function().params(parameter.map(|kind| ("given", kind))).result(result);
    }
    types
}

/// Where `write` writes, and what was where `read` has put its result.
fn own_globals() -> GlobalSection {
    let mut globals = GlobalSection::new();
    let global = |val_type| GlobalType { val_type, mutable: true, shared: false };
    globals.global(global(ValType::I32), &ConstExpr::i32_const(0));
    globals.global(global(ValType::I64), &ConstExpr::i64_const(0));
    globals
}
