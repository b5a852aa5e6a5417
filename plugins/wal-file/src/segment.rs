//! One file of the log: its first sequence number, and the positions of its records.

use crate::record::{self, HEAD_BYTES};
use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::Path;

/// Bytes of the header of a segment: a record whose payload is its first sequence number.
pub(crate) const HEADER_BYTES: usize = HEAD_BYTES + size_of::<u64>();

/// The sequence number of a header, which no payload has.
const HEADER: u64 = u64::MAX;

#[derive(Debug)]
pub(crate) struct Segment {
    file: File,
    /// A handle of its own, so that writing need not seek.
    reader: File,
    first: u64,
    /// The position of each record, and of the next one. A segment fits in 32 bits.
    places: Vec<u32>,
}

impl Segment {
    /// Creates a file of `bytes` bytes whose first sequence number is `first`.
    pub(crate) fn create(path: &Path, bytes: u64, first: u64) -> io::Result<Self> {
        let file = File::options().read(true).write(true).create_new(true).open(path)?;
        file.set_len(bytes)?;
        let reader = File::open(path)?;
        let mut segment = Self { file, reader, first, places: Vec::new() };
        segment.begin(first)?;
        Ok(segment)
    }

    /// Opens a segment with its complete records; `None` if its header is damaged.
    pub(crate) fn open(path: &Path) -> io::Result<Option<Self>> {
        let mut file = File::options().read(true).write(true).open(path)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let header = record::decode(HEADER, &bytes).and_then(|header| header.try_into().ok());
        let Some(first) = header.map(u64::from_le_bytes) else { return Ok(None) };
        let mut places = vec![HEADER_BYTES as u32];
        let mut offset = HEADER_BYTES;
        while let Some(payload) = record::decode(first + places.len() as u64 - 1, &bytes[offset..]) {
            offset += HEAD_BYTES + payload.len();
            places.push(offset as u32);
        }
        file.seek(SeekFrom::Start(offset as u64))?;
        Ok(Some(Self { file, reader: File::open(path)?, first, places }))
    }

    /// Reuses the segment from sequence number `first` on. Old content stays until it is overwritten, but no longer
    /// counts as records.
    pub(crate) fn begin(&mut self, first: u64) -> io::Result<()> {
        let mut header = Vec::with_capacity(HEADER_BYTES);
        record::encode(HEADER, &first.to_le_bytes(), &mut header);
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(&header)?;
        self.first = first;
        self.places.clear();
        self.places.push(HEADER_BYTES as u32);
        Ok(())
    }

    /// Its first sequence number, even if it has no record.
    pub(crate) fn first(&self) -> u64 {
        self.first
    }

    /// The sequence number of the next record.
    pub(crate) fn next(&self) -> u64 {
        self.first + self.places.len() as u64 - 1
    }

    /// The position of the next record.
    pub(crate) fn end(&self) -> usize {
        self.places.last().map_or(HEADER_BYTES, |end| *end as usize)
    }

    /// Appends complete records, given the length of each.
    pub(crate) fn write(&mut self, records: &[u8], lengths: impl IntoIterator<Item = usize>) -> io::Result<()> {
        self.file.write_all(records)?;
        for length in lengths {
            self.places.push((self.end() + length) as u32);
        }
        Ok(())
    }

    /// Syncs the file.
    pub(crate) fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    /// Reads a record that it has into `buffer` and returns its payload.
    pub(crate) fn read<'b>(&mut self, sequence: u64, buffer: &'b mut Vec<u8>) -> io::Result<&'b [u8]> {
        let index = (sequence - self.first) as usize;
        let (start, end) = (self.places[index], self.places[index + 1]);
        buffer.resize((end - start) as usize, 0);
        self.reader.seek(SeekFrom::Start(start.into()))?;
        self.reader.read_exact(buffer)?;
        let damaged = || io::Error::new(ErrorKind::InvalidData, "checksum mismatch");
        record::decode(sequence, buffer).ok_or_else(damaged)
    }
}
