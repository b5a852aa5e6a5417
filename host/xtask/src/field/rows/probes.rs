//! Probes that harm the program that loads them. Each is loaded together with a good plug-in, which must be measured all the same.

use super::{Row, Start, beside, row};

pub(super) fn rows() -> Vec<Row> {
    let mut rows = loaded();
    rows.extend(measured());
    rows.extend(described());
    rows
}

/// What is said of a probe that does not answer in the time that is usual here.
const LATE: &str = "no reply within 5 s";

/// Those that harm it as soon as they are loaded.
fn loaded() -> Vec<Row> {
    vec![
        row(
            "probe whose child leaves the group and holds the output",
            "list escape.so --deadline 5s",
            &[1],
            &["escape.so"],
        ),
        beside("the same, loaded", "escape.so", &["escape.so"]),
        row("the same, checked", "check escape.so --deadline 5s", &[1], &["escape.so"]),
        beside("probe that leaves its own group", "wander.so", &["wander.so: ", LATE]),
        beside("probe that leaves an orphan", "orphan.so", &["orphan.so: "]),
        beside("probe that stops its parent", "stop_parent.so", &["stop_parent.so: ", LATE]),
        beside("probe that kills its parent", "kill_parent.so", &["kill_parent.so: ", "SIGKILL"]),
        beside("probe that forges a reply", "forge.so", &["forge.so: ", "unexpected reply of the worker"]),
        row(
            "probe that forges a measurement of sixty years",
            "load forged.so --filter forged/long --quick --processes 1 --deadline 10s --format json",
            &[1],
            &["and the worker ran for ", "its module may have forged it"],
        ),
        row(
            "probe that forges a measurement of too many operations",
            "load forged.so --filter forged/many --quick --processes 1 --deadline 10s --format json",
            &[1],
            &["which no processor can do", "its module may have forged it"],
        ),
        beside(
            "probe that replies without end",
            "endless.so --deadline 60s",
            &["endless.so: ", "reply has more than 512 MiB"],
        ),
        beside("probe that hangs when it is loaded", "hang.so", &["hang.so: ", LATE]),
        beside("probe that blocks all signals", "block_signals.so", &["block_signals.so: ", LATE]),
        beside(
            "probe that closes the socket of its reply",
            "close_files.so --deadline 20s",
            &["close_files.so: ", "SIGKILL"],
        ),
        beside(
            "probe that changes limits and processors, and another file",
            "limit.so text.wasm --deadline 10s",
            &["limit.so: ", "bench_probe_v1", "text.wasm: ", "not a WebAssembly file"],
        ),
        beside("probe that crashes when it is loaded", "crash.so", &["crash.so: ", "SIGSEGV"]),
        beside("probe that aborts", "give_up.so", &["give_up.so: ", "SIGABRT"]),
        beside("probe that ends as if all were well", "leave.so", &["leave.so: ", "exited without a reply"]),
        // The limit is the host's, too, so nothing is measured beside it.
        Row {
            start: Start::Limited("-d 500000"),
            ..row("probe that takes all memory", "list hoard.so --deadline 60s", &[1], &["hoard.so: ", "SIGABRT"])
        },
    ]
}

/// Those that harm it while they are measured.
fn measured() -> Vec<Row> {
    vec![beside(
        "probe that writes past what it was lent",
        "lent.so --deadline 10s",
        &["lent/past-the-end", "was killed by SIG"],
    )]
}

/// Those that describe too much.
fn described() -> Vec<Row> {
    vec![
        row(
            "probe that describes a hundred thousand cells",
            "load cells.so --dry-run",
            &[2],
            &["the selection has 99225 cells", "--cells-max"],
        ),
        row(
            "probe with a thousand scenarios of a hundred parameters",
            "check scenarios.so --within 2s",
            &[0, 1],
            &["allow more with --within"],
        ),
        beside(
            "probe with more scenarios than there may be",
            "too-many.so",
            &["too-many.so: ", "1001 scenarios, at most 1000 are allowed"],
        ),
        Row {
            hides: &["\u{202e}"],
            ..row("text that turns the direction of reading", "list cells.so --format json", &[0], &["\\u202e"])
        },
    ]
}
