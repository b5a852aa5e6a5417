//! The driver with mock operators: correct ones, and one for each fault.

mod chains;
mod hosts;

use super::*;
use crate::operators::{Event, Key, Operator, Operators, Plane, PlaneError, Scope, Suspension};
use bench_drivers::{Direct, Drivers};
use bench_model::Descriptor;
use std::sync::Mutex;

/// The fault of an operator.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Mode {
    Right,
    /// It has forgotten its count when it is resumed.
    Forgets,
    /// It takes up no state.
    RefusesState,
    /// It fails this often on the same event, and acts on it then.
    Fails(u32),
    /// It crashes on every event.
    Crashes,
    /// It writes into what it watches.
    Circles,
    /// It writes each token twice, with something else in between.
    Doubles,
    /// It writes nothing.
    Swallows,
    CannotSuspend,
}

/// Operators of which number `number` is faulty.
struct Mock {
    mode: Mode,
    number: usize,
    /// The tokens that each operator has reconciled, by the namespace that it watches.
    log: Log,
}

/// Namespaces and tokens, in the order in which they were reconciled.
type Log = Arc<Mutex<Vec<(String, u64)>>>;

impl Mock {
    fn new(mode: Mode, number: usize) -> Self {
        Self { mode, number, log: Log::default() }
    }
}

/// A module of mock operators, the second of which is faulty, with the driver's scenario and an unknown one.
fn module(mode: Mode) -> Direct<dyn Operators> {
    let scenario = |name| Scenario::uses(spec::DRIVER, name);
    let descriptor = Descriptor::new("mock", "1", "").scenario(scenario(spec::CHAIN)).scenario(scenario("other"));
    let descriptor = bench_drivers::merged(&descriptor, Drivers::new(&[&OperatorDriver]));
    let operators: Box<dyn Operators> = Box::new(Mock::new(mode, 1));
    Direct::new(descriptor, operators)
}

impl Operators for Mock {
    fn prepare(&mut self, suspension: Suspension, _: usize) -> Result<Box<dyn Factory>, ModuleError> {
        suspension.without_images("a mock")?;
        Ok(Box::new(MockFactory {
            mode: self.mode,
            wrong: format!("chain-{}", self.number),
            log: Arc::clone(&self.log),
        }))
    }
}

struct MockFactory {
    mode: Mode,
    wrong: String,
    log: Log,
}

impl Factory for MockFactory {
    fn make(&mut self, plane: Arc<dyn Plane>) -> Result<Box<dyn Operator>, ModuleError> {
        let (watch, apply) = (String::new(), String::new());
        let (mode, wrong, log) = (self.mode, self.wrong.clone(), Arc::clone(&self.log));
        Ok(Box::new(MockOperator { plane, mode, wrong, log, watch, apply, count: 0, failures: 0 }))
    }
}

struct MockOperator {
    plane: Arc<dyn Plane>,
    mode: Mode,
    wrong: String,
    log: Log,
    watch: String,
    apply: String,
    count: u64,
    failures: u32,
}

impl MockOperator {
    fn mode(&self) -> Mode {
        if self.watch == self.wrong { self.mode } else { Mode::Right }
    }

    fn write(&self, namespace: &str, name: &str, token: u64) -> Result<(), ModuleError> {
        let (key, spec) = (Key::new(KIND, namespace, name), format!(r#"{{"nonce":{token},"count":{}}}"#, self.count));
        let written = self.plane.apply(&key, &spec);
        written.map(drop).map_err(|error| ModuleError::Other(format!("cannot apply {key}: {error}")))
    }
}

impl Operator for MockOperator {
    fn start(&mut self, arguments: &[(String, String)]) -> Result<Vec<Scope>, ModuleError> {
        let argument = |name| arguments.iter().find(|(known, _)| known == name).unwrap().1.clone();
        (self.watch, self.apply) = (argument("watch"), argument("apply"));
        Ok(vec![Scope::new(KIND, &self.watch)])
    }

    fn reconcile(&mut self, event: &Event) -> Result<(), ModuleError> {
        let object = event.object().expect("nothing is deleted in a chain");
        let spec: serde_json::Value = serde_json::from_str(&object.spec).unwrap();
        let token = spec["nonce"].as_u64().unwrap();
        match self.mode() {
            Mode::Fails(times) if self.failures < times => {
                self.failures += 1;
                return Err(ModuleError::Other("not yet".to_owned()));
            }
            Mode::Crashes => return Err(ModuleError::Crashed("`reconcile` trapped: unreachable".to_owned())),
            Mode::Swallows => return Ok(()),
            Mode::Circles => return self.write(&self.watch, "round", token + 1),
            _ => (),
        }
        self.failures = 0;
        self.count += 1;
        self.log.lock().unwrap().push((self.watch.clone(), token));
        self.write(&self.apply, &object.key.name, token)?;
        match self.mode() {
            Mode::Doubles => {
                self.count += 1;
                self.write(&self.apply, &object.key.name, token)
            }
            _ => Ok(()),
        }
    }

    fn suspend(&mut self) -> Result<Vec<u8>, ModuleError> {
        if self.mode() == Mode::CannotSuspend {
            return Err(ModuleError::Other("it does not want to".to_owned()));
        }
        Ok(format!("{} {} {}", self.watch, self.apply, self.count).into_bytes())
    }

    fn resume(&mut self, state: &[u8]) -> Result<(), ModuleError> {
        let text = String::from_utf8(state.to_vec()).unwrap();
        let [watch, apply, count] = text.split(' ').collect::<Vec<_>>().try_into().unwrap();
        (self.watch, self.apply) = (watch.to_owned(), apply.to_owned());
        self.count = count.parse().unwrap();
        match self.mode() {
            Mode::RefusesState => Err(ModuleError::Other("this state is another's".to_owned())),
            Mode::Forgets => {
                self.count = 0;
                Ok(())
            }
            _ => Ok(()),
        }
    }
}
