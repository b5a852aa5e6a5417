//! Jobs that `fleet run` creates in a cluster. What answers like its API server is on this machine, and the test does with the pods what a kubelet
//! would do. What needs agents also needs a `nats-server`.

use crate::api_server::ApiServer;
use crate::fleets::{all_cells, check_bit_exact, folders, ok_cells};
use crate::host::{Host, PROGRAM, Ran, command, eventually};
use crate::nats::{trust, with_modules};
use crate::nats_server::NatsServer;
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

const JOBS: &str = "/apis/batch/v1/namespaces/bench/jobs";
const PODS: &str = "/api/v1/namespaces/bench/pods";
const CONFIG_MAPS: &str = "/api/v1/namespaces/bench/configmaps";
const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/bench/deployments";

/// Where the Job controller says which index a pod is.
const INDEX: &str = "batch.kubernetes.io/job-completion-index";

/// The program with the modules of the folder, a user of the server, and the kubeconfig of a cluster.
fn in_cluster(host: &Host, api: &ApiServer, line: &str) -> Command {
    let mut command = with_modules(host, "ci", line);
    command.env("KUBECONFIG", api.kubeconfig(&host.path(".")));
    command
}

fn start(host: &Host, api: &ApiServer, line: &str) -> Child {
    in_cluster(host, api, line).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Waits for the only Job in the cluster.
fn created_job(api: &ApiServer) -> Value {
    eventually("the Job is created", || api.objects(JOBS).len() == 1);
    api.objects(JOBS).remove(0)
}

/// The names of the runs of fleets.
fn runs(host: &Host) -> BTreeSet<String> {
    let Ok(entries) = fs::read_dir(host.path("results/.fleet")) else { return BTreeSet::new() };
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// A pod of the Job in this state.
fn pod(job: &Value, name: &str, index: usize, status: Value) -> Value {
    let labels = &job["spec"]["template"]["metadata"]["labels"];
    let annotations = json!({ INDEX: index.to_string() });
    json!({ "metadata": { "name": name, "labels": labels, "annotations": annotations }, "status": status })
}

/// The process of a pod. It is killed with all that it has started when the test ends.
struct Running(Child);

impl Running {
    fn kill(&mut self) {
        // The number of one that was waited for may be another's.
        if matches!(self.0.try_wait(), Ok(None)) {
            let _ = kill_process_group(Pid::from_child(&self.0), Signal::KILL);
            let _ = self.0.wait();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Starts the container of a pod of the Job, as a kubelet does, and tells that it runs.
fn run_pod(host: &Host, api: &ApiServer, job: &Value, (name, index): (&str, usize)) -> Running {
    let container = &job["spec"]["template"]["spec"]["containers"][0];
    let words = container["command"].as_array().unwrap().iter().map(|word| word.as_str().unwrap());
    // The kubelet makes a dollar of two.
    let mut words: Vec<String> = words.map(|word| word.replace("$$(", "$(")).collect();
    for (mount, file) in [("/policy/policy.toml", "policy.toml"), ("/results", "volume")] {
        words[2] = words[2].replace(mount, &host.path(file).display().to_string());
    }
    let mut shell = command(&words[0]);
    shell.args(&words[1..]).current_dir(host.path(".")).env("BENCH_HOST_MODULES", host.path("."));
    shell.env("JOB_COMPLETION_INDEX", index.to_string());
    for variable in container["env"].as_array().unwrap() {
        // The files of the secret are not here.
        let name = variable["name"].as_str().unwrap();
        if !name.starts_with("NATS_") {
            shell.env(name, variable["value"].as_str().unwrap());
        }
    }
    let bin = host.path("bin");
    if !bin.exists() {
        fs::create_dir(&bin).unwrap();
        symlink(PROGRAM, bin.join("bench-host")).unwrap();
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    shell.env("PATH", std::env::join_paths([bin].into_iter().chain(std::env::split_paths(&path))).unwrap());
    api.put(PODS, pod(job, name, index, json!({ "phase": "Running" })));
    Running(shell.process_group(0).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
}

#[test]
fn job_is_created_as_printed_followed_and_deleted() {
    let Some(nats) = NatsServer::start() else { return };
    let (host, api) = (Host::with_hostile(), ApiServer::start());
    trust(&host);
    let line = format!(
        "fleet run hostile/{{good,litter}} --quick --processes 3 --time 1s --format json --on kubernetes:bench --on {} --nodes 2 \
         --image registry/b:1 --share-machine --key acme.key",
        nats.address()
    );
    let printed = format!("{line} --dry-run");
    let printed = Ran::of(&mut in_cluster(&host, &api, &printed)).check(&printed, 0).json();
    assert!(api.requests().is_empty(), "nothing is asked for a manifest");
    let child = start(&host, &api, &line);
    let job = created_job(&api);
    let id = runs(&host).into_iter().next().unwrap();
    assert_eq!(job["metadata"]["labels"]["bench-host.test/run"], *id);
    let agents = [0, 1].map(|index| format!("node-{}-{index}", id.rsplit('-').next().unwrap()));
    let mut spec = job["spec"].clone();
    spec["template"]["metadata"]["labels"].as_object_mut().unwrap().remove("bench-host.test/run").unwrap();
    spec["template"]["spec"]["containers"][0]["env"][3]["value"] = json!("node");
    assert_eq!(spec, printed["spec"], "one agent a node, as the manifest says");
    let mut first = run_pod(&host, &api, &job, ("j-0-a", 0));
    let mut other = run_pod(&host, &api, &job, ("j-1-a", 1));
    eventually("both agents measure", || {
        let status = Ran::of(&mut host.command("fleet status --format json"));
        status.status == Some(0) && status.stdout.matches("\"measuring\"").count() == 2
    });
    // The node is needed for something else.
    let condition = json!({ "type": "DisruptionTarget", "status": "True", "reason": "PreemptionByScheduler" });
    api.put(PODS, pod(&job, "j-0-a", 0, json!({ "phase": "Failed", "conditions": [condition] })));
    let log = host.path("results/.fleet").join(&id).join("coordinator.log");
    eventually("that is told", || fs::read_to_string(&log).unwrap().contains("has to make way"));
    first.kill();
    let mut again = run_pod(&host, &api, &job, ("j-0-b", 0));
    let ran = Ran::from(child.wait_with_output().unwrap()).check(&line, 0);
    let told = [
        format!("agent {}: its pod j-0-a has to make way: PreemptionByScheduler", agents[0]),
        format!("agent {} was lost; ", agents[0]),
        format!("agent {} is started again; it goes on from its own run file", agents[0]),
    ];
    for text in &told {
        assert!(ran.stderr.contains(text), "{text:?} is not in: {}", ran.stderr);
    }
    assert_eq!(ok_cells(&ran.json()), all_cells());
    let (fleet, merged) = folders(&host);
    check_bit_exact(&fleet, &merged, &[&agents[0], &agents[1]]);
    assert!(other.0.wait().unwrap().success() && again.0.wait().unwrap().success());
    assert!(api.objects(JOBS).is_empty() && !fleet.join("cluster.json").exists(), "nothing is left");
}

#[test]
fn right_that_the_account_lacks_is_named_and_nothing_is_left() {
    let host = Host::with_hostile();
    let run = "fleet run hostile/good --quick --on kubernetes:bench --nats-image nats:2 --on tls://127.0.0.1:1";
    let check = |api: &ApiServer, parts: &[&str]| {
        Ran::of(&mut in_cluster(&host, api, run)).check(run, 2).one_line(parts);
    };
    let api = ApiServer::start();
    api.refuse("POST", DEPLOYMENTS);
    check(&api, &["may not create deployments.apps in the namespace bench", "give it a role with that right"]);
    let requests = api.requests();
    for asked in [format!("POST {CONFIG_MAPS}"), format!("DELETE {CONFIG_MAPS}/bench-host-nats")] {
        assert!(requests.contains(&asked), "{asked} is not in {requests:?}");
    }
    assert!(api.objects(CONFIG_MAPS).is_empty());
    let api = ApiServer::start();
    api.refuse("GET", JOBS);
    check(&api, &["may not list jobs.batch in the namespace bench"]);
    assert!(api.requests().iter().all(|request| request.starts_with("GET ")), "{:?}", api.requests());
    // Another run has the server of the namespace.
    let api = ApiServer::start();
    let labels = json!({ "bench-host.test/run": "other" });
    api.put(CONFIG_MAPS, json!({ "metadata": { "name": "bench-host-nats", "labels": labels } }));
    check(&api, &["configmaps bench-host-nats in the namespace bench is of run other", "fleet stop other"]);
    assert_eq!(api.objects(CONFIG_MAPS).len(), 1, "it is not deleted");
}

#[test]
fn cluster_that_cannot_be_used_is_refused_in_one_line() {
    let host = Host::with_hostile();
    let check = |options: &str, parts: &[&str]| {
        let line = format!("fleet run hostile/good --quick --on kubernetes:bench {options}");
        let mut command = with_modules(&host, "ci", &line);
        Ran::of(command.env("KUBECONFIG", "/nowhere/config")).check(&line, 2).one_line(parts);
    };
    check("", &["the agents need a NATS server", "--on tls://HOST"]);
    let forward = "kubectl -n bench port-forward service/bench-host-nats 4222";
    check("--nats-image nats:2", &["--on tls://127.0.0.1", forward]);
    let works = "check that `kubectl get namespaces` works";
    check("--nats-image nats:2 --on tls://127.0.0.1:1", &["/nowhere/config", works]);
}

#[test]
fn job_that_fails_ends_the_run_and_is_deleted() {
    let Some(nats) = NatsServer::start() else { return };
    let (host, api) = (Host::with_hostile(), ApiServer::start());
    trust(&host);
    let line = format!(
        "fleet run hostile/good --quick --on kubernetes:bench --on {} --nodes 1 --key acme.key",
        nats.address()
    );
    let child = start(&host, &api, &line);
    let mut job = created_job(&api);
    let waiting = json!({ "waiting": { "reason": "ErrImagePull", "message": "no such image" } });
    api.put(PODS, pod(&job, "j-0-a", 0, json!({ "phase": "Pending", "containerStatuses": [{ "state": waiting }] })));
    let log = host.path("results/.fleet").join(runs(&host).first().unwrap()).join("coordinator.log");
    eventually("that is told", || fs::read_to_string(&log).unwrap().contains("ErrImagePull: no such image"));
    let condition = json!({ "type": "Failed", "status": "True", "reason": "BackoffLimitExceeded" });
    job["status"] = json!({ "conditions": [condition] });
    let name = job["metadata"]["name"].as_str().unwrap().to_owned();
    api.put(JOBS, job);
    let ran = Ran::from(child.wait_with_output().unwrap()).check(&line, 2);
    let failed = format!("does not come: its Job {name} has failed: BackoffLimitExceeded");
    assert!(ran.stderr.contains(&failed), "{}", ran.stderr);
    assert!(ran.stderr.contains(" waits for its pod j-0-a: ErrImagePull: no such image"), "{}", ran.stderr);
    assert!(api.objects(JOBS).is_empty());
}

#[test]
fn stop_deletes_the_job_also_of_a_run_whose_process_was_killed() {
    let Some(nats) = NatsServer::start() else { return };
    let (host, api) = (Host::with_hostile(), ApiServer::start());
    trust(&host);
    let line = format!(
        "fleet run hostile/good --quick --on kubernetes:bench --on {} --nodes 1 --key acme.key",
        nats.address()
    );
    // Before its agents have come.
    let child = start(&host, &api, &line);
    created_job(&api);
    host.check("fleet stop", 0).one_line(&["asked run", "to stop"]);
    let stopped = Ran::from(child.wait_with_output().unwrap()).check(&line, 2);
    assert!(stopped.stderr.contains("interrupted before anything was measured"), "{}", stopped.stderr);
    assert!(api.objects(JOBS).is_empty());
    // Ctrl-C leaves the run going, and its Job.
    let earlier = runs(&host);
    let child = start(&host, &api, &line);
    created_job(&api);
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let left = Ran::from(child.wait_with_output().unwrap()).check(&line, 2);
    assert!(left.stderr.contains(" goes on; see it with `bench-host fleet attach "), "{}", left.stderr);
    assert_eq!(api.objects(JOBS).len(), 1);
    let id = runs(&host).difference(&earlier).next().unwrap().clone();
    let lock = fs::read_to_string(host.path("results/.fleet").join(&id).join("lock")).unwrap();
    kill_process(Pid::from_raw(lock.parse().unwrap()).unwrap(), Signal::KILL).unwrap();
    let stop = format!("fleet stop {id}");
    // A later start tells that it is there, and does not touch it.
    eventually("the process is gone", || {
        let ran = Ran::of(&mut host.command(&format!("fleet attach {id}")));
        ran.stderr.contains("was killed")
    });
    api.refuse("POST", JOBS);
    let later = Ran::of(&mut in_cluster(&host, &api, &line)).check(&line, 2);
    let name = format!("the Job bench-host-{} of run {id} is still there; ", id.to_lowercase());
    let refused = "may not create jobs.batch in the namespace bench";
    for part in [name.as_str(), &stop, &format!("fleet resume {id}"), refused] {
        assert!(later.stderr.contains(part), "{part:?} is not in: {}", later.stderr);
    }
    assert_eq!(api.objects(JOBS).len(), 1);
    api.allow();
    let deleted = Ran::of(&mut in_cluster(&host, &api, &stop)).check(&stop, 0);
    deleted.one_line(&["was not going on; deleted in its cluster: Job bench-host-"]);
    assert!(api.objects(JOBS).is_empty());
    Ran::of(&mut in_cluster(&host, &api, &stop)).check(&stop, 2).one_line(&["is not going on"]);
}
