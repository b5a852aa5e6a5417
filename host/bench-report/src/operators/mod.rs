//! Chains of operators: which cells of a run belong together, and what is made of them: tables of samples, memory by operators,
//! and figures. Knows the metrics and arguments that such scenarios have in common, not how anything was run.

mod figures;
mod naming;
mod samples;
mod slopes;
mod sweep;
mod table;

pub use figures::{Plot, operator_plots};
pub use samples::{OperatorTables, operator_tables};
pub use slopes::operators_json;
pub use table::Operators;

/// The title of what chains differ in.
const OPERATORS: &str = "operators";

/// The family of such scenarios.
const FAMILY: &str = OPERATORS;

/// Which metrics and arguments they have.
const COUNT: &str = "count";
const EVERY_OTHER: &str = "every_other";
const PHASE: &str = "phase";
const LATENCY: &str = "chain";
const LATENCY_COLD: &str = "chain_cold";
const MEMORY: &str = "memory_pss";
const MEMORY_AT: &str = "memory_at";

/// The phases whose memory is compared: what comes between them is on its way from one to the next.
const PHASES: [&str; 3] = ["active", "idle", "unloaded"];
