//! A ring whose memory was damaged. The tests write into the shared memory directly, so they know the layout.

#![cfg(target_os = "linux")]

use shm_ring::{Cells, Corrupt, Integrity, PushError, Ring, RingError, Wait, Waking};
use std::os::fd::OwnedFd;

const VERSION_AT: u64 = 8;
const INTEGRITY_AT: u64 = 12;
const CAPACITY_AT: u64 = 16;
const TAIL_AT: u64 = 128;
const HEAD_AT: u64 = 256;
const PRODUCER_AT: u64 = 384;

fn data_at() -> u64 {
    rustix::param::page_size() as u64
}

fn write(ring: &Ring, at: u64, bytes: &[u8]) {
    assert_eq!(rustix::io::pwrite(ring.fd(), bytes, at).unwrap(), bytes.len());
}

fn attach(ring: &Ring) -> Result<Ring, RingError> {
    Ring::attach(ring.fd().try_clone_to_owned().unwrap())
}

/// Damages a fresh ring and attaches to it: the refusal must say `expect`.
fn check(at: u64, bytes: &[u8], expect: &str) {
    let ring = Ring::create(4096, Integrity::None).unwrap();
    write(&ring, at, bytes);
    let error = attach(&ring).unwrap_err().to_string();
    assert!(error.contains(expect), "{error}");
}

#[test]
fn damaged_identity_is_refused() {
    check(0, b"x", "is not that of a ring: it starts with");
    check(VERSION_AT, &9u32.to_ne_bytes(), "layout version 9, this build knows 1");
    check(INTEGRITY_AT, &7u32.to_ne_bytes(), "integrity 7 is not known");
    check(CAPACITY_AT, &8192u64.to_ne_bytes(), "claims 8192 bytes, the memory has room for 4096");
}

#[test]
fn file_that_is_not_a_ring_is_refused() {
    let refusal = |fd: OwnedFd| Ring::attach(fd).unwrap_err().to_string();
    assert!(refusal(std::fs::File::open("/dev/null").unwrap().into()).contains("its 0 bytes are not one page"));
    let fd = rustix::fs::memfd_create("open", rustix::fs::MemfdFlags::ALLOW_SEALING).unwrap();
    rustix::fs::ftruncate(&fd, data_at() + 65536).unwrap();
    assert!(refusal(fd).contains("not sealed against shrinking"));
}

#[test]
fn invalid_capacity_is_refused() {
    for capacity in [0, 1, 4095, 4097, 12288, Ring::CAPACITY_MAX + 1, Ring::CAPACITY_MAX * 2, usize::MAX] {
        let error = Ring::create(capacity, Integrity::None).unwrap_err().to_string();
        assert!(error.contains("a power of two from") && error.contains("67108864 bytes"), "{error}");
    }
}

#[test]
fn attached_ring_cannot_be_shrunk() {
    let ring = Ring::create(4096, Integrity::None).unwrap();
    assert!(rustix::fs::ftruncate(ring.fd(), 0).is_err());
}

#[test]
fn damaged_record_is_an_error_every_time() {
    let ring = Ring::create(4096, Integrity::None).unwrap();
    let (mut producer, mut consumer) = (ring.producer().unwrap(), ring.consumer().unwrap());
    producer.push(b"hello").unwrap();
    for word in [u64::from(u32::MAX), 4096 - 16 + 2, 6 | 1 << 32] {
        write(&ring, data_at(), &word.to_ne_bytes());
        assert_eq!(consumer.peek(), Err(Corrupt::Record { position: 0, word }));
        assert_eq!(consumer.pop(|_| ()), Err(Corrupt::Record { position: 0, word }));
        consumer.release();
    }
    write(&ring, data_at(), &6u64.to_ne_bytes());
    assert_eq!(consumer.peek(), Ok(Some(&b"hello"[..])));
}

#[test]
fn changed_payload_fails_its_crc() {
    let ring = Ring::create(4096, Integrity::Crc32c).unwrap();
    let (mut producer, mut consumer) = (ring.producer().unwrap(), ring.consumer().unwrap());
    producer.push(b"hello").unwrap();
    write(&ring, data_at() + 8, b"j");
    let (expected, found) = (crc32c::crc32c(b"hello"), crc32c::crc32c(b"jello"));
    assert_eq!(consumer.peek(), Err(Corrupt::Checksum { position: 0, expected, found }));
    write(&ring, data_at() + 8, b"h");
    assert_eq!(consumer.peek(), Ok(Some(&b"hello"[..])));
}

#[test]
fn damaged_head_yields_a_full_ring() {
    let ring = Ring::create(4096, Integrity::None).unwrap();
    let mut producer = ring.producer().unwrap();
    producer.push(&[0; 4000]).unwrap();
    write(&ring, HEAD_AT, &u64::MAX.to_ne_bytes());
    assert_eq!(producer.push(&[0; 100]), Err(PushError::Full));
    drop(producer);
    assert!(ring.producer().unwrap_err().to_string().contains("its head is"));
    assert!(ring.consumer().unwrap_err().to_string().contains("its head is"));
}

#[test]
fn end_is_held_once_and_released() {
    let ring = Ring::create(4096, Integrity::None).unwrap();
    let producer = ring.producer().unwrap();
    let again = attach(&ring).unwrap();
    let error = again.producer().unwrap_err();
    assert!(error.to_string().contains("has a producer already"), "{error}");
    again.consumer().unwrap();
    again.consumer().unwrap();
    drop(producer);
    again.producer().unwrap();
}

