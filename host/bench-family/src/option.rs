//! Command-line options that are shorthands for parameters, as data.

/// A shorthand for a parameter: `--LONG VALUE` is the same as `-p PARAMETER=VALUE`.
#[derive(Clone, Copy, Debug)]
pub struct Shorthand {
    /// The name of the option, without dashes.
    pub long: &'static str,
    /// The name of the parameter; empty if the option takes [`Takes::Nothing`].
    pub parameter: &'static str,
    /// The kind of value that the option takes.
    pub takes: Takes,
    /// The help text, one line.
    pub help: &'static str,
}

/// The kind of value of an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// One value; the text is its name in the help.
    One(&'static str),
    /// One value that may begin with a dash, so that the next option does not end it; the text is its name in the help.
    Text(&'static str),
    /// Several values, separated by commas, each of which makes cells of its own; the text is their name in the help (`N[,N…]`).
    Many(&'static str),
    /// One value each time that it is given, each of which makes cells of its own; the text is its name in the help.
    Each(&'static str),
    /// No value: if the option is given, the parameter has this value.
    Flag(&'static str),
    /// No value and no effect: what the option asks for is always so. Scripts that were written for another tool keep working.
    Nothing,
}
