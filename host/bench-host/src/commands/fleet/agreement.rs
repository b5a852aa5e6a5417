//! How far the agents of a class lie apart: each of them measures the first group of cells, so its figures are of equal code on machines
//! that should be equal (A/A).

use bench_engine::{ComparisonGroup, Plan};
use bench_report::{CellView, RunView, widest_spread};
use bench_sink::runfile::Status;
use std::path::PathBuf;

/// How far the medians of `group` lie apart in the run files of agents of one class, in one line, which says so if that is not known; `None` for
/// a single agent.
pub(super) fn describe(plan: &Plan, group: &ComparisonGroup, agents: &[PathBuf]) -> anyhow::Result<Option<String>> {
    let views = agents.iter().map(|directory| RunView::read(directory)).collect::<Result<Vec<_>, _>>()?;
    let mut widest: Option<(f64, u32, usize)> = None;
    for number in &group.cells {
        let medians: Vec<f64> = views.iter().filter_map(|view| median(view, *number)).collect();
        let (low, high) = (medians.iter().copied().reduce(f64::min), medians.iter().copied().reduce(f64::max));
        let difference = low.zip(high).and_then(|(low, high)| bench_stats::drift(low, high));
        let Some(difference) = difference.filter(|_| medians.len() > 1) else { continue };
        if widest.is_none_or(|(known, _, _)| difference > known) {
            widest = Some((difference, *number, medians.len()));
        }
    }
    let Some((difference, number, measured)) = widest else {
        let unknown = || {
            format!(
                "how far its {} agents differ (A/A) is not known: no two of them have figures of the first group, {}",
                agents.len(),
                group.cells.first().map_or_else(String::new, |number| plan.full_name(plan.cell(*number)))
            )
        };
        return Ok((agents.len() > 1).then(unknown));
    };
    let cell = plan.cell(number);
    let (name, arm) = (plan.full_name(cell), plan.offer(cell).arm);
    let is_chance_known = views.iter().all(|view| view.planned.processes as usize >= PROCESSES_MIN);
    let few = match is_chance_known {
        true => String::new(),
        false => format!("; fewer than {PROCESSES_MIN} processes do not tell whether that is more than chance"),
    };
    Ok(Some(format!(
        "its {measured} agents differ by up to {:.1} % in {name}, arm {arm}, which all of them measured (A/A){few}",
        100.0 * difference
    )))
}

/// A smaller difference of machines does not matter, however little their figures scatter.
const DIFFERENCE_MIN: f64 = 0.01;

/// With fewer processes their medians tell too little about how far they scatter.
const PROCESSES_MIN: usize = 3;

/// How many times as far as the processes of an agent scatter two agents must lie apart, so that those of equal machines seldom seem to.
const SPREADS_MIN: f64 = 2.0;

/// Whether the figures of `group` differ between agents by more than the processes of each scatter, in one line that says so; `None` if
/// they do not, or if there are too few processes to tell.
pub(super) fn difference(
    plan: &Plan,
    group: &ComparisonGroup,
    agents: &[(&str, PathBuf)],
) -> anyhow::Result<Option<String>> {
    let read = |(_, directory): &(&str, PathBuf)| RunView::read(directory);
    let views = agents.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    for number in &group.cells {
        let figures: Vec<Figure> =
            views.iter().enumerate().filter_map(|(agent, view)| Figure::of(view, agent, *number)).collect();
        let Some(Apart { agents: [first, second], distance, spread }) = furthest(&figures) else { continue };
        let cell = plan.cell(*number);
        return Ok(Some(format!(
            "agents {} and {} differ by {:.1} % in {}, arm {}, although their machines should be equal; the processes of each differ by \
             {:.1} %",
            agents[first].0,
            agents[second].0,
            100.0 * distance.exp_m1(),
            plan.full_name(cell),
            plan.offer(cell).arm,
            100.0 * spread.exp_m1()
        )));
    }
    Ok(None)
}

/// What an agent measured of a cell.
#[derive(Clone, Copy, Debug)]
struct Figure {
    agent: usize,
    median: f64,
    /// How far the median of a process lies from that of all at most, on the log scale.
    spread: f64,
}

