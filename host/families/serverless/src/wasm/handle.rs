//! Sessions of the scenario `handle`: a component that was not written for bench-host answers requests in place.

use super::Factory;
use super::call::WasmFunction;
use super::head::Heads;
use crate::exchange::Exchange;
use crate::functions::{Answer, Function, Initialisation};
use crate::spec;
use bench_drivers::Recording;
use bench_model::{Arguments, Check, ModuleError, Outcome, Session};
use bench_sink::{Sink, digest};
use bench_wasm::wasmtime::Store;
use bench_wasm::{Component, ComponentSession, State, StoreObserver};
use std::rc::Rc;
use wasmtime_wasi_http::handler::ProxyPre;

/// Requests to one component.
pub(super) struct HandleSession {
    factory: Factory,
    linked: ProxyPre<State>,
    heads: Rc<Heads>,
    /// The instance that answers all requests; `None` if each has its own.
    reused: Option<WasmFunction>,
    exchange: Exchange,
    /// Whether the first response is the one that the user expects.
    first: Check,
    /// Of the body of every response.
    checksum: u64,
    /// Consumed by instances that are gone.
    fuel: u64,
    sink: Sink,
}

impl HandleSession {
    /// Sends the first request, whose response all others must have.
    pub(super) fn open(component: &Component, arguments: &Arguments) -> Result<Self, ModuleError> {
        let factory = Factory::new(component, Initialisation::default())?;
        let linked = factory.link(component.instance_pre().component())?;
        let heads = Rc::<Heads>::default();
        let mut function = WasmFunction::new(&factory, &linked, Rc::clone(&heads))?;
        let (exchange, first) = Exchange::tried(arguments, |request| function.call(request))?;
        let reused = (arguments.text(spec::INSTANCE)? == spec::REUSED).then_some(function);
        let checksum = digest::checksum(&exchange.expected.body).0;
        Ok(Self { factory, linked, heads, reused, exchange, first, checksum, fuel: 0, sink: Sink::default() })
    }

    fn answer(&mut self) -> Result<Answer, ModuleError> {
        if let Some(function) = &mut self.reused {
            return function.call(&self.exchange.request);
        }
        let mut function = WasmFunction::new(&self.factory, &self.linked, Rc::clone(&self.heads))?;
        let answer = function.call(&self.exchange.request)?;
        self.fuel += function.fuel_consumed().unwrap_or_default();
        Ok(answer)
    }
}

impl Session for HandleSession {
    fn iterate(&mut self, times: u64) -> Result<Outcome, ModuleError> {
        for _ in 0..times {
            let answer = self.answer()?;
            if !self.exchange.is_right(&answer) {
                let differs = self.exchange.check("answers", &answer).detail;
                let advice = "a benchmark needs a handler that always answers the same";
                return Err(ModuleError::Other(format!("a response differs from the first: {differs}; {advice}")));
            }
        }
        let bytes = times * self.exchange.payload_bytes();
        Ok(Outcome { operations: times, bytes, checksum: self.checksum })
    }

    fn verify(&mut self) -> Result<Vec<Check>, ModuleError> {
        let again = self.answer()?;
        Ok(vec![self.first.clone(), self.exchange.check("same-response", &again)])
    }
}

impl Recording for HandleSession {
    fn sink(&mut self) -> &mut Sink {
        &mut self.sink
    }
}

impl ComponentSession for HandleSession {
    fn store(&mut self) -> Option<&mut Store<State>> {
        self.reused.as_mut().map(WasmFunction::store)
    }

    fn observer(&mut self) -> Option<&mut StoreObserver> {
        Some(&mut self.factory.observer)
    }

    fn fuel_consumed(&mut self) -> Result<u64, ModuleError> {
        let running = self.reused.as_ref().and_then(WasmFunction::fuel_consumed);
        Ok(self.fuel + running.unwrap_or_default())
    }
}
