//! A loaded module, as every loader presents it. The traits say nothing of how code is executed.

use bench_model::{Arguments, Descriptor, ModuleError, Scenario, Session};
use bench_sink::Sink;

/// A module that was loaded.
pub trait Module {
    /// What it says of itself; it keeps the rules of [`Descriptor::validate`].
    fn descriptor(&self) -> &Descriptor;

    /// The interfaces it imports, where its kind has such a notion.
    fn imports(&self) -> Vec<String>;

    /// Prepares a scenario for the driver `workload`.
    fn open(&mut self, scenario: &Scenario, arguments: &Arguments) -> Result<Box<dyn Recording>, ModuleError>;

    /// Runs `body`, and returns the imported functions that the module called meanwhile (`interface#function`). Watching
    /// costs time: nothing is measured inside.
    fn watch(&mut self, body: &mut dyn FnMut(&mut dyn Module)) -> Vec<String>;
}

/// A session and the sink that it records into.
pub trait Recording: Session {
    /// What the module has recorded itself.
    fn sink(&mut self) -> &mut Sink;
}
