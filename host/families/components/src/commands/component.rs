//! A command that is a component: each run is an instance of its own, from the linked component to the end of its store.

use super::options::Options;
use super::output::Capture;
use super::session::{Command, Finished};
use crate::stopwatch::timed_ns;
use bench_model::ModuleError;
use bench_wasm::wasmtime::{self, Store};
use bench_wasm::wasmtime_wasi::I32Exit;
use bench_wasm::wasmtime_wasi::p2::bindings::sync::CommandPre;
use bench_wasm::wasmtime_wasi::p2::pipe::MemoryInputPipe;
use bench_wasm::{Component, Instances, State, StoreObserver, one_line, trapped};
use bytes::Bytes;
use std::time::Instant;

/// A component that exports `wasi:cli/run`.
pub(super) struct ComponentCommand {
    instances: Instances,
    linked: CommandPre<State>,
    /// Its arguments, the first of which is its name.
    args: Vec<String>,
    stdin: Bytes,
    fuel: Option<u64>,
}

impl ComponentCommand {
    pub(super) fn new(component: &Component, options: &Options) -> Result<Self, ModuleError> {
        let linked = CommandPre::new(component.instance_pre().clone());
        let linked = linked.map_err(|error| ModuleError::Other(one_line(&error)))?;
        let name = bench_wasm::name_of(component.path());
        Ok(Self {
            instances: component.instances(),
            linked,
            args: std::iter::once(name).chain(options.args.iter().cloned()).collect(),
            stdin: Bytes::copy_from_slice(&options.stdin),
            fuel: None,
        })
    }
}

impl Command for ComponentCommand {
    fn run(&mut self) -> Result<Finished, ModuleError> {
        let begin = Instant::now();
        let stdout = Capture::default();
        let mut store = self.instances.store(&[], |wasi| {
            wasi.args(&self.args).stdin(MemoryInputPipe::new(self.stdin.clone())).stdout(stdout.clone());
        })?;
        let command = self.linked.instantiate(&mut store).map_err(|error| trapped("instantiation", &error))?;
        let instantiated = Instant::now();
        let ran = command.wasi_cli_run().call_run(&mut store);
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

/// The exit status: of a command that returned, or that called `exit`. Any other error is a trap.
pub(super) fn exit_status(ran: wasmtime::Result<Result<(), ()>>) -> wasmtime::Result<i32> {
    match ran {
        Ok(Ok(())) => Ok(0),
        Ok(Err(())) => Ok(1),
        Err(error) => match error.downcast_ref::<I32Exit>() {
            Some(I32Exit(status)) => Ok(*status),
            None => Err(error),
        },
    }
}

pub(super) fn fuel_consumed(store: &Store<State>) -> Option<u64> {
    store.get_fuel().ok().map(|left| u64::MAX - left)
}
