//! One API server and the objects in it: each call is one or two requests, whose answer is an object or a refusal.

use super::names::{Resource, namespaces};
use super::refusal;
use super::wire::{self, Wire, Wires};
use crate::spec::Spec;
use crate::{Key, Listing, Object, PlaneError, Scope};
use kube::api::{DeleteParams, GetParams, ListParams, Patch, PatchParams, PostParams};
use kube::core::request::Error as Unbuilt;
use kube::{Client, Error};
use serde::de::DeserializeOwned;
use std::sync::Arc;

/// A request, or the error of building it.
pub(super) type Built = Result<http::Request<Vec<u8>>, Unbuilt>;

/// An API server.
#[derive(Clone)]
pub(super) struct Server {
    pub(super) client: Client,
}

/// The place of one object in a request.
pub(super) struct Place<'a> {
    pub(super) key: &'a Key,
    pub(super) resource: &'a Resource,
    /// The name of its namespace in the API server.
    pub(super) namespace: String,
}

impl Server {
    /// Sends `request` and returns the server's answer.
    pub(super) async fn ask<T: DeserializeOwned>(&self, request: Built) -> Result<T, Error> {
        self.client.request(request.map_err(Error::BuildRequest)?).await
    }

    pub(super) async fn get(&self, place: &Place<'_>) -> Result<Arc<Object>, PlaneError> {
        let request = place.objects().get(&place.key.name, &GetParams::default());
        place.object(self.ask(request).await)
    }

    pub(super) async fn create(
        &self,
        place: &Place<'_>,
        manager: &str,
        spec: &Spec,
    ) -> Result<Arc<Object>, PlaneError> {
        let body = wire::body(place.resource, &place.key.name, spec, None);
        let request = place.objects().create(&written_by(manager), body);
        let made = place.object(self.ask(request).await);
        self.with_version(place, made).await
    }

    pub(super) async fn apply(&self, place: &Place<'_>, manager: &str, spec: &Spec) -> Result<Arc<Object>, PlaneError> {
        let mut body = wire::object(place.resource, &place.key.name, spec, None);
        // For an API server, an empty object owns all its content and keeps it, so an empty spec must be left out.
        if spec.is_empty()
            && let Some(fields) = body.as_object_mut()
        {
            fields.remove("spec");
        }
        let params = PatchParams::apply(manager);
        let request = place.objects().patch(&place.key.name, &params, &Patch::Apply(body));
        let applied = place.object(self.ask(request).await);
        self.with_version(place, applied).await
    }

    pub(super) async fn update(
        &self,
        place: &Place<'_>,
        manager: &str,
        spec: &Spec,
        version: u64,
    ) -> Result<Arc<Object>, PlaneError> {
        // For an API server, version 0 means any version. Here no object has it.
        if version == 0 {
            return self.with_version(place, Err(PlaneError::Conflict(0))).await;
        }
        let body = wire::body(place.resource, &place.key.name, spec, Some(version));
        let request = place.objects().replace(&place.key.name, &written_by(manager), body);
        let updated = place.object(self.ask(request).await);
        self.with_version(place, updated).await
    }

    pub(super) async fn delete(&self, place: &Place<'_>) -> Result<(), PlaneError> {
        let request = place.objects().delete(&place.key.name, &DeleteParams::default());
        let answer = self.ask::<serde_json::Value>(request).await;
        answer.map(drop).map_err(|error| refusal::plane_error(&error, &place.key.name))
    }

    pub(super) async fn list(
        &self,
        resource: &Resource,
        namespace: &str,
        scope: &Scope,
    ) -> Result<Listing, PlaneError> {
        let request = resource.within(namespace).list(&ListParams::default());
        let wires: Wires = self.ask(request).await.map_err(|error| refusal::plane_error(&error, ""))?;
        let objects = wires.items.into_iter().map(|wire| wire.object(scope).map(Arc::new));
        let mut objects = objects.collect::<Result<Vec<_>, _>>()?;
        objects.sort_unstable_by(|a, b| a.key.name.cmp(&b.key.name));
        Ok(Listing { objects, version: wire::version(&wires.metadata.resource_version)? })
    }

    /// A version at which a watch can begin: the current one, because the server does not tell the oldest.
    pub(super) async fn too_old(&self, resource: &Resource, namespace: &str) -> PlaneError {
        let request = resource.within(namespace).list(&ListParams::default().limit(1));
        let listed = self.ask::<Wires>(request).await.map_err(|error| refusal::plane_error(&error, ""));
        match listed.and_then(|wires| wire::version(&wires.metadata.resource_version)) {
            Ok(oldest) => PlaneError::TooOld { oldest },
            Err(error) => error,
        }
    }

    /// Adds the current version of the object to a conflict, because the refusal does not have it.
    async fn with_version(
        &self,
        place: &Place<'_>,
        outcome: Result<Arc<Object>, PlaneError>,
    ) -> Result<Arc<Object>, PlaneError> {
        match outcome {
            Err(PlaneError::Conflict(_)) => Err(PlaneError::Conflict(self.get(place).await?.resource_version)),
            outcome => outcome,
        }
    }

    /// Removes a namespace and all that is in it, if it is there.
    pub(super) async fn remove_namespace(&self, name: &str) -> Result<(), Error> {
        let removed = self.ask::<serde_json::Value>(namespaces().delete(name, &DeleteParams::background())).await;
        match removed {
            // It is gone, or is being removed.
            Err(error) if refusal::has_code(&error, 404) || refusal::has_code(&error, 409) => Ok(()),
            removed => removed.map(drop),
        }
    }

    /// The namespaces that any run of bench-host created.
    pub(super) async fn our_namespaces(&self) -> Result<Vec<Wire>, Error> {
        let (label, value) = super::names::MANAGED_BY;
        let ours = ListParams::default().labels(&format!("{label}={value}"));
        Ok(self.ask::<Wires>(namespaces().list(&ours)).await?.items)
    }
}

impl Place<'_> {
    fn objects(&self) -> kube::core::Request {
        self.resource.within(&self.namespace)
    }

    fn object(&self, answer: Result<Wire, Error>) -> Result<Arc<Object>, PlaneError> {
        let wire = answer.map_err(|error| refusal::plane_error(&error, &self.key.name))?;
        wire.object(&self.key.scope()).map(Arc::new)
    }
}

fn written_by(manager: &str) -> PostParams {
    PostParams { field_manager: Some(manager.to_owned()), ..PostParams::default() }
}
