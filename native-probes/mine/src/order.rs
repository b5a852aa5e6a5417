//! Fetches pages with several workers and hands them on in one of three orders. What it says of itself is counted, not configured.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The order in which pages are handed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// In the order of the rows. Pages that are early wait, however many they are.
    Ordered,
    /// As they arrive.
    Unordered,
    /// In the order of the rows, and no page is requested that is this many or more behind the next one to hand on.
    Window(usize),
}

/// What is fetched, and how.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Number of pages.
    pub pages: usize,
    /// Number of pages that are fetched at the same time.
    pub workers: usize,
    /// The order in which they are handed on.
    pub policy: Policy,
}

/// What was counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// The most pages that were requested and not complete.
    pub in_flight_max: usize,
    /// The most pages that were complete and not handed on.
    pub buffered_max: usize,
    /// The pages that were complete before an earlier one that had been requested.
    pub out_of_order: usize,
    /// The time that complete pages waited, in total.
    pub waited: Duration,
}

struct State<T, E> {
    next: usize,
    handed_on: usize,
    in_flight: BTreeSet<usize>,
    ready: BTreeMap<usize, (T, Instant)>,
    failure: Option<E>,
    counts: Counts,
}

struct Shared<T, E> {
    plan: Plan,
    state: Mutex<State<T, E>>,
    changed: Condvar,
}

/// Fetches all pages. Every worker has a `connect`ion of its own. The first error ends all workers, after the page that each is at.
pub fn run<W, T: Send, E: Send>(
    plan: Plan,
    connect: impl Fn() -> W + Sync,
    fetch: impl Fn(&mut W, usize) -> Result<T, E> + Sync,
    mut hand_on: impl FnMut(usize, T),
) -> Result<Counts, E> {
    let state = State {
        next: 0,
        handed_on: 0,
        in_flight: BTreeSet::new(),
        ready: BTreeMap::new(),
        failure: None,
        counts: Counts::default(),
    };
    let shared = Shared { plan, state: Mutex::new(state), changed: Condvar::new() };
    std::thread::scope(|scope| {
        for _ in 0..plan.workers.min(plan.pages) {
            scope.spawn(|| {
                let mut connection = connect();
                while let Some(page) = shared.begin() {
                    shared.complete(page, fetch(&mut connection, page));
                }
            });
        }
        while let Some((page, rows)) = shared.take() {
            hand_on(page, rows);
        }
    });
    let state = shared.state.into_inner().unwrap_or_else(PoisonError::into_inner);
    state.failure.map_or(Ok(state.counts), Err)
}

