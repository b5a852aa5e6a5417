//! What a user should know of a fleet that measures.

use crate::queue::{AgentId, Subject};

/// What a user should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// An agent ended early, or fell silent, with these groups.
    Lost {
        /// The agent.
        agent: AgentId,
        /// What it held.
        groups: Vec<u32>,
        /// Whether it may come back.
        is_silent: bool,
    },
    /// An agent that was lost is started again.
    Restarted {
        /// The agent.
        agent: AgentId,
    },
    /// An agent measures alone what is left of its class.
    Alone {
        /// The agent.
        agent: AgentId,
    },
    /// A group was measured twice.
    Late {
        /// The agent that was later.
        agent: AgentId,
        /// The group.
        group: u32,
        /// The agent whose figures count.
        by: AgentId,
    },
    /// An agent reported a group that the plan does not have.
    Foreign {
        /// The agent.
        agent: AgentId,
        /// The number that it reported.
        group: u32,
    },
    /// An agent sent two different blocks of one repetition.
    Different {
        /// What was sent twice.
        subject: Subject,
    },
    /// An agent sent what cannot be so.
    Distrusted {
        /// The agent.
        agent: AgentId,
        /// What it sent, and what is wrong with it.
        what: String,
    },
}

impl Event {
    /// The event in one line, with the names of the agents.
    pub fn line(&self, name: impl Fn(AgentId) -> String) -> String {
        match self {
            Self::Lost { agent, groups, is_silent } => {
                let what =
                    if *is_silent { "has not answered for longer than what it does may take" } else { "was lost" };
                let held = match groups.len() {
                    0 => "it held nothing".to_owned(),
                    1 => "the group of cells that it held is measured anew".to_owned(),
                    more => format!("the {more} groups of cells that it held are measured anew"),
                };
                format!("agent {} {what}; {held}", name(*agent))
            }
            Self::Restarted { agent } => {
                format!("agent {} is started again; it goes on from its own run file", name(*agent))
            }
            Self::Alone { agent } => {
                format!("agent {} measures alone what is left, because the machines of its class differ", name(*agent))
            }
            Self::Late { agent, group, by } => {
                let (late, first) = (name(*agent), name(*by));
                format!(
                    "agent {late} has measured group {group} too, which {first} had finished before; that of {first} counts"
                )
            }
            Self::Foreign { agent, group } => {
                format!(
                    "agent {} reported group {group}, which the plan does not have; the report is ignored",
                    name(*agent)
                )
            }
            Self::Different { subject } => {
                let agent = name(subject.agent);
                format!(
                    "agent {agent} sent two different blocks of {}; the first one counts, and its own run file has both",
                    subject.part
                )
            }
            Self::Distrusted { agent, what } => {
                let agent = name(*agent);
                format!("agent {agent} sent {what}; nothing more is taken of it, and others measure what it held")
            }
        }
    }
}
