//! Requests about objects: what each call sends, and what each answer becomes.

use super::*;

const OBJECTS: &str = include_str!("exchanges/objects.http");
const REFUSALS: &str = include_str!("exchanges/refusals.http");
const UNUSED: &str = include_str!("exchanges/unused.http");

#[test]
fn each_call_sends_its_request() {
    check(&[READY, LEFT, OBJECTS], |plane, _| {
        let spec = r#"{"a":{"c":[2],"d":1},"b":1}"#;
        assert_eq!(plane.get(&key("a")), Err(PlaneError::NotFound));
        assert_eq!(plane.create(&key("a"), "m", r#"{"b":1,"a":{"d":1,"c":[2]}}"#), Ok(object("a", 300, spec)));
        assert_eq!(plane.create(&key("a"), "m", "{}"), Err(PlaneError::Conflict(300)));
        let applied = plane.apply(&key("a"), "n", r#"{"e":1}"#);
        assert_eq!(applied, Ok(object("a", 301, r#"{"a":{"c":[2],"d":1},"b":1,"e":1}"#)));
        assert_eq!(plane.apply(&key("a"), "n", r#"{"b":2}"#), Err(PlaneError::Conflict(301)));
        let updated = plane.update(&object("a", 301, r#"{"b":3}"#), "m");
        assert_eq!(updated, Ok(object("a", 302, r#"{"b":3}"#)));
        assert_eq!(plane.update(&object("a", 301, r#"{"b":4}"#), "m"), Err(PlaneError::Conflict(302)));
        assert_eq!(plane.update(&object("a", 0, "{}"), "m"), Err(PlaneError::Conflict(302)));
        let objects = vec![object("a", 302, r#"{"b":3}"#), object("b", 303, "{}")];
        assert_eq!(plane.list(&here()), Ok(Listing { objects, version: 310 }));
        assert_eq!(plane.delete(&key("a")), Ok(()));
        assert_eq!(plane.delete(&key("a")), Err(PlaneError::NotFound));
    });
}

#[track_caller]
fn unavailable<T: std::fmt::Debug>(result: Result<T, PlaneError>, part: &str) {
    match result {
        Err(PlaneError::Unavailable(reason)) => assert!(reason.contains(part) && !reason.contains('\n'), "{reason}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn refusal_quotes_the_server() {
    check(&[READY, LEFT, REFUSALS], |plane, _| {
        match plane.apply(&key("-"), "m", "{}") {
            Err(PlaneError::Invalid(reason)) => assert!(reason.contains("RFC 1123"), "{reason}"),
            other => panic!("{other:?}"),
        }
        unavailable(plane.get(&key("a")), r#"answers 403: testresources.bench-host.test "a" is forbidden"#);
        unavailable(plane.get(&key("b")), "answers 404");
        unavailable(plane.get(&key("c")), "`v-7` is not a number");
        unavailable(plane.get(&key("d")), "expected value");
        unavailable(plane.apply(&key("e"), "m", "{}"), r#"namespaces "bench-host-r-here" not found"#);
    });
}

#[test]
fn invalid_object_is_refused_before_it_is_sent() {
    let refused = |result: Result<Arc<Object>, PlaneError>, expect: &str| match result {
        Err(PlaneError::Invalid(reason)) => assert!(reason.contains(expect), "{reason}"),
        other => panic!("{other:?}"),
    };
    check(&[READY, UNUSED], |plane, _| {
        refused(plane.apply(&key("a"), "m", "[]"), "JSON object");
        refused(plane.apply(&key("a"), "", "{}"), "name");
        refused(plane.apply(&key(""), "m", "{}"), "the name of `TestResource/here/` is empty");
        refused(plane.get(&key("a/../b")), "contains '/'");
        refused(plane.get(&Key::new("Thing", "here", "a")), "no kind `Thing` is defined here; there is TestResource");
        refused(plane.get(&Key::new("TestResource", "a?b", "a")), "the namespace");
        let long = format!(r#"{{"a":"{}"}}"#, "x".repeat(crate::SPEC_BYTES_MAX));
        refused(plane.create(&key("a"), "m", &long), "too long");
        refused(plane.update(&object("a", 1, "1"), "m"), "JSON object");
        let listed = plane.list(&Scope::new("TestResource", ""));
        assert!(matches!(listed, Err(PlaneError::Invalid(_))), "{listed:?}");
        let watched = plane.watch(&Scope::new("Thing", "here"), 0, 0, &Arc::default());
        assert!(matches!(watched, Err(PlaneError::Invalid(_))), "{watched:?}");
    });
}

#[test]
fn dead_or_silent_server_is_unavailable_within_the_timeout() {
    check(&[READY], |plane, replay| {
        replay.stop();
        unavailable(plane.get(&Key::new("TestResource", "here", "a")), "");
    });
    // It takes the connection, and says nothing.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let server = format!("http://{}", listener.local_addr().unwrap());
    let short = Times { setup: Duration::from_millis(20), ..times() };
    unavailable(connect(&server, short), "did not answer within 20 ms; check that `kubectl get namespaces` works");
}