impl<T, E> Shared<T, E> {
    fn lock(&self) -> MutexGuard<'_, State<T, E>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(
        &self,
        state: MutexGuard<'a, State<T, E>>,
        is_waiting: impl Fn(&State<T, E>) -> bool,
    ) -> MutexGuard<'a, State<T, E>> {
        self.changed.wait_while(state, |state| is_waiting(state)).unwrap_or_else(PoisonError::into_inner)
    }

    /// The next page to fetch, if there is one, once the policy permits it.
    fn begin(&self) -> Option<usize> {
        let window = match self.plan.policy {
            Policy::Window(pages) => pages.max(1),
            Policy::Ordered | Policy::Unordered => usize::MAX,
        };
        let mut state = self.wait(self.lock(), |state| {
            state.failure.is_none() && state.next < self.plan.pages && state.next - state.handed_on >= window
        });
        if state.failure.is_some() || state.next == self.plan.pages {
            return None;
        }
        let page = state.next;
        state.next += 1;
        state.in_flight.insert(page);
        state.counts.in_flight_max = state.counts.in_flight_max.max(state.in_flight.len());
        Some(page)
    }

    fn complete(&self, page: usize, result: Result<T, E>) {
        let mut state = self.lock();
        state.in_flight.remove(&page);
        match result {
            Ok(rows) => {
                let is_early = state.in_flight.first().is_some_and(|earlier| *earlier < page);
                state.counts.out_of_order += usize::from(is_early);
                state.ready.insert(page, (rows, Instant::now()));
                state.counts.buffered_max = state.counts.buffered_max.max(state.ready.len());
            }
            Err(error) => state.failure = state.failure.take().or(Some(error)),
        }
        drop(state);
        self.changed.notify_all();
    }

    /// The next page to hand on, or nothing at the end or after a failure.
    fn take(&self) -> Option<(usize, T)> {
        let wanted = |state: &State<T, E>| match self.plan.policy {
            Policy::Unordered => state.ready.first_key_value().map(|(page, _)| *page),
            Policy::Ordered | Policy::Window(_) => Some(state.handed_on).filter(|page| state.ready.contains_key(page)),
        };
        let mut state = self.wait(self.lock(), |state| {
            state.failure.is_none() && state.handed_on < self.plan.pages && wanted(state).is_none()
        });
        if state.failure.is_some() {
            return None;
        }
        let page = wanted(&state)?;
        let (rows, since) = state.ready.remove(&page)?;
        state.handed_on += 1;
        state.counts.waited += since.elapsed();
        drop(state);
        self.changed.notify_all();
        Some((page, rows))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A page that is complete only after `others` other pages are complete, or handed on where they do not wait for it.
    struct Late {
        page: usize,
        others: usize,
        waits_for_handing_on: bool,
        counted: Mutex<usize>,
        changed: Condvar,
    }

    impl Late {
        fn fetch(&self, page: usize) {
            if page == self.page {
                let counted = self.counted.lock().unwrap();
                drop(self.changed.wait_while(counted, |counted| *counted < self.others).unwrap());
            }
            if !self.waits_for_handing_on {
                self.count();
            }
        }

        fn hand_on(&self) {
            if self.waits_for_handing_on {
                self.count();
            }
        }

        fn count(&self) {
            *self.counted.lock().unwrap() += 1;
            self.changed.notify_all();
        }
    }

    /// Page 0 is late; returns the order in which pages are handed on.
    fn check(policy: Policy, until: usize) -> (Vec<usize>, Counts) {
        let waits_for_handing_on = matches!(policy, Policy::Unordered);
        let (counted, changed) = (Mutex::new(0), Condvar::new());
        let late = Late { page: 0, others: until - 1, waits_for_handing_on, counted, changed };
        let mut order = Vec::new();
        let fetch = |_: &mut (), page| {
            late.fetch(page);
            Ok::<_, String>(page * 10)
        };
        let counts = run(
            Plan { pages: 12, workers: 4, policy },
            || (),
            fetch,
            |page, rows| {
                assert_eq!(rows, page * 10);
                order.push(page);
                late.hand_on();
            },
        );
        (order, counts.unwrap())
    }

    #[test]
    fn ordered_pages_wait_for_the_late_one() {
        let (order, counts) = check(Policy::Ordered, 12);
        assert_eq!(order, (0..12).collect::<Vec<_>>());
        assert_eq!(counts.buffered_max, 12, "all pages were complete before the first was handed on");
        assert!(counts.out_of_order >= 1 && (2..=4).contains(&counts.in_flight_max), "{counts:?}");
    }

    #[test]
    fn unordered_pages_do_not_wait() {
        let (mut order, counts) = check(Policy::Unordered, 12);
        assert_eq!(order.last(), Some(&0));
        order.sort_unstable();
        assert_eq!(order, (0..12).collect::<Vec<_>>());
        assert!(counts.out_of_order >= 1, "{counts:?}");
    }

    #[test]
    fn window_bounds_the_pages_that_wait() {
        // The late page is complete after the two others of the window; none behind the window is requested until then.
        let (order, counts) = check(Policy::Window(3), 3);
        assert_eq!(order, (0..12).collect::<Vec<_>>());
        assert!(counts.buffered_max <= 3 && counts.in_flight_max <= 3, "{counts:?}");
    }

    #[test]
    fn failure_ends_all_workers() {
        let fetch = |_: &mut (), page| if page == 3 { Err("page 3") } else { Ok(()) };
        let plan = Plan { pages: 1_000_000, workers: 3, policy: Policy::Ordered };
        let mut handed_on = 0;
        assert_eq!(run(plan, || (), fetch, |_, ()| handed_on += 1), Err("page 3"));
        assert!(handed_on <= 3);
    }

    #[test]
    fn no_pages_need_no_worker() {
        let plan = Plan { pages: 0, workers: 3, policy: Policy::Unordered };
        assert_eq!(run(plan, || (), |_: &mut (), _| Ok::<_, ()>(()), |_, ()| ()), Ok(Counts::default()));
    }
}
