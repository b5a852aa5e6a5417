//! Kubeconfigs that do not work: each yields one line with the file, the reason and what to do next.

use super::*;
use std::ffi::OsString;

/// What a connection that cannot be made says, of a kubeconfig in `folder`; every one of `parts` is in it.
#[track_caller]
fn check(places: &Places, parts: &[&str]) {
    let user = User { run: "r".to_owned(), owner: Owner::this() };
    let error = Kube::connect_as(places, &["TestResource"], user, times()).unwrap_err();
    let PlaneError::Unavailable(reason) = &error else { panic!("{error:?}") };
    for part in parts.iter().chain(&["choose the control plane `embedded`"]) {
        assert!(reason.contains(part), "`{part}` is not in: {reason}");
    }
    assert!(!reason.contains('\n'), "{reason}");
}

fn places(text: &str) -> (TempDir, Places) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("config");
    std::fs::write(&path, text).unwrap();
    (folder, Places { files: Some(path.into_os_string()), home: None, is_in_cluster: false })
}

#[test]
fn missing_kubeconfig_is_reported() {
    let nowhere = Places { files: Some(OsString::from("/nowhere/a:/nowhere/b")), home: None, is_in_cluster: false };
    check(&nowhere, &["kubeconfig /nowhere/a:/nowhere/b (KUBECONFIG)", "No such file"]);
    let folder = TempDir::new().unwrap();
    let home = Places { files: None, home: Some(folder.path().to_owned()), is_in_cluster: false };
    check(&home, &["KUBECONFIG is not set", ".kube/config is not there"]);
    check(&Places { home: None, ..home.clone() }, &["there is no home folder"]);
    check(&Places { is_in_cluster: true, ..home }, &["the cluster that this process runs in"]);
}

#[test]
fn unusable_kubeconfig_is_reported() {
    let (_folder, no_yaml) = places("a: [");
    check(&no_yaml, &["/config (KUBECONFIG): "]);
    let (_folder, empty) = places("");
    check(&empty, &["(KUBECONFIG)"]);
    let (_folder, no_context) = places("apiVersion: v1\nkind: Config\ncurrent-context: there\n");
    check(&no_context, &["context there", "there"]);
    let cluster = "apiVersion: v1\nkind: Config\ncurrent-context: c\n\
                   contexts: [{name: c, context: {cluster: k, user: u}}]\n\
                   clusters: [{name: k, cluster: {server: 'https://127.0.0.1:1', certificate-authority: /nowhere/ca}}]\n\
                   users: [{name: u, user: {}}]\n";
    let (_folder, no_certificate) = places(cluster);
    check(&no_certificate, &["context c", "/nowhere/ca", "No such file"]);
    let program = cluster.replace(", certificate-authority: /nowhere/ca", "").replace(
        "user: {}",
        "user: {exec: {apiVersion: client.authentication.k8s.io/v1, command: /nowhere/login, interactiveMode: IfAvailable}}",
    );
    let (_folder, no_program) = places(&program);
    check(&no_program, &["context c, server 127.0.0.1:1", "auth exec", "No such file"]);
}

#[test]
fn unreachable_or_forbidding_server_is_reported() {
    let folder = TempDir::new().unwrap();
    // Nothing listens on port 1, and no listener of another test is ever given it.
    let places = kubeconfig(folder.path(), "http://127.0.0.1:1");
    check(&places, &["context here", "server 127.0.0.1:1", "refused"]);
    let replay = Replay::of(&[include_str!("exchanges/forbidden.http")], &names());
    let places = kubeconfig(folder.path(), &format!("http://{}", replay.address));
    check(&places, &["cannot look for namespaces", "answers 401: Unauthorized"]);
    check(&places, &["cannot look for namespaces", r#"answers 403: namespaces is forbidden: User "me""#]);
    check(&places, &["cannot read the definition testresources.bench-host.test", "answers 403: "]);
    replay.check();
}
