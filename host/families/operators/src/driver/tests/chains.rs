//! Whole chains: the records of correct ones, and the reasons of faulty ones.

use super::*;
use bench_engine::{Amount, Budget, Repetition};
use bench_sink::runfile::Status;

fn arguments(count: i64, rate: i64) -> Arguments {
    [("count", count), ("rate", rate), ("idle_ms", 5), ("deadline_ms", 100)].into_iter().collect()
}

fn driven(mode: Mode, scenario: usize, arguments: &Arguments) -> Report {
    driven_for(20, mode, scenario, arguments)
}

fn driven_for(tokens: u64, mode: Mode, scenario: usize, arguments: &Arguments) -> Report {
    let mut module = module(mode);
    let scenario = module.descriptor().scenarios[scenario].clone();
    let budget = Budget { warm_up_ns: 0, amount: Amount::Operations(tokens) };
    let repetition = Repetition { cell: 0, process: 0 };
    drive(&mut module, None, &Task { repetition, scenario: &scenario, arguments, budget, reclaim: || () })
}

/// Expects that a chain of three with one faulty operator has no figures, and a reason that contains `expect`.
#[track_caller]
fn check(mode: Mode, expect: &str) {
    let mut arguments = arguments(3, 0);
    if mode == Mode::Swallows {
        // Each of its tokens is waited for, in vain.
        arguments.set("deadline_ms", 2);
    }
    let report = driven(mode, 0, &arguments);
    assert_eq!(report.outcome.status, Status::Failed, "{mode:?}");
    assert!(report.series.is_empty());
    let reason = report.outcome.reason.unwrap();
    assert!(reason.contains(expect), "{mode:?}: {reason}");
}

#[test]
fn a_chain_is_taken_through_every_phase_and_everything_is_accounted_for() {
    for rate in [0, 2_000] {
        let report = driven(Mode::Right, 0, &arguments(3, rate));
        assert_eq!(report.outcome.status, Status::Ok, "{:?}", report.outcome.reason);
        assert!(report.checks.iter().all(|check| check.passed), "{:?}", report.checks);
        let count = |metric: &str| {
            report.series.iter().filter(|series| series.metric == metric).map(|series| series.count).sum::<u64>()
        };
        for (metric, expect) in [
            ("chain", 20),
            ("hop", 20),
            ("load", 3),
            ("load_all", 1),
            ("wake", 60),
            ("chain_cold", 20),
            ("unload", 60),
            ("state", 60),
        ] {
            assert_eq!(count(metric), expect, "{metric}");
        }
        let phases = |metric: &str| {
            let of_metric = report.series.iter().filter(|series| series.metric == metric);
            of_metric.map(|series| series.labels[0].1.clone()).collect::<Vec<_>>()
        };
        assert_eq!(phases("memory_pss"), ["empty", "load", "active", "idle", "unloading", "unloaded", "wake"]);
        assert_eq!(phases("memory_at"), phases("memory_private"));
    }
}

#[test]
fn fault_of_an_operator_is_reported() {
    check(Mode::Forgets, "`state-kept` failed");
    check(Mode::RefusesState, "this state is another's");
    check(Mode::Crashes, "failed on TestResource/chain-1/token after 4 attempts: `reconcile` trapped");
    check(Mode::Circles, "feedback loop: a write passed through");
    check(Mode::Doubles, "seen twice");
    check(Mode::Swallows, "`nothing-swallowed` failed");
    check(
        Mode::CannotSuspend,
        "only 2 of 3 idle operators could be unloaded within deadline_ms: `suspend` of operator 1 failed",
    );
}

#[test]
fn rate_that_is_not_achieved_is_void() {
    let report = driven_for(100, Mode::Right, 0, &arguments(1, 1_000_000_000));
    assert_eq!(report.outcome.status, Status::Void, "{:?}", report.outcome.reason);
    assert!(report.outcome.reason.unwrap().contains("asked for 1000000000/s"));
    assert!(report.series.is_empty());
}

#[test]
fn rate_at_which_tokens_are_only_written_is_void() {
    // In the 50 µs between two tokens, no processor passes one through this many operators: they wait, and arrive after the last was written.
    let mut arguments = arguments(200, 20_000);
    arguments.set("deadline_ms", 60_000);
    let report = driven_for(100, Mode::Right, 0, &arguments);
    assert_eq!(report.outcome.status, Status::Void, "{:?}", report.outcome.reason);
    assert!(report.outcome.reason.unwrap().contains("over 100 of 100 tokens"));
    assert!(report.series.is_empty());
}

#[test]
fn retried_event_is_not_lost() {
    let report = driven(Mode::Fails(1), 0, &arguments(3, 0));
    assert_eq!(report.outcome.status, Status::Ok, "{:?}", report.outcome.reason);
    assert!(report.series.iter().any(|series| series.metric == "retried"));
}

#[test]
fn invalid_arguments_are_refused() {
    for (arguments, expect) in [(arguments(0, 0), "`count` is 0"), (arguments(1, -1), "`rate` is -1")] {
        let report = driven(Mode::Right, 0, &arguments);
        assert!(report.outcome.reason.as_deref().unwrap().contains(expect), "{:?}", report.outcome);
    }
    let report = driven(Mode::Right, 1, &arguments(1, 0));
    assert_eq!(report.outcome.status, Status::Skipped);
    assert!(report.outcome.reason.unwrap().contains("has no scenario `other`"));
    for (name, value, status, expect) in [
        ("suspend", "memory", Status::Skipped, "choose --suspend own"),
        ("suspend", "both", Status::Failed, "`suspend` is `both`; use one of: own, memory"),
        ("control_plane", "etcd", Status::Failed, "`control_plane` is `etcd`; use one of: embedded, kube"),
    ] {
        let mut arguments = arguments(1, 0);
        arguments.set(name, value);
        let outcome = driven(Mode::Right, 0, &arguments).outcome;
        assert_eq!(outcome.status, status, "{name}={value}");
        assert!(outcome.reason.as_deref().unwrap().contains(expect), "{outcome:?}");
    }
}

#[test]
fn conformance_accounts_for_a_few_tokens() {
    let conformance = |mode| {
        let mut module = module(mode);
        let scenario = module.descriptor().scenarios[0].clone();
        conformance(&mut module, None, &scenario, &arguments(2, 0)).unwrap()
    };
    let failed = |checks: Vec<Check>| {
        checks.into_iter().filter(|check| !check.passed).map(|check| check.name).collect::<Vec<_>>()
    };
    assert_eq!(conformance(Mode::Right).len(), 4);
    assert_eq!(failed(conformance(Mode::Right)), [""; 0]);
    assert_eq!(failed(conformance(Mode::Forgets)), ["chain: state-kept"]);
}
