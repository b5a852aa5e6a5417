//! The adapter between `bench.start` and `bench.end`, which the modules of Sightglass import, and the stopwatch of the host.

use wasm_encoder::{
    CodeSection, EntityType, ExportKind, ExportSection, Function, FunctionSection, ImportSection, Module, TypeSection,
};
use wit_component::{StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// The world of the adapter.
const WIT: &str = include_str!("stopwatch.wit");

/// The functions, with the same names on both sides.
const FUNCTIONS: [&str; 2] = ["start", "end"];

/// The adapter: each function that it exports calls that of the host.
pub(super) fn adapter() -> anyhow::Result<Vec<u8>> {
    let (mut types, mut imports) = (TypeSection::new(), ImportSection::new());
    let (mut functions, mut exports, mut code) = (FunctionSection::new(), ExportSection::new(), CodeSection::new());
    types.ty().function([], []);
    for (index, name) in (0..).zip(FUNCTIONS) {
        imports.import(crate::stopwatch::INTERFACE, name, EntityType::Function(0));
        functions.function(0);
        exports.export(name, ExportKind::Func, FUNCTIONS.len() as u32 + index);
        let mut body = Function::new([]);
        body.instructions().call(index).end();
        code.function(&body);
    }
    let mut module = Module::new();
    module.section(&types).section(&imports).section(&functions).section(&exports).section(&code);
    let mut bytes = module.finish();
    let mut resolve = Resolve::default();
    let package = resolve.push_str("stopwatch.wit", WIT)?;
    let world = resolve.select_world(&[package], None)?;
    embed_component_metadata(&mut bytes, &resolve, world, StringEncoding::UTF8)?;
    Ok(bytes)
}
