//! The trait of the tables that a probe offers besides its first one, each by an id. The generated tables implement it.

/// A function of a table, which C lets be null and Rust does not: its name and where its pointer lies.
pub type Member = (&'static str, usize);

/// A further table of a probe, whose first member is its size.
///
/// # Safety
/// The type is the table that a probe gives for [`ID`](Self::ID), `repr(C)`, with its size in bytes, a `usize`, as the first
/// member; and [`FUNCTIONS`](Self::FUNCTIONS) are all of its members that are pointers to functions and not an [`Option`].
pub unsafe trait Extension: 'static {
    /// The id by which the host asks for it.
    const ID: &str;
    /// Its name in bench_probe.h.
    const NAME: &str;
    /// Its functions, but for those that are an [`Option`] because a probe need not have them.
    const FUNCTIONS: &[Member];
}
