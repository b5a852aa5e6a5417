//! What became of every nonce that was written: seen in time, seen late, seen twice, or not at all. Pure: what time it is, is an
//! argument. It must not know how a nonce travels.

use std::collections::VecDeque;

/// Nonces by number, from 1.
#[derive(Debug, Default)]
pub(super) struct Nonces {
    /// When each was meant to be written, from the oldest that is on its way; `None` for one that was seen.
    due_ns: VecDeque<Option<u64>>,
    /// Nonces before those, all of them seen.
    done: u64,
    deadline_ns: u64,
    pub(super) seen: u64,
    pub(super) late: u64,
    /// Seen again, or never written.
    pub(super) strange: u64,
}

impl Nonces {
    /// None yet; one that is seen more than `deadline_ns` after it was due is late.
    pub(super) fn new(deadline_ns: u64) -> Self {
        Self { deadline_ns, ..Self::default() }
    }

    /// The next one, meant to be written at `due_ns`.
    pub(super) fn next(&mut self, due_ns: u64) -> u64 {
        self.due_ns.push_back(Some(due_ns));
        self.sent()
    }

    /// Takes note of one that was seen; how long it took, where it was on its way.
    pub(super) fn see(&mut self, nonce: u64, now_ns: u64) -> Option<u64> {
        let place = nonce.checked_sub(self.done + 1).and_then(|place| usize::try_from(place).ok());
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

    /// Those that are on their way, or lost there.
    pub(super) fn outstanding(&self) -> u64 {
        self.due_ns.iter().flatten().count() as u64
    }

    /// Whether the last one that was written has been seen.
    pub(super) fn is_last_seen(&self) -> bool {
        self.due_ns.back().is_none_or(Option::is_none)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_nonce_is_one_of_seen_late_and_failed() {
        let mut nonces = Nonces::new(100);
        assert!(nonces.is_last_seen());
        assert_eq!([10, 20, 30].map(|due_ns| nonces.next(due_ns)), [1, 2, 3]);
        assert!(!nonces.is_last_seen());
        assert_eq!(nonces.see(1, 110), Some(100));
        assert_eq!(nonces.see(3, 131), Some(101));
        assert_eq!((nonces.sent(), nonces.seen, nonces.late, nonces.outstanding()), (3, 1, 1, 1));
        assert!(nonces.is_last_seen());
        assert_eq!(nonces.see(2, 131), Some(111));
        assert_eq!((nonces.sent(), nonces.next(0), nonces.outstanding()), (3, 4, 1));
    }

    #[test]
    fn what_is_seen_twice_or_was_never_written_is_strange() {
        let mut nonces = Nonces::new(100);
        nonces.next(0);
        assert_eq!([1, 1, 0, 2, u64::MAX].map(|nonce| nonces.see(nonce, 5)), [Some(5), None, None, None, None]);
        assert_eq!((nonces.seen, nonces.strange), (1, 4));
    }
}
