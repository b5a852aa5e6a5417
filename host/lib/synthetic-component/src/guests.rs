//! The core modules of the components: one that is called, one that calls, and one that passes on what it gets.

use crate::components::Shape;
use crate::core_module::{CALLS, CoreModule, FURTHER, SELECTED, at, free, val_types};
use crate::handles::{Action, REPRESENTATION, Stock, Visit, list_locals, repeat};
use crate::layout::{Data, Flat, Place, Types};
use crate::value::Value;
use crate::{API, PAYLOADS, STOCK_HANDLES, VALUES, function_name, give_name, resource_name, run_name, stock_name};
use wasm_encoder::{BlockType, Function, InstructionSink, ValType};
use wit_parser::abi::{AbiVariant, WasmSignature};
use wit_parser::{Mangling, Type};

/// What an async function returns that has ended.
const EXIT: i32 = 0;

/// What the call of an async function returns whose result is there.
const RETURNED: i32 = 2;

/// Bytes of a core value in a table.
const FLAT_BYTES: u32 = 8;

/// A component that is called: every function returns a constant, drops the handles that it is given, and the memory for its arguments is
/// free again.
pub(crate) fn callee(types: &Types<'_>, shapes: &[Shape<'_>], resources: usize) -> Vec<u8> {
    let mut module = CoreModule::default();
    let (one, none): (_, [ValType; 0]) = ([ValType::I32], []);
    let exported = format!("[export]{API}");
    let new_name = |number| format!("[resource-new]{}", resource_name(number));
    let makes: Vec<u32> =
        (0..resources).map(|number| module.import(&exported, &new_name(number), &one, &one)).collect();
    let drops: Vec<u32> =
        (0..resources).map(|number| module.import(&exported, &drop_name(number), &one, &none)).collect();
    let task_return = |shape: &Shape<'_>| {
        let (_, name, signature) = shape.function.task_return_import(types.resolve, None, Mangling::Legacy);
        let function = module.import(&exported, &name, &val_types(&signature.params), &none);
        (function, signature)
    };
    let is_async = |shape: &&Shape<'_>| shape.function.kind.is_async();
    let task_returns: Vec<_> = shapes.iter().filter(is_async).map(task_return).collect();
    module.export_common();
    let mut calls = Function::new([]);
    calls.instructions().global_get(CALLS).end();
    module.export("calls", &none, &[ValType::I64], &calls);
    for (number, make) in makes.iter().enumerate() {
        let mut give = Function::new([]);
        give.instructions().i32_const(REPRESENTATION).call(*make).end();
        module.export(&format!("{API}#{}", give_name(number)), &none, &one, &give);
    }
    let resources = Resources { makes, drops };
    if task_returns.is_empty() {
        shapes.iter().enumerate().for_each(|(number, shape)| export(&mut module, types, shape, number, &resources));
    }
    // All functions are async, or none is.
    for (number, (shape, task_return)) in shapes.iter().zip(&task_returns).enumerate() {
        export_async(&mut module, types, shape, number, task_return, &resources);
    }
    module.finish(0)
}

/// The functions that make and drop resources, in the order of these.
struct Resources {
    makes: Vec<u32>,
    drops: Vec<u32>,
}

/// Exports the function with this number.
fn export(module: &mut CoreModule, types: &Types<'_>, shape: &Shape<'_>, number: usize, resources: &Resources) {
    let signature = types.resolve.wasm_signature(AbiVariant::GuestExport, shape.function);
    let parameters = val_types(&signature.params);
    let address = parameters.len() as u32;
    let mut body = Function::new([(1 + list_locals(types, all_types(shape)), ValType::I32)]);
    let mut code = body.instructions();
    arrive(&mut code);
    let taken = Visit { types, action: Action::Drop(&resources.drops), first_local: address + 1 };
    taken.parameters(&mut code, shape.function, signature.indirect_params, &parameters);
    answer(&mut code, module, types, shape, &signature, address, &resources.makes);
    code.end();
    let name = format!("{API}#{}", function_name(number));
    module.export(&name, &parameters, &val_types(&signature.results), &body);
}

