//! Tests a store through its public interface: what is added is found by every reference, and what was changed on disk is found out.

use module_store::{
    Annotations, Descriptor, Digest, Manifest, ModuleName, NewModule, Pulled, Reference, SecretKey, Store, StoreError,
    StoredModule, media_type,
};
use std::fs::{self, Permissions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A store, and a folder for files to add.
struct Bench {
    folder: TempDir,
    store: Store,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("store")).unwrap();
        Self { folder, store }
    }

    fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    }

    /// Adds a component, told apart by `text`, and a probe.
    fn add(&self, name: &str, text: &str, probe: Option<&[u8]>) -> Result<StoredModule, StoreError> {
        let component = wat::parse_str(format!("(component (import {text:?} (func)))")).unwrap();
        let component = self.file("a.wasm", &component);
        let probe = probe.map(|bytes| self.file("a.so", bytes));
        self.add_files(name, Some(&component), probe.as_deref())
    }

    fn add_files(
        &self,
        name: &str,
        component: Option<&Path>,
        native: Option<&Path>,
    ) -> Result<StoredModule, StoreError> {
        let name: ModuleName = name.parse().unwrap();
        self.store.add(&NewModule { name: &name, component, native, annotations: Annotations::new() })
    }

    fn find(&self, reference: &str) -> Result<StoredModule, StoreError> {
        self.store.find(&Reference::parse(reference).unwrap().unwrap())
    }

    fn blobs(&self) -> usize {
        fs::read_dir(self.folder.path().join("store/blobs/sha256")).unwrap().count()
    }

    fn damaged(&self) -> Vec<String> {
        let damaged = self.store.verify(|_| true).unwrap();
        damaged.iter().map(|damage| format!("{}: {}", damage.module, damage.error)).collect()
    }
}

const NAME: &str = "acme:json@1.2.0";
const PROBE: &[u8] = b"\x7fELF probe";

/// Checks that the result is an error with all `parts`.
#[track_caller]
fn check<T: std::fmt::Debug>(result: Result<T, StoreError>, parts: &[&str]) {
    let error = result.expect_err("an error").to_string();
    for part in parts {
        assert!(error.contains(part), "{part:?} is not in: {error}");
    }
}

#[test]
fn module_is_found_by_name_and_by_every_digest() {
    let bench = Bench::new();
    let added = bench.add(NAME, "a", Some(PROBE)).unwrap();
    let digests = added.files().map(|file| file.digest.to_string()).chain([added.manifest.digest.to_string()]);
    let references: Vec<String> = digests.chain([NAME.to_owned()]).collect();
    assert_eq!(references.len(), 4, "component, probe, manifest, name");
    for reference in references {
        assert_eq!(bench.find(&reference).unwrap(), added, "{reference}");
    }
    assert_eq!(added.native().map(|native| native.file.digest), Some(Digest::of_bytes(PROBE)));
    assert_eq!(bench.store.modules().unwrap().0, [added]);
}

#[test]
fn same_files_have_the_same_digests_in_every_store() {
    let [one, other] = [Bench::new(), Bench::new()].map(|bench| {
        bench.add(NAME, "a", Some(PROBE)).unwrap();
        bench.add(NAME, "a", Some(PROBE)).unwrap()
    });
    assert_eq!(one, other);
}

#[test]
fn probe_can_be_added_later_and_alone() {
    let bench = Bench::new();
    assert_eq!(bench.add(NAME, "a", None).unwrap().natives.len(), 0);
    assert_eq!(bench.add(NAME, "a", Some(PROBE)).unwrap().natives.len(), 1);
    let alone = bench.file("b.so", PROBE);
    let alone = bench.add_files("acme:probe@1.0.0", None, Some(&alone)).unwrap();
    assert_eq!((alone.component.is_some(), alone.natives.len()), (false, 1));
    assert_eq!(bench.store.modules().unwrap().0.len(), 2);
}

#[test]
fn version_does_not_change() {
    let bench = Bench::new();
    let first = bench.add(NAME, "a", None).unwrap();
    check(bench.add(NAME, "b", None), &[NAME, &first.manifest.digest.to_string(), "give the new files a new version"]);
    assert_eq!(bench.find(NAME).unwrap(), first);
    let both = bench.add(NAME, "a", Some(PROBE)).unwrap();
    let digest = Digest::of_bytes(PROBE).to_string();
    check(bench.add(NAME, "a", Some(b"\x7fELF rebuilt")), &[NAME, &digest, "give the new files a new version"]);
    assert_eq!(bench.find(NAME).unwrap(), both);
}

