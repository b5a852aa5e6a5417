//! How often the state of a run is written. A state names every agent, so one for each message would make the work grow with the square of
//! their number.

/// Decides when a state is written. All times are of one monotonic clock, which the caller reads.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    interval_ns: u64,
    /// The revision that was written last, and when.
    written: Option<(u64, u64)>,
    /// Whether there is a newer one.
    is_behind: bool,
}

/// The shortest time between two states, and that for each agent: at most ten states and ten thousand agents are written a second.
const INTERVAL_NS: u64 = 100_000_000;
const INTERVAL_OF_AGENT_NS: u64 = 100_000;

/// The time after which a state is written although no agent does anything else: the time that is left has changed.
const UNCHANGED_NS: u64 = 10_000_000_000;

impl Pace {
    /// The pace of a run with so many agents.
    pub fn new(agents: usize) -> Self {
        let interval_ns = (agents as u64).saturating_mul(INTERVAL_OF_AGENT_NS).max(INTERVAL_NS);
        Self { interval_ns, written: None, is_behind: false }
    }

    /// Whether the state that has this revision is to be written at the time `now_ns`; it then counts as written.
    pub fn is_due(&mut self, revision: u64, now_ns: u64) -> bool {
        let is_due = self.written.is_none_or(|(written, at_ns)| {
            let pause_ns = if written == revision { UNCHANGED_NS.max(self.interval_ns) } else { self.interval_ns };
            now_ns.saturating_sub(at_ns) >= pause_ns
        });
        if is_due {
            self.written = Some((revision, now_ns));
        }
        self.is_behind = self.written.is_none_or(|(written, _)| written != revision);
        is_due
    }

    /// When a state that was not due is; `None` if the last one was written.
    pub fn wake_ns(&self) -> Option<u64> {
        let (_, at_ns) = self.written.filter(|_| self.is_behind)?;
        Some(at_ns.saturating_add(self.interval_ns))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn state_is_written_when_it_has_changed_but_not_too_often() {
        let mut pace = Pace::new(2);
        assert!(pace.is_due(1, 5), "the first");
        assert_eq!(pace.wake_ns(), None);
        assert!(!pace.is_due(2, 6));
        assert_eq!(pace.wake_ns(), Some(5 + INTERVAL_NS));
        assert!(!pace.is_due(3, 4 + INTERVAL_NS));
        assert!(pace.is_due(3, 5 + INTERVAL_NS), "what has changed meanwhile, at once");
        assert_eq!(pace.wake_ns(), None);
        assert!(!pace.is_due(3, 4 + INTERVAL_NS + UNCHANGED_NS));
        assert!(pace.is_due(3, 5 + INTERVAL_NS + UNCHANGED_NS));
        assert!(pace.is_due(4, u64::MAX));
        assert!(!pace.is_due(5, u64::MAX));
        assert_eq!(pace.wake_ns(), Some(u64::MAX));
    }

    #[test]
    fn work_of_a_second_does_not_grow_with_the_agents_or_their_messages() {
        for agents in [1, 100, 1_000, 10_000, 100_000] {
            let mut pace = Pace::new(agents);
            let (seconds, messages) = (100, 100_000);
            let written = (0..messages).filter(|message| pace.is_due(*message, message * 1_000_000)).count();
            assert!(written <= 10 * seconds + 1, "{written} states of {agents} agents");
            let entries = written * agents;
            assert!(entries <= 10_000 * seconds + agents, "{entries} entries of {agents} agents");
        }
    }
}