/// Exports the async function with this number, which passes its result to the import `task_return` and ends, so that its callback is never
/// called.
fn export_async(
    module: &mut CoreModule,
    types: &Types<'_>,
    shape: &Shape<'_>,
    number: usize,
    (task_return, returned): &(u32, WasmSignature),
    resources: &Resources,
) {
    let signature = types.resolve.wasm_signature(AbiVariant::GuestExportAsync, shape.function);
    let parameters = val_types(&signature.params);
    let results: Vec<Type> = shape.function.result.into_iter().collect();
    let values: Vec<&[Value]> = shape.samples.iter().map(|sample| sample.result.as_slice()).collect();
    // A result has no handles that are lent.
    let Arguments { table, given } = arguments(module, types, &results, &values, returned, &mut Vec::new());
    let call = Call {
        types,
        ty: None,
        function: *task_return,
        signature: returned,
        arguments: table,
        stock: Stock::new(module, &given),
        result: ResultPlace::Nowhere,
        is_async: false,
    };
    let row = parameters.len() as u32;
    let (stock, lists) = (row + 1, row + 1 + call.stock.locals());
    let taken = shape.function.params.iter().map(|parameter| &parameter.ty);
    let mut body = Function::new([(1 + call.stock.locals() + list_locals(types, taken), ValType::I32)]);
    let mut code = body.instructions();
    arrive(&mut code);
    let taken = Visit { types, action: Action::Drop(&resources.drops), first_local: lists };
    taken.parameters(&mut code, shape.function, signature.indirect_params, &parameters);
    call.select(&mut code, row);
    call.stock.begin(&mut code, stock);
    call.stock.make(&mut code, stock, &resources.makes);
    call.call(&mut code, row);
    code.i32_const(EXIT).end();
    let name = format!("[async-lift]{API}#{}", function_name(number));
    module.export(&name, &parameters, &val_types(&signature.results), &body);
    let mut callback = Function::new([]);
    callback.instructions().unreachable().end();
    module.export(&format!("[callback]{name}"), &[ValType::I32; 3], &[ValType::I32], &callback);
}

/// Code at the begin of a call: its arguments are read before anything is passed to the module again.
fn arrive(code: &mut InstructionSink<'_>) {
    free(code);
    code.global_get(CALLS).i64_const(1).i64_add().global_set(CALLS);
}

/// The name of the import that drops a resource.
fn drop_name(number: usize) -> String {
    format!("[resource-drop]{}", resource_name(number))
}

/// The types of the parameters and of the result.
fn all_types<'a>(shape: &Shape<'a>) -> impl Iterator<Item = &'a Type> {
    shape.function.params.iter().map(|parameter| &parameter.ty).chain(&shape.function.result)
}

/// Leaves the result on the stack, whose handles are made by the functions `makes`; `address` is a local of its own, and behind it are
/// those for lists.
fn answer(
    code: &mut InstructionSink<'_>,
    module: &mut CoreModule,
    types: &Types<'_>,
    shape: &Shape<'_>,
    signature: &WasmSignature,
    address: u32,
    makes: &[u32],
) {
    let Some(ty) = &shape.function.result else { return };
    let results: Vec<&Value> = shape.samples.iter().filter_map(|sample| sample.result.as_ref()).collect();
    if !signature.retptr {
        let mut flat = Vec::new();
        types.flatten(&mut module.data, ty, results[0], &mut flat);
        match (flat[0], val_types(&signature.results)[0]) {
            (Flat::Handle(handle), _) => code.i32_const(REPRESENTATION).call(makes[handle.resource as usize]),
            (Flat::Bits(bits), ValType::I64) => code.i64_const(bits.cast_signed()),
            (Flat::Bits(bits), ValType::F32) => code.f32_const(f32::from_bits(bits as u32).into()),
            (Flat::Bits(bits), ValType::F64) => code.f64_const(f64::from_bits(bits).into()),
            (Flat::Bits(bits), _) => code.i32_const((bits as u32).cast_signed()),
        };
        return;
    }
    let put = |result: &&Value| {
        let image = types.image(&mut module.data, ty, result);
        module.data.put(&image)
    };
    let addresses: Vec<u32> = results.iter().map(put).collect();
    let table = table_of(module, &addresses);
    code.global_get(SELECTED).i32_const(4).i32_mul().i32_load(at(table));
    if !types.has_owned(ty) {
        return;
    }
    code.local_set(address);
    // A handle is given away with the result, so each call makes a new one.
    Visit { types, action: Action::Make(makes), first_local: address + 1 }.memory(code, ty, address, 0, 0);
    code.local_get(address);
}

