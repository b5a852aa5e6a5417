//! A log against a vector of entries, through random operations.

use crate::support::{config, directory, open};
use proptest::prelude::*;
use wal_log::{Config, Durability, Entry, Log, Policy, ReadError, RecoveryMode, Retention, StreamId};

#[derive(Clone, Debug)]
enum Operation {
    Append(Item),
    Batch(Vec<Item>),
    Commit(Vec<Item>),
    Abort(Vec<Item>),
    Rotate,
    Sync,
    Reopen { is_thorough: bool, policy: Policy },
    Read(prop::sample::Index),
    Range(prop::sample::Index, u64),
}

#[derive(Clone, Debug, PartialEq)]
struct Item {
    stream: u32,
    kind: u16,
    payload: Vec<u8>,
}

impl Item {
    fn entry(&self) -> Entry<'_> {
        Entry { stream: StreamId(self.stream), kind: self.kind, payload: &self.payload }
    }
}

fn item() -> impl Strategy<Value = Item> {
    let payload = prop_oneof![
        4 => prop::collection::vec(any::<u8>(), 0..100),
        1 => prop::collection::vec(any::<u8>(), 700..900),
    ];
    (0_u32..5, any::<u16>(), payload).prop_map(|(stream, kind, payload)| Item { stream, kind, payload })
}

fn operation() -> impl Strategy<Value = Operation> {
    let items = |most| prop::collection::vec(item(), 0..most);
    let policy = prop_oneof![Just(Policy::Fail), Just(Policy::Truncate), Just(Policy::Skip)];
    prop_oneof![
        8 => item().prop_map(Operation::Append),
        3 => items(20).prop_map(Operation::Batch),
        2 => items(4).prop_map(Operation::Commit),
        1 => items(4).prop_map(Operation::Abort),
        1 => Just(Operation::Rotate),
        1 => Just(Operation::Sync),
        1 => (any::<bool>(), policy).prop_map(|(is_thorough, policy)| Operation::Reopen { is_thorough, policy }),
        3 => any::<prop::sample::Index>().prop_map(Operation::Read),
        2 => (any::<prop::sample::Index>(), 0_u64..50).prop_map(|(from, len)| Operation::Range(from, len)),
    ]
}

fn entries(items: &[Item]) -> Vec<Entry<'_>> {
    items.iter().map(Item::entry).collect()
}

fn apply(log: &mut Option<Log>, model: &mut Vec<Item>, config: &Config, operation: Operation) {
    let open_log = log.as_ref().unwrap();
    let next = model.len() as u64;
    match operation {
        Operation::Append(item) => {
            assert_eq!(open_log.append(item.entry()).unwrap(), next);
            model.push(item);
        }
        Operation::Batch(items) => {
            assert_eq!(open_log.append_batch(&entries(&items)).unwrap(), next..next + items.len() as u64);
            model.extend(items);
        }
        Operation::Commit(items) => {
            let mut transaction = open_log.transaction();
            items.iter().for_each(|item| transaction.append(item.entry()));
            assert_eq!(transaction.commit().unwrap(), next..next + items.len() as u64);
            model.extend(items);
        }
        Operation::Abort(items) => {
            let mut transaction = open_log.transaction();
            items.iter().for_each(|item| transaction.append(item.entry()));
        }
        Operation::Rotate => open_log.rotate().unwrap(),
        Operation::Sync => assert_eq!(open_log.sync().unwrap(), next),
        Operation::Reopen { is_thorough, policy } => {
            log.take();
            let recovery = if is_thorough { RecoveryMode::Thorough } else { RecoveryMode::Fast };
            let reopened = open(Config { recovery, policy, ..config.clone() });
            let found = reopened.recovery();
            assert_eq!((found.next_sequence, found.cut_bytes, found.findings.len()), (next, 0, 0));
            assert_eq!(found.records, next - found.first_sequence);
            *log = Some(reopened);
        }
        Operation::Read(index) => {
            let sequence = index.index(model.len() + 1) as u64;
            check_read(open_log, model, sequence);
        }
        Operation::Range(from, len) => {
            let from = from.index(model.len() + 1) as u64;
            let snapshot = open_log.snapshot();
            let Ok(records) = snapshot.range(from..from + len) else {
                assert!(from < snapshot.first_sequence());
                return;
            };
            let found: Vec<_> = records.map(|record| record.unwrap().sequence).collect();
            let expected: Vec<_> = (from..(from + len).min(next)).collect();
            assert_eq!(found, expected);
        }
    }
}

fn check_read(log: &Log, model: &[Item], sequence: u64) {
    match log.read(sequence) {
        Ok(held) => {
            let record = held.record();
            let item = &model[sequence as usize];
            assert_eq!(
                record,
                Record { sequence, stream: StreamId(item.stream), kind: item.kind, payload: &item.payload }
            );
        }
        Err(ReadError::Recycled { first, .. }) => assert!(sequence < first),
        Err(ReadError::Beyond { next, .. }) => assert_eq!((sequence, next), (model.len() as u64, sequence)),
        Err(error) => panic!("{error}"),
    }
}

use wal_log::Record;

fn check_all(log: &Log, model: &[Item]) {
    let snapshot = log.snapshot();
    let first = snapshot.first_sequence();
    let mut count = 0;
    for record in snapshot.iter(first).unwrap() {
        let record = record.unwrap();
        let item = &model[(first + count) as usize];
        assert_eq!((record.sequence, record.kind, record.payload), (first + count, item.kind, item.payload.as_slice()));
        count += 1;
    }
    assert_eq!(first + count, model.len() as u64);
    for stream in 0..5 {
        let head = model.iter().rposition(|item| item.stream == stream).map(|index| index as u64);
        assert_eq!(log.stream_head(StreamId(stream)), head);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 120, ..ProptestConfig::default() })]

    #[test]
    fn log_behaves_as_a_vector_of_entries(
        operations in prop::collection::vec(operation(), 1..60),
        retention in prop_oneof![Just(Retention::All), (1_u32..4).prop_map(Retention::Segments)],
        durability in prop_oneof![Just(Durability::None), Just(Durability::ProcessCrash)],
        index_stride_bytes in prop_oneof![Just(64_u32), Just(1024), Just(1 << 20)],
    ) {
        let directory = directory();
        let config =
            Config { retention, durability, index_stride_bytes, segment_bytes: 4 << 10, ..config(directory.path()) };
        let mut log = Some(open(config.clone()));
        let mut model = Vec::new();
        for operation in operations {
            apply(&mut log, &mut model, &config, operation);
        }
        check_all(log.as_ref().unwrap(), &model);
        drop(log);
        check_all(&open(config), &model);
    }
}
