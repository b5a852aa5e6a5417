//! Which functions of one arm take longer than in another arm of the same source.

use crate::{Profile, UNKNOWN, functions, plain_name};
use std::collections::BTreeMap;

/// Two arms by function.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// The functions that either arm runs, the largest difference first.
    pub functions: Vec<FunctionDifference>,
    /// The share of the baseline's own time in functions that the candidate runs too.
    pub baseline_matched: f64,
    /// The share of the candidate's own time in functions that the baseline runs too.
    pub candidate_matched: f64,
}

/// One function in both arms.
#[derive(Clone, Debug, PartialEq)]
pub struct FunctionDifference {
    /// The name that both arms have.
    pub name: String,
    /// Nanoseconds of an operation in which it ran itself; absent if it was not seen.
    pub baseline_ns: Option<f64>,
    /// The same for the candidate.
    pub candidate_ns: Option<f64>,
}

impl FunctionDifference {
    /// How many times as long it runs in the candidate; absent if only one arm runs it.
    pub fn ratio(&self) -> Option<f64> {
        Some(self.candidate_ns? / self.baseline_ns?)
    }

    /// Nanoseconds of an operation that it takes longer in the candidate.
    pub fn change_ns(&self) -> f64 {
        self.candidate_ns.unwrap_or_default() - self.baseline_ns.unwrap_or_default()
    }
}

/// The own time of each function in both arms. `operations` is how many operations the samples of an arm span, above 0. Functions are
/// matched by [`plain_name`]; an unknown function matches none.
pub fn difference(baseline: (&Profile, f64), candidate: (&Profile, f64)) -> Difference {
    let (mut below, mut above) = (by_name(baseline.0), by_name(candidate.0));
    let matched = |one: &BTreeMap<String, u64>, other: &BTreeMap<String, u64>| {
        let total: u64 = one.values().sum();
        let both: u64 =
            one.iter().filter(|(name, _)| other.contains_key(*name) && *name != UNKNOWN).map(|(_, ns)| ns).sum();
        if total == 0 { 0.0 } else { both as f64 / total as f64 }
    };
    let (baseline_matched, candidate_matched) = (matched(&below, &above), matched(&above, &below));
    let names: Vec<String> = below.keys().chain(above.keys()).cloned().collect();
    let mut functions: Vec<FunctionDifference> = Vec::new();
    for name in names {
        let (baseline_ns, candidate_ns) = (below.remove(&name), above.remove(&name));
        if baseline_ns.is_some() || candidate_ns.is_some() {
            let of = |ns: Option<u64>, operations: f64| ns.map(|ns| ns as f64 / operations);
            functions.push(FunctionDifference {
                baseline_ns: of(baseline_ns, baseline.1),
                candidate_ns: of(candidate_ns, candidate.1),
                name,
            });
        }
    }
    functions.sort_by(|a, b| b.change_ns().abs().total_cmp(&a.change_ns().abs()));
    Difference { functions, baseline_matched, candidate_matched }
}

/// Own time by plain name, for functions that ran themselves.
fn by_name(profile: &Profile) -> BTreeMap<String, u64> {
    let mut times = BTreeMap::new();
    for time in functions(profile).into_iter().filter(|time| time.own_ns > 0) {
        *times.entry(plain_name(&time.function)).or_default() += time.own_ns;
    }
    times
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Frame, Owner, Sample};

    fn profile(times: &[(&str, u64)]) -> Profile {
        let sample = |(name, weight_ns): &(&str, u64)| Sample {
            thread: 1,
            time_ns: 0,
            weight_ns: *weight_ns,
            frames: vec![Frame { name: (*name).to_owned(), owner: Owner::Guest }],
        };
        Profile { samples: times.iter().map(sample).collect() }
    }

    #[test]
    fn functions_are_compared_per_operation() {
        let native = profile(&[("json::parse", 100), ("memcpy", 100)]);
        let wasm = profile(&[("json::parse::h0123456789abcdef", 460), ("json::hash", 40)]);
        let found = difference((&native, 10.0), (&wasm, 20.0));
        let rows: Vec<_> =
            found.functions.iter().map(|one| (one.name.as_str(), one.baseline_ns, one.candidate_ns)).collect();
        let expect =
            [("json::parse", Some(10.0), Some(23.0)), ("memcpy", Some(10.0), None), ("json::hash", None, Some(2.0))];
        assert_eq!(rows, expect);
        assert_eq!(found.functions[0].ratio(), Some(2.3));
        assert_eq!(found.functions[1].ratio(), None, "what only one arm runs has no ratio");
        assert_eq!((found.baseline_matched, found.candidate_matched), (0.5, 0.92));
    }

    #[test]
    fn unknown_functions_are_not_matched() {
        let found = difference((&profile(&[(UNKNOWN, 10)]), 1.0), (&profile(&[(UNKNOWN, 10)]), 1.0));
        assert_eq!((found.baseline_matched, found.candidate_matched), (0.0, 0.0));
        let empty = difference((&Profile::default(), 1.0), (&Profile::default(), 1.0));
        assert_eq!((empty.functions.len(), empty.baseline_matched), (0, 0.0));
    }
}
