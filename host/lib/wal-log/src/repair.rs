//! Repairs the files of a damaged log as its policy says. It must not decide what is damaged.

use crate::directory::Directory;
use crate::header::{Activation, HEADER_BYTES};
use crate::record::{self, Flags, HEAD_BYTES, Head};
use crate::segment::Segment;
use crate::survey::{Content, SegmentFile};
use crate::{Config, LogError, Recovery, checksum};
use std::fs::File;
use std::ops::Range;
use std::path::PathBuf;

/// One repair. After one or several, the log is surveyed again.
#[derive(Clone, Debug)]
pub(crate) enum Repair {
    /// Leave it; the records are not damaged.
    Nothing,
    /// Give a file the length that its header says.
    Resize { path: PathBuf, bytes: u64 },
    /// Rename a file, so that no log finds it.
    SetAside { path: PathBuf },
    /// Note in a segment's header that records between it and the one before are lost.
    MarkGap { number: u64, lost: u64 },
    /// Turn a damaged range into a record of the lost sequences.
    Gap { number: u64, range: Range<usize>, sequence: u64, lost: u64 },
    /// Zero the rest of a segment, because nothing in it is usable.
    ZeroFrom { number: u64, offset: usize },
    /// Zero the rest of a segment and remove those behind it; the segment too, where the offset is zero.
    CutFrom { number: u64, offset: usize },
}

/// Repairs, and adds the losses to the report.
pub(crate) fn apply(
    repair: Repair,
    config: &Config,
    directory: &Directory,
    slots: &mut Vec<SegmentFile>,
    report: &mut Recovery,
) -> Result<(), LogError> {
    match repair {
        Repair::Nothing => Ok(()),
        Repair::Resize { path, bytes } => {
            let file = File::options().write(true).open(&path).map_err(LogError::system("open", &path))?;
            let resized = file.set_len(bytes).and_then(|()| config.boundary.allocate(&file, bytes));
            resized.map_err(LogError::system("fallocate", path))
        }
        Repair::SetAside { path } => directory.set_aside(&path),
        Repair::MarkGap { number, lost } => {
            report.skipped_records += lost;
            mark_gap(number, slots);
            Ok(())
        }
        Repair::Gap { number, range, sequence, lost } => {
            report.skipped_records += lost;
            report.skipped_bytes += range.len() as u64;
            if let Some(segment) = segment_mut(number, slots) {
                put_gap(segment, range, sequence, lost);
            }
            Ok(())
        }
        Repair::ZeroFrom { number, offset } => {
            if let Some(segment) = segment_mut(number, slots) {
                let end = segment.mapping().bytes();
                report.skipped_bytes += zero(segment, offset..end);
            }
            Ok(())
        }
        Repair::CutFrom { number, offset } => {
            if offset >= HEADER_BYTES
                && let Some(segment) = segment_mut(number, slots)
            {
                let end = segment.mapping().bytes();
                report.cut_bytes += zero(segment, offset..end);
            }
            let kept = slots.partition_point(|slot| slot.number < number + u64::from(offset >= HEADER_BYTES));
            for slot in slots.drain(kept..).rev() {
                report.removed_segments += 1;
                directory.remove(&slot.path)?;
            }
            Ok(())
        }
    }
}

fn segment_mut(number: u64, slots: &mut [SegmentFile]) -> Option<&mut Segment> {
    match &mut slots.iter_mut().find(|slot| slot.number == number)?.content {
        Content::Active(active) => Some(&mut active.segment),
        _ => None,
    }
}

fn mark_gap(number: u64, slots: &mut [SegmentFile]) {
    let slot = slots.iter_mut().find(|slot| slot.number == number);
    if let Some(Content::Active(active)) = slot.map(|slot| &mut slot.content) {
        let activation = Activation { follows_gap: true, ..active.activation };
        active.segment.activate(activation);
    }
}

/// Zeros the non-zero pages of a range; returns the number of bytes up to the last non-zero one.
pub(crate) fn zero(segment: &mut Segment, range: Range<usize>) -> u64 {
    let rest = &mut segment.bytes_mut()[range];
    let mut end = 0;
    for (index, chunk) in rest.chunks_mut(4096).enumerate() {
        // A page that is zero is not made dirty.
        if let Some(last) = chunk.iter().rposition(|byte| *byte != 0) {
            end = index * 4096 + last + 1;
            chunk[..=last].fill(0);
        }
    }
    end as u64
}

/// Writes a gap record whose payload is the damaged range.
fn put_gap(segment: &mut Segment, range: Range<usize>, sequence: u64, lost: u64) {
    let seed = segment.seed();
    let bytes = &mut segment.bytes_mut()[range];
    // No segment has so many records that their number needs more bits.
    let head = Head { sequence, stream: lost as u32, kind: 0, flags: Flags::GAP };
    let payload = bytes[HEAD_BYTES..].to_vec();
    checksum::dispatch(PutGap { bytes, seed, head, payload: &payload });
}

struct PutGap<'a> {
    bytes: &'a mut [u8],
    seed: checksum::Seed,
    head: Head,
    payload: &'a [u8],
}

impl checksum::Work for PutGap<'_> {
    type Output = ();

    #[inline(always)]
    fn run<C: checksum::Crc>(self, crc: C) {
        assert!(record::footprint(self.payload.len()) == self.bytes.len(), "the stretch starts and ends with a record");
        // SAFETY: the bytes are borrowed mutably and as many as the record takes. They start at a multiple of 8 from the
        // start of a mapping, as every record does.
        unsafe { record::put(crc, self.bytes.as_mut_ptr(), self.seed, self.head, self.payload) };
    }
}
