//! A mine on this machine: it answers version, model and queries over generated tables as InterMine's web service does, after a latency and
//! with faults that a seed decides.

use crate::conditions::{Conditions, Failure};
use crate::http;
use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::{self, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use table_core::csv::{self, Dialect};
use table_core::mine::{self, Format};
use table_core::{Field, Kind, Recipe, Table};

/// What `/service/version` answers: the version of the web service.
const VERSION: &str = "34";

/// The most rows of an answer, as InterMine has it.
const SIZE_MAX: usize = 10_000_000;

/// How long a connection may be idle.
const IDLE_MAX: Duration = Duration::from_secs(30);

/// A running server. It stops when it is dropped.
#[derive(Debug)]
pub struct Mine {
    address: SocketAddr,
    is_stopped: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

struct Service {
    tables: [Table; 3],
    conditions: Conditions,
    /// How often a page was asked for, by its first row.
    attempts: Mutex<HashMap<usize, u64>>,
}

struct Response {
    status: &'static str,
    content_type: &'static str,
    body: Vec<u8>,
    is_gzip: bool,
    /// Whether the connection ends in the middle of the body.
    is_cut: bool,
}

impl Mine {
    /// Starts a server of the tables of `recipe`, at a free port of this machine.
    pub fn start(recipe: Recipe, conditions: Conditions) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let is_stopped = Arc::new(AtomicBool::new(false));
        let tables = [recipe.genes(), recipe.publications(), Recipe::organisms()];
        let service = Arc::new(Service { tables, conditions, attempts: Mutex::default() });
        let stopped = is_stopped.clone();
        let accept = move || {
            for connection in listener.incoming().flatten() {
                if stopped.load(Ordering::Relaxed) {
                    return;
                }
                let service = service.clone();
                // A connection that breaks is its client's to report.
                std::thread::spawn(move || service.serve(&connection));
            }
        };
        Ok(Self { address, is_stopped, thread: Some(std::thread::spawn(accept)) })
    }

    /// The URL of the mine, without a slash at its end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Mine {
    fn drop(&mut self) {
        self.is_stopped.store(true, Ordering::Relaxed);
        // Wakes the thread that waits for connections.
        let woken = TcpStream::connect(self.address).is_ok();
        if let Some(thread) = self.thread.take().filter(|_| woken) {
            let _ = thread.join();
        }
    }
}

impl Service {
    fn serve(&self, connection: &TcpStream) -> io::Result<()> {
        connection.set_read_timeout(Some(IDLE_MAX))?;
        connection.set_nodelay(true)?;
        let mut reader = BufReader::new(connection);
        while let Some(head) = http::read_head(&mut reader)? {
            let mut headers = [httparse::EMPTY_HEADER; 64];
            let mut request = httparse::Request::new(&mut headers);
            if request.parse(&head).is_err() {
                return write(connection, &Response::error("400 Bad Request", "malformed request"));
            }
            let (path, query) =
                request.path.unwrap_or_default().split_once('?').unwrap_or((request.path.unwrap_or_default(), ""));
            let length = request.headers.iter().find(|header| header.name.eq_ignore_ascii_case("content-length"));
            let length = length.and_then(|header| str::from_utf8(header.value).ok()?.trim().parse().ok());
            let body = http::read_length(&mut reader, length.unwrap_or(0))?;
            let form = match request.method {
                Some("GET") => query.to_owned(),
                Some("POST") => String::from_utf8_lossy(&body).into_owned(),
                _ => return write(connection, &Response::error("405 Method Not Allowed", "use GET or POST")),
            };
            let response = self.answer(path, &form);
            write(connection, &response)?;
            if response.is_cut {
                return Ok(());
            }
        }
        Ok(())
    }

    fn answer(&self, path: &str, form: &str) -> Response {
        match path.trim_end_matches('/') {
            "/service/version" | "/service/version/ws" => Response::text(VERSION),
            "/service/version/release" => Response::text("generated"),
            "/service/model" => Response { content_type: "text/xml", ..Response::text(&self.model()) },
            "/service/query/results" => {
                self.results(form).unwrap_or_else(|reason| Response::error("400 Bad Request", &reason))
            }
            _ => Response::error("404 Not Found", "no such resource"),
        }
    }

    fn model(&self) -> String {
        let mut model = String::from("<model name=\"genomic\" package=\"org.intermine.model.bio\">\n");
        for table in &self.tables {
            let class = class_of(table);
            // Writing to a text cannot fail.
            let _ = writeln!(model, "  <class name=\"{class}\" is-interface=\"true\">");
            for field in table.fields() {
                let path = field.name.split_once('.').map_or("", |(_, path)| path);
                let _ = match path.split_once('.') {
                    None => {
                        let kind = java_type(field.kind);
                        writeln!(model, "    <attribute name=\"{path}\" type=\"{kind}\"/>")
                    }
                    // The attribute behind a reference is that of its class.
                    Some((name, _)) => {
                        let class = capitalised(name);
                        writeln!(model, "    <reference name=\"{name}\" referenced-type=\"{class}\"/>")
                    }
                };
            }
            model.push_str("  </class>\n");
        }
        model + "</model>\n"
    }

    fn results(&self, form: &str) -> Result<Response, String> {
        let query = http::form_value(form, "query").ok_or("the parameter `query` is missing")?;
        let view = view_of(&query).ok_or("the query has no view")?;
        let found = self.table(&view)?;
        let table: &Table = &found;
        let number = |name: &str, default: usize, least: usize| match http::form_value(form, name) {
            None => Ok(default),
            Some(text) => text.parse().ok().filter(|number| (least..=SIZE_MAX).contains(number)).ok_or_else(|| {
                format!("the parameter `{name}` is `{text}`, expected a number from {least} to {SIZE_MAX}")
            }),
        };
        let (start, size) = (number("start", 0, 0)?, number("size", SIZE_MAX, 1)?);
        let format = http::form_value(form, "format").unwrap_or_else(|| "tab".to_owned());
        if format == "count" {
            return Ok(Response::text(&table.rows().to_string()));
        }
        let format: Format = format.parse()?;
        let is_gzip = http::form_value(form, "compress").is_some_and(|kind| kind == "gzip");
        let start = start.min(table.rows());
        let rows = start..(start + size).min(table.rows());
        let attempt = self.attempt(start);
        wait(self.conditions.latency(start, attempt));
        let failure = self.conditions.failure(start, attempt);
        if failure == Some(Failure::Busy) {
            return Ok(Response::error("503 Service Unavailable", "too many queries"));
        }
        let body = if failure == Some(Failure::Late) {
            failing_late(table, rows, format)
        } else {
            mine::answer(table, rows, format)
        };
        let body = match format.dialect() {
            Some(dialect) => with_headers(body, table, dialect, http::form_value(form, "columnheaders").as_deref()),
            None => body,
        };
        let content_type = if format.dialect().is_none() { "application/json" } else { "text/plain" };
        let body = if is_gzip { gzip(body.as_bytes()).map_err(|error| error.to_string())? } else { body.into_bytes() };
        Ok(Response { status: "200 OK", content_type, body, is_gzip, is_cut: failure == Some(Failure::Cut) })
    }

    /// The columns that the view names, which are of one class.
    fn table(&self, view: &str) -> Result<Cow<'_, Table>, String> {
        let columns = |table: &Table| table.positions(view.split(' '));
        let found = self.tables.iter().find_map(|table| Some((table, columns(table)?)));
        let (table, columns) = found.ok_or_else(|| {
            format!(
                "this mine answers queries for columns of one class, as /service/model lists them, not for `{view}`"
            )
        })?;
        let is_all = columns.iter().copied().eq(0..table.fields().len());
        Ok(if is_all { Cow::Borrowed(table) } else { Cow::Owned(table.projected(&columns)) })
    }

    fn attempt(&self, start: usize) -> u64 {
        let mut attempts = self.attempts.lock().unwrap_or_else(PoisonError::into_inner);
        let attempt = attempts.entry(start).or_default();
        *attempt += 1;
        *attempt
    }
}

