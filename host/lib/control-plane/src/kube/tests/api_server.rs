//! Objects of any kind: what each call sends, what each answer becomes, and what a watch tells until it may not.

use super::*;
use serde_json::{Value, json};
use std::sync::mpsc;

const LAUNCH: &str = include_str!("exchanges/launch.http");
const PODS: &str = include_str!("exchanges/pods.http");

/// Does `body` on an API server that knows these exchanges; all of them have to come.
#[track_caller]
fn check(exchanges: &str, body: impl FnOnce(&ApiServer)) {
    let folder = TempDir::new().unwrap();
    let replay = Replay::of(&[exchanges], &names());
    let places = kubeconfig(folder.path(), &format!("http://{}", replay.address));
    let server = ApiServer::connect_as(&places, times()).unwrap();
    body(&server);
    drop(server);
    replay.check();
}

fn jobs() -> Collection {
    Collection::new("batch/v1", "Job", "bench")
}

#[test]
fn each_call_about_any_object_sends_its_request() {
    check(LAUNCH, |server| {
        let mut job = json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "a"}});
        job["spec"] = json!({"completions": 2});
        let created = server.create(&jobs(), &job).unwrap();
        assert_eq!((&created["metadata"]["uid"], &created["spec"]["parallelism"]), (&json!("j1"), &json!(2)));
        assert_eq!(server.create(&jobs(), &job).unwrap_err(), ApiError::Exists("jobs.batch a".to_owned()));
        let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "b"}});
        let refused = server.create(&Collection::new("v1", "ConfigMap", "bench"), &map).unwrap_err().to_string();
        assert!(
            refused.starts_with("the account of the kubeconfig may not create configmaps in the namespace bench; "),
            "{refused}"
        );
        assert!(refused.contains("answers 403: configmaps is forbidden") && !refused.contains('\n'), "{refused}");
        assert_eq!(server.get(&jobs(), "a").unwrap().unwrap()["metadata"]["uid"], "j1");
        assert_eq!(server.get(&jobs(), "b").unwrap(), None);
        assert_eq!(server.list(&jobs(), "run=r").unwrap().len(), 1);
        assert_eq!(server.list(&jobs(), "run=s").unwrap(), Vec::<Value>::new());
        let deleted = [(); 3].map(|()| server.delete(&jobs(), "a", "j1").unwrap());
        assert_eq!(deleted, [true, false, false]);
    });
}

#[test]
fn watch_of_any_objects_lists_them_again_when_it_may_have_missed_something() {
    check(PODS, |server| {
        let (sender, told) = mpsc::channel();
        let pods = Collection::new("v1", "Pod", "bench");
        let _watch = server.watch(&pods, "run=r", move |change| _ = sender.send(change));
        let next = || told.recv_timeout(Duration::from_secs(5)).unwrap();
        let Change::All(all) = next() else { panic!("all that there are come first") };
        assert_eq!(all[0]["status"]["phase"], "Pending");
        let Change::Is(changed) = next() else { panic!("a change") };
        assert_eq!(changed["status"]["conditions"][0]["type"], "DisruptionTarget");
        assert_eq!(next(), Change::All(Vec::new()));
        assert!(matches!(next(), Change::Is(pod) if pod["metadata"]["name"] == "a-0-y"));
        assert!(matches!(next(), Change::Deleted(pod) if pod["metadata"]["name"] == "a-0-y"));
        let Change::Ended(error) = next() else { panic!("its end") };
        assert!(error.to_string().contains("may not watch pods in the namespace bench"), "{error}");
    });
}

#[test]
fn kubeconfig_that_does_not_work_is_reported_without_an_embedded_server() {
    let nowhere = Places { files: Some("/nowhere/a".into()), home: None, is_in_cluster: false };
    let error = ApiServer::connect_as(&nowhere, times()).unwrap_err();
    assert!(error.contains("/nowhere/a") && error.ends_with("check that `kubectl get namespaces` works"), "{error}");
}

#[test]
fn server_that_does_not_answer_is_told_in_one_line() {
    let folder = TempDir::new().unwrap();
    // Nothing listens on port 1, and no listener of another test is ever given it.
    let places = kubeconfig(folder.path(), "http://127.0.0.1:1");
    let server = ApiServer::connect_as(&places, times()).unwrap();
    let error = server.get(&jobs(), "a").unwrap_err().to_string();
    assert!(error.starts_with("cannot get jobs.batch in the namespace bench: "), "{error}");
    assert!(error.contains("refused") && !error.contains('\n'), "{error}");
}
