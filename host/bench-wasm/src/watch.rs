//! Which imports a component calls. The engine's bindings announce each call to `tracing`; this listens for a while. Nothing
//! is measured while it does.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::{Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::Registry;

/// Runs `body` and returns the imported functions that were called meanwhile, as `interface#function`, each once.
pub(crate) fn calls(body: impl FnOnce()) -> Vec<String> {
    let seen = Arc::new(Mutex::new(BTreeSet::new()));
    tracing::subscriber::with_default(Registry::default().with(Listener(seen.clone())), body);
    let seen = std::mem::take(&mut *seen.lock().unwrap_or_else(PoisonError::into_inner));
    seen.into_iter().collect()
}

struct Listener(Arc<Mutex<BTreeSet<String>>>);

impl<S: Subscriber> Layer<S> for Listener {
    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        metadata.name() == "wit-bindgen import"
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        let mut call = Call::default();
        attributes.record(&mut call);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(format!("{}#{}", call.module, call.function));
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
