//! What a batch did and whether its result was right.

/// Raw counts of one batch of operations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Operations done.
    pub operations: u64,
    /// Payload bytes processed, 0 where an operation has none.
    pub bytes: u64,
    /// A digest of one operation's result, equal for equal arguments in every batch, process and arm.
    pub checksum: u64,
}

/// One thing a module looked at to see whether its result was right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// Unique in its scenario.
    pub name: String,
    /// Whether it held.
    pub passed: bool,
    /// Expected against found.
    pub detail: String,
}

impl Check {
    /// A check that `found` equals `expected`; the detail shows both.
    pub fn equal<T: PartialEq + std::fmt::Debug + ?Sized>(name: impl Into<String>, expected: &T, found: &T) -> Self {
        Self { name: name.into(), passed: expected == found, detail: format!("expected {expected:?}, found {found:?}") }
    }

    /// A check of a condition that `detail` describes.
    pub fn that(name: impl Into<String>, passed: bool, detail: impl Into<String>) -> Self {
        Self { name: name.into(), passed, detail: detail.into() }
    }
}
