//! The state of every token that was written: arrived in time, late, twice, or not at all. Pure: the time is an argument.

use std::collections::VecDeque;

/// Tokens by number, from 1.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    /// The due time of each token from the oldest outstanding one on; `None` if it has arrived.
    due_ns: VecDeque<Option<u64>>,
    /// The number of tokens before those, all of which have arrived.
    done: u64,
    deadline_ns: u64,
    pub(super) seen: u64,
    pub(super) late: u64,
    /// Arrivals of a token that had arrived before or was never written.
    pub(super) strange: u64,
}

impl Tokens {
    /// No tokens. A token that arrives more than `deadline_ns` after it was due is late.
    pub(super) fn new(deadline_ns: u64) -> Self {
        Self { deadline_ns, ..Self::default() }
    }

    /// Returns the next token, which is due at `due_ns`.
    pub(super) fn next(&mut self, due_ns: u64) -> u64 {
        self.due_ns.push_back(Some(due_ns));
        self.sent()
    }

    /// Notes an arrival. Returns the nanoseconds since the token was due, if it was outstanding.
    pub(super) fn see(&mut self, token: u64, now_ns: u64) -> Option<u64> {
        let place = token.checked_sub(self.done + 1).and_then(|place| usize::try_from(place).ok());
        let Some(due_ns) = place.and_then(|place| self.due_ns.get_mut(place)).and_then(Option::take) else {
            self.strange += 1;
            return None;
        };
        while let Some(None) = self.due_ns.front() {
            self.due_ns.pop_front();
            self.done += 1;
        }
        let took_ns = now_ns.saturating_sub(due_ns);
        *(if took_ns > self.deadline_ns { &mut self.late } else { &mut self.seen }) += 1;
        Some(took_ns)
    }

    pub(super) fn sent(&self) -> u64 {
        self.done + self.due_ns.len() as u64
    }

    /// The number of tokens that have not arrived.
    pub(super) fn outstanding(&self) -> u64 {
        self.due_ns.iter().flatten().count() as u64
    }

    /// Whether the last token has arrived.
    pub(super) fn is_last_seen(&self) -> bool {
        self.due_ns.back().is_none_or(Option::is_none)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_token_is_one_of_seen_late_and_failed() {
        let mut tokens = Tokens::new(100);
        assert!(tokens.is_last_seen());
        assert_eq!([10, 20, 30].map(|due_ns| tokens.next(due_ns)), [1, 2, 3]);
        assert!(!tokens.is_last_seen());
        assert_eq!(tokens.see(1, 110), Some(100));
        assert_eq!(tokens.see(3, 131), Some(101));
        assert_eq!((tokens.sent(), tokens.seen, tokens.late, tokens.outstanding()), (3, 1, 1, 1));
        assert!(tokens.is_last_seen());
        assert_eq!(tokens.see(2, 131), Some(111));
        assert_eq!((tokens.sent(), tokens.next(0), tokens.outstanding()), (3, 4, 1));
    }

    #[test]
    fn tokens_seen_twice_or_never_written_are_strange() {
        let mut tokens = Tokens::new(100);
        tokens.next(0);
        assert_eq!([1, 1, 0, 2, u64::MAX].map(|token| tokens.see(token, 5)), [Some(5), None, None, None, None]);
        assert_eq!((tokens.seen, tokens.strange), (1, 4));
    }
}
