//! The code that [`crate::export!`] expands to: the exports of the world for any plug-in. Not for direct use.

pub use super::bindings;
#[cfg(feature = "function")]
pub use super::function::bindings as function_bindings;
#[cfg(feature = "operator")]
pub use super::operator::{HasOperator, OperatorComponent, bindings as operator_bindings};
#[cfg(feature = "pipeline")]
pub use super::pipeline::{DestinationComponent, SourceComponent, destination_bindings, source_bindings};
#[cfg(feature = "tabular")]
pub use super::stages::{StageComponent, stage_bindings};

use super::convert;
use crate::{Host, Plugin};
use bench_model::Session;
use bindings::bench_host::workload::types as wit;
use bindings::exports::bench_host::workload::{plugin, sessions};
use std::cell::RefCell;
use std::marker::PhantomData;

/// Exports a plug-in to the host as a component.
#[expect(missing_debug_implementations, reason = "never instantiated")]
pub struct Component<P>(PhantomData<P>);

/// The session behind a handle.
#[expect(missing_debug_implementations, reason = "a plug-in's session need not be printable")]
pub struct Opened(RefCell<Box<dyn Session>>);

impl<P: Plugin> plugin::Guest for Component<P> {
    fn describe() -> wit::Descriptor {
        convert::descriptor(P::describe())
    }
}

impl<P: Plugin + 'static> sessions::Guest for Component<P> {
    type Session = OpenedBy<P>;
}

/// [`Opened`], with the type of the plug-in that opened it.
#[expect(missing_debug_implementations, reason = "as its field")]
pub struct OpenedBy<P>(Opened, PhantomData<P>);

impl<P: Plugin + 'static> sessions::GuestSession for OpenedBy<P> {
    fn open(scenario: String, arguments: Vec<wit::Argument>) -> Result<sessions::Session, wit::Error> {
        // As in a probe, so that a plug-in with one scenario need not look at its name.
        if !P::describe().scenarios.iter().any(|known| known.name == scenario) {
            return Err(wit::Error::UnknownScenario(scenario));
        }
        let session = P::open(&scenario, &convert::arguments_in(arguments), Host::new()).map_err(convert::error)?;
        Ok(sessions::Session::new(Self(Opened(RefCell::new(session)), PhantomData)))
    }

    fn iterate(&self, times: u64) -> Result<wit::Outcome, wit::Error> {
        self.0.0.borrow_mut().iterate(times).map(wit::Outcome::from).map_err(convert::error)
    }

    fn verify(&self) -> Result<Vec<wit::Check>, wit::Error> {
        let checks = self.0.0.borrow_mut().verify().map_err(convert::error)?;
        Ok(checks.into_iter().map(wit::Check::from).collect())
    }
}
