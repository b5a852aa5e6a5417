//! The manifest of a Job on some nodes of a Kubernetes cluster: each measures a shard, or runs an agent that connects to a NATS server, which may
//! be part of the manifest. What it describes is printed, or created for a run.

#[cfg(feature = "kubernetes")]
mod launch;
#[cfg(feature = "kubernetes")]
mod pods;
mod server;

#[cfg(feature = "kubernetes")]
pub(super) use launch::{Launch, Launched, delete_left};

use bench_fleet::Place;
use serde_json::{Value, json};

/// The namespace, if the nodes of a cluster are to measure.
pub(super) fn cluster(places: &[Place]) -> anyhow::Result<Option<&str>> {
    let named =
        places.iter().find_map(|place| if let Place::Kubernetes(name) = place { Some(name.as_str()) } else { None });
    let Some(namespace) = named else { return Ok(None) };
    let is_alone = places.iter().filter(|place| !is_server(place)).count() == 1;
    anyhow::ensure!(
        is_alone && places.len() <= 2,
        "--on kubernetes cannot be combined with other places than a NATS server; leave them out"
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
    /// The beginning of the names of agents, which no other agents at their server have.
    pub(super) agents: &'a str,
    /// The NATS server that agents connect to; without one, each node measures a shard.
    pub(super) server: Option<ClusterServer<'a>>,
}

/// The NATS server that agents in the cluster connect to.
#[derive(Clone, Copy, Debug)]
pub(super) enum ClusterServer<'a> {
    /// The one at this address.
    Existing(&'a str),
    /// One in the cluster, from this image.
    InCluster(&'a str),
}

impl<'a> ClusterServer<'a> {
    /// One from `image`, or else the server at `address`; `None` if neither is given.
    pub(super) fn new(address: Option<&'a str>, image: Option<&'a str>) -> Option<Self> {
        image.map(Self::InCluster).or(address.map(Self::Existing))
    }
}

/// The label of the pods.
const LABEL: &str = "bench-host";

/// Measures a shard: the arguments of `run` are those of the shell.
const SCRIPT: &str = "number=$((JOB_COMPLETION_INDEX + 1))\nexec bench-host run \"$@\" --shard \"$number/$SHARDS\" --out \"/results/shard-$number\"";

/// Where an agent finds its policy; [`AGENT`] names it too.
const POLICY: &str = "/policy/policy.toml";

/// Runs an agent until nothing is left of a run. An agent that is replaced has the name, and the run file, of the one before.
const AGENT: &str = "exec bench-host agent --on \"$SERVER\" --name \"$AGENTS-$JOB_COMPLETION_INDEX\" --policy /policy/policy.toml --out /results --once";

/// The manifest, with the arguments of `run` in `words` if each node measures a shard. Each index is on a node of its own. A pod that failed is
/// replaced only when it has ended, so that no index is there twice at the same time; an eviction is not a failure.
pub(super) fn manifest(cluster: &Cluster<'_>, words: &[String]) -> Value {
    let Cluster { namespace, nodes, image, claim, agents, server } = cluster;
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
        let (login, own_mounts, own_volumes) = of_agents(*server, namespace, agents);
        environment = login;
        mounts.extend(own_mounts);
        volumes.extend(own_volumes);
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
    let job = json!({
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
    });
    match server {
        Some(ClusterServer::InCluster(image)) => {
            let [settings, deployment, service] = server::items(namespace, image, &json!({ "app": LABEL }));
            json!({ "apiVersion": "v1", "kind": "List", "items": [settings, deployment, service, job] })
        }
        Some(ClusterServer::Existing(_)) | None => job,
    }
}

/// The environment of agents at a server, and where their policy and their secret are mounted, from which volumes.
fn of_agents(server: ClusterServer<'_>, namespace: &str, agents: &str) -> (Vec<Value>, [Value; 2], [Value; 2]) {
    let (mut environment, secret) = login(server, namespace);
    environment.push(json!({ "name": "AGENTS", "value": agents }));
    // The policy must belong to the user that reads it, and no other user may write to it or to its folder. The folder of a volume is open to
    // everybody, and its files are links; with a path within the volume, a plain file is mounted in a folder of the container.
    let policy = json!({ "name": "policy", "mountPath": POLICY, "subPath": "policy.toml", "readOnly": true });
    let mounts = [policy, json!({ "name": "secret", "mountPath": "/secret", "readOnly": true })];
    let policy = json!({ "name": "policy", "configMap": { "name": "bench-host-policy", "defaultMode": 0o400 } });
    (environment, mounts, [policy, secret])
}

/// The environment of agents at a server, and the volume with their secret: the manifest holds no password.
fn login(server: ClusterServer<'_>, namespace: &str) -> (Vec<Value>, Value) {
    let authority = json!({ "name": "NATS_CA", "value": "/secret/ca.crt" });
    match server {
        ClusterServer::Existing(address) => {
            let credentials = json!({ "name": "NATS_CREDS", "value": "/secret/nats.creds" });
            let secret = json!({ "name": "secret", "secret": { "secretName": server::NAME, "defaultMode": 0o400 } });
            (vec![json!({ "name": "SERVER", "value": address }), credentials, authority], secret)
        }
        ClusterServer::InCluster(_) => {
            let address = json!({ "name": "SERVER", "value": server::address(namespace) });
            let user = json!({ "name": "NATS_USER", "value": "agent" });
            let password = server::secret_variable("NATS_PASSWORD", "agent-password");
            (vec![address, user, password, authority], server::secret_volume(&["ca.crt"]))
        }
    }
}

impl Cluster<'_> {
    /// What the user has to do besides, if that is not obvious.
    pub(super) fn next_steps(&self) -> Option<String> {
        match self.server {
            Some(ClusterServer::InCluster(_)) => Some(server::next_steps(self.namespace, self.nodes)),
            Some(ClusterServer::Existing(_)) | None => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    fn made(words: &[&str]) -> Value {
        let words: Vec<_> = words.iter().map(|word| (*word).to_owned()).collect();
        manifest(&given(None), &words)
    }

    fn given(server: Option<ClusterServer<'_>>) -> Cluster<'_> {
        let (image, claim) = ("registry/bench-host:1", "results");
        Cluster { namespace: "bench", nodes: 3, image, claim, agents: "node", server }
    }

    #[test]
    fn agents_have_the_server_and_no_secret_in_the_manifest() {
        let job = manifest(&given(Some(ClusterServer::Existing("tls://queue:4222"))), &[]);
        let pod = &job["spec"]["template"]["spec"];
        let container = &pod["containers"][0];
        assert_eq!(container["env"][0], json!({"name": "SERVER", "value": "tls://queue:4222"}));
        let mounted: Vec<_> = pod["volumes"].as_array().unwrap().iter().map(|volume| &volume["name"]).collect();
        assert_eq!(mounted, ["results", "policy", "secret"]);
        let script = container["command"][2].as_str().unwrap().replace("exec bench-host", "printf '%s\\n'");
        let mut shell = Command::new("sh");
        shell
            .args(["-c", &script])
            .env("JOB_COMPLETION_INDEX", "1")
            .env("SERVER", "tls://queue:4222")
            .env("AGENTS", "node");
        let printed = String::from_utf8(shell.output().unwrap().stdout).unwrap();
        let words: Vec<_> = printed.lines().collect();
        assert_eq!(words[..5], ["agent", "--on", "tls://queue:4222", "--name", "node-1"]);
    }

    #[test]
    fn policy_of_an_agent_is_a_plain_file_outside_of_the_open_folder_of_a_volume() {
        for server in [ClusterServer::Existing("tls://queue:4222"), ClusterServer::InCluster("nats:2")] {
            let made = manifest(&given(Some(server)), &[]);
            let job = made["items"].as_array().and_then(|items| items.last()).unwrap_or(&made);
            let pod = &job["spec"]["template"]["spec"];
            let container = &pod["containers"][0];
            let mounts = container["volumeMounts"].as_array().unwrap();
            let policy: Vec<_> = mounts.iter().filter(|mount| mount["name"] == "policy").collect();
            let expect = json!({ "name": "policy", "mountPath": POLICY, "subPath": "policy.toml", "readOnly": true });
            assert_eq!(policy, [&expect]);
            let script = container["command"][2].as_str().unwrap();
            assert!(script.contains(&format!("--policy {POLICY} ")), "{script}");
            let volume = &pod["volumes"][1];
            assert_eq!(volume["configMap"], json!({ "name": "bench-host-policy", "defaultMode": 0o400 }));
        }
    }

    #[test]
    fn server_in_the_cluster_is_encrypted_and_known_to_its_agents() {
        let cluster = given(Some(ClusterServer::InCluster("nats:2")));
        let list = manifest(&cluster, &[]);
        let [settings, deployment, service, job] = list["items"].as_array().unwrap().as_slice() else {
            panic!("{list}")
        };
        let kinds = [settings, deployment, service, job].map(|item| item["kind"].as_str().unwrap());
        assert_eq!(kinds, ["ConfigMap", "Deployment", "Service", "Job"]);
        assert!(settings["data"]["nats.conf"].as_str().unwrap().contains("tls {"));
        let pod = &deployment["spec"]["template"];
        assert_eq!(pod["spec"]["containers"][0]["image"], "nats:2");
        let labels = [&deployment["spec"]["selector"]["matchLabels"], &service["spec"]["selector"]];
        assert_eq!(labels, [&pod["metadata"]["labels"]; 2], "the service finds the pod");
        let measuring = &job["spec"]["template"];
        let apart = &pod["spec"]["affinity"]["podAntiAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"][0];
        let avoided = &apart["podAffinityTerm"]["labelSelector"]["matchLabels"];
        assert_eq!(*avoided, measuring["metadata"]["labels"], "it takes no processor from an agent");
        let environment = &measuring["spec"]["containers"][0]["env"];
        let address = format!("tls://{}.bench.svc:4222", service["metadata"]["name"].as_str().unwrap());
        assert_eq!(environment[0], json!({"name": "SERVER", "value": address}));
        #[cfg(feature = "nats")]
        assert!(address.parse::<Place>().is_ok(), "an agent takes it");
        assert!(environment[2]["value"].is_null(), "the password is in a secret");
        let files = &measuring["spec"]["volumes"][2]["secret"]["items"];
        assert_eq!(*files, json!([{"key": "ca.crt", "path": "ca.crt"}]), "an agent has not the server's key");
        let next = cluster.next_steps().unwrap();
        assert!(next.contains("for bench-host-nats.bench.svc and 127.0.0.1"), "{next}");
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
