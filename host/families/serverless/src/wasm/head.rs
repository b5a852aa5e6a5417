//! The heads of requests to components. A server has them from its parser; here they are made once and copied.

use crate::functions::HttpRequest;
use http_body_util::combinators::MapErr;
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::header::{CONTENT_LENGTH, HOST};
use hyper::http::{self, Request};
use std::cell::RefCell;
use std::convert::Infallible;
use wasmtime_wasi_http::Error;

/// The host in the URL of a request.
const AUTHORITY: &str = "function";

/// A body that is there as a whole.
pub(super) type WholeBody = MapErr<Full<Bytes>, fn(Infallible) -> Error>;

/// The head of the last request.
#[derive(Debug, Default)]
pub(super) struct Heads(RefCell<Option<Known>>);

#[derive(Debug)]
struct Known {
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body_bytes: usize,
    head: Request<()>,
}

impl Heads {
    /// The request as the component receives it.
    pub(super) fn incoming(&self, request: &HttpRequest) -> http::Result<Request<WholeBody>> {
        let never: fn(Infallible) -> Error = |never| match never {};
        let body: WholeBody = Full::new(Bytes::copy_from_slice(&request.body)).map_err(never);
        let mut known = self.0.borrow_mut();
        let head = match &*known {
            Some(known) if known.is_of(request) => known.head.clone(),
            _ => known.insert(Known::new(request)?).head.clone(),
        };
        Ok(head.map(|()| body))
    }
}

impl Known {
    fn new(request: &HttpRequest) -> http::Result<Self> {
        let HttpRequest { method, path, headers, body } = request;
        let builder = Request::builder().method(method.as_str()).uri(format!("http://{AUTHORITY}{path}"));
        let builder = builder.header(HOST, AUTHORITY).header(CONTENT_LENGTH, body.len());
        let builder = headers.iter().fold(builder, |builder, (name, value)| builder.header(name, value));
        let head = builder.body(())?;
        let (method, path, headers) = (method.clone(), path.clone(), headers.clone());
        Ok(Self { method, path, headers, body_bytes: body.len(), head })
    }

    fn is_of(&self, request: &HttpRequest) -> bool {
        let Self { method, path, headers, body_bytes, .. } = self;
        *method == request.method
            && *path == request.path
            && *headers == request.headers
            && *body_bytes == request.body.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(path: &str, headers: &[(&str, &str)], body: &str) -> HttpRequest {
        HttpRequest {
            method: "POST".to_owned(),
            path: path.to_owned(),
            headers: headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            body: body.as_bytes().to_vec(),
        }
    }

    #[test]
    fn head_is_that_of_its_request_whatever_came_before() {
        let heads = Heads::default();
        let requests = [
            request("/", &[], "a"),
            request("/", &[], "b"),
            request("/", &[], "long"),
            request("/x?y=1", &[], "long"),
            request("/x?y=1", &[("accept", "*/*"), ("accept", "text/html")], "long"),
            request("/", &[], "a"),
        ];
        for wanted in requests {
            let found = heads.incoming(&wanted).expect("it is a request");
            let headers = found.headers();
            assert_eq!(found.method().as_str(), wanted.method);
            assert_eq!(found.uri().to_string(), format!("http://function{}", wanted.path));
            assert_eq!(headers[HOST], "function");
            assert_eq!(headers[CONTENT_LENGTH], wanted.body.len().to_string());
            let accepted: Vec<_> = headers.get_all("accept").iter().map(|value| value.to_str().unwrap()).collect();
            assert_eq!(accepted, wanted.headers.iter().map(|(_, value)| value.as_str()).collect::<Vec<_>>());
        }
        assert!(heads.incoming(&request("no path", &[], "")).is_err());
        assert!(heads.incoming(&request("/", &[("no name", "")], "")).is_err());
        assert!(heads.incoming(&request("/", &[], "a")).is_ok(), "a wrong request leaves nothing behind");
    }
}
