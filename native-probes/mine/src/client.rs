//! A client of a mine over one connection, which it opens anew after an error.

use crate::http;
use crate::route::{Route, Target};
use std::io::{self, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;
use table_core::mine::Format;

/// The most bytes of a page after decompression.
const PAGE_BYTES_MAX: u64 = 1 << 30;

/// Where a mine answers with its model, and with the results of queries.
const MODEL: &str = "/service/model";
const RESULTS: &str = "/service/query/results";

/// Why a page could not be had, and whether another attempt makes sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// The network, or a server that is busy.
    #[error("{0}")]
    Passing(String),
    /// The request is wrong, or the answer.
    #[error("{0}")]
    Lasting(String),
}

/// A connection to a mine.
#[derive(Debug)]
pub struct Client {
    target: Target,
    route: Route,
    timeout: Duration,
    connection: Option<BufReader<Counted>>,
    /// The bytes of all responses, as they came over the connections; also of those that were cut.
    pub wire: u64,
}

/// A connection that counts the bytes that come over it, because of a response that is cut nothing else says how many came.
#[derive(Debug)]
struct Counted {
    stream: TcpStream,
    received: u64,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.stream.read(buffer)?;
        self.received += read as u64;
        Ok(read)
    }
}

impl Client {
    /// A client that is not connected yet.
    pub fn new(target: Target, route: Route, timeout: Duration) -> Self {
        Self { target, route, timeout, connection: None, wire: 0 }
    }

    /// The mine's model, in XML.
    pub fn model(&mut self) -> Result<Vec<u8>, FetchError> {
        self.request("GET", MODEL, "")
    }

    /// The number of rows of a query.
    pub fn count(&mut self, query: &str) -> Result<usize, FetchError> {
        let form = http::form(&[("query", query), ("format", "count")]);
        let body = self.request("GET", RESULTS, &form)?;
        let text = String::from_utf8_lossy(&body);
        text.trim().parse().map_err(|_| FetchError::Lasting("the mine's count is not a number".to_owned()))
    }

    /// A page of a query; whole, or an error.
    pub fn page(
        &mut self,
        query: &str,
        format: Format,
        start: usize,
        size: usize,
        is_gzip: bool,
    ) -> Result<Vec<u8>, FetchError> {
        let (start_text, size_text) = (start.to_string(), size.to_string());
        let mut values = vec![
            ("query", query),
            ("format", format.as_str()),
            ("start", start_text.as_str()),
            ("size", size_text.as_str()),
            ("columnheaders", "path"),
        ];
        if is_gzip {
            values.push(("compress", "gzip"));
        }
        let body = self.request("POST", RESULTS, &http::form(&values))?;
        is_whole(&body, format, start).map_err(FetchError::Passing)?;
        Ok(body)
    }

    fn request(&mut self, method: &str, resource: &str, form: &str) -> Result<Vec<u8>, FetchError> {
        let answered = self.exchange(method, resource, form);
        if let Some(reader) = &mut self.connection {
            self.wire += std::mem::take(&mut reader.get_mut().received);
        }
        if answered.is_err() {
            self.connection = None;
        }
        let (status, body) = answered.map_err(|error| FetchError::Passing(error.to_string()))?;
        match status {
            200 => Ok(body),
            // The body may quote the query, which is not for logs.
            429 | 500.. => Err(FetchError::Passing(format!("the mine answered with status {status}"))),
            _ => Err(FetchError::Lasting(format!("the mine answered with status {status}"))),
        }
    }

