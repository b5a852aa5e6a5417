//! Creates what a manifest describes in the API server of the kubeconfig, tells the fleet what becomes of the pods, and deletes it when the run has
//! ended.

use super::pods::{News, Notice, Pods, condition, name_of};
use super::{Cluster, ClusterServer, manifest, server};
use crate::commands::fleet::nats::connect;
use crate::output;
use anyhow::{Context, bail, ensure};
use bench_engine::Interrupt;
use bench_fleet::{AgentLoss, FleetFolder, LossKind, NatsAddress, NatsError, Pings, Place, is_name};
use control_plane::{ApiError, ApiServer, Collection, Subscription};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};
use std::{fs, io, thread};

/// What is to be created for a run.
#[derive(Debug)]
pub(in crate::commands::fleet) struct Launch {
    namespace: String,
    nodes: u32,
    image: String,
    claim: String,
    /// The image of the NATS server that is created too.
    nats_image: Option<String>,
    /// The NATS server, as this machine reaches it.
    address: NatsAddress,
}

/// The labels of what is created: that this program did so, and for which run.
const MANAGED_BY: (&str, &str) = ("app.kubernetes.io/managed-by", "bench-host");
const RUN: &str = "bench-host.test/run";

/// How long the server in the cluster may take until this machine reaches it, and how often that is tried.
const SERVER: Duration = Duration::from_secs(300);
const AGAIN: Duration = Duration::from_secs(1);

impl Launch {
    /// What `cluster` describes, with the server that `places` name.
    pub(in crate::commands::fleet) fn new(cluster: &Cluster<'_>, places: &[Place]) -> anyhow::Result<Self> {
        let Cluster { namespace, nodes, image, claim, server, .. } = cluster;
        let nats_image = match server {
            Some(ClusterServer::InCluster(image)) => Some((*image).to_owned()),
            Some(ClusterServer::Existing(_)) | None => None,
        };
        let mut addresses =
            places.iter().filter_map(|place| if let Place::Nats(address) = place { Some(address) } else { None });
        let Some(address) = addresses.next().cloned() else {
            if nats_image.is_none() {
                bail!(
                    "--on kubernetes: the agents need a NATS server: also give --on tls://HOST for one that they and this machine reach, or \
                     --nats-image IMAGE to start one there; with --dry-run, the manifest of a Job is printed that needs none"
                );
            }
            bail!(
                "--nats-image starts a server in the cluster, which this machine has to reach too: also give --on tls://127.0.0.1 if you run \
                 `{}` meanwhile, or --on {} within the cluster",
                server::port_forward(namespace),
                server::address(namespace)
            );
        };
        let [namespace, image, claim] = [*namespace, *image, *claim].map(str::to_owned);
        Ok(Self { namespace, nodes: *nodes, image, claim, nats_image, address })
    }

    /// The NATS server, as this machine reaches it.
    pub(in crate::commands::fleet) fn address(&self) -> &NatsAddress {
        &self.address
    }

    /// Whether the server is there already.
    pub(in crate::commands::fleet) fn has_server(&self) -> bool {
        self.nats_image.is_none()
    }

    /// The names of the agents of the run `id`, by index.
    pub(in crate::commands::fleet) fn agents(&self, id: &str) -> Vec<String> {
        let beginning = beginning(id);
        (0..self.nodes).map(|index| format!("{beginning}-{index}")).collect()
    }

    /// The objects of the run `id`. The Job is the last one.
    fn objects(&self, id: &str) -> Vec<Value> {
        let (address, agents) = (self.address.to_string(), beginning(id));
        let server = ClusterServer::new(Some(&address), self.nats_image.as_deref());
        let Self { namespace, nodes, image, claim, .. } = self;
        let cluster = Cluster { namespace, nodes: *nodes, image, claim, agents: &agents, server };
        let made = manifest(&cluster, &[]);
        let items = made["items"].as_array().cloned();
        let mut objects = items.unwrap_or_else(|| vec![made]);
        objects.iter_mut().for_each(|object| mark(object, id));
        objects
    }

    /// Connects to the API server, says what earlier runs have left there, and creates the NATS server, if one is to be created.
    pub(in crate::commands::fleet) fn begin(&self, folder: &FleetFolder) -> anyhow::Result<Launched> {
        let api = ApiServer::connect().map_err(anyhow::Error::msg)?;
        say_leftovers(&api, &self.namespace, folder)?;
        let id = folder.id();
        let (objects, agents) = (self.objects(&id), self.agents(&id));
        let launched = Launched { id, record: folder.path().join(RECORD), objects, agents, watches: Vec::new(), api };
        launched.keep()?;
        for object in launched.objects.iter().filter(|object| object["kind"] != JOB) {
            launched.create(object)?;
        }
        Ok(launched)
    }

