//! `validate`: one line a target with its verdict, out of the run file alone.

use crate::host::{Host, Ran};
use crate::modules::plugins;
use std::path::Path;

/// The verdicts on the only run, each with the name of its target.
#[track_caller]
fn verdicts(host: &Host, expect: &[i32]) -> Vec<(String, String)> {
    let line = format!("validate {}", host.run().display());
    let ran = Ran::of(&mut host.command(&line));
    assert!(
        ran.status.is_some_and(|status| expect.contains(&status)),
        "{:?}\n{}\n{}",
        ran.status,
        ran.stdout,
        ran.stderr
    );
    let targets = bench_registry::targets("self").unwrap().target;
    let verdict = |name: &str| {
        let rows: Vec<_> = ran.stdout.lines().filter(|line| line.split_whitespace().next() == Some(name)).collect();
        assert_eq!(rows.len(), 1, "{name}: {}", ran.stdout);
        let words = ["pass: ", "miss: ", "not measured: "];
        let word = words.into_iter().find(|word| rows[0].contains(word));
        (name.to_owned(), word.unwrap_or_else(|| panic!("no verdict: {}", rows[0])).to_owned())
    };
    targets.iter().map(|target| verdict(&target.name)).collect()
}

#[test]
fn a_run_without_the_cells_measures_no_target() {
    let host = Host::with_hostile();
    host.check("load hostile.wasm --filter hostile/good --quick --time 20ms", 0);
    for (target, verdict) in verdicts(&host, &[2]) {
        assert_eq!(verdict, "not measured: ", "{target}");
    }
}

#[test]
fn a_run_made_for_a_target_is_held_to_it() {
    let Some(files) = plugins(&["overhead"]) else { return };
    let host = Host::new();
    let modules = files[0].parent().unwrap_or(Path::new("."));
    let line = "run {overhead/record,self/histogram-record} -p batch=1,1024 --quick --modules";
    Ran::of(host.command(line).arg(modules)).check(line, 0);
    // That a target is missed on a busy machine, or in a build for tests, is no finding of this test.
    let verdicts = verdicts(&host, &[1, 2]);
    let verdict = |name: &str| verdicts.iter().find(|(target, _)| target == name).map(|(_, verdict)| verdict.as_str());
    assert!(verdict("record-probe").is_some_and(|verdict| verdict != "not measured: "), "{verdicts:?}");
    assert_eq!(verdict("ring-one-way"), Some("not measured: "));
}

#[test]
fn the_newest_run_is_taken_and_none_is_told() {
    let host = Host::with_hostile();
    host.check("validate", 2).one_line(&["results"]);
    host.check("validate nowhere", 2).one_line(&["nowhere"]);
    host.check("validate --targets nothing", 2).one_line(&["nothing"]);
    host.check("load hostile.wasm --filter hostile/good --quick --time 20ms", 0);
    let ran = host.check("validate", 2);
    let run = host.run();
    assert!(ran.stdout.contains(&*run.file_name().unwrap().to_string_lossy()), "{}", ran.stdout);
}
