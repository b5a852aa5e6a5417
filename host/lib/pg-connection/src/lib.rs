//! Connections to PostgreSQL servers: resolves the settings of one by the rules of libpq, once, so that the host, connectors and psql
//! connect to the same database as the same user; and removes secrets from what is shown.

#![forbid(unsafe_code)]

mod environment;
mod parse;
mod passfile;
mod redact;
mod service;
mod settings;

pub use environment::Environment;
pub use redact::{HIDDEN, has_hidden, is_connection, redact, without_hidden};
pub use settings::{Address, Settings, SettingsError, SslMode};
