//! A transport whose peer is a program in Python: the cost of a service that is written in the simplest way.

use super::{Fault, Link, Setup, Transport, http, tcp, unix};
use crate::program::{Program, in_path};
use bench_model::ModuleError;
use ring_peer::Watch;
use rustix::fd::RawFd;

/// The peer, in Python: the twin of `exchange.rs` and `message.rs`.
const PEER: &str = include_str!("peer.py");

/// The name of a transport in the arguments of the program.
pub(crate) trait Spoken: Link {
    const NAME: &'static str;
}

impl Spoken for unix::StreamPair {
    const NAME: &'static str = "socket";
}

impl Spoken for tcp::Loopback {
    const NAME: &'static str = "socket";
}

impl Spoken for http::OverTcp {
    const NAME: &'static str = "http";
}

pub(crate) struct Python<L> {
    link: L,
    interpreter: std::path::PathBuf,
    arguments: [String; 3],
}

pub(crate) struct Side<S> {
    side: S,
    program: Option<Program>,
}

impl<L: Spoken> Link for Python<L> {
    type Side = Side<L::Side>;

    fn open(setup: &Setup) -> Result<Self, ModuleError> {
        let absent = || ModuleError::Unavailable("python3 is not in PATH; install Python 3".to_owned());
        let interpreter = in_path("python3").ok_or_else(absent)?;
        let arguments = [L::NAME, setup.scenario.as_str(), &setup.payload_bytes.to_string()].map(str::to_owned);
        Ok(Self { link: L::open(setup)?, interpreter, arguments })
    }

    fn parent(self, watch: Watch) -> Result<Self::Side, Fault> {
        Ok(Side { side: self.link.parent(watch)?, program: None })
    }

    fn peer(self) -> Result<Self::Side, Fault> {
        let side = self.link.peer()?;
        let fd = side.fds().first().map(ToString::to_string).unwrap_or_default();
        let [kind, scenario, payload_bytes] = &self.arguments;
        // Isolated mode, so that neither the user's packages nor PYTHON* variables affect what is measured.
        let arguments = ["-I", "-S", "-B", "-c", PEER, kind, &fd, scenario, payload_bytes];
        let program = Program::new(&self.interpreter, &arguments);
        let program = program.map_err(|_| Fault::Protocol("the program's arguments contain NUL"))?;
        Ok(Side { side, program: Some(program) })
    }
}

impl<S: Transport> Transport for Side<S> {
    fn send(&mut self, message: &[u8]) -> Result<(), Fault> {
        self.side.send(message)
    }

    fn receive<R>(&mut self, len: usize, read: impl FnOnce(&[u8]) -> R) -> Result<R, Fault> {
        self.side.receive(len, read)
    }

    fn fds(&self) -> Vec<RawFd> {
        self.side.fds()
    }

    fn program(&self) -> Option<&Program> {
        self.program.as_ref()
    }
}
