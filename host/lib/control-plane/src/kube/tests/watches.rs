//! Watches: every change is delivered once and in order, also when the connection breaks, and how a watch ends.

use super::*;
use crate::{Delivery, Event};

const UNUSED: &str = include_str!("exchanges/unused.http");
const WATCH: &str = include_str!("exchanges/watch.http");
const TOO_OLD: &str = include_str!("exchanges/too-old.http");
const FORBIDDEN: &str = include_str!("exchanges/forbidden-watch.http");
const ONE_CHANGE: &str = include_str!("exchanges/one-change.http");

/// The next delivery, which comes.
fn next(mailbox: &Mailbox) -> (Token, Delivery) {
    assert!(mailbox.wait(Duration::from_secs(5)), "nothing more was delivered");
    mailbox.take().unwrap()
}

#[test]
fn changes_are_delivered_once_and_in_order_over_several_connections() {
    check(&[READY, UNUSED, WATCH], |plane, _| {
        let mailbox = Arc::new(Mailbox::new());
        let _watch = plane.watch(&here(), 310, 7, &mailbox).unwrap();
        let events = [
            Event::Added(object("a", 311, r#"{"a":2,"b":1}"#)),
            Event::Modified(object("a", 321, r#"{"a":3}"#)),
            Event::Deleted(key("a"), 322),
            Event::Added(object("b", 341, "{}")),
        ];
        for event in events {
            assert_eq!(next(&mailbox), (7, Ok(event)));
        }
    });
}

#[test]
fn forgotten_version_is_reported_at_any_time() {
    check(&[READY, UNUSED, TOO_OLD], |plane, _| {
        let mailbox = Arc::new(Mailbox::new());
        let refused = plane.watch(&here(), 5, 1, &mailbox).unwrap_err();
        assert_eq!(refused, PlaneError::TooOld { oldest: 350 });
        let _second = plane.watch(&here(), 0, 2, &mailbox).unwrap();
        assert_eq!(next(&mailbox), (2, Err(PlaneError::TooOld { oldest: 351 })));
        let _third = plane.watch(&here(), 351, 3, &mailbox).unwrap();
        assert_eq!(next(&mailbox), (3, Ok(Event::Added(object("a", 352, "{}")))));
        assert_eq!(next(&mailbox), (3, Err(PlaneError::TooOld { oldest: 901 })));
    });
}

#[test]
fn failed_watch_delivers_its_error_last() {
    check(&[READY, UNUSED, FORBIDDEN], |plane, _| {
        let mailbox = Arc::new(Mailbox::new());
        let _watch = plane.watch(&here(), 310, 1, &mailbox).unwrap();
        assert_eq!(next(&mailbox), (1, Ok(Event::Added(object("a", 311, "{}")))));
        let (_, last) = next(&mailbox);
        let error = last.unwrap_err();
        assert!(matches!(&error, PlaneError::Unavailable(why) if why.contains("403")), "{error}");
    });
}

#[test]
fn dead_server_ends_the_watch() {
    check(&[READY, ONE_CHANGE], |plane, replay| {
        let mailbox = Arc::new(Mailbox::new());
        // It is gone by the time the change arrives.
        let watch = plane.watch(&here(), 310, 1, &mailbox).unwrap();
        replay.stop();
        assert_eq!(next(&mailbox), (1, Ok(Event::Added(object("a", 311, "{}")))));
        let (_, last) = next(&mailbox);
        let error = last.unwrap_err().to_string();
        assert!(error.contains(&format!("{} retries in a row", super::super::watch::TRIES_MAX)), "{error}");
        assert!(error.contains("refused"), "{error}");
        drop(watch);
    });
}

#[test]
fn nothing_is_delivered_after_the_end() {
    check(&[READY, UNUSED, &ONE_CHANGE.replace("breaks", "stays")], |plane, _| {
        let mailbox = Arc::new(Mailbox::new());
        let watch = plane.watch(&here(), 310, 1, &mailbox).unwrap();
        drop(watch);
        while mailbox.take().is_some() {}
        assert!(!mailbox.wait(Duration::from_millis(30)));
    });
}
