//! The manifest of a Job on some nodes of a Kubernetes cluster: each measures a shard, or runs an agent that connects to a NATS server.

use bench_fleet::Place;
use serde_json::{Value, json};

/// The namespace, if the nodes of a cluster are to measure; only the manifest for that can be made here.
pub(super) fn cluster(places: &[Place], is_dry_run: bool) -> anyhow::Result<Option<&str>> {
    let named =
        places.iter().find_map(|place| if let Place::Kubernetes(name) = place { Some(name.as_str()) } else { None });
    let Some(namespace) = named else { return Ok(None) };
    let is_alone = places.iter().filter(|place| !is_server(place)).count() == 1;
    anyhow::ensure!(
        is_alone && places.len() <= 2,
        "--on kubernetes cannot be combined with other places than a NATS server; leave them out"
    );
    anyhow::ensure!(
        is_dry_run,
        "--on kubernetes: only the manifest can be made here; give --dry-run, and pass it to `kubectl create -f -`: a Job that measures a \
         shard on each node, or with --on nats://HOST also given one of agents, for which `fleet run --on nats://HOST` then coordinates a run"
    );
    Ok(Some(namespace))
}

/// Whether a place is a NATS server.
fn is_server(place: &Place) -> bool {
    match place {
        #[cfg(feature = "nats")]
        Place::Nats(_) => true,
        Place::Local(_) | Place::Ssh(_) | Place::Kubernetes(_) => false,
    }
}

/// What is not in the command line of the run.
#[derive(Debug)]
pub(super) struct Cluster<'a> {
    pub(super) namespace: &'a str,
    /// The number of nodes, and of shards.
    pub(super) nodes: u32,
    /// The image of a container that has `bench-host` and the modules.
    pub(super) image: &'a str,
    /// The claim of a volume that all nodes can write to.
    pub(super) claim: &'a str,
    /// The NATS server that agents connect to; without one, each node measures a shard.
    pub(super) server: Option<&'a str>,
}

/// The label of the pods.
const LABEL: &str = "bench-host";

/// Measures a shard: the arguments of `run` are those of the shell.
const SCRIPT: &str = "number=$((JOB_COMPLETION_INDEX + 1))\nexec bench-host run \"$@\" --shard \"$number/$SHARDS\" --out \"/results/shard-$number\"";

/// Runs an agent until nothing is left of a run. An agent that is replaced has the name, and the run file, of the one before.
const AGENT: &str = "exec bench-host agent --on \"$SERVER\" --name \"node-$JOB_COMPLETION_INDEX\" --policy /policy/policy.toml --out /results --once";

