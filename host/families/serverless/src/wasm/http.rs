//! The interfaces `wasi:http` of WASI 0.2 and 0.3. Incoming requests are served; outgoing ones are denied, because nothing grants them.

use bench_wasm::wasmtime::Result;
use bench_wasm::wasmtime::component::Linker;
use bench_wasm::{Capability, State};
use hyper::http::{Request, Response};
use wasmtime_wasi_http::p2::bindings;
use wasmtime_wasi_http::p3;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttp, WasiHttpCtx, WasiHttpCtxView, WasiHttpHooks};

/// The capability.
pub(crate) struct IncomingHttp;

/// The capability, as the family lists it.
pub(crate) const HTTP: IncomingHttp = IncomingHttp;

impl Capability for IncomingHttp {
    fn names(&self) -> &'static [&'static str] {
        &["wasi:http"]
    }

    fn link(&self, linker: &mut Linker<State>) -> Result<()> {
        let options = bindings::LinkOptions::default();
        bindings::sync::http::outgoing_handler::add_to_linker::<_, WasiHttp>(linker, view)?;
        bindings::sync::http::types::add_to_linker::<_, WasiHttp>(linker, &options.into(), view)
    }

    fn link_awaited(&self, linker: &mut Linker<State>) -> Result<()> {
        let options = bindings::LinkOptions::default();
        bindings::http::outgoing_handler::add_to_linker::<_, WasiHttp>(linker, view)?;
        bindings::http::types::add_to_linker::<_, WasiHttp>(linker, &options.into(), view)
    }

    fn link_wasi_0_3(&self, linker: &mut Linker<State>) -> Result<()> {
        p3::bindings::http::client::add_to_linker::<_, WasiHttp>(linker, view)?;
        p3::bindings::http::types::add_to_linker::<_, WasiHttp>(linker, view)
    }
}

/// The size of one set of fields, such as the headers of an answer; servers accept half as much. A session has up to 65,536 resources.
const FIELDS_BYTES_MAX: usize = 32 << 10;

/// What a session holds for it.
struct Http {
    context: WasiHttpCtx,
    hooks: NothingGoesOut,
}

impl Default for Http {
    fn default() -> Self {
        let mut context = WasiHttpCtx::new();
        context.set_field_size_limit(FIELDS_BYTES_MAX);
        Self { context, hooks: NothingGoesOut }
    }
}

/// The session's side of the capability.
pub(super) fn view(state: &mut State) -> WasiHttpCtxView<'_> {
    let (http, table) = state.slot_and_table::<Http>();
    WasiHttpCtxView { hooks: &mut http.hooks, table, ctx: &mut http.context }
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
