//! A command of WASI 0.3, whose `run` is an async function: each run is an instance of its own, driven by an executor on this thread.

use super::component::{exit_status, fuel_consumed};
use super::options::Options;
use super::output::Capture;
use super::session::{Command, Finished};
use crate::stopwatch::timed_ns;
use bench_model::ModuleError;
use bench_wasm::wasmtime;
use bench_wasm::wasmtime_wasi::p2::pipe::MemoryInputPipe;
use bench_wasm::wasmtime_wasi::p3::bindings::CommandPre;
use bench_wasm::{Component, Instances, State, StoreObserver, one_line, trapped};
use bytes::Bytes;
use std::time::Instant;
use tokio::runtime::{Builder, Runtime};

/// The exported interface that makes a component such a command.
pub(super) const RUN: &str = "wasi:cli/run@0.3.";

/// A component that exports `wasi:cli/run` 0.3.
pub(super) struct ConcurrentCommand {
    instances: Instances,
    linked: CommandPre<State>,
    executor: Runtime,
    /// Its arguments, the first of which is its name.
    args: Vec<String>,
    stdin: Bytes,
    fuel: Option<u64>,
}

impl ConcurrentCommand {
    pub(super) fn new(component: &Component, options: &Options) -> Result<Self, ModuleError> {
        let linked = CommandPre::new(component.instance_pre().clone());
        let linked = linked.map_err(|error| ModuleError::Other(one_line(&error)))?;
        let executor = Builder::new_current_thread().enable_all().build();
        let executor =
            executor.map_err(|error| ModuleError::Unavailable(format!("no executor for async calls: {error}")))?;
        let name = bench_wasm::name_of(component.path());
        Ok(Self {
            instances: component.instances(),
            linked,
            executor,
            args: std::iter::once(name).chain(options.args.iter().cloned()).collect(),
            stdin: Bytes::copy_from_slice(&options.stdin),
            fuel: None,
        })
    }
}

impl Command for ConcurrentCommand {
    fn run(&mut self) -> Result<Finished, ModuleError> {
        let begin = Instant::now();
        let stdout = Capture::default();
        let mut store = self.instances.store(&[], |wasi| {
            wasi.args(&self.args).stdin(MemoryInputPipe::new(self.stdin.clone())).stdout(stdout.clone());
        })?;
        let (instantiated, ran) = self
            .executor
            .block_on(async {
                let command = self.linked.instantiate_async(&mut store).await?;
                let instantiated = Instant::now();
                let ran = store.run_concurrent(async |accessor| command.wasi_cli_run().call_run(accessor).await).await;
                wasmtime::Result::Ok((instantiated, ran.and_then(|ran| ran)))
            })
            .map_err(|error| trapped("instantiation", &error))?;
        let exit = exit_status(ran).map_err(|error| trapped("run", &error))?;
        let exited = Instant::now();
        let timed = timed_ns(&mut store);
        self.fuel = fuel_consumed(&store).map(|fuel| fuel + self.fuel.unwrap_or_default());
        drop(store);
        let stages =
            [("instantiate", instantiated - begin), ("run", exited - instantiated), ("drop", exited.elapsed())];
        let stages = stages.map(|(name, time)| (name, time.as_nanos() as u64));
        Ok(Finished { exit, stdout: stdout.digest(), stages: stages.to_vec(), timed })
    }

    fn fuel_consumed(&self) -> Option<u64> {
        self.fuel
    }

    fn observer(&mut self) -> Option<&mut StoreObserver> {
        Some(self.instances.observer())
    }
}
