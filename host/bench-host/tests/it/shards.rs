//! Shards of a run, measured apart and merged: the same cells, each as it was measured.

use crate::host::Host;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;

const WORDS: &str = "load hostile.wasm --filter hostile/{good,litter} --quick --time 20ms --format json";

/// The names and series of all cells.
fn cells(document: &Value) -> BTreeSet<String> {
    let cells = document["cells"].as_array().unwrap();
    cells.iter().map(|cell| format!("{} {} {}", cell["scenario"], cell["arm"], cell["series"])).collect()
}

#[test]
fn merged_shards_are_one_run_with_the_figures_of_each() {
    let host = Host::with_hostile();
    let shards = [1, 2].map(|number| {
        let document = host.check(&format!("{WORDS} --shard {number}/2 --out shard-{number}"), 0).json();
        assert!(cells(&document).len() == 2, "one scenario in two arms: {document:#}");
        document
    });
    let merged = host.check("fleet merge shard-1/2* shard-2/2* --format json", 2);
    merged.one_line(&["cannot read shard-1/2*"]);
    let directories: Vec<_> = ["shard-1", "shard-2"]
        .iter()
        .flat_map(|out| fs::read_dir(host.path(out)).unwrap())
        .map(|entry| entry.unwrap().path().display().to_string())
        .collect();
    let merged = host.check(&format!("fleet merge {} --format json", directories.join(" ")), 0).json();
    assert_eq!(cells(&merged), shards.iter().flat_map(cells).collect());
    assert_eq!(merged["seed"], shards[0]["seed"], "{merged:#}");
    let text = host.check(&format!("list --run {}", host.run().display()), 0).stdout;
    assert!(!text.contains("were not run"), "{text}");
    let shard = host.check(&format!("list --run {}", directories[0]), 0).stdout;
    assert!(shard.contains("2 of 4 cells were not run: this is shard 1 of 2"), "{shard}");
}

#[test]
fn shard_that_cannot_be_is_refused_in_one_line() {
    let host = Host::with_hostile();
    let refused = "invalid value '9/8' for '--shard <K/N>': there is no shard 9 of 8; the shards are 1/8 to 8/8";
    host.check(&format!("{WORDS} --shard 9/8"), 2).one_line(&["bench-host: ", refused]);
    host.check(&format!("{WORDS} --shard 3/3"), 2).one_line(&["shard 3/3 is empty", "give fewer shards"]);
    host.check("fleet merge nowhere", 2).one_line(&["nowhere"]);
}
