//! What the state of a Job and of its pods says of the agents in them: which wait, which are lost, and which do not come again.

use bench_fleet::{AgentLoss, LossKind};
use control_plane::Change;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What a watch tells.
#[derive(Debug)]
pub(super) enum News {
    OfJob(Change),
    OfPods(Change),
}

/// What follows from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Notice {
    /// An agent has ended.
    Loss(AgentLoss),
    /// The user should know this.
    Text(String),
}

/// The pods of the agents, as far as they are known.
#[derive(Debug)]
pub(super) struct Pods {
    /// The agent of each index of the Job.
    agents: Vec<String>,
    /// The newest pod of each index.
    newest: BTreeMap<usize, Newest>,
    /// The indexes that get no further pod.
    over: BTreeSet<usize>,
    /// The name of the Job, when it was seen.
    job: Option<String>,
    /// Which pods were said to wait, and for what.
    said: BTreeSet<(String, String)>,
}

#[derive(Debug)]
struct Newest {
    name: String,
    /// RFC 3339 of equal length, so that texts compare as times do.
    created: String,
    /// Whether its end is known.
    has_ended: bool,
}

/// What a pod does.
#[derive(Debug, PartialEq, Eq)]
enum State {
    Running,
    /// It does not start, for a reason of this kind, in words.
    Waiting(String, String),
    /// It has done everything.
    Done,
    Ended(LossKind, String),
}

impl Pods {
    /// Those of a Job whose indexes are these agents.
    pub(super) fn new(agents: Vec<String>) -> Self {
        Self { agents, newest: BTreeMap::new(), over: BTreeSet::new(), job: None, said: BTreeSet::new() }
    }

    /// Takes what a watch tells. Returns what follows from it.
    pub(super) fn take(&mut self, news: News) -> Vec<Notice> {
        match news {
            News::OfPods(Change::All(pods)) => {
                // An older pod of an index says nothing of what is there now, in whatever order they come.
                pods.iter().for_each(|pod| self.note(pod));
                let mut notices: Vec<_> = pods.iter().filter_map(|pod| self.look(pod)).collect();
                let there: BTreeSet<&str> = pods.iter().map(name_of).collect();
                let gone = self.newest.iter().filter(|(_, pod)| !there.contains(pod.name.as_str()));
                let gone: Vec<usize> = gone.map(|(index, _)| *index).collect();
                notices.extend(gone.into_iter().filter_map(|index| self.gone(index)));
                notices
            }
            News::OfPods(Change::Is(pod)) => {
                self.note(&pod);
                self.look(&pod).into_iter().collect()
            }
            News::OfPods(Change::Deleted(pod)) => {
                let index = index_of(&pod).filter(|index| self.is_newest(*index, &pod));
                index.and_then(|index| self.gone(index)).into_iter().collect()
            }
            News::OfJob(Change::All(jobs)) if jobs.is_empty() => self.job_is_gone(),
            News::OfJob(Change::All(jobs)) => jobs.iter().flat_map(|job| self.look_at_job(job)).collect(),
            News::OfJob(Change::Is(job)) => self.look_at_job(&job),
            News::OfJob(Change::Deleted(_)) => self.job_is_gone(),
            News::OfPods(Change::Ended(error)) | News::OfJob(Change::Ended(error)) => {
                vec![Notice::Text(format!("what becomes of the pods is not told any more: {error}"))]
            }
        }
    }

    /// Notes the pod as the newest of its index, if it is.
    fn note(&mut self, pod: &Value) {
        let Some(index) = index_of(pod).filter(|index| *index < self.agents.len()) else { return };
        let name = name_of(pod).to_owned();
        let created = pod["metadata"]["creationTimestamp"].as_str().unwrap_or_default().to_owned();
        let is_newer = |known: &Newest| created > known.created || (created == known.created && known.has_ended);
        if self.newest.get(&index).is_none_or(|known| known.name != name && is_newer(known)) {
            self.newest.insert(index, Newest { name, created, has_ended: false });
        }
    }

    fn is_newest(&self, index: usize, pod: &Value) -> bool {
        self.newest.get(&index).is_some_and(|newest| newest.name == name_of(pod))
    }

    /// What follows from the state of a pod that was noted.
    fn look(&mut self, pod: &Value) -> Option<Notice> {
        let index = index_of(pod).filter(|index| self.is_newest(*index, pod))?;
        let name = name_of(pod);
        match state(pod) {
            State::Running => None,
            State::Waiting(kind, reason) => {
                let is_new = self.said.insert((name.to_owned(), kind));
                let agent = self.agents.get(index)?;
                is_new.then(|| Notice::Text(format!("agent {agent} waits for its pod {name}: {reason}")))
            }
            State::Done => {
                self.end(index);
                None
            }
            State::Ended(kind, reason) => {
                let is_new = self.end(index);
                if is_new { self.loss(index, kind, reason) } else { None }
            }
        }
    }

