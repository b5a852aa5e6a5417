//! An axis: from where to where, in which unit, straight or logarithmic, and where its ticks are.

use crate::scale;
use bench_model::Unit;

/// From this ratio of the largest to the smallest value on, an axis is logarithmic.
const LOGARITHMIC_FROM: f64 = 50.0;

/// The same on an axis that need not begin at 0.
const SPANNING_LOGARITHMIC_FROM: f64 = 4.0;

/// About so many ticks.
const TICKS: f64 = 6.0;

/// Of one direction of a panel.
#[derive(Clone, Debug)]
pub(super) struct Axis {
    /// What it shows, with its unit.
    pub(super) title: String,
    /// In the unit of the values.
    pub(super) ticks: Vec<f64>,
    factor: f64,
    from: f64,
    to: f64,
    kind: Kind,
}

/// How values become places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Straight,
    Logarithmic,
    /// Quantiles, with as much room from 90 % to 99 % as from 99 % to 99.9 %.
    Nines,
}

impl Axis {
    /// An axis on which all `values` have their place, of which there is one at least, and the `bounds` of their intervals, as far
    /// as those leave room for the values. A straight one begins at 0, so that lengths are in proportion.
    pub(super) fn new(title: &str, unit: &Unit, values: &[f64], bounds: &[f64]) -> Self {
        let (lowest, highest) = extremes(values);
        Self::scaled(title, unit, values, bounds, lowest > 0.0 && highest / lowest > LOGARITHMIC_FROM)
    }

    /// A straight one, however far apart the values lie: the lengths of bars are in proportion.
    pub(super) fn from_zero(title: &str, unit: &Unit, values: &[f64], bounds: &[f64]) -> Self {
        Self::scaled(title, unit, values, bounds, false)
    }

    /// No axis, but the one place that all values have, which its title says.
    pub(super) fn single(title: &str, unit: &Unit, place: f64) -> Self {
        let title = format!("{title}: {}", scale::figure(place, unit));
        Self { title, ticks: Vec::new(), factor: 1.0, from: 0.0, to: 1.0, kind: Kind::Straight }
    }

    /// An axis from the least to the most of `values`, of which there is one at least: distances count, not lengths from 0.
    pub(super) fn spanning(title: &str, unit: &Unit, values: &[f64]) -> Self {
        let (least, most) = extremes(values);
        let is_logarithmic = least > 0.0 && most / least > SPANNING_LOGARITHMIC_FROM;
        let typical = if is_logarithmic { (least * most).sqrt() } else { most.abs().max(least.abs()) };
        let (name, factor) = scale::step(typical, unit);
        let notes = [(!name.is_empty()).then_some(name), is_logarithmic.then_some("logarithmic")];
        let notes = notes.into_iter().flatten().collect::<Vec<_>>().join(", ");
        let title = if notes.is_empty() { title.to_owned() } else { format!("{title} ({notes})") };
        let ticks = match is_logarithmic {
            true => decades(least / factor, most / factor),
            false => steps(least / factor, most / factor),
        };
        let ticks: Vec<f64> = ticks.into_iter().map(|tick| tick * factor).collect();
        let (from, to) = (ticks[0], ticks[ticks.len() - 1]);
        Self { title, ticks, factor, from, to, kind: if is_logarithmic { Kind::Logarithmic } else { Kind::Straight } }
    }

    /// Shares from none to all, in per cent.
    pub(super) fn shares(title: &str) -> Self {
        let ticks = vec![0.0, 0.25, 0.5, 0.75, 1.0];
        Self { title: format!("{title} (%)"), ticks, factor: 0.01, from: 0.0, to: 1.0, kind: Kind::Straight }
    }

    /// Quantiles from 0 to `last`, which is below 1, in per cent.
    pub(super) fn nines(title: &str, last: f64) -> Self {
        let all = [0.0, 0.5, 0.9, 0.99, 0.999, 0.9999, 0.99999, 0.999999];
        let ticks = all.into_iter().filter(|tick| *tick <= last + 1e-9).collect();
        Self { title: format!("{title} (%)"), ticks, factor: 0.01, from: 0.0, to: last, kind: Kind::Nines }
    }

    fn scaled(title: &str, unit: &Unit, values: &[f64], bounds: &[f64], is_logarithmic: bool) -> Self {
        let least_of = |of: &[f64]| extremes(of).0;
        let most_of = |of: &[f64]| extremes(of).1;
        let (lowest, highest) = extremes(values);
        let (floor, ceiling) = match is_logarithmic {
            true => (lowest / 10.0, highest * 10.0),
            // What is never negative has no bound that is.
            false if lowest >= 0.0 => (0.0, 2.0 * highest),
            false => (2.0 * lowest, highest.max(0.0) - lowest),
        };
        let least = lowest.min(least_of(bounds).max(floor));
        let most = highest.max(most_of(bounds).min(ceiling));
        let typical = if is_logarithmic { (least * most).sqrt() } else { most.abs().max(least.abs()) };
        let (name, factor) = scale::step(typical, unit);
        let notes = [(!name.is_empty()).then_some(name), is_logarithmic.then_some("logarithmic")];
        let notes = notes.into_iter().flatten().collect::<Vec<_>>().join(", ");
        let title = if notes.is_empty() { title.to_owned() } else { format!("{title} ({notes})") };
        let ticks: Vec<f64> = match is_logarithmic {
            true => decades(least / factor, most / factor),
            false => steps(least.min(0.0) / factor, most.max(0.0) / factor),
        };
        let ticks: Vec<f64> = ticks.into_iter().map(|tick| tick * factor).collect();
        let (from, to) = (ticks[0], ticks[ticks.len() - 1]);
        Self { title, ticks, factor, from, to, kind: if is_logarithmic { Kind::Logarithmic } else { Kind::Straight } }
    }

