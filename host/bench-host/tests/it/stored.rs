//! Modules of the store: given by name or digest, with native code only if it is trusted, and never if a file was changed.

use crate::host::{Host, Ran, cells, skip};
use std::collections::BTreeSet;
use std::fs::{self, Permissions};
#[cfg(feature = "registry")]
use std::iter;
#[cfg(feature = "registry")]
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

pub(crate) const NAME: &str = "acme:hostile@0.1.0";
const QUICK: &str = "--filter hostile/good --quick --time 20ms --format json";

/// A folder with the hostile module, and a user with a store and a policy of their own.
pub(crate) struct User {
    pub(crate) host: Host,
}

impl User {
    /// A user whose store has the hostile module in both arms.
    pub(crate) fn with_module() -> Self {
        let user = Self { host: Host::with_hostile() };
        let added = user.check(&format!("registry add {NAME} hostile.wasm {} --license Apache-2.0", library()), 0);
        assert!(added.stdout.starts_with(&format!("{NAME} sha256:")), "{}", added.stdout);
        user
    }

    pub(crate) fn command(&self, line: &str) -> Command {
        let mut command = self.host.command(line);
        command.env("XDG_DATA_HOME", self.host.path("data")).env("XDG_CONFIG_HOME", self.host.path("config"));
        command.env("DOCKER_CONFIG", self.host.path("docker"));
        ["REGISTRY_AUTH_FILE", "XDG_RUNTIME_DIR"].into_iter().for_each(|name| {
            command.env_remove(name);
        });
        command
    }

    #[track_caller]
    pub(crate) fn check(&self, line: &str, status: i32) -> Ran {
        Ran::of(&mut self.command(line)).check(line, status)
    }

    /// The digest of a file in the folder.
    pub(crate) fn digest(&self, file: &str) -> String {
        format!("sha256:{}", bench_sink::digest::of_file(&self.host.path(file)).expect("the file can be read"))
    }

    fn blob(&self, digest: &str) -> PathBuf {
        let hex = digest.strip_prefix("sha256:").expect("a digest");
        self.host.path(Path::new("data/bench-host/store/blobs/sha256").join(hex))
    }

    /// Measures the module that `reference` names, and checks in which arms.
    #[track_caller]
    pub(crate) fn measures(&self, reference: &str, arms: &[&str]) -> Ran {
        let ran = self.check(&format!("load {reference} {QUICK}"), 0);
        let document = ran.json();
        let found: BTreeSet<_> = cells(&document, "hostile/good")
            .iter()
            .filter_map(|cell| cell["arm"].as_str().map(str::to_owned))
            .collect();
        assert_eq!(found.iter().map(String::as_str).collect::<Vec<_>>(), arms, "{}", ran.stderr);
        ran
    }
}

fn library() -> String {
    format!("hostile.{}", std::env::consts::DLL_EXTENSION)
}

#[test]
fn module_is_given_by_name_or_digest_and_its_native_code_by_trust() {
    let user = User::with_module();
    let probe = user.digest(&library());
    let component = user.digest("hostile.wasm");
    let ran = user.measures(NAME, &["wasm"]);
    let trust = format!("registry trust {probe} --natives");
    assert!(ran.stderr.contains(&format!("bench-host {trust}")), "{}", ran.stderr);
    user.check(&trust, 0);
    user.measures(NAME, &["native", "wasm"]);
    user.measures(&component, &["native", "wasm"]);
    let listed = user.check(&format!("list {probe} --format json"), 0).json();
    assert_eq!(listed["modules"][0]["sha256"], component["sha256:".len()..]);
    user.check(&format!("registry trust {probe} --revoke"), 0);
    user.measures(NAME, &["wasm"]);
}

#[test]
fn probe_alone_is_refused_until_it_is_trusted() {
    let user = User { host: Host::with_hostile() };
    user.check(&format!("registry add acme:probe@1.0.0 {}", library()), 0);
    let refused = user.check(&format!("load acme:probe@1.0.0 {QUICK}"), 2);
    assert!(refused.stderr.contains("is trusted with that"), "{}", refused.stderr);
    user.check(&format!("registry trust {} --natives", user.digest(&library())), 0);
    user.measures("acme:probe@1.0.0", &["native"]);
}

