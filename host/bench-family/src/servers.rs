//! Servers for the requirement `postgres:PARAMETER`: what the resolver of arguments asks a family for.

/// The servers of one run. Everything that the run creates in them is removed when this is dropped.
pub trait Servers: Send + Sync + std::fmt::Debug {
    /// The server that `text`, the value of `parameter`, stands for.
    fn server(&self, parameter: &str, text: &str) -> Result<Server, String>;

    /// The last error message of a server of the run's own since the previous call.
    fn last_error(&self) -> Option<String>;
}

/// A server, as a cell uses it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// The URL for connectors, which have no TLS and read no environment.
    pub url: String,
    /// The URL for programs that have TLS themselves.
    pub direct_url: String,
    /// The addresses `HOST:PORT` at which it is reached over TCP, which are granted.
    pub addresses: Vec<String>,
    /// The schema of all tables of the run.
    pub schema: String,
}
