//! The sink of one session, in memory. It accepts only the metrics that the scenario declares.

use crate::Series;
use bench_model::Metric;

/// Maximum number of series of a session, more than any table can show.
pub const SERIES_MAX: usize = 1_000;

/// Maximum size of the label values of one series, in bytes.
pub const LABEL_BYTES_MAX: usize = 1_024;

/// Maximum number of raw samples that all series of a session keep together, so that many long series do not fill the memory.
/// Samples beyond it are only in the histograms.
pub const KEPT_SAMPLES_MAX: usize = 16_000_000;

/// The series of a session, numbered in the order of opening.
#[derive(Clone, Debug)]
pub struct Sink {
    declared: Vec<Metric>,
    series: Vec<Series>,
    /// Why the first series that was refused was.
    refused: Option<SinkError>,
    /// How many more raw samples are kept.
    room: usize,
    room_max: usize,
}

impl Default for Sink {
    fn default() -> Self {
        Self::new(&[])
    }
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
    /// The label values are too long.
    #[error(
        "metric `{metric}` was opened with label values of {bytes} bytes, and the maximum is {LABEL_BYTES_MAX}; shorten them"
    )]
    LongLabels {
        /// The metric.
        metric: String,
        /// The size of the values.
        bytes: usize,
    },
    /// No series has this number.
    #[error("no series has the number {0}; open it first")]
    Unknown(u32),
}

impl Sink {
    /// A sink that accepts series of the metrics `declared`.
    pub fn new(declared: &[Metric]) -> Self {
        let (room, room_max) = (KEPT_SAMPLES_MAX, KEPT_SAMPLES_MAX);
        Self { declared: declared.to_vec(), series: Vec::new(), refused: None, room, room_max }
    }

    /// Opens a series; opening the same metric with the same labels again continues it.
    pub fn open(&mut self, metric: &str, labels: &[(String, String)]) -> Result<SeriesId, SinkError> {
        let opened = self.series_of(metric, labels);
        if let Err(error) = &opened {
            self.refused.get_or_insert_with(|| error.clone());
        }
        opened
    }

    /// Why a series was not opened, which the module may have ignored; of several the first.
    pub fn refused(&self) -> Option<&SinkError> {
        self.refused.as_ref()
    }

    fn series_of(&mut self, metric: &str, labels: &[(String, String)]) -> Result<SeriesId, SinkError> {
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
        let bytes = labels.iter().map(|(_, value)| value.len()).sum();
        if bytes > LABEL_BYTES_MAX {
            return Err(SinkError::LongLabels { metric: metric.to_owned(), bytes });
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
        let before = series.kept();
        if samples.len() <= self.room {
            samples.iter().for_each(|sample| series.record(*sample));
        } else {
            samples.iter().for_each(|sample| series.count_only(*sample));
        }
        self.room = self.room.saturating_sub(series.kept() - before);
        Ok(())
    }

    /// The series, in the order of opening.
    pub fn series(&self) -> &[Series] {
        &self.series
    }

    /// Removes all samples; the numbers of the series stay valid.
    pub fn clear(&mut self) {
        self.series.iter_mut().for_each(Series::clear);
        self.room = self.room_max;
    }

    /// The sink without the samples of `metric`; the numbers of the series stay valid.
    #[must_use]
    pub fn without(mut self, metric: &str) -> Self {
        self.series.iter_mut().filter(|series| series.metric == metric).for_each(Series::clear);
        self
    }

    /// Removes the samples that `earlier`, which is a copy of this sink, does not have; the numbers of the series stay valid, also of those
    /// that were opened since.
    pub fn return_to(&mut self, earlier: &Self) {
        for (index, series) in self.series.iter_mut().enumerate() {
            match earlier.series.get(index) {
                Some(earlier) => series.return_to(earlier),
                None => series.clear(),
            }
        }
        self.room = earlier.room;
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
        assert_eq!(sink.refused(), None);
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
        sink.clear();
        assert_eq!(sink.refused(), Some(&SinkError::Undeclared("lead".to_owned())), "the first is kept");
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
    fn label_values_are_bounded() {
        let mut sink = sink();
        assert!(sink.open("lag", &side(&"x".repeat(LABEL_BYTES_MAX))).is_ok());
        let error = sink.open("lag", &side(&"x".repeat(LABEL_BYTES_MAX + 1))).unwrap_err();
        assert_eq!(error, SinkError::LongLabels { metric: "lag".to_owned(), bytes: LABEL_BYTES_MAX + 1 });
        assert!(error.to_string().len() < 200, "{error}");
    }

    #[test]
    fn kept_samples_of_all_series_are_bounded() {
        let mut sink = Sink { room: 4, room_max: 4, ..sink() };
        let ids = ["a", "b", "c"].map(|name| sink.open("lag", &side(name)).unwrap());
        ids.iter().for_each(|id| sink.append(*id, &[5, 6]).unwrap());
        let kept: Vec<_> = sink.series().iter().map(|series| series.raw().map(<[u64]>::len)).collect();
        assert_eq!(kept, [Some(2), Some(2), None]);
        assert!(sink.series().iter().all(|series| series.count() == 2), "none is lost");
        sink.clear();
        sink.append(ids[2], &[5]).unwrap();
        assert_eq!(sink.series()[2].raw(), Some(&[5][..]));
    }

    #[test]
    fn sink_that_returns_to_a_copy_has_its_samples_and_further_series() {
        let mut sink = sink();
        let (left, none) = (sink.open("lag", &side("left")).unwrap(), sink.open("lag", &side("none")).unwrap());
        sink.append(left, &[7, 1 << 40]).unwrap();
        assert!(sink.clone().without("lag").series().iter().all(|series| series.count() == 0));
        let earlier = sink.clone().without("lead");
        sink.append(left, &[8, 9]).unwrap();
        sink.append(none, &[5]).unwrap();
        let right = sink.open("lag", &side("right")).unwrap();
        sink.append(right, &[1]).unwrap();
        sink.return_to(&earlier);
        let kept: Vec<_> = sink.series().iter().map(|series| (series.count(), series.raw())).collect();
        assert_eq!(kept, [(2, Some(&[7, 1 << 40][..])), (0, Some(&[][..])), (0, Some(&[][..]))]);
        assert_eq!((sink.series()[0].greatest(), sink.room), (1 << 40, earlier.room));
        assert_eq!(sink.open("lag", &side("right")), Ok(right));
        sink.append(right, &[2]).unwrap();
        assert_eq!(sink.series()[2].raw(), Some(&[2][..]));
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
