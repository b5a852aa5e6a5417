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
    /// Objects that were copied.
    count: u64,
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

    /// Copies the object's `nonce`, by which the host knows it, and says how many there were. What fails is tried again by the host.
    fn reconcile(&mut self, plane: &mut dyn Plane, event: Event<'_>) -> Result<(), String> {
        let (Event::Added(object) | Event::Modified(object)) = event else { return Ok(()) };
        let nonce = nonce(object.spec).ok_or("the spec has no `nonce`")?;
        let spec = format!(r#"{{"nonce":{nonce},"count":{}}}"#, self.count + 1);
        let key = Key { kind: object.key.kind, namespace: &self.to, name: object.key.name };
        plane.apply(key, &spec).map_err(|error| error.to_string())?;
        self.count += 1;
        Ok(())
    }

    /// The state that is kept while the operator is unloaded.
    fn suspend(&mut self) -> Vec<u8> {
        format!("{} {}", self.count, self.to).into_bytes()
    }

    fn resume(&mut self, state: &[u8]) -> Result<(), String> {
        let text = std::str::from_utf8(state).map_err(|error| error.to_string())?;
        let (count, to) = text.split_once(' ').ok_or("the state is of another version")?;
        *self = Self { to: to.to_owned(), count: count.parse().map_err(|_| "the state has no count")? };
        Ok(())
    }
}

/// The number in the field `nonce` of a JSON object. A real operator would use a JSON parser.
fn nonce(spec: &str) -> Option<u64> {
    let (_, rest) = spec.split_once("\"nonce\":")?;
    let digits: String = rest.trim_start().chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

bench_plugin::export_operator!(Links, Link);
