//! The sink of one session, in memory. It accepts only the metrics that the scenario declares.

use crate::Series;
use bench_model::Metric;

/// Maximum number of series of a session, more than any table can show.
const SERIES_MAX: usize = 1_000;

/// The series of a session, numbered in the order of opening.
#[derive(Clone, Debug, Default)]
pub struct Sink {
    declared: Vec<Metric>,
    series: Vec<Series>,
}

/// The number of a series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeriesId(pub u32);

/// The reason why a series was not opened or a sample was not recorded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SinkError {
    /// The descriptor does not declare the metric.
    #[error("metric `{0}` is not declared by the scenario")]
    Undeclared(String),
    /// The label names or their order differ from the declaration.
    #[error("metric `{metric}` has the labels [{declared}], not [{given}]")]
    Labels {
        /// The metric.
        metric: String,
        /// The label names that the descriptor declares.
        declared: String,
        /// The given label names.
        given: String,
    },
    /// The session has too many series.
    #[error("the session has already opened {SERIES_MAX} series, which is the maximum; use fewer label values")]
    TooMany,
    /// No series has this number.
    #[error("no series has the number {0}; open it first")]
    Unknown(u32),
}

impl Sink {
    /// A sink that accepts series of the metrics `declared`.
    pub fn new(declared: &[Metric]) -> Self {
        Self { declared: declared.to_vec(), series: Vec::new() }
    }

    /// Opens a series; opening the same metric with the same labels again continues it.
    pub fn open(&mut self, metric: &str, labels: &[(String, String)]) -> Result<SeriesId, SinkError> {
        let declared = self.declared.iter().find(|declared| declared.name == metric);
        let declared = declared.ok_or_else(|| SinkError::Undeclared(metric.to_owned()))?;
        let given: Vec<_> = labels.iter().map(|(name, _)| name.as_str()).collect();
        if declared.labels != given {
            return Err(SinkError::Labels {
                metric: metric.to_owned(),
                declared: declared.labels.join(", "),
                given: given.join(", "),
            });
        }
        let known = self.series.iter().position(|series| series.metric == metric && series.labels == labels);
        let index = match known {
            Some(index) => index,
            None if self.series.len() >= SERIES_MAX => return Err(SinkError::TooMany),
            None => {
                let mut series = Series::new(metric, declared.unit.clone(), declared.direction);
                series.labels = labels.to_vec();
                self.series.push(series);
                self.series.len() - 1
            }
        };
        Ok(SeriesId(index as u32))
    }

    /// Records `samples` in order.
    #[inline]
    pub fn append(&mut self, id: SeriesId, samples: &[u64]) -> Result<(), SinkError> {
        let series = self.series.get_mut(id.0 as usize).ok_or(SinkError::Unknown(id.0))?;
        samples.iter().for_each(|sample| series.record(*sample));
        Ok(())
    }

    /// The series, in the order of opening.
    pub fn series(&self) -> &[Series] {
        &self.series
    }

    /// Removes all samples; the numbers of the series stay valid.
    pub fn clear(&mut self) {
        self.series.iter_mut().for_each(Series::clear);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RAW_SAMPLES_MAX;
    use bench_model::Unit;

    fn sink() -> Sink {
        Sink::new(&[Metric::new("lag", Unit::Nanoseconds, "").label("side")])
    }

    fn side(name: &str) -> Vec<(String, String)> {
        vec![("side".to_owned(), name.to_owned())]
    }

    #[test]
    fn opening_a_series_again_returns_the_same_number() {
        let mut sink = sink();
        let left = sink.open("lag", &side("left")).unwrap();
        let right = sink.open("lag", &side("right")).unwrap();
        assert_ne!(left, right);
        assert_eq!(sink.open("lag", &side("left")), Ok(left));
        sink.append(left, &[1, 2]).unwrap();
        sink.append(left, &[3]).unwrap();
        assert_eq!(sink.series()[0].raw(), Some(&[1, 2, 3][..]));
        assert_eq!(sink.series()[1].count(), 0);
    }

    #[test]
    fn undeclared_metric_or_label_is_refused() {
        let mut sink = sink();
        assert_eq!(sink.open("lead", &[]), Err(SinkError::Undeclared("lead".to_owned())));
        let error = sink.open("lag", &[]).unwrap_err();
        assert_eq!(error.to_string(), "metric `lag` has the labels [side], not []");
        assert_eq!(sink.append(SeriesId(7), &[1]), Err(SinkError::Unknown(7)));
    }

    #[test]
    fn number_of_series_is_bounded() {
        let mut sink = sink();
        for index in 0..SERIES_MAX {
            sink.open("lag", &side(&index.to_string())).unwrap();
        }
        assert_eq!(sink.open("lag", &side("one more")), Err(SinkError::TooMany));
        assert!(sink.open("lag", &side("0")).is_ok());
    }

    #[test]
    fn only_the_histogram_has_samples_beyond_the_maximum() {
        let mut sink = sink();
        let id = sink.open("lag", &side("left")).unwrap();
        sink.append(id, &vec![5; RAW_SAMPLES_MAX]).unwrap();
        assert_eq!(sink.series()[0].raw().map(<[u64]>::len), Some(RAW_SAMPLES_MAX));
        sink.append(id, &[5, u64::MAX]).unwrap();
        assert_eq!(sink.series()[0].raw(), None);
        assert_eq!(sink.series()[0].count(), RAW_SAMPLES_MAX as u64 + 2);
        sink.clear();
        assert_eq!((sink.series()[0].count(), sink.series()[0].raw()), (0, Some(&[][..])));
    }
}
