//! Where the agents of a fleet run, as `--on` says it.

#[cfg(feature = "nats")]
use crate::address::NatsAddress;
use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

/// Where agents run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// So many on this machine.
    Local(u32),
    /// One on each of these machines, which are reached over SSH.
    Ssh(Vec<String>),
    /// Those that connect to this NATS server.
    #[cfg(feature = "nats")]
    Nats(NatsAddress),
    /// One on each of some nodes of a Kubernetes cluster, in this namespace.
    Kubernetes(String),
}

/// One agent: its name, and where it runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentPlace {
    /// Unique in the fleet, and fit for the name of a file.
    pub name: String,
    /// The machine that is reached over SSH; `None` on this one.
    pub ssh: Option<String>,
    /// The number of the place that has several agents on this machine, which so may share it with each other.
    pub together: Option<usize>,
}

impl AgentPlace {
    /// Whether both agents were asked for as several on one machine.
    pub fn is_together_with(&self, other: &Self) -> bool {
        self.together.is_some() && self.together == other.together
    }
}

/// Maximum number of agents, because each is a child process of this one.
const AGENTS_MAX: u32 = 256;

/// What to do where a queue of a server is asked for.
#[cfg(not(feature = "nats"))]
const WITHOUT_SERVER: &str =
    "use --on local:N or --on ssh:HOST,…, or measure shards with `run --shard K/N` and join them with `fleet merge`";

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (kind, rest) = text.split_once(':').map_or((text, None), |(kind, rest)| (kind, Some(rest)));
        match (kind, rest) {
            ("local", None) => Ok(Self::Local(1)),
            ("local", Some(number)) => match number.parse() {
                Ok(number @ 1..=AGENTS_MAX) => Ok(Self::Local(number)),
                _ => Err(format!("--on {text}: expected local:N with N from 1 to {AGENTS_MAX}")),
            },
            ("ssh", Some(hosts)) => {
                let hosts: Vec<String> = hosts.split(',').map(str::to_owned).collect();
                match hosts.iter().find(|host| !is_host(host)) {
                    None => Ok(Self::Ssh(hosts)),
                    Some(host) => Err(format!(
                        "--on {text}: `{host}` is not a name of a machine; expected ssh:HOST[,HOST…], and put ports and other settings \
                         into ~/.ssh/config"
                    )),
                }
            }
            #[cfg(feature = "nats")]
            ("nats" | "tls", Some(_)) => {
                text.parse::<NatsAddress>().map(Self::Nats).map_err(|error| format!("--on: {error}"))
            }
            #[cfg(not(feature = "nats"))]
            ("nats" | "tls", Some(_)) => {
                Err(format!("--on {text}: this bench-host is built without NATS; {WITHOUT_SERVER}"))
            }
            ("kubernetes", namespace) => match namespace.unwrap_or("default") {
                namespace if is_label(namespace) => Ok(Self::Kubernetes(namespace.to_owned())),
                namespace => Err(format!("--on {text}: `{namespace}` is not a name of a namespace")),
            },
            _ => Err(format!(
                "--on {text}: unknown place; expected local:N, ssh:HOST[,HOST…], nats://HOST[:PORT] or kubernetes[:NAMESPACE]"
            )),
        }
    }
}

/// Whether `text` is a host or an alias of `~/.ssh/config`, with or without a user: nothing that `ssh` or a shell could take for
/// anything else.
fn is_host(text: &str) -> bool {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.@".contains(letter);
    (1..=255).contains(&text.len()) && !text.starts_with(['-', '.', '@']) && text.chars().all(is_plain)
}

/// Whether `text` is a label of DNS, as names of namespaces are.
fn is_label(text: &str) -> bool {
    let is_plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
    (1..=63).contains(&text.len()) && !text.starts_with('-') && !text.ends_with('-') && text.chars().all(is_plain)
}

