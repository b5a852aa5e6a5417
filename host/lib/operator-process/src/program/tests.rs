//! The operator's side, line by line, through a real socket.

use super::*;
use operator_core::Watch;
use std::io::{BufRead, BufReader};
use std::thread;

/// Asks every question about each event, and keeps the last spec.
#[derive(Default)]
struct Curious {
    kept: String,
}

impl Operator for Curious {
    fn start(&mut self, _: &mut dyn Plane, arguments: &[(String, String)]) -> Result<Vec<Watch>, String> {
        let (_, namespace) = arguments.first().ok_or("it wants an argument")?;
        Ok(vec![Watch { kind: "T".to_owned(), namespace: namespace.clone() }])
    }

    fn reconcile(&mut self, plane: &mut dyn Plane, event: Event<'_>) -> Result<(), String> {
        match event {
            Event::Added(object) => {
                let version = plane.apply(object.key, object.spec)?;
                self.kept = format!("{} {version}", object.spec);
            }
            Event::Modified(object) => {
                let stored = plane.get(object.key)?;
                let object = Object { resource_version: stored.resource_version, spec: &stored.spec, ..object };
                let version = plane.update(object).or_else(|error| match error {
                    PlaneError::Conflict(version) => Ok(version),
                    other => Err(other),
                })?;
                self.kept = format!("{} {version}", stored.spec);
            }
            Event::Deleted(key, version) => {
                plane.create(key, &format!("{{\"gone\":{version}}}")).map(drop)?;
                plane.delete(key)?;
            }
        }
        Ok(())
    }

    fn suspend(&mut self) -> Vec<u8> {
        self.kept.clone().into_bytes()
    }

    fn resume(&mut self, state: &[u8]) -> Result<(), String> {
        self.kept = String::from_utf8(state.to_vec()).map_err(|_| "the state is not text")?;
        Ok(())
    }
}

/// Sends the lines that begin with `>`, and expects those that begin with `<`; returns how the program ended.
#[track_caller]
fn check(script: &str) -> io::Result<()> {
    let (host, program) = UnixStream::pair().unwrap();
    let program = thread::spawn(move || serve(&mut Curious::default(), program));
    let mut reader = BufReader::new(host.try_clone().unwrap());
    let mut found = String::new();
    for line in script.lines().map(str::trim) {
        match line.split_at(2) {
            ("> ", said) => (&host).write_all(format!("{said}\n").as_bytes()).unwrap(),
            ("< ", expect) => {
                found.clear();
                reader.read_line(&mut found).unwrap();
                assert_eq!(found.trim_end(), expect);
            }
            _ => panic!("what is `{line}`?"),
        }
    }
    host.shutdown(std::net::Shutdown::Both).unwrap();
    program.join().unwrap()
}

#[test]
fn calls_are_served_with_questions_in_between() {
    let served = check(
        r#"> {"call":"start","arguments":[["watch","n-0"]]}
           < {"done":{"watches":[{"kind":"T","namespace":"n-0"}]}}
           > {"call":"reconcile","event":{"type":"ADDED","object":{"kind":"T","namespace":"n-0","name":"a","resourceVersion":7,"spec":{"é": [1,2]}}}}
           < {"plane":"apply","object":{"kind":"T","namespace":"n-0","name":"a","spec":{"é": [1,2]}}}
           > {"object":{"kind":"T","namespace":"n-0","name":"a","resourceVersion":8,"spec":{}}}
           < {"done":{}}
           > {"call":"suspend"}
           < {"done":{"state":"eyLDqSI6IFsxLDJdfSA4"}}
           > {"call":"resume","state":"eA=="}
           < {"done":{}}
           > {"call":"suspend"}
           < {"done":{"state":"eA=="}}
           > {"call":"reconcile","event":{"type":"MODIFIED","object":{"kind":"T","namespace":"n-0","name":"a\n\"","resourceVersion":9,"spec":{}}}}
           < {"plane":"get","object":{"kind":"T","namespace":"n-0","name":"a\n\""}}
           > {"object":{"kind":"T","namespace":"n-0","name":"a","resourceVersion":10,"spec":{"b":0}}}
           < {"plane":"update","object":{"kind":"T","namespace":"n-0","name":"a\n\"","resourceVersion":10,"spec":{"b":0}}}
           > {"refused":"conflict","version":11}
           < {"done":{}}
           > {"call":"reconcile","event":{"type":"DELETED","object":{"kind":"T","namespace":"n-0","name":"a","resourceVersion":12}}}
           < {"plane":"create","object":{"kind":"T","namespace":"n-0","name":"a","spec":{"gone":12}}}
           > {"object":{"kind":"T","namespace":"n-0","name":"a","resourceVersion":13,"spec":{"gone":12}}}
           < {"plane":"delete","object":{"kind":"T","namespace":"n-0","name":"a"}}
           > {"removed":true}
           < {"done":{}}"#,
    );
    served.unwrap();
}

#[test]
fn failure_ends_its_call_only() {
    let served = check(
        r#"> {"call":"start"}
           < {"error":"it wants an argument"}
           > {"call":"resume","state":"!"}
           < {"error":"the state is not Base64: Invalid symbol 33, offset 0."}
           > {"call":"resume","state":"/w=="}
           < {"error":"the state is not text"}
           > {"call":"resume"}
           < {"error":"unknown call `resume`, or its fields are missing"}
           > {"call":"reconcile","event":{"type":"ADDED","object":{"kind":"T","namespace":"n","name":"a","resourceVersion":7}}}
           < {"error":"the object of the event has no spec"}
           > {"call":"reconcile","event":{"type":"LOST","object":{"kind":"T","namespace":"n","name":"a"}}}
           < {"error":"unknown event `LOST`"}
           > {"call":"reconcile","event":{"type":"ADDED","object":{"kind":"T","namespace":"n","name":"a","resourceVersion":7,"spec":{}}}}
           < {"plane":"apply","object":{"kind":"T","namespace":"n","name":"a","spec":{}}}
           > {"refused":"invalid","message":"not today"}
           < {"error":"not today"}
           > {"call":"suspend"}
           < {"done":{"state":""}}"#,
    );
    served.unwrap();
}

#[test]
fn malformed_call_ends_the_program() {
    for said in ["> {\"call\":1}", "> nonsense", "> {\"call\":\"start\",\"colour\":1}"] {
        let error = check(said).unwrap_err().to_string();
        assert!(error.starts_with("malformed message: "), "{error}");
    }
}