#[test]
fn changed_file_is_refused_with_both_digests() {
    let user = User::with_module();
    user.measures(NAME, &["wasm"]);
    let wanted = user.digest("hostile.wasm");
    let blob = user.blob(&wanted);
    let mut bytes = fs::read(&blob).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&blob, &bytes).unwrap();
    let found = format!("sha256:{}", bench_sink::digest::of_bytes(&bytes));
    let refused = user.check(&format!("load {NAME} {QUICK}"), 2);
    for part in [wanted.as_str(), &found, &blob.display().to_string()] {
        assert!(refused.stderr.contains(part), "{part} is not in: {}", refused.stderr);
    }
    let verified = user.check("registry verify", 1);
    assert!(verified.stdout.contains(&format!("FAILED {NAME}: ")), "{}", verified.stdout);
    user.check(&format!("registry remove {NAME}"), 0);
    user.check(&format!("registry add {NAME} hostile.wasm"), 0);
    user.check("registry verify", 0);
    user.measures(NAME, &["wasm"]);
}

#[test]
fn key_makes_native_code_run_only_with_that_right_and_in_its_namespace() {
    let user = User::with_module();
    user.check("registry keygen acme.key", 0);
    assert_eq!(fs::metadata(user.host.path("acme.key")).unwrap().permissions().mode() & 0o777, 0o600);
    user.check(&format!("registry sign {NAME} --key acme.key"), 0);
    let verified = user.check(&format!("registry verify {NAME}"), 0).stdout;
    assert!(verified.contains("is not trusted"), "{verified}");
    user.check("registry trust acme.key.pub", 0);
    user.measures(NAME, &["wasm"]);
    user.check("registry trust acme.key.pub --natives --namespace other", 0);
    user.measures(NAME, &["wasm"]);
    user.check("registry trust acme.key.pub --natives --namespace acme", 0);
    user.measures(NAME, &["native", "wasm"]);
    let verified = user.check(&format!("registry verify {NAME} hostile.wasm"), 0).stdout;
    assert!(verified.contains("ok: signed by key "), "{verified}");
    let listed = user.check("registry list --format json", 0).json();
    assert_eq!(listed["modules"][0]["signed_by"].as_array().map(Vec::len), Some(1), "{listed:#}");
}

#[test]
fn damaged_signature_is_a_finding() {
    let user = User::with_module();
    user.check("registry keygen acme.key", 0);
    user.check(&format!("registry sign {NAME} --key acme.key"), 0);
    user.check("registry trust acme.key.pub", 0);
    user.check("registry verify", 0);
    let blobs = fs::read_dir(user.host.path("data/bench-host/store/blobs/sha256")).unwrap();
    let is_signature = |path: &PathBuf| fs::read(path).unwrap().starts_with(b"untrusted comment: ");
    let signature = blobs.map(|blob| blob.unwrap().path()).find(is_signature).unwrap();
    fs::write(&signature, "untrusted comment: damaged").unwrap();
    let verified = user.check("registry verify", 1).stdout;
    assert!(verified.contains(&format!("FAILED {NAME}: {}", signature.display())), "{verified}");
    assert!(!verified.contains("not signed"), "{verified}");
}

#[test]
fn key_grants_what_the_modules_that_it_signed_ask_for() {
    let user = User::with_module();
    let line = format!("load {NAME} --filter hostile/asks --arm wasm --quick --time 20ms --format json");
    let measured = |status: i32| {
        let document = Ran::of(user.command(&line).env("BENCH_HOST_ASKED", "1")).check(&line, status).json();
        cells(&document, "hostile/asks")[0]["status"].as_str().expect("a status").to_owned()
    };
    let trust = |arguments: &[&str]| {
        let mut command = user.command("registry trust acme.key.pub --grant");
        Ran::of(command.arg("env BENCH_HOST_ASKED").args(arguments)).check("registry trust", 0);
    };
    user.check("registry keygen acme.key", 0);
    user.check(&format!("registry sign {NAME} --key acme.key"), 0);
    assert_eq!(measured(2), "skipped");
    trust(&[]);
    assert_eq!(measured(0), "ok");
    trust(&["--namespace", "other"]);
    assert_eq!(measured(2), "skipped");
}

