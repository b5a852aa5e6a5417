//! Arguments in the form that probes receive: a name and a text each.

use bench_model::Arguments;
use probe_abi::raw;

/// The arguments with their values as text.
pub fn written(arguments: &Arguments) -> Vec<(&str, String)> {
    arguments.iter().map(|(name, value)| (name, value.to_string())).collect()
}

/// The arguments as C sees them, valid as long as `arguments` is.
pub fn lend<N: AsRef<str>>(arguments: &[(N, String)]) -> Vec<raw::Arg> {
    let arg =
        |(name, value): &(N, String)| raw::Arg { name: raw::Str::new(name.as_ref()), value: raw::Str::new(value) };
    arguments.iter().map(arg).collect()
}
