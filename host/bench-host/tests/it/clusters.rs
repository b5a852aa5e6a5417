//! The manifest for a cluster, given to a real API server with its Job controller, which `KUBECONFIG` names. The cluster has no nodes: the test
//! does with the pods what a kubelet would do.

use crate::fleets::{all_cells, ok_cells};
use crate::host::{Host, PROGRAM, Ran, command, eventually, skip};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};

/// Where the Job controller says which index a pod is.
const INDEX: &str = "batch.kubernetes.io/job-completion-index";

/// Calls `kubectl`, which reads `input`. Returns what it printed, or its error.
fn kubectl(arguments: &[&str], input: &str) -> Result<String, String> {
    let mut command = Command::new("kubectl");
    command.args(["--namespace", "default"]).args(arguments);
    let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = child.map_err(|error| format!("`kubectl`: {error}"))?;
    // One that reads nothing may have ended already.
    let _ = child.stdin.take().map(|mut stdin| stdin.write_all(input.as_bytes()));
    let output = child.wait_with_output().map_err(|error| error.to_string())?;
    let [printed, error] = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    if output.status.success() { Ok(printed) } else { Err(error.trim().to_owned()) }
}

fn read(arguments: &[&str]) -> Value {
    serde_json::from_str(&kubectl(arguments, "").unwrap()).unwrap()
}

/// A Job that is deleted when the test ends.
struct Job(String);

impl Drop for Job {
    fn drop(&mut self) {
        let _ = kubectl(&["delete", "job", &self.0, "--wait=false"], "");
    }
}

impl Job {
    fn is_complete(&self) -> bool {
        let job = read(&["get", "job", &self.0, "-o", "json"]);
        let conditions = job["status"]["conditions"].as_array().cloned().unwrap_or_default();
        conditions.iter().any(|condition| condition["type"] == "Complete" && condition["status"] == "True")
    }

    fn pods(&self) -> Vec<Value> {
        let selected = format!("job-name={}", self.0);
        let pods = read(&["get", "pods", "-l", &selected, "-o", "json"]);
        pods["items"].as_array().cloned().unwrap_or_default()
    }
}

/// Notes how a pod has ended, as a kubelet does.
fn end(pod: &str, phase: &str) {
    let status = format!("/api/v1/namespaces/default/pods/{pod}/status");
    eventually("the status of a pod is taken", || {
        // The controller may have changed it meanwhile.
        let mut pod = read(&["get", "pod", pod, "-o", "json"]);
        pod["status"]["phase"] = json!(phase);
        kubectl(&["replace", "--raw", &status, "-f", "-"], &pod.to_string()).is_ok()
    });
}

/// Executes the container of a pod on this machine, with the volume of results in the folder of the host.
fn execute(host: &Host, pod: &Value) {
    let container = &pod["spec"]["containers"][0];
    let words = container["command"].as_array().unwrap().iter().map(|word| word.as_str().unwrap());
    // The kubelet makes a dollar of two.
    let mut words: Vec<String> = words.map(|word| word.replace("$$(", "$(")).collect();
    words[2] = words[2].replace("/results", &host.path("volume").display().to_string());
    let mut shell = command(&words[0]);
    shell.args(&words[1..]).current_dir(host.path("."));
    shell.env("JOB_COMPLETION_INDEX", pod["metadata"]["annotations"][INDEX].as_str().unwrap());
    for variable in container["env"].as_array().unwrap() {
        if let Some(value) = variable["value"].as_str() {
            shell.env(variable["name"].as_str().unwrap(), value);
        }
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = [host.path("bin")].into_iter().chain(std::env::split_paths(&path));
    shell.env("PATH", std::env::join_paths(folders).unwrap());
    Ran::of(&mut shell).check("the container", 0);
}

/// The only run directory in a folder.
fn only_run(folder: &Path) -> String {
    let runs = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let runs: Vec<_> = runs.filter(|run| run.join("run.jsonl").is_file()).collect();
    assert_eq!(runs.len(), 1, "{runs:?}");
    runs[0].display().to_string()
}

#[test]
fn job_of_the_manifest_measures_a_shard_for_each_index() {
    if std::env::var_os("KUBECONFIG").is_none_or(|files| files.is_empty()) {
        return skip("no API server; set KUBECONFIG to that of a cluster without nodes, in which Jobs may be made");
    }
    let host = Host::with_hostile();
    fs::create_dir(host.path("bin")).unwrap();
    symlink(PROGRAM, host.path("bin/bench-host")).unwrap();
    let line = "fleet run hostile/{good,litter} --modules . --quick --time 20ms --on kubernetes --nodes 2 --dry-run";
    let created = kubectl(&["create", "-o", "json", "-f", "-"], &host.check(line, 0).stdout).unwrap();
    let created: Value = serde_json::from_str(&created).unwrap();
    let job = Job(created["metadata"]["name"].as_str().unwrap().to_owned());
    let mut seen = BTreeSet::new();
    eventually("the Job is complete", || {
        for pod in job.pods() {
            let name = pod["metadata"]["name"].as_str().unwrap();
            // The node of the first one dies, so that its index has to be replaced.
            let is_lost = seen.is_empty();
            if !seen.insert(name.to_owned()) {
                continue;
            }
            if !is_lost {
                execute(&host, &pod);
            }
            end(name, if is_lost { "Failed" } else { "Succeeded" });
        }
        job.is_complete()
    });
    assert_eq!(seen.len(), 3, "two indexes, one of them a second time");
    let [one, two] = [1, 2].map(|number| only_run(&host.path(format!("volume/shard-{number}"))));
    let merged = host.check(&format!("fleet merge {one} {two} --format json"), 0);
    assert_eq!(ok_cells(&merged.json()), all_cells());
}
