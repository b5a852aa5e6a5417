//! Every setting loads and runs a component, and has its own compiled code.

use crate::fixture::{Fixture, scenario};
use bench_drivers::Module;
use bench_model::Arguments;
use bench_wasm::{EngineOption, Limits, Runtime, Settings};
use std::fs;

fn check(fixture: &Fixture, settings: &Settings) {
    let mut component = fixture.load(settings, Some(fixture.cache()));
    for name in ["exchange", "compute"] {
        let scenario = scenario(&component, name);
        let mut session = component.open(&scenario, &Arguments::default()).expect("a session opens");
        for times in [0, 1, 1000] {
            let outcome = session.iterate(times).expect("the session runs");
            assert_eq!((outcome.operations, outcome.checksum), (times, 7), "{settings}: {name}");
        }
        assert!(session.verify().expect("the session is looked at").iter().all(|check| check.passed));
        let recorded: u64 = session.sink().series().iter().map(|series| series.count()).sum();
        assert_eq!(recorded, if name == "exchange" { 15 * 1001 } else { 0 }, "{settings}: {name}");
    }
}

#[test]
fn every_option_runs_a_component() {
    let fixture = Fixture::new();
    check(&fixture, &Settings::default());
    for switch in EngineOption::ALL.into_iter().filter(|option| option.is_available()) {
        check(&fixture, &Settings::default().with(switch));
    }
}

#[test]
fn options_of_cranelift_are_combined() {
    let others = [EngineOption::Winch, EngineOption::Pulley];
    let fixture = Fixture::new();
    check(&fixture, &EngineOption::ALL.into_iter().filter(|option| !others.contains(option)).collect());
}

#[test]
fn settings_that_exclude_each_other_are_refused_by_name() {
    let settings = Settings::from_iter([EngineOption::Winch, EngineOption::Bounds]);
    let error = Runtime::new(Limits::default(), None, &settings).expect_err("there is no such engine").to_string();
    assert!(error.contains("bounds+winch"), "{error}");
}

#[test]
fn settings_have_different_code() {
    let fixture = Fixture::new();
    let _cache = fixture.cache();
    let kept = || fs::read_dir(fixture.path().with_file_name("code")).expect("the cache is there").count();
    for (switches, expect) in [(&[][..], 1), (&[], 1), (&[EngineOption::Fuel], 2), (&[EngineOption::OptNone], 3)] {
        fixture.load(&switches.iter().copied().collect(), Some(fixture.cache()));
        assert_eq!(kept(), expect, "{switches:?}");
    }
}
