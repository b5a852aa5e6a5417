//! Subscriptions and replay: every entry once, in order, across segments that come and go.

use crate::support::{config, directory, fill, filled, open};
use std::time::Duration;
use wal_log::{Config, ReadError, Retention};

#[test]
fn subscription_follows_across_segments() {
    let directory = directory();
    let log = open(config(directory.path()));
    let mut subscription = log.subscribe(0).unwrap();
    assert!(subscription.poll().unwrap().is_none());
    assert!(!subscription.wait(Duration::ZERO));
    let mut seen = Vec::new();
    for round in 0..10 {
        fill(&log, round * 40..(round + 1) * 40);
        assert!(subscription.wait(Duration::from_secs(60)));
        if round % 2 == 0 {
            subscription
                .drain(|record| {
                    seen.push((record.sequence, record.payload.to_vec()));
                    true
                })
                .unwrap();
        } else {
            while let Some(held) = subscription.poll().unwrap() {
                seen.push((held.record().sequence, held.record().payload.to_vec()));
            }
        }
        assert_eq!(subscription.position(), (round + 1) * 40);
    }
    assert_eq!(seen, filled(0..400));
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the subscribers are to fall asleep")]
fn append_wakes_a_sleeping_subscriber() {
    const ENTRIES: u64 = 300;
    let directory = directory();
    let log = open(config(directory.path()));
    std::thread::scope(|scope| {
        // Two, one after the other on each step, so that each sleeps while the other and the appender are at it.
        for _ in 0..2 {
            scope.spawn(|| {
                let mut subscription = log.subscribe(0).unwrap();
                for sequence in 0..ENTRIES {
                    assert!(subscription.wait(Duration::from_secs(60)), "an append was missed");
                    assert_eq!(subscription.poll().unwrap().unwrap().record().sequence, sequence);
                }
            });
        }
        for number in 0..ENTRIES {
            fill(&log, number..number + 1);
            if number % 3 == 0 {
                std::thread::sleep(Duration::from_micros(100));
            }
        }
    });
    let mut subscription = log.subscribe(ENTRIES).unwrap();
    assert!(!subscription.wait(Duration::from_millis(1)));
}

#[test]
fn replay_starts_anywhere_and_stops_on_request() {
    let directory = directory();
    let log = open(config(directory.path()));
    fill(&log, 0..200);
    let mut seen = Vec::new();
    let count = log.replay(150, |record| {
        seen.push(record.sequence);
        record.sequence < 160
    });
    assert_eq!((count, seen), (Ok(11), (150..=160).collect()));
    assert_eq!(log.replay(200, |_| true), Ok(0));
    assert_eq!(log.replay(201, |_| true), Err(ReadError::Beyond { sequence: 201, next: 200 }));
}

#[test]
fn slow_subscriber_gets_a_recycled_error() {
    let directory = directory();
    let log = open(Config { retention: Retention::Segments(2), ..config(directory.path()) });
    let mut subscription = log.subscribe(0).unwrap();
    fill(&log, 0..1);
    assert_eq!(subscription.poll().unwrap().unwrap().record().sequence, 0);
    for round in 0..10 {
        fill(&log, 1 + round * 100..1 + (round + 1) * 100);
        log.wait_until_idle().unwrap();
    }
    // What it holds is still there; behind that, it is not.
    let error = loop {
        match subscription.poll() {
            Ok(Some(_)) => {}
            Ok(None) => panic!("there is more"),
            Err(error) => break error,
        }
    };
    let first = log.snapshot().first_sequence();
    assert_eq!(error, ReadError::Recycled { sequence: subscription.position(), first });
}
