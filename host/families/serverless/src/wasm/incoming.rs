//! A request to an instance of a handler of WASI 0.2, whose `handle` sets its answer and writes the body before it returns.

use super::call::whole;
use super::head::WholeBody;
use super::http;
use crate::functions::Answer;
use bench_wasm::State;
use bench_wasm::wasmtime::{self, Result, Store};
use hyper::Request;
use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use tokio::sync::oneshot;
use wasmtime_wasi_http::WasiBody;
use wasmtime_wasi_http::p2::bindings::Proxy;
use wasmtime_wasi_http::p2::bindings::http::types::Scheme;

/// The whole answer; `None` if it never gives one.
pub(super) async fn exchange(
    store: &mut Store<State>,
    proxy: &Proxy,
    request: Request<WholeBody>,
) -> Result<Option<Answer>> {
    let (sender, receiver) = oneshot::channel();
    let request = http::view(store.data_mut()).new_incoming_request(Scheme::Http, request)?;
    let response = http::view(store.data_mut()).new_response_outparam(sender)?;
    let mut handled = pin!(proxy.wasi_http_incoming_handler().call_handle(store, request, response));
    let mut answer = pin!(taken(receiver));
    let mut early = None;
    // The handler may wait for its answer to be taken away.
    let handled = poll_fn(|context| {
        let handled = handled.as_mut().poll(context);
        if handled.is_pending() && early.is_none() {
            early = ready(answer.as_mut().poll(context));
        }
        handled
    });
    handled.await?;
    // What it has not said by now it never will, even if it keeps the means to.
    let late = poll_fn(|context| Poll::Ready(early.take().or_else(|| ready(answer.as_mut().poll(context)))));
    late.await.unwrap_or(Ok(None))
}

fn ready<T>(poll: Poll<T>) -> Option<T> {
    if let Poll::Ready(value) = poll { Some(value) } else { None }
}

/// The answer, whole; `None` where there never was one.
async fn taken<E: std::fmt::Debug>(
    receiver: oneshot::Receiver<std::result::Result<hyper::Response<WasiBody>, E>>,
) -> Result<Option<Answer>> {
    let Ok(answer) = receiver.await else { return Ok(None) };
    let answer = answer.map_err(|error| wasmtime::Error::msg(format!("it answered with the error {error:?}")))?;
    whole(answer).await.map(Some)
}
