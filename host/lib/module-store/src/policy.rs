//! What a user trusts: keys and modules, each with what it is allowed, and who may have this machine measure. Nothing is allowed by
//! absence but the interfaces of the host, which can be denied.

use crate::digest::Digest;
use crate::error::StoreError;
use crate::grant::Grant;
use crate::layout::is_own;
use crate::minisign::{PublicKey, Signature};
use crate::module::{Native, StoredModule};
use crate::source::Source;
use crate::statement::Statement;
use bench_model::HostInterface;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, DirBuilder};
use std::io::{self, Write as _};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// The policy of a user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// The trusted keys.
    pub keys: BTreeMap<PublicKey, KeyTrust>,
    /// The trusted files, by digest.
    pub modules: BTreeMap<Digest, ModuleTrust>,
    /// The keys of those who may submit runs to this machine.
    pub submitters: BTreeMap<PublicKey, SubmitterTrust>,
    /// The interfaces of the host that components have only where they are granted.
    pub denied: Vec<HostInterface>,
}

/// What the runs of a submitter are allowed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SubmitterTrust {
    /// Who that is, for people.
    pub name: String,
    /// Whether native code runs for it, if that is also trusted by its digest.
    pub natives: bool,
    /// Whether its runs may use the API server of this machine's kubeconfig, with the account there.
    pub kubeconfig: bool,
    /// What its runs may be granted.
    pub grants: Vec<Grant>,
    /// Where modules of its runs may be fetched from that this machine lacks.
    pub sources: Vec<Source>,
}

/// What the modules of a key are allowed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyTrust {
    /// The namespaces that it may sign for; all if there is none.
    pub namespaces: Vec<String>,
    /// Whether its native code runs.
    pub natives: bool,
    /// What its components are granted.
    pub grants: Vec<Grant>,
}

/// What a file is allowed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ModuleTrust {
    /// Whether it runs if it is native code.
    pub natives: bool,
    /// What it is granted if it is a component.
    pub grants: Vec<Grant>,
}

/// Why a policy cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// It cannot be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// It is malformed.
    #[error("{}: {reason}; correct the file, or remove it and trust again", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The reason.
        reason: String,
    },
    /// Others can write to it.
    #[error("{}: other users can write to it, so it says nothing about whom you trust; run `chmod go-w` on it", .0.display())]
    Untrusted(PathBuf),
}

/// A key that has signed a module, and what the signature says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signer {
    /// The key.
    pub key: PublicKey,
    /// What it has signed.
    pub statement: Statement,
}

