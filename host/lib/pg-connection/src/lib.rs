//! Connections to PostgreSQL servers: resolves the settings of one by the rules of libpq, once, so that the host, connectors and psql
//! connect to the same database as the same user; removes secrets from what is shown; and speaks TLS for clients that cannot.

#![forbid(unsafe_code)]

mod environment;
mod parse;
mod passfile;
#[cfg(feature = "proxy")]
mod proxy;
mod redact;
mod service;
mod settings;
#[cfg(feature = "proxy")]
mod tls;

pub use environment::Environment;
#[cfg(feature = "proxy")]
pub use proxy::{Proxy, ProxyError};
pub use redact::{HIDDEN, has_hidden, is_connection, redact, redact_text, without_hidden};
pub use settings::{Address, Settings, SettingsError, SslMode};
#[cfg(feature = "proxy")]
pub use tls::TlsError;
