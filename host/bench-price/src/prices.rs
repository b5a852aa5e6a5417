//! Estimates prices from what several processes measured.

use crate::call_path::CallPath;
use crate::measure::{Measured, PayloadTimes};
use bench_stats::{Distribution, Growth, LEVEL, growth};
use std::collections::BTreeMap;
use synthetic_component::{Api, Entry, Skipped};

/// The prices of a WIT.
#[derive(Clone, Debug)]
pub struct PriceList {
    /// The prices, in the order of the functions, and for each function of the ways in which it is called.
    pub prices: Vec<Price>,
    /// What has no price, because no component is made of it.
    pub skipped: Vec<Skipped>,
    /// The number of processes.
    pub processes: usize,
}

/// The price of a call.
#[derive(Clone, Debug)]
pub struct Price {
    /// What is called; `None` for the empty function of a core module.
    pub entry: Option<Entry>,
    /// How it is called.
    pub path: CallPath,
    /// The nanoseconds of a call with the smallest payload, and of each byte more; or the reason why they are not known.
    pub growth: Result<Growth, String>,
    /// How many samples it is of, over all processes and payloads.
    pub samples: u64,
    /// How many calls these span.
    pub calls: u64,
    /// The largest payload in bytes.
    pub bytes_max: u64,
}

impl PriceList {
    /// The prices of `api`, of which each process measured every call.
    pub fn new(api: &Api, processes: &[Vec<Measured>]) -> Self {
        let mut calls: BTreeMap<(Option<usize>, CallPath), Vec<&Measured>> = BTreeMap::new();
        for measured in processes.iter().flatten() {
            calls.entry((measured.function, measured.path)).or_default().push(measured);
        }
        let prices = calls.into_iter().filter_map(|((function, path), measured)| {
            let entry = match function {
                // What is not in the interface cannot have been measured.
                Some(number) => Some(api.entries.get(number)?.clone()),
                None => None,
            };
            Some(Price::new(entry, path, &measured, processes.len()))
        });
        Self { prices: prices.collect(), skipped: api.skipped.clone(), processes: processes.len() }
    }

    /// The prices that are not known, with the reason.
    pub fn faults(&self) -> impl Iterator<Item = (&Price, &str)> {
        self.prices.iter().filter_map(|price| Some((price, price.growth.as_ref().err()?.as_str())))
    }
}

impl Price {
    fn new(entry: Option<Entry>, path: CallPath, measured: &[&Measured], processes: usize) -> Self {
        let payloads = || measured.iter().flat_map(|measured| &measured.payloads);
        let calls = |payload: &PayloadTimes| payload.ns.len() as u64 * u64::from(payload.batch);
        Self {
            entry,
            path,
            growth: estimate(measured, processes),
            samples: payloads().map(|payload| payload.ns.len() as u64).sum(),
            calls: payloads().map(calls).sum(),
            bytes_max: payloads().map(|payload| payload.bytes).max().unwrap_or_default(),
        }
    }

    /// Its name, as people read it: with the last part of its interface, if it is a function of one.
    pub fn name(&self) -> String {
        let Some(entry) = &self.entry else { return "empty call".to_owned() };
        match label(&entry.interface) {
            "" => entry.name.clone(),
            label => format!("{label}/{}", entry.name),
        }
    }
}

/// The name of an interface without its package and version: `types` of `wasi:http/types@0.2.0`.
pub(crate) fn label(interface: &str) -> &str {
    let path = interface.split('@').next().unwrap_or(interface);
    path.rsplit('/').next().unwrap_or(path)
}

/// The growth of the medians. A fault in one process is one of the price.
fn estimate(measured: &[&Measured], processes: usize) -> Result<Growth, String> {
    if let Some(fault) = measured.iter().find_map(|measured| measured.fault.clone()) {
        return Err(fault);
    }
    if measured.len() != processes {
        return Err(format!("measured in {} of {processes} processes only", measured.len()));
    }
    let median = |payload: &PayloadTimes| {
        let median = Distribution::of_samples(payload.ns.iter().copied()).quantile(0.5)?;
        Some((payload.bytes as f64, median))
    };
    let of_process = |measured: &&Measured| measured.payloads.iter().map(median).collect::<Option<Vec<_>>>();
    let points = measured.iter().map(of_process).collect::<Option<Vec<_>>>();
    points.and_then(|points| growth(&points, LEVEL)).ok_or_else(|| "no sample was taken".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call_path::Direction;
    use synthetic_component::EntryKind;

    fn api() -> Api {
        let entry = |kind, interface: &str, name: &str| Entry {
            kind,
            interface: interface.to_owned(),
            name: name.to_owned(),
            signature: "()".to_owned(),
        };
        let entries =
            vec![entry(EntryKind::Reference, "", "empty call"), entry(EntryKind::Function, "a:b/c@1.0.0", "f")];
        Api { wit: String::new(), awaited: None, entries, skipped: Vec::new() }
    }

    /// A process in which each call takes `fixed` ns and half a nanosecond a byte.
    fn process(fixed: f64) -> Vec<Measured> {
        let payload = |bytes: u64| PayloadTimes { bytes, batch: 100, ns: vec![fixed + bytes as f64 / 2.0; 3] };
        let path = Direction::HostToGuest.path();
        let measured = |function, payloads: Vec<PayloadTimes>| Measured { function, path, payloads, fault: None };
        vec![measured(Some(1), vec![payload(0), payload(100), payload(200)]), measured(None, vec![payload(0)])]
    }

    #[test]
    fn prices_are_those_that_samples_were_made_of() {
        let list = PriceList::new(&api(), &[process(10.0), process(20.0)]);
        let [empty, function] = &list.prices[..] else { panic!("{list:?}") };
        assert_eq!((empty.name(), function.name()), ("empty call".to_owned(), "c/f".to_owned()));
        assert_eq!((function.samples, function.calls, function.bytes_max), (18, 1_800, 200));
        let growth = function.growth.as_ref().unwrap();
        assert_eq!((growth.fixed.mean, growth.fixed.processes), (15.0, 2));
        let per_byte = growth.per_unit.unwrap();
        assert!((per_byte.mean - 0.5).abs() < 1e-12 && per_byte.interval.is_some(), "{per_byte:?}");
        assert_eq!(empty.growth.as_ref().unwrap().per_unit, None, "its payload does not vary");
    }

    #[test]
    fn fault_in_one_process_leaves_no_price() {
        let mut faulty = process(10.0);
        faulty[0] = Measured { payloads: Vec::new(), fault: Some("it trapped".to_owned()), ..faulty[0].clone() };
        let list = PriceList::new(&api(), &[process(10.0), faulty]);
        let faults: Vec<_> = list.faults().map(|(price, fault)| (price.name(), fault)).collect();
        assert_eq!(faults, [("c/f".to_owned(), "it trapped")]);
        let list = PriceList::new(&api(), &[process(10.0), Vec::new()]);
        assert_eq!(list.faults().count(), 2, "measured in one of two processes");
    }
}
