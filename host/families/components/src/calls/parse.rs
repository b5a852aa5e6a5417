//! Parses calls in WAVE notation, and says at which word a call is wrong.

use crate::exports::{Export, RealNames, find};
use crate::wave::{WaveType, WaveValue, show_value};
use bench_wasm::wasmtime::component::Val;
use wasm_wave::parser::ParserError;
use wasm_wave::untyped::{UntypedFuncCall, UntypedValue};

/// A call whose arguments fit the function.
pub(super) struct ParsedCall<'a> {
    pub(super) text: &'a str,
    pub(super) export: &'a Export,
    pub(super) arguments: Vec<Val>,
}

/// Parses `text` as a call of one of `exports`; an error says which functions are left out, if there are such.
pub(super) fn parse<'a>(text: &'a str, exports: &'a [Export], names: &RealNames) -> Result<ParsedCall<'a>, String> {
    let call = UntypedFuncCall::parse(text)
        .map_err(|error| format!("{}; write a call in WAVE notation, such as `add(1, 2)`", describe(text, &error)))?;
    let export = find(exports, call.name()).map_err(|reason| reason + &names.left_out_note())?;
    let types: Vec<_> = export.ty.params().map(|(_, ty)| WaveType(ty)).collect();
    let arguments = call.to_wasm_params::<WaveValue>(&types);
    let arguments = arguments.map_err(|error| format!("{}; {}", describe(text, &error), export.signature()))?;
    Ok(ParsedCall { text, export, arguments: arguments.into_iter().map(|value| value.0).collect() })
}

/// The result that `text` stands for, of a function that has one.
pub(super) fn parse_result(text: &str, export: &Export) -> Result<Val, String> {
    let ty = export.ty.results().next().ok_or_else(|| format!("expected `{text}`, but {}", export.signature()))?;
    let value = UntypedValue::parse(text).and_then(|value| value.to_wasm_value::<WaveValue>(&WaveType(ty)));
    value.map(|value| value.0).map_err(|error| format!("{}; {}", describe(text, &error), export.signature()))
}

/// A result in WAVE notation; empty for a function without one.
pub(super) fn show(results: &[Val]) -> String {
    results.iter().map(show_value).collect::<Vec<_>>().join(", ")
}

/// The error with the word that it is about and its column, counted from 1.
fn describe(text: &str, error: &ParserError) -> String {
    let span = error.span();
    let column = text.get(..span.start).map_or(span.start, |before| before.chars().count()) + 1;
    let what = error.detail().map_or_else(|| error.kind().to_string(), |detail| format!("{}: {detail}", error.kind()));
    match text.get(span).filter(|word| !word.is_empty()) {
        Some(word) => format!("`{text}`: `{word}` at column {column}: {what}"),
        None => format!("`{text}`: column {column}: {what}"),
    }
}
