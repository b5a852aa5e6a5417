//! Encodes histograms for run files, as HDR V2 in base64. They have three significant figures, so the relative error is at most 0.001.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::Histogram;

const SIGNIFICANT_FIGURES: u8 = 3;

/// The least value that is told from 0.
const LOWEST: u64 = 1;

/// The cookie at the beginning of an uncompressed V2 histogram.
const COOKIE: u32 = 0x1c84_9313;

/// Cookie, length, offset, significant figures, least and greatest value, ratio.
const HEADER_BYTES: usize = 4 * 4 + 3 * 8;

/// A number takes this many bytes at most, of which the last has eight bits and each other seven.
const NUMBER_BYTES_MAX: u32 = 9;

/// Slots of a bucket, as a power of two: twice as many tell three significant figures apart. Slots are one wide in the first two
/// buckets, and twice as wide in each further one.
const BUCKET_BITS: u32 = 10;

/// More samples than this are not those of a run. Sums of the counts of all processes are below 64 bits.
const SAMPLES_MAX: u64 = 1 << 53;

/// A histogram read back from a run file: the greatest value of each slot that has a count, and the count.
#[derive(Clone, Debug)]
pub struct RecordedHistogram(Vec<(u64, u64)>);

/// Text that is not a histogram.
#[derive(Debug, thiserror::Error)]
#[error("not an HDR V2 histogram in base64: {0}")]
pub struct HistogramError(String);

pub(crate) fn new() -> Histogram<u64> {
    // It resizes itself for larger values, so that no value is out of range.
    Histogram::new(SIGNIFICANT_FIGURES).expect("three significant figures are allowed")
}

/// The power of two by which the slots of `value` are wide.
fn width_bits(value: u64) -> u32 {
    (u64::BITS - value.leading_zeros()).saturating_sub(BUCKET_BITS + 1)
}

/// The slot that counts `value`.
fn slot_of(value: u64) -> u64 {
    let width = width_bits(value);
    (u64::from(width) << BUCKET_BITS) + (value >> width)
}

/// The greatest value that the slot counts, which must be one of [`slot_of`].
fn greatest_of(slot: u64) -> u64 {
    let width = (slot >> BUCKET_BITS).saturating_sub(1);
    let first = (slot - (width << BUCKET_BITS)) << width;
    first + ((1_u64 << width) - 1)
}

pub(crate) fn encode(histogram: &Histogram<u64>) -> String {
    let mut counts = Vec::new();
    let mut next = 0;
    for step in histogram.iter_recorded() {
        let slot = slot_of(step.value_iterated_to());
        match slot - next {
            0 => {}
            1 => write_number(&mut counts, 0),
            // So many slots have no count.
            empty => write_number(&mut counts, -(empty as i64)),
        }
        write_number(&mut counts, i64::try_from(step.count_at_value()).expect("counts fit the 63 bits of the format"));
        next = slot + 1;
    }
    if counts.is_empty() {
        write_number(&mut counts, 0);
    }
    let mut bytes = Vec::with_capacity(HEADER_BYTES + counts.len());
    for word in [COOKIE, counts.len() as u32, 0, u32::from(SIGNIFICANT_FIGURES)] {
        bytes.extend(word.to_be_bytes());
    }
    for long in [LOWEST, histogram.high(), 1.0f64.to_bits()] {
        bytes.extend(long.to_be_bytes());
    }
    bytes.extend(counts);
    STANDARD.encode(bytes)
}

