//! A run of ten thousand cells, whose blocks have from a few hundred bytes to eight million: each arrives as it was sent, and is read again as it
//! arrived, and no more than a few of them are in memory at any time.
#![cfg(target_os = "linux")]

#[allow(dead_code, reason = "each test program uses a part of it")]
mod made_up;

use bench_fleet::{
    AgentTask, ClassId, Collector, Coordinator, Embedded, Fleet, FleetObserver, HostCard, JOIN, Part, Spec, Uplink,
    Visitor, listen, own_blocks, serve, wall_ns,
};
use bench_sink::runfile::{OutcomeRecord, Record, encode};
use std::fs;
use std::io::{self, BufReader};
use std::thread;
use std::time::Duration;

const CELLS: u32 = 10_000;

/// One of so many blocks is large, so that all of them together are several times as large as the memory that may be used.
const LARGE_OF: u32 = 417;
const LARGE_BYTES: usize = 8_000_000;

/// By how much the memory may grow: that for a few copies of a large block.
const GROWTH_BYTES_MAX: u64 = 96_000_000;

/// The block of a cell, with one check whose text has from one byte to as many as a large block.
fn block(cell: u32) -> Vec<u8> {
    let text = if cell.is_multiple_of(LARGE_OF) { LARGE_BYTES } else { 1 << (cell % 14) };
    let mut block = encode(&[Record::Cell(made_up::cell(cell, 0, "m.wasm"))]);
    block.reserve(text + 1_000);
    let head = format!(r#"{{"v":1,"record":"check","cell":{cell},"process":0,"name":"c","passed":true,"detail":""#);
    block.extend(head.bytes());
    block.resize(block.len() + text, b'x');
    block.extend(b"\"}\n");
    block.extend(encode(&[Record::Outcome(OutcomeRecord::ok(cell, 0))]));
    block
}

/// Sends the block of each cell; a group has one.
struct Sends;

impl AgentTask for Sends {
    fn prepare(&mut self, _: &Spec, _: &mut Uplink) -> Result<Duration, String> {
        Ok(Duration::from_secs(600))
    }

    fn measure(&mut self, groups: &[u32], uplink: &mut Uplink) -> Result<bool, String> {
        for cell in groups {
            let part = Part::Repetition { cell: *cell, process: 0 };
            uplink.block(part, &block(*cell)).map_err(|error| error.to_string())?;
        }
        Ok(true)
    }

    fn finish(&mut self, _: &mut Uplink) -> Result<(), String> {
        Ok(())
    }
}

struct Silent;

impl<Q> FleetObserver<Q> for Silent {
    fn changed(&mut self, _: &mut Coordinator<Q>, _: u64) {}

    fn failed(&mut self, agent: &str, reason: &str) {
        panic!("{agent}: {reason}");
    }
}

/// A figure of this process's memory, in bytes.
fn memory(name: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).unwrap();
    1_024 * line.trim().trim_end_matches(" kB").parse::<u64>().unwrap()
}

#[test]
fn memory_does_not_grow_with_the_blocks_of_a_run() {
    let folder = tempfile::tempdir().unwrap();
    let mut fleet = Fleet::expect_visitors(&[], 1);
    let (their_orders, orders) = io::pipe().unwrap();
    let (messages, their_messages) = io::pipe().unwrap();
    thread::spawn(move || {
        let orders = listen(BufReader::new(their_orders), wall_ns, || {});
        serve(&orders, &mut Uplink::new(their_messages), (&HostCard::of_version("1"), Some("r")), &mut Sends)
    });
    fleet.door()(Visitor { name: "a".to_owned(), orders: Box::new(orders), messages: Box::new(messages) });
    fleet.join(JOIN, &|| false).unwrap();
    // The largest memory is noted anew.
    let is_noted = fs::write("/proc/self/clear_refs", "5").is_ok();
    let before = memory("VmRSS");
    let collector = Collector::create(folder.path(), &["a".to_owned()]).unwrap();
    let mut coordinator = Coordinator::new(Embedded::new(collector), &[ClassId(0)], CELLS, true).unwrap();
    assert!(!fleet.drive(&mut coordinator, &made_up::spec(), &mut Silent, &|| false).unwrap());
    drop(fleet);
    let mut cells = 0..CELLS;
    for found in own_blocks(&folder.path().join("a")).unwrap() {
        let (part, found) = found.unwrap();
        let cell = cells.next().unwrap();
        assert_eq!(part, Part::Repetition { cell, process: 0 });
        assert!(found == block(cell), "the block of cell {cell} has changed");
    }
    assert_eq!(cells.next(), None, "each block has arrived once");
    if is_noted {
        let growth = memory("VmHWM").saturating_sub(before);
        assert!(growth < GROWTH_BYTES_MAX, "the memory has grown by {growth} bytes");
    } else {
        eprintln!("skipped: the largest memory cannot be noted anew here");
    }
}
