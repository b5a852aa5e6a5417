//! What a module offers to the driver `function`, and where it is found: each loader's module has an adapter in this crate.

use bench_drivers::{Direct, Module};
use bench_model::{Arguments, ModuleError};
use bench_native::Probe;
use bench_wasm::{Component, Denied};
use probe_abi::raw;
use std::any::Any;
use std::net::SocketAddr;

/// What a module offers to the driver.
pub trait Functions {
    /// Gets everything ready that may be there before a start is asked for.
    fn prepare(&mut self, start: Start<'_>, initialisation: Initialisation) -> Result<Box<dyn Starter>, ModuleError>;

    /// A server of the module's own, running, where it has one; without one the host's server calls the function.
    fn serve(&mut self, initialisation: Initialisation) -> Result<Option<Box<dyn Server>>, ModuleError> {
        let _ = initialisation;
        Ok(None)
    }

    /// What it imports and was not granted: where that may be why it failed, the user is told.
    fn denied(&self) -> Denied {
        Denied::default()
    }
}

/// How a function is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start<'a> {
    /// As the scenario's argument `start` says.
    Kind(&'a str),
    /// In whichever way a start takes least, however long that is to prepare.
    Quickest,
}

/// What a function does before its first request; nothing where it is not told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Initialisation {
    /// Bytes that it fills.
    pub heap_bytes: u64,
    /// Milliseconds for which it works.
    pub init_ms: u64,
}

/// Makes functions out of what was prepared.
pub trait Starter {
    /// One fresh start, up to where a request can be handed over.
    fn start(&mut self) -> Result<Started, ModuleError>;
}

/// A function that was started.
pub struct Started {
    /// What requests are handed to.
    pub function: Box<dyn Function>,
    /// What the start consisted of, in order: names, and nanoseconds.
    pub stages: Vec<(&'static str, u64)>,
}

/// Something that answers requests.
pub trait Function {
    /// Answers `request`. A function of a probe gets only its body.
    fn call(&mut self, request: &HttpRequest) -> Result<Answer, ModuleError>;

    /// As [`call`](Self::call), with the times between its crossings of the boundary; `None` if it has no boundary that can be observed.
    /// Later calls are slower.
    fn observe(&mut self, request: &HttpRequest) -> Result<Option<(Answer, Crossings)>, ModuleError> {
        let _ = request;
        Ok(None)
    }
}

/// The parts of an observed call. What is left of it is spent before the function is entered and after it has returned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Crossings {
    /// In the function's own code.
    pub component_ns: u64,
    /// In functions of the host that it called, with their arguments and results.
    pub host_ns: u64,
    /// How many these were.
    pub host_calls: u64,
}

/// A request to a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpRequest {
    /// The method, such as `GET`.
    pub method: String,
    /// The path and the query.
    pub path: String,
    /// Names in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// The whole body.
    pub body: Vec<u8>,
}

/// The longest body that an answer may have.
pub(crate) const ANSWER_BYTES_MAX: usize = 64 << 20;

/// What a request is answered with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The whole body.
    pub body: Vec<u8>,
}

/// A server that speaks HTTP/1.1, for as long as this lives.
pub trait Server {
    /// Where it listens.
    fn address(&self) -> SocketAddr;
}

impl Initialisation {
    pub(crate) fn of(arguments: &Arguments) -> Result<Self, ModuleError> {
        let number = |name| arguments.size(name).map(|value| value as u64);
        Ok(Self { heap_bytes: number("heap_bytes")?, init_ms: number("init_ms")? })
    }

    /// The environment that tells the function so: names and values.
    pub fn environment(self) -> Vec<(&'static str, String)> {
        if self == Self::default() {
            return Vec::new();
        }
        vec![
            (function_core::HEAP_BYTES, self.heap_bytes.to_string()),
            (function_core::INIT_MS, self.init_ms.to_string()),
        ]
    }
}

/// What `module` offers, where it is one for the driver.
pub(crate) fn functions(module: &mut dyn Module) -> Result<&mut dyn Functions, ModuleError> {
    find(module).ok_or_else(|| {
        ModuleError::Unavailable("this arm has no function to start or to call; choose another with --arm".to_owned())
    })
}

fn find(module: &mut dyn Module) -> Option<&mut dyn Functions> {
    let module: &mut dyn Any = module;
    if module.is::<Component>() {
        let component = module.downcast_mut::<Component>()?;
        return crate::wasm::is_handler(component).then_some(component as &mut dyn Functions);
    }
    if module.is::<Probe>() {
        let probe = module.downcast_mut::<Probe>()?;
        return probe.offers::<raw::Function>().then_some(probe as &mut dyn Functions);
    }
    Some(module.downcast_mut::<Direct<dyn Functions>>()?.offer.as_mut())
}
