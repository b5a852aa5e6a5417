//! The family through its trait, as the host uses it.

mod report;
