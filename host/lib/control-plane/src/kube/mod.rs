//! A control plane in a real API server, which the user's kubeconfig names. Kinds are defined and namespaces made there for
//! as long as they are used. Each call blocks until the server has answered.

mod api_server;
mod definitions;
mod kubeconfig;
mod names;
mod namespaces;
mod owner;
mod refusal;
mod server;
mod watch;
mod wire;

pub use api_server::{ApiError, ApiServer, Change, Collection};

use crate::{ControlPlane, Key, Listing, Mailbox, Object, PlaneError, Scope, Subscription, Token, spec};
use definitions::User;
use kubeconfig::{Places, unusable};
use names::Resource;
use namespaces::Namespaces;
use owner::Owner;
use server::{Place, Server};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::task::AbortHandle;
use watch::{Outlet, Watch};

/// Timeouts, which hold whatever the server does.
#[derive(Clone, Copy, Debug)]
struct Times {
    /// The timeout of one call.
    call: Duration,
    /// The timeout of the whole set-up, and of the whole clean-up: a server needs some seconds for a new kind.
    setup: Duration,
    /// The delay from a broken watch to the first retry; each further retry waits twice as long.
    pause: Duration,
}

/// A watch is retried for about 5 s, as long as an API server takes to restart.
const TIMES: Times =
    Times { call: Duration::from_secs(10), setup: Duration::from_secs(30), pause: Duration::from_millis(40) };

/// Objects in an API server. It differs from the trait in two points: fields are owned at every depth, by all managers that gave them
/// the same value; and applying a spec with an empty object leaves the content of that object.
pub struct Kube {
    server: Server,
    resources: Vec<Resource>,
    /// For how many of them this run may be registered.
    entered: AtomicUsize,
    user: User,
    namespaces: Namespaces,
    times: Times,
    /// Dropped last, because the clean-up needs it.
    runtime: Threads,
}

/// The runtime that waits for answers. Dropping it does not wait: a credential plug-in may hang for ever.
struct Threads(Option<Runtime>);

impl Kube {
    /// Connects to the API server of `KUBECONFIG`, `~/.kube/config` or the surrounding cluster, defines missing `kinds` there,
    /// and removes what killed runs left. Where that does not work within 30 seconds, the error is
    /// [`PlaneError::Unavailable`], in one line that says what to do.
    pub fn connect(kinds: &[&str]) -> Result<Self, PlaneError> {
        let owner = Owner::this();
        let user = User { run: owner.run(), owner };
        Self::connect_as(&Places::of_environment(), kinds, user, TIMES)
    }

    fn connect_as(places: &Places, kinds: &[&str], user: User, times: Times) -> Result<Self, PlaneError> {
        let runtime = Threads::start()?;
        let (server, origin) = reach(&runtime, places, times)?;
        let resources = kinds.iter().map(|kind| Resource::new(kind)).collect();
        let namespaces = Namespaces::new(user.clone());
        let plane = Self { server, resources, entered: AtomicUsize::new(0), user, namespaces, times, runtime };
        plane.runtime.wait(times.setup, plane.set_up(&origin)).map_err(|error| late(error, &origin, times))?;
        Ok(plane)
    }

    async fn set_up(&self, origin: &str) -> Result<(), PlaneError> {
        let removed = self.namespaces.remove_leftovers(&self.server).await;
        removed.map_err(|error| unusable(origin, &format!("cannot look for namespaces: {}", refusal::line(&error))))?;
        for resource in &self.resources {
            self.entered.fetch_add(1, Ordering::Relaxed);
            let entered = definitions::enter(&self.server, resource, &self.user).await;
            entered.map_err(|reason| unusable(origin, &reason))?;
        }
        Ok(())
    }

    /// Removes what this run created, as far as the server allows.
    async fn put_away(&self) -> Result<(), PlaneError> {
        let refused = |error| PlaneError::Unavailable(refusal::line(&error));
        let removed = self.namespaces.remove(&self.server).await;
        for resource in &self.resources[..self.entered.load(Ordering::Relaxed)] {
            definitions::leave(&self.server, resource, &self.user).await.map_err(refused)?;
        }
        removed.map_err(refused)
    }

    fn resource(&self, kind: &str) -> Result<&Resource, PlaneError> {
        self.resources.iter().find(|resource| resource.kind == kind).ok_or_else(|| {
            let known: Vec<_> = self.resources.iter().map(|resource| resource.kind.as_str()).collect();
            PlaneError::Invalid(format!("no kind `{kind}` is defined here; there is {}", known.join(", ")))
        })
    }

    fn place<'a>(&'a self, key: &'a Key) -> Result<Place<'a>, PlaneError> {
        names::check(key)?;
        Ok(Place { key, resource: self.resource(&key.kind)?, namespace: self.namespaces.name(&key.namespace) })
    }

    fn wait<T>(&self, answer: impl Future<Output = Result<T, PlaneError>>) -> Result<T, PlaneError> {
        self.runtime.wait(self.times.call, answer)
    }
}

