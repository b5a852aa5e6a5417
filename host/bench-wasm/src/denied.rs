//! What a component that was not written for bench-host imports and was not granted, with the option that grants it: one that fails may
//! lack it, and can seldom say so itself.

use crate::adapter::ComponentSession;
use crate::{State, StoreObserver};
use bench_drivers::{BatchNs, Grants, Recording};
use bench_model::{Check, ModuleError, Outcome, Session};
use bench_sink::Sink;
use wasmtime::Store;

/// WASI 0.1, in which files and variables are one module, and which opens no connections.
const PREVIEW1: &str = "wasi_snapshot_preview1";

const FILES: &str = "wasi:filesystem";
const VARIABLES: &str = "wasi:cli/environment";

/// What was not granted, as text for messages; nothing if everything was that is imported.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Denied(Option<String>);

impl Denied {
    /// Of a component with these imports and grants.
    pub(crate) fn of(imports: &[String], grants: &Grants) -> Self {
        let denied = [
            (FILES, "--allow-dir HOST::GUEST", grants.directories.is_empty()),
            (VARIABLES, "--env NAME", grants.environment.is_empty()),
            ("wasi:sockets", "--allow-net HOST:PORT", grants.connections.is_empty()),
            ("wasi:http/outgoing-handler", "which no option grants", true),
            ("wasi:http/client", "which no option grants", true),
        ];
        let is_meant = |import: &str, name: &str| match import {
            PREVIEW1 => [FILES, VARIABLES].contains(&name),
            _ => import.starts_with(name),
        };
        let is_imported = |name: &str| imports.iter().any(|import| is_meant(import, name));
        let denied = denied.into_iter().filter(|(name, _, is_denied)| *is_denied && is_imported(name));
        let denied: Vec<_> = denied.map(|(name, option, _)| format!("{name} ({option})")).collect();
        Self((!denied.is_empty()).then(|| format!("; it was not granted {}", denied.join(", "))))
    }

    /// A reason why it failed, and behind it what it was not granted.
    pub fn reason(&self, reason: String) -> String {
        reason + self.0.as_deref().unwrap_or_default()
    }

    /// An error, and what it was not granted, unless the error says itself what the user must do.
    pub fn error(&self, error: ModuleError) -> ModuleError {
        match error {
            ModuleError::Crashed(reason) => ModuleError::Crashed(self.reason(reason)),
            ModuleError::Other(reason) => ModuleError::Other(self.reason(reason)),
            told => told,
        }
    }

    /// A check, and what it was not granted if the check failed.
    pub fn check(&self, check: Check) -> Check {
        if check.passed { check } else { Check { detail: self.reason(check.detail), ..check } }
    }

    /// The session that `opened` is, whose failures name what it was not granted.
    pub(crate) fn session(
        self,
        opened: Result<Box<dyn ComponentSession>, ModuleError>,
    ) -> Result<Box<dyn ComponentSession>, ModuleError> {
        let session = opened.map_err(|error| self.error(error))?;
        if self.0.is_none() {
            return Ok(session);
        }
        Ok(Box::new(Lacking { session, denied: self }))
    }
}

/// A session of a component that was not granted everything.
struct Lacking {
    session: Box<dyn ComponentSession>,
    denied: Denied,
}

impl Session for Lacking {
    #[inline]
    fn iterate(&mut self, times: u64) -> Result<Outcome, ModuleError> {
        self.session.iterate(times).map_err(|error| self.denied.error(error))
    }

    fn verify(&mut self) -> Result<Vec<Check>, ModuleError> {
        let checks = self.session.verify().map_err(|error| self.denied.error(error))?;
        Ok(checks.into_iter().map(|check| self.denied.check(check)).collect())
    }
}

impl Recording for Lacking {
    fn sink(&mut self) -> &mut Sink {
        self.session.sink()
    }

    fn own_ns(&self) -> Option<BatchNs> {
        self.session.own_ns()
    }

    fn memory_bytes(&mut self) -> Option<u64> {
        self.session.memory_bytes()
    }
}

impl ComponentSession for Lacking {
    fn store(&mut self) -> Option<&mut Store<State>> {
        self.session.store()
    }

    fn observer(&mut self) -> Option<&mut StoreObserver> {
        self.session.observer()
    }

    fn fuel_consumed(&mut self) -> Result<u64, ModuleError> {
        self.session.fuel_consumed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(imports: &[&str], grants: &Grants, expect: &str) {
        let imports: Vec<_> = imports.iter().map(|import| (*import).to_owned()).collect();
        let reason = Denied::of(&imports, grants).reason("it failed".to_owned());
        assert_eq!(reason, format!("it failed{expect}"), "{imports:?}");
    }

    #[test]
    fn imports_without_a_grant_are_named_with_their_option() {
        let nothing = Grants::default();
        check(&[], &nothing, "");
        check(&["wasi:cli/stdout@0.2.3", "wasi:random/random@0.2.3", "wasi:http/types@0.2.3"], &nothing, "");
        check(
            &["wasi:filesystem/types@0.2.3", "wasi:filesystem/preopens@0.2.3", "wasi:sockets/tcp@0.2.3"],
            &nothing,
            "; it was not granted wasi:filesystem (--allow-dir HOST::GUEST), wasi:sockets (--allow-net HOST:PORT)",
        );
        let granted = Grants {
            environment: vec![("A".to_owned(), "b".to_owned())],
            connections: vec!["h:1".to_owned()],
            ..nothing
        };
        check(&["wasi:cli/environment@0.2.3", "wasi:sockets/tcp@0.2.3"], &granted, "");
        check(
            &["wasi:http/outgoing-handler@0.2.3"],
            &granted,
            "; it was not granted wasi:http/outgoing-handler (which no option grants)",
        );
        check(
            &["wasi_snapshot_preview1"],
            &Grants::default(),
            "; it was not granted wasi:filesystem (--allow-dir HOST::GUEST), wasi:cli/environment (--env NAME)",
        );
        check(&["wasi_snapshot_preview1"], &granted, "; it was not granted wasi:filesystem (--allow-dir HOST::GUEST)");
    }

    #[test]
    fn error_that_says_what_to_do_is_left_alone() {
        let denied = Denied::of(&["wasi:sockets/tcp@0.2.3".to_owned()], &Grants::default());
        let invalid = ModuleError::InvalidArgument("`true` at column 8".to_owned());
        assert_eq!(denied.error(invalid.clone()), invalid);
        let crashed = denied.error(ModuleError::Crashed("`run` trapped".to_owned()));
        let expect = "`run` trapped; it was not granted wasi:sockets (--allow-net HOST:PORT)";
        assert_eq!(crashed, ModuleError::Crashed(expect.to_owned()));
        assert_eq!(denied.check(Check::that("a", true, "1")).detail, "1");
        assert!(denied.check(Check::that("a", false, "1")).detail.starts_with("1; it was not granted"));
    }
}
