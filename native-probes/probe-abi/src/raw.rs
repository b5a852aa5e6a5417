//! The twin of `bench_probe.h`, member for member. Whoever changes one changes both; the assertions at the end hold them
//! together. What each member means is said in the header.

#![expect(missing_docs, reason = "the header documents each member; a second text would drift from it")]

use bench_model::ModuleError;
use std::ffi::c_void;

pub const ABI_MAJOR: u32 = 1;
pub const ABI_MINOR: u32 = 0;

/// The symbol a probe exports, with its terminating NUL.
pub const ENTRY: &[u8] = b"bench_probe_v1\0";

/// The type of the symbol [`ENTRY`].
pub type Entry = unsafe extern "C" fn() -> *const Probe;

pub type Status = i32;
pub const OK: Status = 0;
pub const UNSUPPORTED: Status = 1;
pub const INVALID_ARGUMENT: Status = 2;
pub const INVALID_STATE: Status = 3;
pub const DENIED: Status = 4;
pub const IO: Status = 5;
pub const PANICKED: Status = 6;
pub const OTHER: Status = 7;
pub const UNKNOWN_SCENARIO: Status = 8;

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Str {
    pub ptr: *const u8,
    pub len: usize,
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Arg {
    pub name: Str,
    pub value: Str,
}

#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct Outcome {
    pub operations: u64,
    pub bytes: u64,
    pub checksum: u64,
}

#[repr(C)]
#[derive(Debug)]
pub struct Host {
    pub size: usize,
    pub ctx: *mut c_void,
    pub series_open: unsafe extern "C" fn(*mut c_void, Str, *const Arg, usize, *mut u32) -> Status,
    pub series_append: unsafe extern "C" fn(*mut c_void, u32, *const u64, usize) -> Status,
    pub check: unsafe extern "C" fn(*mut c_void, Str, i32, Str) -> Status,
    pub explain: unsafe extern "C" fn(*mut c_void, Str),
    pub extension: unsafe extern "C" fn(*mut c_void, Str) -> *const c_void,
}

/// Opaque: owned by the probe.
#[repr(C)]
#[derive(Debug)]
pub struct Session {
    _opaque: [u8; 0],
}

#[repr(C)]
#[derive(Debug)]
pub struct Probe {
    pub size: usize,
    pub abi_major: u32,
    pub abi_minor: u32,
    pub descriptor: Str,
    pub open: unsafe extern "C" fn(*const Host, Str, *const Arg, usize, *mut *mut Session) -> Status,
    pub iterate: unsafe extern "C" fn(*mut Session, u64, *mut Outcome) -> Status,
    pub verify: unsafe extern "C" fn(*mut Session) -> Status,
    pub close: unsafe extern "C" fn(*mut Session),
    pub extension: unsafe extern "C" fn(Str) -> *const c_void,
}

/// The id of [`Ring`].
pub const EXTENSION_RING: &str = "bench-host:ring/0.1";

pub const RING_OK: i32 = 0;
pub const RING_FULL: i32 = 1;
pub const RING_TOO_LARGE: i32 = 2;
pub const RING_EMPTY: i32 = 3;
pub const RING_CORRUPT: i32 = 4;

/// Opaque: owned by the host.
#[repr(C)]
#[derive(Debug)]
pub struct RingProducer {
    _opaque: [u8; 0],
}

/// Opaque: owned by the host.
#[repr(C)]
#[derive(Debug)]
pub struct RingConsumer {
    _opaque: [u8; 0],
}

#[repr(C)]
#[derive(Debug)]
pub struct Ring {
    pub size: usize,
    pub ctx: *mut c_void,
    pub producer_open: unsafe extern "C" fn(*mut c_void, Str, u32, i32, *mut *mut RingProducer) -> Status,
    pub push: unsafe extern "C" fn(*mut RingProducer, *const u8, usize) -> i32,
    pub producer_close: unsafe extern "C" fn(*mut RingProducer),
    pub consumer_open: unsafe extern "C" fn(*mut c_void, Str, *mut *mut RingConsumer) -> Status,
    pub peek: unsafe extern "C" fn(*mut RingConsumer, *mut *const u8, *mut usize) -> i32,
    pub release: unsafe extern "C" fn(*mut RingConsumer),
    pub consumer_close: unsafe extern "C" fn(*mut RingConsumer),
}

pub const PEER_ECHO: i32 = 0;
pub const PEER_COUNT: i32 = 1;

