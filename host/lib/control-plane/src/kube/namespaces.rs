//! The namespaces of a run: made at the first write into them, and removed when the run ends. A later run removes what a
//! killed run left.

use super::definitions::User;
use super::names::{MANAGED_BY, OWNER, namespaces};
use super::refusal::{has_code, plane_error};
use super::server::Server;
use crate::PlaneError;
use futures_util::{StreamExt, stream};
use kube::Error;
use kube::api::PostParams;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Namespaces that are removed concurrently.
const REMOVED_AT_ONCE: usize = 16;

/// The namespaces of one run.
#[derive(Debug)]
pub(super) struct Namespaces {
    user: User,
    /// By name in the API server: whether they are known to exist, or were only requested.
    made: Mutex<HashMap<String, bool>>,
}

impl Namespaces {
    pub(super) fn new(user: User) -> Self {
        Self { user, made: Mutex::default() }
    }

    /// The name of `namespace` in the API server: different in each run, so that runs do not meet.
    pub(super) fn name(&self, namespace: &str) -> String {
        format!("bench-host-{}-{namespace}", self.user.run)
    }

    /// Creates it, unless this was done before.
    pub(super) async fn ensure(&self, server: &Server, name: &str) -> Result<(), PlaneError> {
        // It must be removed even if the answer never comes.
        if *self.made().entry(name.to_owned()).or_insert(false) {
            return Ok(());
        }
        let manifest = json!({
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {
                "name": name,
                "labels": { MANAGED_BY.0: MANAGED_BY.1 },
                "annotations": { OWNER: self.user.owner.annotation() },
            },
        });
        let request = namespaces().create(&PostParams::default(), manifest.to_string().into_bytes());
        match server.ask::<Value>(request).await {
            // Another thread was quicker.
            Err(error) if has_code(&error, 409) => (),
            Err(error) => return Err(plane_error(&error, name)),
            Ok(_) => (),
        }
        self.made().insert(name.to_owned(), true);
        Ok(())
    }

    /// Removes the namespaces of this run.
    pub(super) async fn remove(&self, server: &Server) -> Result<(), Error> {
        let names = std::mem::take(&mut *self.made()).into_keys().collect();
        remove(server, names).await
    }

    /// Removes the namespaces of runs that have ended.
    pub(super) async fn remove_leftovers(&self, server: &Server) -> Result<(), Error> {
        let ours = server.our_namespaces().await?.into_iter().map(|namespace| namespace.metadata);
        let is_left = |annotation: &String| self.user.owner.outlives(annotation);
        let left =
            ours.filter(|one| one.deletion_timestamp.is_none() && one.annotations.get(OWNER).is_some_and(is_left));
        remove(server, left.map(|one| one.name).collect()).await
    }

    /// Ignores poisoning: nothing that could panic is done under this lock.
    fn made(&self) -> MutexGuard<'_, HashMap<String, bool>> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Removes all of them; the error is that of the first that failed.
async fn remove(server: &Server, names: Vec<String>) -> Result<(), Error> {
    let removals = stream::iter(names).map(|name| async move { server.remove_namespace(&name).await });
    let outcomes: Vec<_> = removals.buffer_unordered(REMOVED_AT_ONCE).collect().await;
    outcomes.into_iter().collect()
}
