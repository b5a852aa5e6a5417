//! Finds the API server in the user's kubeconfig, and says what to do where it does not work.

use super::refusal;
use crate::PlaneError;
use kube::config::{ExecInteractiveMode, KubeConfigOptions, Kubeconfig, KubeconfigError};
use kube::{Client, Config};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What can be done instead of using an API server.
pub(super) const INSTEAD: &str = ", or choose the control plane `embedded`";

/// The connection timeout.
const CONNECT_TIME: Duration = Duration::from_secs(5);

/// Where a kubeconfig is searched for, in this order.
#[derive(Clone, Debug)]
pub(super) struct Places {
    /// The value of `KUBECONFIG`: files, which are merged.
    pub(super) files: Option<OsString>,
    pub(super) home: Option<PathBuf>,
    /// Whether this process runs in a cluster, whose API server it can use.
    pub(super) is_in_cluster: bool,
}

/// The configuration of an API server, and where it was found.
pub(super) struct Found {
    config: Config,
    pub(super) origin: String,
}

impl Places {
    /// The places that the environment names.
    pub(super) fn of_environment() -> Self {
        Self {
            files: std::env::var_os("KUBECONFIG").filter(|files| !files.is_empty()),
            home: std::env::home_dir(),
            is_in_cluster: std::env::var_os("KUBERNETES_SERVICE_HOST").is_some(),
        }
    }

    /// Reads the first one that exists.
    pub(super) async fn find(&self) -> Result<Found, PlaneError> {
        if let Some(files) = &self.files {
            let origin = format!("kubeconfig {} (KUBECONFIG)", files.display());
            return from_file(origin, merged(files)).await;
        }
        let default = self.home.as_ref().map(|home| home.join(".kube").join("config"));
        if let Some(path) = default.as_deref().filter(|path| path.exists()) {
            return from_file(format!("kubeconfig {}", path.display()), Kubeconfig::read_from(path)).await;
        }
        if self.is_in_cluster {
            let origin = "the cluster that this process runs in".to_owned();
            let config = Config::incluster().map_err(|error| unusable(&origin, &refusal::causes(&error)))?;
            return Ok(Found::new(config, origin));
        }
        let looked = default
            .map_or_else(|| "there is no home folder".to_owned(), |path| format!("{} is not there", path.display()));
        Err(unusable("no kubeconfig", &format!("KUBECONFIG is not set and {looked}")))
    }
}

/// Merges the files of `KUBECONFIG`. Missing files are ignored unless all are missing.
fn merged(files: &OsString) -> Result<Kubeconfig, KubeconfigError> {
    let paths: Vec<_> = std::env::split_paths(files).filter(|path| !path.as_os_str().is_empty()).collect();
    let there: Vec<&Path> = paths.iter().map(PathBuf::as_path).filter(|path| path.exists()).collect();
    let read = if there.is_empty() { paths.iter().map(PathBuf::as_path).take(1).collect() } else { there };
    read.into_iter().try_fold(Kubeconfig::default(), |config, path| config.merge(Kubeconfig::read_from(path)?))
}

async fn from_file(origin: String, read: Result<Kubeconfig, KubeconfigError>) -> Result<Found, PlaneError> {
    let kubeconfig = read.map_err(|error| unusable(&origin, &refusal::causes(&error)))?;
    let context = kubeconfig.current_context.clone().filter(|context| !context.is_empty());
    let origin = match context {
        Some(context) => format!("{origin}, context {context}"),
        None => format!("{origin}, no context"),
    };
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await;
    let config = config.map_err(|error| unusable(&origin, &refusal::causes(&error)))?;
    Ok(Found::new(config, origin))
}

impl Found {
    fn new(mut config: Config, origin: String) -> Self {
        config.connect_timeout = Some(CONNECT_TIME);
        if let Some(exec) = &mut config.auth_info.exec {
            // Standard input of this process is not the user's.
            exec.interactive_mode = Some(ExecInteractiveMode::Never);
        }
        let host = config.cluster_url.host().unwrap_or_default();
        let port = config.cluster_url.port_u16().map(|port| format!(":{port}")).unwrap_or_default();
        let origin = format!("{origin}, server {host}{port}");
        Self { config, origin }
    }

    /// Makes a client. It blocks while a credential plug-in of the user's runs.
    pub(super) fn client(self) -> Result<Client, PlaneError> {
        Client::try_from(self.config).map_err(|error| unusable(&self.origin, &refusal::line(&error)))
    }
}

/// The error that the API server cannot be used, with a reason of one line.
pub(super) fn unusable(origin: &str, reason: &str) -> PlaneError {
    let reason = reason.split_whitespace().collect::<Vec<_>>().join(" ");
    PlaneError::Unavailable(format!("{origin}: {reason}; check that `kubectl get namespaces` works{INSTEAD}"))
}