pub const PEER_SPINNING: i32 = 0;
pub const PEER_SLEEPING: i32 = 1;

pub const PEER_SAME_CPU: i32 = 0;
pub const PEER_CROSS_CPU: i32 = 1;

/// Opaque: owned by the host.
#[repr(C)]
#[derive(Debug)]
pub struct RingPeer {
    _opaque: [u8; 0],
}

#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct RingTally {
    pub messages: u64,
    pub altered: u64,
    pub out_of_order: u64,
    pub digest: u64,
    pub in_place: u64,
}

/// The whole of `bhp_ring`, where its size says that it is all there; [`Ring`] is how it began.
#[repr(C)]
#[derive(Debug)]
pub struct RingWithPeers {
    pub ring: Ring,
    pub peer_start: unsafe extern "C" fn(*mut c_void, i32, i32, i32, u32, *mut *mut RingPeer) -> Status,
    pub peer_send: unsafe extern "C" fn(*mut RingPeer, *const u8, usize) -> i32,
    pub peer_stage: unsafe extern "C" fn(*mut RingPeer, *const u8, usize) -> i32,
    pub peer_publish: unsafe extern "C" fn(*mut RingPeer),
    pub peer_receive: unsafe extern "C" fn(*mut RingPeer, *mut *const u8, *mut usize) -> i32,
    pub peer_tally: unsafe extern "C" fn(*mut RingPeer, *mut RingTally) -> i32,
    pub peer_reason: unsafe extern "C" fn(*mut RingPeer) -> Str,
    pub peer_close: unsafe extern "C" fn(*mut RingPeer),
}

/// The id of [`Log`].
pub const EXTENSION_LOG: &str = "bench-host:log/0.1";

pub const LOG_NONE: i32 = 0;
pub const LOG_PROCESS_CRASH: i32 = 1;
pub const LOG_GROUP: i32 = 2;
pub const LOG_EACH: i32 = 3;

pub const LOG_FRESH: i32 = 0;
pub const LOG_WRITTEN: i32 = 1;
pub const LOG_RESIDENT: i32 = 2;

pub const LOG_OK: i32 = 0;
pub const LOG_NO_SPACE: i32 = 1;
pub const LOG_TOO_LARGE: i32 = 2;
pub const LOG_POISONED: i32 = 3;
pub const LOG_PARTIAL: i32 = 4;
pub const LOG_RECYCLED: i32 = 5;
pub const LOG_BEYOND: i32 = 6;
pub const LOG_CORRUPT: i32 = 7;
pub const LOG_OTHER: i32 = 8;

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Bytes {
    pub ptr: *const u8,
    pub len: usize,
}

/// Opaque: owned by the host.
#[repr(C)]
#[derive(Debug)]
pub struct OpenLog {
    _opaque: [u8; 0],
}

#[repr(C)]
#[derive(Debug)]
pub struct Log {
    pub size: usize,
    pub ctx: *mut c_void,
    pub open: unsafe extern "C" fn(*mut c_void, Str, i32, i32, u64, *mut *mut OpenLog) -> Status,
    pub append: unsafe extern "C" fn(*mut OpenLog, *const u8, usize, *mut u64) -> i32,
    pub append_batch: unsafe extern "C" fn(*mut OpenLog, *const Bytes, usize, *mut u64, *mut u64) -> i32,
    pub read: unsafe extern "C" fn(*mut OpenLog, u64, *mut Bytes) -> i32,
    pub first_sequence: unsafe extern "C" fn(*mut OpenLog) -> u64,
    pub next_sequence: unsafe extern "C" fn(*mut OpenLog) -> u64,
    pub sync: unsafe extern "C" fn(*mut OpenLog, *mut u64) -> i32,
    pub reason: unsafe extern "C" fn(*mut OpenLog) -> Str,
    pub close: unsafe extern "C" fn(*mut OpenLog),
}

/// The id of [`Function`].
pub const EXTENSION_FUNCTION: &str = "bench-host:function/0.1";

/// Opaque: owned by the probe.
#[repr(C)]
#[derive(Debug)]
pub struct Started {
    _opaque: [u8; 0],
}

#[repr(C)]
#[derive(Debug)]
pub struct Function {
    pub size: usize,
    pub start: unsafe extern "C" fn(*const Host, u64, u64, *mut *mut Started) -> Status,
    pub answer: unsafe extern "C" fn(*mut Started, *const u8, usize, *mut u32, *mut Bytes) -> Status,
    pub stop: unsafe extern "C" fn(*mut Started),
}

