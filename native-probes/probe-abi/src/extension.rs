//! What the further tables are that a probe offers beside its first, each by an id. It must not know how the host uses one.

use crate::raw;
use std::mem::offset_of;

/// A function of a table, which C lets be null and Rust does not: its name and where its pointer lies.
pub type Member = (&'static str, usize);

/// A further table of a probe, whose first member is its size.
///
/// # Safety
/// The type is the table that a probe gives for [`ID`](Self::ID), `repr(C)`, with its size in bytes, a `usize`, as the first
/// member; and [`FUNCTIONS`](Self::FUNCTIONS) are all of its members that are pointers to functions and not an [`Option`].
pub unsafe trait Extension: 'static {
    /// By what the probe is asked for it.
    const ID: &str;
    /// What it is called in bench_probe.h.
    const NAME: &str;
    /// Its functions, but for those that are an [`Option`] because a probe need not have them.
    const FUNCTIONS: &[Member];
}

// SAFETY: bench_probe.h gives the id this table, and `raw` has it member for member.
unsafe impl Extension for raw::Function {
    const ID: &str = raw::EXTENSION_FUNCTION;
    const NAME: &str = "bhp_function";
    const FUNCTIONS: &[Member] =
        &[("start", offset_of!(Self, start)), ("answer", offset_of!(Self, answer)), ("stop", offset_of!(Self, stop))];
}

// SAFETY: bench_probe.h gives the id this table, and `raw` has it member for member.
unsafe impl Extension for raw::Pipeline {
    const ID: &str = raw::EXTENSION_PIPELINE;
    const NAME: &str = "bhp_pipeline";
    const FUNCTIONS: &[Member] = &[];
}

// SAFETY: bench_probe.h gives the id this table, and `raw` has it member for member.
unsafe impl Extension for raw::Operators {
    const ID: &str = raw::EXTENSION_OPERATOR;
    const NAME: &str = "bhp_operators";
    const FUNCTIONS: &[Member] = &[
        ("make", offset_of!(Self, make)),
        ("start", offset_of!(Self, start)),
        ("reconcile", offset_of!(Self, reconcile)),
        ("suspend", offset_of!(Self, suspend)),
        ("resume", offset_of!(Self, resume)),
        ("drop", offset_of!(Self, drop)),
    ];
}
