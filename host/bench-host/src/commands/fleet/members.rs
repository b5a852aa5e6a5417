//! The agents of a run: those that are started here, and those that connect to a server.

use super::AnyQueue;
use super::kubernetes::Cluster;
#[cfg(feature = "kubernetes")]
use super::kubernetes::{Launch, Launched};
#[cfg(feature = "nats")]
use super::nats::Hall;
#[cfg(feature = "nats")]
use crate::output;
use bench_fleet::{AgentPlace, Collector, Embedded, Fleet, JOIN, Place, agents};
use std::collections::HashMap;
use std::time::Duration;

/// The agents of a run.
#[derive(Debug)]
pub(super) enum Members {
    /// They are started here.
    Started(Vec<AgentPlace>),
    /// So many connect to a server.
    #[cfg(feature = "nats")]
    Visiting(bench_fleet::NatsAddress, u32),
    /// A Job in a cluster starts them.
    #[cfg(feature = "kubernetes")]
    Launched(Launch),
}

impl Members {
    /// Whether two agents, by number, may share a machine because several were asked for there.
    pub(super) fn may_share(&self, a: usize, b: usize) -> bool {
        match self {
            Self::Started(members) => members.get(a).zip(members.get(b)).is_some_and(|(a, b)| a.is_together_with(b)),
            #[cfg(feature = "nats")]
            Self::Visiting(..) => false,
            #[cfg(feature = "kubernetes")]
            Self::Launched(_) => false,
        }
    }
}

/// The agents at `places`, of which `nodes` are waited for if they connect to a server; or those that `cluster` describes.
#[cfg_attr(not(feature = "nats"), expect(unused_variables, reason = "no agent connects by itself"))]
pub(super) fn members(places: &[Place], nodes: u32, cluster: Option<&Cluster<'_>>) -> anyhow::Result<Members> {
    if let Some(cluster) = cluster {
        return launched(cluster, places);
    }
    #[cfg(feature = "nats")]
    if let [Place::Nats(address)] = places {
        return Ok(Members::Visiting(address.clone(), nodes));
    }
    Ok(Members::Started(agents(places).map_err(anyhow::Error::msg)?))
}

#[cfg(feature = "kubernetes")]
fn launched(cluster: &Cluster<'_>, places: &[Place]) -> anyhow::Result<Members> {
    Ok(Members::Launched(Launch::new(cluster, places)?))
}

#[cfg(not(feature = "kubernetes"))]
fn launched(_: &Cluster<'_>, _: &[Place]) -> anyhow::Result<Members> {
    anyhow::bail!(
        "--on kubernetes: this bench-host is built without the cargo feature `kubernetes`, so it only makes the manifest; give --dry-run, and \
         pass it to `kubectl create -f -`: a Job that measures a shard on each node, or with --on nats://HOST also given one of agents, for \
         which `fleet run --on nats://HOST` then coordinates a run"
    )
}

/// The address of the server, if a place is one.
pub(super) fn server(place: &Place) -> Option<String> {
    match place {
        #[cfg(feature = "nats")]
        Place::Nats(address) => Some(address.to_string()),
        Place::Local(_) | Place::Ssh(_) | Place::Kubernetes(_) => None,
    }
}

/// The agents of a run, as far as they are there.
pub(super) struct Gathering {
    pub(super) fleet: Fleet,
    place: MeetingPlace,
}

/// Where the agents are met: a server, if they connect to one.
pub(super) struct MeetingPlace {
    #[cfg(feature = "nats")]
    hall: Option<Hall>,
    /// What was created in a cluster for them: last, because the server may be part of it.
    #[cfg(feature = "kubernetes")]
    launched: Option<Launched>,
}

impl Gathering {
    /// Agents that were started here.
    pub(super) fn started(fleet: Fleet) -> Self {
        let place = MeetingPlace {
            #[cfg(feature = "nats")]
            hall: None,
            #[cfg(feature = "kubernetes")]
            launched: None,
        };
        Self { fleet, place }
    }