/// The id of [`Pipeline`].
pub const EXTENSION_PIPELINE: &str = "bench-host:pipeline/0.1";

pub const BATCH_OK: i32 = 0;
pub const BATCH_END: i32 = 1;
pub const BATCH_CLOSED: i32 = 2;
pub const BATCH_TOO_LARGE: i32 = 3;
pub const BATCH_OTHER: i32 = 4;

#[repr(C)]
#[derive(Debug)]
pub struct Batches {
    pub size: usize,
    pub ctx: *mut c_void,
    pub emit: unsafe extern "C" fn(*mut c_void, *const u8, usize) -> i32,
    pub next: unsafe extern "C" fn(*mut c_void, *mut Bytes) -> i32,
    pub reason: unsafe extern "C" fn(*mut c_void) -> Str,
    pub stage: unsafe extern "C" fn(*mut c_void, Str, u64) -> Status,
}

#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct Transfer {
    pub records: u64,
    pub bytes: u64,
}

/// The type of both functions of [`Pipeline`].
pub type Connect = unsafe extern "C" fn(*const Host, Str, *const Arg, usize, *const Batches, *mut Transfer) -> Status;

#[repr(C)]
#[derive(Debug)]
pub struct Pipeline {
    pub size: usize,
    pub read: Option<Connect>,
    pub write: Option<Connect>,
}

