//! Kernels over real bytes: checksums, parsing, sorting, searching, compressing; and `spin`, which reads nothing.

mod digest;
mod input;
mod kernel;
mod lines;
mod pass;
mod spin;

use bench_plugin::prelude::*;

struct Kernels;

impl Plugin for Kernels {
    fn describe() -> Descriptor {
        let descriptor = Descriptor::new("kernels", env!("CARGO_PKG_VERSION"), "Common computations over real bytes.");
        entries().fold(descriptor, |descriptor, entry| descriptor.scenario((entry.describe)()))
    }

    fn open(scenario: &str, arguments: &Arguments, _host: Host) -> Result<Box<dyn Session>, ModuleError> {
        match entries().find(|entry| entry.name == scenario) {
            Some(entry) => (entry.open)(arguments),
            None => Err(ModuleError::UnknownScenario(scenario.to_owned())),
        }
    }
}

/// The kernels, and the scenario that has no input.
fn entries() -> impl Iterator<Item = &'static kernel::Entry> {
    kernel::ALL.iter().chain([&spin::ENTRY])
}

bench_plugin::export!(Kernels);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_descriptor_is_valid() {
        Kernels::describe().validate().unwrap();
    }
}
