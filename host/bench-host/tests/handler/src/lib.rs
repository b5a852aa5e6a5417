//! An HTTP handler for the tests: its path selects what it does.

use std::io::Read;
use std::net::TcpStream;
use wasip2::clocks::monotonic_clock::subscribe_duration;
use wasip2::exports::http::incoming_handler::Guest;
use wasip2::http::outgoing_handler;
use wasip2::http::types::{
    Fields, IncomingRequest, Method, OutgoingBody, OutgoingRequest, OutgoingResponse, ResponseOutparam, Scheme,
};
use wasip2::io::poll::poll;

struct Handler;

impl Guest for Handler {
    fn handle(request: IncomingRequest, outparam: ResponseOutparam) {
        let path = request.path_with_query().unwrap_or_default();
        match path.as_str() {
            "/500" => respond(outparam, 500, b"no"),
            "/random" => respond(outparam, 200, &wasip2::random::random::get_random_bytes(8)),
            "/none" => {}
            "/never" => loop {
                std::hint::spin_loop();
            },
            "/endless" => endless(outparam),
            "/echo" => {
                let header = request.headers().get("x-name").concat();
                let method = if matches!(request.method(), Method::Put) { "PUT" } else { "other" };
                let body = request.consume().expect("it was not taken before");
                let stream = body.stream().expect("it was not taken before");
                let mut text = [method.as_bytes(), b" ", &header, b" "].concat();
                while let Ok(bytes) = stream.blocking_read(4096) {
                    text.extend(bytes);
                }
                respond(outparam, 201, &text);
            }
            "/sleep" => {
                rest();
                respond(outparam, 200, b"rested");
            }
            "/outgoing" => respond(outparam, if ask_another() { 200 } else { 502 }, b"asked"),
            "/trap" => panic!("as it was told"),
            path => match path.strip_prefix("/connect/") {
                Some(address) => respond(outparam, 200, &greeting(address)),
                None => respond(outparam, 200, b"hello"),
            },
        }
    }
}

/// Looks a few times whether anything is ready, as event loops do, and waits for a clock in both ways.
fn rest() {
    const NS: u64 = 100_000;
    for _ in 0..3 {
        let (at_once, soon) = (subscribe_duration(0), subscribe_duration(NS));
        assert!(poll(&[&soon, &at_once]).contains(&1));
        assert_eq!(poll(&[&soon]), [0]);
        subscribe_duration(NS).block();
    }
}

/// What a server says to who connects.
fn greeting(address: &str) -> Vec<u8> {
    let mut connection = TcpStream::connect(address).expect("it is granted, and somebody listens");
    let mut bytes = Vec::new();
    connection.read_to_end(&mut bytes).expect("it ends");
    bytes
}

/// Whether a request of its own is answered.
fn ask_another() -> bool {
    let request = OutgoingRequest::new(Fields::new());
    request.set_scheme(Some(&Scheme::Http)).expect("a valid scheme");
    request.set_authority(Some("localhost")).expect("a valid authority");
    request.set_path_with_query(Some("/")).expect("a valid path");
    let Ok(response) = outgoing_handler::handle(request, None) else { return false };
    response.subscribe().block();
    matches!(response.get(), Some(Ok(Ok(_))))
}

fn respond(outparam: ResponseOutparam, status: u16, bytes: &[u8]) {
    let response = OutgoingResponse::new(Fields::new());
    response.set_status_code(status).expect("a valid status");
    let body = response.body().expect("it was not taken before");
    ResponseOutparam::set(outparam, Ok(response));
    let stream = body.write().expect("it was not taken before");
    stream.blocking_write_and_flush(bytes).expect("somebody reads");
    drop(stream);
    OutgoingBody::finish(body, None).expect("no length was promised");
}

fn endless(outparam: ResponseOutparam) {
    let response = OutgoingResponse::new(Fields::new());
    let body = response.body().expect("it was not taken before");
    ResponseOutparam::set(outparam, Ok(response));
    let stream = body.write().expect("it was not taken before");
    while stream.blocking_write_and_flush(&[b'x'; 4096]).is_ok() {}
}

wasip2::http::proxy::export!(Handler);
