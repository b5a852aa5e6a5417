//! A TCP connection over 127.0.0.1 without Nagle's algorithm.

use super::socket::Stream;
use super::{Fault, Link, Setup};
use bench_model::ModuleError;
use ring_peer::Watch;
use std::net::{Ipv4Addr, TcpListener, TcpStream};

pub(crate) struct Loopback {
    parent: TcpStream,
    peer: TcpStream,
    message_max: usize,
}

impl Link for Loopback {
    type Side = Stream;

    fn open(setup: &Setup) -> Result<Self, ModuleError> {
        let (parent, peer) = pair()?;
        Ok(Self { parent, peer, message_max: setup.message_max })
    }

    fn parent(self, _: Watch) -> Result<Stream, Fault> {
        Ok(Stream::new(self.parent.into(), self.message_max))
    }

    fn peer(self) -> Result<Stream, Fault> {
        Ok(Stream::new(self.peer.into(), self.message_max))
    }
}

/// Both ends of a connection.
pub(super) fn pair() -> Result<(TcpStream, TcpStream), ModuleError> {
    connect().map_err(|error| ModuleError::Other(format!("cannot connect over 127.0.0.1: {error}")))
}

/// Creates both ends of a connection on a port that the kernel chooses.
fn connect() -> std::io::Result<(TcpStream, TcpStream)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let parent = TcpStream::connect(listener.local_addr()?)?;
    let own = parent.local_addr()?;
    // Any process may connect to the port, so accept until the peer address is our own.
    let peer = loop {
        let (stream, from) = listener.accept()?;
        if from == own {
            break stream;
        }
    };
    parent.set_nodelay(true)?;
    peer.set_nodelay(true)?;
    Ok((parent, peer))
}
