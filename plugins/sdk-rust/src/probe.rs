//! The native arm: exports the plug-in as a probe through the C ABI, with the safe API of `probe-abi`.

#[cfg(feature = "pipeline")]
pub use probe_abi::pipeline::Batches;
pub use probe_abi::{Host, Series};

/// What the host offers besides series, each behind a feature.
pub(crate) mod capability {
    #[cfg(feature = "log")]
    pub use probe_abi::log::*;
    #[cfg(feature = "ring")]
    pub use probe_abi::{peer::*, ring::*};
}

/// The code that [`crate::export!`] expands to. Not for direct use.
#[doc(hidden)]
pub mod support {
    use crate::{Host, Plugin};
    use bench_model::{Arguments, Descriptor, ModuleError, Session};
    use std::marker::PhantomData;

    pub use probe_abi::export_probe;

    /// Exports a plug-in with operators as a probe.
    #[cfg(feature = "operator")]
    #[expect(missing_debug_implementations, reason = "never instantiated")]
    pub struct OperatorProbe<P, O>(PhantomData<(P, O)>);

    #[cfg(feature = "operator")]
    impl<P: Plugin, O: crate::operator::Operator + Default + 'static> probe_abi::Probe for OperatorProbe<P, O> {
        const OPERATOR: Option<probe_abi::operator::Make> = Some(|| Box::new(O::default()));

        fn describe() -> Descriptor {
            P::describe()
        }

        fn open(scenario: &str, arguments: &Arguments, host: Host) -> Result<Box<dyn Session>, ModuleError> {
            P::open(scenario, arguments, host)
        }
    }

    /// Exports a plug-in with stages as a probe.
    #[cfg(feature = "tabular")]
    #[expect(missing_debug_implementations, reason = "never instantiated")]
    pub struct StagesProbe<P>(PhantomData<P>);

    #[cfg(feature = "tabular")]
    impl<P: crate::stages::Stages> probe_abi::Probe for StagesProbe<P> {
        const STAGES: Option<probe_abi::tabular::Run> = Some(P::run);

        fn describe() -> Descriptor {
            P::describe()
        }

        fn open(scenario: &str, arguments: &Arguments, host: Host) -> Result<Box<dyn Session>, ModuleError> {
            P::open(scenario, arguments, host)
        }
    }

    /// Exports a plug-in as a probe.
    #[expect(missing_debug_implementations, reason = "never instantiated")]
    pub struct AsProbe<P>(PhantomData<P>);

    impl<P: Plugin> probe_abi::Probe for AsProbe<P> {
        fn describe() -> Descriptor {
            P::describe()
        }

        fn open(scenario: &str, arguments: &Arguments, host: Host) -> Result<Box<dyn Session>, ModuleError> {
            P::open(scenario, arguments, host)
        }
    }

    /// Exports a source as a probe.
    #[cfg(feature = "pipeline")]
    #[expect(missing_debug_implementations, reason = "never instantiated")]
    pub struct SourceProbe<S>(PhantomData<S>);

    #[cfg(feature = "pipeline")]
    impl<S: crate::pipeline::Source> probe_abi::Probe for SourceProbe<S> {
        const READ: Option<probe_abi::pipeline::Transfer> = Some(S::read);

        fn describe() -> Descriptor {
            S::describe()
        }

        fn open(scenario: &str, arguments: &Arguments, host: Host) -> Result<Box<dyn Session>, ModuleError> {
            S::open(scenario, arguments, host)
        }
    }

    /// Exports a destination as a probe.
    #[cfg(feature = "pipeline")]
    #[expect(missing_debug_implementations, reason = "never instantiated")]
    pub struct DestinationProbe<D>(PhantomData<D>);

    #[cfg(feature = "pipeline")]
    impl<D: crate::pipeline::Destination> probe_abi::Probe for DestinationProbe<D> {
        const WRITE: Option<probe_abi::pipeline::Transfer> = Some(D::write);

        fn describe() -> Descriptor {
            D::describe()
        }

        fn open(scenario: &str, arguments: &Arguments, host: Host) -> Result<Box<dyn Session>, ModuleError> {
            D::open(scenario, arguments, host)
        }
    }

    /// Exports a source and a destination as one probe.
    #[cfg(feature = "pipeline")]
    #[expect(missing_debug_implementations, reason = "never instantiated")]
    pub struct ConnectorsProbe<S, D>(PhantomData<(S, D)>);

    #[cfg(feature = "pipeline")]
    impl<S: crate::pipeline::Source, D: crate::pipeline::Destination> probe_abi::Probe for ConnectorsProbe<S, D> {
        const READ: Option<probe_abi::pipeline::Transfer> = Some(S::read);
        const WRITE: Option<probe_abi::pipeline::Transfer> = Some(D::write);

        fn describe() -> Descriptor {
            crate::pipeline::ConnectorsPlugin::<S, D>::describe()
        }

        fn open(scenario: &str, arguments: &Arguments, host: Host) -> Result<Box<dyn Session>, ModuleError> {
            crate::pipeline::ConnectorsPlugin::<S, D>::open(scenario, arguments, host)
        }
    }
}

#[doc(hidden)]
#[macro_export]
macro_rules! __export_arm {
    ($plugin:ty) => {
        $crate::support::export_probe!($crate::support::AsProbe<$plugin>);
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __export_source_arm {
    ($source:ty) => {
        $crate::support::export_probe!($crate::support::SourceProbe<$source>);
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __export_destination_arm {
    ($destination:ty) => {
        $crate::support::export_probe!($crate::support::DestinationProbe<$destination>);
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __export_connectors_arm {
    ($source:ty, $destination:ty) => {
        $crate::support::export_probe!($crate::support::ConnectorsProbe<$source, $destination>);
    };
}

#[cfg(feature = "tabular")]
#[doc(hidden)]
#[macro_export]
macro_rules! __export_stages_arm {
    ($plugin:ty) => {
        $crate::support::export_probe!($crate::support::StagesProbe<$plugin>);
    };
}

#[cfg(feature = "operator")]
#[doc(hidden)]
#[macro_export]
macro_rules! __export_operator_arm {
    ($plugin:ty, $operator:ty) => {
        $crate::support::export_probe!($crate::support::OperatorProbe<$plugin, $operator>);
    };
}
