//! A profile in the processed format of the Firefox Profiler, version 55, which <https://profiler.firefox.com> opens from a file. The format
//! is described in `docs-developer/processed-profile-format.md` of the profiler's repository; its tables are columns of equal length.

use crate::{Frame, Owner, Profile, Sample};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};

/// The version of the format. The viewer upgrades older ones.
const VERSION: u32 = 55;

/// The JSON document of `profile`, named `title`; `interval_ns` is the time between two samples. Times count from the first sample.
pub fn firefox_json(profile: &Profile, title: &str, interval_ns: u64) -> String {
    let begin_ns = profile.samples.iter().map(|sample| sample.time_ns).min().unwrap_or_default();
    let mut by_thread: BTreeMap<u32, Vec<&Sample>> = BTreeMap::new();
    for sample in &profile.samples {
        by_thread.entry(sample.thread).or_default().push(sample);
    }
    let threads: Vec<Value> = by_thread
        .into_iter()
        .enumerate()
        .map(|(number, (thread, mut samples))| {
            samples.sort_by_key(|sample| sample.time_ns);
            Thread::of(&samples).json(title, thread, number == 0, &samples, begin_ns)
        })
        .collect();
    let document = json!({ "meta": meta(title, interval_ns), "libs": [], "threads": threads, "pages": [], "profilerOverhead": [], "counters": [] });
    document.to_string()
}

fn meta(title: &str, interval_ns: u64) -> Value {
    let category = |owner: &Owner| json!({"name": owner.as_str(), "color": color(*owner), "subcategories": ["Other"]});
    json!({
        "categories": Owner::ALL.iter().map(category).collect::<Vec<_>>(),
        "debug": false,
        "extensions": {"length": 0, "baseURL": [], "id": [], "name": []},
        "interval": milliseconds(interval_ns),
        "preprocessedProfileVersion": VERSION,
        "version": 24,
        "processType": 0,
        "product": title,
        "sampleUnits": {"time": "ms", "eventDelay": "ms", "threadCPUDelta": "µs"},
        "startTime": 0,
        "symbolicated": true,
        "pausedRanges": [],
        "markerSchema": [],
        "usesOnlyOneStackType": true,
        "sourceCodeIsNotOnSearchfox": true,
    })
}

fn color(owner: Owner) -> &'static str {
    match owner {
        Owner::Guest => "green",
        Owner::Host => "yellow",
        Owner::Kernel => "orange",
    }
}

/// The number of the category of an owner: its place in the list.
fn category(owner: Owner) -> usize {
    Owner::ALL.iter().position(|one| *one == owner).unwrap_or_default()
}

fn milliseconds(nanoseconds: u64) -> f64 {
    nanoseconds as f64 / 1e6
}

/// The functions and stacks of one thread, each once.
#[derive(Default)]
struct Thread<'a> {
    functions: Vec<&'a Frame>,
    /// The stack of the caller, and the function.
    stacks: Vec<(Option<usize>, usize)>,
    /// The stack of each sample.
    of_samples: Vec<Option<usize>>,
}