/// The agents at `places`, in their order, each with a name of its own.
pub fn agents(places: &[Place]) -> Result<Vec<AgentPlace>, String> {
    let mut agents = Vec::new();
    let mut names = BTreeSet::new();
    let mut local = 0;
    for (index, place) in places.iter().enumerate() {
        match place {
            Place::Local(number) => {
                let together = Some(index).filter(|_| *number > 1);
                for _ in 0..*number {
                    local += 1;
                    agents.push(AgentPlace { name: format!("local-{local}"), ssh: None, together });
                }
            }
            Place::Ssh(hosts) => {
                let agent = |host: &String| AgentPlace { name: host.clone(), ssh: Some(host.clone()), together: None };
                agents.extend(hosts.iter().map(agent));
            }
            // The cluster starts those, from a manifest.
            Place::Kubernetes(_) => {}
            // These agents connect by themselves.
            #[cfg(feature = "nats")]
            Place::Nats(_) => {}
        }
    }
    if agents.len() > AGENTS_MAX as usize {
        return Err(format!("--on names {} agents, but there can be at most {AGENTS_MAX}", agents.len()));
    }
    let with_name = |agent: AgentPlace| {
        let mut name = agent.name.clone();
        let mut number = 2;
        while !names.insert(name.clone()) {
            name = format!("{}-{number}", agent.name);
            number += 1;
        }
        AgentPlace { name, ..agent }
    };
    Ok(agents.into_iter().map(with_name).collect())
}

impl fmt::Display for AgentPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.ssh {
            Some(host) => write!(f, "{} (ssh {host})", self.name),
            None => f.write_str(&self.name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: Result<&[&str], &str>) {
        let places: Result<Vec<Place>, String> = text.split(' ').map(str::parse).collect();
        let found = places.and_then(|places| agents(&places));
        match (found, expect) {
            (Ok(found), Ok(expect)) => {
                let names: Vec<_> = found.iter().map(|agent| agent.name.as_str()).collect();
                assert_eq!(names, expect);
            }
            (Err(error), Err(part)) => assert!(error.contains(part), "{error}"),
            (found, expect) => panic!("{text}: {found:?}, expected {expect:?}"),
        }
    }

    #[test]
    fn each_agent_has_a_name_of_its_own() {
        check("local", Ok(&["local-1"]));
        check("local:2 ssh:a,me@b local:1", Ok(&["local-1", "local-2", "a", "me@b", "local-3"]));
        check("kubernetes kubernetes:bench local", Ok(&["local-1"]));
        #[cfg(feature = "nats")]
        check("nats://127.0.0.1", Ok(&[]));
        check("ssh:a,a,local-1 local:1", Ok(&["a", "a-2", "local-1", "local-1-2"]));
    }

    #[test]
    fn only_agents_of_one_place_are_together() {
        let places: [Place; 5] =
            ["local:2", "local:2", "local:1", "local", "ssh:a,a"].map(|place| place.parse().unwrap());
        let agents = agents(&places).unwrap();
        let together = |a: usize, b: usize| agents[a].is_together_with(&agents[b]);
        for a in 0..agents.len() {
            for b in (0..agents.len()).filter(|b| *b != a) {
                assert_eq!(together(a, b), a / 2 == b / 2 && a < 4, "{} and {}", agents[a], agents[b]);
            }
        }
    }

    #[test]
    fn place_that_cannot_be_is_refused() {
        #[cfg(not(feature = "nats"))]
        check("nats://queue:4222", Err("built without NATS; use --on local:N"));
        #[cfg(not(feature = "nats"))]
        check("tls://queue:4222", Err("built without NATS"));
        #[cfg(feature = "nats")]
        check("nats://me:s3cret@queue", Err("must not hold a user or a password"));
        for text in ["kubernetes:", "kubernetes:A", "kubernetes:-a", "kubernetes:a/b", "kubernetes:a\nb: c"] {
            check(text, Err("is not a name of a namespace"));
        }
        for text in ["local:0", "local:x", "local:1000"] {
            check(text, Err("expected local:N"));
        }
        for text in ["ssh:", "ssh:a,", "ssh:-oProxyCommand=x", "ssh:a;b", "ssh:a/../b", "ssh:$(x)", "ssh:.."] {
            check(text, Err("is not a name of a machine"));
        }
        check("moon:1", Err("unknown place"));
        check("local:200 local:200", Err("at most 256"));
    }
}
