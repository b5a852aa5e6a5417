//! An operator that copies each object it sees into another namespace. The driver specifies the scenario `chain`: the host links
//! operators of this kind into a chain, and times an object on its way through them.

use bench_plugin::operator::{Event, Key, Operator, Plane, Watch};
use bench_plugin::prelude::*;

struct Links;

impl Plugin for Links {
    fn describe() -> Descriptor {
        let chain = Scenario::uses("operator", "chain");
        Descriptor::new("{{name}}", env!("CARGO_PKG_VERSION"), "Copies what it sees to the next namespace.").scenario(chain)
    }

    fn open(scenario: &str, _arguments: &Arguments, _host: Host) -> Result<Box<dyn Session>, ModuleError> {
        Err(ModuleError::Unavailable(format!("`{scenario}` can only be run by the driver `operator`")))
    }
}

/// One operator of the chain.
#[derive(Default)]
struct Link {
    to: String,
}

impl Operator for Link {
    /// The host says which namespace to watch, and which one to write to.
    fn start(&mut self, _plane: &mut dyn Plane, arguments: &[(String, String)]) -> Result<Vec<Watch>, String> {
        let argument = |name: &str| {
            let found = arguments.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
            found.ok_or_else(|| format!("the argument `{name}` is missing"))
        };
        self.to = argument("apply")?;
        Ok(vec![Watch { kind: "TestResource".to_owned(), namespace: argument("watch")? }])
    }

    /// Copies the object; what fails is tried again by the host. The spec has a field `nonce`, by which the host knows the object.
    fn reconcile(&mut self, plane: &mut dyn Plane, event: Event<'_>) -> Result<(), String> {
        let (Event::Added(object) | Event::Modified(object)) = event else { return Ok(()) };
        let key = Key { namespace: &self.to, ..object.key };
        plane.apply(key, object.spec).map(|_| ()).map_err(|error| error.to_string())
    }

    /// The state that is kept while the operator is unloaded.
    fn suspend(&mut self) -> Vec<u8> {
        self.to.clone().into_bytes()
    }

    fn resume(&mut self, state: &[u8]) -> Result<(), String> {
        self.to = String::from_utf8(state.to_vec()).map_err(|error| error.to_string())?;
        Ok(())
    }
}

bench_plugin::export_operator!(Links, Link);
