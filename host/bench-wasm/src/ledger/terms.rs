//! Computes the terms of a cost breakdown from means: the observed spans at the boundary, minus the cost of the same crossings in the
//! reference component.

use super::reference::Reference;
use super::sample::{Call, Part};
use bench_sink::runfile::TermRecord;

/// An operation, in nanoseconds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Operation {
    pub(crate) total_ns: f64,
    pub(crate) observed_ns: f64,
    pub(crate) terms: Vec<TermRecord>,
    /// The number of events, and the cost of observing one.
    pub(crate) events: f64,
    pub(crate) event_ns: f64,
}

/// What calls without and with an observer, means of `batch` operations each in nanoseconds, say of one operation, which may have an
/// instance of its own.
pub(crate) fn operation(
    [plain, observed]: [&Call; 2],
    batch: u64,
    has_own_instance: bool,
    reference: &Reference,
) -> Operation {
    let empty = &reference.empty_observed;
    // Entries that the empty export does not have: reallocation and post-return.
    let further = (observed[Part::Entries] - 1.0) * reference.event.entry;
    let (stamped, unstamped) = (observed[Part::Stamped], observed[Part::Unstamped]);
    let nested = [Part::StampedNested, Part::UnstampedNested].map(|part| observed[part] * reference.event.nested);
    let crossings = |part: Part| stamped * reference.stamped[part] + unstamped * reference.unstamped[part];
    let beyond = |part: Part| observed[part] - empty[part] - crossings(part);
    let (enter, leave) = (beyond(Part::Enter), beyond(Part::Leave) - further);
    let (instance, enter, leave) =
        if has_own_instance { (Some(("instance", enter + leave)), 0.0, 0.0) } else { (None, enter, leave) };
    let terms = [
        ("lower", enter + beyond(Part::Lower) - nested[0]),
        ("guest", beyond(Part::Guest) - further),
        ("host-calls", beyond(Part::Body) + beyond(Part::Whole) - nested[1]),
        ("host-transition", (stamped + unstamped) * reference.crossing),
        ("lift", leave + beyond(Part::Lift)),
    ];
    let terms = [("entry", reference.empty)].into_iter().chain(instance).chain(terms);
    let batch = batch.max(1) as f64;
    let [total_ns, observed_ns] = [plain, observed].map(|call| (call[Part::Total] - reference.clock) / batch);
    let terms: Vec<_> = terms.map(|(name, ns)| term(name, ns / batch)).collect();
    let sum: f64 = terms.iter().map(|term| term.ns).sum();
    Operation {
        total_ns,
        observed_ns,
        terms: terms.into_iter().chain([term("residual", total_ns - sum)]).collect(),
        events: observed.events() / batch,
        event_ns: observing(observed, reference) / observed.events(),
    }
}

/// The cost of observing a call: the sum of the costs of its events, as measured on the reference.
fn observing(observed: &Call, reference: &Reference) -> f64 {
    let event = &reference.event;
    let nested = observed[Part::StampedNested] + observed[Part::UnstampedNested];
    2.0 * observed[Part::Entries] * event.entry
        + 2.0 * (observed[Part::Stamped] + observed[Part::Unstamped]) * event.host
        + 2.0 * observed[Part::Stamped] * event.body
        + nested * event.nested
}

/// The costs of the boundary itself.
pub(crate) fn boundary(reference: &Reference) -> Vec<TermRecord> {
    let calls = [term("empty-export", reference.empty), term("empty-import", reference.crossing)];
    let lower = reference.lists.iter().map(|(bytes, lower, _)| term(&format!("lower-{bytes}"), *lower));
    let lift = reference.lists.iter().map(|(bytes, _, lift)| term(&format!("lift-{bytes}"), *lift));
    calls.into_iter().chain(lower).chain(lift).collect()
}

pub(crate) fn term(name: &str, ns: f64) -> TermRecord {
    TermRecord { name: name.to_owned(), ns }
}

#[cfg(test)]
mod tests {
    use super::super::reference::EventCost;
    use super::*;

    /// A boundary at which an event of any kind costs 2 ns, half of them before the clock is read.
    fn reference() -> Reference {
        let empty_observed = Call::default().set(Part::Enter, 50.0).set(Part::Guest, 12.0).set(Part::Leave, 30.0);
        let stamped =
            Call::default().set(Part::Guest, 7.0).set(Part::Lift, 12.0).set(Part::Body, 2.0).set(Part::Lower, 17.0);
        Reference {
            clock: 10.0,
            empty: 88.0,
            empty_observed,
            crossing: 30.0,
            stamped,
            unstamped: Call::default().set(Part::Guest, 7.0).set(Part::Whole, 27.0),
            event: EventCost { entry: 2.0, host: 2.0, body: 2.0, nested: 2.0 },
            lists: vec![(0, 1.0, 2.0)],
        }
    }

