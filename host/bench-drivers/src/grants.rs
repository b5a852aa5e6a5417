//! The grants of a run to its modules. Nothing is granted by default but interfaces of the host that reach nothing outside of the run, and
//! everything else that is granted is recorded.

use bench_model::HostInterface;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// The grants of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grants {
    /// The granted folders.
    pub directories: Vec<DirectoryGrant>,
    /// The scratch folders among them.
    pub scratch: Vec<ScratchGrant>,
    /// The addresses `HOST:PORT` to which TCP connections are allowed.
    pub connections: Vec<String>,
    /// The environment variables and their values.
    pub environment: Vec<(String, String)>,
    /// The interfaces of the host that are denied.
    pub denied: Vec<HostInterface>,
}

/// A granted folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DirectoryGrant {
    /// The path on the host.
    pub host: PathBuf,
    /// The path that the module sees.
    pub guest: String,
    /// Whether it is read-only.
    pub read_only: bool,
}

/// A folder that the host creates for one process, and removes afterwards.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScratchGrant {
    /// The path that the module sees.
    pub guest: String,
    /// A second folder, which the module cannot reach, for files that the host keeps for the module. It is removed too.
    pub beside: PathBuf,
}

impl Grants {
    /// Whether they are of nothing outside of the run.
    pub fn is_nothing(&self) -> bool {
        self.directories.is_empty() && self.connections.is_empty() && self.environment.is_empty()
    }

    /// The grants as text for records, without the values of environment variables, and what is denied.
    pub fn describe(&self) -> Vec<String> {
        let directories = self.directories.iter().map(|directory| {
            let mode = if directory.read_only { ":ro" } else { "" };
            format!("dir {}::{}{mode}", directory.host.display(), directory.guest)
        });
        let connections = self.connections.iter().map(|address| format!("net {address}"));
        let environment = self.environment.iter().map(|(name, _)| format!("env {name}"));
        let denied = self.denied.iter().map(|interface| format!("without {interface}"));
        directories.chain(connections).chain(environment).chain(denied).collect()
    }
}
