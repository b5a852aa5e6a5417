//! The manifest of a Job that measures one shard on each of some nodes of a Kubernetes cluster.

use bench_fleet::Place;
use serde_json::{Value, json};

/// The namespace, if the nodes of a cluster are to measure; only the manifest for that can be made here.
pub(super) fn cluster(places: &[Place], is_dry_run: bool) -> anyhow::Result<Option<&str>> {
    let named =
        places.iter().find_map(|place| if let Place::Kubernetes(name) = place { Some(name.as_str()) } else { None });
    let Some(namespace) = named else { return Ok(None) };
    anyhow::ensure!(places.len() == 1, "--on kubernetes cannot be combined with other places; leave them out");
    anyhow::ensure!(
        is_dry_run,
        "--on kubernetes: this bench-host is built without NATS, so the nodes have no common queue; give --dry-run for the manifest of a \
         Job that measures a shard on each node, pass it to `kubectl create -f -`, and join the shards with `fleet merge`"
    );
    Ok(Some(namespace))
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
}

/// The label of the pods.
const LABEL: &str = "bench-host";

/// Measures a shard: the arguments of `run` are those of the shell.
const SCRIPT: &str = "number=$((JOB_COMPLETION_INDEX + 1))\nexec bench-host run \"$@\" --shard \"$number/$SHARDS\" --out \"/results/shard-$number\"";

/// The manifest, with the arguments of `run` in `words`. An index is a shard, and each is measured on a node of its own. A pod that failed is
/// replaced only when it has ended, so that no shard is measured twice at the same time; an eviction is no failure.
pub(super) fn manifest(cluster: &Cluster<'_>, words: &[String]) -> Value {
    let Cluster { namespace, nodes, image, claim } = cluster;
    let mut command = vec!["sh".to_owned(), "-c".to_owned(), SCRIPT.to_owned(), "bench-host".to_owned()];
    // The kubelet replaces `$(NAME)` in commands; `$$` is a dollar.
    command.extend(words.iter().cloned());
    let command: Vec<_> = command.iter().map(|word| word.replace("$(", "$$(")).collect();
    let container = json!({
        "name": "bench-host",
        "image": image,
        "command": command,
        "env": [{ "name": "SHARDS", "value": nodes.to_string() }],
        "volumeMounts": [{ "name": "results", "mountPath": "/results" }],
    });
    let apart = json!({
        "labelSelector": { "matchLabels": { "app": LABEL } },
        "topologyKey": "kubernetes.io/hostname",
    });
    let pod = json!({
        "restartPolicy": "Never",
        "affinity": { "podAntiAffinity": { "requiredDuringSchedulingIgnoredDuringExecution": [apart] } },
        "containers": [container],
        "volumes": [{ "name": "results", "persistentVolumeClaim": { "claimName": claim } }],
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
        manifest(&Cluster { namespace: "bench", nodes: 3, image: "registry/bench-host:1", claim: "results" }, &words)
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
