//! Makes components of core modules: around commands of WASI 0.1, among them modules of the Sightglass suite, and of modules that export
//! functions of numbers.

pub(crate) mod imports;
mod library;
mod module;

use crate::commands::core_module::{EXPORT, START};
use crate::exports::RealNames;
use bench_model::Scenario;
use bench_wasm::{Adapter, Component, first_few};
use module::CoreModule;
use wasi_preview1_component_adapter_provider::{
    WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME as WASI, WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER as REACTOR_ADAPTER,
};
use wasm_encoder::{ComponentExportKind, ComponentExportSection, ComponentSectionId, RawSection};
use wit_component::ComponentEncoder;

/// Why a library of Go is refused.
const UNADAPTABLE: &str = "a core module of Go without `cabi_realloc`: Go's allocator takes all memory for its heap, also the pages \
                           that an adapter for WASI 0.1 needs; build it as a command, or with the SDK (`bench-host new`)";

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
    let is_provided = |from: &str| [WASI, crate::stopwatch::INTERFACE].contains(&from);
    let missing = module.imports.iter().filter(|(from, _)| !is_provided(from));
    let missing: Vec<String> = missing.map(|(from, name)| format!("`{from}` `{name}`")).collect();
    if !missing.is_empty() {
        return Err(format!(
            "a core module that imports {}, which nothing provides; build it for wasm32-wasip1 or wasm32-wasip2",
            first_few(missing.into_iter(), ", ", "")
        ));
    }
    if module.exports.iter().any(|export| export.name == START) {
        let distinct = imports::with_distinct_imports(bytes);
        return distinct.map(|distinct| container(&distinct)).map_err(|error| {
            format!("a core module whose imports cannot be named apart: {error}; build it for wasm32-wasip2")
        });
    }
    let needs_wasi = module.imports_from(WASI);
    if needs_wasi && module.owns_all_memory() {
        return Err(UNADAPTABLE.to_owned());
    }
    let library = library::library(bytes, &module)?;
    encode(&library, needs_wasi.then_some(REACTOR_ADAPTER)).map_err(|error| {
        format!("a core module of which no component can be made: {error:#}; build it for wasm32-wasip2")
    })
}

/// What the core module that `component` was made of calls its functions; `None` if it was made of none.
pub(crate) fn real_names(component: &Component) -> Option<RealNames> {
    if !component.is_of_core_module() {
        return None;
    }
    let module = CoreModule::parse(&component.bytes().ok()?).ok()?;
    Some(library::names(&module))
}

/// A component that only exports the command in `bytes`, whose compiled code is thereby kept as that of any component.
fn container(bytes: &[u8]) -> Vec<u8> {
    let mut exports = ComponentExportSection::new();
    exports.export(EXPORT, ComponentExportKind::Module, 0, None);
    let mut component = wasm_encoder::Component::new();
    component.section(&RawSection { id: ComponentSectionId::CoreModule.into(), data: bytes });
    component.section(&exports);
    component.finish()
}

/// The component around `module`, with an adapter of WASI 0.1 if it needs one.
fn encode(module: &[u8], adapter: Option<&[u8]>) -> anyhow::Result<Vec<u8>> {
    let mut encoder = ComponentEncoder::default().validate(true).module(module)?;
    if let Some(adapter) = adapter {
        encoder = encoder.adapter(WASI, adapter)?;
    }
    encoder.encode()
}
