//! Pushes to and pulls from a registry that behaves, one that asks for a password, one that lies, and Debian's; and what other tools pull.

mod debian;
mod peers;
mod stub;

use module_store::{Annotations, ModuleName, NewModule, RemoteReference, SecretKey, Store, StoredModule, annotation};
use oci_registry::{
    Credentials, PullOptions, PushOptions, Pushed, Registry, RegistryError, Transport, held, pull, push,
};
use std::fs;
use stub::{Behaviour, Stub};
use tempfile::TempDir;

const NAME: &str = "acme:json@1.2.0";
const PROBE: &[u8] = b"\x7fELF probe";
const MOVING: PullOptions = PullOptions { allows_moving: true };

/// A store in a folder of its own.
struct User {
    folder: TempDir,
    store: Store,
    credentials: Option<Credentials>,
}

impl User {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("store")).unwrap();
        Self { folder, store, credentials: None }
    }

    fn with_password(password: &str) -> Self {
        Self { credentials: Some(Credentials::new("user", password)), ..Self::new() }
    }

    /// Adds a component, told apart by `text`, with a probe and a signature.
    fn add(&self, text: &str) -> StoredModule {
        let write = |name: &str, bytes: &[u8]| {
            let path = self.folder.path().join(name);
            fs::write(&path, bytes).unwrap();
            path
        };
        let component = wat::parse_str(format!("(component (import {text:?} (func)))")).unwrap();
        let (component, native) = (write("a.wasm", &component), write("a.so", PROBE));
        let name: ModuleName = NAME.parse().unwrap();
        let annotations = Annotations::from([(annotation::LICENSES.to_owned(), "Apache-2.0".to_owned())]);
        let new = NewModule { name: &name, component: Some(&component), native: Some(&native), annotations };
        let module = self.store.add(&new).unwrap();
        let statement = module.statement().unwrap().to_string();
        let signature = SecretKey::generate().unwrap().sign(statement.as_bytes(), "test");
        self.store.attach_signature(&module, &statement, &signature).unwrap();
        self.store.find(&module_store::Reference::Name(name)).unwrap()
    }

    fn registry(&self, host: &str) -> Registry {
        Registry::new(host, self.credentials.clone(), Transport::ByHost).unwrap()
    }

    fn push(&self, module: &StoredModule, host: &str) -> Result<Pushed, RegistryError> {
        push(&self.registry(host), &self.store, module, &remote(host, ":1.2.0"), PushOptions::default())
    }

    fn pull(&self, host: &str, rest: &str, options: PullOptions) -> Result<StoredModule, RegistryError> {
        pull(&self.registry(host), &self.store, &remote(host, rest), options)
    }

    /// The number of blobs in the store.
    fn blobs(&self) -> usize {
        fs::read_dir(self.folder.path().join("store/blobs/sha256")).unwrap().count()
    }
}

fn remote(host: &str, rest: &str) -> RemoteReference {
    format!("oci://{host}/acme/json{rest}").parse().unwrap()
}

/// Checks that the result is an error with all `parts`.
#[track_caller]
fn check<T: std::fmt::Debug>(result: Result<T, RegistryError>, parts: &[&str]) {
    let error = result.expect_err("an error").to_string();
    for part in parts {
        assert!(error.contains(part), "{part:?} is not in: {error}");
    }
}

/// Pushes a module to the registry at `host` and pulls it into another store: by tag, by digest, and again when it is there.
#[track_caller]
fn check_round_trip(host: &str, [one, other]: [&User; 2]) {
    let module = one.add("a");
    let pushed = one.push(&module, host).unwrap();
    assert_eq!((pushed.digest, pushed.attached), (module.manifest.digest, 2));
    let pulled = other.pull(host, ":1.2.0", PullOptions::default()).unwrap();
    assert_eq!(pulled.pulled_from, Some(remote(host, ":1.2.0").source()));
    assert_eq!(StoredModule { pulled_from: None, ..pulled.clone() }, module, "the same name, files and signatures");
    assert!(other.store.verify(|_| true).unwrap().is_empty());
    let again = one.push(&module, host).unwrap();
    assert_eq!((again.uploaded, again.attached), (0, 2), "what is there is not uploaded again");
    let by_digest = other.pull(host, &format!("@{}", module.manifest.digest), PullOptions::default()).unwrap();
    assert_eq!(by_digest, pulled, "its tag is still known");
}

#[test]
fn module_comes_back_with_its_probe_and_its_signature() {
    for has_referrers in [false, true] {
        let stub = Stub::start(Behaviour { has_referrers, ..Behaviour::default() });
        check_round_trip(&stub.host(), [&User::new(), &User::new()]);
        let has_fallback =
            stub.state().manifests.keys().any(|name| name.len() == "sha256-".len() + 64 && name.starts_with("sha256-"));
        assert_eq!(has_fallback, !has_referrers, "the list is written where there is no API for it");
    }
}

