//! Arguments as a probe is given them: a name and a text each. It must not know what an argument means.

use bench_model::Arguments;
use probe_abi::raw;

/// The arguments with their values written out.
pub fn written(arguments: &Arguments) -> Vec<(&str, String)> {
    arguments.iter().map(|(name, value)| (name, value.to_string())).collect()
}

/// The same as C sees them, for as long as somebody holds `arguments`.
pub fn lend<N: AsRef<str>>(arguments: &[(N, String)]) -> Vec<raw::Arg> {
    let arg =
        |(name, value): &(N, String)| raw::Arg { name: raw::Str::new(name.as_ref()), value: raw::Str::new(value) };
    arguments.iter().map(arg).collect()
}
