//! A histogram as it is written: HDR V2, base64. Three significant figures, so a value is known within one part in 1000.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Deserializer, Serializer, V2Serializer};

/// A histogram read back from a run file.
#[derive(Clone, Debug)]
pub struct RecordedHistogram(Histogram<u64>);

/// Text that is no histogram.
#[derive(Debug, thiserror::Error)]
#[error("not an HDR V2 histogram in base64: {0}")]
pub struct HistogramError(String);

pub(crate) fn new() -> Histogram<u64> {
    // Resizes itself as larger values come, so no value is out of range.
    Histogram::new(3).expect("three significant figures are allowed")
}

pub(crate) fn encode(histogram: &Histogram<u64>) -> String {
    let mut bytes = Vec::new();
    // Writing into a vector fails only where a count does not fit the format's 63 bits.
    V2Serializer::new().serialize(histogram, &mut bytes).expect("counts fit the format");
    STANDARD.encode(bytes)
}

impl RecordedHistogram {
    /// Reads what a series record holds.
    pub fn decode(text: &str) -> Result<Self, HistogramError> {
        let bytes = STANDARD.decode(text).map_err(|error| HistogramError(error.to_string()))?;
        Deserializer::new()
            .deserialize(&mut bytes.as_slice())
            .map(Self)
            .map_err(|error| HistogramError(error.to_string()))
    }

    /// The recorded values with their counts, ascending. A value stands for all those within its bucket.
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
        fn the_round_trip_keeps_counts_and_values_within_a_thousandth(values in proptest::collection::vec(0u64..1 << 50, 0..200)) {
            let mut histogram = new();
            values.iter().for_each(|value| histogram.record(*value).unwrap());
            let points: Vec<_> = RecordedHistogram::decode(&encode(&histogram)).unwrap().points().collect();
            prop_assert_eq!(points.iter().map(|point| point.1).sum::<u64>(), values.len() as u64);
            for value in values {
                let near = points.iter().any(|(point, _)| point.abs_diff(value) * 1000 <= value.max(1000));
                prop_assert!(near, "{} is not among {:?}", value, points);
            }
        }
    }

    #[test]
    fn garbage_is_an_error() {
        assert!(RecordedHistogram::decode("not base64!").is_err());
        assert!(RecordedHistogram::decode("AAAA").is_err());
    }
}