#[expect(clippy::disallowed_methods, reason = "the latency of a network is what it stands for")]
fn wait(latency: Duration) {
    if !latency.is_zero() {
        std::thread::sleep(latency);
    }
}

/// The root class of a table's paths.
fn class_of(table: &Table) -> &str {
    table.fields().first().and_then(|field| field.name.split('.').next()).unwrap_or_default()
}

/// The type of an attribute in a model.
fn java_type(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "java.lang.String",
        Kind::Integer => "java.lang.Integer",
        Kind::Decimal => "java.math.BigDecimal",
        Kind::Real => "java.lang.Double",
        Kind::Date => "java.util.Date",
    }
}

fn capitalised(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// An answer that begins with the names of its columns, with the header that was asked for: none, paths, or names for people.
fn with_headers(answer: String, table: &Table, dialect: Dialect, asked: Option<&str>) -> String {
    let rows = answer.split_once('\n').map_or("", |(_, rows)| rows);
    match asked {
        Some("path") => answer,
        None | Some("none" | "no" | "false" | "0" | "") => rows.to_owned(),
        Some(_) => {
            let friendly = |field: &Field| Field { name: field.name.replace('.', " > "), ..field.clone() };
            let mut header = String::new();
            csv::write_header(&table.fields().iter().map(friendly).collect::<Vec<_>>(), dialect, &mut header);
            header + rows
        }
    }
}

/// The view of a query in XML.
fn view_of(query: &str) -> Option<String> {
    let rest = query.split_once("view=")?.1;
    let quote = rest.chars().next().filter(|quote| ['"', '\''].contains(quote))?;
    rest[1..].split_once(quote).map(|(view, _)| view.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Half of the rows, and then that it failed, behind a status line that says 200.
fn failing_late(table: &Table, rows: std::ops::Range<usize>, format: Format) -> String {
    let half = rows.start..rows.start + rows.len() / 2;
    let mut body = mine::answer(table, half, format);
    if format.dialect().is_some() {
        body.push_str("[ERROR] 500 the database went away\n");
    } else {
        body.truncate(body.rfind("],\"executionTime\"").unwrap_or(body.len()));
        mine::json_footer(Some("the database went away"), &mut body);
    }
    body
}

fn gzip(body: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(body)?;
    encoder.finish()
}

impl Response {
    fn text(body: &str) -> Self {
        let body = format!("{body}\n").into_bytes();
        Self { status: "200 OK", content_type: "text/plain", body, is_gzip: false, is_cut: false }
    }

    fn error(status: &'static str, reason: &str) -> Self {
        Self { status, ..Self::text(reason) }
    }
}

fn write(mut connection: &TcpStream, response: &Response) -> io::Result<()> {
    let encoding = if response.is_gzip { "Content-Encoding: gzip\r\n" } else { "" };
    let Response { status, content_type, .. } = response;
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {content_type};charset=UTF-8\r\n{encoding}Transfer-Encoding: chunked\r\n\r\n"
    );
    connection.write_all(head.as_bytes())?;
    http::write_chunks(&mut connection, &response.body, response.is_cut)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn views_are_found_in_queries() {
        let check = |query: &str, expect: Option<&str>| assert_eq!(view_of(query).as_deref(), expect, "{query}");
        check("<query model=\"genomic\" view=\"Gene.symbol  Gene.length\"/>", Some("Gene.symbol Gene.length"));
        check("<query view='Gene.symbol'></query>", Some("Gene.symbol"));
        check("<query/>", None);
        check("view=\"open", None);
    }
}