#[test]
fn file_that_is_not_a_module_is_refused() {
    let bench = Bench::new();
    let text = bench.file("text.wasm", b"text");
    check(bench.add_files(NAME, Some(&text), None), &["text.wasm", "give a component"]);
    check(bench.add_files(NAME, None, Some(&text)), &["text.wasm", "not a dynamic library"]);
    check(bench.add_files(NAME, Some(bench.folder.path()), None), &["not a file"]);
    check(bench.add_files(NAME, Some(Path::new("nowhere.wasm")), None), &["nowhere.wasm"]);
    check(bench.add_files(NAME, None, None), &["no file was given"]);
    assert!(bench.store.modules().unwrap().0.is_empty());
}

#[test]
fn unknown_reference_is_reported_with_what_to_do() {
    let bench = Bench::new();
    bench.add(NAME, "a", None).unwrap();
    check(bench.find("acme:json@2.0.0"), &["acme:json@2.0.0 is not in the store", "its versions there are 1.2.0"]);
    check(bench.find("acme:other@1.0.0"), &["bench-host registry add acme:other@1.0.0 FILE"]);
    check(bench.find("oci://h/acme/json:1.2.0"), &["bench-host registry pull oci://h/acme/json:1.2.0"]);
    check(bench.find(&Digest::of_bytes(b"other").to_string()), &["bench-host registry list"]);
}

#[test]
fn checked_out_files_are_those_that_were_added() {
    let bench = Bench::new();
    let module = bench.add(NAME, "a", Some(PROBE)).unwrap();
    let component = module.component.as_ref().unwrap().digest;
    let alone = bench.store.check_out(&module, None).unwrap();
    assert_eq!(alone.file_name().unwrap(), "json.wasm");
    let probe = Path::new("json").with_extension(std::env::consts::DLL_EXTENSION);
    assert!(!alone.with_file_name(&probe).exists(), "a probe that was not asked for is next to it");
    let both = bench.store.check_out(&module, module.native()).unwrap();
    for path in [alone, both.clone()] {
        assert_eq!(Digest::of_file(&path).unwrap(), component);
    }
    assert_eq!(fs::read(both.with_file_name(&probe)).unwrap(), PROBE);
}

#[test]
fn changed_file_is_not_checked_out_again_until_it_is_added_again() {
    let bench = Bench::new();
    let module = bench.add(NAME, "a", Some(PROBE)).unwrap();
    let path = bench.store.check_out(&module, None).unwrap();
    let component = module.component.as_ref().unwrap();
    let mut bytes = fs::read(&path).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    // The link and the blob are one file.
    fs::write(&path, &bytes).unwrap();
    let found = Digest::of_bytes(&bytes).to_string();
    let wanted = component.digest.to_string();
    check(bench.store.check_out(&module, None), &[&component.digest.hex(), &found, &wanted, "add or pull it again"]);
    assert_eq!(bench.damaged().len(), 1, "{:?}", bench.damaged());
    assert!(bench.damaged()[0].starts_with(NAME), "{:?}", bench.damaged());
    bench.add(NAME, "a", Some(PROBE)).unwrap();
    assert_eq!(bench.store.check_out(&module, None).unwrap(), path);
    assert_eq!(bench.damaged(), [""; 0]);
}

#[test]
fn checked_out_link_that_leads_elsewhere_is_replaced_and_an_open_folder_is_refused() {
    let bench = Bench::new();
    let module = bench.add(NAME, "a", None).unwrap();
    let path = bench.store.check_out(&module, None).unwrap();
    let evil = bench.file("evil.wasm", b"evil");
    fs::remove_file(&path).unwrap();
    std::os::unix::fs::symlink(&evil, &path).unwrap();
    assert_eq!(bench.store.check_out(&module, None).unwrap(), path);
    assert!(!path.is_symlink());
    assert_eq!(Digest::of_file(&path).unwrap(), module.component.as_ref().unwrap().digest);
    assert_eq!(fs::read(&evil).unwrap(), b"evil", "the link was followed");
    let folder = path.parent().unwrap();
    fs::set_permissions(folder, Permissions::from_mode(0o777)).unwrap();
    check(bench.store.check_out(&module, None), &[&folder.display().to_string(), "other users can write to it"]);
}

#[test]
fn damaged_module_harms_no_other_and_can_be_removed() {
    let bench = Bench::new();
    let module = bench.add(NAME, "a", None).unwrap();
    let other = bench.add("acme:other@1.0.0", "b", None).unwrap();
    let manifest = bench.folder.path().join("store/blobs/sha256").join(module.manifest.digest.hex());
    fs::write(&manifest, "{}").unwrap();
    check(bench.find(NAME), &["its digest is", &module.manifest.digest.to_string()]);
    assert_eq!(bench.find("acme:other@1.0.0").unwrap(), other);
    let (modules, damaged) = bench.store.modules().unwrap();
    assert_eq!((modules.len(), damaged.len()), (1, 1));
    assert_eq!(bench.store.remove(&Reference::parse(NAME).unwrap().unwrap()).unwrap(), NAME);
    assert_eq!(bench.store.modules().unwrap().1.len(), 0);
}