/// The policy as the file has it.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct PolicyToml {
    keys: BTreeMap<String, KeyToml>,
    modules: BTreeMap<String, ModuleToml>,
    submitters: BTreeMap<String, SubmitterToml>,
    denied: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct SubmitterToml {
    name: String,
    natives: bool,
    kubeconfig: bool,
    grants: Vec<String>,
    sources: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct KeyToml {
    namespaces: Vec<String>,
    natives: bool,
    grants: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct ModuleToml {
    natives: bool,
    grants: Vec<String>,
}

impl Policy {
    /// Reads the policy at `path`; an empty one if there is no file. It is refused if other users can write to it.
    pub fn read(path: &Path) -> Result<Self, PolicyError> {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(source) => return Err(PolicyError::Io { path: path.to_owned(), source }),
        };
        is_own(path).map_err(|error| match error {
            StoreError::Io { path, source } => PolicyError::Io { path, source },
            StoreError::Untrusted(exposed) => PolicyError::Untrusted(exposed),
            _ => PolicyError::Untrusted(path.to_owned()),
        })?;
        Self::parse(&text).map_err(|reason| PolicyError::Malformed { path: path.to_owned(), reason })
    }

    fn parse(text: &str) -> Result<Self, String> {
        let PolicyToml { keys, modules, submitters, denied } =
            toml::from_str(text).map_err(|error| error.message().to_owned())?;
        let grants = |texts: Vec<String>| {
            let grants = texts.iter().map(|text| text.parse::<Grant>()).collect::<Result<Vec<_>, _>>();
            grants.map_err(|error| error.to_string())
        };
        let denied = denied.iter().map(|text| text.parse::<HostInterface>()).collect::<Result<Vec<_>, _>>();
        let mut policy = Self { denied: denied?, ..Self::default() };
        for (key, KeyToml { namespaces, natives, grants: texts }) in keys {
            let key = key.parse::<PublicKey>().map_err(|error| format!("`{key}`: {error}"))?;
            policy.keys.insert(key, KeyTrust { namespaces, natives, grants: grants(texts)? });
        }
        for (digest, ModuleToml { natives, grants: texts }) in modules {
            let digest = digest.parse::<Digest>().map_err(|error| error.to_string())?;
            policy.modules.insert(digest, ModuleTrust { natives, grants: grants(texts)? });
        }
        for (key, SubmitterToml { name, natives, kubeconfig, grants: texts, sources }) in submitters {
            let key = key.parse::<PublicKey>().map_err(|error| format!("`{key}`: {error}"))?;
            let sources = sources.iter().map(|text| text.parse::<Source>()).collect::<Result<Vec<_>, _>>();
            let sources = sources.map_err(|error| error.to_string())?;
            let trust = SubmitterTrust { name, natives, kubeconfig, grants: grants(texts)?, sources };
            policy.submitters.insert(key, trust);
        }
        Ok(policy)
    }

    /// Writes the policy to `path`, completely or not at all.
    pub fn write(&self, path: &Path) -> Result<(), PolicyError> {
        let folder = path.parent().unwrap_or(Path::new("."));
        let io = |source| PolicyError::Io { path: path.to_owned(), source };
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(io)?;
        let mut file = NamedTempFile::new_in(folder).map_err(io)?;
        file.write_all(self.to_toml().as_bytes()).map_err(io)?;
        file.persist(path).map_err(|error| io(error.error))?;
        Ok(())
    }

    fn to_toml(&self) -> String {
        let mut text =
            "# Whom bench-host trusts on this machine. `bench-host registry trust` writes this file anew.\n".to_owned();
        if !self.denied.is_empty() {
            text.push_str("denied = ");
            list(&mut text, self.denied.iter().map(HostInterface::to_string));
        }
        for (key, KeyTrust { namespaces, natives, grants }) in &self.keys {
            let _ = write!(text, "\n[keys.{}]\nnamespaces = ", quoted(&key.to_string()));
            list(&mut text, namespaces.iter().cloned());
            let _ = write!(text, "natives = {natives}\ngrants = ");
            list(&mut text, grants.iter().map(Grant::to_string));
        }
        for (digest, ModuleTrust { natives, grants }) in &self.modules {
            let _ = write!(text, "\n[modules.{}]\nnatives = {natives}\ngrants = ", quoted(&digest.to_string()));
            list(&mut text, grants.iter().map(Grant::to_string));
        }
        for (key, SubmitterTrust { name, natives, kubeconfig, grants, sources }) in &self.submitters {
            let (key, name) = (quoted(&key.to_string()), quoted(name));
            let _ = write!(text, "\n[submitters.{key}]\nname = {name}\nnatives = {natives}\n");
            // An older program does not know it, and refuses what it does not know.
            if *kubeconfig {
                text.push_str("kubeconfig = true\n");
            }
            text.push_str("grants = ");
            list(&mut text, grants.iter().map(Grant::to_string));
            text.push_str("sources = ");
            list(&mut text, sources.iter().map(Source::to_string));
        }
        text
    }

    /// The submitter whose key has signed `text`, if there is one.
    pub fn submitter(&self, text: &[u8], signature: &Signature) -> Option<&SubmitterTrust> {
        let mut submitters = self.submitters.iter();
        submitters.find(|(key, _)| key.verify(text, signature).is_ok()).map(|(_, trust)| trust)
    }

    /// The trusted keys that have signed the module, with what each has signed. A signature that does not verify, or that is of another
    /// module's statement or of a namespace that the key may not sign for, counts for nothing.
    pub fn signers(&self, module: &StoredModule) -> Vec<Signer> {
        let mut signers = Vec::new();
        for stored in &module.signatures {
            let Ok(statement) = stored.statement.parse::<Statement>() else { continue };
            let is_signed = |key: &PublicKey| key.verify(stored.statement.as_bytes(), &stored.signature).is_ok();
            let may_sign =
                |trust: &KeyTrust| trust.namespaces.is_empty() || trust.namespaces.contains(&statement.name.namespace);
            for (key, _) in self.keys.iter().filter(|(key, trust)| may_sign(trust) && is_signed(key)) {
                signers.push(Signer { key: *key, statement: statement.clone() });
            }
        }
        // A statement of another name, or of other files, could be attached to pass one module off as another.
        if let Some(name) = &module.name {
            signers.retain(|signer| signer.statement.name == *name);
        }
        signers.retain(|signer| match &module.component {
            Some(component) => signer.statement.has(&component.digest),
            None => module.natives.iter().any(|native| signer.statement.has(&native.file.digest)),
        });
        signers
    }

    /// Whether the probe may run: its digest is trusted with native code, or a key with that right has signed it as native code.
    pub fn allows_native(&self, native: &Native, signers: &[Signer]) -> bool {
        let digest = native.file.digest;
        let states = |signer: &Signer| {
            let mut files = signer.statement.files.iter();
            files.any(|file| file.digest == digest && file.is_native && file.platform == native.platform)
        };
        let has_right = |signer: &Signer| self.keys.get(&signer.key).is_some_and(|trust| trust.natives);
        self.modules.get(&digest).is_some_and(|trust| trust.natives)
            || signers.iter().any(|signer| has_right(signer) && states(signer))
    }

    /// What the component with this digest is granted, by its digest and by the keys that have signed it.
    pub fn grants(&self, digest: &Digest, signers: &[Signer]) -> Vec<Grant> {
        let of_module = self.modules.get(digest).into_iter().flat_map(|trust| &trust.grants);
        let of_keys = signers
            .iter()
            .filter(|signer| signer.statement.has(digest))
            .filter_map(|signer| self.keys.get(&signer.key));
        let mut grants: Vec<Grant> = of_module.chain(of_keys.flat_map(|trust| &trust.grants)).cloned().collect();
        grants.sort();
        grants.dedup();
        grants
    }

    /// The interfaces of the host that a component with these grants does not have.
    pub fn denied(&self, granted: &[Grant]) -> Vec<HostInterface> {
        let is_denied = |interface: &HostInterface| !granted.contains(&Grant::Host(*interface));
        self.denied.iter().copied().filter(is_denied).collect()
    }
}

/// Writes a list of texts and a line end.
fn list(text: &mut String, items: impl Iterator<Item = String>) {
    let items: Vec<_> = items.map(|item| quoted(&item)).collect();
    let _ = writeln!(text, "[{}]", items.join(", "));
}

/// A basic string of TOML, which escapes what JSON does, and the delete character.
fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("a text is JSON").replace('\u{7f}', "\\u007f")
}

