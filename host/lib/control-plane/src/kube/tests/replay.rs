//! An API server that replays recorded exchanges: a request that was recorded gets its recorded answer.
//!
//! A file of exchanges holds, between empty lines, a request's method and target, its body as JSON where it has one, `->`, the
//! status, and the answer. A status `stream` is 200 whose lines are sent one by one; what comes of it afterwards is its last
//! line: `ends`, `breaks` or `stays`. A line that begins with `#` says what comes.

use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

/// One request and its answer.
#[derive(Clone, Debug)]
struct Exchange {
    request: String,
    body: Option<Value>,
    status: String,
    answer: Vec<String>,
}

#[derive(Default)]
struct Script {
    left: Mutex<Vec<Exchange>>,
    /// What was asked that is no exchange.
    strange: Mutex<Vec<String>>,
    is_over: AtomicBool,
}

/// The server, while it listens.
pub(super) struct Replay {
    pub(super) address: SocketAddr,
    script: Arc<Script>,
    listener: Option<JoinHandle<()>>,
}

impl Replay {
    /// One that knows the exchanges of `texts`, in which each of `names` stands for its value.
    pub(super) fn of(texts: &[&str], names: &[(&str, String)]) -> Self {
        let text = texts.join("\n\n");
        let text = names.iter().fold(text, |text, (name, value)| text.replace(name, value));
        let script = Arc::new(Script { left: Mutex::new(exchanges(&text)), ..Script::default() });
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, shared) = (listener.local_addr().unwrap(), Arc::clone(&script));
        let listen = move || {
            for stream in listener.incoming().map(Result::unwrap) {
                if shared.is_over.load(Ordering::SeqCst) {
                    return;
                }
                let shared = Arc::clone(&shared);
                // It ends with its connection, as the client closes that.
                std::thread::spawn(move || serve(&stream, &shared));
            }
        };
        Self { address, script, listener: Some(std::thread::spawn(listen)) }
    }

    /// Takes no further connection, and answers no further request.
    pub(super) fn stop(&mut self) {
        if let Some(listener) = self.listener.take() {
            self.script.is_over.store(true, Ordering::SeqCst);
            drop(TcpStream::connect(self.address));
            listener.join().unwrap();
        }
    }

    /// Everything was asked, and nothing else.
    #[track_caller]
    pub(super) fn check(mut self) {
        self.stop();
        let strange = self.script.strange.lock().unwrap();
        assert!(strange.is_empty(), "asked, but no exchange:\n{}", strange.join("\n"));
        let left = self.script.left.lock().unwrap();
        assert!(
            left.is_empty(),
            "never asked: {:#?}",
            left.iter().map(|exchange| &exchange.request).collect::<Vec<_>>()
        );
    }
}

impl Drop for Replay {
    fn drop(&mut self) {
        self.stop();
    }
}

fn exchanges(text: &str) -> Vec<Exchange> {
    let lines: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).collect();
    let blocks = lines.split(|line| line.trim().is_empty()).filter(|block| !block.is_empty());
    let exchange = |block: &[&str]| {
        let arrow = block.iter().position(|line| line.starts_with("-> ")).expect("an answer");
        let body = block[1..arrow].concat();
        Exchange {
            request: block[0].to_owned(),
            body: (!body.is_empty())
                .then(|| serde_json::from_str(&body).unwrap_or_else(|error| panic!("{error}: {body}"))),
            status: block[arrow]["-> ".len()..].to_owned(),
            answer: block[arrow + 1..].iter().map(|&line| line.to_owned()).collect(),
        }
    };
    blocks.map(exchange).collect()
}

/// Answers requests of one connection until that is closed, from either side.
fn serve(stream: &TcpStream, script: &Script) {
    let mut reader = BufReader::new(stream);
    while let Some((request, body)) = read(&mut reader) {
        if script.is_over.load(Ordering::SeqCst) || !answer(stream, &script.take(&request, body)) {
            break;
        }
    }
    // A reader has nothing more to wait for.
    drop(stream.shutdown(Shutdown::Both));
}

impl Script {
    /// The answer to a request: its status, and its lines.
    fn take(&self, request: &str, body: Option<Value>) -> (String, Vec<String>) {
        let mut left = self.left.lock().unwrap();
        let found = left.iter().position(|exchange| exchange.request == request);
        let reason = match found.map(|place| left.remove(place)) {
            Some(exchange) if exchange.body == body => return (exchange.status, exchange.answer),
            Some(exchange) => format!("{request} with\n  {body:?}, wanted\n  {:?}", exchange.body),
            None => request.to_owned(),
        };
        self.strange.lock().unwrap().push(reason);
        (
            "400".to_owned(),
            vec![r#"{"kind":"Status","status":"Failure","message":"no exchange","code":400}"#.to_owned()],
        )
    }
}

/// A request's method and target, and its body.
fn read(reader: &mut BufReader<&TcpStream>) -> Option<(String, Option<Value>)> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if reader.read_until(b'\n', &mut head).ok()? == 0 {
            return None;
        }
    }
    let mut headers = [httparse::EMPTY_HEADER; 32];
    let mut request = httparse::Request::new(&mut headers);
    assert!(request.parse(&head).unwrap().is_complete());
    let named = |name: &str| request.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name));
    let text = |name: &str| named(name).map(|header| std::str::from_utf8(header.value).unwrap());
    let mut body = vec![0; text("content-length").map_or(0, |length| length.parse().unwrap())];
    reader.read_exact(&mut body).ok()?;
    let kind = text("content-type").filter(|kind| *kind != "application/json").map(|kind| format!(" {kind}"));
    let line = format!("{} {}{}", request.method?, request.path?, kind.unwrap_or_default());
    Some((line, (!body.is_empty()).then(|| serde_json::from_slice(&body).unwrap())))
}

/// Whether the connection goes on.
fn answer(mut stream: &TcpStream, (status, lines): &(String, Vec<String>)) -> bool {
    if status != "stream" {
        let body = lines.concat();
        let head =
            format!("HTTP/1.1 {status} \r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n", body.len());
        return stream.write_all((head + &body).as_bytes()).is_ok();
    }
    let (end, lines) = lines.split_last().expect("what comes of it");
    let mut text = "HTTP/1.1 200 \r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n".to_owned();
    for line in lines {
        text += &format!("{:x}\r\n{line}\n\r\n", line.len() + 1);
    }
    match end.as_str() {
        "ends" => stream.write_all((text + "0\r\n\r\n").as_bytes()).is_ok(),
        "breaks" => {
            // In the middle of a further change.
            let _ = stream.write_all((text + "40\r\n{\"type\":\"ADDED\",").as_bytes());
            false
        }
        "stays" => {
            let _ = stream.write_all(text.as_bytes());
            // Until the client has closed it.
            let _ = stream.read(&mut [0]);
            false
        }
        other => panic!("`{other}` is none of ends, breaks, stays"),
    }
}