/// The id of [`Operators`].
pub const EXTENSION_OPERATOR: &str = "bench-host:operator/0.1";

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Key {
    pub kind: Str,
    pub space: Str,
    pub name: Str,
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Object {
    pub key: Key,
    pub resource_version: u64,
    pub spec: Str,
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Watch {
    pub kind: Str,
    pub space: Str,
}

pub const EVENT_ADDED: i32 = 0;
pub const EVENT_MODIFIED: i32 = 1;
pub const EVENT_DELETED: i32 = 2;

pub const PLANE_OK: i32 = 0;
pub const PLANE_NOT_FOUND: i32 = 1;
pub const PLANE_CONFLICT: i32 = 2;
pub const PLANE_INVALID: i32 = 3;
pub const PLANE_UNAVAILABLE: i32 = 4;

#[repr(C)]
#[derive(Debug)]
pub struct Plane {
    pub size: usize,
    pub ctx: *mut c_void,
    pub get: unsafe extern "C" fn(*mut c_void, *const Key, *mut Object) -> i32,
    pub apply: unsafe extern "C" fn(*mut c_void, *const Key, Str, *mut Object) -> i32,
    pub create: unsafe extern "C" fn(*mut c_void, *const Key, Str, *mut Object) -> i32,
    pub update: unsafe extern "C" fn(*mut c_void, *const Object, *mut Object) -> i32,
    pub remove: unsafe extern "C" fn(*mut c_void, *const Key) -> i32,
    pub reason: unsafe extern "C" fn(*mut c_void) -> Str,
}

/// Opaque: owned by the probe.
#[repr(C)]
#[derive(Debug)]
pub struct Operator {
    _opaque: [u8; 0],
}

#[repr(C)]
#[derive(Debug)]
pub struct Operators {
    pub size: usize,
    pub make: unsafe extern "C" fn(*const Host, *mut *mut Operator) -> Status,
    pub start:
        unsafe extern "C" fn(*mut Operator, *const Plane, *const Arg, usize, *mut *const Watch, *mut usize) -> Status,
    pub reconcile: unsafe extern "C" fn(*mut Operator, *const Plane, i32, *const Object) -> Status,
    pub suspend: unsafe extern "C" fn(*mut Operator, *mut Bytes) -> Status,
    pub resume: unsafe extern "C" fn(*mut Operator, *const u8, usize) -> Status,
    pub drop: unsafe extern "C" fn(*mut Operator),
}

impl Str {
    /// Borrows `text` for as long as the caller of the C function borrows it.
    pub const fn new(text: &str) -> Self {
        Self { ptr: text.as_ptr(), len: text.len() }
    }

    /// The bytes, or nothing where the pointer is null.
    ///
    /// # Safety
    /// `ptr` is null or points to `len` readable bytes that stay unchanged for `'a`.
    pub unsafe fn bytes<'a>(self) -> &'a [u8] {
        if self.ptr.is_null() {
            return &[];
        }
        // SAFETY: the caller promises `len` readable bytes behind a pointer that is not null.
        unsafe { std::slice::from_raw_parts(self.ptr, self.len) }
    }

    /// The text, with what is not UTF-8 replaced.
    ///
    /// # Safety
    /// As [`Str::bytes`].
    pub unsafe fn text<'a>(self) -> std::borrow::Cow<'a, str> {
        // SAFETY: the caller's promise is the same.
        String::from_utf8_lossy(unsafe { self.bytes() })
    }
}

/// A slice out of a pointer and a length, where a null pointer means empty.
///
/// # Safety
/// `ptr` is null, or points to `len` values that stay readable and unchanged for `'a`.
pub unsafe fn slice<'a, T>(ptr: *const T, len: usize) -> &'a [T] {
    if ptr.is_null() || len == 0 {
        return &[];
    }
    // SAFETY: the caller promises `len` readable values behind a pointer that is not null.
    unsafe { std::slice::from_raw_parts(ptr, len) }
}

/// The status that stands for `error`.
pub fn status_of(error: &ModuleError) -> Status {
    match error {
        ModuleError::UnknownScenario(_) => UNKNOWN_SCENARIO,
        ModuleError::InvalidArgument(_) => INVALID_ARGUMENT,
        ModuleError::CapabilityDenied(_) => DENIED,
        ModuleError::Unavailable(_) => UNSUPPORTED,
        ModuleError::Crashed(_) => PANICKED,
        ModuleError::Other(_) => OTHER,
    }
}

/// The error that `status` stands for, with the text the probe explained it by. `None` for [`OK`].
pub fn error_of(status: Status, explanation: String) -> Option<ModuleError> {
    Some(match status {
        OK => return None,
        UNKNOWN_SCENARIO => ModuleError::UnknownScenario(explanation),
        INVALID_ARGUMENT => ModuleError::InvalidArgument(explanation),
        DENIED => ModuleError::CapabilityDenied(explanation),
        UNSUPPORTED => ModuleError::Unavailable(explanation),
        PANICKED => ModuleError::Crashed(format!("panicked: {explanation}")),
        INVALID_STATE => ModuleError::Other(format!("call out of order: {explanation}")),
        IO | OTHER => ModuleError::Other(explanation),
        unknown => ModuleError::Other(format!("status {unknown}, which this host does not know: {explanation}")),
    })
}

/// The layout the header asserts too.
#[cfg(target_pointer_width = "64")]
const _: () = {
    use std::mem::{offset_of, size_of};
    assert!(size_of::<Str>() == 16);
    assert!(size_of::<Arg>() == 32);
    assert!(size_of::<Outcome>() == 24);
    assert!(size_of::<Host>() == 56 && offset_of!(Host, series_open) == 16 && offset_of!(Host, extension) == 48);
    assert!(size_of::<Probe>() == 72 && offset_of!(Probe, descriptor) == 16 && offset_of!(Probe, open) == 32);
    assert!(offset_of!(Probe, extension) == 64);
    assert!(size_of::<Ring>() == 72 && offset_of!(Ring, producer_open) == 16 && offset_of!(Ring, consumer_close) == 64);
    assert!(size_of::<RingWithPeers>() == 136 && offset_of!(RingWithPeers, peer_start) == 72);
    assert!(size_of::<RingTally>() == 40 && offset_of!(RingWithPeers, peer_close) == 128);
    assert!(size_of::<Bytes>() == 16);
    assert!(size_of::<Log>() == 88 && offset_of!(Log, open) == 16 && offset_of!(Log, close) == 80);
    assert!(size_of::<Function>() == 32 && offset_of!(Function, start) == 8 && offset_of!(Function, stop) == 24);
    assert!(size_of::<Batches>() == 48 && offset_of!(Batches, emit) == 16 && offset_of!(Batches, stage) == 40);
    assert!(size_of::<Transfer>() == 16);
    assert!(size_of::<Pipeline>() == 24 && offset_of!(Pipeline, write) == 16);
    assert!(size_of::<Object>() == 72 && offset_of!(Object, resource_version) == 48 && size_of::<Watch>() == 32);
    assert!(size_of::<Plane>() == 64 && offset_of!(Plane, get) == 16 && offset_of!(Plane, reason) == 56);
    assert!(size_of::<Operators>() == 56 && offset_of!(Operators, make) == 8 && offset_of!(Operators, drop) == 48);
};
