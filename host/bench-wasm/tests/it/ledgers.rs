//! The terms of cost breakdowns; times are not checked.

use crate::fixture::{Fixture, scenario};
use bench_drivers::{Ledger, LedgerTask, Module};
use bench_model::Arguments;
use bench_wasm::{Component, EngineOption, Settings};

const TERMS: [&str; 7] = ["entry", "lower", "guest", "host-calls", "host-transition", "lift", "residual"];
const BOUNDARY: [&str; 10] = [
    "empty-export",
    "empty-import",
    "lower-0",
    "lower-1024",
    "lower-8192",
    "lower-65536",
    "lift-0",
    "lift-1024",
    "lift-8192",
    "lift-65536",
];

fn ledger(component: &mut Component, name: &str, batch: u64) -> Ledger {
    let (scenario, arguments) = (scenario(component, name), Arguments::default());
    let task = LedgerTask { scenario: &scenario, arguments: &arguments, batch, time_ns: 2_000_000, seed: 7 };
    component.ledger(&task).expect("it can be observed").expect("a component has a boundary")
}

fn names(terms: &[bench_sink::runfile::TermRecord]) -> Vec<&str> {
    terms.iter().map(|term| term.name.as_str()).collect()
}

/// Events of an operation are those of the call, in and out and the same for the post-return, and those of the
/// operation.
fn check(component: &mut Component, name: &str, batch: u64, events: u64) -> Ledger {
    let ledger = ledger(component, name, batch);
    assert_eq!(names(&ledger.terms), TERMS);
    assert_eq!(names(&ledger.boundary), BOUNDARY);
    assert_eq!(ledger.events, (4 + batch * events) as f64 / batch as f64, "{name}");
    let sum: f64 = ledger.terms.iter().map(|term| term.ns).sum();
    assert!((sum - ledger.total_ns).abs() <= 1e-9 * ledger.total_ns, "{sum} of {}", ledger.total_ns);
    assert!(ledger.operations >= batch && ledger.operations.is_multiple_of(batch));
    let mut all = ledger.terms.iter().chain(&ledger.once).chain(&ledger.boundary);
    assert!(all.all(|term| term.ns.is_finite()), "{ledger:?}");
    assert!(ledger.total_ns > 0.0 && ledger.observed_ns > 0.0 && ledger.event_ns.is_finite());
    ledger
}

#[test]
fn terms_and_events_are_those_of_the_operation() {
    let fixture = Fixture::new();
    let mut component = fixture.load(&Settings::default(), None);
    for batch in [1, 10] {
        // Seven crossings of four events, and two reallocations of two.
        let exchange = check(&mut component, "exchange", batch, 7 * 4 + 2 * 2);
        assert_eq!(names(&exchange.once), ["read", "compile", "instantiate", "first-call"]);
        let [crossings, import] = [&exchange.terms[4], &exchange.boundary[1]];
        assert!((crossings.ns - 7.0 * import.ns).abs() <= 1e-9 * crossings.ns.abs(), "{crossings:?} {import:?}");
        let compute = check(&mut component, "compute", batch, 0);
        assert_eq!((compute.terms[3].ns, compute.terms[4].ns), (0.0, 0.0), "it calls nobody");
        assert_eq!(compute.terms[0].ns, compute.boundary[0].ns / batch as f64, "one entry a call");
    }
}

#[test]
fn one_time_costs_have_four_terms() {
    let fixture = Fixture::new();
    fixture.load(&Settings::default(), Some(fixture.cache()));
    let mut component = fixture.load(&Settings::default(), Some(fixture.cache()));
    let ledger = check(&mut component, "compute", 3, 0);
    assert_eq!(names(&ledger.once), ["read", "map", "instantiate", "first-call"]);
    assert!(ledger.once.iter().all(|term| term.ns > 0.0), "{:?}", ledger.once);
}

#[test]
fn every_setting_has_a_cost_breakdown() {
    let fixture = Fixture::new();
    for switch in EngineOption::ALL.into_iter().filter(|switch| switch.is_available()) {
        let mut component = fixture.load(&Settings::default().with(switch), None);
        check(&mut component, "exchange", 2, 7 * 4 + 2 * 2);
    }
}
