//! Memory over time: a panel for each kind of chain in each arm, a line for each process, a colour for each phase.

use super::naming::{self, Name};
use super::samples::{MemorySample, Repetitions, key, memory_samples, ok_cells};
use bench_model::Unit;
use bench_report::{Dimension, FamilyChart, Figure, Line, Look, Panel, Point, escape};
use bench_sink::runfile::{RunFile, Status};
use std::collections::BTreeMap;

/// Points of one process; of more, every second, third and so on is shown.
const POINTS_MAX: usize = 300;

/// Panels of the chart; the files with samples have all.
const PANELS_MAX: usize = 9;

/// The memory of the chains with the most operators. `None` if no samples of the memory were kept one by one.
pub(super) fn chart(file: &RunFile) -> Option<FamilyChart> {
    let cells = ok_cells(file);
    let keys: Vec<_> = cells.iter().map(|(record, _)| key(record)).collect();
    let mut largest: BTreeMap<Name, (i64, &Repetitions)> = BTreeMap::new();
    for (name, (record, repetitions)) in naming::names(&keys).into_iter().zip(&cells) {
        let Some(count) = naming::count(&record.arguments) else { continue };
        let known = largest.entry(name).or_insert((count, repetitions));
        if known.0 < count {
            *known = (count, repetitions);
        }
    }
    let mut phases = Vec::new();
    let (mut processes, mut samples) = (0, 0);
    let mut panels = Vec::new();
    for (name, (count, repetitions)) in largest {
        let ok = repetitions.values().filter(|repetition| repetition.status == Some(Status::Ok));
        let courses: Vec<_> = ok.map(|repetition| sorted(memory_samples(&repetition.series))).collect();
        let lines: Vec<Line> = courses.iter().flat_map(|course| lines(course, &mut phases)).collect();
        if !lines.is_empty() && panels.len() < PANELS_MAX {
            processes += courses.len();
            samples += courses.iter().map(Vec::len).sum::<usize>();
            panels.push(panel(&format!("{} {}, {count} operators", name.title(), name.arm_label()), lines));
        }
    }
    let note = format!(
        "A line for each of n = {processes} processes, of {samples} samples together, ten a second; of each kind and arm, the chain with \
         the most operators. Memory: proportional set size of the worker and of its operators' processes."
    );
    let title = "Memory of operators over time, by phase".to_owned();
    (!panels.is_empty()).then(|| FamilyChart::figure("memory-over-time", Figure { title, panels, notes: vec![note] }))
}

fn panel(title: &str, lines: Vec<Line>) -> Panel {
    Panel {
        title: escape(title).into_owned(),
        across: Dimension { title: "time since the first sample".to_owned(), unit: Unit::Nanoseconds },
        up: Dimension { title: "memory (PSS)".to_owned(), unit: Unit::Bytes },
        lines,
    }
}

fn sorted(mut samples: Vec<MemorySample<'_>>) -> Vec<MemorySample<'_>> {
    samples.sort_by_key(|sample| sample.at_ns);
    samples
}

/// A line for each stretch of one phase, which begins where the one before ended. A phase looks the same everywhere.
fn lines(course: &[MemorySample<'_>], phases: &mut Vec<String>) -> Vec<Line> {
    let Some(first) = course.first() else { return Vec::new() };
    let step = course.len().div_ceil(POINTS_MAX);
    let point = |sample: &MemorySample<'_>| Point {
        across: (sample.at_ns - first.at_ns) as f64,
        up: sample.bytes as f64,
        between: None,
    };
    let mut before: Option<Point> = None;
    let mut lines = Vec::new();
    for stretch in course.chunk_by(|one, next| one.phase == next.phase) {
        let last = stretch.len() - 1;
        let kept = stretch.iter().enumerate().filter(|(index, _)| index % step == 0 || *index == last);
        let points: Vec<Point> = before.into_iter().chain(kept.map(|(_, sample)| point(sample))).collect();
        before = points.last().copied();
        let phase = stretch[0].phase;
        let index = phases.iter().position(|known| known == phase).unwrap_or_else(|| {
            phases.push(phase.to_owned());
            phases.len() - 1
        });
        lines.push(Line { name: escape(phase).into_owned(), look: Look::of(index).unmarked(), points });
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phases_follow_each_other_without_a_gap() {
        let sample = |phase, at_ns, bytes| MemorySample { phase, at_ns, bytes };
        let course =
            [sample("active", 100, 5), sample("active", 200, 6), sample("idle", 300, 7), sample("active", 400, 8)];
        let mut phases = Vec::new();
        let lines = lines(&course, &mut phases);
        let found: Vec<(&str, Vec<(f64, f64)>)> = lines
            .iter()
            .map(|line| (line.name.as_str(), line.points.iter().map(|point| (point.across, point.up)).collect()))
            .collect();
        let expect = [
            ("active", vec![(0.0, 5.0), (100.0, 6.0)]),
            ("idle", vec![(100.0, 6.0), (200.0, 7.0)]),
            ("active", vec![(200.0, 7.0), (300.0, 8.0)]),
        ];
        assert_eq!(found, expect);
        assert_eq!((phases, lines[0].look == lines[2].look), (vec!["active".to_owned(), "idle".to_owned()], true));
    }

    #[test]
    fn few_points_of_a_long_course_keep_the_end_of_each_phase() {
        let at = |index: u64| if index < 1_000 { "active" } else { "idle" };
        let course: Vec<_> =
            (0..2_000).map(|index| MemorySample { phase: at(index), at_ns: index, bytes: index }).collect();
        let lines = lines(&course, &mut Vec::new());
        let ends: Vec<f64> = lines.iter().filter_map(|line| Some(line.points.last()?.across)).collect();
        assert_eq!(ends, [999.0, 1_999.0]);
        assert!(lines.iter().map(|line| line.points.len()).sum::<usize>() <= POINTS_MAX + 4);
    }
}
