//! Makes scenarios of components that export `wasi:http/incoming-handler` and were not written for bench-host.

use super::HANDLER;
use crate::spec;
use bench_model::Scenario;
use bench_wasm::{Adapter, Component};

/// The adapter. The driver `handler` calls the component itself, without sessions.
pub(crate) struct Handlers;

impl Adapter for Handlers {
    fn scenarios(&self, component: &Component) -> Vec<Scenario> {
        let scenarios = [spec::COLD_START, spec::REQUEST].map(|name| Scenario::uses(spec::HANDLER_DRIVER, name));
        if component.offers(HANDLER) { scenarios.to_vec() } else { Vec::new() }
    }
}
