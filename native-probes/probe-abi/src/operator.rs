//! The control plane as an operator in a probe sees it: the table of `bench-host:operator/0.1` behind the safe trait.

use crate::raw;
use operator_core::{Key, Object, Plane, PlaneError, Stored};
use std::marker::PhantomData;

pub use operator_core::Operator;

/// Makes an operator that was not started.
pub type Make = fn() -> Box<dyn Operator>;

/// The control plane for the duration of one call.
#[derive(Debug)]
pub(crate) struct HostPlane<'a> {
    table: &'a raw::Plane,
    not_send: PhantomData<*mut ()>,
}

impl HostPlane<'_> {
    /// The plane behind `table`, unless that is too small.
    ///
    /// # Safety
    /// `table` is null, or points to a table whose first member is its size and which stays valid for the result's life.
    pub(crate) unsafe fn new(table: *const raw::Plane) -> Option<Self> {
        // SAFETY: the caller promises a table whose first member is its size.
        let size = if table.is_null() { 0 } else { unsafe { table.cast::<usize>().read() } };
        // SAFETY: the size says that all members are there, and the caller promises the life.
        (size >= size_of::<raw::Plane>()).then(|| Self { table: unsafe { &*table }, not_send: PhantomData })
    }

    /// The result of a function that wrote `object` and returned `status`.
    fn settle(&self, status: i32, object: raw::Object) -> Result<raw::Object, PlaneError> {
        if status == raw::PLANE_OK { Ok(object) } else { Err(self.error(status, object.resource_version)) }
    }

    #[cold]
    fn error(&self, status: i32, version: u64) -> PlaneError {
        // SAFETY: the table is the host's, and the text is lent until the next call.
        let reason = || unsafe { (self.table.reason)(self.table.ctx).text().into_owned() };
        match status {
            raw::PLANE_NOT_FOUND => PlaneError::NotFound,
            raw::PLANE_CONFLICT => PlaneError::Conflict(version),
            raw::PLANE_INVALID => PlaneError::Invalid(reason()),
            raw::PLANE_UNAVAILABLE => PlaneError::Unavailable(reason()),
            unknown => PlaneError::Unavailable(format!("the control plane gave status {unknown}: {}", reason())),
        }
    }
}

const NOTHING: raw::Str = raw::Str::new("");
const NO_OBJECT: raw::Object =
    raw::Object { key: raw::Key { kind: NOTHING, space: NOTHING, name: NOTHING }, resource_version: 0, spec: NOTHING };

fn raw_key(key: Key<'_>) -> raw::Key {
    raw::Key { kind: raw::Str::new(key.kind), space: raw::Str::new(key.namespace), name: raw::Str::new(key.name) }
}

impl Plane for HostPlane<'_> {
    fn get(&mut self, key: Key<'_>) -> Result<Stored, PlaneError> {
        let mut object = NO_OBJECT;
        // SAFETY: the table is the host's, and key and room outlive the call.
        let status = unsafe { (self.table.get)(self.table.ctx, &raw_key(key), &mut object) };
        let object = self.settle(status, object)?;
        // SAFETY: the host lends the object until the next call.
        let spec = unsafe { object.spec.text() }.into_owned();
        Ok(Stored { resource_version: object.resource_version, spec })
    }

    fn apply(&mut self, key: Key<'_>, spec: &str) -> Result<u64, PlaneError> {
        let mut object = NO_OBJECT;
        // SAFETY: the table is the host's, and key, text and room outlive the call.
        let status = unsafe { (self.table.apply)(self.table.ctx, &raw_key(key), raw::Str::new(spec), &mut object) };
        self.settle(status, object).map(|object| object.resource_version)
    }

    fn create(&mut self, key: Key<'_>, spec: &str) -> Result<u64, PlaneError> {
        let mut object = NO_OBJECT;
        // SAFETY: as in `apply`.
        let status = unsafe { (self.table.create)(self.table.ctx, &raw_key(key), raw::Str::new(spec), &mut object) };
        self.settle(status, object).map(|object| object.resource_version)
    }

    fn update(&mut self, object: Object<'_>) -> Result<u64, PlaneError> {
        let Object { key, resource_version, spec } = object;
        let wanted = raw::Object { key: raw_key(key), resource_version, spec: raw::Str::new(spec) };
        let mut object = NO_OBJECT;
        // SAFETY: the table is the host's, and the object and the room outlive the call.
        let status = unsafe { (self.table.update)(self.table.ctx, &wanted, &mut object) };
        self.settle(status, object).map(|object| object.resource_version)
    }

    fn delete(&mut self, key: Key<'_>) -> Result<(), PlaneError> {
        // SAFETY: the table is the host's, and the key outlives the call.
        let status = unsafe { (self.table.remove)(self.table.ctx, &raw_key(key)) };
        // A conflict of a removal names no version: there is no object to write it to.
        self.settle(status, NO_OBJECT).map(|_| ())
    }
}
