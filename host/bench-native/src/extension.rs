//! The further tables that a probe offers beside its first, each by an id. It must not know what is in one.

use bench_model::ModuleError;
use probe_abi::raw;

/// A table whose first member is its size.
pub(crate) trait Extension: 'static {
    /// By what the probe is asked for it.
    const ID: &str;
    /// What it is called in bench_probe.h.
    const NAME: &str;
}

impl Extension for raw::Function {
    const ID: &str = raw::EXTENSION_FUNCTION;
    const NAME: &str = "bhp_function";
}

impl Extension for raw::Pipeline {
    const ID: &str = raw::EXTENSION_PIPELINE;
    const NAME: &str = "bhp_pipeline";
}

impl Extension for raw::Operators {
    const ID: &str = raw::EXTENSION_OPERATOR;
    const NAME: &str = "bhp_operators";
}

/// Whether the probe has the table.
pub(crate) fn is_there<T: Extension>(probe: &'static raw::Probe) -> bool {
    !ask::<T>(probe).is_null()
}

/// The probe's table, unless there is none or it is not one.
pub(crate) fn table<T: Extension>(probe: &'static raw::Probe) -> Result<&'static T, ModuleError> {
    let table = unlooked_at::<T>(probe)?;
    // SAFETY: it is as long as it must be, and a function pointer that may be null is an option.
    Ok(unsafe { &*table })
}

/// The same as a pointer to as many bytes as there must be, for a table whose functions C lets be null and Rust does not.
pub(crate) fn unlooked_at<T: Extension>(probe: &'static raw::Probe) -> Result<*const T, ModuleError> {
    let table = ask::<T>(probe);
    if table.is_null() {
        return Err(ModuleError::Other(format!("the probe does not offer `{}`", T::ID)));
    }
    let broken = |reason: String| Err(ModuleError::Crashed(format!("the probe's table `{}` {reason}", T::ID)));
    if !table.is_aligned() {
        return broken("is not aligned".to_owned());
    }
    // SAFETY: the probe gave it as an extension, whose first member is its size and which stays as it is until the process ends.
    let size = unsafe { table.cast::<usize>().read() };
    if size < size_of::<T>() {
        let (needed, name) = (size_of::<T>(), T::NAME);
        return broken(format!("has {size} bytes, and {needed} are needed: set `size` to sizeof({name})"));
    }
    Ok(table)
}

fn ask<T: Extension>(probe: &'static raw::Probe) -> *const T {
    // SAFETY: the table was looked at when it was loaded, and the id outlives the call.
    unsafe { (probe.extension)(raw::Str::new(T::ID)) }.cast()
}
