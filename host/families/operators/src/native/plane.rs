//! The control plane as a table of C functions, made anew for each call of an operator. Nothing unwinds across the boundary, and
//! texts that a probe passes are checked.

use crate::operators::{Key, Object, Plane, PlaneError};
use bench_native::text;
use probe_abi::raw;
use std::cell::RefCell;
use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// The control plane of one call, and the reply that is lent to it.
pub(super) struct ScopedPlane<'a> {
    plane: &'a dyn Plane,
    lent: RefCell<BorrowedReply>,
}

/// Kept until the next function of the table is called.
#[derive(Default)]
struct BorrowedReply {
    object: Option<Arc<Object>>,
    reason: String,
}

impl<'a> ScopedPlane<'a> {
    pub(super) fn new(plane: &'a dyn Plane) -> Self {
        Self { plane, lent: RefCell::default() }
    }

    /// The table for a call. It is valid while `self` stays where it is.
    pub(super) fn table(&self) -> raw::Plane {
        let ctx: *const Self = self;
        let size = size_of::<raw::Plane>();
        raw::Plane { size, ctx: ctx.cast_mut().cast(), get, apply, create, update, remove, reason }
    }

    /// Runs `body` for a probe, writes its result if there is room, and returns the status.
    fn serve(
        &self,
        room: Option<&mut raw::Object>,
        body: impl FnOnce(&dyn Plane) -> Result<Option<Arc<Object>>, PlaneError>,
    ) -> i32 {
        // A panic of the host's must not reach the probe's frames.
        let panicked = |_| Err(PlaneError::Unavailable("this function of the host panicked".to_owned()));
        let served = catch_unwind(AssertUnwindSafe(|| body(self.plane))).unwrap_or_else(panicked);
        let mut lent = self.lent.borrow_mut();
        match served {
            Ok(object) => {
                if let (Some(object), Some(room)) = (&object, room) {
                    *room = lend(&object.key, object.resource_version, &object.spec);
                }
                lent.object = object;
                raw::PLANE_OK
            }
            Err(error) => {
                lent.reason = error.to_string();
                if let (PlaneError::Conflict(version), Some(room)) = (&error, room) {
                    room.resource_version = *version;
                }
                match error {
                    PlaneError::NotFound => raw::PLANE_NOT_FOUND,
                    PlaneError::Conflict(_) => raw::PLANE_CONFLICT,
                    PlaneError::Invalid(_) => raw::PLANE_INVALID,
                    PlaneError::TooOld { .. } | PlaneError::Unavailable(_) => raw::PLANE_UNAVAILABLE,
                }
            }
        }
    }
}

/// An object as the probe sees it, valid while its parts are borrowed.
pub(super) fn lend(key: &Key, resource_version: u64, spec: &str) -> raw::Object {
    let Key { kind, namespace, name } = key;
    let key = raw::Key { kind: raw::Str::new(kind), space: raw::Str::new(namespace), name: raw::Str::new(name) };
    raw::Object { key, resource_version, spec: raw::Str::new(spec) }
}

unsafe extern "C" fn get(ctx: *mut c_void, key: *const raw::Key, object_out: *mut raw::Object) -> i32 {
    // SAFETY: the caller's promises are the same.
    let (given, key, room) = unsafe { (given(ctx), owned(key), room(object_out)) };
    given.serve(room, |plane| plane.get(&key?).map(Some))
}

unsafe extern "C" fn apply(
    ctx: *mut c_void,
    key: *const raw::Key,
    spec: raw::Str,
    object_out: *mut raw::Object,
) -> i32 {
    // SAFETY: the caller's promises are the same.
    unsafe { written(ctx, key, spec, object_out, |plane, key, spec| plane.apply(key, spec)) }
}

unsafe extern "C" fn create(
    ctx: *mut c_void,
    key: *const raw::Key,
    spec: raw::Str,
    object_out: *mut raw::Object,
) -> i32 {
    // SAFETY: the caller's promises are the same.
    unsafe { written(ctx, key, spec, object_out, |plane, key, spec| plane.create(key, spec)) }
}

