//! `wasi:http`: requests come in, and none goes out, because nothing grants it. It must not know what a request is about.

use crate::state::State;
use hyper::http::{Request, Response};
use wasmtime::Result;
use wasmtime::component::Linker;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpCtx, WasiHttpCtxView, WasiHttpHooks, WasiHttpView};

/// What a store holds for it.
pub(crate) struct Http {
    context: WasiHttpCtx,
    hooks: NothingGoesOut,
}

impl Default for Http {
    fn default() -> Self {
        Self { context: WasiHttpCtx::new(), hooks: NothingGoesOut }
    }
}

struct NothingGoesOut;

/// The rest of an exchange, while whose answer is read already.
type Rest = Box<dyn Future<Output = std::result::Result<(), Error>> + Send>;

impl WasiHttpHooks for NothingGoesOut {
    fn send_request(
        &mut self,
        _: Request<WasiBody>,
        _: Option<RequestOptions>,
        _: Rest,
    ) -> Box<dyn Future<Output = std::result::Result<(Response<WasiBody>, Rest), Error>> + Send> {
        Box::new(async { Err(Error::HttpRequestDenied) })
    }
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { hooks: &mut self.http.hooks, table: &mut self.table, ctx: &mut self.http.context }
    }
}

/// For components that are called and wait in place.
pub(super) fn add_to_linker(linker: &mut Linker<State>) -> Result<()> {
    wasmtime_wasi_http::p2::add_only_http_to_linker_sync(linker)
}

/// For components whose requests are awaited.
pub(super) fn add_to_awaiting_linker(linker: &mut Linker<State>) -> Result<()> {
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(linker)
}