impl<'a> Thread<'a> {
    fn of(samples: &[&'a Sample]) -> Self {
        let mut thread = Self::default();
        let mut functions: HashMap<&Frame, usize> = HashMap::new();
        let mut stacks: HashMap<(Option<usize>, usize), usize> = HashMap::new();
        for sample in samples {
            let mut stack = None;
            for frame in &sample.frames {
                let function = *functions.entry(frame).or_insert_with(|| {
                    thread.functions.push(frame);
                    thread.functions.len() - 1
                });
                stack = Some(*stacks.entry((stack, function)).or_insert_with(|| {
                    thread.stacks.push((stack, function));
                    thread.stacks.len() - 1
                }));
            }
            thread.of_samples.push(stack);
        }
        thread
    }

    fn json(&self, title: &str, number: u32, is_main: bool, samples: &[&Sample], begin_ns: u64) -> Value {
        let count = self.functions.len();
        let all = |value: Value| vec![value; count];
        let indices: Vec<usize> = (0..count).collect();
        let categories: Vec<usize> = self.functions.iter().map(|frame| category(frame.owner)).collect();
        let mut previous_ns = begin_ns;
        let deltas: Vec<f64> = samples
            .iter()
            .map(|sample| milliseconds(sample.time_ns - std::mem::replace(&mut previous_ns, sample.time_ns)))
            .collect();
        json!({
            "name": if is_main { title.to_owned() } else { format!("thread {number}") },
            "isMainThread": is_main,
            "processType": "default",
            "processName": title,
            "processStartupTime": 0,
            "processShutdownTime": null,
            "registerTime": 0,
            "unregisterTime": null,
            "pausedRanges": [],
            "pid": "1",
            "tid": number,
            "showMarkersInTimeline": false,
            "stringArray": self.functions.iter().map(|frame| frame.name.as_str()).collect::<Vec<_>>(),
            "funcTable": {
                "length": count, "name": indices, "isJS": all(json!(false)), "relevantForJS": all(json!(false)), "resource": all(json!(-1)),
                "fileName": all(Value::Null), "lineNumber": all(Value::Null), "columnNumber": all(Value::Null),
            },
            "frameTable": {
                "length": count, "address": all(json!(-1)), "inlineDepth": all(json!(0)), "category": categories, "subcategory": all(json!(0)),
                "func": indices, "nativeSymbol": all(Value::Null), "innerWindowID": all(json!(0)), "line": all(Value::Null),
                "column": all(Value::Null),
            },
            "stackTable": {
                "length": self.stacks.len(),
                "prefix": self.stacks.iter().map(|(caller, _)| caller).collect::<Vec<_>>(),
                "frame": self.stacks.iter().map(|(_, function)| function).collect::<Vec<_>>(),
            },
            "samples": {
                "length": samples.len(), "weightType": "samples", "stack": self.of_samples, "timeDeltas": deltas,
                "weight": vec![1; samples.len()],
                "threadCPUDelta": samples.iter().map(|sample| sample.weight_ns / 1_000).collect::<Vec<_>>(),
            },
            "markers": {"length": 0, "category": [], "data": [], "endTime": [], "name": [], "phase": [], "startTime": []},
            "nativeSymbols": {"length": 0, "address": [], "functionSize": [], "libIndex": [], "name": []},
            "resourceTable": {"length": 0, "lib": [], "name": [], "host": [], "type": []},
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document() -> Value {
        let frame = |name: &str, owner| Frame { name: name.to_owned(), owner };
        let frames = vec![frame("main", Owner::Host), frame("json::parse", Owner::Guest)];
        let sample = |thread, time_ns| Sample { thread, time_ns, weight_ns: 1_000_000, frames: frames.clone() };
        let profile = Profile { samples: vec![sample(7, 7_000_000), sample(8, 6_000_000), sample(7, 5_000_000)] };
        serde_json::from_str(&firefox_json(&profile, "kernels", 1_000_000)).expect("it is JSON")
    }

    #[test]
    fn threads_have_samples_in_order_and_named_functions() {
        let document = document();
        assert_eq!(document["meta"]["product"], "kernels");
        let threads = document["threads"].as_array().expect("there are threads");
        assert_eq!(threads.len(), 2);
        let first = &threads[0];
        assert_eq!((&first["tid"], &first["isMainThread"]), (&json!(7), &json!(true)));
        assert_eq!(first["stringArray"], json!(["main", "json::parse"]));
        assert_eq!(first["stackTable"], json!({"length": 2, "prefix": [null, 0], "frame": [0, 1]}));
        assert_eq!(first["samples"]["timeDeltas"], json!([0.0, 2.0]));
        assert_eq!(first["samples"]["stack"], json!([1, 1]));
        assert_eq!(first["frameTable"]["category"], json!([1, 0]));
        assert_eq!(threads[1]["samples"]["timeDeltas"], json!([1.0]));
    }

    #[test]
    fn columns_of_a_table_are_equally_long() {
        let document = document();
        for name in ["funcTable", "frameTable", "stackTable", "samples", "markers", "nativeSymbols", "resourceTable"] {
            let table = document["threads"][0][name].as_object().expect("it is a table");
            for (column, values) in table.iter().filter(|(column, _)| *column != "length" && *column != "weightType") {
                assert_eq!(json!(values.as_array().expect("a column").len()), table["length"], "{name}.{column}");
            }
        }
    }
}
