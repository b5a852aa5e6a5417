//! What is pushed is what `wkg`, and Spin through the crates of `wkg`, can pull: by the rules that they read a module with, and by `wkg`
//! itself where it is installed.

use crate::User;
use crate::stub::{Behaviour, Stub};
use module_store::{Digest, StoredModule, media_type};
use oci_registry::PullOptions;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::process::Command;

/// A registry with a module in it, its component, and the user who has pushed it.
fn pushed() -> (Stub, StoredModule, User) {
    let stub = Stub::start(Behaviour::default());
    let user = User::new();
    let module = user.add("a");
    user.push(&module, &stub.host()).unwrap();
    (stub, module, user)
}

#[test]
fn tag_is_a_manifest_that_wkg_and_spin_read() {
    let (stub, module, _user) = pushed();
    let component = module.component.as_ref().unwrap();
    let (kind, bytes) = stub.state().manifests["1.2.0"].clone();
    assert_eq!(kind, "application/vnd.oci.image.manifest.v1+json");
    let manifest: Value = serde_json::from_slice(&bytes).unwrap();
    let config = stub.state().blobs[manifest["config"]["digest"].as_str().unwrap()].clone();
    // No `artifactType`, `subject` or index, and one layer: they take nothing else for a module.
    let expect = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {
            "mediaType": "application/vnd.wasm.config.v0+json",
            "digest": Digest::of_bytes(&config).to_string(),
            "size": config.len(),
        },
        "layers": [{
            "mediaType": "application/wasm",
            "digest": component.digest.to_string(),
            "size": component.size,
            "annotations": {"org.opencontainers.image.title": "json.wasm"},
        }],
        "annotations": {"org.opencontainers.image.licenses": "Apache-2.0", "org.opencontainers.image.version": "1.2.0"},
    });
    assert_eq!(manifest, expect);
    let config: Value = serde_json::from_slice(&config).unwrap();
    let expect = json!({
        "created": "1970-01-01T00:00:00Z",
        "architecture": "wasm",
        "os": "wasip2",
        "layerDigests": [component.digest.to_string()],
        "component": {"exports": [], "imports": ["a"]},
    });
    assert_eq!(config, expect);
}

#[test]
fn only_versions_are_versions_to_wkg() {
    let (stub, ..) = pushed();
    let tags: Vec<String> =
        stub.state().manifests.keys().filter(|name| !name.starts_with("sha256:")).cloned().collect();
    // It takes every tag that is a semantic version for one, and passes over those that begin with `sha256-` without a warning.
    let (attached, versions): (Vec<_>, Vec<_>) = tags.iter().partition(|tag| tag.starts_with("sha256-"));
    assert_eq!(versions, ["1.2.0"]);
    assert_eq!(attached.len(), 3, "a probe, a signature, and the list of both: {attached:?}");
}

#[test]
fn what_wkg_pushes_is_pulled() {
    let stub = Stub::start(Behaviour::default());
    let component = wat::parse_str("(component)").unwrap();
    let digest = Digest::of_bytes(&component);
    let config = json!({
        "created": "2026-09-01T12:00:00.123456789Z",
        "author": null,
        "architecture": "wasm",
        "os": "wasip2",
        "layerDigests": [digest.to_string()],
        "component": {"exports": [], "imports": [], "target": null},
    });
    let config = config.to_string().into_bytes();
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": media_type::MANIFEST,
        "config": {
            "mediaType": media_type::WASM_CONFIG,
            "digest": Digest::of_bytes(&config).to_string(),
            "size": config.len(),
        },
        "layers": [{"mediaType": media_type::WASM, "digest": digest.to_string(), "size": component.len()}],
    });
    for blob in [component, config] {
        stub.state().blobs.insert(Digest::of_bytes(&blob).to_string(), blob);
    }
    let manifest = (media_type::MANIFEST.to_owned(), manifest.to_string().into_bytes());
    stub.state().manifests.insert("2.0.0".to_owned(), manifest);
    let pulled = User::new().pull(&stub.host(), ":2.0.0", PullOptions::default()).unwrap();
    assert_eq!(pulled.name, Some("acme:json@2.0.0".parse().unwrap()));
    assert_eq!(pulled.component.map(|file| file.digest), Some(digest));
}

/// Runs `wkg` with its settings and its cache in `folder`.
#[track_caller]
fn wkg(folder: &Path, arguments: &[&str]) {
    let mut command = Command::new("wkg");
    command.args(arguments).env("XDG_CONFIG_HOME", folder.join("config")).env("XDG_CACHE_HOME", folder.join("cache"));
    let output = command.env("HOME", folder).output().expect("it was started before");
    assert!(output.status.success(), "wkg {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn wkg_pulls_the_component_by_address_and_by_name() {
    if Command::new("wkg").arg("--version").output().is_err() {
        eprintln!("skipped: `wkg` is absent; `cargo install wkg` has it");
        return;
    }
    let (stub, _, user) = pushed();
    let host = stub.host();
    let folder = user.folder.path();
    let component = fs::read(folder.join("a.wasm")).unwrap();
    let settings = format!(
        "[namespace_registries]\nacme = {{ registry = \"{host}\", metadata = {{ preferredProtocol = \"oci\", oci = {{ registry = \"{host}\" }} }} }}\n\n\
         [registry.\"{host}\".oci]\nprotocol = \"http\"\n"
    );
    fs::create_dir_all(folder.join("config/wasm-pkg")).unwrap();
    fs::write(folder.join("config/wasm-pkg/config.toml"), settings).unwrap();
    let [by_address, by_name] = ["by-address.wasm", "by-name.wasm"].map(|name| folder.join(name));
    let (address, file) = (format!("{host}/acme/json:1.2.0"), by_address.display().to_string());
    wkg(folder, &["oci", "pull", &address, "--insecure", &host, "--output", &file]);
    assert_eq!(fs::read(&by_address).unwrap(), component);
    wkg(folder, &["get", "acme:json@1.2.0", "--format", "wasm", "--output", &by_name.display().to_string()]);
    assert_eq!(fs::read(&by_name).unwrap(), component);
}
