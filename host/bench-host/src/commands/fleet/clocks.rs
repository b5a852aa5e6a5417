//! Says which clocks of machines are off.

use crate::output;
use bench_fleet::AgentId;
use bench_sink::runfile::ClockRecord;

/// The difference of two clocks that is reported.
const CLOCK_OFFSET_NS: u64 = 1_000_000_000;

/// Says which clocks are off.
pub(super) fn say_clocks(names: &[String], clock: impl Fn(AgentId) -> Vec<ClockRecord>) {
    for (number, name) in (0..).zip(names) {
        for ClockRecord { offset_ns, error_ns } in clock(AgentId(number)) {
            if offset_ns.unsigned_abs() > error_ns.saturating_add(CLOCK_OFFSET_NS) {
                let direction = if offset_ns > 0 { "ahead of" } else { "behind" };
                output::line(&format!(
                    "bench-host: the clock of agent {name} is {:.1} s {direction} that of this machine; no figure depends on it",
                    offset_ns.unsigned_abs() as f64 / 1e9
                ));
            }
        }
    }
}
