//! A broker's message encoded as an entry: key, headers, timestamp and payload in a compact form.
//!
//! One byte says whether there is a key. Then follow the timestamp (zigzag, because it may be negative), the key's length
//! and bytes, the number of headers, length and bytes of each name and each value, and the payload up to the entry's end.
//! Numbers are in base 128, low group first (LEB128), in no more bytes than they need.

use crate::record::{Entry, Record, StreamId};

/// A message; its parts are borrowed from its maker, or from the record that it was read from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message<'a> {
    /// The key for partitioning or compaction; an empty key differs from none.
    pub key: Option<&'a [u8]>,
    /// Names and values, in order; a name may occur more than once.
    pub headers: Vec<(&'a str, &'a [u8])>,
    /// Nanoseconds since 1970, negative before.
    pub timestamp_ns: i64,
    /// Any bytes.
    pub payload: &'a [u8],
}

/// Why an entry is not a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    /// It has another kind.
    #[error("the entry has kind {found}, a message has {}", Message::KIND)]
    Kind {
        /// The entry's.
        found: u16,
    },
    /// It begins with a byte that no message has.
    #[error("the message begins with {found:#04x}, which is neither 0 nor 1")]
    Form {
        /// The byte.
        found: u8,
    },
    /// It ends before it is complete.
    #[error("the message ends at byte {at}, before it is complete")]
    Short {
        /// The entry's length.
        at: usize,
    },
    /// A number is longer than it may be, or than it needs to be.
    #[error("the number in front of byte {at} of the message is not in its shortest form")]
    Number {
        /// The position of its end.
        at: usize,
    },
    /// A header's name is not UTF-8.
    #[error("the header's name in front of byte {at} of the message is not UTF-8")]
    Name {
        /// The position of its end.
        at: usize,
    },
}

impl<'a> Message<'a> {
    /// The kind of an entry that is a message.
    pub const KIND: u16 = 1;

    /// The entry, with the payload encoded into `buffer`, which is emptied first.
    pub fn to_entry<'b>(&self, stream: StreamId, buffer: &'b mut Vec<u8>) -> Entry<'b> {
        buffer.clear();
        self.encode(buffer);
        Entry { stream, kind: Self::KIND, payload: buffer }
    }

    /// The message that a record holds; its parts are lent from the record.
    pub fn from_record(record: &Record<'a>) -> Result<Self, MessageError> {
        if record.kind != Self::KIND {
            return Err(MessageError::Kind { found: record.kind });
        }
        Self::decode(record.payload)
    }

    /// Adds the encoded message to `buffer`.
    pub fn encode(&self, buffer: &mut Vec<u8>) {
        let headers: usize = self.headers.iter().map(|(name, value)| name.len() + value.len() + 4).sum();
        buffer.reserve(16 + self.key.map_or(0, |key| key.len() + 5) + headers + self.payload.len());
        buffer.push(self.key.is_some().into());
        put_number(buffer, zigzag(self.timestamp_ns));
        if let Some(key) = self.key {
            put_bytes(buffer, key);
        }
        put_number(buffer, self.headers.len() as u64);
        for (name, value) in &self.headers {
            put_bytes(buffer, name.as_bytes());
            put_bytes(buffer, value);
        }
        buffer.extend_from_slice(self.payload);
    }

    /// The message that `bytes` encode.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, MessageError> {
        let mut reader = Reader { bytes, at: 0 };
        let form = reader.read_bytes(1)?[0];
        if form > 1 {
            return Err(MessageError::Form { found: form });
        }
        let timestamp_ns = unzigzag(reader.number()?);
        let key = if form == 1 { Some(reader.field()?) } else { None };
        let count = reader.number()?;
        // A header takes two bytes at least, so no message makes this reserve more than it has.
        let mut headers = Vec::with_capacity((count as usize).min(reader.rest().len() / 2));
        for _ in 0..count {
            let name = std::str::from_utf8(reader.field()?).map_err(|_| MessageError::Name { at: reader.at })?;
            headers.push((name, reader.field()?));
        }
        Ok(Self { key, headers, timestamp_ns, payload: reader.rest() })
    }
}