impl Figure {
    fn of(view: &RunView, agent: usize, number: u32) -> Option<Self> {
        let processes = &cell(view, number)?.timed_processes;
        let spread = widest_spread(processes, processes).filter(|_| processes.len() >= PROCESSES_MIN)?;
        Some(Self { agent, median: median(view, number)?, spread })
    }
}

/// Two agents that differ.
#[derive(Debug)]
struct Apart {
    agents: [usize; 2],
    /// How far their medians lie apart, on the log scale.
    distance: f64,
    /// How far the processes of an agent lie apart at most.
    spread: f64,
}

/// The two agents that lie furthest apart, if that is further than the processes of all agents explain.
fn furthest(figures: &[Figure]) -> Option<Apart> {
    let by_median = |a: &&Figure, b: &&Figure| a.median.total_cmp(&b.median);
    let (low, high) = (figures.iter().min_by(by_median)?, figures.iter().max_by(by_median)?);
    let spread = figures.iter().map(|figure| figure.spread).reduce(f64::max)?;
    let distance = (high.median / low.median).ln();
    let is_apart = distance.is_finite() && distance > (SPREADS_MIN * spread).max(DIFFERENCE_MIN);
    is_apart.then(|| Apart { agents: [low.agent.min(high.agent), low.agent.max(high.agent)], distance, spread })
}

/// The cell, if it has figures.
fn cell(view: &RunView, number: u32) -> Option<&CellView> {
    view.cells.iter().find(|cell| cell.cell == number && cell.status == Status::Ok)
}

/// The median time of an operation of the cell, if it has one.
fn median(view: &RunView, number: u32) -> Option<f64> {
    cell(view, number)?.timed()?.summary.p50
}

#[cfg(test)]
mod tests {
    use super::*;
    use bench_stats::Distribution;
    use rand::rngs::ChaCha8Rng;
    use rand::{RngExt, SeedableRng};

    /// What an agent measures with processes that differ by up to 6 %, whose samples differ by up to 2 %, on a machine that is slower by
    /// `shift` on the log scale.
    fn figure(random: &mut ChaCha8Rng, agent: usize, processes: usize, shift: f64) -> Figure {
        let mut around = |width: f64| width * (random.random::<f64>() - 0.5);
        let mut samples: Vec<Vec<f64>> = Vec::new();
        for _ in 0..processes {
            let process = shift + around(0.06);
            samples.push((0..9).map(|_| (process + around(0.02)).exp()).collect());
        }
        let all = Distribution::of_samples(samples.iter().flatten().copied());
        Figure { agent, median: all.quantile(0.5).unwrap(), spread: widest_spread(&samples, &samples).unwrap() }
    }

    /// In how many of 100 fleets of four agents two differ, if the third is slower by `shift`.
    fn times_apart(processes: usize, shift: f64) -> usize {
        let is_apart = |seed: &u64| {
            let mut random = ChaCha8Rng::seed_from_u64(*seed);
            let shifts = [0.0, 0.0, shift, 0.0];
            let figures: Vec<Figure> =
                (0..).zip(shifts).map(|(agent, shift)| figure(&mut random, agent, processes, shift)).collect();
            furthest(&figures).is_some_and(|apart| shift == 0.0 || apart.agents.contains(&2))
        };
        (0..100).filter(is_apart).count()
    }

    #[test]
    fn equal_machines_seldom_seem_to_differ_and_unlike_ones_always_do() {
        for processes in [3, 5, 10] {
            let (equal, unlike) = (times_apart(processes, 0.0), times_apart(processes, 0.3));
            assert!(equal <= 5, "{processes} processes: {equal} of 100 fleets of equal machines seem to differ");
            assert_eq!(unlike, 100, "{processes} processes");
        }
    }

    #[test]
    fn agents_without_figures_do_not_differ() {
        assert!(furthest(&[]).is_none());
        let one = Figure { agent: 0, median: 1.0, spread: 0.0 };
        assert!(furthest(&[one]).is_none());
        assert!(furthest(&[one, Figure { agent: 1, median: 1.009, ..one }]).is_none(), "less than 1 %");
        let apart = furthest(&[one, Figure { agent: 1, median: 0.9, ..one }]).unwrap();
        assert_eq!((apart.agents, apart.spread), ([0, 1], 0.0));
    }
}