#[test]
fn removed_module_leaves_only_what_others_use() {
    let bench = Bench::new();
    let other = bench.add("acme:other@1.0.0", "b", Some(PROBE)).unwrap();
    let before = bench.blobs();
    let module = bench.add(NAME, "a", Some(PROBE)).unwrap();
    let path = bench.store.check_out(&module, None).unwrap();
    let key = SecretKey::generate().unwrap();
    let statement = module.statement().unwrap().to_string();
    bench.store.attach_signature(&module, &statement, &key.sign(statement.as_bytes(), "")).unwrap();
    assert!(bench.blobs() > before);
    bench.store.remove(&Reference::parse(NAME).unwrap().unwrap()).unwrap();
    assert_eq!(bench.blobs(), before);
    assert!(!path.exists());
    assert_eq!(bench.store.modules().unwrap().0, [other]);
    assert_eq!(bench.damaged(), [""; 0]);
    check(bench.find(NAME), &["is not in the store"]);
}

#[test]
fn module_with_two_names_loses_only_the_one_that_is_removed() {
    const OTHER: &str = "me:json@1.2.0";
    let bench = Bench::new();
    let module = bench.add(NAME, "a", Some(PROBE)).unwrap();
    let again = bench.add(OTHER, "a", Some(PROBE)).unwrap();
    assert_eq!(again.name.as_ref().map(ToString::to_string).as_deref(), Some(OTHER), "what was added");
    assert_eq!(again.manifest.digest, module.manifest.digest, "a manifest does not say a namespace");
    let remove = |reference: &str| bench.store.remove(&Reference::parse(reference).unwrap().unwrap());
    assert_eq!(remove(OTHER).unwrap(), OTHER);
    check(bench.find(OTHER), &["is not in the store"]);
    assert_eq!(bench.find(NAME).unwrap(), module);
    assert_eq!(bench.damaged(), [""; 0]);
    bench.add(OTHER, "a", None).unwrap();
    remove(&module.manifest.digest.to_string()).unwrap();
    assert!(bench.find(NAME).is_err() && bench.find(OTHER).is_err(), "a digest is all of them");
    assert_eq!(bench.blobs(), 0);
}

#[test]
fn pulled_module_keeps_the_name_that_it_had() {
    let bench = Bench::new();
    let module = bench.add("me:json@1.2.0", "a", None).unwrap();
    let pull = |name: Option<&str>| Pulled {
        manifest: module.manifest.clone(),
        attached: Vec::new(),
        source: "oci://localhost:5000/mirror/json:1.2.0".to_owned(),
        name: name.map(|name| name.parse().unwrap()),
    };
    let entered = bench.store.enter(&pull(Some("mirror:json@1.2.0"))).unwrap();
    assert_eq!(entered.name.map(|name| name.to_string()).as_deref(), Some("mirror:json@1.2.0"));
    assert_eq!(bench.find("me:json@1.2.0").unwrap().manifest, module.manifest);
    // Again, and without a name, nothing is added.
    bench.store.enter(&pull(Some("mirror:json@1.2.0"))).unwrap();
    bench.store.enter(&pull(None)).unwrap();
    assert_eq!(bench.store.modules().unwrap().0.len(), 2);
}

#[test]
fn module_whose_blob_was_removed_meanwhile_is_not_entered() {
    let bench = Bench::new();
    let module = bench.add(NAME, "a", Some(PROBE)).unwrap();
    let pulled = Pulled {
        manifest: module.manifest.clone(),
        attached: vec![module.natives[0].manifest.clone()],
        source: "oci://localhost:5000/acme/json:1.2.0".to_owned(),
        name: None,
    };
    bench.store.remove(&Reference::parse(NAME).unwrap().unwrap()).unwrap();
    assert!(bench.store.enter(&pulled).unwrap_err().is_missing());
    assert!(bench.store.modules().unwrap().0.is_empty());
}

