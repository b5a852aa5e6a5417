//! Options of the command line that stand for a parameter, as data. It must not know how a command line is read.

/// A short way to give a parameter: `--LONG VALUE` is `-p PARAMETER=VALUE`.
#[derive(Clone, Copy, Debug)]
pub struct Shorthand {
    /// The option, without its dashes.
    pub long: &'static str,
    /// The parameter.
    pub parameter: &'static str,
    /// What the option takes.
    pub takes: Takes,
    /// Says in one line what is asked for.
    pub help: &'static str,
}

/// What an option takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// One value, which help calls so.
    One(&'static str),
    /// Several values, joined by commas, which are an axis; help calls them so (`N[,N…]`).
    Many(&'static str),
    /// None: given, the parameter has this value.
    Flag(&'static str),
}
