//! One instance, and a request to it: what a server would do, without the server.

use super::Factory;
use super::head::Heads;
use super::incoming;
use super::observer::Observer;
use super::service;
use crate::functions::ANSWER_BYTES_MAX;
use crate::functions::{Answer, Crossings, Function, HttpRequest};
use bench_model::ModuleError;
use bench_wasm::wasmtime::{self, Result, Store};
use bench_wasm::{State, trapped};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use tokio::runtime::Runtime;
use wasmtime_wasi_http::WasiBody;
use wasmtime_wasi_http::handler::{Proxy, ProxyPre};

/// An instance whose handler is called.
pub(super) struct WasmFunction {
    store: Store<State>,
    proxy: Proxy,
    heads: Rc<Heads>,
    reactor: Option<&'static Runtime>,
    is_observed: bool,
}

impl WasmFunction {
    /// A new instance in a store of its own; the heads of its requests are in `heads` if they were made before.
    pub(super) fn new(factory: &Factory, linked: &ProxyPre<State>, heads: Rc<Heads>) -> Result<Self, ModuleError> {
        let (mut store, reactor) = (factory.store()?, factory.reactor);
        let proxy = wait(reactor, linked.instantiate_async(&mut store));
        let proxy = proxy.map_err(|error| trapped("instantiation", &error))?;
        Ok(Self { store, proxy, heads, reactor, is_observed: false })
    }

    /// The store of its instance.
    pub(super) fn store(&mut self) -> &mut Store<State> {
        &mut self.store
    }

    /// The fuel that its instance has consumed; `None` if the engine does not count it.
    pub(super) fn fuel_consumed(&self) -> Option<u64> {
        self.store.get_fuel().ok().map(|left| u64::MAX - left)
    }

    async fn exchange(&mut self, request: &HttpRequest) -> Result<Option<Answer>> {
        let request = self.heads.incoming(request).map_err(|error| wasmtime::Error::msg(error.to_string()))?;
        match &self.proxy {
            Proxy::P2(proxy) => incoming::exchange(&mut self.store, proxy, request).await,
            Proxy::P3(service) => service::exchange(&mut self.store, service, request).await.map(Some),
        }
    }
}

/// The answer when all of it has come.
pub(super) async fn whole(answer: hyper::Response<WasiBody>) -> Result<Answer> {
    let status = answer.status().as_u16();
    let mut pieces = Limited::new(answer.into_body(), ANSWER_BYTES_MAX);
    let mut body = Vec::new();
    while let Some(piece) = pieces.frame().await {
        let piece = piece.map_err(|error| wasmtime::Error::msg(broken_off(error.as_ref())))?;
        match piece.into_data() {
            // The only piece of most answers, which is not copied.
            Ok(data) if body.is_empty() => body = data.into(),
            Ok(data) => body.extend_from_slice(&data),
            // Trailers are not part of the answer.
            Err(_) => {}
        }
    }
    Ok(Answer { status, body })
}

/// Why an answer is not whole.
fn broken_off(error: &(dyn std::error::Error + 'static)) -> String {
    if error.is::<LengthLimitError>() {
        let mib = ANSWER_BYTES_MAX >> 20;
        return format!("its answer is longer than {mib} MiB; measure a request with a shorter answer");
    }
    format!("its answer broke off: {error}")
}

impl Function for WasmFunction {
    fn call(&mut self, request: &HttpRequest) -> Result<Answer, ModuleError> {
        match wait(self.reactor, self.exchange(request)) {
            Ok(Some(answer)) => Ok(answer),
            Ok(None) => Err(ModuleError::Other("`handle` returned without an answer".to_owned())),
            Err(error) => Err(trapped("handle", &error)),
        }
    }

    fn observe(&mut self, request: &HttpRequest) -> Result<Option<(Answer, Crossings)>, ModuleError> {
        // A concurrent call enters the component again whenever something is ready that it waits for, and the host works in between.
        if matches!(self.proxy, Proxy::P3(_)) {
            return Ok(None);
        }
        if !std::mem::replace(&mut self.is_observed, true) {
            Observer::attach(&mut self.store);
        }
        let answer = self.call(request)?;
        Ok(Some((answer, self.store.data_mut().slot::<Observer>().take())))
    }
}

/// Blocks this thread until `future` is ready, inside a task of another run-time too: a caller of a function wants nothing else done
/// meanwhile. The future is not subject to the task budget of that run-time, which would never be renewed here. What it begins to wait
/// for is announced by the `reactor`, if there is one.
pub(super) fn wait<F: Future>(reactor: Option<&Runtime>, future: F) -> F::Output {
    let _inside = reactor.map(Runtime::enter);
    let mut future = pin!(tokio::task::unconstrained(future));
    // Most calls have nothing to wait for, and need no waker.
    if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        return output;
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}
