//! An API server as a store of objects of any kind, as JSON: for those who create objects there that Kubernetes itself acts upon, and watch what
//! becomes of them. Each call blocks until the server has answered.

use super::kubeconfig::{INSTEAD, Places};
use super::refusal::{self, has_code};
use super::server::{Built, Server};
use super::wire::ListMetadata;
use super::{TIMES, Threads, Times, pause, reach};
use crate::{PlaneError, Subscription};
use futures_util::TryStreamExt;
use kube::Error;
use kube::api::{DeleteParams, GetParams, ListParams, PostParams, Preconditions, WatchEvent, WatchParams};
use kube::core::Request;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::fmt;
use std::pin::pin;
use std::time::Duration;

/// An API server, with the account that the user's kubeconfig has there.
pub struct ApiServer {
    server: Server,
    times: Times,
    /// Dropped last, because watches run on it.
    runtime: Threads,
}

/// The objects of one kind in a namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collection {
    api_version: String,
    /// The plural of the kind, as requests name it.
    plural: String,
    namespace: String,
}

/// Why an API server does not do what it is asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApiError {
    /// The account lacks a right.
    #[error(
        "the account of the kubeconfig may not {verb} {resource} in the namespace {namespace}; give it a role with that right ({reason})"
    )]
    Forbidden {
        /// The right, such as `create`.
        verb: &'static str,
        /// What it is a right to, such as `jobs.batch`.
        resource: String,
        /// Where.
        namespace: String,
        /// What the server says.
        reason: String,
    },
    /// Another object has the name.
    #[error("{0} is there already")]
    Exists(String),
    /// Anything else.
    #[error("cannot {verb} {resource} in the namespace {namespace}: {reason}")]
    Failed {
        /// What was asked.
        verb: &'static str,
        /// Of what.
        resource: String,
        /// Where.
        namespace: String,
        /// What the server says, or why it says nothing.
        reason: String,
    },
}

/// What a watch tells.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// All objects that there are: first of all, and when changes may have been missed.
    All(Vec<Value>),
    /// This object is new, or has changed.
    Is(Value),
    /// This object was deleted; it was so before.
    Deleted(Value),
    /// Nothing more is told.
    Ended(ApiError),
}

/// All objects of a collection, as the server lists them.
#[derive(Deserialize)]
struct Listed {
    metadata: ListMetadata,
    #[serde(default)]
    items: Option<Vec<Value>>,
}

impl Collection {
    /// Those of objects with this `apiVersion` and `kind`, whose plural is regular.
    pub fn new(api_version: &str, kind: &str, namespace: &str) -> Self {
        let plural = format!("{}s", kind.to_lowercase());
        Self { api_version: api_version.to_owned(), plural, namespace: namespace.to_owned() }
    }

    /// The namespace.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    fn requests(&self) -> Request {
        // The first group had none.
        let root = if self.api_version.contains('/') { "/apis" } else { "/api" };
        Request::new(format!("{root}/{}/namespaces/{}/{}", self.api_version, self.namespace, self.plural))
    }

    /// The error of a request with this verb.
    fn error(&self, verb: &'static str, error: &Error) -> ApiError {
        let (resource, namespace, reason) = (self.to_string(), self.namespace.clone(), refusal::line(error));
        match error {
            error if has_code(error, 403) => ApiError::Forbidden { verb, resource, namespace, reason },
            _ => ApiError::Failed { verb, resource, namespace, reason },
        }
    }
}

/// As rights name it: `jobs.batch`, `pods`.
impl fmt::Display for Collection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.api_version.split_once('/') {
            Some((group, _)) => write!(f, "{}.{group}", self.plural),
            None => f.write_str(&self.plural),
        }
    }
}

impl ApiServer {
    /// Connects to the API server of `KUBECONFIG`, `~/.kube/config` or the surrounding cluster. The error is one line that says what to do.
    pub fn connect() -> Result<Self, String> {
        Self::connect_as(&Places::of_environment(), TIMES)
    }

    pub(super) fn connect_as(places: &Places, times: Times) -> Result<Self, String> {
        // An operator can do without an API server.
        let line = |error: PlaneError| error.to_string().replace(INSTEAD, "");
        let runtime = Threads::start().map_err(line)?;
        let (server, _) = reach(&runtime, places, times).map_err(line)?;
        Ok(Self { server, times, runtime })
    }

    /// Creates an object. Returns it as it is then.
    pub fn create(&self, collection: &Collection, object: &Value) -> Result<Value, ApiError> {
        let request = collection.requests().create(&PostParams::default(), object.to_string().into_bytes());
        match self.ask((collection, "create"), request)? {
            Err(error) if has_code(&error, 409) => {
                let name = object["metadata"]["name"].as_str().unwrap_or_default();
                Err(ApiError::Exists(format!("{collection} {name}")))
            }
            answer => answer.map_err(|error| collection.error("create", &error)),
        }
    }