    /// Waits until this machine reaches the server in the cluster.
    pub(in crate::commands::fleet) fn wait_for_server(&self, interrupt: &Interrupt) -> anyhow::Result<()> {
        output::line(&format!(
            "bench-host: the NATS server {} is started in the namespace {}, and waited for at {}; if that is this machine, run `{}` as \
             soon as its pod runs",
            server::NAME,
            self.namespace,
            self.address,
            server::port_forward(&self.namespace)
        ));
        let (sender, interrupted) = mpsc::channel();
        let _woken = interrupt.subscribe(move || _ = sender.send(()));
        let end = Instant::now() + SERVER;
        loop {
            match connect(&self.address, Pings::Often) {
                Ok(_) => return Ok(()),
                Err(NatsError::Unreachable { .. }) if Instant::now() < end => {}
                Err(error) => return Err(error.into()),
            }
            ensure!(interrupted.recv_timeout(AGAIN).is_err(), "interrupted before anything was measured");
        }
    }
}

/// The beginning of the names of the agents of the run `id`: those of another run at the same server have others.
fn beginning(id: &str) -> String {
    format!("node-{}", id.rsplit('-').next().unwrap_or(id))
}

/// Gives an object of a manifest the labels of the run `id`, and a name to one whose name the API server would choose.
fn mark(object: &mut Value, id: &str) {
    object["metadata"]["labels"] = json!({ MANAGED_BY.0: MANAGED_BY.1, RUN: id });
    if object["kind"] == JOB {
        // Another process that goes on with the run finds it by its name.
        let namespace = object["metadata"]["namespace"].take();
        let labels = object["metadata"]["labels"].take();
        let name = format!("bench-host-{}", id.to_lowercase());
        object["metadata"] = json!({ "name": name, "namespace": namespace, "labels": labels });
        object["spec"]["template"]["metadata"]["labels"][RUN] = json!(id);
    }
}

const JOB: &str = "Job";

/// The run that an object was created for, if it was created for one.
fn run_of(object: &Value) -> Option<&str> {
    object["metadata"]["labels"][RUN].as_str()
}

/// Where an object of a manifest is.
fn collection(object: &Value) -> Collection {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let namespace = text(&object["metadata"]["namespace"]);
    Collection::new(&text(&object["apiVersion"]), &text(&object["kind"]), &namespace)
}

/// Says which Jobs of runs are in the namespace that no process here goes on with.
fn say_leftovers(api: &ApiServer, namespace: &str, folder: &FleetFolder) -> anyhow::Result<()> {
    let jobs = Collection::new("batch/v1", JOB, namespace);
    for job in api.list(&jobs, &format!("{}={}", MANAGED_BY.0, MANAGED_BY.1))? {
        // The name becomes part of a path.
        let Some(run) = run_of(&job).filter(|run| *run != folder.id() && is_name(run)) else { continue };
        let (name, known) = (name_of(&job), FleetFolder::new(folder.out(), run));
        if known.is_going_on().unwrap_or(false) {
            continue;
        }
        let next = if known.path().is_dir() {
            format!("go on with it by `bench-host fleet resume {run}`, or delete it by `bench-host fleet stop {run}`")
        } else {
            format!(
                "if no other machine goes on with it, delete it by `kubectl -n {} delete job {name}`",
                jobs.namespace()
            )
        };
        output::line(&format!("bench-host: the Job {name} of run {run} is still there; {next}"));
    }
    Ok(())
}

/// What was created for a run. It is deleted when this is dropped.
#[derive(Debug)]
pub(in crate::commands::fleet) struct Launched {
    id: String,
    /// The file with the objects, for a process that deletes them if this one is killed.
    record: PathBuf,
    objects: Vec<Value>,
    /// By index.
    agents: Vec<String>,
    watches: Vec<Subscription>,
    /// After the watches, which need it.
    api: ApiServer,
}

/// The name of the file, in the folder of the run.
const RECORD: &str = "cluster.json";

/// An object that may have been created.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Created {
    api_version: String,
    kind: String,
    namespace: String,
    name: String,
}

impl Created {
    fn of(object: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let metadata = &object["metadata"];
        Self {
            api_version: text(&object["apiVersion"]),
            kind: text(&object["kind"]),
            namespace: text(&metadata["namespace"]),
            name: text(&metadata["name"]),
        }
    }

    /// Deletes the object, if it is there and was created for the run `id`. Returns whether it was.
    fn delete(&self, api: &ApiServer, id: &str) -> Result<bool, ApiError> {
        let collection = Collection::new(&self.api_version, &self.kind, &self.namespace);
        let Some(found) = api.get(&collection, &self.name)? else { return Ok(false) };
        if run_of(&found) != Some(id) {
            return Ok(false);
        }
        api.delete(&collection, &self.name, found["metadata"]["uid"].as_str().unwrap_or_default())
    }
}

