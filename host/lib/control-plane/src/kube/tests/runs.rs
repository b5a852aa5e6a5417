//! What a run creates in an API server and removes again, also next to live and killed runs.

use super::*;

const FIRST_RUN: &str = include_str!("exchanges/first-run.http");
const NEXT_RUN: &str = include_str!("exchanges/next-run.http");
const NEWCOMER: &str = include_str!("exchanges/newcomer.http");
const NOT_ACCEPTED: &str = include_str!("exchanges/not-accepted.http");

#[test]
fn first_run_creates_the_kind_and_last_run_removes_it() {
    check(&[FIRST_RUN], |plane, _| {
        plane.apply(&key("a"), "m", "{}").unwrap();
        plane.apply(&key("a"), "m", r#"{"a":1}"#).unwrap();
        let there = plane.apply(&Key::new("TestResource", "there", "a"), "m", "{}").unwrap_err();
        assert!(there.to_string().contains("request timed out"), "{there}");
    });
}

#[test]
fn next_run_removes_only_what_a_killed_run_left() {
    check(&[NEXT_RUN], |_, _| ());
}

#[test]
fn kind_that_another_run_begins_to_use_is_not_removed() {
    let noted = r#""uid":"c1","labels":{"app.kubernetes.io/managed-by":"bench-host"},
"annotations":{"bench-host.test/run-r":"$OWNER"},"#;
    let ready = READY.replace(r#""uid":"c1","#, noted);
    check(&[&ready, NEWCOMER], |_, _| ());
}

#[test]
fn kind_with_a_taken_name_is_reported() {
    let replay = Replay::of(&[NOT_ACCEPTED], &names());
    let error = connect(&format!("http://{}", replay.address), times()).unwrap_err().to_string();
    assert!(
        error.contains(r#"testresources.bench-host.test is not accepted: "testresources" is already in use"#),
        "{error}"
    );
    replay.check();
}
