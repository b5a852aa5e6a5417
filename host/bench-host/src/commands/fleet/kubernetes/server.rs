//! A NATS server in the cluster for the agents there: its settings, its pod, and the name under which it is reached.

use serde_json::{Value, json};

/// The name of all that belongs to the server, and of the secret with its certificate and the passwords.
pub(super) const NAME: &str = "bench-host-nats";

/// The server's settings: JetStream, TLS for everybody, and for agents and coordinators no more rights than they need. Its own pings would
/// reach agents that measure.
const SETTINGS: &str = r#"ping_interval: "1h"
jetstream { store_dir: "/data" }
tls { cert_file: "/secret/tls.crt", key_file: "/secret/tls.key" }
authorization {
  users: [
    { user: "agent", password: $AGENT_PASSWORD, permissions: {
      publish: ["bench-host.here.*", "bench-host.agent.*.up.>"]
      subscribe: ["bench-host.call", "bench-host.agent.*.invite", "bench-host.agent.*.down.>", "_INBOX.>"]
      allow_responses: true
    } }
    { user: "coordinator", password: $COORDINATOR_PASSWORD, permissions: {
      publish: ["bench-host.>", "$JS.API.>"]
      subscribe: ["bench-host.here.*", "bench-host.agent.*.up.>", "_INBOX.>"]
      allow_responses: true
    } }
  ]
}
"#;

/// The address of the server in its cluster, which is that of another machine: the connection must be encrypted.
pub(super) fn address(namespace: &str) -> String {
    format!("tls://{}:4222", host(namespace))
}

fn host(namespace: &str) -> String {
    format!("{NAME}.{namespace}.svc")
}

/// The command that lets this machine reach the server at its own address.
pub(super) fn port_forward(namespace: &str) -> String {
    format!("kubectl -n {namespace} port-forward service/{NAME} 4222")
}

/// What the user has to do so that the server works, and a coordinator reaches it.
pub(super) fn next_steps(namespace: &str, nodes: u32) -> String {
    format!(
        "the manifest needs the secret {NAME} in the namespace {namespace}: tls.crt and tls.key, which are for {} and 127.0.0.1, ca.crt, and \
         passwords that begin with a letter as agent-password and coordinator-password; then run `{}`, and `fleet run --on tls://127.0.0.1 \
         --nodes {nodes}` with NATS_USER=coordinator, NATS_PASSWORD and NATS_CA",
        host(namespace),
        port_forward(namespace)
    )
}

/// A variable of the environment that is in the secret.
pub(super) fn secret_variable(name: &str, key: &str) -> Value {
    json!({ "name": name, "valueFrom": { "secretKeyRef": { "name": NAME, "key": key } } })
}

/// The files of the secret with these names, as a volume.
pub(super) fn secret_volume(files: &[&str]) -> Value {
    let items: Vec<_> = files.iter().map(|file| json!({ "key": file, "path": file })).collect();
    json!({ "name": "secret", "secret": { "secretName": NAME, "defaultMode": 0o400, "items": items } })
}

/// The pod of the server. What is lost with it, the agents send again.
fn pod(image: &str, measuring: &Value) -> Value {
    // It would take a processor from the agent on its node.
    let apart = json!({
        "weight": 100,
        "podAffinityTerm": { "labelSelector": { "matchLabels": measuring }, "topologyKey": "kubernetes.io/hostname" },
    });
    let container = json!({
        "name": "nats",
        "image": image,
        "args": ["--config", "/settings/nats.conf"],
        "ports": [{ "containerPort": 4222 }],
        "env": [
            secret_variable("AGENT_PASSWORD", "agent-password"),
            secret_variable("COORDINATOR_PASSWORD", "coordinator-password"),
        ],
        "volumeMounts": [
            { "name": "settings", "mountPath": "/settings", "readOnly": true },
            { "name": "secret", "mountPath": "/secret", "readOnly": true },
            { "name": "data", "mountPath": "/data" },
        ],
    });
    json!({
        "affinity": { "podAntiAffinity": { "preferredDuringSchedulingIgnoredDuringExecution": [apart] } },
        "containers": [container],
        "volumes": [
            { "name": "settings", "configMap": { "name": NAME } },
            secret_volume(&["tls.crt", "tls.key"]),
            { "name": "data", "emptyDir": {} },
        ],
    })
}

/// The settings, the pod and the name of the server. Its pod avoids nodes that have pods with the labels `measuring`.
pub(super) fn items(namespace: &str, image: &str, measuring: &Value) -> [Value; 3] {
    let metadata = json!({ "name": NAME, "namespace": namespace });
    let labels = json!({ "app": NAME });
    let settings = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": { "nats.conf": SETTINGS },
    });
    let deployment = json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata,
        "spec": {
            "replicas": 1,
            // Two servers at a time would be two queues.
            "strategy": { "type": "Recreate" },
            "selector": { "matchLabels": labels },
            "template": { "metadata": { "labels": labels }, "spec": pod(image, measuring) },
        },
    });
    let service = json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata,
        "spec": { "selector": labels, "ports": [{ "port": 4222, "targetPort": 4222 }] },
    });
    [settings, deployment, service]
}
