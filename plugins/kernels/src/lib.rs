//! Kernels over real bytes: checksums, parsing, sorting, searching, compressing; and `spin`, which reads nothing.

mod digest;
mod input;
mod kernel;
mod lines;
mod pass;
mod spin;

use bench_plugin::prelude::*;

#[cfg(all(feature = "dlmalloc", not(target_family = "wasm")))]
#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

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

/// The kernels, and the scenario that has no input. The portable build has only kernels that do not choose instructions at run time:
/// `sha2` can be told not to, and for `crc32c` there are the tables that it has itself; `memchr` (also within `serde_json`) and the `memcmp`
/// and `memcpy` of the C library cannot.
fn entries() -> impl Iterator<Item = &'static kernel::Entry> {
    const PORTABLE: [&str; 3] = ["crc32c", "sha256", "spin"];
    let is_built = |entry: &&kernel::Entry| !cfg!(feature = "portable") || PORTABLE.contains(&entry.name);
    kernel::ALL.iter().chain([&spin::ENTRY]).filter(is_built)
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