#[test]
fn end_of_a_dead_process_is_taken_over() {
    let ring = Ring::create(4096, Integrity::None).unwrap();
    let mut child = std::process::Command::new("true").spawn().unwrap();
    write(&ring, PRODUCER_AT, &child.id().to_ne_bytes());
    assert!(matches!(ring.producer(), Err(RingError::Busy { pid, .. }) if pid == child.id()));
    child.wait().unwrap();
    ring.producer().unwrap();
}

#[test]
fn producer_continues_after_one_that_died_before_moving_the_tail() {
    let ring = Ring::create(4096, Integrity::None).unwrap();
    let mut producer = ring.producer().unwrap();
    producer.push(b"first").unwrap();
    write(&ring, TAIL_AT, &0u64.to_ne_bytes());
    drop(producer);
    ring.producer().unwrap().push(b"second").unwrap();
    let mut consumer = ring.consumer().unwrap();
    assert_eq!(consumer.pop(<[u8]>::to_vec), Ok(Some(b"first".to_vec())));
    assert_eq!(consumer.pop(<[u8]>::to_vec), Ok(Some(b"second".to_vec())));
}

#[test]
fn producer_continues_after_one_that_died_within_a_batch() {
    let ring = Ring::create(4096, Integrity::None).unwrap();
    let mut producer = ring.producer().unwrap();
    for message in [&b"one"[..], b"two", b"three"] {
        producer.stage(message).unwrap();
    }
    producer.publish();
    drop(producer);
    write(&ring, TAIL_AT, &0u64.to_ne_bytes());
    ring.producer().unwrap().push(b"four").unwrap();
    let mut consumer = ring.consumer().unwrap();
    for expected in [&b"one"[..], b"two", b"three", b"four"] {
        assert_eq!(consumer.pop(<[u8]>::to_vec).unwrap().as_deref(), Some(expected));
    }
}

#[test]
fn message_of_a_dead_producer_is_not_read_twice() {
    let ring = Ring::create(4096, Integrity::None).unwrap();
    let (mut producer, mut consumer) = (ring.producer().unwrap(), ring.consumer().unwrap());
    producer.push(b"first").unwrap();
    consumer.pop(|_| ()).unwrap().unwrap();
    write(&ring, TAIL_AT, &0u64.to_ne_bytes());
    drop(producer);
    ring.producer().unwrap().push(b"second").unwrap();
    assert_eq!(consumer.pop(<[u8]>::to_vec), Ok(Some(b"second".to_vec())));
}

fn write_cells(cells: &Cells, at: u64, bytes: &[u8]) {
    assert_eq!(rustix::io::pwrite(cells.fd(), bytes, at).unwrap(), bytes.len());
}

#[test]
fn a_form_is_not_taken_for_the_other() {
    let (ring, cells) = (Ring::create(4096, Integrity::None).unwrap(), Cells::create(4096, Waking::Never).unwrap());
    let not_cells = Cells::attach(ring.fd().try_clone_to_owned().unwrap()).unwrap_err().to_string();
    let not_a_ring = Ring::attach(cells.fd().try_clone_to_owned().unwrap()).unwrap_err().to_string();
    for error in [not_cells, not_a_ring] {
        assert!(error.contains("is not that of a ring: it starts with"), "{error}");
    }
}

#[test]
fn damaged_cell_is_an_error_every_time() {
    let cells = Cells::create(4096, Waking::Never).unwrap();
    let (mut producer, mut consumer) = (cells.producer().unwrap(), cells.consumer().unwrap());
    producer.push(b"hello").unwrap();
    // Another number, none of the lap before, and a length that no cell has.
    for word in [2 << 8 | 5, u64::MAX, 1 << 8 | 57] {
        write_cells(&cells, data_at(), &word.to_ne_bytes());
        assert!(consumer.wait(Wait::Spin { rounds: 1 }), "what cannot become a message is not waited for");
        assert_eq!(consumer.peek(), Err(Corrupt::Record { position: 0, word }));
        assert_eq!(consumer.pop(|_| ()), Err(Corrupt::Record { position: 0, word }));
        consumer.release();
    }
    write_cells(&cells, data_at(), &(1u64 << 8 | 5).to_ne_bytes());
    assert_eq!(consumer.peek(), Ok(Some(&b"hello"[..])));
}

#[test]
fn damaged_head_yields_full_cells() {
    let cells = Cells::create(4096, Waking::Never).unwrap();
    let mut producer = cells.producer().unwrap();
    for _ in 0..cells.messages_max() {
        producer.push(b"message").unwrap();
    }
    write_cells(&cells, HEAD_AT, &u64::MAX.to_ne_bytes());
    assert_eq!(producer.push(b"one more"), Err(PushError::Full));
    drop(producer);
    write_cells(&cells, HEAD_AT, &8u64.to_ne_bytes());
    assert!(cells.producer().unwrap_err().to_string().contains("not the starts of cells"));
    assert!(cells.consumer().unwrap_err().to_string().contains("not the starts of cells"));
}

#[test]
fn producer_of_cells_continues_after_one_that_died_before_moving_the_tail() {
    let cells = Cells::create(4096, Waking::Never).unwrap();
    let (mut producer, mut consumer) = (cells.producer().unwrap(), cells.consumer().unwrap());
    producer.push(b"first").unwrap();
    consumer.pop(|_| ()).unwrap().unwrap();
    producer.push(b"second").unwrap();
    drop(producer);
    for tail in [0u64, 64] {
        write_cells(&cells, TAIL_AT, &tail.to_ne_bytes());
        drop(cells.producer().unwrap());
    }
    cells.producer().unwrap().push(b"third").unwrap();
    for expected in [&b"second"[..], b"third"] {
        assert_eq!(consumer.pop(<[u8]>::to_vec).unwrap().as_deref(), Some(expected));
    }
}
