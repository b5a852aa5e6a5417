//! Samples of calls, and their mean. The mean is used because the means of the parts add up to the mean of the whole.

use super::observer::Seen;
use std::ops::Index;

/// One call of the host into a component, or a mean of several: times in ticks of the clock or in nanoseconds, and
/// counts.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Call([f64; PARTS]);

/// The parts of a call. Without an observer only the total is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// From before the call to after it.
    Total,
    /// Until the component is entered for the first time.
    Enter,
    /// While the component runs and has not called the host.
    Guest,
    /// Within calls of capabilities, before their functions begin.
    Lift,
    /// While the functions of capabilities run.
    Body,
    /// Within calls of capabilities, after their functions have ended.
    Lower,
    /// Within other calls of the host.
    Whole,
    /// After the component is left for the first time, without what runs in it later.
    Leave,
    /// Calls into the component.
    Entries,
    /// Calls of capabilities.
    Stamped,
    /// Events within them, of which no time is taken.
    StampedNested,
    /// Other calls of the host.
    Unstamped,
    /// Events within them, of which no time is taken.
    UnstampedNested,
}

const PARTS: usize = Part::UnstampedNested as usize + 1;
/// The first of the parts that are counts.
const FIRST_COUNT: usize = Part::Entries as usize;

impl Call {
    /// An unobserved call.
    pub(crate) fn plain(start: u64, end: u64) -> Self {
        Self::default().set(Part::Total, ticks(start, end))
    }

    /// A call with the observations `seen`; `None` if the component was entered more often than an observer can
    /// keep.
    pub(crate) fn observed(start: u64, end: u64, seen: &Seen) -> Option<Self> {
        let marks = seen.marks()?;
        let (first, last) = (*marks.first()?, *marks.last()?);
        let inside: f64 = marks.chunks_exact(2).map(|entry| ticks(entry[0], entry[1])).sum();
        let between: f64 = marks[1..].chunks_exact(2).map(|exit| ticks(exit[0], exit[1])).sum();
        let in_host = seen.lift + seen.body + seen.lower + seen.whole;
        Some(
            Self::plain(start, end)
                .set(Part::Enter, ticks(start, first))
                .set(Part::Guest, inside - in_host as f64)
                .set(Part::Lift, seen.lift as f64)
                .set(Part::Body, seen.body as f64)
                .set(Part::Lower, seen.lower as f64)
                .set(Part::Whole, seen.whole as f64)
                .set(Part::Leave, between + ticks(last, end))
                .set(Part::Entries, (marks.len() / 2) as f64)
                .set(Part::Stamped, seen.stamped.calls as f64)
                .set(Part::StampedNested, seen.stamped.nested as f64)
                .set(Part::Unstamped, seen.unstamped.calls as f64)
                .set(Part::UnstampedNested, seen.unstamped.nested as f64),
        )
    }

    /// The same call with `part` as given.
    #[must_use]
    pub(crate) fn set(mut self, part: Part, value: f64) -> Self {
        self.0[part as usize] = value;
        self
    }

    /// The number of events that an observer is notified of, including untimed ones.
    pub(crate) fn events(&self) -> f64 {
        let timed = 2.0 * self[Part::Entries] + 4.0 * self[Part::Stamped] + 2.0 * self[Part::Unstamped];
        timed + self[Part::StampedNested] + self[Part::UnstampedNested]
    }

    /// The same call with its times in another unit.
    #[must_use]
    pub(crate) fn in_unit(mut self, factor: f64) -> Self {
        self.0[..FIRST_COUNT].iter_mut().for_each(|time| *time *= factor);
        self
    }
}

impl Index<Part> for Call {
    type Output = f64;

    fn index(&self, part: Part) -> &f64 {
        &self.0[part as usize]
    }
}

fn ticks(from: u64, to: u64) -> f64 {
    to.saturating_sub(from) as f64
}

/// The mean of the middle half of `calls` by duration. Whole calls are left out, never parts of them.
pub(crate) fn middle_half(calls: &mut [Call]) -> Option<Call> {
    calls.sort_unstable_by(|left, right| left[Part::Total].total_cmp(&right[Part::Total]));
    let quarter = calls.len() / 4;
    let middle = &calls[quarter..calls.len() - quarter];
    let mean = |part| middle.iter().map(|call| call.0[part]).sum::<f64>() / middle.len() as f64;
    (!middle.is_empty()).then(|| Call(std::array::from_fn(mean)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPANS: [Part; 7] = [Part::Enter, Part::Guest, Part::Lift, Part::Body, Part::Lower, Part::Whole, Part::Leave];

    #[test]
    fn spans_add_up_to_the_call() {
        let seen = Seen::of(&[110, 150, 153, 160], [3, 4, 5, 6]);
        let call = Call::observed(100, 170, &seen).unwrap();
        assert_eq!(SPANS.map(|span| call[span]), [10.0, 40.0 + 7.0 - 18.0, 3.0, 4.0, 5.0, 6.0, 3.0 + 10.0]);
        assert_eq!(SPANS.map(|span| call[span]).iter().sum::<f64>(), call[Part::Total]);
        assert_eq!(call[Part::Entries], 2.0);
        assert_eq!(Call::observed(100, 170, &Seen::default()), None, "it was never entered");
    }

    #[test]
    fn unit_applies_to_times_and_not_to_counts() {
        let call = Call::plain(0, 10).set(Part::Lift, 4.0).set(Part::Stamped, 3.0).in_unit(0.5);
        assert_eq!((call[Part::Total], call[Part::Lift], call[Part::Stamped]), (5.0, 2.0, 3.0));
    }

    #[test]
    fn long_call_is_left_out_with_all_parts() {
        let call = |total: u64, lift: f64| Call::plain(0, total).set(Part::Lift, lift);
        let mut calls = [call(1_000, 900.0), call(12, 6.0), call(10, 5.0), call(1, 1.0)];
        let mean = middle_half(&mut calls).unwrap();
        assert_eq!((mean[Part::Total], mean[Part::Lift]), (11.0, 5.5));
        assert_eq!(middle_half(&mut [call(7, 1.0)]).unwrap()[Part::Total], 7.0);
        assert_eq!(middle_half(&mut []), None);
    }
}
