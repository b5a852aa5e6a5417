//! A request to an instance of a handler of WASI 0.3, whose `handle` is an async function: it returns the head of its answer, and writes
//! the body while the host reads it.

use super::call::whole;
use super::head::WholeBody;
use super::http::view;
use crate::functions::Answer;
use bench_wasm::State;
use bench_wasm::wasmtime::{Error, Result, Store};
use hyper::Request as HttpRequest;
use wasmtime_wasi_http::p3::Request;
use wasmtime_wasi_http::p3::bindings::Service;

/// The whole answer. What the handler does once its answer is complete, it does during the next call of the instance, if there is one.
pub(super) async fn exchange(
    store: &mut Store<State>,
    service: &Service,
    request: HttpRequest<WholeBody>,
) -> Result<Answer> {
    let (request, received) = Request::from_http(view(store.data_mut()).hooks, request);
    let request = view(store.data_mut()).table.push(request)?;
    let exchanged = store.run_concurrent(async |accessor| {
        let answer = service.wasi_http_handler().call_handle(accessor, request).await?;
        let answer = answer.map_err(|error| Error::msg(format!("it answered with the error {error:?}")))?;
        let answer = accessor.with(|mut access| {
            let answer = view(access.data_mut()).table.delete(answer)?;
            answer.into_http_with_getter(&mut access, received, view)
        })?;
        whole(answer).await
    });
    exchanged.await?
}
