//! Agents in this process to which nothing happens: what they have is what the coordinator has, block by block, and each repetition is merged
//! once.

use crate::fake::{Fake, card};
use crate::measure_with;
use bench_fleet::{Embedded, Fleet, FleetFolder, Uplink, Visitor, listen, serve, wall_ns};
use std::io::{self, BufReader};
use std::thread;

/// The groups of a run with 300 repetitions.
const GROUPS: u32 = 100;

#[test]
fn four_agents_measure_three_hundred_repetitions_each_once() {
    let out = tempfile::tempdir().unwrap();
    let folder = FleetFolder::new(out.path(), "r");
    let _lock = folder.begin().unwrap();
    let names = ["a", "b", "c", "d"];
    let fleet = Fleet::expect_visitors(&[], names.len());
    let door = fleet.door();
    for name in names {
        let (their_orders, orders) = io::pipe().unwrap();
        let (messages, their_messages) = io::pipe().unwrap();
        let mut task = Fake::living(name, &folder.agents(), GROUPS);
        thread::spawn(move || {
            let orders = listen(BufReader::new(their_orders), wall_ns, || {});
            serve(&orders, &mut Uplink::new(their_messages), (&card(), Some("r")), &mut task)
        });
        door(Visitor { name: name.to_owned(), orders: Box::new(orders), messages: Box::new(messages) });
    }
    let (given_up, failures) =
        measure_with("nothing", &folder, (fleet, GROUPS), |collector, _| Box::new(Embedded::new(collector)));
    assert_eq!((given_up, failures), (0, 0));
}
