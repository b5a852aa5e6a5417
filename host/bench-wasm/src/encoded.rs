//! Encodes the components that the engine itself is measured with: one with an empty function, and the reference, whose functions do
//! nothing but cross the boundary.

use wasm_encoder::{
    BlockType, CanonicalOption, CodeSection, ComponentBuilder, ComponentExportKind, ComponentTypeRef, ComponentValType,
    ConstExpr, EntityType, ExportKind, ExportSection, Function, FunctionSection, GlobalSection, GlobalType,
    ImportSection, InstructionSink, MemArg, MemorySection, MemoryType, Module, ModuleArg, PrimitiveValType,
    TypeSection, ValType,
};

/// The memory of the reference, in pages of 64 KiB.
const MEMORY: MemoryType =
    MemoryType { minimum: 2, maximum: None, memory64: false, shared: false, page_size_log2: None };

/// The first address that the allocator gives out.
const FREE: i32 = 1024;

/// A list of 64 bytes from here on goes to the host; where it comes back to is written to [`RESULT`].
const LIST: i32 = 512;
const LIST_BYTES: i32 = 64;

/// Where a result lies: its address, and its length in the next word.
const RESULT: i32 = 0;
const RESULT_LENGTH: i32 = 4;

/// An aligned word of the memory.
const WORD: MemArg = MemArg { offset: 0, align: 2, memory_index: 0 };

/// The functions of a core module, with the imported ones first. All parameters and results are words.
#[derive(Default)]
struct Functions {
    types: TypeSection,
    imports: ImportSection,
    imported: u32,
    functions: FunctionSection,
    exports: ExportSection,
    code: CodeSection,
}

impl Functions {
    fn ty(&mut self, parameters: usize, has_result: bool) -> u32 {
        let number = self.types.len();
        self.types.ty().function(vec![ValType::I32; parameters], has_result.then_some(ValType::I32));
        number
    }

    /// Imports a function without a result; returns its number.
    fn import(&mut self, module: &str, name: &str, parameters: usize) -> u32 {
        let ty = self.ty(parameters, false);
        self.imports.import(module, name, EntityType::Function(ty));
        self.imported += 1;
        self.imported - 1
    }

    fn export(&mut self, name: &str, parameters: usize, has_result: bool, body: impl FnOnce(&mut InstructionSink<'_>)) {
        let number = self.imported + self.functions.len();
        let ty = self.ty(parameters, has_result);
        self.functions.function(ty);
        self.exports.export(name, ExportKind::Func, number);
        let mut function = Function::new([]);
        body(&mut function.instructions());
        function.instructions().end();
        self.code.function(&function);
    }

    fn module(&self, memories: &MemorySection, globals: &GlobalSection) -> Module {
        let mut module = Module::new();
        module.section(&self.types).section(&self.imports).section(&self.functions).section(memories);
        module.section(globals).section(&self.exports).section(&self.code);
        module
    }
}

/// Memory, and an allocator that gives out what comes next until it is told to begin again.
fn allocator() -> Module {
    let mut functions = Functions::default();
    functions.export("realloc", 4, true, |code| {
        code.global_get(0).global_get(0).local_get(3).i32_add().global_set(0);
    });
    functions.export("reset", 1, false, |code| {
        code.i32_const(FREE).global_set(0);
    });
    functions.exports.export("memory", ExportKind::Memory, 0);
    let (mut memories, mut globals) = (MemorySection::new(), GlobalSection::new());
    memories.memory(MEMORY);
    let next = GlobalType { val_type: ValType::I32, mutable: true, shared: false };
    globals.global(next, &ConstExpr::i32_const(FREE));
    functions.module(&memories, &globals)
}

/// The functions of the reference.
fn crossings() -> Module {
    let mut functions = Functions::default();
    functions.imports.import("allocator", "memory", EntityType::Memory(MEMORY));
    let reset = functions.import("allocator", "reset", 1);
    let stamped = functions.import("host", "stamped", 0);
    let unstamped = functions.import("host", "unstamped", 0);
    let echo = functions.import("host", "echo", 3);
    functions.export("empty", 0, false, |_| ());
    functions.export("call-stamped", 1, false, |code| {
        again(code, |code| {
            code.call(stamped);
        });
    });
    functions.export("call-unstamped", 1, false, |code| {
        again(code, |code| {
            code.call(unstamped);
        });
    });
    functions.export("call-echo", 1, false, |code| {
        again(code, |code| {
            code.i32_const(LIST).i32_const(LIST_BYTES).i32_const(RESULT).call(echo).i32_const(0).call(reset);
        });
    });
    // The list lies where the host has put it; its address and length are the result.
    functions.export("identity", 2, true, |code| {
        code.i32_const(RESULT).local_get(0).i32_store(WORD);
        code.i32_const(RESULT_LENGTH).local_get(1).i32_store(WORD).i32_const(RESULT);
    });
    functions.module(&MemorySection::new(), &GlobalSection::new())
}

/// Repeats `body` as often as the first parameter says, at least once.
fn again(code: &mut InstructionSink<'_>, body: impl FnOnce(&mut InstructionSink<'_>)) {
    code.loop_(BlockType::Empty);
    body(code);
    code.local_get(0).i32_const(1).i32_sub().local_tee(0).br_if(0).end();
}

