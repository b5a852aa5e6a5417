//! A module of a store: its files, the probes and signatures that are attached to it, and the statement that a signature of it signs.

use crate::error::StoreError;
use crate::minisign::Signature;
use crate::oci::{Annotations, Descriptor};
use crate::reference::ModuleName;
use crate::statement::{StatedFile, Statement};
use crate::wasm;
use std::path::Path;

/// The files of a module that is added.
#[derive(Clone, Debug)]
pub struct NewModule<'a> {
    /// Its name.
    pub name: &'a ModuleName,
    /// The component or core module.
    pub component: Option<&'a Path>,
    /// The probe for this machine.
    pub native: Option<&'a Path>,
    /// What is known about it, such as its licence.
    pub annotations: Annotations,
}

/// A module of the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredModule {
    /// Its name, if it has one.
    pub name: Option<ModuleName>,
    /// Where it was pulled from, without a digest.
    pub pulled_from: Option<String>,
    /// Its manifest.
    pub manifest: Descriptor,
    /// The component or core module.
    pub component: Option<Descriptor>,
    /// The probes, by platform.
    pub natives: Vec<Native>,
    /// The signatures.
    pub signatures: Vec<StoredSignature>,
}

/// A probe of a module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Native {
    /// The system and processor, such as `linux/amd64`.
    pub platform: String,
    /// The manifest that holds it.
    pub manifest: Descriptor,
    /// The file.
    pub file: Descriptor,
}

/// A signature of a module, which nothing has verified yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredSignature {
    /// The manifest that holds it.
    pub manifest: Descriptor,
    /// The text that was signed.
    pub statement: String,
    /// The signature.
    pub signature: Signature,
}

/// A blob that is not what it should be.
#[derive(Debug)]
pub struct Damage {
    /// The module that has it, as it is shown.
    pub module: String,
    /// The problem.
    pub error: StoreError,
}

/// A module that comes from a registry.
#[derive(Clone, Debug)]
pub struct Pulled {
    /// Its manifest.
    pub manifest: Descriptor,
    /// The manifests that are attached to it.
    pub attached: Vec<Descriptor>,
    /// Where it comes from, without a digest.
    pub source: String,
    /// The name it gets if no other module has it.
    pub name: Option<ModuleName>,
}

/// The platform of probes on this machine, as OCI names it.
pub fn platform() -> String {
    let processor = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    let system = if std::env::consts::OS == "macos" { "darwin" } else { std::env::consts::OS };
    format!("{system}/{processor}")
}

impl StoredModule {
    /// How it is shown: its name, its source or its digest.
    pub fn shown(&self) -> String {
        let name = self.name.as_ref().map(ToString::to_string);
        name.or_else(|| self.pulled_from.clone()).unwrap_or_else(|| self.manifest.digest.to_string())
    }

    /// The probes for this machine.
    pub fn natives_here(&self) -> impl Iterator<Item = &Native> {
        let platform = platform();
        self.natives.iter().filter(move |native| native.platform == platform)
    }

    /// The first probe for this machine.
    pub fn native(&self) -> Option<&Native> {
        self.natives_here().next()
    }

    /// The digests of its files.
    pub fn files(&self) -> impl Iterator<Item = &Descriptor> {
        self.component.iter().chain(self.natives.iter().map(|native| &native.file))
    }

    /// The statement that a signature of it signs.
    pub fn statement(&self) -> Result<Statement, StoreError> {
        let name = self.name.clone().ok_or(StoreError::Nameless(self.manifest.digest))?;
        let stated = |file: &Descriptor, platform: &str, is_native| StatedFile {
            digest: file.digest,
            platform: platform.to_owned(),
            is_native,
        };
        let component = self.component.iter().map(|file| stated(file, wasm::PLATFORM, false));
        let natives = self.natives.iter().map(|native| stated(&native.file, &native.platform, true));
        Ok(Statement { name, files: component.chain(natives).collect() })
    }
}