    /// A call that enters the component twice, and calls a capability three times and something else twice.
    fn observed(beyond: &[(Part, f64)]) -> Call {
        let reference = reference();
        let spans = [Part::Enter, Part::Guest, Part::Lift, Part::Body, Part::Lower, Part::Whole, Part::Leave];
        let mut call = Call::default().set(Part::Entries, 2.0).set(Part::Stamped, 3.0).set(Part::Unstamped, 2.0);
        for span in spans {
            let crossings = 3.0 * reference.stamped[span] + 2.0 * reference.unstamped[span];
            call = call.set(span, reference.empty_observed[span] + crossings);
        }
        // The second entry makes a span of either kind more.
        call = call.set(Part::Guest, call[Part::Guest] + 2.0).set(Part::Leave, call[Part::Leave] + 2.0);
        for (part, value) in beyond {
            call = call.set(*part, call[*part] + value);
        }
        call.set(Part::Total, spans.iter().map(|span| call[*span]).sum())
    }

    #[track_caller]
    fn check(total: f64, beyond: &[(Part, f64)], batch: u64, expect: [f64; 7]) -> Operation {
        let plain = Call::default().set(Part::Total, total + 10.0);
        let operation = operation([&plain, &observed(beyond)], batch, false, &reference());
        assert_eq!(operation.terms.iter().map(|term| term.ns).collect::<Vec<_>>(), expect);
        operation
    }

    #[test]
    fn call_that_only_crosses_the_boundary_has_no_other_term() {
        let operation = check(88.0 + 5.0 * 30.0, &[], 1, [88.0, 0.0, 0.0, 0.0, 150.0, 0.0, 0.0]);
        assert_eq!((operation.events, operation.event_ns), (2.0 * 2.0 + 3.0 * 4.0 + 2.0 * 2.0, 2.0));
        check(88.0 + 5.0 * 30.0, &[], 2, [44.0, 0.0, 0.0, 0.0, 75.0, 0.0, 0.0]);
    }

    #[test]
    fn additional_time_is_in_the_right_term() {
        let beyond = [
            (Part::Enter, 1.0),
            (Part::Lower, 2.0),
            (Part::Guest, 4.0),
            (Part::Body, 8.0),
            (Part::Whole, 16.0),
            (Part::Lift, 32.0),
            (Part::Leave, 64.0),
        ];
        check(88.0 + 150.0 + 127.0 + 5.0, &beyond, 1, [88.0, 3.0, 4.0, 24.0, 150.0, 96.0, 5.0]);
    }

    #[test]
    fn instance_of_an_operation_has_a_term_of_its_own() {
        let beyond = [(Part::Enter, 100.0), (Part::Lower, 2.0), (Part::Lift, 32.0), (Part::Leave, 40.0)];
        let plain = Call::default().set(Part::Total, 88.0 + 150.0 + 174.0 + 10.0);
        let operation = operation([&plain, &observed(&beyond)], 1, true, &reference());
        let names = ["entry", "instance", "lower", "guest", "host-calls", "host-transition", "lift", "residual"];
        let expect = names.into_iter().zip([88.0, 140.0, 2.0, 0.0, 0.0, 150.0, 32.0, 0.0]);
        assert_eq!(operation.terms, expect.map(|(name, ns)| term(name, ns)).collect::<Vec<_>>());
    }

    #[test]
    fn cost_of_untimed_events_is_removed_from_their_call() {
        let beyond = [
            (Part::StampedNested, 2.0),
            (Part::Lower, 2.0 * 2.0),
            (Part::UnstampedNested, 4.0),
            (Part::Whole, 4.0 * 2.0),
        ];
        let operation = check(88.0 + 150.0, &beyond, 1, [88.0, 0.0, 0.0, 0.0, 150.0, 0.0, 0.0]);
        assert_eq!((operation.events, operation.event_ns), (20.0 + 6.0, 2.0));
    }

    #[test]
    fn costs_of_the_boundary_are_named_by_size() {
        let names: Vec<_> = boundary(&reference()).into_iter().map(|term| (term.name, term.ns)).collect();
        let expect = [("empty-export", 88.0), ("empty-import", 30.0), ("lower-0", 1.0), ("lift-0", 2.0)];
        assert_eq!(names, expect.map(|(name, ns)| (name.to_owned(), ns)));
    }
}