fn put_bytes(buffer: &mut Vec<u8>, bytes: &[u8]) {
    put_number(buffer, bytes.len() as u64);
    buffer.extend_from_slice(bytes);
}

fn put_number(buffer: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        buffer.push(number as u8 | 0x80);
        number >>= 7;
    }
    buffer.push(number as u8);
}

/// Small numbers for numbers that are close to zero on either side.
fn zigzag(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)) as u64
}

fn unzigzag(number: u64) -> i64 {
    (number >> 1) as i64 ^ -((number & 1) as i64)
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a [u8] {
        &self.bytes[self.at..]
    }

    fn read_bytes(&mut self, len: usize) -> Result<&'a [u8], MessageError> {
        let taken = self.rest().get(..len).ok_or(MessageError::Short { at: self.bytes.len() })?;
        self.at += len;
        Ok(taken)
    }

    fn field(&mut self) -> Result<&'a [u8], MessageError> {
        let len = self.number()?;
        self.read_bytes(usize::try_from(len).unwrap_or(usize::MAX))
    }

    fn number(&mut self) -> Result<u64, MessageError> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.read_bytes(1)?[0];
            let group = u64::from(byte & 0x7f);
            // The tenth group has one bit, and no group but the first may be zero where it is the last.
            if (shift == 63 && group > 1) || (byte == 0 && shift > 0) {
                break;
            }
            number |= group << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(MessageError::Number { at: self.at })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Parts = (Option<Vec<u8>>, Vec<(String, Vec<u8>)>, i64, Vec<u8>);

    fn parts() -> impl Strategy<Value = Parts> {
        let bytes = || prop::collection::vec(any::<u8>(), 0..200);
        let headers = prop::collection::vec(("\\PC{0,12}", bytes()), 0..5);
        (prop::option::of(bytes()), headers, any::<i64>(), bytes())
    }

    fn message(parts: &Parts) -> Message<'_> {
        let headers = parts.1.iter().map(|(name, value)| (name.as_str(), value.as_slice())).collect();
        Message { key: parts.0.as_deref(), headers, timestamp_ns: parts.2, payload: &parts.3 }
    }

    proptest! {
        #[test]
        fn message_round_trips(parts in parts()) {
            let message = message(&parts);
            let mut buffer = vec![1, 2, 3];
            let entry = message.to_entry(StreamId(9), &mut buffer);
            let record =
                Record { sequence: 0, stream: entry.stream, kind: entry.kind, payload: entry.payload };
            prop_assert_eq!(Message::from_record(&record), Ok(message));
        }

        #[test]
        fn decoded_bytes_encode_to_themselves(
            bytes in prop::collection::vec(prop_oneof![0_u8..4, any::<u8>()], 0..60),
        ) {
            if let Ok(message) = Message::decode(&bytes) {
                let mut buffer = Vec::new();
                message.encode(&mut buffer);
                prop_assert_eq!(buffer, bytes);
            }
        }

        #[test]
        fn truncated_message_is_an_error(parts in parts()) {
            let whole = message(&parts);
            let mut buffer = Vec::new();
            Message { payload: &[], ..whole }.encode(&mut buffer);
            for len in 0..buffer.len() {
                prop_assert!(Message::decode(&buffer[..len]).is_err());
            }
        }
    }

    #[test]
    fn errors_name_the_position() {
        let check = |bytes: &[u8], expect: &str| assert_eq!(Message::decode(bytes).unwrap_err().to_string(), expect);
        check(&[], "the message ends at byte 0, before it is complete");
        check(&[2, 0, 0], "the message begins with 0x02, which is neither 0 nor 1");
        check(&[0, 0x80, 0], "the number in front of byte 3 of the message is not in its shortest form");
        check(&[0, 0, 1, 1, 0xff, 0], "the header's name in front of byte 5 of the message is not UTF-8");
        let record = Record { sequence: 0, stream: StreamId(0), kind: 7, payload: &[] };
        let error = Message::from_record(&record).unwrap_err();
        assert_eq!(error.to_string(), "the entry has kind 7, a message has 1");
    }
}