impl ControlPlane for Kube {
    fn get(&self, key: &Key) -> Result<Arc<Object>, PlaneError> {
        let place = self.place(key)?;
        self.wait(self.server.get(&place))
    }

    fn create(&self, key: &Key, manager: &str, spec: &str) -> Result<Arc<Object>, PlaneError> {
        let (place, spec) = (self.place(key)?, spec::parse(spec, manager)?);
        self.wait(async {
            self.namespaces.ensure(&self.server, &place.namespace).await?;
            self.server.create(&place, manager, &spec).await
        })
    }

    fn apply(&self, key: &Key, manager: &str, spec: &str) -> Result<Arc<Object>, PlaneError> {
        let (place, spec) = (self.place(key)?, spec::parse(spec, manager)?);
        self.wait(async {
            self.namespaces.ensure(&self.server, &place.namespace).await?;
            self.server.apply(&place, manager, &spec).await
        })
    }

    fn update(&self, object: &Object, manager: &str) -> Result<Arc<Object>, PlaneError> {
        let (place, spec) = (self.place(&object.key)?, spec::parse(&object.spec, manager)?);
        self.wait(self.server.update(&place, manager, &spec, object.resource_version))
    }

    fn delete(&self, key: &Key) -> Result<(), PlaneError> {
        let place = self.place(key)?;
        self.wait(self.server.delete(&place))
    }

    fn list(&self, scope: &Scope) -> Result<Listing, PlaneError> {
        names::check_part(&scope.namespace, "namespace", &scope.namespace)?;
        let (resource, namespace) = (self.resource(&scope.kind)?, self.namespaces.name(&scope.namespace));
        self.wait(self.server.list(resource, &namespace, scope))
    }

    fn watch(
        &self,
        scope: &Scope,
        from: u64,
        token: Token,
        mailbox: &Arc<Mailbox>,
    ) -> Result<Subscription, PlaneError> {
        names::check_part(&scope.namespace, "namespace", &scope.namespace)?;
        let outlet = Arc::new(Outlet::new(token, mailbox));
        let watch = Watch {
            server: self.server.clone(),
            resource: self.resource(&scope.kind)?.clone(),
            namespace: self.namespaces.name(&scope.namespace),
            scope: scope.clone(),
            version: from,
            first_pause: self.times.pause,
            outlet: Arc::clone(&outlet),
        };
        self.wait(async {
            let events = match watch.open().await {
                Ok(events) => events,
                Err(error) => return Err(watch.open_error(&error).await),
            };
            let task = tokio::spawn(watch.run(events));
            Ok(Subscription::new(move || {
                outlet.end();
                task.abort();
            }))
        })
    }
}

impl Drop for Kube {
    fn drop(&mut self) {
        if let Err(error) = self.runtime.wait(self.times.setup, self.put_away()) {
            tracing::warn!("some objects of run {} are not removed: {error}; the next run removes them", self.user.run);
        }
    }
}

impl std::fmt::Debug for Kube {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Kube").field("run", &self.user.run).finish_non_exhaustive()
    }
}

/// Makes a client of the API server that `places` name. Returns it, and where it was found.
fn reach(runtime: &Threads, places: &Places, times: Times) -> Result<(Server, String), PlaneError> {
    let found = runtime.wait(times.call, places.find())?;
    let origin = found.origin.clone();
    let client = runtime
        .wait(times.setup, async { tokio::task::spawn_blocking(|| found.client()).await.expect("it does not panic") });
    let client = client.map_err(|error| late(error, &origin, times))?;
    Ok((Server { client }, origin))
}

/// The error, with what to do if the set-up took too long.
fn late(error: PlaneError, origin: &str, times: Times) -> PlaneError {
    match error {
        PlaneError::Unavailable(reason) if reason == no_answer(times.setup) => unusable(origin, &reason),
        error => error,
    }
}

impl Threads {
    fn start() -> Result<Self, PlaneError> {
        let threads = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("control-plane")
            .enable_all()
            .build();
        let threads = threads.map_err(|error| {
            PlaneError::Unavailable(format!("cannot start the thread that waits for answers: {error}"))
        })?;
        Ok(Self(Some(threads)))
    }

    /// Runs `task` until it ends or is aborted.
    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) -> AbortHandle {
        self.0.as_ref().expect("it is there until it is dropped").spawn(task).abort_handle()
    }

    /// Waits for `answer`, at most for `time`.
    fn wait<T>(&self, time: Duration, answer: impl Future<Output = Result<T, PlaneError>>) -> Result<T, PlaneError> {
        let runtime = self.0.as_ref().expect("it is there until it is dropped");
        let answered = runtime.block_on(async { tokio::time::timeout(time, answer).await });
        answered.unwrap_or_else(|_| Err(PlaneError::Unavailable(no_answer(time))))
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

fn no_answer(time: Duration) -> String {
    format!("the API server did not answer within {} ms", time.as_millis())
}

/// Sleeps; the waiting task can be aborted meanwhile.
async fn pause(time: Duration) {
    // The deadline ends it.
    let _ = tokio::time::timeout(time, std::future::pending::<()>()).await;
}

#[cfg(test)]
mod tests;
