//! The family through its trait, as the host uses it.

use bench_family::Family;
use bench_model::Unit;
use family_ipc::Ipc;
use sample_run::{Block, Run};
use serde_json::Value;

#[test]
fn transport_is_shown_against_the_raw_calls_of_its_processes() {
    let mut run = Run::begin(2, 3);
    for process in 0..3 {
        for (cell, transport, family) in [(0, "pipe", "ipc"), (1, "futex", "serverless")] {
            let checked = 10_300 + u64::from(process) * 10 + u64::from(cell) * 100;
            let block = Block::new(cell, process, "ipc/round-trips", "native").family(family);
            let block = block.argument("transport", transport).timed(1, [checked; 30]);
            run.append(&block.series("bare_round_trips", Unit::Nanoseconds, &[], 1, [10_000; 30]).records());
        }
    }
    run.end(None);
    let document: Value = serde_json::from_str(&sample_run::json(&run.view(), Ipc.report())).unwrap();
    let section = &document["sections"][0];
    assert_eq!(section["name"], "ipc.baselines");
    let found = section["rows"].as_array().unwrap().iter().map(|row| {
        let ratio = row["ratio"]["value"].as_f64().unwrap();
        (row["transport"].as_str().unwrap(), (ratio * 1e3).round())
    });
    assert_eq!(found.collect::<Vec<_>>(), [("futex", 1_041.0), ("pipe", 1_031.0)], "{section:#}");
}

#[test]
fn queue_is_shown_against_the_ring_of_its_threads() {
    let mut run = Run::begin(2, 3);
    for process in 0..3 {
        for (cell, queue, time) in [(0, "disruptor", 15_000), (1, "rtrb", 12_000)] {
            let block = Block::new(cell, process, "queues/there-and-back", "native").family("ipc");
            let block = block.argument("queue", queue).timed(1, [time + u64::from(process); 30]);
            run.append(&block.series("shm_ring", Unit::Nanoseconds, &[], 1, [10_000; 30]).records());
        }
    }
    run.end(None);
    let document: Value = serde_json::from_str(&sample_run::json(&run.view(), Ipc.report())).unwrap();
    let section = &document["sections"][0];
    assert_eq!(section["name"], "ipc.queues");
    let found = section["rows"].as_array().unwrap().iter().map(|row| {
        let ratio = row["ratio"]["value"].as_f64().unwrap();
        (row["queue"].as_str().unwrap(), (ratio * 1e3).round())
    });
    assert_eq!(found.collect::<Vec<_>>(), [("disruptor", 1_500.0), ("rtrb", 1_200.0)], "{section:#}");
}
