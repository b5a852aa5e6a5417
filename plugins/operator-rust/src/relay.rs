//! The operator itself: it applies the nonce of each object it sees to the object of the same name in the next namespace, and
//! counts them. It must not know where it runs.
//!
//! What it keeps while it is unloaded is text, a line each: `1` (the form), the namespace it watches, the one it writes to, how
//! many nonces it has handled, and the last of them, oldest first, with spaces between. The operator in Go keeps the same.

use bench_plugin::operator::{Event, Key, Operator, Plane, Watch};
use serde::Deserialize;
use std::collections::VecDeque;
use std::fmt::Write;

/// What is watched and written.
const KIND: &str = "TestResource";

/// How many of the last nonces are kept.
const NONCES_KEPT: usize = 16;

/// The first line of what is kept.
const FORM: &str = "1";

/// One link of the chain.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Relay {
    watched: String,
    applied: String,
    /// Nonces handled so far.
    count: u64,
    /// The last of them, oldest first.
    nonces: VecDeque<u64>,
    /// What is written next, kept for its room.
    spec: String,
}

/// What an object has to say. Fields that are not known are nobody's business here.
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
                .ok_or_else(|| format!("the argument `{wanted}` names no namespace"))
        };
        (self.watched, self.applied) = (argument("watch")?, argument("apply")?);
        Ok(vec![Watch { kind: KIND.to_owned(), namespace: self.watched.clone() }])
    }

    fn reconcile(&mut self, plane: &mut dyn Plane, event: Event<'_>) -> Result<(), String> {
        let (Event::Added(object) | Event::Modified(object)) = event else { return Ok(()) };
        let Spec { nonce } =
            serde_json::from_str(object.spec).map_err(|error| format!("{}: {error}", object.key.name))?;
        self.spec.clear();
        // Writing to a text cannot fail.
        let _ = write!(self.spec, r#"{{"nonce":{nonce},"count":{}}}"#, self.count + 1);
        let key = Key { kind: KIND, namespace: &self.applied, name: object.key.name };
        plane.apply(key, &self.spec).map_err(|error| format!("{}/{}: {error}", key.namespace, key.name))?;
        // Only what was applied is handled: after an error the same event comes again.
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
        *self = parse(state).ok_or("the state is not what an operator of this version keeps")?;
        Ok(())
    }
}

/// A line break would end its line in what is kept.
fn is_namespace(text: &str) -> bool {
    !text.is_empty() && !text.contains('\n')
}

/// An operator out of what it has kept, unless that is damaged or another version's.
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
