//! A loaded probe, as a module for the drivers.

use crate::notes::Used;
use crate::session::NativeSession;
use crate::{LoadError, extension, load, table};
use bench_drivers::{Module, Recording};
use bench_model::{Arguments, Descriptor, ModuleError, Scenario};
use probe_abi::extension::Extension;
use probe_abi::raw;
use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// A loaded probe. Its library stays loaded until the process ends, even if this is dropped.
#[derive(Debug)]
pub struct Probe {
    table: &'static raw::Probe,
    descriptor: Descriptor,
    used: Rc<Used>,
    /// The time of loading, from opening the file until sessions can be opened.
    ready: Duration,
}

impl Probe {
    /// Loads the probe at `path`, which executes code of it, and reads its descriptor.
    pub fn load(path: &Path) -> Result<Self, LoadError> {
        let opened = Instant::now();
        let table = load::open(path)?;
        // SAFETY: the library is never unloaded, and bench_probe.h promises a table that is as long as it says and that
        // stays valid until the process ends.
        let probe = unsafe { Self::from_table(path, table) }?;
        Ok(Self { ready: opened.elapsed(), ..probe })
    }

    /// Makes a probe from its table, which came from the library at `path`.
    ///
    /// # Safety
    /// `table` is null, misaligned, or points to a table that keeps the rules of bench_probe.h: it is as long as its first
    /// member says, it and what it points to stay as they are until the process ends, and its functions do what they promise.
    #[doc(hidden)]
    pub unsafe fn from_table(path: &Path, table: *const raw::Probe) -> Result<Self, LoadError> {
        // SAFETY: the caller's promise is the same.
        let table = unsafe { table::accept(path, table) }?;
        // SAFETY: the caller promises that the descriptor stays as it is.
        let descriptor = unsafe { table::describe(path, table.descriptor) }?;
        Ok(Self { table, descriptor, used: Rc::default(), ready: Duration::ZERO })
    }

    /// How long it took from opening the file until sessions were possible.
    pub fn load_time(&self) -> Duration {
        self.ready
    }

    /// Whether the probe has this extension table.
    pub fn offers<T: Extension>(&self) -> bool {
        extension::is_there::<T>(self.table)
    }

    /// This extension table of the probe, which does not change until the process ends. An error if the probe has none, or one that
    /// is too short or lacks a function.
    ///
    /// Its functions are the probe's: to call one is unsafe, and what a call has left behind on its [`HostSide`](crate::HostSide)
    /// is judged after it.
    pub fn extension<T: Extension>(&self) -> Result<&'static T, ModuleError> {
        extension::table(self.table)
    }
}

impl Module for Probe {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    /// The imports of a library do not show what it can do: it has all rights of the process.
    fn imports(&self) -> Vec<String> {
        Vec::new()
    }

    fn open(&mut self, scenario: &Scenario, arguments: &Arguments) -> Result<Box<dyn Recording>, ModuleError> {
        Ok(Box::new(NativeSession::open(self.table, scenario, arguments, Rc::clone(&self.used))?))
    }

    fn watch(&mut self, body: &mut dyn FnMut(&mut dyn Module)) -> Vec<String> {
        let outer = std::mem::take(&mut self.used);
        body(self);
        let inner = std::mem::replace(&mut self.used, outer);
        self.used.add(&inner);
        inner.names()
    }
}
