//! What a call leaves in addition to its status: why it failed, what the host refused, how it broke the contract, and which functions
//! of the host it used.

use crate::capability::OWN;
use bench_model::ModuleError;
use probe_abi::raw;
use std::cell::Cell;

/// The notes of one call. Most calls leave none, so this is allocated when it is first needed.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    /// The last explanation of the probe.
    explanation: Option<String>,
    /// The last refusal of the host, which the probe may have handled.
    refusal: Option<String>,
    /// The first breach of the contract.
    breach: Option<String>,
}

/// The reason why the host refuses a request of a probe.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) status: raw::Status,
    pub(crate) reason: String,
    /// Whether the contract is broken, so that the results of the probe are not reliable.
    pub(crate) is_breach: bool,
}

impl Refusal {
    /// A refusal of a permitted request.
    pub(crate) fn new(status: raw::Status, reason: impl ToString) -> Self {
        Self { status, reason: reason.to_string(), is_breach: false }
    }

    /// A breach of the contract.
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

    /// The result of a call of `function` that returned `status`.
    pub(crate) fn check_status(self, function: &str, status: raw::Status) -> Result<(), ModuleError> {
        if let Some(breach) = self.breach {
            return Err(ModuleError::Crashed(format!("`{function}` broke the contract: {breach}")));
        }
        let explanation = match (self.explanation, self.refusal) {
            // A probe that returns the status of a refusal does not know its text.
            (Some(explanation), Some(refusal)) => format!("{explanation} (the host said: {refusal})"),
            (Some(text), None) | (None, Some(text)) => text,
            (None, None) => format!("`{function}` gave no reason"),
        };
        raw::error_of(status, explanation).map_or(Ok(()), Err)
    }
}

/// Which functions of the host were used. Appending samples is not noted: it is on a measured path, and requires opening a series.
#[derive(Debug, Default)]
pub(crate) struct Used {
    pub(crate) series_open: Cell<bool>,
    pub(crate) check: Cell<bool>,
    pub(crate) explain: Cell<bool>,
    /// Of the capabilities, in their order.
    pub(crate) extensions: [Cell<bool>; OWN.len()],
}

impl Used {
    /// Adds the notes of `other`.
    pub(crate) fn add(&self, other: &Self) {
        for (own, other) in self.flags().into_iter().zip(other.flags()) {
            own.1.set(own.1.get() || other.1.get());
        }
    }

    /// The names of the used functions.
    pub(crate) fn names(&self) -> Vec<String> {
        self.flags().into_iter().filter(|(_, flag)| flag.get()).map(|(name, _)| name).collect()
    }

    /// In the order of the names.
    fn flags(&self) -> Vec<(String, &Cell<bool>)> {
        let first = [("check", &self.check), ("explain", &self.explain)].map(|(name, flag)| (name.to_owned(), flag));
        let extensions = OWN.iter().zip(&self.extensions);
        let extensions = extensions.map(|(capability, flag)| (format!("extension {}", capability.id()), flag));
        let last = ("series_open".to_owned(), &self.series_open);
        first.into_iter().chain(extensions).chain([last]).collect()
    }
}
