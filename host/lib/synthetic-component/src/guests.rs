//! The core modules of the components: one that is called, one that calls, and one that passes on what it gets.

use crate::components::Shape;
use crate::core_module::{CALLS, CoreModule, FURTHER, SELECTED, at, free, val_types};
use crate::layout::{Data, Flat, Types};
use crate::value::Value;
use crate::{API, PAYLOADS, VALUES, function_name, give_name, resource_name, run_name};
use wasm_encoder::{BlockType, Function, InstructionSink, ValType};
use wit_parser::Type;
use wit_parser::abi::{AbiVariant, WasmSignature};

/// The representation of every resource.
const REPRESENTATION: i32 = 1;

/// Bytes of a core value in a table.
const FLAT_BYTES: u32 = 8;

/// A component that is called: every function returns a constant, and the memory for its arguments is free again.
pub(crate) fn callee(types: &Types<'_>, shapes: &[Shape<'_>], resources: usize) -> Vec<u8> {
    let mut module = CoreModule::default();
    let (one, none): (_, [ValType; 0]) = ([ValType::I32], []);
    let exported = format!("[export]{API}");
    for number in 0..resources {
        module.import(&exported, &format!("[resource-new]{}", resource_name(number)), &one, &one);
    }
    module.export_common();
    let mut calls = Function::new([]);
    calls.instructions().global_get(CALLS).end();
    module.export("calls", &none, &[ValType::I64], &calls);
    for number in 0..resources {
        let mut give = Function::new([]);
        // The imports that make resources have their numbers.
        give.instructions().i32_const(REPRESENTATION).call(number as u32).end();
        module.export(&format!("{API}#{}", give_name(number)), &none, &one, &give);
    }
    for (number, shape) in shapes.iter().enumerate() {
        let signature = types.resolve.wasm_signature(AbiVariant::GuestExport, shape.function);
        let parameters = val_types(&signature.params);
        let mut body = Function::new([(1, ValType::I32)]);
        let mut code = body.instructions();
        free(&mut code);
        code.global_get(CALLS).i64_const(1).i64_add().global_set(CALLS);
        answer(&mut code, &mut module, types, shape, &signature, parameters.len() as u32);
        code.end();
        let name = format!("{API}#{}", function_name(number));
        module.export(&name, &parameters, &val_types(&signature.results), &body);
    }
    module.finish(0)
}

/// Leaves the result on the stack; `address` is a local of its own.
fn answer(
    code: &mut InstructionSink<'_>,
    module: &mut CoreModule,
    types: &Types<'_>,
    shape: &Shape<'_>,
    signature: &WasmSignature,
    address: u32,
) {
    let Some(ty) = &shape.function.result else { return };
    let results: Vec<&Value> = shape.samples.iter().filter_map(|sample| sample.result.as_ref()).collect();
    if !signature.retptr {
        let mut flat = Vec::new();
        types.flatten(&mut module.data, ty, results[0], &mut flat);
        match (flat[0], val_types(&signature.results)[0]) {
            (Flat::Handle(resource), _) => code.i32_const(REPRESENTATION).call(resource),
            (Flat::Bits(bits), ValType::I64) => code.i64_const(bits.cast_signed()),
            (Flat::Bits(bits), ValType::F32) => code.f32_const(f32::from_bits(bits as u32).into()),
            (Flat::Bits(bits), ValType::F64) => code.f64_const(f64::from_bits(bits).into()),
            (Flat::Bits(bits), _) => code.i32_const((bits as u32).cast_signed()),
        };
        return;
    }
    let mut handles = Vec::new();
    let addresses: Vec<u32> = results
        .iter()
        .map(|result| {
            let image = types.image(&mut module.data, ty, result);
            let address = module.data.put(&image);
            // They are at the same offsets for every payload, because none is in a list.
            handles = image.handles;
            address
        })
        .collect();
    let table = table_of(module, &addresses);
    code.global_get(SELECTED).i32_const(4).i32_mul().i32_load(at(table));
    if handles.is_empty() {
        return;
    }
    code.local_set(address);
    for (offset, resource) in handles {
        // A handle is given away with the result, so each call makes a new one.
        code.local_get(address).i32_const(REPRESENTATION).call(resource).i32_store(at(offset));
    }
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

/// A component that calls: `prepare` gets handles, and the functions `run0`, `run1` and so on call as often as they are told.
pub(crate) fn caller(types: &Types<'_>, shapes: &[Shape<'_>], resources: usize) -> Vec<u8> {
    let mut module = CoreModule::default();
    let (one, none): (_, [ValType; 0]) = ([ValType::I32], []);
    let mut imported = Vec::with_capacity(shapes.len());
    for (number, shape) in shapes.iter().enumerate() {
        let signature = types.resolve.wasm_signature(AbiVariant::GuestImport, shape.function);
        let (parameters, results) = (val_types(&signature.params), val_types(&signature.results));
        imported.push((module.import(API, &function_name(number), &parameters, &results), signature));
    }
    let give: Vec<u32> = (0..resources).map(|number| module.import(API, &give_name(number), &none, &one)).collect();
    let drop_name = |number| format!("[resource-drop]{}", resource_name(number));
    let drops: Vec<u32> = (0..resources).map(|number| module.import(API, &drop_name(number), &one, &none)).collect();
    module.export_common();
    let mut handles = Vec::new();
    for (number, (shape, (function, signature))) in shapes.iter().zip(&imported).enumerate() {
        let call = Call {
            function: *function,
            signature,
            arguments: arguments(&mut module, types, shape, signature, &mut handles),
            result: result_of(&mut module, types, shape, signature),
        };
        module.export(&run_name(number), &one, &none, &call.repeated(&drops));
    }
    let mut prepare = Function::new([]);
    let mut code = prepare.instructions();
    for (number, give) in give.iter().enumerate() {
        code.call(*give).global_set(FURTHER + number as u32);
    }
    for (address, resource) in handles {
        code.i32_const(address.cast_signed()).global_get(FURTHER + resource).i32_store(at(0));
    }
    code.end();
    module.export("prepare", &none, &none, &prepare);
    module.finish(resources)
}

