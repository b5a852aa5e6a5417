//! The derived files of a run, and that they can be made again from the run file.

use crate::host::Host;
use crate::modules;
use std::fs;

#[test]
fn tables_and_figures_of_operators_can_be_made_again() {
    let Some(plugins) = modules::plugins(&["operator-rust"]) else { return };
    let host = Host::new();
    let file = plugins[0].display();
    let ran = host.check(&format!("load {file} -p count=1,2 -p idle_ms=1 --iterations 2 --processes 1 --quick"), 0);
    let why = "memory_rust_vs_go.png: not drawn: the run has no chain of Go operators alone";
    assert!(ran.stderr.contains(why), "{}", ran.stderr);
    assert!(ran.stdout.contains("rust-only  native"), "{}", ran.stdout);
    let run = host.run();
    let names = ["rust-only/latency.csv", "rust-only-native/memory.csv", "memory_scalability_all.png"];
    let before = names.map(|name| fs::read(run.join(name)).unwrap_or_else(|error| panic!("{name}: {error}")));
    for name in names {
        fs::remove_file(run.join(name)).unwrap();
    }
    let ran = host.check("report", 0);
    let after = names.map(|name| fs::read(run.join(name)).unwrap_or_else(|error| panic!("{name}: {error}")));
    assert!(before == after, "files differ when they are made again");
    assert!(ran.stdout.contains(why) && names.iter().all(|name| ran.stdout.contains(name)), "{}", ran.stdout);
}

#[test]
fn other_runs_have_no_derived_files() {
    let host = Host::with_hostile();
    host.check("load hostile.wasm --filter hostile/good --arm native --quick --processes 1", 0);
    let ran = host.check("report", 0);
    assert!(ran.stdout.starts_with("this run has no derived files"), "{}", ran.stdout);
    assert_eq!(fs::read_dir(host.run()).unwrap().count(), 1);
}
