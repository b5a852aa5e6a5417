//! A second process, forked, pinned and watched; and the peer that answers or counts messages behind two rings, which the
//! host starts for a component.

#![cfg(target_os = "linux")]
#![expect(unsafe_code, reason = "the peer is a forked process")]

mod client;
mod error;
mod placement;
mod process;
mod serve;

pub use client::{Config, PATIENCE, PEERS_MAX, RingPeer};
pub use error::PeerError;
pub use placement::{Cpus, Pinned, pin};
pub use process::{EXIT_DONE, EXIT_SETUP, EXIT_TRANSPORT, LOOK_AFTER, Peer, SPIN_ROUNDS, Watch, close_others};
pub use vocabulary::peers::{Placement, Tally, Task, Waiting};