#[test]
fn minisign_signs_what_the_statement_says() {
    if Command::new("minisign").arg("-v").output().is_err() {
        return skip("`minisign` is absent; `apt-get install minisign` has it");
    }
    let user = User::with_module();
    user.check("registry keygen acme.key", 0);
    let statement = user.check(&format!("registry sign {NAME}"), 0).stdout;
    fs::write(user.host.path("statement.txt"), &statement).unwrap();
    let minisign = |line: &str| {
        let output = Command::new("minisign").args(line.split(' ')).current_dir(user.host.path("")).output().unwrap();
        assert!(output.status.success(), "minisign {line}: {}", String::from_utf8_lossy(&output.stderr));
    };
    minisign("-S -s acme.key -m statement.txt");
    minisign("-V -p acme.key.pub -m statement.txt");
    let sign = format!("registry sign {NAME} --signature statement.txt.minisig --public-key acme.key.pub");
    user.check(&sign, 0);
    user.check("registry trust acme.key.pub --natives", 0);
    user.measures(NAME, &["native", "wasm"]);
    // Of another statement.
    fs::write(user.host.path("statement.txt"), statement.replace("0.1.0", "0.1.1")).unwrap();
    minisign("-S -s acme.key -m statement.txt");
    user.check(&sign, 2).one_line(&["statement.txt.minisig: not a signature of what"]);
}

#[test]
fn mistakes_are_explained_in_one_line() {
    let user = User::with_module();
    let check = |line: &str, parts: &[&str]| user.check(line, 2).one_line(parts);
    check(&format!("registry add {NAME} {}", library()), &[NAME, "a version does not change"]);
    check("registry add acme:text@1.0.0 hostile.txt", &["hostile.txt", "neither a component (.wasm) nor a probe"]);
    check("registry add acme:two@1.0.0 hostile.wasm hostile.wasm", &["are the same arm"]);
    check("registry remove acme:none@1.0.0", &["acme:none@1.0.0 is not in the store"]);
    check("registry remove nowhere", &["`nowhere` is neither a name"]);
    check("registry verify nowhere.wasm", &["nowhere.wasm"]);
    check("registry trust nowhere", &["`nowhere` is neither a public key of minisign nor a file"]);
    check("registry trust sha256:12", &["`sha256:12` is not a digest"]);
    check("registry trust hostile.wasm", &["hostile.wasm"]);
    check(&format!("registry trust {} --revoke", user.digest("hostile.wasm")), &["is not trusted"]);
    check(&format!("registry sign {NAME} --key hostile.txt"), &["cannot read hostile.txt"]);
    for (reference, part) in [
        ("acme:none@1.0.0", "acme:none@1.0.0 is not in the store"),
        ("acme:hostile@9.0.0", "its versions there are 0.1.0"),
        ("acme:hostile", "`acme:hostile` has no version"),
        ("acme:hostile@1", "expected a semantic version"),
        ("sha256:12", "`sha256:12` is not a digest"),
        ("oci://user:secret@h/acme/json:1", "an oci:// reference contains a user name"),
    ] {
        let ran = user.check(&format!("load {reference} {QUICK}"), 2);
        assert!(ran.stderr.contains(part) && !ran.stderr.contains("panicked"), "{reference}: {}", ran.stderr);
    }
    assert_eq!(user.host.runs().len(), 0);
}

#[test]
fn policy_or_store_that_others_can_write_to_is_refused() {
    let user = User::with_module();
    user.check(&format!("registry trust {} --natives", user.digest(&library())), 0);
    let policy = user.host.path("config/bench-host/policy.toml");
    fs::set_permissions(&policy, Permissions::from_mode(0o666)).unwrap();
    user.check(&format!("load {NAME} {QUICK}"), 2).one_line(&["policy.toml", "other users can write to it"]);
    fs::set_permissions(&policy, Permissions::from_mode(0o600)).unwrap();
    fs::set_permissions(user.host.path("data/bench-host/store"), Permissions::from_mode(0o777)).unwrap();
    let refused = user.check(&format!("load {NAME} {QUICK}"), 2);
    assert!(refused.stderr.contains("modules in it cannot be trusted"), "{}", refused.stderr);
}

