//! An HTTP handler of WASI 0.3 for the tests: its path selects what it does.

use wasip3::clocks::monotonic_clock::wait_for;
use wasip3::exports::http::handler::Guest;
use wasip3::http::client;
use wasip3::http::types::{ErrorCode, Fields, Method, Request, Response, Scheme};
use wasip3::{spawn_local, wit_future, wit_stream};

struct Handler;

impl Guest for Handler {
    async fn handle(request: Request) -> Result<Response, ErrorCode> {
        let path = request.get_path_with_query().unwrap_or_default();
        match path.as_str() {
            "/500" => Ok(respond(500, vec![b"no".to_vec()])),
            "/random" => Ok(respond(200, vec![wasip3::random::random::get_random_bytes(8)])),
            "/error" => Err(ErrorCode::LoopDetected),
            "/never" => loop {
                wait_for(1_000_000_000).await;
            },
            "/endless" => Ok(respond(200, std::iter::repeat_with(|| vec![b'x'; 4096]))),
            "/echo" => Ok(respond(201, vec![echo(request).await])),
            "/sleep" => {
                for _ in 0..3 {
                    wait_for(100_000).await;
                }
                Ok(respond(200, vec![b"rest".to_vec(), b"ed".to_vec()]))
            }
            "/outgoing" => {
                let status = if ask_another().await { 200 } else { 502 };
                Ok(respond(status, vec![b"asked".to_vec()]))
            }
            "/trap" => panic!("as it was told"),
            _ => Ok(respond(200, vec![b"hello".to_vec()])),
        }
    }
}

/// The method, a header and the body of a request.
async fn echo(request: Request) -> Vec<u8> {
    let header = request.get_headers().get("x-name").concat();
    let method = if matches!(request.get_method(), Method::Put) { "PUT" } else { "other" };
    let (received, result) = wit_future::new(|| Ok(()));
    let (body, _) = Request::consume_body(request, result);
    let body = body.collect().await;
    drop(received);
    [method.as_bytes(), b" ", &header, b" ", &body].concat()
}

/// Whether a request of its own is answered.
async fn ask_another() -> bool {
    let (trailers, of_request) = wit_future::new(|| Ok(None));
    drop(trailers);
    let (request, _) = Request::new(Fields::new(), None, of_request, None);
    request.set_scheme(Some(&Scheme::Http)).expect("a valid scheme");
    request.set_authority(Some("localhost")).expect("a valid authority");
    client::send(request).await.is_ok()
}

/// A response whose body is these pieces, which are written when it has been returned.
fn respond(status: u16, pieces: impl IntoIterator<Item = Vec<u8>> + 'static) -> Response {
    let (mut writer, body) = wit_stream::new();
    let (trailers, of_response) = wit_future::new(|| Ok(None));
    drop(trailers);
    let (response, _) = Response::new(Fields::new(), Some(body), of_response);
    response.set_status_code(status).expect("a valid status");
    spawn_local(async move {
        for piece in pieces {
            // What is left where nobody reads any more.
            if !writer.write_all(piece).await.is_empty() {
                break;
            }
        }
    });
    response
}

wasip3::http::service::export!(Handler);
