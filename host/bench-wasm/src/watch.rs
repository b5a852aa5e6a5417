//! Finds out which imports a component calls, and how often, from the `tracing` events of the engine's bindings. Nothing is timed while
//! events are recorded.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::{Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::Registry;

/// Runs `body` and returns the imported functions that were called, as `interface#function`, and how often. Only one thread records
/// at a time, because the end of another recording would disable the events.
pub(crate) fn calls(body: impl FnOnce()) -> BTreeMap<String, u64> {
    static LISTENING: Mutex<()> = Mutex::new(());
    let _listening = LISTENING.lock().unwrap_or_else(PoisonError::into_inner);
    let seen = Arc::new(Mutex::new(BTreeMap::new()));
    tracing::subscriber::with_default(Registry::default().with(Listener(seen.clone())), body);
    // The bindings remember that events are recorded, and would continue to emit them at the cost of every later call.
    tracing::callsite::rebuild_interest_cache();
    std::mem::take(&mut *seen.lock().unwrap_or_else(PoisonError::into_inner))
}

/// The spans of calls of a component, and of WASI 0.1.
const SPANS: [&str; 2] = ["wit-bindgen import", "wiggle abi"];

struct Listener(Arc<Mutex<BTreeMap<String, u64>>>);

impl<S: Subscriber> Layer<S> for Listener {
    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        SPANS.contains(&metadata.name())
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        let mut call = Call::default();
        attributes.record(&mut call);
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *seen.entry(format!("{}#{}", call.module, call.function)).or_default() += 1;
    }
}

#[derive(Default)]
struct Call {
    module: String,
    function: String,
}

impl Visit for Call {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "module" => self.module = value.to_owned(),
            "function" => self.function = value.to_owned(),
            _ => {}
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
}