#[test]
fn signature_is_attached_to_the_module_that_it_is_of() {
    let bench = Bench::new();
    let module = bench.add(NAME, "a", Some(PROBE)).unwrap();
    let key = SecretKey::generate().unwrap();
    let statement = module.statement().unwrap();
    let text = statement.to_string();
    let signature = key.sign(text.as_bytes(), "comment");
    bench.store.attach_signature(&module, &text, &signature).unwrap();
    let signed = bench.find(NAME).unwrap();
    let [stored] = &signed.signatures[..] else { panic!("{signed:?}") };
    assert_eq!(key.public().verify(stored.statement.as_bytes(), &stored.signature), Ok("comment"));
    assert_eq!(bench.store.manifest(&stored.manifest).unwrap().artifact_type.as_deref(), Some(media_type::SIGNATURE));
    let other = text.replace("1.2.0", "1.2.1");
    check(bench.store.attach_signature(&module, &other, &signature), &["not of acme:json@1.2.0"]);
    check(bench.store.attach_signature(&module, "text", &signature), &["line 1 of the statement"]);
}

#[test]
fn damaged_signature_is_reported_and_can_be_removed() {
    let bench = Bench::new();
    let blob = |digest: &Digest| bench.folder.path().join("store/blobs/sha256").join(digest.hex());
    let sign = || {
        let module = bench.add(NAME, "a", Some(PROBE)).unwrap();
        let key = SecretKey::generate().unwrap();
        let text = module.statement().unwrap().to_string();
        bench.store.attach_signature(&module, &text, &key.sign(text.as_bytes(), "")).unwrap();
        assert_eq!(bench.damaged(), [""; 0]);
        bench.find(NAME).unwrap().signatures[0].manifest.clone()
    };
    let remove = || bench.store.remove(&Reference::parse(NAME).unwrap().unwrap()).unwrap();
    for layer in [media_type::MINISIGN_LAYER, media_type::STATEMENT_LAYER] {
        let manifest = sign();
        let file = bench.store.manifest(&manifest).unwrap().layer(layer).unwrap().digest;
        fs::write(blob(&file), "damaged").unwrap();
        assert!(bench.find(NAME).unwrap().signatures.is_empty(), "it counts for nothing");
        assert_eq!(bench.damaged().len(), 1, "{:?}", bench.damaged());
        assert!(bench.damaged()[0].contains(&file.to_string()), "{:?}", bench.damaged());
        remove();
    }
    let manifest = sign();
    fs::write(blob(&manifest.digest), "{}").unwrap();
    assert_eq!(bench.damaged().len(), 1, "{:?}", bench.damaged());
    assert!(bench.damaged()[0].contains(&manifest.digest.to_string()), "{:?}", bench.damaged());
    remove();
    assert_eq!(bench.blobs(), 0, "nothing is left that a new module could be confused with");
    sign();
}

#[test]
fn signature_that_is_no_signature_is_reported() {
    let bench = Bench::new();
    let module = bench.add(NAME, "a", None).unwrap();
    let put = |bytes: &[u8], media_type: &str| {
        let descriptor = Descriptor::of_bytes(media_type, bytes);
        bench.store.put_blob(&descriptor, |writer| write_all(writer, bytes)).unwrap();
        descriptor
    };
    let layers = vec![put(b"statement", media_type::STATEMENT_LAYER), put(b"text", media_type::MINISIGN_LAYER)];
    let mut manifest = Manifest::new(Some(media_type::SIGNATURE), put(b"{}", media_type::EMPTY), layers);
    manifest.subject = Some(module.manifest.clone());
    let attached = put(&manifest.to_bytes(), media_type::MANIFEST);
    let attached = vec![Descriptor { artifact_type: Some(media_type::SIGNATURE.to_owned()), ..attached }];
    let source = "oci://localhost:5000/acme/json:1.2.0".to_owned();
    bench.store.enter(&Pulled { manifest: module.manifest.clone(), attached, source, name: None }).unwrap();
    let module = bench.find(NAME).unwrap();
    assert!(module.signatures.is_empty(), "{module:?}");
    assert_eq!(bench.damaged().len(), 1, "{:?}", bench.damaged());
    assert!(bench.damaged()[0].contains("a signature that cannot be read: not a signature of minisign"));
    assert!(bench.store.is_intact(&module), "it is as it was pulled");
}

fn write_all(writer: &mut dyn Write, bytes: &[u8]) -> Result<(), StoreError> {
    writer.write_all(bytes).map_err(|source| StoreError::Io { path: PathBuf::new(), source })
}

#[test]
fn malformed_index_is_reported_with_its_path() {
    let bench = Bench::new();
    let index = bench.folder.path().join("store/index.json");
    fs::write(&index, "[]").unwrap();
    fs::set_permissions(&index, Permissions::from_mode(0o600)).unwrap();
    check(bench.find(NAME), &["store/index.json"]);
    fs::write(&index, vec![b' '; (4 << 20) + 1]).unwrap();
    check(bench.find(NAME), &["index.json", "4 MiB"]);
}
