//! Finds the extension tables of a probe, and validates each before it is used.

use bench_model::ModuleError;
use probe_abi::extension::{Extension, Member};
use probe_abi::raw;

/// Whether the probe has the table.
pub(crate) fn is_there<T: Extension>(probe: &'static raw::Probe) -> bool {
    !ask::<T>(probe).is_null()
}

/// The probe's table; an error if there is none or it is not valid.
pub(crate) fn table<T: Extension>(probe: &'static raw::Probe) -> Result<&'static T, ModuleError> {
    let table = ask::<T>(probe);
    if table.is_null() {
        return Err(ModuleError::Other(format!("the probe does not provide `{}`", T::ID)));
    }
    let broken = |reason: String| Err(ModuleError::Crashed(format!("the probe's table `{}` {reason}", T::ID)));
    if !table.is_aligned() {
        return broken("is not aligned".to_owned());
    }
    // SAFETY: the probe gave it as an extension, whose first member is its size and which stays as it is until the process ends.
    let size = unsafe { table.cast::<usize>().read() };
    if size < size_of::<T>() {
        let (needed, name) = (size_of::<T>(), T::NAME);
        return broken(format!("has {size} bytes, but needs {needed}: set `size` to sizeof({name})"));
    }
    // SAFETY: the size says that all members are there, and the offsets are those of function pointers.
    if let Some(function) = unsafe { first_missing(table, T::FUNCTIONS) } {
        return broken(format!("has no `{function}`"));
    }
    // SAFETY: all members are there, and no function is null but those that may be.
    Ok(unsafe { &*table })
}

/// The first of these functions of a table that is null.
///
/// # Safety
/// The table has all these members, and each is a pointer to a function, or null.
pub(crate) unsafe fn first_missing<T>(table: *const T, functions: &[Member]) -> Option<&'static str> {
    let missing = functions.iter().find(|(_, offset)| {
        // SAFETY: the caller promises that the member is there; a function pointer that may be null is such an option.
        unsafe { table.byte_add(*offset).cast::<Option<unsafe extern "C" fn()>>().read() }.is_none()
    });
    missing.map(|(function, _)| *function)
}

fn ask<T: Extension>(probe: &'static raw::Probe) -> *const T {
    // SAFETY: the table was looked at when it was loaded, and the id outlives the call.
    unsafe { (probe.extension)(raw::Str::new(T::ID)) }.cast()
}
