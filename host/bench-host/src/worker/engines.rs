//! The engines that components run in.

use super::PROFILING;
use crate::families;
use bench_wasm::{Cache, Limits, Runtime, Settings};
use std::path::PathBuf;

/// What an engine is made of: its cache, limits and settings.
type EngineParts = (Option<PathBuf>, Limits, Settings);

/// The engines of modules that are loaded to work together. Those made of the same share one.
#[derive(Default)]
pub(super) struct Engines(Vec<(EngineParts, Runtime)>);

impl Engines {
    pub(super) fn get(
        &mut self,
        cache: Option<PathBuf>,
        limits: Limits,
        settings: Settings,
    ) -> Result<Runtime, String> {
        let wanted = (cache, limits, settings);
        if let Some((_, runtime)) = self.0.iter().find(|(known, _)| *known == wanted) {
            return Ok(runtime.clone());
        }
        let runtime = runtime(wanted.0.clone(), limits, &wanted.2)?;
        self.0.push((wanted, runtime.clone()));
        Ok(runtime)
    }
}

/// An engine. If others can write to the cache folder, a message says so, and the cache is not used.
pub(crate) fn runtime(cache: Option<PathBuf>, limits: Limits, settings: &Settings) -> Result<Runtime, String> {
    let cache = cache.and_then(|directory| {
        Cache::open(&directory).inspect_err(|error| tracing::warn!(%error, "compiled code is not cached")).ok()
    });
    let settings = settings.clone().with_profiling(PROFILING.get().copied().unwrap_or_default());
    let runtime = Runtime::new(limits, cache, &settings).map_err(|error| error.to_string())?;
    Ok(runtime.with_capabilities(families::capabilities()).with_adapters(families::adapters()))
}
