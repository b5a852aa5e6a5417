//! What a call leaves behind beside its status: why it failed, what the host refused, how the contract was broken; and which
//! of the host's functions were used. It must not know how a probe reaches the host.

use bench_model::ModuleError;
use probe_abi::raw;
use std::cell::Cell;

/// What one call left behind. Most calls leave nothing, so this is made when it is first needed.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    /// The probe's own words, the last ones.
    explanation: Option<String>,
    /// What the host last refused, which the probe may have handled.
    refusal: Option<String>,
    /// The first thing that no probe may do.
    breach: Option<String>,
}

/// Why the host does not do what a probe asks.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) status: raw::Status,
    pub(crate) reason: String,
    /// Whether the contract is broken, so that what the probe did so far cannot be relied on.
    pub(crate) is_breach: bool,
}

impl Refusal {
    /// Something a probe may ask for and does not get.
    pub(crate) fn new(status: raw::Status, reason: impl ToString) -> Self {
        Self { status, reason: reason.to_string(), is_breach: false }
    }

    /// Something no probe may do.
    pub(crate) fn breach(status: raw::Status, reason: impl Into<String>) -> Self {
        Self { status, reason: reason.into(), is_breach: true }
    }
}

impl Notes {
    pub(crate) fn explain(&mut self, explanation: String) {
        self.explanation = Some(explanation);
    }

    pub(crate) fn refuse(&mut self, refusal: Refusal) {
        if refusal.is_breach {
            self.breach.get_or_insert(refusal.reason);
        } else {
            self.refusal = Some(refusal.reason);
        }
    }

    /// What a call of `function` that returned `status` comes to.
    pub(crate) fn judge(self, function: &str, status: raw::Status) -> Result<(), ModuleError> {
        if let Some(breach) = self.breach {
            return Err(ModuleError::Crashed(format!("`{function}` broke the contract: {breach}")));
        }
        let explanation = match (self.explanation, self.refusal) {
            // A probe that passes a refusal on knows the status and not the words.
            (Some(explanation), Some(refusal)) => format!("{explanation} (the host said: {refusal})"),
            (Some(text), None) | (None, Some(text)) => text,
            (None, None) => format!("`{function}` gave no reason"),
        };
        raw::error_of(status, explanation).map_or(Ok(()), Err)
    }
}

/// Which of the host's functions were used. Appending is not noted: it is measured, and nobody appends without opening.
#[derive(Debug, Default)]
pub(crate) struct Used {
    pub(crate) series_open: Cell<bool>,
    pub(crate) check: Cell<bool>,
    pub(crate) explain: Cell<bool>,
    pub(crate) ring: Cell<bool>,
    pub(crate) log: Cell<bool>,
}

impl Used {
    /// Notes what `other` noted.
    pub(crate) fn add(&self, other: &Self) {
        for (own, other) in self.flags().into_iter().zip(other.flags()) {
            own.1.set(own.1.get() || other.1.get());
        }
    }

    /// What was used, by name.
    pub(crate) fn names(&self) -> Vec<String> {
        self.flags().into_iter().filter(|(_, flag)| flag.get()).map(|(name, _)| name.to_owned()).collect()
    }

    fn flags(&self) -> [(&'static str, &Cell<bool>); 5] {
        [
            ("check", &self.check),
            ("explain", &self.explain),
            ("extension bench-host:log/0.1", &self.log),
            ("extension bench-host:ring/0.1", &self.ring),
            ("series_open", &self.series_open),
        ]
    }
}
