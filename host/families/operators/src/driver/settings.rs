//! The settings of a chain, read from the arguments of its cell.

use crate::operators::Suspension;
use crate::spec::{CONTROL_PLANE, COUNT, DEADLINE_MS, EMBEDDED, IDLE_MS, KUBE, RATE, SUSPEND};
use bench_model::{Arguments, ModuleError, Requirement, Scenario, Value};

/// The settings of a chain.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    /// The number of operators.
    pub(super) count: usize,
    /// Nanoseconds between tokens in an open loop; `None` in a closed loop, where each token waits for the one before.
    pub(super) period_ns: Option<u64>,
    /// How long an operator is idle for before it is unloaded.
    pub(super) idle_ns: u64,
    /// Nanoseconds after which a token is late.
    pub(super) deadline_ns: u64,
    /// What operators keep while they are unloaded.
    pub(super) suspension: Suspension,
    /// Where objects are kept.
    pub(super) plane: PlaneKind,
    /// Arguments for the operators: names and values.
    pub(super) extra: Vec<(String, String)>,
}

/// The arguments of this driver.
const KNOWN: [&str; 6] = [COUNT, RATE, IDLE_MS, DEADLINE_MS, SUSPEND, CONTROL_PLANE];

/// Where objects are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum PlaneKind {
    /// In this process.
    #[default]
    Embedded,
    /// By the API server that the user's kubeconfig names.
    Kube,
}

impl Settings {
    /// Reads the arguments of a cell of `scenario`.
    pub(super) fn of(scenario: &Scenario, arguments: &Arguments) -> Result<Self, ModuleError> {
        let at_least_1 = |name| match arguments.integer(name)? {
            value @ 1.. => Ok(value as u64),
            value => Err(ModuleError::InvalidArgument(format!("`{name}` is {value}; give 1 or more"))),
        };
        let period_ns = match arguments.integer(RATE)? {
            0 => None,
            rate @ 1.. => Some(1_000_000_000 / rate as u64),
            rate => {
                let reason = format!("`rate` is {rate}; give tokens per second, or 0 for a closed loop");
                return Err(ModuleError::InvalidArgument(reason));
            }
        };
        Ok(Self {
            count: at_least_1(COUNT)? as usize,
            period_ns,
            idle_ns: at_least_1(IDLE_MS)? * 1_000_000,
            deadline_ns: at_least_1(DEADLINE_MS)? * 1_000_000,
            suspension: one_of(arguments, SUSPEND, [("own", Suspension::Own), ("memory", Suspension::Memory)])?,
            plane: one_of(arguments, CONTROL_PLANE, [(EMBEDDED, PlaneKind::Embedded), (KUBE, PlaneKind::Kube)])?,
            extra: extra(scenario, arguments),
        })
    }
}

/// The arguments that are neither for this driver nor for the host.
fn extra(scenario: &Scenario, arguments: &Arguments) -> Vec<(String, String)> {
    let is_hosts =
        |name: &str| scenario.requirements.iter().filter_map(Requirement::parameter).any(|host| host == name);
    let extra = arguments.iter().filter(|(name, _)| !KNOWN.contains(name) && !is_hosts(name));
    extra.map(|(name, value)| (name.to_owned(), value.to_string())).collect()
}

/// Reads `name` as one of the `known` words; the default if the scenario does not have it.
fn one_of<T: Copy + Default, const N: usize>(
    arguments: &Arguments,
    name: &str,
    known: [(&str, T); N],
) -> Result<T, ModuleError> {
    let text = match arguments.get(name) {
        None => return Ok(T::default()),
        Some(Value::Text(text)) => text.as_str(),
        Some(other) => return Err(ModuleError::InvalidArgument(format!("`{name}` is {other}, not a text"))),
    };
    let found = known.iter().find(|(word, _)| *word == text).map(|(_, meaning)| *meaning);
    found.ok_or_else(|| {
        let words = known.map(|(word, _)| word).join(", ");
        ModuleError::InvalidArgument(format!("`{name}` is `{text}`; use one of: {words}"))
    })
}
