//! Calibrates the roofline that needs an engine: the call of an empty function of a component.

use crate::{Runtime, encoded};
use bench_engine::calibration::{Effort, absent, measured, sample};
use bench_model::MachineLimit;
use bench_sink::runfile::LimitRecord;
use wasmtime::Result;
use wasmtime::component::{Component, Linker, TypedFunc};

/// Measures the call of an empty function of a component.
pub fn component_call(runtime: &Runtime, effort: Effort) -> LimitRecord {
    match attempt(runtime, effort) {
        Ok(samples) => measured(
            MachineLimit::ComponentCall,
            samples,
            "an empty function without arguments or results, mean of 1000",
        ),
        Err(error) => absent(MachineLimit::ComponentCall, format!("the engine cannot run an empty component: {error}")),
    }
}

fn attempt(runtime: &Runtime, effort: Effort) -> Result<Vec<f64>> {
    let component = Component::from_binary(&runtime.engine, &encoded::empty())?;
    let mut store = runtime.store(());
    let instance = Linker::new(&runtime.engine).instantiate(&mut store, &component)?;
    let empty: TypedFunc<(), ()> = instance.get_typed_func(&mut store, "empty")?;
    let mut failure = None;
    let samples = sample(effort.samples, 1_000, || failure = failure.take().or(empty.call(&mut store, ()).err()));
    failure.map_or(Ok(samples), Err)
}
