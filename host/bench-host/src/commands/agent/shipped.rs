//! The modules that a coordinator has sent to this machine, by digest. Components run in a sandbox; native code that was sent runs only if
//! its digest is trusted on this machine.

use super::elsewhere::Elsewhere;
use crate::paths;
use crate::stored::Trust;
use anyhow::{Context, ensure};
use bench_fleet::{ModuleDigest, Spec};
use bench_model::Arm;
use bench_sink::digest;
use module_store::Digest;
use std::ffi::OsStr;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Component, Path, PathBuf};

/// The folder of modules that are built for the processor of the building machine, next to the others.
const NATIVE_CPU: &str = "native-cpu";

/// The path of a module's file in a folder of modules; empty if it is part of this program.
pub(super) fn file_name(file: &Path) -> String {
    let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    match file {
        _ if !file.is_file() => String::new(),
        _ if paths::is_native_cpu(file) => format!("{NATIVE_CPU}/{name}"),
        _ => name,
    }
}

/// A folder of modules by digest.
#[derive(Debug)]
pub(super) struct ShippedModules {
    folder: PathBuf,
}

impl ShippedModules {
    /// Those in the folder `out` of an agent.
    pub(super) fn new(out: &Path) -> Self {
        Self { folder: out.join("modules") }
    }

    /// The digests of the modules of `spec` that are neither here yet nor `elsewhere`; an error if one of them may not run. Where a policy has
    /// allowed the modules of the spec already, there is no `trust`.
    pub(super) fn lacks(
        &self,
        spec: &Spec,
        trust: Option<&Trust>,
        elsewhere: &Elsewhere<'_>,
    ) -> anyhow::Result<Vec<String>> {
        let mut lacking = Vec::new();
        for module in sent(spec) {
            let ModuleDigest { name, arm, sha256, .. } = module;
            let digest = Digest::from_hex(sha256).with_context(|| format!("`{sha256}` is not a digest"))?;
            path(module)?;
            let is_trusted = |trust: &Trust| trust.policy().modules.get(&digest).is_some_and(|trust| trust.natives);
            ensure!(
                *arm == Arm::Wasm || trust.is_none_or(is_trusted),
                "native code that is sent runs only where its digest is trusted, and that of {name} ({arm}) is not; trust it on that \
                 machine: bench-host registry trust {digest} --natives"
            );
            let is_here = digest::of_file(&self.folder.join(sha256)).is_ok_and(|found| found == *sha256);
            if is_here || lacking.contains(sha256) {
                continue;
            }
            match elsewhere.find(module, &digest) {
                Some(bytes) => self.keep(sha256, &bytes)?,
                None => lacking.push(sha256.clone()),
            }
        }
        Ok(lacking)
    }

    /// Keeps a module that has this digest.
    pub(super) fn keep(&self, sha256: &str, bytes: &[u8]) -> anyhow::Result<()> {
        let path = self.folder.join(sha256);
        let new = self.folder.join(format!("{sha256}.{}", std::process::id()));
        let written = DirBuilder::new().recursive(true).mode(0o700).create(&self.folder).and_then(|()| {
            // Programs are executed.
            let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o700).open(&new)?;
            file.write_all(bytes)?;
            fs::rename(&new, &path)
        });
        written
            .with_context(|| format!("cannot write {}; give the agent another folder with --out DIR", path.display()))
    }

    /// A folder with the modules of `spec` under their names, for the agent `name`.
    pub(super) fn folder(&self, spec: &Spec, name: &str) -> anyhow::Result<PathBuf> {
        let folder = self.folder.join(format!("{}@{name}", spec.id));
        // What an agent of this name left when it was killed.
        let _ = fs::remove_dir_all(&folder);
        for module in sent(spec) {
            let file = folder.join(path(module)?);
            let parent = file.parent().unwrap_or(&folder);
            let copied = DirBuilder::new().recursive(true).mode(0o700).create(parent).and_then(|()| {
                ensure_new(&file)?;
                fs::copy(self.folder.join(&module.sha256), &file)
            });
            copied.with_context(|| format!("cannot write {}", file.display()))?;
        }
        if sent(spec).any(|module| module.arm != Arm::Wasm) {
            own_files::ensure_private(&folder).context(
                "native code that was sent is not run where others can change it; give the agent another folder with --out DIR",
            )?;
        }
        Ok(folder)
    }
}

/// The modules of `spec` that are not part of the program.
pub(super) fn sent(spec: &Spec) -> impl Iterator<Item = &ModuleDigest> {
    spec.modules.iter().filter(|module| module.name != "self")
}

/// Two modules of one name would be one file.
fn ensure_new(file: &Path) -> std::io::Result<()> {
    if file.exists() { Err(std::io::ErrorKind::AlreadyExists.into()) } else { Ok(()) }
}

