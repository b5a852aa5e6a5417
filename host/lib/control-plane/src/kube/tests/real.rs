//! The contract of control planes on a real API server, which `KUBECONFIG` names; skipped where it is not set.

use super::*;
use crate::contract;

/// A run on the API server, where there is one that may be used for this.
fn reachable() -> Option<Kube> {
    // The user's own `~/.kube/config` is not for tests to write into.
    if std::env::var_os("KUBECONFIG").is_none_or(|files| files.is_empty()) {
        eprintln!(
            "skipped: no API server; set KUBECONFIG to that of a cluster in which namespaces and kinds may be made"
        );
        return None;
    }
    match Kube::connect(&["TestResource"]) {
        Ok(plane) => Some(plane),
        Err(error) => {
            eprintln!("skipped: {error}");
            None
        }
    }
}

#[test]
fn real_server_keeps_the_contract() {
    if let Some(plane) = reachable() {
        contract::check(&plane, "TestResource");
    }
}

#[test]
fn run_leaves_nothing_in_a_real_server() {
    let Some(plane) = reachable() else { return };
    plane.apply(&key("a"), "m", "{}").unwrap();
    let (prefix, server) = (plane.namespaces.name(""), plane.server.clone());
    // Another run is asked, which is there for as long as the answer takes.
    let other = reachable().expect("it was reachable a moment ago");
    drop(plane);
    let left = other.wait(async { server_namespaces(&other.server, &prefix).await });
    drop(server);
    assert_eq!(left, Ok(Vec::new()));
}

/// The namespaces that begin so, and are not being removed.
async fn server_namespaces(server: &Server, prefix: &str) -> Result<Vec<String>, PlaneError> {
    let ours = server.our_namespaces().await.map_err(|error| PlaneError::Unavailable(refusal::line(&error)))?;
    let left = ours.into_iter().map(|one| one.metadata).filter(|one| one.deletion_timestamp.is_none());
    Ok(left.map(|one| one.name).filter(|name| name.starts_with(prefix)).collect())
}
