//! `validate`: one line a target with its verdict, out of the run file alone.

use crate::host::{Host, Ran};
use crate::modules::plugins;
use std::path::Path;

/// The verdicts on the only run, each with the name of its target.
#[track_caller]
fn verdicts(host: &Host, expect: &[i32]) -> Vec<(String, String)> {
    let line = format!("validate {} --format json", host.run().display());
    let ran = Ran::of(&mut host.command(&line));
    assert!(
        ran.status.is_some_and(|status| expect.contains(&status)),
        "{:?}\n{}\n{}",
        ran.status,
        ran.stdout,
        ran.stderr
    );
    let document = ran.json();
    let targets = bench_registry::targets("self").unwrap().target;
    let verdict = |name: &str| {
        let found = document["targets"].as_array().unwrap().iter().find(|target| target["name"] == name);
        let found = found.unwrap_or_else(|| panic!("no target {name}: {document:#}"));
        (name.to_owned(), found["verdict"].as_str().unwrap().to_owned())
    };
    targets.iter().map(|target| verdict(&target.name)).collect()
}

#[test]
fn a_run_without_the_cells_measures_no_target() {
    let host = Host::with_hostile();
    host.check("load hostile.wasm --filter hostile/good --quick --time 20ms", 0);
    for (target, verdict) in verdicts(&host, &[2]) {
        assert_eq!(verdict, "not measured", "{target}");
    }
}

#[test]
fn a_run_made_for_a_target_is_held_to_it() {
    let Some(files) = plugins(&["overhead"]) else { return };
    let host = Host::new();
    let modules = files[0].parent().unwrap_or(Path::new("."));
    let line = "run {overhead/record,self/histogram-record} -p batch=1,1024 --quick --modules";
    Ran::of(host.command(line).arg(modules)).check(line, 0);
    // That a target is missed on a busy machine, or in a build for tests, is not a failure of this test.
    let verdicts = verdicts(&host, &[1, 2]);
    let verdict = |name: &str| verdicts.iter().find(|(target, _)| target == name).map(|(_, verdict)| verdict.as_str());
    assert!(verdict("record-probe").is_some_and(|verdict| verdict != "not measured"), "{verdicts:?}");
    assert_eq!(verdict("ring-one-way"), Some("not measured"));
}

#[test]
fn newest_run_is_the_default_and_its_absence_is_an_error() {
    let host = Host::with_hostile();
    host.check("validate", 2).one_line(&["results"]);
    host.check("validate nowhere", 2).one_line(&["nowhere"]);
    host.check("validate --targets nothing", 2).one_line(&["nothing"]);
    host.check("load hostile.wasm --filter hostile/good --quick --time 20ms", 0);
    let ran = host.check("validate", 2);
    let run = host.run();
    assert!(ran.stdout.contains(&*run.file_name().unwrap().to_string_lossy()), "{}", ran.stdout);
}

/// A run of `hostile/good`, and a file of targets with `lines` in each.
fn held(targets: &[&str]) -> Host {
    let host = Host::with_hostile();
    host.check("load hostile.wasm --filter hostile/good --arm wasm --quick --time 20ms", 0);
    let target = |(index, lines): (usize, &&str)| {
        format!(
            "[[target]]\nname = \"t{index}\"\nsummary = \"good\"\nscenario = \"hostile/good\"\narm = \"wasm\"\n\
             samples_min = 1\nmean = true\n{lines}\n"
        )
    };
    let text: String = targets.iter().enumerate().map(target).collect();
    std::fs::write(host.path("mine.toml"), text).unwrap();
    host
}

#[test]
fn the_exit_status_is_the_worst_verdict() {
    let (pass, miss, unmeasured) = ("at_most = 1e12", "at_least = 1e12", "at_most = 1\nmetric = \"none\"");
    let check = |targets: &[&str], status| {
        let ran = held(targets).check("validate --targets mine.toml --format csv", status);
        assert_eq!(ran.stdout.lines().count(), targets.len() + 1, "{}", ran.stdout);
    };
    check(&[pass], 0);
    check(&[pass, unmeasured], 2);
    check(&[unmeasured, miss, pass], 1);
}

#[test]
fn several_sets_make_one_document() {
    let host = held(&["at_most = 1e12"]);
    let ran = host.check("validate --targets mine.toml --targets self --format json", 2);
    let document = ran.json();
    let targets = document["targets"].as_array().unwrap();
    assert_eq!(targets.len(), 1 + bench_registry::targets("self").unwrap().target.len());
    assert_eq!((&targets[0]["set"], &targets[0]["verdict"]), (&"mine.toml".into(), &"pass".into()));
    assert!(targets[0]["margin"].as_f64().unwrap() > 0.9 && targets[0]["reason"].is_null(), "{}", targets[0]);
    assert!(targets[1]["value"].is_null() && targets[1]["reason"].is_string(), "{}", targets[1]);
    let csv = host.check("validate --targets mine.toml --format csv", 0).stdout;
    assert_eq!((csv.lines().count(), csv.starts_with("set,target,")), (2, true), "{csv}");
    let markdown = host.check("validate --targets mine.toml --format markdown", 0).stdout;
    assert!(markdown.starts_with("| verdict | target | value |"), "{markdown}");
}

#[test]
fn a_malformed_target_is_named_with_its_set() {
    let host = held(&["at_most = 1\nat_least = 1"]);
    host.check("validate --targets mine.toml", 2).one_line(&["mine.toml", "target `t0`", "at_least"]);
    host.check("validate --targets none.toml", 2).one_line(&["none.toml"]);
}