/// The path of the module in a folder of modules; an error if it leads elsewhere, or if native code is called a component: how a file is
/// loaded depends on its name.
fn path(module: &ModuleDigest) -> anyhow::Result<&Path> {
    let path = Path::new(&module.file);
    let parts: Vec<Option<&OsStr>> =
        path.components().map(|part| if let Component::Normal(name) = part { Some(name) } else { None }).collect();
    let is_inside = match parts.as_slice() {
        [Some(_)] => true,
        [Some(folder), Some(_)] => *folder == OsStr::new(NATIVE_CPU),
        _ => false,
    };
    ensure!(
        is_inside && !module.file.chars().any(char::is_control),
        "the module {} cannot be sent as the file {:?}; copy it to that machine",
        module.name,
        module.file
    );
    ensure!(
        (module.arm == Arm::Wasm) == paths::is_component(path),
        "the module {} cannot be sent as the file {:?}, which is not of the arm {}",
        module.name,
        module.file,
        module.arm
    );
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::super::elsewhere::tests::{only, with_component};
    use super::*;
    use bench_fleet::PROTOCOL;
    use module_store::{ModuleTrust, Policy};
    use std::collections::BTreeMap;
    use std::os::unix::fs::PermissionsExt;

    fn spec(arm: Arm, file: &str, bytes: &[u8]) -> Spec {
        let (name, sha256, file) = ("m".to_owned(), digest::of_bytes(bytes), file.to_owned());
        let module = ModuleDigest { name, arm, sha256, file, address: None };
        Spec {
            protocol: PROTOCOL,
            host_version: "1".to_owned(),
            id: "r".to_owned(),
            words: Vec::new(),
            command: Vec::new(),
            seed: 1,
            order_sha256: String::new(),
            modules: vec![module],
            signature: None,
        }
    }

    #[test]
    fn module_is_kept_by_digest_and_laid_out_by_name() {
        let out = tempfile::tempdir().unwrap();
        let store = ShippedModules::new(out.path());
        let spec = spec(Arm::Wasm, "m.wasm", b"module");
        let wanted = digest::of_bytes(b"module");
        let trust = Trust::default();
        assert_eq!(store.lacks(&spec, Some(&trust), &only(None)).unwrap(), std::slice::from_ref(&wanted));
        store.keep(&wanted, b"module").unwrap();
        assert!(store.lacks(&spec, Some(&trust), &only(None)).unwrap().is_empty());
        for _ in 0..2 {
            let folder = store.folder(&spec, "a").unwrap();
            assert_eq!(fs::read(folder.join("m.wasm")).unwrap(), b"module");
        }
        // Damage is noticed, and the module asked for again.
        fs::write(out.path().join("modules").join(&wanted), "other").unwrap();
        assert_eq!(store.lacks(&spec, Some(&trust), &only(None)).unwrap(), [wanted]);
        let mode = fs::metadata(out.path().join("modules")).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "others could put native code there");
    }

    #[test]
    fn module_that_is_elsewhere_is_kept_and_not_asked_for() {
        let out = tempfile::tempdir().unwrap();
        let (root, component) = with_component(out.path());
        let store = ShippedModules::new(out.path());
        let mut both = spec(Arm::Wasm, "m.wasm", &component);
        both.modules.extend(spec(Arm::Wasm, "other.wasm", b"other").modules);
        let lacking = store.lacks(&both, None, &only(Some(root))).unwrap();
        assert_eq!(lacking, [digest::of_bytes(b"other")]);
        assert_eq!(fs::read(out.path().join("modules").join(digest::of_bytes(&component))).unwrap(), component);
        assert_eq!(store.lacks(&both, None, &only(None)).unwrap(), lacking, "it is here now");
        // Wherever it is, native code needs its digest.
        let native = spec(Arm::Native, "m.so", &component);
        assert!(store.lacks(&native, Some(&Trust::default()), &only(None)).is_err());
    }

    #[test]
    fn native_code_that_is_sent_needs_its_digest() {
        let out = tempfile::tempdir().unwrap();
        let store = ShippedModules::new(out.path());
        let spec = spec(Arm::Native, "native-cpu/m.so", b"probe");
        let error = store.lacks(&spec, Some(&Trust::default()), &only(None)).unwrap_err().to_string();
        let next = format!("bench-host registry trust sha256:{} --natives", digest::of_bytes(b"probe"));
        assert!(error.contains(&next), "{error}");
        let trust = |natives| {
            let modules = BTreeMap::from([(Digest::of_bytes(b"probe"), ModuleTrust { natives, grants: Vec::new() })]);
            Trust::of(Policy { modules, ..Policy::default() })
        };
        assert!(store.lacks(&spec, Some(&trust(false)), &only(None)).is_err());
        assert_eq!(store.lacks(&spec, Some(&trust(true)), &only(None)).unwrap().len(), 1);
        assert_eq!(store.lacks(&spec, None, &only(None)).unwrap().len(), 1, "a policy has allowed it");
    }

    #[test]
    fn native_code_is_not_run_where_others_can_change_it() {
        let out = tempfile::tempdir().unwrap();
        let store = ShippedModules::new(out.path());
        store.keep(&digest::of_bytes(b"code"), b"code").unwrap();
        let native = spec(Arm::Native, "m.so", b"code");
        assert!(store.folder(&native, "a").is_ok());
        fs::set_permissions(out.path(), fs::Permissions::from_mode(0o777)).unwrap();
        let error = format!("{:#}", store.folder(&native, "a").unwrap_err());
        for part in ["--out DIR", format!("{}: other users can write to it", out.path().display()).as_str()] {
            assert!(error.contains(part), "{part:?} is not in: {error}");
        }
        assert!(store.folder(&spec(Arm::Wasm, "m.wasm", b"code"), "a").is_ok(), "a component cannot harm");
    }

    #[test]
    fn name_that_leads_elsewhere_is_refused() {
        let out = tempfile::tempdir().unwrap();
        for file in
            ["", "..", "../m.wasm", "/m.wasm", "a/m.wasm", "native-cpu/../m.so", "native-cpu/a/m.so", "m\u{1b}.wasm"]
        {
            let lacks = ShippedModules::new(out.path()).lacks(&spec(Arm::Wasm, file, b""), None, &only(None));
            assert!(lacks.unwrap_err().to_string().contains("cannot be sent as the file"), "{file:?}");
        }
        for (arm, file) in [(Arm::Wasm, "m.so"), (Arm::Wasm, "m"), (Arm::Native, "m.wasm")] {
            let lacks = ShippedModules::new(out.path()).lacks(&spec(arm, file, b""), None, &only(None));
            assert!(lacks.unwrap_err().to_string().contains("which is not of the arm"), "{file:?}");
        }
    }
}
