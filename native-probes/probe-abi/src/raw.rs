//! The twin of `bench_probe.h`: the tables and numbers, which are generated, and by hand what makes them easy to use from Rust.

use bench_model::ModuleError;

#[rustfmt::skip]
mod tables;

pub use tables::*;

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