/// Places the arguments for every payload: the address of a table of core values. Where handles have to be written, with the numbers of
/// their resources, is added to `handles`.
fn arguments(
    module: &mut CoreModule,
    types: &Types<'_>,
    shape: &Shape<'_>,
    signature: &WasmSignature,
    handles: &mut Vec<(u32, u32)>,
) -> u32 {
    let parameters: Vec<Type> = shape.function.params.iter().map(|parameter| parameter.ty).collect();
    let row = argument_count(signature) * FLAT_BYTES;
    let table = module.data.reserve(row * PAYLOADS.len() as u32, FLAT_BYTES);
    for (payload, start) in (0..PAYLOADS.len()).zip((0..).map(|payload| table + payload * row)) {
        let values = &shape.samples[payload.min(shape.samples.len() - 1)].arguments;
        let mut flat = Vec::new();
        if signature.indirect_params {
            let image = types.image_of_parameters(&mut module.data, &parameters, values);
            let address = module.data.put(&image);
            handles.extend(image.handles.iter().map(|(offset, resource)| (address + offset, *resource)));
            flat.push(Flat::Bits(u64::from(address)));
        } else {
            for (ty, value) in parameters.iter().zip(values) {
                types.flatten(&mut module.data, ty, value, &mut flat);
            }
        }
        for (flat, place) in flat.iter().zip((0..).map(|argument| start + argument * FLAT_BYTES)) {
            match flat {
                Flat::Bits(bits) => module.data.write(place, &bits.to_le_bytes()),
                Flat::Handle(resource) => handles.push((place, *resource)),
            }
        }
    }
    table
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
    /// In memory at this address; at these offsets are handles, with the numbers of their resources.
    Memory(u32, Vec<(u32, u32)>),
}

fn result_of(module: &mut CoreModule, types: &Types<'_>, shape: &Shape<'_>, signature: &WasmSignature) -> ResultPlace {
    let (Some(ty), Some(value)) = (&shape.function.result, &shape.samples[0].result) else {
        return ResultPlace::Nowhere;
    };
    // Only the places of handles matter, not what the result points to.
    let mut elsewhere = Data::default();
    if signature.retptr {
        let image = types.image(&mut elsewhere, ty, value);
        return ResultPlace::Memory(module.data.reserve(types.size(ty), types.align(ty)), image.handles);
    }
    let mut flat = Vec::new();
    types.flatten(&mut elsewhere, ty, value, &mut flat);
    match flat.first() {
        Some(Flat::Handle(resource)) => ResultPlace::Stack(Some(*resource)),
        _ => ResultPlace::Stack(None),
    }
}

/// A call with constant arguments.
struct Call<'a> {
    function: u32,
    signature: &'a WasmSignature,
    /// The address of the table of arguments.
    arguments: u32,
    result: ResultPlace,
}

impl Call<'_> {
    /// A function that makes the call as often as its parameter says, and drops the resources that it gets. `drops` are the functions
    /// that drop a resource.
    fn repeated(&self, drops: &[u32]) -> Function {
        let (times, done, row) = (0, 1, 2);
        let mut body = Function::new([(2, ValType::I32)]);
        let mut code = body.instructions();
        let count = argument_count(self.signature);
        code.global_get(SELECTED).i32_const((count * FLAT_BYTES).cast_signed()).i32_mul();
        code.i32_const(self.arguments.cast_signed()).i32_add().local_set(row);
        code.block(BlockType::Empty).loop_(BlockType::Empty);
        code.local_get(done).local_get(times).i32_ge_u().br_if(1);
        for (ty, offset) in val_types(&self.signature.params).into_iter().take(count as usize).zip((0..).step_by(8)) {
            code.local_get(row);
            match ty {
                ValType::I64 => code.i64_load(at(offset)),
                ValType::F32 => code.f32_load(at(offset)),
                ValType::F64 => code.f64_load(at(offset)),
                _ => code.i32_load(at(offset)),
            };
        }
        if let ResultPlace::Memory(address, _) = &self.result {
            code.i32_const(address.cast_signed());
        }
        code.call(self.function);
        match &self.result {
            ResultPlace::Nowhere => {}
            ResultPlace::Stack(None) => {
                code.drop();
            }
            ResultPlace::Stack(Some(resource)) => {
                code.call(drops[*resource as usize]);
            }
            ResultPlace::Memory(address, handles) => {
                for (offset, resource) in handles {
                    let place = address + offset;
                    code.i32_const(place.cast_signed()).i32_load(at(0)).call(drops[*resource as usize]);
                }
            }
        }
        free(&mut code);
        code.local_get(done).i32_const(1).i32_add().local_set(done).br(0).end().end().end();
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