    /// The object of this name; `None` if there is none.
    pub fn get(&self, collection: &Collection, name: &str) -> Result<Option<Value>, ApiError> {
        let request = collection.requests().get(name, &GetParams::default());
        match self.ask((collection, "get"), request)? {
            Err(error) if has_code(&error, 404) => Ok(None),
            answer => answer.map(Some).map_err(|error| collection.error("get", &error)),
        }
    }

    /// The objects with these labels, such as `a=b`.
    pub fn list(&self, collection: &Collection, labels: &str) -> Result<Vec<Value>, ApiError> {
        let request = collection.requests().list(&ListParams::default().labels(labels));
        let listed: Listed =
            self.ask((collection, "list"), request)?.map_err(|error| collection.error("list", &error))?;
        Ok(listed.items.unwrap_or_default())
    }

    /// Deletes the object of this name, if its `uid` is this one, and then what belongs to it. Returns whether it was there.
    pub fn delete(&self, collection: &Collection, name: &str, uid: &str) -> Result<bool, ApiError> {
        let preconditions = Some(Preconditions { uid: Some(uid.to_owned()), ..Preconditions::default() });
        let request = collection.requests().delete(name, &DeleteParams { preconditions, ..DeleteParams::background() });
        match self.ask::<Value>((collection, "delete"), request)? {
            // It is gone, or another one has its name.
            Err(error) if has_code(&error, 404) || has_code(&error, 409) => Ok(false),
            answer => answer.map(|_| true).map_err(|error| collection.error("delete", &error)),
        }
    }

    /// Tells what becomes of the objects with these labels, on a thread of this server, which `tell` must not hold up, until what is returned
    /// is dropped. A server that does not answer is asked again for ever.
    pub fn watch(
        &self,
        collection: &Collection,
        labels: &str,
        tell: impl Fn(Change) + Send + Sync + 'static,
    ) -> Subscription {
        let watch = Watch { server: self.server.clone(), collection: collection.clone(), labels: labels.to_owned() };
        let task = self.runtime.spawn(watch.run(self.times.pause, tell));
        Subscription::new(move || task.abort())
    }

    /// Sends a request. Returns the answer or the refusal; an error if there is none of them in time.
    fn ask<T: DeserializeOwned>(
        &self,
        (collection, verb): (&Collection, &'static str),
        request: Built,
    ) -> Result<Result<T, Error>, ApiError> {
        let answered = self.runtime.wait(self.times.call, async { Ok(self.server.ask(request).await) });
        answered.map_err(|late| ApiError::Failed {
            verb,
            resource: collection.to_string(),
            namespace: collection.namespace.clone(),
            reason: late.to_string(),
        })
    }
}

impl fmt::Debug for ApiServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiServer").finish_non_exhaustive()
    }
}

/// A watch of the objects of a collection with certain labels.
struct Watch {
    server: Server,
    collection: Collection,
    labels: String,
}

/// The longest pause before a watch is tried again is this many times the first one.
const PAUSES_MAX: u32 = 256;

impl Watch {
    async fn run(self, first_pause: Duration, tell: impl Fn(Change) + Send + Sync) {
        let mut pauses = 1;
        loop {
            match self.tell_all(&tell).await {
                Ok(()) => pauses = 1,
                Err(error) if is_passing(&error) => pauses = PAUSES_MAX.min(pauses * 2),
                Err(error) => {
                    tell(Change::Ended(self.collection.error("watch", &error)));
                    return;
                }
            }
            pause(first_pause * pauses).await;
        }
    }

    /// Tells all objects, and then their changes until the server ends its answer, which it does every few minutes.
    async fn tell_all(&self, tell: &(impl Fn(Change) + Send + Sync)) -> Result<(), Error> {
        let request = self.collection.requests().list(&ListParams::default().labels(&self.labels));
        let listed: Listed = self.server.ask(request).await?;
        tell(Change::All(listed.items.unwrap_or_default()));
        let params = WatchParams::default().labels(&self.labels);
        let request = self.collection.requests().watch(&params, &listed.metadata.resource_version);
        let events = self.server.client.request_events::<Value>(request.map_err(Error::BuildRequest)?).await?;
        let mut events = pin!(events);
        while let Some(event) = events.try_next().await? {
            match event {
                WatchEvent::Added(object) | WatchEvent::Modified(object) => tell(Change::Is(object)),
                WatchEvent::Deleted(object) => tell(Change::Deleted(object)),
                WatchEvent::Bookmark(_) => {}
                WatchEvent::Error(status) => return Err(Error::Api(status)),
            }
        }
        Ok(())
    }
}

/// Whether the same watch may succeed a moment later.
fn is_passing(error: &Error) -> bool {
    refusal::is_passing(error) || matches!(error, Error::Api(status) if refusal::is_gone(status))
}
