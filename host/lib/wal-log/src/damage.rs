//! What can be wrong with the files of a log, as recovery and readers find it.

use crate::LogId;
use crate::header::VERSION;
use std::fmt;
use std::path::PathBuf;

/// One damaged place of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The file.
    pub file: PathBuf,
    /// Bytes from the file's start.
    pub offset: u64,
    /// The damage.
    pub damage: Damage,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, byte {}: {}", self.file.display(), self.offset, self.damage)
    }
}

/// What is wrong with a file of a log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// The file is too short for a segment's header.
    #[error("the file has {bytes} bytes, fewer than a segment's header")]
    NoHeader {
        /// Its length.
        bytes: u64,
    },
    /// The header is all zeros.
    #[error("the segment's header is zero-filled")]
    ZeroFilled,
    /// The file is something else.
    #[error("the file is not a segment: it starts with {magic:#018x}")]
    NotASegment {
        /// The first eight bytes, little-endian.
        magic: u64,
    },
    /// The file was written by another version of this library.
    #[error("the segment has format version {found}, this build knows {VERSION}")]
    Version {
        /// The version in the file.
        found: u32,
    },
    /// The header's checksum does not fit it.
    #[error("the segment's header has CRC32C {found:#010x} and says {expected:#010x}")]
    Header {
        /// The checksum in the header.
        expected: u32,
        /// The computed checksum.
        found: u32,
    },
    /// The second half of the header has a checksum that does not fit it.
    #[error("the segment's activation has CRC32C {found:#010x} and says {expected:#010x}")]
    Activation {
        /// The checksum in the header.
        expected: u32,
        /// The computed checksum.
        found: u32,
    },
    /// The segment has no activation, but records, or successors that have one.
    #[error("the segment is in use, but its header does not say since which sequence")]
    NotActivated,
    /// The segment belongs to another log.
    #[error("the segment belongs to log {found}, this is log {expected}")]
    Foreign {
        /// The log in the header.
        found: LogId,
        /// The log of the directory.
        expected: LogId,
    },
    /// The file's name does not fit its header.
    #[error("the segment's header has number {found}, its name {expected}")]
    Renumbered {
        /// The number in the header.
        found: u64,
        /// The number in the name.
        expected: u64,
    },
    /// The file has another length than the segment.
    #[error("the file has {found} bytes, the segment {expected}")]
    Size {
        /// The length of the file.
        found: u64,
        /// The length in the header.
        expected: u64,
    },
    /// The file cannot be read.
    #[error("the file cannot be read: {reason}")]
    Unreadable {
        /// The error.
        reason: String,
    },
    /// Segments between two others are not there.
    #[error("segments {first} to {last} are missing in front of this one")]
    Missing {
        /// The first that is not there.
        first: u64,
        /// The last that is not there.
        last: u64,
    },
    /// A segment does not begin where the one before ends.
    #[error("the segment begins with sequence {found}, the one before ends in front of {expected}")]
    Gap {
        /// The next sequence after the segment before.
        expected: u64,
        /// The sequence in the header.
        found: u64,
    },
    /// A record is invalid, and valid records follow.
    #[error("record {sequence} {bad}, and valid records follow from byte {next_offset} (sequence {next_sequence})")]
    Record {
        /// The sequence that should be there.
        sequence: u64,
        /// What is wrong with it.
        bad: BadRecord,
        /// The offset of the next valid record.
        next_offset: u64,
        /// Its sequence.
        next_sequence: u64,
    },
    /// A record that was valid when it was written or recovered is invalid now. Only readers find this.
    #[error("record {sequence} {bad}, though it was valid when it was written or recovered")]
    Decayed {
        /// The sequence that should be there.
        sequence: u64,
        /// What is wrong with it.
        bad: BadRecord,
    },
    /// A segment was started before its predecessor. Only a thorough recovery checks this.
    #[error("the segment was started {earlier_ns} ns before its predecessor")]
    Time {
        /// The difference.
        earlier_ns: u64,
    },
    /// There are segments, but the log's identity file is missing or damaged.
    #[error("there are segments, but the file that names their log is missing or damaged")]
    NoIdentity,
    /// The file that keeps the heads of streams whose records are recycled is damaged.
    #[error("the heads of streams without records in the log cannot be read: {reason}")]
    Heads {
        /// The error.
        reason: String,
    },
}

/// What is wrong with a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadRecord {
    /// Nothing.
    #[error("is not there")]
    Empty,
    /// A length that no record has.
    #[error("has length {length}, with room for {room}")]
    Length {
        /// The length in the record.
        length: u32,
        /// Bytes to the segment's end.
        room: u64,
    },
    /// Altered content, or content from an earlier use of the file.
    #[error("has CRC32C {found:#010x} and says {expected:#010x}")]
    Checksum {
        /// The checksum in the record.
        expected: u32,
        /// The computed checksum.
        found: u32,
    },
    /// A record that belongs elsewhere.
    #[error("has sequence {found}")]
    Sequence {
        /// The sequence in the record.
        found: u64,
    },
    /// An entry or a commit record that does not fit the transaction around it.
    #[error("does not fit the transaction it stands in")]
    Transaction,
}