#[cfg(all(test, feature = "signatures"))]
mod tests {
    use super::*;
    use crate::minisign::SecretKey;
    use crate::module::StoredSignature;
    use crate::oci::Descriptor;
    use crate::statement::StatedFile;
    use std::os::unix::fs::PermissionsExt;

    const COMPONENT: &[u8] = b"component";
    const PROBE: &[u8] = b"probe";

    /// A module `acme:json@1.2.0` with a component and a probe, and a signature of each of `keys`.
    fn module(keys: &[&SecretKey]) -> StoredModule {
        let descriptor = |bytes: &[u8]| Descriptor::of_bytes("", bytes);
        let mut module = StoredModule {
            name: Some("acme:json@1.2.0".parse().unwrap()),
            pulled_from: None,
            manifest: descriptor(b"manifest"),
            component: Some(descriptor(COMPONENT)),
            natives: vec![Native {
                platform: "linux/amd64".to_owned(),
                manifest: descriptor(b"attached"),
                file: descriptor(PROBE),
            }],
            signatures: Vec::new(),
        };
        let statement = module.statement().unwrap().to_string();
        let sign = |key: &&SecretKey| StoredSignature {
            manifest: descriptor(b"signature"),
            signature: key.sign(statement.as_bytes(), "test"),
            statement: statement.clone(),
        };
        module.signatures = keys.iter().map(sign).collect();
        module
    }

