//! Components that harm a careless host. Each is loaded together with a good plug-in, or has a good scenario of its own, which must be
//! measured all the same.

use super::{Row, Start, beside, of_plugin, row};

pub(super) fn rows() -> Vec<Row> {
    let mut rows = vec![Row {
        start: Start::InProject,
        ..row("all plug-ins of plugins/hostile, and all others", "", &[1], &["hostile"])
    }];
    rows.extend(bombs());
    rows.extend(descriptors());
    rows.extend(deeds());
    rows.extend(amounts());
    rows.extend(ways_out());
    rows.extend(files());
    rows
}

/// Those that ask the engine for more than there is.
fn bombs() -> Vec<Row> {
    vec![
        beside("recursion without end", "recursion.wasm", &["recursion/run", "call stack exhausted"]),
        beside("memory above the limit", "memory.wasm", &["memory/run", "the limit is 1024 MiB"]),
        beside("memories together above the limit", "memories.wasm", &["memories/run", "the limit is 1024 MiB"]),
        beside("table above the limit", "table.wasm", &["table/run", "requested a table of 400001 elements"]),
        beside(
            "components nested very deep",
            "nested.wasm --deadline 20s",
            &["nested.wasm: ", "nested more than 100 deep"],
        ),
        beside("component with a hundred thousand instances", "instances.wasm --deadline 20s", &["instances.wasm: "]),
        beside("types that double at each level", "doubling.wasm --deadline 20s", &["doubling.wasm: "]),
        // Compiled in time or not, it has nothing to run.
        beside("one function that is slow to compile", "slow-function.wasm", &["slow-function.wasm: "]),
    ]
}

/// Those with a description that is none.
fn descriptors() -> Vec<Row> {
    vec![
        beside("description that never comes", "describe-loop.wasm", &["describe-loop.wasm: ", "no reply within 5"]),
        beside(
            "description of a hundred million values",
            "descriptor-bomb.wasm",
            &["descriptor-bomb.wasm: ", "too much data is being copied"],
        ),
        beside("default that is not a number", "nan.wasm", &["nan.wasm: ", "`NaN` is not a finite number"]),
        Row {
            hides: &["\u{1b}"],
            ..beside("name that clears the screen", "escapes.wasm", &["escapes.wasm: ", "module name", "is invalid"])
        },
    ]
}

/// The misdeeds of sessions.
fn deeds() -> Vec<Row> {
    let deed = |name, scenario, options, says| of_plugin(name, "hostile", scenario, options, &[1], says);
    let silent = Row {
        hides: &["\u{1b}", "I AM EVERYWHERE"],
        measures: vec!["hostile/good", "hostile/shout"],
        ..of_plugin("flood of printed text", "hostile", "shout", "", &[0], &["hostile/shout"])
    };
    let flood = Row {
        measures: vec!["hostile/good", "hostile/flood"],
        ..of_plugin("flood of samples", "hostile", "flood", "", &[0], &["hostile/flood"])
    };
    vec![
        deed("loop without end", "loop", "--deadline 5s", &["hostile/loop", "so the worker was killed"]),
        deed("trap", "trap", "", &["hostile/trap", "a deliberate panic"]),
        deed("memory that grows without end", "grow", "--memory 64Mi", &["hostile/grow", "the limit is 64 MiB"]),
        silent,
        flood,
        deed(
            "function that never answers",
            "cold-start",
            "-p heap_bytes=3 --deadline 5s",
            &["hostile/cold-start", "so the worker was killed"],
        ),
        deed(
            "sets of fields without number",
            "cold-start",
            "-p heap_bytes=5 --deadline 20s",
            &["hostile/cold-start", "resource table has no free keys"],
        ),
        deed(
            "fields without end",
            "cold-start",
            "-p heap_bytes=6",
            &["hostile/cold-start", "total size of fields exceeds limit"],
        ),
        deed(
            "operator that watches what it writes",
            "chain",
            "-p deed=circle",
            &["hostile/chain", "watches what it writes"],
        ),
    ]
}

/// Amounts above each maximum.
fn amounts() -> Vec<Row> {
    let amount = |name, scenario, says| of_plugin(name, "trespass", scenario, "", &[1], says);
    let greatest = of_plugin(
        "greatest numbers that there are, of two processes",
        "trespass",
        "greatest",
        "--processes 2",
        &[0, 1],
        &["trespass/greatest"],
    );
    vec![
        amount("a thousand rings", "rings", &["trespass/rings", "already has 64 rings"]),
        amount("large rings", "ring-bytes", &["trespass/ring-bytes", "at most 256 MiB together"]),
        amount("a thousand peers", "peers", &["trespass/peers", "already has 16 peers"]),
        amount("a thousand logs", "logs", &["trespass/logs", "already has 4 logs"]),
        amount("series without end", "series", &["trespass/series", "already opened 1000 series"]),
        amount("label of a megabyte", "labels", &["trespass/labels", "the maximum is 1024"]),
        amount("call that passes too much", "hand-over", &["trespass/hand-over", "too much data is being copied"]),
        amount("a hundred thousand checks", "checks", &["trespass/checks", "returned 100000 checks"]),
        amount("check of a megabyte", "long-check", &["trespass/long-check", "the maximum is 16384"]),
        greatest,
    ]
}

/// Ways out of the folders that a component was given, and more in them than they may hold.
fn ways_out() -> Vec<Row> {
    const INSIDE: &str = "it stayed inside";
    const GIVEN: &str = "--allow-dir given::/given:ro";
    let way = |name, scenario, options, says| of_plugin(name, "trespass", scenario, options, &[1], says);
    vec![
        way("folder above the scratch folder", "parent", "", &["trespass/parent", INSIDE]),
        way("link out of the scratch folder", "link", "", &["trespass/link", INSIDE]),
        way("log behind a link", "log-through-link", "", &["trespass/log-through-link", INSIDE]),
        way("link out of a given folder", "given-link", GIVEN, &["trespass/given-link", INSIDE]),
        way("file in a folder given for reading", "given-write", GIVEN, &["trespass/given-write", INSIDE]),
        way(
            "full scratch folder",
            "scratch",
            "--scratch 16Mi",
            &["trespass/scratch", "into its scratch folder, which is the maximum"],
        ),
        way("full log", "log", "--scratch 16Mi", &["trespass/log", "into its scratch folder, which is the maximum"]),
    ]
}

/// Files that are no components for this host.
fn files() -> Vec<Row> {
    vec![
        Row {
            start: Start::Limited("-v 8000000"),
            ..row(
                "component where address space is limited",
                "load add.wasm --quick --processes 1 --call add(1,2)",
                &[0],
                &["ulimit -v", "on demand"],
            )
        },
        row(
            "component of WASI 0.3 with nothing to run",
            "list async.wasm",
            &[1],
            &["async.wasm: exports nothing to run"],
        ),
        row("component that is cut off", "list cut.wasm", &[1], &["cut.wasm: "]),
        row("core module", "list core.wasm", &[0, 1], &["core.wasm"]),
        row("text in place of a component", "list text.wasm", &[1], &["text.wasm: not a WebAssembly file"]),
    ]
}
