//! Why the store cannot do something, and what to do.

use crate::digest::{Digest, InvalidDigest};
use crate::minisign::MinisignError;
use crate::reference::ModuleName;
use crate::statement::StatementError;
use std::io;
use std::path::PathBuf;

/// Why the store cannot do something.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A file or folder cannot be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// Other users could put code there.
    #[error("{}: other users can write to it, so modules in it cannot be trusted; run `chmod go-w` on it, or remove it", .0.display())]
    Untrusted(PathBuf),
    /// The folder holds something else.
    #[error("{}: not an OCI image layout; move it away, and add the modules again", .0.display())]
    NotALayout(PathBuf),
    /// A document of the store is malformed.
    #[error("{}: {reason}; remove the module and add it again", path.display())]
    Malformed {
        /// The document.
        path: PathBuf,
        /// The reason.
        reason: String,
    },
    /// A file has another digest than the one it is known by.
    #[error("{}: {}, expected {wanted}; remove the module and add or pull it again", path.display(), found_text(found.as_ref()))]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The digest it must have.
        wanted: Digest,
        /// The digest it has, if it is there.
        found: Option<Digest>,
    },
    /// The file to add is not a module.
    #[error("{}: {reason}; give a component or core module (.wasm), a probe (.so, .dylib), or both", path.display())]
    NotAModule {
        /// The file.
        path: PathBuf,
        /// The reason.
        reason: String,
    },
    /// The name belongs to other files.
    #[error(
        "{name} is in the store already, as {digest}, and a version does not change: give the new files a new version, or remove it first"
    )]
    NameTaken {
        /// The name.
        name: Box<ModuleName>,
        /// The digest of the files that have it.
        digest: Digest,
    },
    /// There is no such module.
    #[error("{reference} is not in the store; {next}")]
    Unknown {
        /// What was asked for.
        reference: String,
        /// What can be done.
        next: String,
    },
    /// A manifest that is not of a module.
    #[error("{0}: not a module: {1}")]
    NoModule(Digest, &'static str),
    /// The module has no name, and a statement needs one.
    #[error("{0} has no name, which a signature is for; add it under a name first")]
    Nameless(Digest),
    /// The statement that was signed is of other files.
    #[error("the signed statement is not of {0}; sign what `registry sign {0}` prints")]
    OtherStatement(ModuleName),
    /// The statement is malformed.
    #[error(transparent)]
    Statement(#[from] StatementError),
    /// The signature is malformed or wrong.
    #[error(transparent)]
    Signature(#[from] MinisignError),
    /// A digest is malformed.
    #[error(transparent)]
    Digest(#[from] InvalidDigest),
}

impl StoreError {
    /// Whether a blob that was stored is not there any more.
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Damaged { found: None, .. })
    }
}

fn found_text(found: Option<&Digest>) -> String {
    found.map_or_else(|| "it is missing".to_owned(), |digest| format!("its digest is {digest}"))
}
