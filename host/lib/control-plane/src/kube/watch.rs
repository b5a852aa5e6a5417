//! One watch: a request that the API server answers for as long as there are changes, repeated from the last version when it
//! ends.

use super::names::Resource;
use super::server::Server;
use super::wire::{self, Wire};
use super::{pause, refusal};
use crate::{Delivery, Event, Mailbox, PlaneError, Scope, Token};
use futures_util::{Stream, TryStreamExt};
use kube::Error;
use kube::api::{WatchEvent, WatchParams};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How many requests in a row may fail or yield nothing before the watch ends.
pub(super) const TRIES_MAX: u32 = 8;

/// An answer that lasts for this long counts as a success, even if nothing changed.
const LASTED: Duration = Duration::from_secs(1);

/// The receiver of changes. After it is ended, nothing arrives any more.
pub(super) struct Outlet {
    token: Token,
    mailbox: Mutex<Option<Arc<Mailbox>>>,
}

impl Outlet {
    pub(super) fn new(token: Token, mailbox: &Arc<Mailbox>) -> Self {
        Self { token, mailbox: Mutex::new(Some(Arc::clone(mailbox))) }
    }

    fn deliver(&self, delivery: Delivery) {
        if let Some(mailbox) = self.mailbox.lock().unwrap_or_else(PoisonError::into_inner).as_ref() {
            mailbox.deliver(self.token, delivery);
        }
    }

    pub(super) fn end(&self) {
        self.mailbox.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

/// A watch of one scope.
pub(super) struct Watch {
    pub(super) server: Server,
    pub(super) resource: Resource,
    /// Its namespace in the API server.
    pub(super) namespace: String,
    pub(super) scope: Scope,
    /// The version of the last change, or of a bookmark after it.
    pub(super) version: u64,
    pub(super) outlet: Arc<Outlet>,
    pub(super) first_pause: Duration,
}

impl Watch {
    /// Requests the changes after the version.
    pub(super) async fn open(
        &self,
    ) -> Result<impl Stream<Item = Result<WatchEvent<Wire>, Error>> + Send + use<>, Error> {
        // For an API server, version 0 means any version. Nothing is written before 1.
        let from = self.version.max(1).to_string();
        let request = self.resource.within(&self.namespace).watch(&WatchParams::default(), &from);
        self.server.client.request_events::<Wire>(request.map_err(Error::BuildRequest)?).await
    }

    /// The error of a watch that cannot be opened.
    pub(super) async fn open_error(&self, error: &Error) -> PlaneError {
        match error {
            Error::Api(status) if refusal::is_gone(status) => {
                self.server.too_old(&self.resource, &self.namespace).await
            }
            error => refusal::plane_error(error, ""),
        }
    }

    /// Delivers changes until the owner of the outlet ends it, or until the watch fails: then the error is the last delivery.
    pub(super) async fn run(mut self, first: impl Stream<Item = Result<WatchEvent<Wire>, Error>> + Send) {
        let mut tries = 0;
        let mut outcome = self.pass_on(first, &mut tries).await;
        while outcome.is_ok() {
            outcome = match self.open().await {
                Ok(events) => self.pass_on(events, &mut tries).await,
                Err(error) if refusal::is_passing(&error) => self.try_again(&mut tries, &refusal::line(&error)).await,
                Err(error) => Err(self.open_error(&error).await),
            };
        }
        if let Err(error) = outcome {
            self.outlet.deliver(Err(error));
        }
    }

    /// Delivers the changes of one answer. `Ok` means that the watch can continue with another request.
    async fn pass_on(
        &mut self,
        events: impl Stream<Item = Result<WatchEvent<Wire>, Error>> + Send,
        tries: &mut u32,
    ) -> Result<(), PlaneError> {
        let mut events = pin!(events);
        let begin = tokio::time::Instant::now();
        let (before, mut why) = (self.version, "the answer ended".to_owned());
        loop {
            match events.try_next().await {
                Ok(Some(WatchEvent::Error(status))) if refusal::is_gone(&status) => {
                    return Err(self.server.too_old(&self.resource, &self.namespace).await);
                }
                Ok(Some(WatchEvent::Error(status))) => {
                    let error = Error::Api(status);
                    if !refusal::is_passing(&error) {
                        return Err(refusal::plane_error(&error, ""));
                    }
                    why = refusal::line(&error);
                    break;
                }
                Ok(Some(event)) => self.pass(event)?,
                Ok(None) => break,
                Err(error) => {
                    why = refusal::line(&error);
                    break;
                }
            }
        }
        if self.version != before || begin.elapsed() >= LASTED {
            *tries = 0;
            return Ok(());
        }
        self.try_again(tries, &why).await
    }

    /// Waits before the next try; fails after the last one.
    async fn try_again(&self, tries: &mut u32, why: &str) -> Result<(), PlaneError> {
        *tries += 1;
        if *tries >= TRIES_MAX {
            let reason = format!("the watch broke off, and {tries} retries in a row failed: {why}");
            return Err(PlaneError::Unavailable(reason));
        }
        pause(self.first_pause * (1 << (*tries - 1))).await;
        Ok(())
    }

    fn pass(&mut self, event: WatchEvent<Wire>) -> Result<(), PlaneError> {
        let event = match event {
            WatchEvent::Added(wire) => Event::Added(Arc::new(wire.object(&self.scope)?)),
            WatchEvent::Modified(wire) => Event::Modified(Arc::new(wire.object(&self.scope)?)),
            WatchEvent::Deleted(wire) => {
                Event::Deleted(wire.key(&self.scope), wire::version(&wire.metadata.resource_version)?)
            }
            WatchEvent::Bookmark(mark) => {
                self.version = wire::version(&mark.metadata.resource_version)?;
                return Ok(());
            }
            // Errors are handled before.
            WatchEvent::Error(status) => return Err(refusal::plane_error(&Error::Api(status), "")),
        };
        self.version = event.version();
        self.outlet.deliver(Ok(event));
        Ok(())
    }
}