/// A component that exports the function `empty`.
pub(crate) fn empty() -> Vec<u8> {
    let mut functions = Functions::default();
    functions.export("empty", 0, false, |_| ());
    let mut component = ComponentBuilder::default();
    let module = component.core_module(None, &functions.module(&MemorySection::new(), &GlobalSection::new()));
    let instance = component.core_instantiate(None, module, []);
    let ty = function_type(&mut component, None, None);
    export(&mut component, instance, "empty", ty, &[]);
    component.finish()
}

/// What the boundary costs, apart from all else: functions that do nothing but cross it.
pub(crate) fn reference() -> Vec<u8> {
    let mut component = ComponentBuilder::default();
    let (bytes, ty) = component.type_defined(None);
    ty.list(PrimitiveValType::U8);
    let bytes = ComponentValType::Type(bytes);
    let nothing = function_type(&mut component, None, None);
    let list = function_type(&mut component, Some(("list", bytes)), Some(bytes));
    let times = ("times", ComponentValType::Primitive(PrimitiveValType::U32));
    let times = function_type(&mut component, Some(times), None);
    let stamped = component.import("stamped", ComponentTypeRef::Func(nothing));
    let unstamped = component.import("unstamped", ComponentTypeRef::Func(nothing));
    let echo = component.import("echo", ComponentTypeRef::Func(list));

    let module = component.core_module(None, &allocator());
    let allocator = component.core_instantiate(None, module, []);
    let memory = CanonicalOption::Memory(component.core_alias_export(None, allocator, "memory", ExportKind::Memory));
    let realloc = CanonicalOption::Realloc(component.core_alias_export(None, allocator, "realloc", ExportKind::Func));
    let reset = CanonicalOption::PostReturn(component.core_alias_export(None, allocator, "reset", ExportKind::Func));

    let stamped = ("stamped", ExportKind::Func, component.lower_func(None, stamped, []));
    let unstamped = ("unstamped", ExportKind::Func, component.lower_func(None, unstamped, []));
    let echo = ("echo", ExportKind::Func, component.lower_func(None, echo, [memory, realloc]));
    let host = component.core_instantiate_exports(None, [stamped, unstamped, echo]);

    let module = component.core_module(None, &crossings());
    let arguments = [("allocator", ModuleArg::Instance(allocator)), ("host", ModuleArg::Instance(host))];
    let instance = component.core_instantiate(None, module, arguments);
    export(&mut component, instance, "empty", nothing, &[]);
    for name in ["call-stamped", "call-unstamped", "call-echo"] {
        export(&mut component, instance, name, times, &[]);
    }
    export(&mut component, instance, "identity", list, &[memory, realloc, reset]);
    component.finish()
}

/// Adds a type of functions; returns its number.
fn function_type(
    component: &mut ComponentBuilder,
    parameter: Option<(&str, ComponentValType)>,
    result: Option<ComponentValType>,
) -> u32 {
    let (number, mut ty) = component.type_function(None);
    ty.params(parameter).result(result);
    number
}

/// Exports a function of the instance.
fn export(component: &mut ComponentBuilder, instance: u32, name: &str, ty: u32, options: &[CanonicalOption]) {
    let core = component.core_alias_export(None, instance, name, ExportKind::Func);
    let function = component.lift_func(None, core, ty, options.iter().copied());
    component.export(name, ComponentExportKind::Func, function, None);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn components_are_valid() {
        for (name, bytes) in [("empty", empty()), ("reference", reference())] {
            let checked = wasmparser::Validator::new().validate_all(&bytes);
            assert!(checked.is_ok(), "{name}: {:?}", checked.err());
        }
    }
}
