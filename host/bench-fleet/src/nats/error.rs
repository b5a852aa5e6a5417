//! Why a NATS server cannot be used.

use std::io;
use std::path::PathBuf;

/// The reason why a NATS server cannot be used, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum NatsError {
    /// Nothing answers there.
    #[error(
        "no NATS server answers at {address}: {reason}; start one with `nats-server --jetstream`, or give the address of another"
    )]
    Unreachable {
        /// The address.
        address: String,
        /// The error of the client.
        reason: String,
    },
    /// The user is not known there.
    #[error(
        "the NATS server at {address} refuses this user: {reason}; set NATS_CREDS or NATS_NKEY to a file, NATS_TOKEN, or NATS_USER and \
         NATS_PASSWORD"
    )]
    Refused {
        /// The address.
        address: String,
        /// The error of the client.
        reason: String,
    },
    /// There is no encrypted connection.
    #[error(
        "the connection to the NATS server at {address} cannot be encrypted: {reason}; without TLS only a server of this machine is used; \
         set NATS_CA to the file with the certificate of its authority"
    )]
    Tls {
        /// The address.
        address: String,
        /// The error of the client.
        reason: String,
    },
    /// Its certificate is for another time than this machine has.
    #[error(
        "the certificate of the NATS server at {address} is not valid at the time of this machine: {reason}; set the clock of this machine \
         if that is wrong, or renew the certificate"
    )]
    OutOfDate {
        /// The address.
        address: String,
        /// The error of the client.
        reason: String,
    },
    /// It lacks what a fleet needs.
    #[error("the NATS server at {address} is {found}, but a fleet needs 2.9.2 or newer; install a newer one")]
    TooOld {
        /// The address.
        address: String,
        /// Its version.
        found: String,
    },
    /// It keeps no messages.
    #[error(
        "the NATS server at {address} has no JetStream, which keeps what a fleet measured; start it with `--jetstream`, or enable it for \
         this account"
    )]
    NoJetStream {
        /// The address.
        address: String,
    },
    /// A file of the environment cannot be read.
    #[error("{name}: cannot read {}", path.display())]
    File {
        /// The name of the variable.
        name: &'static str,
        /// The file.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// Variables of the environment contradict each other or are incomplete.
    #[error("{0}")]
    Environment(&'static str),
    /// The threads of the client cannot be started.
    #[error("the client of the NATS server cannot be started")]
    Start(#[source] io::Error),
    /// It was there, but does not answer any more.
    #[error("the NATS server cannot {doing}: {reason}; when it answers again, go on with `bench-host fleet resume`")]
    Lost {
        /// What it was asked to do.
        doing: &'static str,
        /// The error of the client.
        reason: String,
    },
    /// What it keeps of the run cannot be understood.
    #[error("the NATS server keeps something else under {0}; start a new run")]
    Malformed(String),
}
