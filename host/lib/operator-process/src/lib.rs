//! An operator as a process of its own, which talks to the control plane through the socket that is its standard input: the
//! protocol, and the operator's side of it.
//!
//! # Protocol
//! Both ends send one JSON object a line. The host calls, the program may ask the control plane any number of times, each
//! question answered before the next, and then ends the call:
//!
//! ```text
//! host:    {"call":"start","arguments":[["watch","chain-0"],["apply","chain-1"]]}
//! program: {"done":{"watches":[{"kind":"TestResource","namespace":"chain-0"}]}}
//! host:    {"call":"reconcile","event":{"type":"ADDED","object":{"kind":"TestResource","namespace":"chain-0","name":"a","resourceVersion":7,"spec":{"nonce":1}}}}
//! program: {"plane":"apply","object":{"kind":"TestResource","namespace":"chain-1","name":"a","spec":{"nonce":1,"count":1}}}
//! host:    {"object":{"kind":"TestResource","namespace":"chain-1","name":"a","resourceVersion":8,"spec":{"count":1,"nonce":1}}}
//! program: {"done":{}}
//! host:    {"call":"suspend"}
//! program: {"done":{"state":"MQ=="}}
//! ```
//!
//! Calls are `start`, `reconcile` (`ADDED`, `MODIFIED`, `DELETED`, the last without a spec), `suspend`, and `resume` with a
//! `state` in Base64. Questions are `get`, `apply`, `create`, `update` (with the `resourceVersion` to be replaced) and
//! `delete`. Answers are an `object`, `{"removed":true}`, or `{"refused":"notFound"|"conflict"|"invalid"|"unavailable"}` with
//! the `version` of a conflict or a `message`. A failed call ends with `{"error":"why"}`. The program ends when the socket is
//! closed. With `--describe`, it prints its descriptor as JSON instead.

mod line;
mod lines;
mod program;

pub use line::{Answer, Call, Done, EventLine, ObjectLine, Reply, Unreadable, WatchLine, decode_state, encode_state};
pub use lines::{LINE_BYTES_MAX, Lines};
pub use program::{main, serve};