/// Writes a number with its sign in the lowest bit, seven bits a byte from the lowest on.
fn write_number(bytes: &mut Vec<u8>, number: i64) {
    let mut rest = ((number << 1) ^ (number >> 63)) as u64;
    for _ in 1..NUMBER_BYTES_MAX {
        if rest < 0x80 {
            break;
        }
        bytes.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    bytes.push(rest as u8);
}

/// Reads a number from the beginning of `bytes`, and removes it there.
fn read_number(bytes: &mut &[u8]) -> Option<i64> {
    let mut number = 0;
    for index in 0..NUMBER_BYTES_MAX {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        let is_longest = index == NUMBER_BYTES_MAX - 1;
        number |= u64::from(if is_longest { byte } else { byte & 0x7f }) << (7 * index);
        if is_longest || byte < 0x80 {
            break;
        }
    }
    Some((number >> 1) as i64 ^ -((number & 1) as i64))
}

/// The greatest value of the header, if it is that of an uncompressed histogram like [`new`] with so many bytes of counts.
fn highest(header: &[u8], counts_bytes: usize) -> Option<u64> {
    let word = |at: usize| Some(u32::from_be_bytes(header.get(at..at + 4)?.try_into().ok()?));
    let long = |at: usize| Some(u64::from_be_bytes(header.get(at..at + 8)?.try_into().ok()?));
    let is_plain = word(0)? == COOKIE
        && word(4)? as usize == counts_bytes
        && word(8)? == 0
        && word(12)? == u32::from(SIGNIFICANT_FIGURES)
        && long(16)? == LOWEST
        && long(32)? == 1.0f64.to_bits();
    long(24).filter(|_| is_plain)
}

impl RecordedHistogram {
    /// Decodes the histogram of a series record.
    pub fn decode(text: &str) -> Result<Self, HistogramError> {
        let refused = |why: &str| HistogramError(why.to_owned());
        let bytes = STANDARD.decode(text).map_err(|error| HistogramError(error.to_string()))?;
        let (header, mut counts) = bytes.split_at(HEADER_BYTES.min(bytes.len()));
        let highest = highest(header, counts.len()).ok_or_else(|| refused("invalid header or length"))?;
        // A histogram has whole buckets, so that its greatest value need not be in the last slot.
        let end = ((u64::from(width_bits(highest)) + 1) << BUCKET_BITS) + (1_u64 << BUCKET_BITS);
        let (mut points, mut slot, mut samples) = (Vec::new(), 0, 0_u64);
        while !counts.is_empty() {
            let number = read_number(&mut counts).ok_or_else(|| refused("the last count is cut off"))?;
            match u64::try_from(number) {
                Err(_) => slot += number.unsigned_abs(),
                Ok(0) => slot += 1,
                Ok(count) => {
                    samples = samples.saturating_add(count);
                    points.push((slot, count));
                    slot += 1;
                }
            }
            if slot > end {
                return Err(refused("it has counts of values beyond its greatest"));
            }
        }
        if samples > SAMPLES_MAX {
            return Err(refused("it counts more samples than can be taken"));
        }
        points.iter_mut().for_each(|(slot, _)| *slot = greatest_of(*slot));
        Ok(Self(points))
    }

    /// The recorded values with their counts, ascending. A value stands for all values in its bucket.
    pub fn points(&self) -> impl Iterator<Item = (u64, u64)> {
        self.0.iter().copied()
    }

    /// The number of samples.
    pub fn count(&self) -> u64 {
        self.points().map(|(_, count)| count).fold(0, u64::saturating_add)
    }

    /// Whether these are the samples that it counts, as far as it tells values apart.
    pub fn counts(&self, samples: &[u64]) -> bool {
        let slots = || self.0.iter().map(|(value, _)| slot_of(*value));
        let (Some(first), Some(last)) = (slots().min(), slots().max()) else { return samples.is_empty() };
        let place = |value: u64| usize::try_from(slot_of(value).checked_sub(first)?).ok();
        let mut left = vec![0_u64; (last - first) as usize + 1];
        for (value, count) in self.points() {
            if let Some(place) = place(value) {
                left[place] = left[place].saturating_add(count);
            }
        }
        let are_there = samples.iter().all(|sample| match place(*sample).and_then(|place| left.get_mut(place)) {
            Some(count) if *count > 0 => {
                *count -= 1;
                true
            }
            _ => false,
        });
        are_there && left.iter().all(|count| *count == 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hdrhistogram::serialization::{Deserializer, Serializer, V2Serializer};
    use proptest::prelude::*;

    #[test]
    fn slots_have_values_up_to_the_greatest() {
        for value in [0, 1, 2047, 2048, 2049, 4095, 4096, u64::MAX / 2, u64::MAX] {
            let (slot, greatest) = (slot_of(value), greatest_of(slot_of(value)));
            assert!(value <= greatest && slot_of(greatest) == slot, "{value} is in slot {slot} up to {greatest}");
            assert!(
                greatest == u64::MAX || slot_of(greatest + 1) == slot + 1,
                "{greatest} is not the last of slot {slot}"
            );
        }
    }

    proptest! {
        #[test]
        fn text_is_that_of_the_library(
            values in proptest::collection::vec((0u64..1 << 62, 0u32..62, 1u64..1 << 20), 0..60),
        ) {
            let mut histogram = new();
            values.iter().for_each(|(value, bits, count)| histogram.record_n(value >> bits, *count).unwrap());
            let mut bytes = Vec::new();
            V2Serializer::new().serialize(&histogram, &mut bytes).unwrap();
            prop_assert_eq!(encode(&histogram), STANDARD.encode(&bytes));
            let read: Histogram<u64> = Deserializer::new().deserialize(&mut bytes.as_slice()).unwrap();
            let expect: Vec<_> = read.iter_recorded().map(|step| (step.value_iterated_to(), step.count_at_value())).collect();
            let points: Vec<_> = RecordedHistogram::decode(&encode(&histogram)).unwrap().points().collect();
            prop_assert_eq!(points, expect);
        }

        #[test]
        fn numbers_are_read_as_written(number in any::<i64>(), shift in 0u32..64) {
            let number = number >> shift;
            let mut bytes = Vec::new();
            write_number(&mut bytes, number);
            let mut rest = bytes.as_slice();
            prop_assert_eq!(read_number(&mut rest), Some(number));
            prop_assert!(rest.is_empty());
        }

        #[test]
        fn round_trip_keeps_counts_and_values_within_a_thousandth(values in proptest::collection::vec(0u64..1 << 50, 0..200)) {
            let mut histogram = new();
            values.iter().for_each(|value| histogram.record(*value).unwrap());
            let points: Vec<_> = RecordedHistogram::decode(&encode(&histogram)).unwrap().points().collect();
            prop_assert_eq!(points.iter().map(|point| point.1).sum::<u64>(), values.len() as u64);
            for value in values {
                let near = points.iter().any(|(point, _)| point.abs_diff(value) * 1000 <= value.max(1000));
                prop_assert!(near, "{} is not among {:?}", value, points);
            }
        }

        #[test]
        fn samples_are_counted_and_others_are_not(
            values in proptest::collection::vec((0u64..1 << 62, 0u32..62), 1..60), at: prop::sample::Index,
        ) {
            let mut samples: Vec<u64> = values.iter().map(|(value, bits)| value >> bits).collect();
            let mut histogram = new();
            samples.iter().for_each(|sample| histogram.record(*sample).unwrap());
            let recorded = RecordedHistogram::decode(&encode(&histogram)).unwrap();
            prop_assert_eq!(recorded.count(), samples.len() as u64);
            prop_assert!(recorded.counts(&samples));
            prop_assert!(!recorded.counts(&samples[1..]) && !recorded.counts(&[]));
            let place = at.index(samples.len());
            samples[place] = 2 * samples[place] + 1;
            prop_assert!(!recorded.counts(&samples), "{:?}", samples);
            samples.push(samples[0]);
            prop_assert!(!recorded.counts(&samples), "{:?}", samples);
        }

        #[test]
        fn arbitrary_bytes_are_decoded_or_refused(
            (low, high) in (prop_oneof![Just(LOWEST), any::<u64>()], any::<u64>()),
            counts in proptest::collection::vec(any::<u8>(), 0..60),
            announced in prop_oneof![Just(None), any::<u32>().prop_map(Some)],
        ) {
            let mut bytes = COOKIE.to_be_bytes().to_vec();
            bytes.extend(announced.unwrap_or(counts.len() as u32).to_be_bytes());
            bytes.extend([0; 4]);
            bytes.extend(u32::from(SIGNIFICANT_FIGURES).to_be_bytes());
            bytes.extend([low.to_be_bytes(), high.to_be_bytes(), 1.0f64.to_be_bytes()].concat());
            bytes.extend(&counts);
            let decoded = RecordedHistogram::decode(&STANDARD.encode(&bytes));
            prop_assert!(decoded.is_err() || announced.is_none_or(|len| len as usize == counts.len()));
            if let Ok(histogram) = decoded {
                prop_assert!(histogram.points().count() <= counts.len());
            }
        }
    }

    #[test]
    fn number_of_samples_is_bounded() {
        let decoded = |counts: &[u64]| {
            let mut histogram = new();
            counts.iter().zip(1..).for_each(|(count, value)| histogram.record_n(value, *count).unwrap());
            RecordedHistogram::decode(&encode(&histogram)).map(|found| found.points().count())
        };
        assert_eq!(decoded(&[SAMPLES_MAX - 1, 1]).unwrap(), 2);
        let error = decoded(&[SAMPLES_MAX, 1]).unwrap_err().to_string();
        assert!(error.contains("more samples than can be taken"), "{error}");
    }

    #[test]
    fn invalid_base64_is_an_error() {
        assert!(RecordedHistogram::decode("not base64!").is_err());
        assert!(RecordedHistogram::decode("AAAA").is_err());
        let mut bytes = STANDARD.decode(encode(&new())).unwrap();
        bytes.extend([0xff; 9]);
        bytes[7] += 9;
        assert!(RecordedHistogram::decode(&STANDARD.encode(bytes)).is_err());
    }
}