/// Deletes what was created for the run `id`, the last first, and leaves what is not of it. Returns what there was; or the first error, after all was
/// tried.
fn delete(api: &ApiServer, id: &str, created: &[Created]) -> Result<Vec<String>, ApiError> {
    let (mut deleted, mut failed) = (Vec::new(), None);
    for object in created.iter().rev() {
        match object.delete(api, id) {
            Ok(true) => deleted.push(format!("{} {}", object.kind, object.name)),
            Ok(false) => {}
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    failed.map_or(Ok(deleted), Err)
}

/// Deletes what a run whose process was killed has left in its cluster, and says what that was. Returns whether there may have been something.
pub(in crate::commands::fleet) fn delete_left(folder: &FleetFolder) -> anyhow::Result<bool> {
    let record = folder.path().join(RECORD);
    let created = match fs::read(&record) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        created => created.with_context(|| format!("cannot read {}", record.display()))?,
    };
    let created: Vec<Created> =
        serde_json::from_slice(&created).with_context(|| format!("{}: not a list of objects", record.display()))?;
    let api = ApiServer::connect().map_err(anyhow::Error::msg)?;
    let deleted = delete(&api, &folder.id(), &created)?;
    fs::remove_file(&record).with_context(|| format!("cannot remove {}", record.display()))?;
    let deleted = if deleted.is_empty() { "nothing was left".to_owned() } else { deleted.join(", ") };
    output::line(&format!("bench-host: run {} was not going on; deleted in its cluster: {deleted}", folder.id()));
    Ok(true)
}

impl Launched {
    /// Writes down what will be created.
    fn keep(&self) -> anyhow::Result<()> {
        let kept = serde_json::to_vec(&self.created())?;
        fs::write(&self.record, kept).with_context(|| format!("cannot write {}", self.record.display()))
    }

    fn created(&self) -> Vec<Created> {
        self.objects.iter().map(Created::of).collect()
    }

    /// Creates an object; or takes the one that is there, if another process has created it for this run, or somebody for no run.
    fn create(&self, object: &Value) -> anyhow::Result<()> {
        let (collection, name) = (collection(object), name_of(object));
        match self.api.create(&collection, object) {
            Ok(_) => return Ok(()),
            Err(ApiError::Exists(_)) => {}
            Err(error) => return Err(error.into()),
        }
        let Some(found) = self.api.get(&collection, name)? else { bail!("{collection} {name} was just deleted") };
        let has_ended = ["Complete", "Failed"].iter().any(|kind| condition(&found["status"], kind).is_some());
        let namespace = collection.namespace();
        match run_of(&found) {
            // Whoever has made it keeps it.
            None => Ok(()),
            Some(run) if run != self.id => bail!(
                "{collection} {name} in the namespace {namespace} is of run {run}; wait for its end, stop it by `bench-host fleet stop {run}`, or \
                 give another namespace"
            ),
            Some(run) if has_ended => bail!(
                "the Job {name} in the namespace {namespace} had ended before run {run} did, and is deleted now; resume the run again"
            ),
            Some(_) => Ok(()),
        }
    }

    /// Creates the Job, and has `lose` told which of its agents are lost. After each message to the user, `wake` is called.
    pub(in crate::commands::fleet) fn start_agents(
        &mut self,
        lose: impl Fn(AgentLoss) + Send + 'static,
        wake: impl Fn() + Send + 'static,
    ) -> anyhow::Result<()> {
        let job = self.objects.iter().find(|object| object["kind"] == JOB).context("the manifest has no Job")?;
        self.create(job)?;
        let jobs = collection(job);
        let pods = Collection::new("v1", "Pod", jobs.namespace());
        let labels = format!("{RUN}={}", self.id);
        let (sender, news) = mpsc::channel();
        let of_pods = sender.clone();
        let watches = [
            self.api.watch(&jobs, &labels, move |change| _ = sender.send(News::OfJob(change))),
            self.api.watch(&pods, &labels, move |change| _ = of_pods.send(News::OfPods(change))),
        ];
        self.watches.extend(watches);
        let known = Pods::new(self.agents.clone());
        let begun = thread::Builder::new().name("pods".to_owned()).spawn(move || follow(&news, known, &lose, &wake));
        begun.map(drop).context("cannot start the thread that follows the pods")
    }
}

/// Passes on what the watches tell, to the fleet and to the user, until they end.
fn follow(news: &Receiver<News>, mut pods: Pods, lose: &dyn Fn(AgentLoss), wake: &dyn Fn()) {
    for notice in news.iter().flat_map(|news| pods.take(news)) {
        let text = match notice {
            Notice::Text(text) => text,
            Notice::Loss(loss) => {
                // The fleet itself tells the end of what it waits for.
                let is_told = loss.kind == LossKind::Final;
                let text = format!("agent {}: {}", loss.agent, loss.reason);
                lose(loss);
                if is_told {
                    continue;
                }
                text
            }
        };
        output::line(&format!("bench-host: {text}"));
        wake();
    }
}

impl Drop for Launched {
    fn drop(&mut self) {
        self.watches.clear();
        match delete(&self.api, &self.id, &self.created()) {
            // There is nothing to delete any more.
            Ok(_) => _ = fs::remove_file(&self.record),
            Err(error) => output::line(&format!(
                "bench-host: {error}; what run {0} has left in the cluster, `bench-host fleet stop {0}` deletes",
                self.id
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "2026-11-29T04-51-40Z-abc123";

    fn launch(place: &str, nats_image: Option<&str>) -> anyhow::Result<Launch> {
        let places: Vec<Place> = place.split_whitespace().map(|place| place.parse().unwrap()).collect();
        let server = ClusterServer::new(Some("tls://queue:4222").filter(|_| !places.is_empty()), nats_image);
        let cluster = Cluster { namespace: "bench", nodes: 2, image: "i:1", claim: "c", agents: "node", server };
        Launch::new(&cluster, &places)
    }

    #[test]
    fn objects_are_those_of_the_manifest_with_the_labels_of_the_run() {
        let launch = launch("tls://queue", None).unwrap();
        let mut objects = launch.objects(ID);
        let job = &objects[0];
        assert_eq!(job["metadata"]["name"], "bench-host-2026-11-29t04-51-40z-abc123");
        assert_eq!((run_of(job), &job["metadata"]["namespace"]), (Some(ID), &json!("bench")));
        assert_eq!(collection(job).to_string(), "jobs.batch");
        let environment = &job["spec"]["template"]["spec"]["containers"][0]["env"];
        assert_eq!(environment[3], json!({ "name": "AGENTS", "value": "node-abc123" }));
        assert_eq!(launch.agents(ID), ["node-abc123-0", "node-abc123-1"]);
        assert_eq!(job["spec"]["template"]["metadata"]["labels"][RUN], ID);
        // All else is as it is printed.
        let server = ClusterServer::new(Some("tls://queue:4222"), None);
        let (image, claim, agents) = ("i:1", "c", "node-abc123");
        let printed = manifest(&Cluster { namespace: "bench", nodes: 2, image, claim, agents, server }, &[]);
        objects[0]["spec"]["template"]["metadata"]["labels"].as_object_mut().unwrap().remove(RUN);
        assert_eq!((objects.len(), &objects[0]["spec"]), (1, &printed["spec"]));
    }

    #[test]
    fn server_is_created_before_the_agents() {
        let launch = launch("tls://127.0.0.1", Some("nats:2")).unwrap();
        let objects = launch.objects(ID);
        let place = |object: &Value| format!("{} {}", collection(object), name_of(object));
        let places: Vec<_> = objects.iter().map(place).collect();
        let names = ["configmaps", "deployments.apps", "services"].map(|kind| format!("{kind} bench-host-nats"));
        assert_eq!(places[..3], names);
        assert!(places[3].starts_with("jobs.batch "), "{places:?}");
        assert!(objects.iter().all(|object| run_of(object) == Some(ID)));
        let environment = &objects[3]["spec"]["template"]["spec"]["containers"][0]["env"];
        assert_eq!(environment[0]["value"], "tls://bench-host-nats.bench.svc:4222", "not as this machine reaches it");
        assert!(!launch.has_server() && launch.address().to_string() == "tls://127.0.0.1:4222");
    }

    #[test]
    fn server_that_nobody_reaches_is_refused() {
        let check = |nats_image: Option<&str>, parts: &[&str]| {
            let error = launch("", nats_image).unwrap_err().to_string();
            assert!(parts.iter().all(|part| error.contains(part)) && !error.contains('\n'), "{error}");
        };
        check(None, &["the agents need a NATS server", "--on tls://HOST", "--nats-image IMAGE", "--dry-run"]);
        let parts = ["--on tls://127.0.0.1", "kubectl -n bench port-forward service/bench-host-nats 4222"];
        check(Some("nats:2"), &parts);
    }

    #[test]
    fn names_of_agents_and_jobs_are_fit_for_their_servers() {
        assert!(launch("tls://queue", None).unwrap().agents(ID).iter().all(|agent| is_name(agent)));
        let object = launch("tls://queue", None).unwrap().objects(ID).remove(0);
        let is_plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
        // The name of a pod, which is a label too, has the index and five letters more.
        assert!(name_of(&object).len() <= 63 - "-1023-abcde".len() && name_of(&object).chars().all(is_plain));
    }
}
