//! The definition of a kind (a CustomResourceDefinition), which all runs on an API server share: the first run creates it,
//! each run registers in it, and the last one removes it. A definition of another owner is used as it is.

use super::names::{GROUP, MANAGED_BY, Resource, USER, VERSION, definitions};
use super::owner::Owner;
use super::refusal::{has_code, is_passing, line};
use super::server::Server;
use super::wire::{Wire, Wires};
use kube::Error;
use kube::api::{DeleteParams, GetParams, ListParams, Patch, PatchParams, PostParams, Preconditions, WatchParams};
use serde_json::{Value, json};
use std::time::Duration;

/// The time between two polls of a definition.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// A user of definitions: one run.
#[derive(Clone, Debug)]
pub(super) struct User {
    pub(super) run: String,
    pub(super) owner: Owner,
}

impl User {
    fn annotation(&self) -> String {
        format!("{USER}{}", self.run)
    }

    fn note(&self) -> Value {
        json!(self.owner.annotation())
    }

    /// Whether the annotation belongs to a run that ended without removing it.
    fn is_over(&self, annotation: &str, value: &str) -> bool {
        annotation.starts_with(USER) && self.owner.outlives(value)
    }
}

/// Makes sure that the API server knows `resource`, and waits for it. An error is one line.
pub(super) async fn enter(server: &Server, resource: &Resource, user: &User) -> Result<(), String> {
    let mut looks = tokio::time::interval(LOOK_EVERY);
    loop {
        looks.tick().await;
        let definition = read_or_make(server, resource, user).await?;
        if definition.is_some_and(|definition| is_established(&definition)) {
            break;
        }
    }
    // A definition is established before it is served.
    loop {
        match is_served(server, resource).await {
            Ok(()) => return Ok(()),
            Err(error) if has_code(&error, 404) || is_passing(&error) => looks.tick().await,
            Err(error) => return Err(format!("cannot list and watch {}: {}", resource.plural, line(&error))),
        };
    }
}

/// Reads or creates the definition and registers `user` in it, if bench-host created it; `None` while it is being removed. An
/// error is one line.
async fn read_or_make(server: &Server, resource: &Resource, user: &User) -> Result<Option<Wire>, String> {
    let name = resource.definition();
    let failed = |what: &str, error: &Error| Err(format!("cannot {what} the definition {name}: {}", line(error)));
    let definition: Wire = match server.ask(definitions().get(&name, &GetParams::default())).await {
        Ok(definition) => definition,
        Err(error) if has_code(&error, 404) => {
            let body = manifest(resource, user).to_string().into_bytes();
            return match server.ask(definitions().create(&PostParams::default(), body)).await {
                Ok(definition) => Ok(Some(definition)),
                // Another run created it in between.
                Err(error) if has_code(&error, 409) => Ok(None),
                Err(error) => failed("make", &error),
            };
        }
        Err(error) => return failed("read", &error),
    };
    let metadata = &definition.metadata;
    if metadata.deletion_timestamp.is_some() {
        return Ok(None);
    }
    check_names(&definition)?;
    if !is_ours(&definition) || metadata.annotations.contains_key(&user.annotation()) {
        return Ok(Some(definition));
    }
    match note(server, &name, &definition, user, user.note()).await {
        // Its removal may have begun since it was read, and with it that of the annotation.
        Ok(definition) => Ok(Some(definition).filter(|one| one.metadata.deletion_timestamp.is_none())),
        Err(error) if has_code(&error, 404) => Ok(None),
        Err(error) => failed("mark", &error),
    }
}

/// Checks that objects can be listed and watched; a server may serve one before the other.
async fn is_served(server: &Server, resource: &Resource) -> Result<(), Error> {
    let listed: Wires = server.ask(resource.everywhere().list(&ListParams::default().limit(1))).await?;
    let request = resource.everywhere().watch(&WatchParams::default(), &listed.metadata.resource_version);
    server.client.request_events::<Wire>(request.map_err(Error::BuildRequest)?).await.map(drop)
}

/// Unregisters `user` from the definition, and removes the definition where no other run uses it.
pub(super) async fn leave(server: &Server, resource: &Resource, user: &User) -> Result<(), Error> {
    let name = resource.definition();
    let definition: Wire = match server.ask(definitions().get(&name, &GetParams::default())).await {
        Err(error) if has_code(&error, 404) => return Ok(()),
        read => read?,
    };
    if !is_ours(&definition) || definition.metadata.deletion_timestamp.is_some() {
        return Ok(());
    }
    let definition = note(server, &name, &definition, user, Value::Null).await?;
    if definition.metadata.annotations.keys().any(|annotation| annotation.starts_with(USER)) {
        return Ok(());
    }
    // A run that registered in between changed the version, so the removal fails and the definition stays.
    let seen = definition.metadata;
    let unchanged = Preconditions { resource_version: Some(seen.resource_version), uid: Some(seen.uid) };
    let params = DeleteParams { preconditions: Some(unchanged), ..DeleteParams::default() };
    match server.ask::<Value>(definitions().delete(&name, &params)).await {
        Err(error) if has_code(&error, 409) => Ok(()),
        removed => removed.map(drop),
    }
}

/// Sets the annotation of `user`, and removes those of runs that have ended.
async fn note(server: &Server, name: &str, definition: &Wire, user: &User, value: Value) -> Result<Wire, Error> {
    let annotations = &definition.metadata.annotations;
    let over = annotations.iter().filter(|(annotation, value)| user.is_over(annotation, value));
    let mut changes: serde_json::Map<_, _> = over.map(|(annotation, _)| (annotation.clone(), Value::Null)).collect();
    changes.insert(user.annotation(), value);
    let patch = json!({ "metadata": { "annotations": changes } });
    server.ask(definitions().patch(name, &PatchParams::default(), &Patch::Merge(patch))).await
}

fn is_ours(definition: &Wire) -> bool {
    definition.metadata.labels.get(MANAGED_BY.0).is_some_and(|value| value == MANAGED_BY.1)
}

/// Checks that the server accepts the names of the kind. An error is one line.
fn check_names(definition: &Wire) -> Result<(), String> {
    let refused = definition.status.conditions.iter().find(|one| one.what == "NamesAccepted" && one.status == "False");
    refused.map_or(Ok(()), |refused| {
        Err(format!("the definition {} is not accepted: {}", definition.metadata.name, refused.message))
    })
}

fn is_established(definition: &Wire) -> bool {
    definition.status.conditions.iter().any(|one| one.what == "Established" && one.status == "True")
}

fn manifest(resource: &Resource, user: &User) -> Value {
    let (kind, plural) = (&resource.kind, &resource.plural);
    let schema = json!({
        "type": "object",
        "properties": { "spec": { "type": "object", "x-kubernetes-preserve-unknown-fields": true } },
    });
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": resource.definition(),
            "labels": { MANAGED_BY.0: MANAGED_BY.1 },
            "annotations": { user.annotation(): user.note() },
        },
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": { "kind": kind, "listKind": format!("{kind}List"), "plural": plural, "singular": kind.to_lowercase() },
            "versions": [{ "name": VERSION, "served": true, "storage": true, "schema": { "openAPIV3Schema": schema } }],
        },
    })
}
