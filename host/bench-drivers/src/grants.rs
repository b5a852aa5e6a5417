//! The grants of a run to its modules. Nothing is granted by default, and all grants are recorded.

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
    /// The grants as text for records, without the values of environment variables.
    pub fn describe(&self) -> Vec<String> {
        let directories = self.directories.iter().map(|directory| {
            let mode = if directory.read_only { ":ro" } else { "" };
            format!("dir {}::{}{mode}", directory.host.display(), directory.guest)
        });
        let connections = self.connections.iter().map(|address| format!("net {address}"));
        let environment = self.environment.iter().map(|(name, _)| format!("env {name}"));
        directories.chain(connections).chain(environment).collect()
    }
}
