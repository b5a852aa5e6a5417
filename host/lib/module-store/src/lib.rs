//! Modules by name and digest: a store that is an OCI image layout, references to what it holds, signatures, and the policy that says
//! what of it may run.

mod check_out;
mod digest;
mod error;
mod grant;
mod layout;
mod minisign;
mod module;
mod namespaces;
mod oci;
mod policy;
mod reference;
mod source;
mod statement;
mod store;
mod verify;
mod wasm;

pub use digest::{Digest, HashingWriter, InvalidDigest};
pub use error::StoreError;
pub use grant::{Grant, InvalidGrant};
#[cfg(feature = "signatures")]
pub use minisign::SecretKey;
pub use minisign::{MinisignError, PublicKey, Signature};
pub use module::{Damage, Native, NewModule, Pulled, StoredModule, StoredSignature, platform};
pub use namespaces::{Namespaces, NamespacesError};
pub use oci::{Annotations, Descriptor, Index, Manifest, annotation, media_type};
pub use policy::{KeyTrust, ModuleTrust, Policy, PolicyError, Signer, SubmitterTrust};
pub use reference::{ModuleName, Reference, ReferenceError, RemoteReference};
pub use source::{InvalidSource, Source};
pub use statement::{StatedFile, Statement, StatementError};
pub use store::Store;
