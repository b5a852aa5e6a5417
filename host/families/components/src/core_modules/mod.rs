//! Makes components of core modules: of commands of WASI 0.1, of modules of the Sightglass suite, and of modules that export functions
//! of numbers.

mod library;
mod module;

use bench_model::Scenario;
use bench_wasm::{Adapter, Component};
use module::CoreModule;
use wasi_preview1_component_adapter_provider::{
    WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME as WASI, WASI_SNAPSHOT_PREVIEW1_COMMAND_ADAPTER as COMMAND_ADAPTER,
    WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER as REACTOR_ADAPTER,
};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// The module that Sightglass' benchmarks import, which starts and stops the clock.
const BENCH: &str = "bench";

/// Makes components; other adapters make scenarios of these.
pub(crate) struct CoreModules;

impl Adapter for CoreModules {
    fn scenarios(&self, _: &Component) -> Vec<Scenario> {
        Vec::new()
    }

    fn component_of(&self, bytes: &[u8]) -> Option<Result<Vec<u8>, String>> {
        Some(component(bytes))
    }
}

fn component(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let module = CoreModule::parse(bytes)?;
    if let Some((from, name)) = module.imports.iter().find(|(from, _)| from != WASI && from != BENCH) {
        return Err(format!(
            "a core module that imports `{from}` `{name}`, which nothing provides; build it for wasm32-wasip1 or wasm32-wasip2"
        ));
    }
    let is_command = module.exports.iter().any(|export| export.name == "_start");
    // That of commands is what exports `wasi:cli/run`, also of a command that imports nothing of WASI.
    let adapter = match is_command {
        true => Some(COMMAND_ADAPTER),
        false => module.imports_from(WASI).then_some(REACTOR_ADAPTER),
    };
    let prepared = match is_command {
        true if module.imports_from(BENCH) => timed(bytes),
        true => Ok(bytes.to_vec()),
        false => Ok(library::library(bytes, &module)?),
    };
    prepared.and_then(|prepared| encode(&prepared, adapter)).map_err(|error| {
        format!("a core module of which no component can be made: {error:#}; build it for wasm32-wasip2")
    })
}

/// The module with the world that declares its stopwatch.
fn timed(bytes: &[u8]) -> anyhow::Result<Vec<u8>> {
    let (mut module, mut resolve) = (bytes.to_vec(), Resolve::default());
    let package = resolve.push_str("stopwatch.wit", include_str!("stopwatch.wit"))?;
    let world = resolve.select_world(&[package], None)?;
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)?;
    Ok(module)
}

/// The component around `module`, with an adapter of WASI 0.1 if it needs one.
fn encode(module: &[u8], adapter: Option<&[u8]>) -> anyhow::Result<Vec<u8>> {
    let mut encoder = ComponentEncoder::default().validate(true).module(module)?;
    if let Some(adapter) = adapter {
        encoder = encoder.adapter(WASI, adapter)?;
    }
    encoder.encode()
}