/// The manifest, with the arguments of `run` in `words` if each node measures a shard. Each index is on a node of its own. A pod that failed is
/// replaced only when it has ended, so that no index is there twice at the same time; an eviction is no failure.
pub(super) fn manifest(cluster: &Cluster<'_>, words: &[String]) -> Value {
    let Cluster { namespace, nodes, image, claim, server } = cluster;
    let mut command = vec!["sh".to_owned(), "-c".to_owned()];
    match server {
        Some(_) => command.push(AGENT.to_owned()),
        None => {
            command.extend([SCRIPT.to_owned(), "bench-host".to_owned()]);
            command.extend(words.iter().cloned());
        }
    }
    // The kubelet replaces `$(NAME)` in commands; `$$` is a dollar.
    let command: Vec<_> = command.iter().map(|word| word.replace("$(", "$$(")).collect();
    let mut environment = vec![json!({ "name": "SHARDS", "value": nodes.to_string() })];
    let mut mounts = vec![json!({ "name": "results", "mountPath": "/results" })];
    let mut volumes = vec![json!({ "name": "results", "persistentVolumeClaim": { "claimName": claim } })];
    if let Some(server) = server {
        environment = vec![
            json!({ "name": "SERVER", "value": server }),
            json!({ "name": "NATS_CREDS", "value": "/secret/nats.creds" }),
            json!({ "name": "NATS_CA", "value": "/secret/ca.crt" }),
        ];
        // The policy must belong to the user that reads it, and be written by nobody else.
        mounts.push(json!({ "name": "policy", "mountPath": "/policy", "readOnly": true }));
        mounts.push(json!({ "name": "secret", "mountPath": "/secret", "readOnly": true }));
        volumes.push(json!({ "name": "policy", "configMap": { "name": "bench-host-policy", "defaultMode": 0o400 } }));
        volumes.push(json!({ "name": "secret", "secret": { "secretName": "bench-host-nats", "defaultMode": 0o400 } }));
    }
    let container = json!({
        "name": "bench-host",
        "image": image,
        "command": command,
        "env": environment,
        "volumeMounts": mounts,
    });
    let apart = json!({
        "labelSelector": { "matchLabels": { "app": LABEL } },
        "topologyKey": "kubernetes.io/hostname",
    });
    let pod = json!({
        "restartPolicy": "Never",
        "affinity": { "podAntiAffinity": { "requiredDuringSchedulingIgnoredDuringExecution": [apart] } },
        "containers": [container],
        "volumes": volumes,
    });
    let eviction = json!({ "action": "Ignore", "onPodConditions": [{ "type": "DisruptionTarget", "status": "True" }] });
    json!({
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": { "generateName": "bench-host-", "namespace": namespace },
        "spec": {
            "completionMode": "Indexed",
            "completions": nodes,
            "parallelism": nodes,
            "backoffLimitPerIndex": 2,
            "podReplacementPolicy": "Failed",
            "podFailurePolicy": { "rules": [eviction] },
            "template": { "metadata": { "labels": { "app": LABEL } }, "spec": pod },
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    fn made(words: &[&str]) -> Value {
        let words: Vec<_> = words.iter().map(|word| (*word).to_owned()).collect();
        manifest(&given(None), &words)
    }

    fn given(server: Option<&str>) -> Cluster<'_> {
        Cluster { namespace: "bench", nodes: 3, image: "registry/bench-host:1", claim: "results", server }
    }

    #[test]
    fn agents_have_the_server_and_no_secret_in_the_manifest() {
        let job = manifest(&given(Some("tls://queue:4222")), &[]);
        let pod = &job["spec"]["template"]["spec"];
        let container = &pod["containers"][0];
        assert_eq!(container["env"][0], json!({"name": "SERVER", "value": "tls://queue:4222"}));
        let mounted: Vec<_> = pod["volumes"].as_array().unwrap().iter().map(|volume| &volume["name"]).collect();
        assert_eq!(mounted, ["results", "policy", "secret"]);
        let script = container["command"][2].as_str().unwrap().replace("exec bench-host", "printf '%s\\n'");
        let mut shell = Command::new("sh");
        shell.args(["-c", &script]).env("JOB_COMPLETION_INDEX", "1").env("SERVER", "tls://queue:4222");
        let printed = String::from_utf8(shell.output().unwrap().stdout).unwrap();
        let words: Vec<_> = printed.lines().collect();
        assert_eq!(words[..5], ["agent", "--on", "tls://queue:4222", "--name", "node-1"]);
    }

    #[test]
    fn each_index_is_a_shard_on_a_node_of_its_own() {
        let job = made(&["kernels"]);
        assert_eq!(job["metadata"]["namespace"], "bench");
        let spec = &job["spec"];
        assert_eq!([&spec["completions"], &spec["parallelism"]], [3, 3]);
        assert_eq!([&spec["completionMode"], &spec["podReplacementPolicy"]], ["Indexed", "Failed"]);
        let pod = &spec["template"]["spec"];
        let apart = &pod["affinity"]["podAntiAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"][0];
        assert_eq!(apart["labelSelector"]["matchLabels"], spec["template"]["metadata"]["labels"]);
        assert_eq!(pod["containers"][0]["env"][0], json!({"name": "SHARDS", "value": "3"}));
    }

    #[test]
    fn arguments_reach_the_program_as_they_were_given() {
        let words = ["kernels/*", "-p", "input=a b;$(id) `id` \"c\" $HOME", "--time=1s"];
        let job = made(&words);
        let command = job["spec"]["template"]["spec"]["containers"][0]["command"].as_array().unwrap();
        // As the kubelet does it.
        let command: Vec<_> = command.iter().map(|word| word.as_str().unwrap().replace("$$(", "$(")).collect();
        let script = command[2].replace("exec bench-host", "printf '%s\\n'");
        let mut shell = Command::new(&command[0]);
        shell.arg(&command[1]).arg(script).args(&command[3..]).env("JOB_COMPLETION_INDEX", "1").env("SHARDS", "3");
        let output = shell.output().unwrap();
        let printed = String::from_utf8(output.stdout).unwrap();
        let expect = [&["run"][..], &words, &["--shard", "2/3", "--out", "/results/shard-2"]].concat();
        assert_eq!(printed.lines().collect::<Vec<_>>(), expect);
    }
}
