//! `fleet run --on nats://…`: the agents connect to a server, which also keeps the queue.

use super::AnyQueue;
use bench_fleet::{
    Collector, Fleet, Guests, JOIN, Jetstream, Login, NatsAddress, NatsError, Pings, Reception, RunStream, Server,
};
use std::time::Duration;

/// The server of a run, on which its agents are received.
pub(super) struct Hall {
    server: Server,
    run: String,
    stream: Option<RunStream>,
    /// Invites agents as long as it is there.
    reception: Option<Reception>,
    /// Whether another process has begun the run there.
    is_resumed: bool,
}

/// Connects to the server at `address` as this user.
pub(crate) fn connect(address: &NatsAddress, pings: Pings) -> Result<Server, NatsError> {
    Server::connect(address, &Login::read(|name| std::env::var_os(name))?, pings)
}

impl Hall {
    /// Has `guests` invited to the run `run`; or the agents that it had, if it goes on. Returns the fleet that they join.
    pub(super) fn open(address: &NatsAddress, run: &str, guests: Guests) -> Result<(Self, Fleet), NatsError> {
        let server = connect(address, Pings::Often)?;
        let stream = RunStream::open(&server, run)?;
        let known = stream.agents()?.unwrap_or_default();
        let is_resumed = !known.is_empty();
        let guests = if is_resumed { Guests::Named(known) } else { guests };
        let fleet = match &guests {
            Guests::Any(number) => Fleet::expect_visitors(&[], *number as usize),
            Guests::Named(names) => Fleet::expect_visitors(names, names.len()),
        };
        let reception = Reception::open(&server, run, guests, fleet.door())?;
        let hall = Self { server, run: run.to_owned(), stream: Some(stream), reception: Some(reception), is_resumed };
        Ok((hall, fleet))
    }

    /// How long agents may take to come that cannot be left out. Those of a run that goes on first finish the repetition that they measure.
    pub(super) fn patience(&self) -> Duration {
        if self.is_resumed { 10 * JOIN } else { JOIN }
    }

    /// The queue of the run, of the agents `names`.
    pub(super) fn queue(&mut self, collector: Collector, names: &[String]) -> anyhow::Result<AnyQueue> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => RunStream::open(&self.server, &self.run)?,
        };
        stream.keep_agents(names)?;
        Ok(Box::new(Jetstream::open(stream, collector)?))
    }

    /// Stops inviting agents.
    pub(super) fn close(&mut self) {
        self.reception = None;
    }

    /// Removes what the server keeps of the run, which is merged.
    pub(super) fn clear(&self) -> Result<(), NatsError> {
        RunStream::open(&self.server, &self.run)?.remove()
    }
}