#[test]
fn builds_of_the_store_are_compared_under_their_references() {
    let user = User::with_module();
    user.check("registry add acme:hostile@0.1.1 hostile.wasm", 0);
    let line = "compare acme:hostile@0.1.0 acme:hostile@0.1.1 hostile/good --quick --format json";
    let text = user.check(line, 0).stdout;
    assert!(text.contains(NAME) && text.contains("acme:hostile@0.1.1"), "{text}");
}

#[test]
#[cfg(feature = "registry")]
fn module_that_is_there_is_pulled_without_a_connection() {
    let user = User::with_module();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let listed = user.check("registry list --format json", 0).json();
    let manifest = listed["modules"][0]["manifest"].as_str().expect("a digest");
    let from = format!("oci://{}/acme/hostile@{manifest}", listener.local_addr().unwrap());
    let pulled = user.check(&format!("registry pull {from}"), 0);
    assert_eq!(pulled.stdout, format!("{NAME} {manifest}\n"));
    pulled.one_line(&["the store has it", "--refresh"]);
    user.measures(&from, &["wasm"]);
    assert_eq!(iter::from_fn(|| listener.accept().ok()).count(), 0, "connections");
    // Where it is asked for, there is one, which ends at once here.
    listener.set_nonblocking(false).unwrap();
    let connections = std::thread::spawn(move || listener.incoming().take(1).count());
    user.check(&format!("registry pull {from} --refresh"), 2);
    assert_eq!(connections.join().unwrap(), 1);
}

#[test]
#[cfg(feature = "registry")]
fn mistakes_with_a_registry_are_explained_in_one_line() {
    let user = User::with_module();
    let check = |line: &str, parts: &[&str]| user.check(line, 2).one_line(parts);
    // Nothing listens on port 1.
    check(
        "registry pull oci://127.0.0.1:1/acme/json:1.2.0",
        &["127.0.0.1:1: no connection", "the registry is running"],
    );
    check("registry pull oci://127.0.0.1:1/acme/json:latest", &["is not a version, so it may move", "--allow-moving"]);
    check("registry pull oci://127.0.0.1:1/acme/json", &["neither a tag nor a digest"]);
    check("registry pull acme/json", &["expected oci://HOST"]);
    check("registry list oci://127.0.0.1:1/acme/json", &["127.0.0.1:1: no connection"]);
    check("registry list oci://127.0.0.1:1/acme/json:1.2.0", &["give the repository alone"]);
    check(&format!("registry push {NAME} oci://127.0.0.1:1/acme/hostile"), &["no connection"]);
    check("registry push acme:none@1.0.0 oci://127.0.0.1:1/acme/none", &["is not in the store"]);
    let with_password = user.check("registry pull oci://user:secret@h/acme/json:1.2.0", 2);
    assert!(!with_password.stderr.contains("secret"), "{}", with_password.stderr);
    let loaded = user.check(&format!("load oci://127.0.0.1:1/acme/json:1.2.0 {QUICK}"), 2);
    assert!(loaded.stderr.contains("pulling oci://127.0.0.1:1/acme/json:1.2.0"), "{}", loaded.stderr);
    fs::create_dir_all(user.host.path("config/wasm-pkg")).unwrap();
    fs::write(user.host.path("config/wasm-pkg/config.toml"), "[namespace_registries]\nacme = \"127.0.0.1:1\"\n")
        .unwrap();
    let loaded = user.check(&format!("load acme:none@1.0.0 {QUICK}"), 2);
    assert!(loaded.stderr.contains("pulling oci://127.0.0.1:1/acme/none:1.0.0"), "{}", loaded.stderr);
    let unplaced = user.check(&format!("load other:none@1.0.0 {QUICK}"), 2);
    assert!(unplaced.stderr.contains("other:none@1.0.0 is not in the store"), "{}", unplaced.stderr);
    user.measures(NAME, &["wasm"]);
    fs::create_dir(user.host.path("docker")).unwrap();
    fs::write(user.host.path("docker/config.json"), "{").unwrap();
    check("registry pull oci://127.0.0.1:1/acme/json:1.2.0", &["docker/config.json", "log in again"]);
}
