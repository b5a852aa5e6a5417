//! The noise floor of two cells that were not measured interleaved: how far the processes of each lie apart.

use bench_stats::Distribution;

/// The wider of two spreads: how far, on the log scale, the median of a process lies from the median of all processes at most. Each
/// argument holds one vector of samples per process. `None` if one has a single process.
pub fn widest_spread(one: &[Vec<f64>], other: &[Vec<f64>]) -> Option<f64> {
    spread(one).zip(spread(other)).map(|(one, other)| one.max(other))
}

/// How far, on the log scale, the median of a process lies from that of all at most.
fn spread(processes: &[Vec<f64>]) -> Option<f64> {
    let median = |samples: &mut dyn Iterator<Item = f64>| Distribution::of_samples(samples).quantile(0.5);
    let all = median(&mut processes.iter().flatten().copied())?;
    let medians = processes.iter().filter_map(|process| median(&mut process.iter().copied()));
    let furthest = medians.map(|of_process| (of_process / all).ln().abs()).reduce(f64::max);
    furthest.filter(|distance| distance.is_finite() && processes.len() > 1)
}
