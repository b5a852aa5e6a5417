//! Run files that tests make up, and their reports without sections of families.

use bench_report::RunView;

pub(crate) use sample_run::{
    Block, Part, Run, calibration, compared, eventful, fingerprint, merged, module, outcome, rendered, warnings,
};

pub(crate) fn text(view: &RunView) -> String {
    sample_run::text(view, None)
}

pub(crate) fn markdown(view: &RunView) -> String {
    sample_run::markdown(view, None)
}

pub(crate) fn json(view: &RunView) -> String {
    sample_run::json(view, None)
}

pub(crate) fn csv(view: &RunView) -> String {
    sample_run::csv(view, None)
}
