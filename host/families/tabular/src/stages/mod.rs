//! What a module offers to the driver `stage`, and where it is found: an adapter for components and one for probes.

#[expect(unsafe_code, reason = "a probe's function is called, and takes and gives Arrow's C streams")]
mod native;
mod wasm;

use arrow_array::RecordBatch;
use bench_drivers::Module;
use bench_model::{Arguments, ModuleError, Scenario};
use bench_native::Probe;
use bench_wasm::Component;
use probe_abi::raw;
use std::any::Any;

/// What a stage takes.
#[derive(Clone, Debug)]
pub(crate) struct Input {
    /// Bytes that are no table: an answer, or CSV.
    pub(crate) files: Vec<Vec<u8>>,
    /// Tables, each of at least one batch.
    pub(crate) tables: Vec<Vec<RecordBatch>>,
}

/// The stages of a module.
pub(crate) trait Stages {
    /// Gets everything ready for operations of a scenario over this input.
    fn open(&self, scenario: &Scenario, arguments: &Arguments, input: Input) -> Result<Box<dyn Stage>, ModuleError>;
}

/// A stage with its input.
pub(crate) trait Stage {
    /// Executes one operation: the input crosses to the module, and the result back. The result of the one before is freed in it.
    fn run(&mut self) -> Result<(), ModuleError>;

    /// The last result, of at least one batch.
    fn result(&self) -> Result<Vec<RecordBatch>, ModuleError>;
}

/// The stages of `module`, or an error that says that it has none.
pub(crate) fn of_module(module: &mut dyn Module) -> Result<Box<dyn Stages>, ModuleError> {
    let module: &mut dyn Any = module;
    if let Some(component) = module.downcast_ref::<Component>()
        && component.offers(wasm::EXPORT)
    {
        return Ok(Box::new(wasm::WasmStages::of(component)?));
    }
    if let Some(probe) = module.downcast_ref::<Probe>()
        && probe.offers::<raw::Stages>()
    {
        return Ok(Box::new(native::NativeStages(probe.extension()?)));
    }
    Err(ModuleError::Unavailable("this arm has no stages; choose another with --arm".to_owned()))
}
