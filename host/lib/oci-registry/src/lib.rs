//! Pushes modules of a store to OCI registries, and pulls them. A registry is not trusted: what comes from it is bounded, checked against
//! its digest, and only then entered into the store.

mod auth;
mod credentials;
mod error;
mod pull;
mod push;
mod registry;
mod url;
mod wire;

pub use credentials::Credentials;
pub use error::RegistryError;
pub use pull::{PullOptions, held, pull};
pub use push::{PushOptions, Pushed, push};
pub use registry::{Registry, Transport};
