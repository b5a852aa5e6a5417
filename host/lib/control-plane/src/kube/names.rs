//! Names in the API server: group, resources, namespaces, labels, and the paths of requests.

use crate::spec::check_named;
use crate::{Key, PlaneError};
use kube::core::Request;

/// The API group of every kind. Domains under `test` are reserved (RFC 2606), so no other project has it.
pub(super) const GROUP: &str = "bench-host.test";

/// The version of the kinds in it.
pub(super) const VERSION: &str = "v1";

/// The label of every namespace that bench-host created.
pub(super) const MANAGED_BY: (&str, &str) = ("app.kubernetes.io/managed-by", "bench-host");

/// The annotation of a namespace with its owner.
pub(super) const OWNER: &str = "bench-host.test/owner";

/// The prefix of the annotations of a definition that name its users; the run follows.
pub(super) const USER: &str = "bench-host.test/run-";

/// Definitions of kinds.
pub(super) fn definitions() -> Request {
    Request::new("/apis/apiextensions.k8s.io/v1/customresourcedefinitions")
}

pub(super) fn namespaces() -> Request {
    Request::new("/api/v1/namespaces")
}

/// A kind, with the names that the API server uses.
#[derive(Clone, Debug)]
pub(super) struct Resource {
    pub(super) kind: String,
    pub(super) plural: String,
}

impl Resource {
    pub(super) fn new(kind: &str) -> Self {
        Self { kind: kind.to_owned(), plural: format!("{}s", kind.to_lowercase()) }
    }

    /// The name of its definition.
    pub(super) fn definition(&self) -> String {
        format!("{}.{GROUP}", self.plural)
    }

    /// Requests about its objects in all namespaces.
    pub(super) fn everywhere(&self) -> Request {
        Request::new(format!("/apis/{GROUP}/{VERSION}/{}", self.plural))
    }

    /// Requests about its objects in a namespace.
    pub(super) fn within(&self, namespace: &str) -> Request {
        Request::new(format!("/apis/{GROUP}/{VERSION}/namespaces/{namespace}/{}", self.plural))
    }
}

/// Checks that no part of `key` is empty or needs escaping in a path.
pub(super) fn check(key: &Key) -> Result<(), PlaneError> {
    check_part(key, "namespace", &key.namespace)?;
    check_part(key, "name", &key.name)
}

pub(super) fn check_part(key: &dyn std::fmt::Display, what: &str, text: &str) -> Result<(), PlaneError> {
    check_named(key, what, text)?;
    let is_plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || "-.".contains(letter);
    match text.chars().find(|letter| !is_plain(*letter)) {
        None => Ok(()),
        Some(letter) => {
            let reason = format!("the {what} of `{key}` contains {letter:?}; a-z, 0-9, `-` and `.` are allowed");
            Err(PlaneError::Invalid(reason))
        }
    }
}
