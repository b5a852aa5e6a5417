//! Compares the host's code path with direct use of the engine, in the same process on the same component: the overhead of this crate
//! on a call and on an instantiation.

use crate::Component;
use crate::bindings::workload::bench_host::workload::types::{Error, Outcome};
use crate::error::one_line;
use crate::session::WasmSession;
use crate::state::State;
use bench_model::{Arguments, ModuleError, Scenario, Session};
use std::hint::black_box;
use std::time::Instant;
use wasmtime::Store;
use wasmtime::component::{InstancePre, ResourceAny, TypedFunc};

/// The times of the same work done in both ways.
#[derive(Clone, Copy, Debug)]
pub struct PairNs {
    /// Through the host.
    pub host: u64,
    /// With the engine directly.
    pub bare: u64,
}

/// A call of `iterate(0)` through a session, and the same typed call made directly.
#[expect(missing_debug_implementations, reason = "a store cannot be shown")]
pub struct CallPair {
    session: Box<dyn Session>,
    bare: WasmSession,
    iterate: TypedFunc<(ResourceAny, u64), (Result<Outcome, Error>,)>,
}

/// An instantiation as for a session, and a direct one of the engine from the same prepared component.
#[expect(missing_debug_implementations, reason = "a store cannot be shown")]
pub struct InstantiatePair {
    component: Component,
    bare: InstancePre<State>,
}

impl CallPair {
    /// Two sessions of `scenario` in `component`.
    pub fn new(component: &Component, scenario: &Scenario, arguments: &Arguments) -> Result<Self, ModuleError> {
        let session = component.open_plugin(scenario, arguments)?;
        let engine_error = |error: wasmtime::Error| ModuleError::Other(one_line(&error));
        // Instantiated without the generated wrapper, so that its exports can be looked up by name.
        let mut store = component.store(&scenario.metrics)?;
        let instance = component.instance_pre().instantiate(&mut store).map_err(engine_error)?;
        let sessions = instance.get_export_index(&mut store, None, "bench-host:workload/sessions@0.1.0");
        let iterate = instance.get_export_index(&mut store, sessions.as_ref(), "[method]session.iterate");
        let iterate = iterate.ok_or_else(|| ModuleError::Other("the component exports no `iterate`".to_owned()))?;
        let iterate = instance.get_typed_func(&mut store, iterate).map_err(engine_error)?;
        let exports = component.exports(&mut store, &instance).map_err(engine_error)?;
        let bare = WasmSession::open(store, exports, &scenario.name, arguments)?;
        Ok(Self { session: Box::new(session), bare, iterate })
    }

    /// Makes `calls` calls in each way; the direct ones first if `bare_first`.
    pub fn time(&mut self, calls: u32, bare_first: bool) -> Result<PairNs, ModuleError> {
        let mut pair = PairNs { host: 0, bare: 0 };
        for bare in [bare_first, !bare_first] {
            let start = Instant::now();
            if bare {
                let (store, handle) = self.bare.parts();
                for _ in 0..calls {
                    let result = self.iterate.call(&mut *store, (handle, 0));
                    black_box(result.map_err(|error| ModuleError::Crashed(one_line(&error)))?.0.is_ok());
                }
                pair.bare = start.elapsed().as_nanos() as u64;
            } else {
                for _ in 0..calls {
                    black_box(self.session.iterate(0)?);
                }
                pair.host = start.elapsed().as_nanos() as u64;
            }
        }
        Ok(pair)
    }
}

impl InstantiatePair {
    /// Instances of `component`.
    pub fn new(component: Component) -> Self {
        Self { bare: component.instance_pre().clone(), component }
    }

    /// Makes `instances` instances in each way, each in its own store, whose creation and drop are not timed.
    pub fn time(&self, instances: u32, bare_first: bool) -> Result<PairNs, ModuleError> {
        let mut pair = PairNs { host: 0, bare: 0 };
        let engine_error = |error: wasmtime::Error| ModuleError::Other(one_line(&error));
        for bare in [bare_first, !bare_first] {
            for _ in 0..instances {
                let mut store: Store<State> = self.component.store(&[])?;
                let start = Instant::now();
                if bare {
                    black_box(self.bare.instantiate(&mut store).map_err(engine_error)?);
                    pair.bare += start.elapsed().as_nanos() as u64;
                } else {
                    black_box(self.component.instantiate(&mut store).map_err(engine_error)?);
                    pair.host += start.elapsed().as_nanos() as u64;
                }
            }
        }
        Ok(pair)
    }
}
