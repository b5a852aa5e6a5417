//! Makes scenarios of components that handle HTTP requests and were not written for bench-host.

use super::handle::HandleSession;
use super::is_handler;
use crate::spec;
use bench_model::{Arguments, ModuleError, Scenario};
use bench_wasm::{Adapter, Component, ComponentSession};

/// The adapter. The driver `handler` calls the component itself; sessions are those of the scenario `handle`.
pub(crate) struct Handlers;

impl Adapter for Handlers {
    fn scenarios(&self, component: &Component) -> Vec<Scenario> {
        if !is_handler(component) {
            return Vec::new();
        }
        let driven = [spec::COLD_START, spec::REQUEST].map(|name| Scenario::uses(spec::HANDLER_DRIVER, name));
        driven.into_iter().chain([spec::handler_handle()]).collect()
    }

    fn open(
        &self,
        component: &Component,
        scenario: &Scenario,
        arguments: &Arguments,
    ) -> Result<Box<dyn ComponentSession>, ModuleError> {
        match scenario.name.as_str() {
            spec::HANDLE => Ok(Box::new(HandleSession::open(component, arguments)?)),
            other => Err(ModuleError::Unavailable(format!(
                "`{other}` is not interleaved with other cells; compare `{}`, or two runs",
                spec::HANDLE
            ))),
        }
    }
}
