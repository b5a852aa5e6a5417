//! Builds a core module: imports first, then functions, and constants in its memory.

use crate::layout::{DATA_START, Data};
use wasm_encoder::{
    CodeSection, ConstExpr, DataSection, EntityType, ExportKind, ExportSection, Function, FunctionSection,
    GlobalSection, GlobalType, ImportSection, InstructionSink, MemArg, MemorySection, MemoryType, Module, TypeSection,
    ValType,
};
use wit_parser::abi::WasmType;

/// The global with the first free address.
pub(crate) const HEAP: u32 = 0;

/// The global with the offset of the selected payload in a table of addresses.
pub(crate) const SELECTED: u32 = 1;

/// The global that counts calls.
pub(crate) const CALLS: u32 = 2;

/// The constant with the first address behind the constants and the stock.
pub(crate) const HEAP_START: u32 = 3;

/// The constant with the address of the stock: the handles that the next calls give away.
pub(crate) const STOCK: u32 = 4;

/// The first global of a module's own.
pub(crate) const FURTHER: u32 = 5;

/// Room for what is passed to the module, in pages of 64 KiB.
const HEAP_PAGES: u64 = 128;

/// A module that is being built.
#[derive(Default)]
pub(crate) struct CoreModule {
    types: TypeSection,
    imports: ImportSection,
    functions: FunctionSection,
    exports: ExportSection,
    code: CodeSection,
    /// The constants.
    pub(crate) data: Data,
    /// The size of the stock, a multiple of the largest alignment.
    pub(crate) stock_bytes: u32,
}

impl CoreModule {
    /// Adds an import, before all functions. Returns the number of the function.
    pub(crate) fn import(&mut self, module: &str, name: &str, parameters: &[ValType], results: &[ValType]) -> u32 {
        debug_assert!(self.functions.is_empty(), "imports have the first numbers");
        let number = self.imports.len();
        let ty = self.ty(parameters, results);
        self.imports.import(module, name, EntityType::Function(ty));
        number
    }

    /// Adds a function, whose body has an end already, and exports it.
    pub(crate) fn export(&mut self, name: &str, parameters: &[ValType], results: &[ValType], body: &Function) {
        let number = self.imports.len() + self.functions.len();
        let ty = self.ty(parameters, results);
        self.functions.function(ty);
        self.code.function(body);
        self.exports.export(name, ExportKind::Func, number);
    }

    fn ty(&mut self, parameters: &[ValType], results: &[ValType]) -> u32 {
        let number = self.types.len();
        self.types.ty().function(parameters.iter().copied(), results.iter().copied());
        number
    }

    /// The allocator that the host and other components call: it takes the next bytes, which are all free again after a call. And
    /// `select`, which chooses the payload.
    pub(crate) fn export_common(&mut self) {
        let mut allocate = Function::new([(1, ValType::I32)]);
        let (align, size, address) = (2, 3, 4);
        // address = (heap + align - 1) & -align
        let mut code = allocate.instructions();
        code.global_get(HEAP).local_get(align).i32_add().i32_const(1).i32_sub();
        code.i32_const(0).local_get(align).i32_sub().i32_and().local_tee(address);
        code.local_get(size).i32_add().global_set(HEAP).local_get(address).end();
        self.export("cabi_realloc", &[ValType::I32; 4], &[ValType::I32], &allocate);
        let mut select = Function::new([]);
        select.instructions().local_get(0).global_set(SELECTED).end();
        self.export("select", &[ValType::I32], &[], &select);
    }

    /// The module, with so many globals of its own for handles.
    pub(crate) fn finish(mut self, further_globals: usize) -> Vec<u8> {
        let stock = self.data.heap();
        let heap = stock + self.stock_bytes;
        let mut globals = GlobalSection::new();
        let global = |val_type| GlobalType { val_type, mutable: true, shared: false };
        globals.global(global(ValType::I32), &ConstExpr::i32_const(heap.cast_signed()));
        globals.global(global(ValType::I32), &ConstExpr::i32_const(0));
        globals.global(global(ValType::I64), &ConstExpr::i64_const(0));
        let constant = GlobalType { mutable: false, ..global(ValType::I32) };
        globals.global(constant, &ConstExpr::i32_const(heap.cast_signed()));
        globals.global(constant, &ConstExpr::i32_const(stock.cast_signed()));
        for _ in 0..further_globals {
            globals.global(global(ValType::I32), &ConstExpr::i32_const(0));
        }
        let pages = u64::from(heap).div_ceil(1 << 16) + HEAP_PAGES;
        let mut memories = MemorySection::new();
        memories.memory(MemoryType {
            minimum: pages,
            maximum: Some(pages),
            memory64: false,
            shared: false,
            page_size_log2: None,
        });
        self.exports.export("memory", ExportKind::Memory, 0);
        let mut data = DataSection::new();
        data.active(0, &ConstExpr::i32_const(DATA_START.cast_signed()), self.data.bytes.iter().copied());
        let mut module = Module::new();
        module.section(&self.types).section(&self.imports).section(&self.functions).section(&memories);
        module.section(&globals).section(&self.exports).section(&self.code).section(&data);
        module.finish()
    }
}

/// Makes what was passed to the module free again.
pub(crate) fn free(code: &mut InstructionSink<'_>) {
    code.global_get(HEAP_START).global_set(HEAP);
}

/// The types of core values, where pointers have 32 bits.
pub(crate) fn val_types(types: &[WasmType]) -> Vec<ValType> {
    let val_type = |ty: &WasmType| match ty {
        WasmType::I32 | WasmType::Pointer | WasmType::Length => ValType::I32,
        WasmType::I64 | WasmType::PointerOrI64 => ValType::I64,
        WasmType::F32 => ValType::F32,
        WasmType::F64 => ValType::F64,
    };
    types.iter().map(val_type).collect()
}

/// The place in memory at this offset from an address; with the least alignment, which every place has.
pub(crate) fn at(offset: u32) -> MemArg {
    MemArg { offset: u64::from(offset), align: 0, memory_index: 0 }
}