#[test]
fn password_is_sent_when_it_is_asked_for() {
    let basic = "Basic dXNlcjpwYXNzd29yZA==".to_owned();
    let wants = Some((basic, "Basic realm=\"test\"".to_owned()));
    let stub = Stub::start(Behaviour { wants, ..Behaviour::default() });
    let host = stub.host();
    check(User::new().pull(&host, ":1.2.0", PullOptions::default()), &[&host, "a user name and password are needed"]);
    let wrong = User::with_password("wrong").pull(&host, ":1.2.0", PullOptions::default());
    check(wrong, &["the user name or password was refused", "docker login"]);
    check_round_trip(&host, [&User::with_password("password"), &User::with_password("password")]);
    let first = stub.state().requests[0].clone();
    assert_eq!(first.1, None, "nothing was sent before it was asked for");
}

#[test]
fn token_is_fetched_where_the_registry_says() {
    let tokens = Stub::start(Behaviour::default());
    let challenge =
        format!("Bearer realm=\"http://{}/token\",service=\"s\",scope=\"repository:acme/json:pull\"", tokens.host());
    let wants = Some(("Bearer TOKEN".to_owned(), challenge));
    let stub = Stub::start(Behaviour { wants, ..Behaviour::default() });
    check_round_trip(&stub.host(), [&User::with_password("password"), &User::with_password("password")]);
    check(
        User::with_password("wrong").pull(&stub.host(), ":1.2.0", MOVING),
        &["the user name or password was refused"],
    );
    let sent: Vec<_> = stub.state().requests.iter().filter_map(|(_, sent)| sent.clone()).collect();
    assert!(sent.iter().all(|sent| sent == "Bearer TOKEN"), "the password went to the registry: {sent:?}");
    // A server of tokens that would be reached without TLS on another machine gets no password.
    let elsewhere = "Bearer realm=\"http://tokens.example.org/token\"".to_owned();
    stub.state().behaviour.wants = Some(("Bearer TOKEN".to_owned(), elsewhere));
    let refused = User::with_password("password").pull(&stub.host(), ":1.2.0", MOVING);
    check(refused, &["tokens.example.org would be reached without TLS"]);
}

#[test]
fn password_does_not_follow_to_another_server() {
    let other = Stub::start(Behaviour::default());
    let basic = "Basic dXNlcjpwYXNzd29yZA==".to_owned();
    let wants = Some((basic, "Basic realm=\"test\"".to_owned()));
    let stub = Stub::start(Behaviour { wants, ..Behaviour::default() });
    let one = User::with_password("password");
    one.push(&one.add("a"), &stub.host()).unwrap();
    other.state().blobs = stub.state().blobs.clone();
    stub.state().behaviour.sends_blobs_to = Some(format!("http://{}/v2/acme/json/blobs", other.host()));
    let pulled = User::with_password("password").pull(&stub.host(), ":1.2.0", PullOptions::default());
    assert_eq!(pulled.unwrap().name, Some(NAME.parse().unwrap()));
    let requests = other.state().requests.clone();
    assert!(!requests.is_empty() && requests.iter().all(|(_, sent)| sent.is_none()), "{requests:?}");
    // A circle ends.
    stub.state().behaviour.sends_blobs_to = Some(format!("http://{}/v2/acme/json/blobs", stub.host()));
    let circle = User::with_password("password").pull(&stub.host(), ":1.2.0", PullOptions::default());
    check(circle, &["it sends from one place to another"]);
}

#[test]
fn registry_that_lies_is_found_out_and_nothing_is_kept() {
    let stub = Stub::start(Behaviour::default());
    let one = User::new();
    let module = one.add("a");
    one.push(&module, &stub.host()).unwrap();
    let digest = module.manifest.digest.to_string();
    let check = |behaviour: Behaviour, rest: &str, parts: &[&str]| {
        stub.state().behaviour = behaviour;
        let user = User::new();
        check(user.pull(&stub.host(), rest, PullOptions::default()), parts);
        assert_eq!(user.blobs(), 0, "{parts:?}");
        assert!(user.store.modules().unwrap().0.is_empty());
    };
    let plain = Behaviour::default;
    let lies = Behaviour { lies_about_blobs: true, ..plain() };
    check(lies, ":1.2.0", &[&stub.host(), "gave something else for sha256:", "do not use this registry"]);
    check(Behaviour { adds_bytes: true, ..plain() }, ":1.2.0", &["it has more bytes than its manifest says"]);
    let lies = Behaviour { lies_about_manifests: true, ..plain() };
    check(lies, &format!("@{digest}"), &["gave something else for", &digest]);
    check(Behaviour { floods: true, ..plain() }, ":1.2.0", &["more than 4194304 bytes"]);
    check(plain(), ":9.9.9", &["oci://", ":9.9.9 is not there; the tags there are 1.2.0"]);
    check(plain(), ":latest", &["is not a version, so it may move", "--allow-moving"]);
    stub.state().manifests.insert("1.2.0".to_owned(), (String::new(), b"[]".to_vec()));
    check(plain(), ":1.2.0", &["not the manifest of a module, but another document"]);
}

