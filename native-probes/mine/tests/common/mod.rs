//! What the tests of fetching share: the arguments of the scenario, and a SOCKS5 proxy.

use bench_model::{Arguments, Descriptor, Value};
use mine::MineProbe;
use probe_abi::Probe;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// The defaults of the scenario with these changes.
pub(crate) fn arguments(changes: &[(&str, Value)]) -> Arguments {
    let Descriptor { scenarios, .. } = MineProbe::describe();
    let mut arguments = Arguments::default();
    for parameter in &scenarios[0].parameters {
        arguments.set(parameter.name.clone(), parameter.defaults[0].clone());
    }
    arguments.set("rows", 2_500);
    arguments.set("page_rows", 200);
    changes.iter().for_each(|(name, value)| arguments.set(*name, value.clone()));
    arguments
}

pub(crate) fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

/// A SOCKS5 proxy (RFC 1928) that knows one name, which no resolver does.
pub(crate) struct Proxy {
    /// `HOST:PORT`.
    pub(crate) address: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    /// Connects who asks for `name` to the address `to`. Its threads end with the process.
    pub(crate) fn start(name: &'static str, to: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let (to, known) = (to.to_owned(), asked.clone());
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (to, known) = (to.clone(), known.clone());
                // A connection that breaks is its client's to report.
                thread::spawn(move || serve(client, name, &to, &known));
            }
        });
        Self { address, asked }
    }

    /// What it was asked to connect to, a host each time.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

fn serve(mut client: TcpStream, name: &str, to: &str, asked: &Mutex<Vec<String>>) -> io::Result<()> {
    let mut greeting = [0; 3];
    client.read_exact(&mut greeting)?;
    client.write_all(&[5, 0])?;
    let mut head = [0; 5];
    client.read_exact(&mut head)?;
    // An address in place of a name was resolved by the client.
    if head[..4] != [5, 1, 0, 3] {
        asked.lock().unwrap().push(format!("{head:?}"));
        return client.write_all(&[5, 8, 0, 1, 0, 0, 0, 0, 0, 0]);
    }
    let mut rest = vec![0; usize::from(head[4]) + 2];
    client.read_exact(&mut rest)?;
    let host = String::from_utf8_lossy(&rest[..rest.len() - 2]).into_owned();
    asked.lock().unwrap().push(host.clone());
    let server = if host == name { TcpStream::connect(to).ok() } else { None };
    let Some(server) = server else { return client.write_all(&[5, 4, 0, 1, 0, 0, 0, 0, 0, 0]) };
    client.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0])?;
    let (mut from, mut into) = (client.try_clone()?, server.try_clone()?);
    let up = thread::spawn(move || io::copy(&mut from, &mut into).and_then(|_| into.shutdown(Shutdown::Write)));
    io::copy(&mut &server, &mut client)?;
    client.shutdown(Shutdown::Write)?;
    // The client may be gone before all is sent.
    let _ = up.join();
    Ok(())
}
