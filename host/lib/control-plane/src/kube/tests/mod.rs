//! The control plane on recorded API servers, and on a real one where there is one.

mod api_server;
mod configs;
mod objects;
mod real;
mod replay;
mod runs;
mod watches;

use super::*;
use replay::Replay;
use std::path::Path;
use tempfile::TempDir;

/// A kind that is there already, and is another's to remove.
const READY: &str = include_str!("exchanges/ready.http");

/// What a run that wrote into `here` does at its end, where the kind is another's.
const LEFT: &str = include_str!("exchanges/left.http");

/// What the files of exchanges leave open: `$OWNER` is this process, `$GONE` one that has ended, as texts within JSON.
fn names() -> [(&'static str, String); 2] {
    let here = Owner::this();
    let gone = Owner { started: here.started + 1, ..here.clone() };
    let text = |owner: &Owner| {
        let json = serde_json::json!(owner).to_string();
        serde_json::json!(json).to_string().trim_matches('"').to_owned()
    };
    [("$OWNER", text(&here)), ("$GONE", text(&gone))]
}

/// Short ones, so that what is waited for in vain is waited for no longer than a test may take.
fn times() -> Times {
    Times { call: Duration::from_secs(5), setup: Duration::from_secs(5), pause: Duration::from_millis(1) }
}

fn kubeconfig(folder: &Path, server: &str) -> Places {
    let path = folder.join("config");
    let text = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: here\n\
         contexts: [{{name: here, context: {{cluster: replay, user: me}}}}]\n\
         clusters: [{{name: replay, cluster: {{server: '{server}'}}}}]\n\
         users: [{{name: me, user: {{}}}}]\n"
    );
    std::fs::write(&path, text).unwrap();
    Places { files: Some(path.into_os_string()), home: None, is_in_cluster: false }
}

/// The run `r` on an API server.
fn connect(server: &str, times: Times) -> Result<Kube, PlaneError> {
    let folder = TempDir::new().unwrap();
    let user = User { run: "r".to_owned(), owner: Owner::this() };
    Kube::connect_as(&kubeconfig(folder.path(), server), &["TestResource"], user, times)
}

/// Does `body` on an API server that knows these exchanges; all of them have to come.
#[track_caller]
fn check(exchanges: &[&str], body: impl FnOnce(&Kube, &mut Replay)) {
    let mut replay = Replay::of(exchanges, &names());
    let connected = connect(&format!("http://{}", replay.address), times());
    match connected {
        Ok(plane) => body(&plane, &mut replay),
        Err(error) => {
            replay.check();
            panic!("{error}");
        }
    }
    replay.check();
}

fn key(name: &str) -> Key {
    Key::new("TestResource", "here", name)
}

fn here() -> Scope {
    Scope::new("TestResource", "here")
}

fn object(name: &str, resource_version: u64, spec: &str) -> Arc<Object> {
    Arc::new(Object { key: key(name), resource_version, spec: spec.to_owned() })
}