    /// Agents that come to a server.
    #[cfg(feature = "nats")]
    pub(super) fn visiting((hall, fleet): (Hall, Fleet)) -> Self {
        let place = MeetingPlace {
            hall: Some(hall),
            #[cfg(feature = "kubernetes")]
            launched: None,
        };
        Self { fleet, place }
    }

    /// Agents in a cluster that come to a server.
    #[cfg(feature = "kubernetes")]
    pub(super) fn launched((hall, fleet): (Hall, Fleet), launched: Launched) -> Self {
        Self { fleet, place: MeetingPlace { hall: Some(hall), launched: Some(launched) } }
    }

    /// How long agents may take to join. Those that `may_be_absent` are only waited for as long as it takes to connect: the others measure
    /// meanwhile.
    pub(super) fn patience(&self, may_be_absent: bool) -> Duration {
        if may_be_absent {
            return JOIN;
        }
        #[cfg(feature = "kubernetes")]
        if self.place.launched.is_some() {
            // Their images may have to be fetched first, and their nodes to be had.
            return 10 * JOIN;
        }
        #[cfg(feature = "nats")]
        if let Some(hall) = &self.place.hall {
            return hall.patience();
        }
        JOIN
    }

    /// The queue of the run, whose blocks are kept in `collector`.
    #[cfg_attr(not(feature = "nats"), expect(unused_variables, reason = "only a server keeps names"))]
    pub(super) fn queue(&mut self, collector: Collector, names: &[String]) -> anyhow::Result<AnyQueue> {
        #[cfg(feature = "nats")]
        if let Some(hall) = &mut self.place.hall {
            return hall.queue(collector, names);
        }
        Ok(Box::new(Embedded::new(collector)))
    }

    /// Ends the agents.
    #[cfg_attr(not(feature = "nats"), expect(unused_mut, reason = "nobody is invited"))]
    pub(super) fn end(mut self) -> MeetingPlace {
        #[cfg(feature = "nats")]
        if let Some(hall) = &mut self.place.hall {
            hall.close();
        }
        drop(self.fleet);
        self.place
    }
}

impl MeetingPlace {
    /// Removes what a server keeps of the run, which is merged.
    pub(super) fn clear(&self) {
        #[cfg(feature = "nats")]
        if let Some(Err(error)) = self.hall.as_ref().map(Hall::clear) {
            output::line(&format!("bench-host: the results are complete, but {error}"));
        }
    }
}

/// The processors of each agent of this machine: the same number for each, so that they are of one class, and none for two, because
/// repetitions on the same processor would wait for each other. Empty if there is one agent, or more agents than processors.
pub(super) fn divide<'a>(members: &'a [AgentPlace], allowed: &[u32]) -> HashMap<&'a str, String> {
    let local: Vec<&str> =
        members.iter().filter(|member| member.ssh.is_none()).map(|member| member.name.as_str()).collect();
    let share = allowed.len() / local.len().max(1);
    if local.len() < 2 || share == 0 {
        return HashMap::new();
    }
    let list = |cpus: &[u32]| cpus.iter().map(u32::to_string).collect::<Vec<_>>().join(",");
    local.into_iter().zip(allowed.chunks_exact(share)).map(|(name, cpus)| (name, list(cpus))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agents_of_this_machine_have_processors_of_their_own() {
        let check = |place: &str, allowed: &[u32], expect: &[(&str, &str)]| {
            let places: Vec<Place> = place.split(' ').map(|place| place.parse().unwrap()).collect();
            let members = agents(&places).unwrap();
            let mut found: Vec<_> = divide(&members, allowed).into_iter().collect();
            found.sort();
            let found: Vec<_> = found.iter().map(|(name, cpus)| (*name, cpus.as_str())).collect();
            assert_eq!(found, expect, "{place}");
        };
        check("local:2", &[0, 1], &[("local-1", "0"), ("local-2", "1")]);
        check("local:2 ssh:a", &[0, 2, 4, 5, 6], &[("local-1", "0,2"), ("local-2", "4,5")]);
        check("local:1", &[0, 1], &[]);
        check("local:3", &[0, 1], &[]);
        check("ssh:a,b", &[0, 1], &[]);
        check("local:2", &[], &[]);
    }
}
