//! Bencher Metric Format: an object of benchmarks, each an object of measures with a value and, where there is an interval, its ends.
//! <https://bencher.dev/docs/reference/bencher-metric-format/>

use super::cells::{interval, name};
use crate::json::{Pairs, significant};
use crate::render::print;
use crate::{CellView, RunView, SeriesView, escape};
use bench_model::Unit;
use bench_sink::digest;
use serde::Serialize;
use serde_json::Number;
use std::collections::BTreeMap;

#[derive(Serialize)]
struct Metric {
    value: Number,
    #[serde(skip_serializing_if = "Option::is_none")]
    lower_value: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    upper_value: Option<Number>,
}

/// Bytes of the names of a benchmark and of a measure.
const BENCHMARK_MAX: usize = 1024;
const MEASURE_MAX: usize = 64;

/// The measure of the timed series, in nanoseconds.
const LATENCY: &str = "latency";

/// The measures that every project has, each in a unit of its own.
const BUILT_IN: [&str; 4] = [LATENCY, "throughput", "build-time", "file-size"];

/// Every series of every cell of `view` that has figures. The value is the median, or the mean of too few samples for one; its ends are
/// those of the interval over processes, and hold the value. The timed series is the measure `latency`, in nanoseconds.
pub fn bencher_json(view: &RunView) -> String {
    let (mut benchmarks, mut measures) = (Names::benchmarks(), Names::measures());
    let mut all = Vec::new();
    for cell in &view.cells {
        let figures = cell.series.iter().filter_map(|series| Some((series, metric(series)?)));
        let figures: Vec<(String, Metric)> =
            figures.map(|(series, metric)| (measure(&mut measures, cell, series), metric)).collect();
        if !figures.is_empty() {
            all.push((benchmarks.of(&name(view, cell), &cell.cell.to_string()), Pairs(figures)));
        }
    }
    print(&Pairs(all))
}

fn measure(names: &mut Names, cell: &CellView, series: &SeriesView) -> String {
    if cell.is_timed(series) && series.unit == Unit::Nanoseconds {
        return LATENCY.to_owned();
    }
    let title = series.title();
    names.of(&title, &title)
}

/// Names of benchmarks or of measures, which are different for different things.
struct Names {
    bytes_max: usize,
    /// What is equal for names that are one for the server.
    key: fn(&str) -> String,
    /// What has the name, by its key.
    owners: BTreeMap<String, String>,
}

impl Names {
    fn benchmarks() -> Self {
        Self { bytes_max: BENCHMARK_MAX, key: str::to_owned, owners: BTreeMap::new() }
    }

    /// A measure is found by its slug too.
    fn measures() -> Self {
        let owners = BUILT_IN.map(|name| (name.to_owned(), String::new()));
        Self { bytes_max: MEASURE_MAX, key: slug, owners: BTreeMap::from(owners) }
    }

    /// `text` escaped and bounded, as the name of `owner`. It ends with a digest where the name is another's.
    fn of(&mut self, text: &str, owner: &str) -> String {
        let name = bounded(text, self.bytes_max);
        let known = self.owners.entry((self.key)(&name)).or_insert_with(|| owner.to_owned());
        if *known == owner { name } else { with_digest(text, owner, self.bytes_max) }
    }
}

/// The letters and digits of `name` in lower case, with a hyphen for whatever is between them.
fn slug(name: &str) -> String {
    let words = name.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect::<Vec<_>>().join("-")
}

/// `text` escaped, at most of that many bytes, and never empty. The end of a longer one is a digest, so that two of them keep two names.
fn bounded(text: &str, bytes_max: usize) -> String {
    let text = text.trim();
    let escaped = escape(text);
    match escaped.len() {
        0 => "unnamed".to_owned(),
        bytes if bytes <= bytes_max => escaped.into_owned(),
        _ => with_digest(text, text, bytes_max),
    }
}

/// The beginning of `text` escaped, and a digest of `of`, together at most of that many bytes.
fn with_digest(text: &str, of: &str, bytes_max: usize) -> String {
    const DIGITS: usize = 8;
    let (escaped, digest) = (escape(text.trim()), digest::of_bytes(of.as_bytes()));
    let begin = &escaped[..escaped.floor_char_boundary(bytes_max - DIGITS - 1)];
    format!("{begin}-{}", &digest[..DIGITS])
}

/// The figures of `series`; `None` if they are not finite. The value is of all samples and the interval of the medians of processes, so
/// that the value may lie beyond an end, which is then the value.
fn metric(series: &SeriesView) -> Option<Metric> {
    let value = series.summary.p50.unwrap_or(series.summary.mean);
    let interval = interval(&series.process_medians).filter(|interval| interval.low <= interval.high);
    Some(Metric {
        value: significant(value)?,
        lower_value: interval.and_then(|interval| significant(interval.low.min(value))),
        upper_value: interval.and_then(|interval| significant(interval.high.max(value))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measures_have_names_and_slugs_of_their_own() {
        let mut names = Names::measures();
        let mut check = |title: &str, expect: &str| assert_eq!(names.of(title, title), expect, "{title}");
        check("lag{side=left}", "lag{side=left}");
        check("lag{side=left}", "lag{side=left}");
        let digest = |title: &str| digest::of_bytes(title.as_bytes())[..8].to_owned();
        // The same letters, and those of a measure that every project has.
        check("lag-side-left", &format!("lag-side-left-{}", digest("lag-side-left")));
        check("Latency", &format!("Latency-{}", digest("Latency")));
        check("", "unnamed");
        check("\u{1b}", "\\u{1b}");
        check("\\u{1b}", &format!("\\u{{1b}}-{}", digest("\\u{1b}")));
    }

    #[test]
    fn long_names_are_cut_and_differ() {
        let mut names = Names::benchmarks();
        let [first, second] = ["x", "y"].map(|end| format!("{}{end}", "é".repeat(2_000)));
        let [first, second] = [names.of(&first, "0"), names.of(&second, "1")];
        assert!(first.len() <= BENCHMARK_MAX && second.len() <= BENCHMARK_MAX && first != second);
        assert_ne!(names.of("m/s wasm", "2"), names.of("m/s wasm", "3"));
    }
}
