//! The scenario `call`: calls an exported function with arguments in WAVE notation, and checks that each call has the same result.

mod awaited;
mod parse;
mod repeated;
mod session;
mod typed;

use crate::FAMILY;
use crate::exports::{RealNames, functions, signatures};
use bench_model::{Arguments, Arm, ModuleError, Parameter, Scenario};
use bench_wasm::{Adapter, Component, ComponentSession};
use session::CallSession;

/// The scenario's name.
const SCENARIO: &str = "call";

/// The parameters: the call, the expected result, and whether each call has an instance of its own.
pub(crate) const CALL: &str = "call";
pub(crate) const EXPECT: &str = "expect";
const INSTANCE: &str = "instance";

/// Makes the scenario of a component that exports functions.
pub(crate) struct Calls;

impl Adapter for Calls {
    fn scenarios(&self, component: &Component) -> Vec<Scenario> {
        if functions(component).is_empty() { Vec::new() } else { vec![scenario()] }
    }

    fn signatures(&self, component: &Component) -> Vec<String> {
        let exports = functions(component);
        exports.iter().map(|export| export.signature()).chain(RealNames::of(component).left_out()).collect()
    }

    fn open(
        &self,
        component: &Component,
        _: &Scenario,
        arguments: &Arguments,
    ) -> Result<Box<dyn ComponentSession>, ModuleError> {
        let exports = functions(component);
        let call = arguments.text(CALL)?;
        // Its file is read again only if the call is none in WAVE notation.
        let named = |name: &str| exports.iter().any(|export| export.name == name.trim());
        let is_in_notation = call.split_once('(').is_some_and(|(name, _)| named(name));
        let names = if is_in_notation { RealNames::default() } else { RealNames::of(component) };
        if call.is_empty() {
            let next = "give one of its functions and its arguments, such as --call 'NAME(1, \"text\")'";
            let all = signatures(&exports) + &names.left_out_note();
            return Err(ModuleError::Unavailable(format!("{next}: {all}")));
        }
        let call = names.in_notation(call).map_err(ModuleError::InvalidArgument)?;
        let parsed = parse::parse(&call, &exports, &names).map_err(ModuleError::InvalidArgument)?;
        let is_reused = arguments.text(INSTANCE)? == "reused";
        Ok(Box::new(CallSession::open(component, &parsed, arguments.text(EXPECT)?, is_reused)?))
    }
}

fn scenario() -> Scenario {
    let call = "an exported function and its arguments in WAVE notation, such as `add(1, 2)`";
    let expect = "the result in WAVE notation that every call must have; empty: that of the first call";
    let instance = "whether all calls are made to one instance, or each to a new one, which is timed with it";
    Scenario::new(SCENARIO, FAMILY, "Calls an exported function.")
        .in_arms([Arm::Wasm])
        .parameter(Parameter::new(CALL, "", call))
        .parameter(Parameter::new(EXPECT, "", expect))
        .parameter(Parameter::new(INSTANCE, "reused", instance).choices(["reused", "per-call"]))
}
