//! The operator: it copies the token of each object that it sees to the object of the same name in the next namespace,
//! and counts them.
//!
//! Its state while it is unloaded is text with a line each: `1` (the version), the namespace that it watches, the one
//! that it writes to, the number of tokens, and the last tokens, oldest first, separated by spaces. The operator in Go
//! uses the same format.

use bench_plugin::operator::{Event, Key, Operator, Plane, Watch};
use serde::Deserialize;
use std::collections::VecDeque;
use std::fmt::Write;

/// The kind of objects that it watches and writes.
const KIND: &str = "TestResource";

/// How many of the last tokens are kept.
const NONCES_KEPT: usize = 16;

/// The first line of the state, its version.
const FORM: &str = "1";

/// One link of the chain.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Relay {
    watched: String,
    applied: String,
    /// Tokens handled so far.
    count: u64,
    /// The last tokens, oldest first.
    nonces: VecDeque<u64>,
    /// The spec that is written next, kept to reuse its allocation.
    spec: String,
}

/// The spec of an object. Unknown fields are ignored.
#[derive(Deserialize)]
struct Spec {
    nonce: u64,
}

impl Operator for Relay {
    fn start(&mut self, _plane: &mut dyn Plane, arguments: &[(String, String)]) -> Result<Vec<Watch>, String> {
        let argument = |wanted: &str| {
            let found = arguments.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.clone());
            found
                .filter(|value| is_namespace(value))
                .ok_or_else(|| format!("the argument `{wanted}` is not a valid namespace"))
        };
        (self.watched, self.applied) = (argument("watch")?, argument("apply")?);
        Ok(vec![Watch { kind: KIND.to_owned(), namespace: self.watched.clone() }])
    }

    fn reconcile(&mut self, plane: &mut dyn Plane, event: Event<'_>) -> Result<(), String> {
        let (Event::Added(object) | Event::Modified(object)) = event else { return Ok(()) };
        let Spec { nonce } =
            serde_json::from_str(object.spec).map_err(|error| format!("{}: {error}", object.key.name))?;
        self.spec.clear();
        // Writing to a string cannot fail.
        let _ = write!(self.spec, r#"{{"nonce":{nonce},"count":{}}}"#, self.count + 1);
        let key = Key { kind: KIND, namespace: &self.applied, name: object.key.name };
        plane.apply(key, &self.spec).map_err(|error| format!("{}/{}: {error}", key.namespace, key.name))?;
        // Counts only after the write: after an error the same event is delivered again.
        self.count += 1;
        if self.nonces.len() == NONCES_KEPT {
            self.nonces.pop_front();
        }
        self.nonces.push_back(nonce);
        Ok(())
    }

    fn suspend(&mut self) -> Vec<u8> {
        let nonces: Vec<_> = self.nonces.iter().map(u64::to_string).collect();
        format!("{FORM}\n{}\n{}\n{}\n{}", self.watched, self.applied, self.count, nonces.join(" ")).into_bytes()
    }

    fn resume(&mut self, state: &[u8]) -> Result<(), String> {
        *self = parse(state).ok_or("the state is damaged or of another version")?;
        Ok(())
    }
}

/// Refuses line breaks too, because they would end the line in the state.
fn is_namespace(text: &str) -> bool {
    !text.is_empty() && !text.contains('\n')
}

/// Parses a state; `None` if it is damaged or of another version.
fn parse(state: &[u8]) -> Option<Relay> {
    let lines: Vec<&str> = std::str::from_utf8(state).ok()?.split('\n').collect();
    let [FORM, watched, applied, count, nonces] = lines[..] else { return None };
    let count: u64 = count.parse().ok()?;
    let nonces: VecDeque<u64> = nonces.split_ascii_whitespace().map(str::parse).collect::<Result<_, _>>().ok()?;
    let is_whole = is_namespace(watched) && is_namespace(applied);
    let expected = count.min(NONCES_KEPT as u64) as usize;
    let relay = Relay { watched: watched.to_owned(), applied: applied.to_owned(), count, nonces, spec: String::new() };
    (is_whole && relay.nonces.len() == expected).then_some(relay)
}

#[cfg(test)]
mod tests;