    /// Where `value` lies, from 0 at the beginning to 1 at the end.
    pub(super) fn place(&self, value: f64) -> f64 {
        // What an interval reaches beyond the axis ends where the axis does.
        let value = value.clamp(self.from, self.to);
        match self.kind {
            Kind::Logarithmic => (value / self.from).ln() / (self.to / self.from).ln(),
            Kind::Straight => (value - self.from) / (self.to - self.from),
            Kind::Nines => (1.0 - value).ln() / (1.0 - self.to).ln(),
        }
    }

    /// Whether `value` lies on the axis.
    pub(super) fn holds(&self, value: f64) -> bool {
        (self.from..=self.to).contains(&value)
    }

    /// What stands at a tick, in the unit of the axis.
    pub(super) fn label(&self, tick: f64) -> String {
        // Twelve digits take away what a division leaves behind the last one.
        let shown: f64 = format!("{:.11e}", tick / self.factor).parse().unwrap_or(tick);
        shown.to_string()
    }
}

/// The least and the most of `values`.
fn extremes(values: &[f64]) -> (f64, f64) {
    values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), value| (least.min(*value), most.max(*value)))
}

/// Ticks of 1, 2 or 5 times a power of ten, the first at or below `least` and the last at or above `most`.
fn steps(least: f64, most: f64) -> Vec<f64> {
    let span = if most > least { most - least } else { 1.0 };
    let rough = span / TICKS;
    let power = 10f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|times| times * power).find(|step| *step >= rough * 0.999);
    let step = step.unwrap_or(10.0 * power);
    let (first, last) = ((least / step).floor() as i64, ((least + span) / step - 1e-9).ceil() as i64);
    (first..=last).map(|index| index as f64 * step).collect()
}

/// The same on a logarithmic axis: 1, 2 and 5 of each power of ten, or the powers alone where those are many.
fn decades(least: f64, most: f64) -> Vec<f64> {
    let (first, last) = (least.log10().floor() as i32, most.log10().ceil() as i32);
    let times: &[f64] = if last - first > 4 { &[1.0] } else { &[1.0, 2.0, 5.0] };
    let all: Vec<f64> =
        (first..=last).flat_map(|power| times.iter().map(move |times| times * 10f64.powi(power))).collect();
    let begin = all.iter().rposition(|tick| *tick <= least * (1.0 + 1e-9)).unwrap_or(0);
    let end = all.iter().position(|tick| *tick >= most * (1.0 - 1e-9)).unwrap_or(all.len() - 1);
    all[begin..=end].to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(unit: &Unit, values: &[f64], title: &str, labels: &[&str]) {
        let axis = Axis::new("memory", unit, values, &[]);
        let found: Vec<_> = axis.ticks.iter().map(|tick| axis.label(*tick)).collect();
        assert_eq!((axis.title.as_str(), found), (title, labels.iter().map(|text| (*text).to_owned()).collect()));
        for value in values {
            assert!((-1e-9..=1.0 + 1e-9).contains(&axis.place(*value)), "{value} is beyond {labels:?}");
        }
    }

    #[test]
    fn ticks_are_round_in_the_unit_that_is_shown() {
        let mib = 1_048_576.0;
        check(&Unit::Bytes, &[11.0 * mib, 42.0 * mib], "memory (MiB)", &["0", "10", "20", "30", "40", "50"]);
        check(&Unit::Count, &[10.0, 100.0], "memory", &["0", "20", "40", "60", "80", "100"]);
        check(&Unit::Nanoseconds, &[1.2e6, 0.3e6], "memory (ms)", &["0", "0.2", "0.4", "0.6", "0.8", "1", "1.2"]);
        check(&Unit::from("%"), &[-12.0, 71.0], "memory (%)", &["-20", "0", "20", "40", "60", "80"]);
        check(&Unit::Bytes, &[0.0], "memory (B)", &["0", "0.2", "0.4", "0.6", "0.8", "1"]);
    }

    #[test]
    fn values_far_apart_make_the_axis_logarithmic() {
        let labels = ["10", "20", "50", "100", "200", "500", "1000", "2000", "5000"];
        check(&Unit::Count, &[10.0, 5000.0], "memory (logarithmic)", &labels);
        let labels = ["1", "10", "100", "1000", "10000", "100000", "1000000"];
        check(&Unit::Count, &[1.0, 1e6], "memory (logarithmic)", &labels);
    }

    #[test]
    fn intervals_leave_room_for_values() {
        let check = |values: &[f64], bounds: &[f64], ends: (f64, f64)| {
            let axis = Axis::new("memory", &Unit::Count, values, bounds);
            assert_eq!((axis.ticks[0], axis.ticks[axis.ticks.len() - 1]), ends, "{values:?} {bounds:?}");
            for bound in bounds {
                assert!((0.0..=1.0).contains(&axis.place(*bound)));
                assert_eq!(axis.holds(*bound), (ends.0..=ends.1).contains(bound));
            }
        };
        check(&[10.0, 1000.0], &[-4.0, 1e9], (1.0, 10_000.0));
        check(&[10.0, 1000.0], &[8.0, 1300.0], (5.0, 2000.0));
        check(&[10.0, 100.0], &[-50.0, 1e9], (0.0, 200.0));
        check(&[10.0, 100.0], &[8.0, 119.0], (0.0, 120.0));
        check(&[-40.0, -10.0], &[-1e9, -5.0], (-80.0, 0.0));
    }
}