#[test]
fn tag_that_moved_is_reported_on_both_sides() {
    let stub = Stub::start(Behaviour::default());
    let (one, other, third) = (User::new(), User::new(), User::new());
    let (module, moved) = (one.add("a"), other.add("b"));
    one.push(&module, &stub.host()).unwrap();
    third.pull(&stub.host(), ":1.2.0", PullOptions::default()).unwrap();
    let (old, new) = (module.manifest.digest.to_string(), moved.manifest.digest.to_string());
    check(other.push(&moved, &stub.host()), &[&old, "a version does not change"]);
    let options = PushOptions { allows_moving: true };
    push(&other.registry(&stub.host()), &other.store, &moved, &remote(&stub.host(), ":1.2.0"), options).unwrap();
    check(third.pull(&stub.host(), ":1.2.0", PullOptions::default()), &[&old, &new, "--allow-moving"]);
    let pulled = third.pull(&stub.host(), ":1.2.0", MOVING).unwrap();
    assert_eq!((pulled.manifest.digest, pulled.name), (moved.manifest.digest, None), "its name is another's");
    let reference = module_store::Reference::Remote(remote(&stub.host(), ":1.2.0"));
    assert_eq!(third.store.find(&reference).unwrap().manifest.digest, moved.manifest.digest);
}

#[test]
fn tags_that_can_be_pulled_are_listed_from_all_pages() {
    let stub = Stub::start(Behaviour { tags_a_page: 1, ..Behaviour::default() });
    let host = stub.host();
    let one = User::new();
    let module = one.add("a");
    for tag in [":1.2.0", ":latest"] {
        push(&one.registry(&host), &one.store, &module, &remote(&host, tag), PushOptions::default()).unwrap();
    }
    // What is no tag is not shown.
    stub.state().manifests.insert("~\u{1b}[2J".to_owned(), (String::new(), Vec::new()));
    let before = stub.state().requests.len();
    assert_eq!(one.registry(&host).list_tags("acme/json").unwrap(), ["1.2.0", "latest"]);
    assert!(
        stub.state().requests.len() >= before + 5,
        "a page for each tag, also those of a probe, a signature, and their list"
    );
    check(one.registry(&host).list_tags("acme/other"), &[&format!("oci://{host}/acme/other is not there")]);
}

#[test]
fn module_that_is_there_needs_no_registry() {
    let stub = Stub::start(Behaviour::default());
    let host = stub.host();
    let (one, other) = (User::new(), User::new());
    let module = one.add("a");
    one.push(&module, &host).unwrap();
    let by_digest = format!("@{}", module.manifest.digest);
    let there = |rest: &str| held(&other.store, &remote(&host, rest));
    assert_eq!(there(":1.2.0"), None);
    let pulled = other.pull(&host, ":1.2.0", PullOptions::default()).unwrap();
    let asked = stub.state().requests.len();
    for rest in [":1.2.0", by_digest.as_str(), format!(":1.2.0{by_digest}").as_str()] {
        assert_eq!(there(rest).as_ref(), Some(&pulled), "{rest}");
    }
    assert_eq!(there(":1.2.1"), None, "another version");
    assert_eq!(stub.state().requests.len(), asked);
    // A file that was changed is fetched again.
    let component = other.store.blob(&module.component.as_ref().unwrap().digest).unwrap();
    fs::write(component, "changed").unwrap();
    assert_eq!(there(&by_digest), None);
    other.pull(&host, &by_digest, PullOptions::default()).unwrap();
    assert_eq!(there(&by_digest).as_ref(), Some(&pulled));
    // A tag that is no version may have moved.
    push(&one.registry(&host), &one.store, &module, &remote(&host, ":latest"), PushOptions::default()).unwrap();
    other.pull(&host, ":latest", MOVING).unwrap();
    assert_eq!(there(":latest"), None);
}

#[test]
fn restarted_registry_is_used_again() {
    let stub = Stub::start(Behaviour::default());
    let host = stub.host();
    let (one, other) = (User::new(), User::new());
    one.push(&one.add("a"), &host).unwrap();
    let _stub = stub.restart(|| {
        check(other.pull(&host, ":1.2.0", PullOptions::default()), &[&host, "no connection", "is running"]);
    });
    other.pull(&host, ":1.2.0", PullOptions::default()).unwrap();
}
