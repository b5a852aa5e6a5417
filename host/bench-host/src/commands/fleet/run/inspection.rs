//! What the blocks of a run's agents are checked against.

use bench_engine::{ComparisonGroup, Plan};
use bench_fleet::{HostCard, Inspector, PlannedCell, Spec};
use bench_sink::runfile::Planned;

/// What checks the blocks that the agents with these cards send of `plan`, which consists of `groups`.
pub(super) fn inspector(
    plan: &Plan,
    groups: &[ComparisonGroup],
    (spec, planned): (&Spec, &Planned),
    cards: &[HostCard],
) -> Inspector {
    let mut group_of = vec![0; plan.cells.len()];
    for (number, group) in (0..).zip(groups) {
        group.cells.iter().for_each(|cell| group_of[*cell as usize] = number);
    }
    let cells = plan.cells.iter().zip(group_of).map(|(cell, group)| {
        let offer = plan.offer(cell);
        PlannedCell {
            group,
            scenario: plan.full_name(cell),
            arm: offer.arm,
            variant: offer.variant.clone(),
            arguments: cell.arguments.clone(),
            sha256: offer.sha256.clone(),
        }
    });
    let programs = cards.iter().map(|card| card.program_sha256.clone()).collect();
    Inspector::new(spec, planned.clone(), cells.collect(), programs)
}
