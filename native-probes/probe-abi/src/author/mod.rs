//! Writing a probe in Rust without `unsafe`: a trait, a handle to the host, and an export macro that keeps panics on
//! this side of the boundary.

use crate::function::Start;
use crate::operator;
use crate::pipeline;
use crate::raw;
#[cfg(feature = "tabular")]
use crate::tabular;
use bench_model::{Arguments, Descriptor, ModuleError, Session};
use std::marker::PhantomData;
use std::ptr::NonNull;

/// A probe.
pub trait Probe {
    /// How a function for the driver `function` is started, where the probe is one.
    const FUNCTION: Option<Start> = None;

    /// How an operator for the driver `operator` is made, where the probe has some.
    const OPERATOR: Option<operator::Make> = None;

    /// How it reads rows, where it has scenarios for the driver `source`.
    const READ: Option<pipeline::Transfer> = None;

    /// How it writes rows, where it has scenarios for the driver `destination`.
    const WRITE: Option<pipeline::Transfer> = None;

    /// How it executes stages, where it has scenarios for the driver `stage`.
    #[cfg(feature = "tabular")]
    const STAGES: Option<tabular::Run> = None;

    /// What there is to measure. The same at each call.
    fn describe() -> Descriptor;

    /// Prepares a scenario. The host passes a value within its domain for every parameter.
    fn open(scenario: &str, arguments: &Arguments, host: Host) -> Result<Box<dyn Session>, ModuleError>;
}

/// What the host offers to a session. Cheap to copy; stays on the thread that opened the session.
#[derive(Clone, Copy, Debug)]
pub struct Host {
    /// Valid until the process ends, as the ABI promises.
    raw: NonNull<raw::Host>,
    not_send: PhantomData<*mut ()>,
}

/// A series of a metric that the descriptor declares.
#[derive(Clone, Copy, Debug)]
pub struct Series {
    host: Host,
    id: u32,
}

impl Host {
    /// Opens a series of `metric` with these label names and values; opening the same one again continues it.
    pub fn series(self, metric: &str, labels: &[(&str, &str)]) -> Result<Series, ModuleError> {
        let labels: Vec<_> = labels
            .iter()
            .map(|(name, value)| raw::Arg { name: raw::Str::new(name), value: raw::Str::new(value) })
            .collect();
        let mut id = 0;
        let table = self.table();
        // SAFETY: the table is the host's, and every pointer outlives the call.
        let status =
            unsafe { (table.series_open)(table.ctx, raw::Str::new(metric), labels.as_ptr(), labels.len(), &mut id) };
        match raw::error_of(status, format!("the host refused the series `{metric}`")) {
            None => Ok(Series { host: self, id }),
            Some(error) => Err(error),
        }
    }

    /// A further table, or null. Its first member is its size.
    pub(crate) fn extension(self, id: &str) -> *const std::ffi::c_void {
        let table = self.table();
        // SAFETY: the table is the host's, and the id outlives the call.
        unsafe { (table.extension)(table.ctx, raw::Str::new(id)) }
    }

    fn table(self) -> &'static raw::Host {
        // SAFETY: `export::open` looked at the size; the host keeps the table until the process ends.
        unsafe { self.raw.as_ref() }
    }

    fn explain(self, message: &str) {
        let table = self.table();
        // SAFETY: the table is the host's, and the message outlives the call.
        unsafe { (table.explain)(table.ctx, raw::Str::new(message)) }
    }

    fn check(self, check: &bench_model::Check) -> raw::Status {
        let table = self.table();
        let (name, detail) = (raw::Str::new(&check.name), raw::Str::new(&check.detail));
        // SAFETY: the table is the host's, and name and detail outlive the call.
        unsafe { (table.check)(table.ctx, name, i32::from(check.passed), detail) }
    }
}

pub(crate) fn not_offered(id: &str) -> ModuleError {
    ModuleError::Unavailable(format!("the host does not offer `{id}`"))
}

impl Series {
    /// Records samples in the metric's base unit. The host counts what it cannot keep.
    pub fn append(&self, samples: &[u64]) {
        let table = self.host.table();
        // SAFETY: the table is the host's, and the samples outlive the call. The status only repeats that the id is
        // one the host gave, which it is.
        let _ = unsafe { (table.series_append)(table.ctx, self.id, samples.as_ptr(), samples.len()) };
    }

    /// Records one sample.
    pub fn record(&self, sample: u64) {
        self.append(&[sample]);
    }
}

/// Exports a [`Probe`] as the dynamic library's entry.
#[macro_export]
macro_rules! export_probe {
    ($probe:ty) => {
        /// The entry the host looks for.
        // SAFETY: no other item of this library has the name.
        #[unsafe(no_mangle)]
        pub extern "C" fn bench_probe_v1() -> *const $crate::raw::Probe {
            static TABLE: ::std::sync::OnceLock<$crate::export::Table> = ::std::sync::OnceLock::new();
            TABLE.get_or_init($crate::export::table::<$probe>).as_ptr()
        }
    };
}

#[doc(hidden)]
pub mod export;
