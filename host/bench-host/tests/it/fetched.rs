//! Modules that an agent lacks and gets without the coordinator: from its own store, or from a registry that its policy allows.

use crate::fleets::{add_ssh, ok_cells};
use crate::host::{Host, Ran};
use crate::registry_stub::{Behaviour, Stub};
use crate::stored::{NAME, User};
use std::collections::BTreeSet;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

/// Starts agents of a user who has no modules, and a policy.
const SSH: &str = "#!/bin/sh\nwhile [ \"$1\" != bench-host ]; do shift; done\ncd elsewhere\nexport BENCH_HOST_MODULES=\"$PWD\" \
                   XDG_DATA_HOME=\"$PWD/data\"\nexec \"$@\" --policy ../policy.toml\n";

/// Writes the policy of the agent, with this line about the submitter.
fn allow(user: &User, key: &str, line: &str) {
    let mut policy = format!("[submitters.\"{key}\"]\nname = \"ci\"\nnatives = true\n{line}\n");
    for file in ["hostile.wasm".to_owned(), format!("hostile.{}", std::env::consts::DLL_EXTENSION)] {
        policy += &format!("[modules.\"{}\"]\nnatives = true\n", user.digest(&file));
    }
    let path = user.host.path("policy.toml");
    fs::write(&path, policy).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
}

/// Measures with an agent that has nothing of an earlier run. Returns what the registry was asked for meanwhile.
#[track_caller]
fn measure(user: &User, stub: &Stub) -> Vec<String> {
    let _ = fs::remove_dir_all(user.host.path("state"));
    stub.state().requests.clear();
    let line = "fleet run hostile/good --arm wasm --quick --time 20ms --format json --on ssh:a --key acme.key";
    let mut command = user.command(line);
    command.env("BENCH_HOST_MODULES", user.host.path("."));
    add_ssh(&user.host, &mut command);
    fs::write(user.host.path("bin/ssh"), SSH).unwrap();
    let ran = Ran::of(&mut command).check(line, 0);
    assert_eq!(ok_cells(&ran.json()), BTreeSet::from(["hostile/good wasm".to_owned()]), "{}", ran.stderr);
    stub.state().requests.iter().map(|(request, _)| request.clone()).collect()
}

#[test]
fn module_that_a_machine_lacks_is_fetched_from_where_its_policy_allows() {
    let stub = Stub::start(Behaviour::default());
    let repository = format!("oci://{}/acme/json", stub.host());
    User::with_module().check(&format!("registry push {NAME} {repository}"), 0);
    let user = User { host: Host::with_hostile() };
    user.check(&format!("registry pull {repository}:0.1.0"), 0);
    let printed = user.check("registry keygen acme.key", 0).stdout;
    let key = printed.split("registry trust ").nth(1).unwrap().trim();
    fs::create_dir(user.host.path("elsewhere")).unwrap();
    for other in ["", "sources = [\"oci://registry.example\"]", "sources = [\"oci://127.0.0.1:1\"]"] {
        allow(&user, key, other);
        assert_eq!(measure(&user, &stub), [""; 0], "{other}: it is sent");
    }
    assert!(!user.host.path("elsewhere/data").exists(), "nothing was put into the store");
    allow(&user, key, &format!("sources = [\"oci://{}/acme\"]", stub.host()));
    // The tag means something else by now. The spec has the digest of what was pulled.
    let other = ("application/vnd.oci.image.manifest.v1+json".to_owned(), b"{}".to_vec());
    assert!(stub.state().manifests.insert("0.1.0".to_owned(), other).is_some(), "it was pushed with this tag");
    let component = format!("GET /v2/acme/json/blobs/{}", user.digest("hostile.wasm"));
    let asked = measure(&user, &stub);
    assert!(asked.contains(&component), "{asked:?}");
    // It is in the agent's store now.
    allow(&user, key, "");
    assert_eq!(measure(&user, &stub), [""; 0], "it is taken from the store");
    let log = fs::read_dir(user.host.path("results/.fleet")).unwrap().map(|run| run.unwrap().path().join("a.log"));
    let pulled = log.filter(|log| fs::read_to_string(log).unwrap().contains("pulling oci://")).count();
    assert_eq!(pulled, 1, "the agent says where it gets a module");
}