    /// Notes the end of the newest pod of an index. Returns whether it was not known.
    fn end(&mut self, index: usize) -> bool {
        self.newest.get_mut(&index).is_some_and(|newest| !std::mem::replace(&mut newest.has_ended, true))
    }

    /// What follows when the newest pod of an index was deleted.
    fn gone(&mut self, index: usize) -> Option<Notice> {
        let is_new = self.end(index);
        let name = self.newest.get(&index).map(|newest| newest.name.clone())?;
        if is_new { self.loss(index, LossKind::Disrupted, format!("its pod {name} was deleted")) } else { None }
    }

    fn loss(&self, index: usize, kind: LossKind, reason: String) -> Option<Notice> {
        if self.over.contains(&index) {
            return None;
        }
        Some(Notice::Loss(AgentLoss { agent: self.agents.get(index)?.clone(), reason, kind }))
    }

    fn look_at_job(&mut self, job: &Value) -> Vec<Notice> {
        let (name, status) = (name_of(job).to_owned(), &job["status"]);
        self.job = Some(name.clone());
        if let Some(failed) = condition(status, "Failed") {
            let reason = format!("its Job {name} has failed: {}", why(failed));
            return self.all_over(&reason);
        }
        let failed = indexes(status["failedIndexes"].as_str().unwrap_or_default());
        let reason = format!("its pods have failed too often for the Job {name} to start another one");
        failed.into_iter().filter_map(|index| self.over(index, &reason)).collect()
    }

    fn job_is_gone(&mut self) -> Vec<Notice> {
        // Before it was seen, it may have yet to be listed.
        let Some(name) = self.job.take() else { return Vec::new() };
        self.all_over(&format!("its Job {name} was deleted"))
    }

    fn all_over(&mut self, reason: &str) -> Vec<Notice> {
        (0..self.agents.len()).filter_map(|index| self.over(index, reason)).collect()
    }

    /// Notes that an index gets no further pod.
    fn over(&mut self, index: usize, reason: &str) -> Option<Notice> {
        let loss = self.loss(index, LossKind::Final, reason.to_owned());
        self.over.insert(index);
        loss
    }
}

/// The name of an object.
pub(super) fn name_of(object: &Value) -> &str {
    object["metadata"]["name"].as_str().unwrap_or_default()
}

/// The condition of this type, if it is true.
pub(super) fn condition<'a>(status: &'a Value, kind: &str) -> Option<&'a Value> {
    let mut conditions = status["conditions"].as_array()?.iter();
    conditions.find(|condition| condition["type"] == kind && condition["status"] == "True")
}

/// Where the Job controller says which index a pod is.
const INDEX: &str = "batch.kubernetes.io/job-completion-index";

fn index_of(pod: &Value) -> Option<usize> {
    pod["metadata"]["annotations"][INDEX].as_str()?.parse().ok()
}

/// The indexes of a text such as `1,3-5`. What is no index, or more than a Job of agents has, is left out.
fn indexes(text: &str) -> BTreeSet<usize> {
    let mut found = BTreeSet::new();
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        if let (Ok(first), Ok(last)) = (first.parse::<usize>(), last.parse::<usize>()) {
            found.extend((first..=last).take(INDEXES_MAX));
        }
    }
    found
}

/// The largest number of nodes.
const INDEXES_MAX: usize = 1024;

fn state(pod: &Value) -> State {
    let (name, status) = (name_of(pod), &pod["status"]);
    if status["phase"] == "Succeeded" {
        return State::Done;
    }
    if let Some(disruption) = condition(status, "DisruptionTarget") {
        return State::Ended(LossKind::Disrupted, format!("its pod {name} has to make way: {}", why(disruption)));
    }
    if status["phase"] == "Failed" {
        return State::Ended(LossKind::Failed, format!("its pod {name} has failed: {}", failure(status)));
    }
    if pod["metadata"]["deletionTimestamp"].is_string() {
        return State::Ended(LossKind::Disrupted, format!("its pod {name} is being deleted"));
    }
    waiting(status).map_or(State::Running, |(kind, reason)| State::Waiting(kind, reason))
}

