//! The rings of a session by name: both ends of a ring find it by the name that its producer gave it.

use crate::{Consumer, Integrity, Producer, Ring, RingError};
use std::collections::HashMap;

/// The most rings of a session; their memory does not count towards the session's limit.
pub const RINGS_MAX: usize = 64;

/// The most bytes of all rings of a session.
pub const RING_BYTES_MAX: usize = 256 << 20;

/// The rings of one session.
#[derive(Debug, Default)]
pub struct Rings(HashMap<String, Ring>);

/// Why an end was not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The ring cannot be opened.
    #[error("ring `{name}`: {source}")]
    Ring {
        /// The ring.
        name: String,
        /// The error.
        source: RingError,
    },
    /// A ring of that name has another capacity or integrity.
    #[error("ring `{0}` exists with another capacity or integrity; open it with the same ones")]
    Shape(String),
    /// No producer has created it.
    #[error("there is no ring `{0}`; open its producer first")]
    Unknown(String),
    /// The session has too many rings.
    #[error("the session already has {RINGS_MAX} rings, the most allowed; use one of them by its name")]
    TooMany,
    /// The rings of the session would be too large.
    #[error("ring `{name}`: the rings of a session have at most {} MiB together; open fewer or smaller ones", RING_BYTES_MAX >> 20)]
    TooLarge {
        /// The ring.
        name: String,
    },
}

impl Rings {
    /// Opens the writing end of the ring `name`, which is created where it is missing.
    pub fn producer(&mut self, name: &str, capacity: usize, integrity: Integrity) -> Result<Producer, OpenError> {
        let named = |source| OpenError::Ring { name: name.to_owned(), source };
        if !self.0.contains_key(name) {
            if self.0.len() >= RINGS_MAX {
                return Err(OpenError::TooMany);
            }
            let bytes = self.0.values().map(Ring::capacity).fold(capacity, usize::saturating_add);
            if bytes > RING_BYTES_MAX {
                return Err(OpenError::TooLarge { name: name.to_owned() });
            }
            self.0.insert(name.to_owned(), Ring::create(capacity, integrity).map_err(named)?);
        }
        let ring = &self.0[name];
        if ring.capacity() != capacity || ring.integrity() != integrity {
            return Err(OpenError::Shape(name.to_owned()));
        }
        ring.producer().map_err(named)
    }

    /// Opens the reading end of the ring `name`.
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
        assert!(matches!(rings.producer("b", RING_BYTES_MAX, Integrity::None), Err(OpenError::TooLarge { .. })));
    }

    #[test]
    fn number_of_rings_is_bounded() {
        let mut rings = Rings::default();
        for number in 0..RINGS_MAX {
            rings.producer(&number.to_string(), 4096, Integrity::None).unwrap();
        }
        assert!(matches!(rings.producer("one more", 4096, Integrity::None), Err(OpenError::TooMany)));
        rings.consumer("0").unwrap();
    }
}
