//! What a run grants to its modules. Nothing is granted by default; whatever is, is recorded.

use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// What a run grants.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grants {
    /// Folders.
    pub directories: Vec<DirectoryGrant>,
    /// Which of them are scratch folders.
    pub scratch: Vec<ScratchGrant>,
    /// `HOST:PORT`, to connect to over TCP.
    pub connections: Vec<String>,
    /// Environment variables and their values.
    pub environment: Vec<(String, String)>,
}

/// One folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DirectoryGrant {
    /// Where it is.
    pub host: PathBuf,
    /// What the module calls it.
    pub guest: String,
    /// Whether it may only be read.
    pub read_only: bool,
}

/// A folder that the host made for one process, and removes with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScratchGrant {
    /// What the module calls it.
    pub guest: String,
    /// A folder out of the module's reach, where the host keeps files on its behalf. It goes with the other.
    pub beside: PathBuf,
}

impl Grants {
    /// Each grant in the words of the command line, for records; values of variables are left out.
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