/// The reason and the message of a part of a status, as far as it has them.
fn why(part: &Value) -> String {
    let texts = ["reason", "message"].into_iter().filter_map(|name| part[name].as_str());
    let texts: Vec<_> = texts.filter(|text| !text.is_empty()).collect();
    if texts.is_empty() { "it does not say why".to_owned() } else { texts.join(": ") }
}

/// Why a pod has failed.
fn failure(status: &Value) -> String {
    let containers = status["containerStatuses"].as_array();
    let ended = containers.and_then(|containers| containers.iter().find(|one| one["state"]["terminated"].is_object()));
    match ended.map(|one| &one["state"]["terminated"]) {
        Some(ended) => format!("its program ended with status {}, {}", ended["exitCode"], why(ended)),
        None => why(status),
    }
}

/// What the container of a pod starts with by itself.
const USUAL: [&str; 2] = ["ContainerCreating", "PodInitializing"];

/// Why a pod does not start, if it says so: the reason as one word, and all of it.
fn waiting(status: &Value) -> Option<(String, String)> {
    let containers = status["containerStatuses"].as_array().into_iter().flatten();
    let waiting = containers.map(|one| &one["state"]["waiting"]).find(|waiting| waiting.is_object());
    let mut conditions = status["conditions"].as_array().into_iter().flatten();
    let unscheduled =
        conditions.find(|condition| condition["type"] == "PodScheduled" && condition["status"] == "False");
    let part = waiting.or(unscheduled)?;
    let kind = part["reason"].as_str().filter(|reason| !reason.is_empty() && !USUAL.contains(reason))?;
    Some((kind.to_owned(), why(part)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const NOTHING: [Notice; 0] = [];

    fn pods() -> Pods {
        Pods::new(["a", "b"].map(str::to_owned).into())
    }

    fn pod(index: usize, name: &str, second: u32, status: Value) -> Value {
        let created = format!("2026-01-01T00:00:{second:02}Z");
        let annotations = json!({ INDEX: index.to_string() });
        let metadata = json!({ "name": name, "creationTimestamp": created, "annotations": annotations });
        json!({ "metadata": metadata, "status": status })
    }

    fn disrupted() -> Value {
        let mut condition = json!({ "type": "DisruptionTarget", "status": "True", "reason": "EvictionByEvictionAPI" });
        condition["message"] = json!("Eviction API: evicting");
        json!({ "phase": "Running", "conditions": [condition] })
    }

    fn lost(agent: &str, kind: LossKind, reason: &str) -> Notice {
        Notice::Loss(AgentLoss { agent: agent.to_owned(), reason: reason.to_owned(), kind })
    }

    #[test]
    fn agent_whose_pod_makes_way_is_lost_once_and_no_failure() {
        let mut pods = pods();
        let is = |pod: Value| News::OfPods(Change::Is(pod));
        assert_eq!(pods.take(is(pod(0, "a-x", 0, json!({ "phase": "Running" })))), NOTHING);
        let reason = "its pod a-x has to make way: EvictionByEvictionAPI: Eviction API: evicting";
        assert_eq!(pods.take(is(pod(0, "a-x", 0, disrupted()))), [lost("a", LossKind::Disrupted, reason)]);
        let mut failed = disrupted();
        failed["phase"] = json!("Failed");
        assert_eq!(pods.take(is(pod(0, "a-x", 0, failed.clone()))), NOTHING);
        // Of the one before, when there is another in its place.
        assert_eq!(pods.take(is(pod(0, "a-y", 1, json!({ "phase": "Pending" })))), NOTHING);
        assert_eq!(pods.take(News::OfPods(Change::Deleted(pod(0, "a-x", 0, failed)))), NOTHING);
        let deleted = [lost("a", LossKind::Disrupted, "its pod a-y was deleted")];
        assert_eq!(pods.take(News::OfPods(Change::Deleted(pod(0, "a-y", 1, json!({}))))), deleted);
    }

    #[test]
    fn only_the_newest_pod_of_an_index_counts_in_whatever_order_they_are_listed() {
        let failed = json!({ "phase": "Failed" });
        let of_a = [pod(0, "a-y", 9, json!({ "phase": "Running" })), pod(0, "a-x", 0, failed.clone())];
        for order in [[0, 1], [1, 0]] {
            let mut pods = pods();
            let all = order.map(|place| of_a[place].clone()).into();
            assert_eq!(pods.take(News::OfPods(Change::All(all))), NOTHING, "{order:?}");
            // Those that are not listed any more are gone.
            let gone = [lost("a", LossKind::Disrupted, "its pod a-y was deleted")];
            assert_eq!(pods.take(News::OfPods(Change::All(Vec::new()))), gone);
            assert_eq!(pods.take(News::OfPods(Change::All(Vec::new()))), NOTHING);
        }
        let unknown = pod(7, "z", 0, failed);
        let notices = pods().take(News::OfPods(Change::All(vec![unknown])));
        assert_eq!(notices, NOTHING, "an index that the Job does not have");
    }

    #[track_caller]
    fn check(status: Value, expect: &State) {
        assert_eq!(state(&pod(0, "a-x", 0, status.clone())), *expect, "{status}");
    }

    #[test]
    fn end_and_waiting_of_a_pod_are_told_with_their_reasons() {
        let terminated = json!({ "exitCode": 137, "reason": "OOMKilled" });
        let failed = json!({ "phase": "Failed", "containerStatuses": [{ "state": { "terminated": terminated } }] });
        let reason = "its pod a-x has failed: its program ended with status 137, OOMKilled".to_owned();
        check(failed, &State::Ended(LossKind::Failed, reason));
        let evicted = json!({ "phase": "Failed", "reason": "Evicted", "message": "low on memory" });
        let reason = "its pod a-x has failed: Evicted: low on memory".to_owned();
        check(evicted, &State::Ended(LossKind::Failed, reason));
        check(json!({ "phase": "Succeeded" }), &State::Done);
        check(json!({ "phase": "Pending" }), &State::Running);
        let waiting = |reason: &str| {
            let waiting = json!({ "reason": reason, "message": "no such image" });
            json!({ "phase": "Pending", "containerStatuses": [{ "state": { "waiting": waiting } }] })
        };
        check(waiting("ContainerCreating"), &State::Running);
        let expect = State::Waiting("ErrImagePull".to_owned(), "ErrImagePull: no such image".to_owned());
        check(waiting("ErrImagePull"), &expect);
        let mut condition = json!({ "type": "PodScheduled", "status": "False", "reason": "Unschedulable" });
        condition["message"] = json!("0/1 nodes");
        let expect = State::Waiting("Unschedulable".to_owned(), "Unschedulable: 0/1 nodes".to_owned());
        check(json!({ "phase": "Pending", "conditions": [condition] }), &expect);
    }

    #[test]
    fn waiting_is_said_once_for_each_reason() {
        let mut pods = pods();
        let mut take = |reason: &str, message: &str| {
            let condition = json!({ "type": "PodScheduled", "status": "False", "reason": reason, "message": message });
            pods.take(News::OfPods(Change::Is(pod(1, "b-x", 0, json!({ "conditions": [condition] })))))
        };
        let said = "agent b waits for its pod b-x: Unschedulable: 0/1 nodes";
        assert_eq!(take("Unschedulable", "0/1 nodes"), [Notice::Text(said.to_owned())]);
        assert_eq!(take("Unschedulable", "0/2 nodes"), NOTHING);
        assert_eq!(take("SchedulingGated", "x").len(), 1);
    }

    #[test]
    fn agent_that_gets_no_further_pod_is_told_once() {
        let mut pods = pods();
        assert_eq!(pods.take(News::OfJob(Change::All(Vec::new()))), NOTHING, "it has yet to be listed");
        let job = |status: Value| json!({ "metadata": { "name": "j" }, "status": status });
        assert_eq!(pods.take(News::OfJob(Change::All(vec![job(json!({}))]))), NOTHING);
        let often = "its pods have failed too often for the Job j to start another one";
        let failed = job(json!({ "failedIndexes": "1" }));
        assert_eq!(pods.take(News::OfJob(Change::Is(failed.clone()))), [lost("b", LossKind::Final, often)]);
        assert_eq!(pods.take(News::OfJob(Change::Is(failed))), NOTHING);
        let condition = json!({ "type": "Failed", "status": "True", "reason": "FailedIndexes", "message": "1" });
        let failed = job(json!({ "conditions": [condition] }));
        let reason = "its Job j has failed: FailedIndexes: 1";
        assert_eq!(pods.take(News::OfJob(Change::Is(failed))), [lost("a", LossKind::Final, reason)]);
        assert_eq!(pods.take(News::OfJob(Change::Deleted(job(json!({}))))), NOTHING);
    }

    #[test]
    fn failed_indexes_are_read_as_a_job_writes_them() {
        let check = |text: &str, expect: &[usize]| assert_eq!(indexes(text).into_iter().collect::<Vec<_>>(), expect);
        check("", &[]);
        check("0", &[0]);
        check("1,3-5,9", &[1, 3, 4, 5, 9]);
        check("x,2-,4", &[4]);
        assert_eq!(indexes("0-99999999999").len(), INDEXES_MAX);
    }
}