/// The address of a table with an address for every payload; a function whose payload does not vary has one for all.
fn table_of(module: &mut CoreModule, addresses: &[u32]) -> u32 {
    let table = module.data.reserve(4 * PAYLOADS.len() as u32, 4);
    for (index, at) in (0..PAYLOADS.len()).zip((table..).step_by(4)) {
        module.data.write(at, &addresses[index.min(addresses.len() - 1)].to_le_bytes());
    }
    table
}

/// A component that calls: `prepare` gets the handles that are lent, and the functions `run0`, `run1` and so on call as often as they are
/// told. Where calls give handles away, `stock0`, `stock1` and so on get those for as many calls before.
pub(crate) fn caller(types: &Types<'_>, shapes: &[Shape<'_>], resources: usize) -> Vec<u8> {
    let mut module = CoreModule::default();
    let (one, none): (_, [ValType; 0]) = ([ValType::I32], []);
    let mut imported = Vec::with_capacity(shapes.len());
    for (number, shape) in shapes.iter().enumerate() {
        let (variant, prefix) = match shape.function.kind.is_async() {
            true => (AbiVariant::GuestImportAsync, "[async-lower]"),
            false => (AbiVariant::GuestImport, ""),
        };
        let signature = types.resolve.wasm_signature(variant, shape.function);
        let (parameters, results) = (val_types(&signature.params), val_types(&signature.results));
        let name = format!("{prefix}{}", function_name(number));
        imported.push((module.import(API, &name, &parameters, &results), signature));
    }
    let give: Vec<u32> = (0..resources).map(|number| module.import(API, &give_name(number), &none, &one)).collect();
    let drops: Vec<u32> = (0..resources).map(|number| module.import(API, &drop_name(number), &one, &none)).collect();
    module.export_common();
    let given = shapes.iter().flat_map(|shape| shape.samples).map(|sample| sample.given).max().unwrap_or(0);
    // A few calls are prepared together, however many handles one gives away.
    module.stock_bytes = (4 * given).max(STOCK_HANDLES).next_multiple_of(STOCK_HANDLES) * 4;
    let mut lent = Vec::new();
    for (number, (shape, (function, signature))) in shapes.iter().zip(&imported).enumerate() {
        let parameters: Vec<Type> = shape.function.params.iter().map(|parameter| parameter.ty).collect();
        let values: Vec<&[Value]> = shape.samples.iter().map(|sample| sample.arguments.as_slice()).collect();
        let Arguments { table, given } = arguments(&mut module, types, &parameters, &values, signature, &mut lent);
        let call = Call {
            types,
            ty: shape.function.result.as_ref(),
            function: *function,
            signature,
            arguments: table,
            stock: Stock::new(&mut module, &given),
            result: result_of(&mut module, types, shape, signature),
            is_async: shape.function.kind.is_async(),
        };
        module.export(&run_name(number), &one, &none, &call.repeated(&drops));
        if shape.gives {
            module.export(&stock_name(number), &one, &none, &call.stocked(&give));
        }
    }
    let mut prepare = Function::new([]);
    let mut code = prepare.instructions();
    for (number, give) in give.iter().enumerate() {
        code.call(*give).global_set(FURTHER + number as u32);
    }
    for Place { at: address, handle } in lent {
        code.i32_const(address.cast_signed()).global_get(FURTHER + handle.resource).i32_store(at(0));
    }
    code.end();
    module.export("prepare", &none, &none, &prepare);
    module.finish(resources)
}

/// The arguments of a function in memory.
struct Arguments {
    /// The address of a table of core values for every payload.
    table: u32,
    /// For every payload, where handles have to be written that the call gives away.
    given: Vec<Vec<Place>>,
}