/// Calls `write` with a key and a spec.
///
/// # Safety
/// As [`given`], [`owned`], [`whole`] and [`room`], for the duration of the call.
unsafe fn written(
    ctx: *mut c_void,
    key: *const raw::Key,
    spec: raw::Str,
    object_out: *mut raw::Object,
    write: impl FnOnce(&dyn Plane, &Key, &str) -> Result<Arc<Object>, PlaneError>,
) -> i32 {
    // SAFETY: the caller's promises are the same.
    let (given, key, spec, room) = unsafe { (given(ctx), owned(key), whole(spec), room(object_out)) };
    given.serve(room, |plane| write(plane, &key?, spec?).map(Some))
}

unsafe extern "C" fn update(ctx: *mut c_void, object: *const raw::Object, object_out: *mut raw::Object) -> i32 {
    // SAFETY: the caller's promises are the same; the key is the object's first member.
    let (given, key, room) = unsafe { (given(ctx), owned(object.cast()), room(object_out)) };
    // SAFETY: the object is null, or lent for the duration of the call.
    let raw = unsafe { object.as_ref() };
    given.serve(room, |plane| {
        let raw = raw.ok_or_else(|| invalid("the object is a null pointer"))?;
        // SAFETY: the probe lends the text for the duration of the call.
        let spec = unsafe { whole(raw.spec) }?.to_owned();
        plane.update(&Object { key: key?, resource_version: raw.resource_version, spec }).map(Some)
    })
}

unsafe extern "C" fn remove(ctx: *mut c_void, key: *const raw::Key) -> i32 {
    // SAFETY: the caller's promises are the same.
    let (given, key) = unsafe { (given(ctx), owned(key)) };
    given.serve(None, |plane| plane.delete(&key?).map(|()| None))
}

unsafe extern "C" fn reason(ctx: *mut c_void) -> raw::Str {
    // SAFETY: the caller's promises are the same; the text stays until the next function is called.
    raw::Str::new(unsafe { given(ctx) }.lent.borrow().reason.as_str())
}

/// # Safety
/// `ctx` comes out of [`ScopedPlane::table`], for the call that is under way.
unsafe fn given<'a>(ctx: *mut c_void) -> &'a ScopedPlane<'a> {
    // SAFETY: as the caller promises, the value is there, and it is only shared.
    unsafe { &*ctx.cast::<ScopedPlane<'a>>() }
}

/// # Safety
/// `room` is null, misaligned, or points to an object that only the callee uses during the call.
unsafe fn room<'a>(room: *mut raw::Object) -> Option<&'a mut raw::Object> {
    // SAFETY: the pointer is neither null nor misaligned, and the caller promises the rest.
    (!room.is_null() && room.is_aligned()).then(|| unsafe { &mut *room })
}

/// # Safety
/// `key` is null, misaligned, or points to a key whose texts are lent for the duration of the call.
unsafe fn owned(key: *const raw::Key) -> Result<Key, PlaneError> {
    // SAFETY: as the caller promises.
    let key = unsafe { text::borrowed(key, 1) }.and_then(<[raw::Key]>::first);
    let key = key.ok_or_else(|| invalid("the key is a null pointer"))?;
    // SAFETY: the probe lends the texts for the duration of the call.
    let name = |text| unsafe { text::name(text) }.map_err(|fault| invalid(&format!("a part of the key {fault}")));
    Ok(Key::new(name(key.kind)?, name(key.space)?, name(key.name)?))
}

/// A spec as it is; how long it may be is the control plane's to say.
///
/// # Safety
/// As [`text::borrowed`].
unsafe fn whole<'a>(spec: raw::Str) -> Result<&'a str, PlaneError> {
    // SAFETY: the caller's promise is the same.
    let bytes = unsafe { text::borrowed(spec.ptr, spec.len) }.ok_or_else(|| invalid("the spec is a null pointer"))?;
    std::str::from_utf8(bytes).map_err(|_| invalid("the spec is not UTF-8"))
}

fn invalid(reason: &str) -> PlaneError {
    PlaneError::Invalid(reason.to_owned())
}