    fn exchange(&mut self, method: &str, resource: &str, form: &str) -> io::Result<(u16, Vec<u8>)> {
        if self.connection.is_none() {
            let stream = self.route.connect(&self.target, self.timeout)?;
            self.connection = Some(BufReader::new(Counted { stream, received: 0 }));
        }
        let Some(reader) = &mut self.connection else { return Err(io::ErrorKind::NotConnected.into()) };
        let path = format!("{}{resource}", self.target.path);
        let host = self.target.authority();
        let request = if method == "GET" {
            format!("GET {path}?{form} HTTP/1.1\r\nHost: {host}\r\n\r\n")
        } else {
            let kind = "application/x-www-form-urlencoded";
            let length = form.len();
            format!(
                "POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n{form}"
            )
        };
        reader.get_mut().stream.write_all(request.as_bytes())?;
        let head = http::read_head(reader)?.ok_or(io::ErrorKind::UnexpectedEof)?;
        let mut headers = [httparse::EMPTY_HEADER; 64];
        let mut response = httparse::Response::new(&mut headers);
        response.parse(&head).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        let header = |name: &str| {
            let found = response.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name));
            found.and_then(|header| str::from_utf8(header.value).ok()).map(str::trim)
        };
        let is_chunked = header("transfer-encoding").is_some_and(|value| value.eq_ignore_ascii_case("chunked"));
        let body = if is_chunked {
            http::read_chunks(reader)?
        } else {
            let length = header("content-length").and_then(|length| length.parse().ok());
            let length =
                length.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "the response has no length"))?;
            http::read_length(reader, length)?
        };
        let body = if header("content-encoding") == Some("gzip") { gunzip(&body)? } else { body };
        Ok((response.code.unwrap_or(0), body))
    }
}

fn gunzip(body: &[u8]) -> io::Result<Vec<u8>> {
    let mut plain = Vec::new();
    flate2::read::GzDecoder::new(body).take(PAGE_BYTES_MAX).read_to_end(&mut plain)?;
    Ok(plain)
}

/// Whether an answer whose status line says 200 is whole: the mine may have failed after that line.
pub(crate) fn is_whole(body: &[u8], format: Format, start: usize) -> Result<(), String> {
    let Ok(text) = str::from_utf8(body) else { return Err("the answer is not UTF-8".to_owned()) };
    if format.dialect().is_some() {
        let last = text.trim_end().lines().next_back().unwrap_or_default();
        return match (last.strip_prefix("[ERROR]"), text.ends_with('\n')) {
            (Some(error), _) => Err(format!("the mine failed after its status line:{error}")),
            (None, false) => Err("the answer does not end with a whole line".to_owned()),
            (None, true) => Ok(()),
        };
    }
    let footer = text.rfind("],").map_or("", |at| &text[at..]);
    if footer.contains("\"wasSuccessful\":false") {
        let error = footer.split_once("\"error\":").map_or("", |(_, error)| error);
        return Err(format!("the mine failed after its status line: {}", error.trim_end_matches('}')));
    }
    if !footer.contains("\"wasSuccessful\":true") || !text.trim_end().ends_with('}') {
        return Err("the answer does not say `wasSuccessful`: it is not whole".to_owned());
    }
    let header = text.split_once("\"results\":").map_or("", |(header, _)| header);
    if !header.contains(&format!("\"start\":{start},")) {
        return Err(format!("the answer has other rows than those from {start}: a page is repeated or left out"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use table_core::{Recipe, mine};

    #[test]
    fn compressed_answer_that_is_cut_is_an_error() {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(&b"a row\n".repeat(1_000)).unwrap();
        let whole = encoder.finish().unwrap();
        assert_eq!(gunzip(&whole).unwrap().len(), 6_000);
        for length in [0, whole.len() / 2, whole.len() - 1] {
            assert!(gunzip(&whole[..length]).is_err(), "{length}");
        }
        assert!(gunzip(b"not compressed").is_err());
    }

    #[test]
    fn answers_that_are_not_whole_are_found() {
        let genes = Recipe { rows: 20, seed: 1 }.genes();
        for format in Format::ALL {
            let body = mine::answer(&genes, 10..20, format);
            assert_eq!(is_whole(body.as_bytes(), format, 10), Ok(()));
            assert!(is_whole(&body.as_bytes()[..body.len() - 2], format, 10).is_err(), "{format:?}");
        }
        let json = mine::answer(&genes, 10..20, Format::Json);
        let repeated = is_whole(json.as_bytes(), Format::Json, 0).unwrap_err();
        assert_eq!(repeated, "the answer has other rows than those from 0: a page is repeated or left out");
        let late = "\"a\"\n[ERROR] 500 it broke\n";
        assert!(is_whole(late.as_bytes(), Format::Csv, 0).unwrap_err().contains("500 it broke"));
        let mut late = "{\"results\":[\n".to_owned();
        mine::json_footer(Some("it broke"), &mut late);
        assert!(is_whole(late.as_bytes(), Format::Json, 0).unwrap_err().contains("it broke"));
    }
}