/// Places the arguments for every payload, which are `values` of the types `parameters`. Where handles have to be written that are lent is
/// added to `lent`.
fn arguments(
    module: &mut CoreModule,
    types: &Types<'_>,
    parameters: &[Type],
    values: &[&[Value]],
    signature: &WasmSignature,
    lent: &mut Vec<Place>,
) -> Arguments {
    let row = argument_count(signature) * FLAT_BYTES;
    let table = module.data.reserve(row * PAYLOADS.len() as u32, FLAT_BYTES);
    let mut given = Vec::with_capacity(PAYLOADS.len());
    for (payload, start) in (0..PAYLOADS.len()).zip((0..).map(|payload| table + payload * row)) {
        let values = values[payload.min(values.len() - 1)];
        let mut flat = Vec::new();
        if signature.indirect_params {
            let image = types.image_of_parameters(&mut module.data, parameters, values);
            flat.push(Flat::Bits(u64::from(module.data.put(&image))));
        } else {
            for (ty, value) in parameters.iter().zip(values) {
                types.flatten(&mut module.data, ty, value, &mut flat);
            }
        }
        let mut places = std::mem::take(&mut module.data.handles);
        for (flat, at) in flat.into_iter().zip((0..).map(|argument| start + argument * FLAT_BYTES)) {
            match flat {
                Flat::Bits(bits) => module.data.write(at, &bits.to_le_bytes()),
                Flat::Handle(handle) => places.push(Place { at, handle }),
            }
        }
        let (owned, borrowed): (Vec<_>, Vec<_>) = places.into_iter().partition(|place| place.handle.is_owned);
        given.push(owned);
        lent.extend(borrowed);
    }
    Arguments { table, given }
}

/// The number of core values that are arguments, without the address for a result.
fn argument_count(signature: &WasmSignature) -> u32 {
    signature.params.len() as u32 - u32::from(signature.retptr)
}

/// Where the result of a call comes to lie.
enum ResultPlace {
    /// There is none.
    Nowhere,
    /// On the stack; a handle of the resource with this number, if it is one.
    Stack(Option<u32>),
    /// In memory at this address.
    Memory(u32),
}

fn result_of(module: &mut CoreModule, types: &Types<'_>, shape: &Shape<'_>, signature: &WasmSignature) -> ResultPlace {
    let (Some(ty), Some(value)) = (&shape.function.result, &shape.samples[0].result) else {
        return ResultPlace::Nowhere;
    };
    if signature.retptr {
        return ResultPlace::Memory(module.data.reserve(types.size(ty), types.align(ty)));
    }
    let mut flat = Vec::new();
    types.flatten(&mut Data::default(), ty, value, &mut flat);
    match flat.first() {
        Some(Flat::Handle(handle)) => ResultPlace::Stack(Some(handle.resource)),
        _ => ResultPlace::Stack(None),
    }
}

/// A call with constant arguments.
struct Call<'a> {
    types: &'a Types<'a>,
    /// The type of the result.
    ty: Option<&'a Type>,
    function: u32,
    signature: &'a WasmSignature,
    /// The address of the table of arguments.
    arguments: u32,
    stock: Stock,
    result: ResultPlace,
    /// Whether it returns a status instead of its result.
    is_async: bool,
}

