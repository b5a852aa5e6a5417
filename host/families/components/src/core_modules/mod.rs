//! Makes components of core modules: of commands of WASI 0.1, of modules of the Sightglass suite, and of modules that export functions
//! of numbers.

mod library;
mod module;
mod stopwatch_adapter;

use bench_model::Scenario;
use bench_wasm::{Adapter, Component};
use module::CoreModule;
use wasi_preview1_component_adapter_provider::{
    WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME as WASI, WASI_SNAPSHOT_PREVIEW1_COMMAND_ADAPTER as COMMAND_ADAPTER,
    WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER as REACTOR_ADAPTER,
};
use wit_component::ComponentEncoder;

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
    let adapters = Adapters {
        // That of commands is what exports `wasi:cli/run`, also of a command that imports nothing of WASI.
        wasi: match is_command {
            true => Some(COMMAND_ADAPTER),
            false => module.imports_from(WASI).then_some(REACTOR_ADAPTER),
        },
        has_stopwatch: module.imports_from(BENCH),
    };
    let library = if is_command { None } else { Some(library::library(bytes, &module)?) };
    encode(library.as_deref().unwrap_or(bytes), &adapters).map_err(|error| {
        format!("a core module of which no component can be made: {error:#}; build it for wasm32-wasip2")
    })
}

/// The adapters that a core module needs.
struct Adapters {
    /// That of WASI 0.1, if it needs one.
    wasi: Option<&'static [u8]>,
    /// Whether it needs that of the stopwatch.
    has_stopwatch: bool,
}

/// The component around `bytes`.
fn encode(bytes: &[u8], adapters: &Adapters) -> anyhow::Result<Vec<u8>> {
    let mut encoder = ComponentEncoder::default().validate(true).module(bytes)?;
    if let Some(adapter) = adapters.wasi {
        encoder = encoder.adapter(WASI, adapter)?;
    }
    if adapters.has_stopwatch {
        encoder = encoder.adapter(BENCH, &stopwatch_adapter::adapter()?)?;
    }
    encoder.encode()
}
