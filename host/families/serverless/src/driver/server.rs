//! The host's own HTTP server, for functions that have none: hyper in one thread, which also runs the function.

use super::http::SENT;
use crate::functions::{Answer, Function, HttpRequest, Starter};
use bench_engine::{Clock, MonotonicClock};
use bench_model::ModuleError;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderMap};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use std::cell::RefCell;
use std::io;
use std::net::TcpListener;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::oneshot;
use tokio::task::LocalSet;

/// How requests are answered, and what was timed meanwhile.
pub(super) struct Handler {
    pub(super) instance: Instance,
    /// The request that the client sends.
    pub(super) request: HttpRequest,
    pub(super) clock: MonotonicClock,
    /// Whether samples are wanted.
    pub(super) is_measuring: Arc<AtomicBool>,
    /// From the call of the handler until its answer.
    pub(super) service_ns: Vec<u64>,
    /// From the request being sent until the call of the handler.
    pub(super) queue_ns: Vec<u64>,
    /// A function that has done what it was started for, and is cleared away when its answer was sent.
    pub(super) spent: Option<Box<dyn Function>>,
}

/// What answers a request.
pub(super) enum Instance {
    /// The same for all.
    Reused(Box<dyn Function>),
    /// Each has one of its own.
    PerRequest(Box<dyn Starter>),
}

impl Handler {
    fn answer(&mut self, sent_ns: Option<u64>, body: &[u8]) -> Answer {
        self.request.body.clear();
        self.request.body.extend_from_slice(body);
        let request = &self.request;
        // Never more than one is left over, for there is room for a few alone.
        self.spent = None;
        let called = self.clock.now_ns();
        let answer = match &mut self.instance {
            Instance::Reused(function) => function.call(request),
            Instance::PerRequest(starter) => starter.start().and_then(|mut started| {
                let answer = started.function.call(request);
                self.spent = Some(started.function);
                answer
            }),
        };
        let answered = self.clock.now_ns();
        if self.is_measuring.load(Ordering::Relaxed) {
            self.service_ns.push(answered - called);
            self.queue_ns.extend(sent_ns.map(|sent| called.saturating_sub(sent)));
        }
        answer.unwrap_or_else(failure)
    }
}

/// What the client sees of a function that failed.
fn failure(error: ModuleError) -> Answer {
    Answer { status: 500, body: error.to_string().into_bytes() }
}

/// Serves `listener` in this thread until `stop` comes or its sender has gone.
pub(super) fn serve(
    listener: TcpListener,
    handler: &Rc<RefCell<Handler>>,
    stop: oneshot::Receiver<()>,
) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    // Without timers, as the native server: with them, tokio locks its timers twice and reads the clock whenever it waits. A function that
    // waits for one is woken by another thread, because it blocks this one.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let handler = Rc::clone(handler);
    LocalSet::new().block_on(&runtime, async move {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let accepting = tokio::task::spawn_local(accept(listener, handler));
        tokio::select! {
            _ = stop => Ok(()),
            ended = accepting => ended.unwrap_or_else(|error| Err(io::Error::other(error))),
        }
    })
}

async fn accept(listener: tokio::net::TcpListener, handler: Rc<RefCell<Handler>>) -> io::Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let handler = Rc::clone(&handler);
        let service = service_fn(move |request| respond(Rc::clone(&handler), request));
        tokio::task::spawn_local(async move {
            let connection =
                http1::Builder::new().auto_date_header(false).serve_connection(TokioIo::new(stream), service);
            // The client says what went wrong with a connection.
            let _ = connection.await;
        });
    }
}

async fn respond(handler: Rc<RefCell<Handler>>, request: Request<Incoming>) -> hyper::Result<Response<Full<Bytes>>> {
    let is_known = {
        let handler = handler.borrow();
        let expected = &handler.request;
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
        request.method().as_str() == expected.method && path == expected.path
    };
    let sent_ns = sent_ns(request.headers());
    let body = request.into_body().collect().await?.to_bytes();
    let answer = if is_known {
        let answer = handler.borrow_mut().answer(sent_ns, &body);
        if handler.borrow().spent.is_some() {
            tokio::task::spawn_local(async move { handler.borrow_mut().spent = None });
        }
        answer
    } else {
        Answer { status: 404, body: Vec::new() }
    };
    let mut response = Response::new(Full::new(Bytes::from(answer.body)));
    response.headers_mut().insert(CONTENT_TYPE, hyper::header::HeaderValue::from_static("application/json"));
    *response.status_mut() = hyper::StatusCode::from_u16(answer.status).unwrap_or(hyper::StatusCode::BAD_GATEWAY);
    Ok(response)
}

/// When the client sent the request.
fn sent_ns(headers: &HeaderMap) -> Option<u64> {
    headers.get(SENT)?.to_str().ok()?.parse().ok()
}
