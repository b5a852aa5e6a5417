//! An operator as a component: the instance is the operator, and the control plane is imported. Texts are copied through the
//! boundary.

use crate::operator::{Event, Key, Object, Operator, Plane, PlaneError, Stored, Watch};
use bindings::bench_host::operator::{control_plane, types as wit};
use bindings::exports::bench_host::operator::operator::{Guest, Watch as WitWatch};
use std::marker::PhantomData;

#[doc(hidden)]
#[allow(
    missing_docs,
    unreachable_pub,
    clippy::all,
    clippy::allow_attributes_without_reason,
    clippy::cast_lossless,
    reason = "generated"
)]
#[path = "generated/operator.rs"]
pub mod bindings;

/// The operator of an instance, stored in a static of the export macro.
#[doc(hidden)]
pub trait HasOperator {
    /// Calls `body` with the operator.
    fn with<R>(body: impl FnOnce(&mut dyn Operator) -> R) -> R;
}

/// Exports an operator to the host.
#[doc(hidden)]
#[expect(missing_debug_implementations, reason = "never instantiated")]
pub struct OperatorComponent<H>(PhantomData<H>);

impl<H: HasOperator> Guest for OperatorComponent<H> {
    fn start(arguments: Vec<(String, String)>) -> Result<Vec<WitWatch>, String> {
        let watches = H::with(|operator| operator.start(&mut Imported, &arguments))?;
        Ok(watches.into_iter().map(|Watch { kind, namespace }| WitWatch { kind, namespace }).collect())
    }

    fn reconcile(event: wit::Event) -> Result<(), String> {
        let event = match &event {
            wit::Event::Added(object) => Event::Added(object_in(object)),
            wit::Event::Modified(object) => Event::Modified(object_in(object)),
            wit::Event::Deleted((key, version)) => Event::Deleted(key_in(key), *version),
        };
        H::with(|operator| operator.reconcile(&mut Imported, event))
    }

    fn suspend() -> Vec<u8> {
        H::with(|operator| operator.suspend())
    }

    fn resume(state: Vec<u8>) -> Result<(), String> {
        H::with(|operator| operator.resume(&state))
    }
}

/// The imported control plane.
struct Imported;

impl Plane for Imported {
    fn get(&mut self, key: Key<'_>) -> Result<Stored, PlaneError> {
        let object = control_plane::get(&key_out(key)).map_err(error_in)?;
        Ok(Stored { resource_version: object.resource_version, spec: object.spec })
    }

    fn apply(&mut self, key: Key<'_>, spec: &str) -> Result<u64, PlaneError> {
        control_plane::apply(&key_out(key), spec).map_err(error_in)
    }

    fn create(&mut self, key: Key<'_>, spec: &str) -> Result<u64, PlaneError> {
        control_plane::create(&key_out(key), spec).map_err(error_in)
    }

    fn update(&mut self, object: Object<'_>) -> Result<u64, PlaneError> {
        let Object { key, resource_version, spec } = object;
        let object = wit::Object { key: key_out(key), resource_version, spec: spec.to_owned() };
        control_plane::update(&object).map_err(error_in)
    }

    fn delete(&mut self, key: Key<'_>) -> Result<(), PlaneError> {
        control_plane::delete(&key_out(key)).map_err(error_in)
    }
}

fn key_in(key: &wit::Key) -> Key<'_> {
    Key { kind: &key.kind, namespace: &key.namespace, name: &key.name }
}

fn object_in(object: &wit::Object) -> Object<'_> {
    Object { key: key_in(&object.key), resource_version: object.resource_version, spec: &object.spec }
}

/// The generated bindings borrow owned strings, so a key is copied here and lowered in place.
fn key_out(key: Key<'_>) -> wit::Key {
    wit::Key { kind: key.kind.to_owned(), namespace: key.namespace.to_owned(), name: key.name.to_owned() }
}

fn error_in(error: wit::Error) -> PlaneError {
    match error {
        wit::Error::NotFound => PlaneError::NotFound,
        wit::Error::Conflict(version) => PlaneError::Conflict(version),
        wit::Error::Invalid(reason) => PlaneError::Invalid(reason),
        wit::Error::Unavailable(reason) => PlaneError::Unavailable(reason),
    }
}

#[doc(hidden)]
#[macro_export]
macro_rules! __export_operator_arm {
    ($plugin:ty, $operator:ty) => {
        $crate::__export_arm!($plugin);
        ::std::thread_local! {
            static __BENCH_HOST_OPERATOR: ::std::cell::RefCell<$operator> = ::std::cell::RefCell::default();
        }
        struct __BenchHostOperator;
        impl $crate::support::HasOperator for __BenchHostOperator {
            fn with<R>(body: impl FnOnce(&mut dyn $crate::operator::Operator) -> R) -> R {
                __BENCH_HOST_OPERATOR.with_borrow_mut(|operator| body(operator))
            }
        }
        type __BenchHostOperatorComponent = $crate::support::OperatorComponent<__BenchHostOperator>;
        $crate::support::operator_bindings::export_operator_world!(
            __BenchHostOperatorComponent with_types_in $crate::support::operator_bindings
        );
    };
}