    fn policy(key: &SecretKey, trust: KeyTrust) -> Policy {
        Policy { keys: BTreeMap::from([(key.public(), trust)]), ..Policy::default() }
    }

    fn natives() -> KeyTrust {
        KeyTrust { natives: true, ..KeyTrust::default() }
    }

    #[track_caller]
    fn check_native(policy: &Policy, module: &StoredModule, expect: bool) {
        assert_eq!(policy.allows_native(&module.natives[0], &policy.signers(module)), expect, "{policy:?}");
    }

    #[test]
    fn native_code_needs_its_digest_or_a_key_with_that_right() {
        let key = SecretKey::generate().unwrap();
        let (signed, unsigned) = (module(&[&key]), module(&[]));
        check_native(&Policy::default(), &signed, false);
        check_native(&policy(&key, KeyTrust::default()), &signed, false);
        check_native(&policy(&key, natives()), &signed, true);
        check_native(&policy(&key, natives()), &unsigned, false);
        let by_digest =
            |trust| Policy { modules: BTreeMap::from([(Digest::of_bytes(PROBE), trust)]), ..Policy::default() };
        check_native(&by_digest(ModuleTrust { natives: true, grants: Vec::new() }), &unsigned, true);
        check_native(&by_digest(ModuleTrust::default()), &unsigned, false);
    }

    #[test]
    fn signature_counts_only_for_what_it_says() {
        let (key, stranger) = (SecretKey::generate().unwrap(), SecretKey::generate().unwrap());
        check_native(&policy(&key, natives()), &module(&[&stranger]), false);
        let only = |namespace: &str| KeyTrust { namespaces: vec![namespace.to_owned()], ..natives() };
        check_native(&policy(&key, only("acme")), &module(&[&key]), true);
        check_native(&policy(&key, only("other")), &module(&[&key]), false);
        // The statement of one module on another.
        let renamed = StoredModule { name: Some("acme:other@1.2.0".parse().unwrap()), ..module(&[&key]) };
        check_native(&policy(&key, natives()), &renamed, false);
        let mut changed = module(&[&key]);
        changed.signatures[0].statement = changed.signatures[0].statement.replace("1.2.0", "1.2.1");
        check_native(&policy(&key, natives()), &changed, false);
        // Another file than the one that was signed.
        let mut other = module(&[&key]);
        other.natives[0].file = Descriptor::of_bytes("", b"other");
        check_native(&policy(&key, natives()), &other, false);
        // A statement that was attached to another module, which has no name of its own or the stated one.
        for name in [None, module(&[]).name] {
            let component = Some(Descriptor::of_bytes("", b"other"));
            let replayed = StoredModule { name, component, natives: Vec::new(), ..module(&[&key]) };
            assert!(policy(&key, natives()).signers(&replayed).is_empty());
        }
        // Signed, but not as native code.
        let mut statement = module(&[]).statement().unwrap();
        statement.files = vec![StatedFile { is_native: false, ..statement.files[1].clone() }];
        let text = statement.to_string();
        let mut harmless = module(&[&key]);
        harmless.signatures[0].signature = key.sign(text.as_bytes(), "test");
        harmless.signatures[0].statement = text;
        check_native(&policy(&key, natives()), &harmless, false);
    }

    #[test]
    fn grants_are_of_the_digest_and_of_the_keys_that_signed_it() {
        let key = SecretKey::generate().unwrap();
        let grant = |text: &str| text.parse::<Grant>().unwrap();
        let mut policy = policy(&key, KeyTrust { grants: vec![grant("env A")], ..KeyTrust::default() });
        let trust = ModuleTrust { natives: false, grants: vec![grant("net h:1"), grant("env A")] };
        policy.modules.insert(Digest::of_bytes(COMPONENT), trust);
        let grants = |module: &StoredModule, bytes: &[u8]| {
            let grants = policy.grants(&Digest::of_bytes(bytes), &policy.signers(module));
            grants.iter().map(Grant::to_string).collect::<Vec<_>>()
        };
        assert_eq!(grants(&module(&[&key]), COMPONENT), ["net h:1", "env A"]);
        assert_eq!(grants(&module(&[]), PROBE), [""; 0]);
        assert_eq!(grants(&module(&[&key]), PROBE), ["env A"]);
        assert_eq!(grants(&module(&[&key]), b"another file"), [""; 0]);
    }

