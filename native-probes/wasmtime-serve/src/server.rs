//! The component of the function as `wasmtime serve` runs it: hyper, the engine's own `wasi:http`, a store and an instance from the pool
//! for each request. It uses nothing of the host, and one thread, as the servers that it is compared with do.

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use rustix::process::{Signal, getppid, set_parent_process_death_signal};
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use tokio::sync::oneshot;
use wasmtime::component::{Component, Linker, ResourceTable};
use wasmtime::{Config, Engine, InstanceAllocationStrategy, Result, Store, bail};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::io::TokioIo;
use wasmtime_wasi_http::p2::bindings::ProxyPre;
use wasmtime_wasi_http::p2::bindings::http::types::Scheme;
use wasmtime_wasi_http::p2::body::HyperOutgoingBody;
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

/// What a request has for itself.
struct Client {
    wasi: WasiCtx,
    http: WasiHttpCtx,
    table: ResourceTable,
}

impl WasiView for Client {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for Client {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { ctx: &mut self.http, table: &mut self.table, hooks: Default::default() }
    }
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("wasmtime-serve-peer: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn run() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments != ["--fd", "0"] {
        bail!("give --fd 0, and a listening socket as standard input");
    }
    let parent = getppid();
    set_parent_process_death_signal(Some(Signal::KILL))?;
    if getppid() != parent {
        // The parent has exited before the signal was set up.
        return Ok(());
    }
    let listener = std::net::TcpListener::from(std::io::stdin().as_fd().try_clone_to_owned()?);
    listener.set_nonblocking(true)?;
    let linked = Arc::new(linked()?);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(serve(listener, linked))
}

/// The component, compiled and linked with the pool that `wasmtime serve` uses by default.
fn linked() -> Result<ProxyPre<Client>> {
    let mut config = Config::new();
    config.allocation_strategy(InstanceAllocationStrategy::pooling());
    let engine = Engine::new(&config)?;
    let component = Component::from_file(&engine, file()?)?;
    let mut linker = Linker::new(&engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
    // Answering a request uses nothing else that the host offers to modules.
    linker.define_unknown_imports_as_traps(&component)?;
    ProxyPre::new(linker.instantiate_pre(&component)?)
}

/// The component: next to this program, or where plug-ins are.
fn file() -> Result<PathBuf> {
    let program = std::env::current_exe()?;
    let folder = program.parent().unwrap_or(&program);
    let places = [folder.join("function.wasm"), folder.join("../plugins/function.wasm")];
    match places.into_iter().find(|place| place.is_file()) {
        Some(place) => Ok(place),
        None => bail!("{} has no ../plugins/function.wasm; build it: cargo xtask plugins", folder.display()),
    }
}

async fn serve(listener: std::net::TcpListener, linked: Arc<ProxyPre<Client>>) -> Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let linked = Arc::clone(&linked);
        tokio::task::spawn(async move {
            let service = service_fn(move |request| {
                let linked = Arc::clone(&linked);
                async move { answer(&linked, request).await }
            });
            // The client says what went wrong with a connection.
            let _ = http1::Builder::new().auto_date_header(false).serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

/// Answers with an instance of its own, which goes on in a task after the beginning of the response was sent.
async fn answer(linked: &ProxyPre<Client>, request: Request<Incoming>) -> Result<Response<HyperOutgoingBody>> {
    let wasi = WasiCtx::builder().inherit_env().build();
    let client = Client { wasi, http: WasiHttpCtx::new(), table: ResourceTable::new() };
    let mut store = Store::new(linked.engine(), client);
    let (sender, receiver) = oneshot::channel();
    let request = store.data_mut().http().new_incoming_request(Scheme::Http, request)?;
    let outparam = store.data_mut().http().new_response_outparam(sender)?;
    let linked = linked.clone();
    let task = tokio::task::spawn(async move {
        let proxy = linked.instantiate_async(&mut store).await?;
        proxy.wasi_http_incoming_handler().call_handle(store, request, outparam).await
    });
    match receiver.await {
        Ok(response) => Ok(response?),
        Err(_) => match task.await {
            Ok(Err(error)) => Err(error),
            _ => bail!("the component returned without a response"),
        },
    }
}
