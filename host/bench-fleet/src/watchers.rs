//! Wakes the processes that watch a fleet run, over a Unix socket in its folder. They read the state and the log from files; nothing that
//! they send is read.

use crate::collect::FleetFolder;
use crate::status::{LAUNCH, LOCK, RESERVE};
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::fd::AsRawFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

/// The name of the socket.
const SOCKET: &str = "socket";

/// The name of the file with the messages of the process that coordinates a run.
const LOG: &str = "coordinator.log";

/// A longer path does not fit into the address of a socket.
const PATH_BYTES_MAX: usize = 100;

/// The processes that watch a run. Each of them sees the end of its connection when this process ends.
#[derive(Debug)]
pub struct Watchers {
    connected: Arc<Mutex<Vec<UnixStream>>>,
    folder: FleetFolder,
}

impl Watchers {
    /// Accepts watchers of the run in `folder` on a thread of its own.
    pub fn listen(folder: &FleetFolder) -> io::Result<Self> {
        // Only the holder of the folder's lock listens, so a socket that is there is of a process that was killed.
        let _ = fs::remove_file(folder.path().join(SOCKET));
        let listener = at_socket(folder.path(), |path| UnixListener::bind(path))?;
        let connected = Arc::new(Mutex::new(Vec::new()));
        let watchers = Arc::clone(&connected);
        thread::Builder::new().name("watchers".to_owned()).spawn(move || accept(&listener, &watchers))?;
        Ok(Self { connected, folder: folder.clone() })
    }

    /// Tells all watchers that there is something new in the files.
    pub fn wake(&self) {
        lock(&self.connected).retain(wake);
    }

    /// A function that does so, for other threads.
    pub fn waker(&self) -> impl Fn() + Send + 'static + use<> {
        let connected = Arc::clone(&self.connected);
        move || lock(&connected).retain(wake)
    }
}

impl Drop for Watchers {
    fn drop(&mut self) {
        let _ = fs::remove_file(self.folder.path().join(SOCKET));
    }
}

fn accept(listener: &UnixListener, connected: &Mutex<Vec<UnixStream>>) {
    for stream in listener.incoming() {
        // A watcher that stopped reading must not stop the run.
        let Some(stream) = stream.ok().filter(|stream| stream.set_nonblocking(true).is_ok()) else { continue };
        let mut connected = lock(connected);
        // What happened while it connected is new to it.
        if wake(&stream) {
            connected.push(stream);
        }
    }
}

/// Wakes one watcher. Returns whether it is still there.
fn wake(mut stream: &UnixStream) -> bool {
    match stream.write_all(b"\n") {
        Ok(()) => true,
        // It has not yet read that it was woken before.
        Err(error) => error.kind() == io::ErrorKind::WouldBlock,
    }
}

fn lock(connected: &Mutex<Vec<UnixStream>>) -> MutexGuard<'_, Vec<UnixStream>> {
    connected.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Calls `call` with a path of the socket in `folder` that fits into an address.
fn at_socket<T>(folder: &Path, call: impl FnOnce(&Path) -> io::Result<T>) -> io::Result<T> {
    let path = folder.join(SOCKET);
    if path.as_os_str().len() <= PATH_BYTES_MAX {
        return call(&path);
    }
    let open = File::open(folder)?;
    call(&PathBuf::from(format!("/proc/self/fd/{}/{SOCKET}", open.as_raw_fd())))
}

impl FleetFolder {
    /// Connects to the process that coordinates the run. Each byte that arrives says that there is something new; the end says that the
    /// process has ended.
    pub fn watch(&self) -> io::Result<UnixStream> {
        at_socket(self.path(), |path| UnixStream::connect(path))
    }

    /// The messages of the process that coordinates the run.
    pub fn log(&self) -> PathBuf {
        self.path().join(LOG)
    }

    /// Removes the folder of a run that never began: there is no spec in it.
    pub fn discard(&self) {
        if self.has_spec() {
            return;
        }
        for name in [SOCKET, LOG, LOCK, LAUNCH, RESERVE] {
            let _ = fs::remove_file(self.path().join(name));
        }
        let _ = fs::remove_dir(self.path());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    /// Checks the socket in a folder whose path has at least so many bytes.
    #[track_caller]
    fn check(path_bytes: usize) {
        let out = tempfile::tempdir().unwrap();
        let folder = FleetFolder::new(out.path(), &"r".repeat(path_bytes));
        assert!(folder.watch().is_err(), "nobody listens");
        let _lock = folder.begin().unwrap();
        let watchers = Watchers::listen(&folder).unwrap();
        let gone = folder.watch().unwrap();
        let mut watcher = folder.watch().unwrap();
        drop(gone);
        let mut byte = [0];
        watcher.read_exact(&mut byte).unwrap();
        assert_eq!(byte, *b"\n", "it is woken when it has connected");
        watchers.wake();
        watcher.read_exact(&mut byte).unwrap();
        // One that does not read is not waited for.
        (0..10_000).for_each(|_| watchers.wake());
        drop(watchers);
        assert!(folder.watch().is_err());
    }

    #[test]
    fn watchers_are_woken_and_never_waited_for() {
        check(1);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn path_of_the_folder_may_be_longer_than_an_address() {
        check(200);
    }
}