    #[test]
    fn interface_of_the_host_is_there_unless_it_is_denied_and_not_granted() {
        let check = |denied: &[HostInterface], granted: &[Grant], expect: &[HostInterface]| {
            let policy = Policy { denied: denied.to_vec(), ..Policy::default() };
            assert_eq!(policy.denied(granted), expect, "{denied:?} {granted:?}");
        };
        let (ring, log) = (HostInterface::Ring, HostInterface::Log);
        check(&[], &[], &[]);
        check(&[ring, log], &[], &[ring, log]);
        check(&[ring, log], &[Grant::Host(ring), Grant::Env("A".to_owned())], &[log]);
        check(&[], &[Grant::Host(ring)], &[]);
    }

    #[test]
    fn submitter_is_known_by_the_key_that_signed() {
        let (key, stranger) = (SecretKey::generate().unwrap(), SecretKey::generate().unwrap());
        let trust = SubmitterTrust { name: "ci".to_owned(), ..SubmitterTrust::default() };
        let submitters = BTreeMap::from([(key.public(), trust.clone())]);
        let policy = Policy { submitters, ..policy(&stranger, natives()) };
        assert_eq!(policy.submitter(b"spec", &key.sign(b"spec", "test")), Some(&trust));
        assert_eq!(policy.submitter(b"other", &key.sign(b"spec", "test")), None);
        assert_eq!(policy.submitter(b"spec", &stranger.sign(b"spec", "test")), None, "it may sign modules only");
    }

    #[test]
    fn policy_is_read_back_as_it_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bench-host/policy.toml");
        assert_eq!(Policy::read(&path).unwrap(), Policy::default());
        let key = SecretKey::generate().unwrap();
        let grants = vec!["dir /a \"b\"\\::/c:ro".parse::<Grant>().unwrap()];
        let mut policy =
            policy(&key, KeyTrust { namespaces: vec!["acme".to_owned()], natives: true, grants: grants.clone() });
        let sources = vec!["oci://registry.example/acme".parse().unwrap()];
        let name = "c\"i\"".to_owned();
        let submitter = SubmitterTrust { name, natives: true, kubeconfig: true, grants: grants.clone(), sources };
        policy.submitters.insert(SecretKey::generate().unwrap().public(), submitter);
        policy.modules.insert(Digest::of_bytes(b""), ModuleTrust { natives: false, grants });
        policy.denied = vec![HostInterface::Log, HostInterface::ControlPlane];
        policy.write(&path).unwrap();
        assert_eq!(Policy::read(&path).unwrap(), policy);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
        assert!(matches!(Policy::read(&path), Err(PolicyError::Untrusted(found)) if found == path));
    }

    #[test]
    fn malformed_policy_is_refused() {
        let check = |text: &str, part: &str| {
            let error = Policy::parse(text).expect_err(text);
            assert!(error.contains(part), "{text}: {error}");
        };
        check("natives = true", "natives");
        check("denied = [\"net\"]", "unknown interface `net`; use ring, log or control-plane");
        check("[keys.RWQ]\n", "`RWQ`: not a public key of minisign");
        check("[modules.\"sha256:0\"]\n", "`sha256:0` is not a digest");
        let digest = Digest::of_bytes(b"");
        check(&format!("[modules.\"{digest}\"]\ngrants = [\"root\"]\n"), "`root` is not a grant");
        check(&format!("[modules.\"{digest}\"]\nnative = true\n"), "native");
        let key = SecretKey::generate().unwrap().public();
        check(
            &format!("[submitters.\"{key}\"]\nsources = [\"registry.example\"]\n"),
            "`registry.example` is not a place in a registry",
        );
        check("[keys", "");
    }
}
