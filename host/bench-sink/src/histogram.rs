//! Encodes histograms for run files, as HDR V2 in base64. They have three significant figures, so the relative error is at most 0.001.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Deserializer, Serializer, V2Serializer};

const SIGNIFICANT_FIGURES: u8 = 3;

/// The cookie at the beginning of an uncompressed V2 histogram.
const COOKIE: u32 = 0x1c84_9313;

/// Cookie, length, offset, significant figures, least and greatest value, ratio.
const HEADER_BYTES: usize = 4 * 4 + 3 * 8;

/// A histogram read back from a run file.
#[derive(Clone, Debug)]
pub struct RecordedHistogram(Histogram<u64>);

/// Text that is not a histogram.
#[derive(Debug, thiserror::Error)]
#[error("not an HDR V2 histogram in base64: {0}")]
pub struct HistogramError(String);

pub(crate) fn new() -> Histogram<u64> {
    // It resizes itself for larger values, so that no value is out of range.
    Histogram::new(SIGNIFICANT_FIGURES).expect("three significant figures are allowed")
}

pub(crate) fn encode(histogram: &Histogram<u64>) -> String {
    let mut bytes = Vec::new();
    // Writing to a vector fails only if a count does not fit into the 63 bits of the format.
    V2Serializer::new().serialize(histogram, &mut bytes).expect("counts fit the format");
    STANDARD.encode(bytes)
}

/// Whether the bytes are an uncompressed histogram with three significant figures whose length is that in the header. The
/// deserializer allocates the length in the header without checking it, and would unpack a compressed histogram of any size.
fn is_plain(bytes: &[u8]) -> bool {
    let Some((header, counts)) = bytes.split_at_checked(HEADER_BYTES) else { return false };
    let number = |at: usize| u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
    // The deserializer negates counts, and the smallest integer cannot be negated.
    let is_readable = !counts.windows(9).any(|window| window == [0xff; 9]);
    number(0) == COOKIE
        && number(4) as usize == counts.len()
        && number(12) == u32::from(SIGNIFICANT_FIGURES)
        && is_readable
}

impl RecordedHistogram {
    /// Decodes the histogram of a series record.
    pub fn decode(text: &str) -> Result<Self, HistogramError> {
        let bytes = STANDARD.decode(text).map_err(|error| HistogramError(error.to_string()))?;
        if !is_plain(&bytes) {
            return Err(HistogramError("invalid header or length".to_owned()));
        }
        Deserializer::new()
            .deserialize(&mut bytes.as_slice())
            .map(Self)
            .map_err(|error| HistogramError(error.to_string()))
    }

    /// The recorded values with their counts, ascending. A value stands for all values in its bucket.
    pub fn points(&self) -> impl Iterator<Item = (u64, u64)> {
        self.0.iter_recorded().map(|step| (step.value_iterated_to(), step.count_at_value()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
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
        fn arbitrary_bytes_are_decoded_or_refused(
            (low, high) in (any::<u64>(), any::<u64>()),
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
    fn invalid_base64_is_an_error() {
        assert!(RecordedHistogram::decode("not base64!").is_err());
        assert!(RecordedHistogram::decode("AAAA").is_err());
        let mut bytes = STANDARD.decode(encode(&new())).unwrap();
        bytes.extend([0xff; 9]);
        bytes[7] += 9;
        assert!(RecordedHistogram::decode(&STANDARD.encode(bytes)).is_err());
    }
}
