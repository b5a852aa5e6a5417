//! A cluster on this machine: it serves, and nothing of it is left however its owner ends.

use pg_cluster::{Cluster, ClusterError};
use rustix::process::{Pid, Signal, kill_process};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;

/// A cluster in `parent`; `None` with a message where this machine has no PostgreSQL.
fn cluster(parent: &Path) -> Option<Cluster> {
    match Cluster::start(parent, &[("wal_level", "minimal"), ("max_wal_senders", "0")]) {
        Err(ClusterError::Unavailable(reason)) => {
            eprintln!("skipped: {reason}");
            None
        }
        cluster => Some(cluster.unwrap()),
    }
}

/// A folder that the server's user can access.
fn parent() -> tempfile::TempDir {
    let parent = tempfile::tempdir().unwrap();
    std::fs::set_permissions(parent.path(), std::os::unix::fs::PermissionsExt::from_mode(0o711)).unwrap();
    parent
}

/// The answer to a request for an encrypted connection, which every server gives.
fn serves(cluster: &Cluster) -> bool {
    let ask = || {
        let mut stream = TcpStream::connect(cluster.address())?;
        stream.write_all(&[0, 0, 0, 8, 4, 210, 22, 47])?;
        let mut answer = [0];
        stream.read_exact(&mut answer)?;
        std::io::Result::Ok(answer[0] == b'N' || answer[0] == b'S')
    };
    ask().unwrap_or(false)
}

#[test]
fn cluster_serves_until_it_is_dropped() {
    let parent = parent();
    let Some(cluster) = cluster(parent.path()) else { return };
    assert!(serves(&cluster));
    assert!(cluster.url().contains(&cluster.address().to_string()), "{}", cluster.url());
    let process = cluster.process_id().unwrap();
    drop(cluster);
    assert!(!Path::new(&format!("/proc/{process}")).exists(), "the server runs on");
    assert_eq!(std::fs::read_dir(parent.path()).unwrap().count(), 0);
}

#[test]
fn killed_server_leaves_nothing() {
    let parent = parent();
    let Some(cluster) = cluster(parent.path()) else { return };
    let process = Pid::from_raw(cluster.process_id().unwrap().cast_signed()).unwrap();
    kill_process(process, Signal::KILL).unwrap();
    drop(cluster);
    assert_eq!(std::fs::read_dir(parent.path()).unwrap().count(), 0);
}

#[test]
fn refused_setting_is_reported_with_the_servers_message() {
    let parent = parent();
    let error = match Cluster::start(parent.path(), &[("shared_buffers", "no-size")]) {
        Err(ClusterError::Unavailable(reason)) => return eprintln!("skipped: {reason}"),
        other => other.unwrap_err().to_string(),
    };
    assert!(error.contains("FATAL: invalid value for parameter \"shared_buffers\""), "{error}");
    assert_eq!(std::fs::read_dir(parent.path()).unwrap().count(), 0);
}
