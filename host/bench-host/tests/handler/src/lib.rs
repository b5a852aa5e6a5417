//! An HTTP handler for the tests: its path selects what it does.

use wasip2::exports::http::incoming_handler::Guest;
use wasip2::http::types::{Fields, IncomingRequest, Method, OutgoingBody, OutgoingResponse, ResponseOutparam};

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
            _ => respond(outparam, 200, b"hello"),
        }
    }
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
