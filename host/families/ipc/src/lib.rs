//! The family `ipc`: messages between two processes over each transport of the kernel. Its scenarios use the driver `workload` and
//! are described by the probes `native-probes/ipc` and `native-probes/queues`.

#![forbid(unsafe_code)]

use bench_family::Family;
use bench_report::{
    CellView, FamilyChart, FamilyReport, RunView, Section, interleaved_baselines, interleaved_baselines_chart,
};
use bench_sink::runfile::RunFile;

/// The name of the family.
const NAME: &str = "ipc";

/// The series of raw round trips that the scenario `round-trips` measures interleaved with checked ones.
const BASELINES: [&str; 1] = ["bare_round_trips"];

/// The series of the ring that the scenarios of the probe `queues` measure interleaved with another queue.
const RING: [&str; 1] = ["shm_ring"];

/// The family.
#[derive(Debug)]
pub struct Ipc;

impl Family for Ipc {
    fn name(&self) -> &'static str {
        NAME
    }

    fn summary(&self) -> &'static str {
        "Messages between processes"
    }

    fn report(&self) -> Option<&'static dyn FamilyReport> {
        Some(&TransportReport)
    }
}

/// What the family adds to the report of a run.
struct TransportReport;

impl FamilyReport for TransportReport {
    fn family(&self) -> &'static str {
        NAME
    }

    fn sections(&self, view: &RunView) -> Vec<Section> {
        let transports = interleaved_baselines("ipc.baselines", view, is_of_transport, &BASELINES);
        let queues = interleaved_baselines("ipc.queues", view, is_of_queue, &RING);
        transports.into_iter().chain(queues).collect()
    }

    fn charts(&self, view: &RunView, _file: &RunFile) -> Vec<FamilyChart> {
        let transports = interleaved_baselines_chart("ipc-baselines", view, is_of_transport, &BASELINES);
        let queues = interleaved_baselines_chart("ipc-queues", view, is_of_queue, &RING);
        transports.into_iter().chain(queues).collect()
    }
}

/// Runs of earlier versions have the scenarios of `ipc` in another family.
fn is_of_transport(cell: &CellView) -> bool {
    cell.family == NAME || cell.scenario.starts_with("ipc/")
}

fn is_of_queue(cell: &CellView) -> bool {
    cell.scenario.starts_with("queues/")
}
