//! The rings of a session by name: both ends of a ring find it by the name that its producer gave it.

use crate::{Consumer, Integrity, Producer, Ring, RingError};
use std::collections::HashMap;

/// More rings than any scenario needs; each is memory that the session's limit does not count.
const RINGS_MAX: usize = 64;

/// The rings of one session.
#[derive(Debug, Default)]
pub struct Rings(HashMap<String, Ring>);

/// Why an end was not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The ring itself refused.
    #[error("ring `{name}`: {source}")]
    Ring {
        /// The ring.
        name: String,
        /// Why.
        source: RingError,
    },
    /// The name is taken by a ring of another shape.
    #[error("ring `{0}` is there already, with another capacity or integrity")]
    Shape(String),
    /// No producer has created it.
    #[error("there is no ring `{0}`; open its producer first")]
    Unknown(String),
    /// There are too many already.
    #[error("a session may have {RINGS_MAX} rings, and it has")]
    TooMany,
}

impl Rings {
    /// The writing end of the ring `name`, which is created where it is not there yet.
    pub fn producer(&mut self, name: &str, capacity: usize, integrity: Integrity) -> Result<Producer, OpenError> {
        let named = |source| OpenError::Ring { name: name.to_owned(), source };
        if !self.0.contains_key(name) {
            if self.0.len() >= RINGS_MAX {
                return Err(OpenError::TooMany);
            }
            self.0.insert(name.to_owned(), Ring::create(capacity, integrity).map_err(named)?);
        }
        let ring = &self.0[name];
        if ring.capacity() != capacity || ring.integrity() != integrity {
            return Err(OpenError::Shape(name.to_owned()));
        }
        ring.producer().map_err(named)
    }

    /// The reading end of the ring `name`.
    pub fn consumer(&mut self, name: &str) -> Result<Consumer, OpenError> {
        let ring = self.0.get(name).ok_or_else(|| OpenError::Unknown(name.to_owned()))?;
        ring.consumer().map_err(|source| OpenError::Ring { name: name.to_owned(), source })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ends_meet_by_name() {
        let mut rings = Rings::default();
        assert!(matches!(rings.consumer("a"), Err(OpenError::Unknown(_))));
        let mut producer = rings.producer("a", 4096, Integrity::None).unwrap();
        let mut consumer = rings.consumer("a").unwrap();
        producer.push(b"message").unwrap();
        assert_eq!(consumer.pop(<[u8]>::to_vec).unwrap().as_deref(), Some(&b"message"[..]));
        assert!(matches!(rings.producer("a", 8192, Integrity::None), Err(OpenError::Shape(_))));
        assert!(matches!(rings.producer("b", 5000, Integrity::None), Err(OpenError::Ring { .. })));
    }
}