impl Call<'_> {
    /// A function that makes the call as often as its parameter says, and drops the resources that it gets. `drops` are the functions
    /// that drop a resource.
    fn repeated(&self, drops: &[u32]) -> Function {
        let (times, done, row, stock) = (0, 1, 2, 3);
        let result = stock + self.stock.locals();
        let mut body = Function::new([(result + list_locals(self.types, self.ty), ValType::I32)]);
        let mut code = body.instructions();
        self.select(&mut code, row);
        self.stock.begin(&mut code, stock);
        repeat(&mut code, times, done, |code| {
            self.stock.give(code, stock);
            self.call(code, row);
            self.drop_result(code, result, drops);
            free(code);
        });
        code.end();
        body
    }

    /// Code that sets the local `row` to the address of the arguments of the selected payload.
    fn select(&self, code: &mut InstructionSink<'_>, row: u32) {
        let row_bytes = argument_count(self.signature) * FLAT_BYTES;
        code.global_get(SELECTED).i32_const(row_bytes.cast_signed()).i32_mul();
        code.i32_const(self.arguments.cast_signed()).i32_add().local_set(row);
    }

    /// Code of one call, whose arguments are at the address in the local `row`.
    fn call(&self, code: &mut InstructionSink<'_>, row: u32) {
        let count = argument_count(self.signature) as usize;
        for (ty, offset) in val_types(&self.signature.params).into_iter().take(count).zip((0..).step_by(8)) {
            code.local_get(row);
            match ty {
                ValType::I64 => code.i64_load(at(offset)),
                ValType::F32 => code.f32_load(at(offset)),
                ValType::F64 => code.f64_load(at(offset)),
                _ => code.i32_load(at(offset)),
            };
        }
        if let ResultPlace::Memory(address) = &self.result {
            code.i32_const(address.cast_signed());
        }
        code.call(self.function);
        if self.is_async {
            // Nothing waits here for a result that is not there at once.
            code.i32_const(RETURNED).i32_ne().if_(BlockType::Empty).unreachable().end();
        }
    }

    /// Code that drops the handles of the result; `result` is a local of its own, and behind it are those for lists.
    fn drop_result(&self, code: &mut InstructionSink<'_>, result: u32, drops: &[u32]) {
        match (&self.result, self.ty) {
            (ResultPlace::Stack(None), _) => {
                code.drop();
            }
            (ResultPlace::Stack(Some(resource)), _) => {
                code.call(drops[*resource as usize]);
            }
            (ResultPlace::Memory(address), Some(ty)) if self.types.has_owned(ty) => {
                code.i32_const(address.cast_signed()).local_set(result);
                let dropped = Visit { types: self.types, action: Action::Drop(drops), first_local: result + 1 };
                dropped.memory(code, ty, result, 0, 0);
            }
            (ResultPlace::Nowhere | ResultPlace::Memory(_), _) => {}
        }
    }

    /// A function that makes the handles for as many calls as its parameter says, with the functions `makes`.
    fn stocked(&self, makes: &[u32]) -> Function {
        let (times, done, stock) = (0, 1, 2);
        let mut body = Function::new([(1 + self.stock.locals(), ValType::I32)]);
        let mut code = body.instructions();
        self.stock.begin(&mut code, stock);
        repeat(&mut code, times, done, |code| self.stock.fill(code, stock, makes));
        code.end();
        body
    }
}

/// A component that passes its arguments on to the function of the same name that it imports, and the result back. `numbers` are those of
/// `shapes`. What it was passed is free again after `reset`.
pub(crate) fn relay(types: &Types<'_>, shapes: &[Shape<'_>], numbers: &[usize]) -> Vec<u8> {
    let mut module = CoreModule::default();
    let imported: Vec<u32> = shapes
        .iter()
        .zip(numbers)
        .map(|(shape, number)| {
            let signature = types.resolve.wasm_signature(AbiVariant::GuestImport, shape.function);
            let (parameters, results) = (val_types(&signature.params), val_types(&signature.results));
            module.import(VALUES, &function_name(*number), &parameters, &results)
        })
        .collect();
    module.export_common();
    let mut reset = Function::new([]);
    free(&mut reset.instructions());
    reset.instructions().end();
    module.export("reset", &[], &[], &reset);
    for ((shape, number), function) in shapes.iter().zip(numbers).zip(imported) {
        let signature = types.resolve.wasm_signature(AbiVariant::GuestExport, shape.function);
        let parameters = val_types(&signature.params);
        let mut body = Function::new([]);
        let mut code = body.instructions();
        // The same core values are passed to a function and by a function, but for the address of the result.
        (0..parameters.len() as u32).for_each(|parameter| {
            code.local_get(parameter);
        });
        match &shape.function.result {
            Some(ty) if signature.retptr => {
                let address = module.data.reserve(types.size(ty), types.align(ty)).cast_signed();
                code.i32_const(address).call(function).i32_const(address);
            }
            _ => {
                code.call(function);
            }
        }
        code.end();
        let name = format!("{VALUES}#{}", function_name(*number));
        module.export(&name, &parameters, &val_types(&signature.results), &body);
    }
    module.finish(0)
}
