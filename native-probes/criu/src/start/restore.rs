//! A server that is restored from a checkpoint taken after its first answer.

use super::{Spawn, Start, system_error};
use crate::Companion;
use crate::checkpoint::{NEXT_STEP, Tool, reason, restore_request, restored, statistics};
use crate::companion::init::{command, hex, unhex};
use crate::companion::role;
use crate::listener::{Listener, NoResponse};
use crate::namespace::Namespace;
use crate::options::{Cache, Caller, Images, Options};
use crate::start::spawn::Program;
use bench_model::ModuleError;
use rustix::fd::BorrowedFd;
use rustix::fs::{Advice, fadvise, fdatasync};
use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// The folder for images in memory, in the namespace, created by its first process.
const IMAGES_IN_MEMORY: &str = "/run/images";

/// CRIU's cache of kernel features, in the namespace.
const KERNEL_CACHE: &str = "/run/criu.kdat";

/// The image with the memory of the process.
const PAGES: &str = "pages-1.img";

/// A checkpoint, and the namespace in which it is restored.
#[derive(Debug)]
pub(crate) struct Restore {
    // Fields are dropped in order: the namespace before the images.
    namespace: Namespace,
    tool: Tool,
    lazy: bool,
    options: Options,
    /// The server's PID in the namespace, the same after every restore.
    pid: String,
    /// The name of the listening socket in the images.
    socket: String,
    /// The folder of the images in the namespace.
    images: PathBuf,
    /// Names and sizes of the images. CRIU hangs on truncated memory, so the sizes are checked before each restore.
    sizes: Vec<(OsString, u64)>,
    /// The folder of the images, as a descriptor of the process that sends requests to CRIU's worker.
    folder: u64,
    bare: Spawn,
    /// Whether CRIU's answer is still pending.
    is_asked: bool,
    /// Whether a process may run in the namespace.
    is_started: bool,
    done_ns: u64,
    _on_disk: Option<Folder>,
}

/// A folder that is removed with its files on drop.
#[derive(Debug)]
struct Folder(PathBuf);

impl Restore {
    /// Starts the server, sends it one request, and checkpoints it.
    pub(crate) fn new(
        lazy: bool,
        options: &Options,
        companion: Companion,
        listener: &Listener,
    ) -> Result<Self, ModuleError> {
        let mut namespace = Namespace::new(&companion, listener)?;
        let tool = Tool::find().ok_or_else(|| ModuleError::Unavailable(format!("CRIU was not found; {NEXT_STEP}")))?;
        check(&mut namespace, &tool, lazy)?;
        let on_disk = (options.images == Images::Disk).then(|| Folder::new(&options.directory)).transpose()?;
        let images = on_disk.as_ref().map_or_else(|| PathBuf::from(IMAGES_IN_MEMORY), |folder| folder.0.clone());
        let pid = serve(&mut namespace, options, &companion)?;
        let socket = warm(&namespace, &pid, listener)?;
        dump(&mut namespace, &tool, &images, &pid)?;
        let here = namespace.seen_here(&images);
        let sizes = sizes(&here).map_err(system_error("cannot list the checkpoint images"))?;
        let pages = here.join(PAGES);
        let arguments = vec![role::BARE.into(), pages.into()];
        let bare = Program { program: companion.program, arguments, environment: Vec::new() };
        let bare = Spawn::program(bare, listener)?;
        Ok(Self {
            namespace,
            tool,
            lazy,
            options: options.clone(),
            pid,
            socket,
            images,
            sizes,
            folder: 0,
            bare,
            is_asked: false,
            is_started: false,
            done_ns: 0,
            _on_disk: on_disk,
        })
    }

    /// The command that restores.
    fn restore_command(&self) -> Vec<String> {
        let images = self.images.to_string_lossy();
        if self.options.caller == Caller::Standby {
            let request = restore_request(self.folder, &self.socket, 0);
            return vec![command::REQUEST.to_owned(), hex(&request)];
        }
        let inherited = format!("fd[0]:{}", self.socket);
        let mut arguments = vec!["restore", "-D", &images, "-d", "-v0", "--inherit-fd", &inherited];
        if !self.lazy {
            let call = self.tool.call(&arguments);
            return [vec![command::RUN.to_owned()], call].concat();
        }
        arguments.push("--lazy-pages");
        let behind = self.tool.call(&["lazy-pages", "-D", &images, "-v0", "--status-fd", "1"]);
        let count = behind.len().to_string();
        [vec![command::RUN_BEHIND.to_owned(), count], behind, self.tool.call(&arguments)].concat()
    }

    /// Reads CRIU's answer; an error if it did not restore.
    fn answered(&mut self, asked: Instant) -> Result<(), ModuleError> {
        self.is_asked = false;
        let answer = self.namespace.answer();
        self.done_ns = asked.elapsed().as_nanos() as u64;
        let went_well = match (&answer, self.options.caller) {
            (Ok(answer), Caller::Standby) => unhex(answer).is_some_and(|answer| restored(&answer)),
            (Ok(_), Caller::Command) => true,
            (Err(_), _) => false,
        };
        if went_well { Ok(()) } else { Err(self.explained(answer.err())) }
    }

    /// Why CRIU cannot restore: repeats the restore with messages enabled.
    fn explained(&mut self, refusal: Option<String>) -> ModuleError {
        let images = self.images.to_string_lossy();
        let inherited = format!("fd[0]:{}", self.socket);
        let words = self.tool.call(&["restore", "-D", &images, "-d", "-v1", "--inherit-fd", &inherited]);
        let again = self.namespace.run(&[vec![command::ASK.to_owned()], words].concat());
        let reason = match again {
            Err(log) => reason(&log),
            Ok(_) => format!("a second attempt succeeded; {}", refusal.unwrap_or_default()),
        };
        let _ = self.namespace.run(&[command::END, &self.pid]);
        ModuleError::Other(format!("CRIU cannot restore the images in {images}: {reason}"))
    }

    /// Fails if an image does not have the size with which it was written.
    fn whole(&self) -> Result<(), ModuleError> {
        for (name, bytes) in &self.sizes {
            let file = self.images_here().join(name);
            let found = fs::metadata(&file).map_err(system_error(&format!("the image {}", file.display())))?.len();
            if found != *bytes {
                let file = self.images.join(name);
                let reason =
                    format!("the image {} is damaged: it has {found} bytes instead of {bytes}", file.display());
                return Err(ModuleError::Other(reason));
            }
        }
        Ok(())
    }

    /// The folder of the images outside of the namespace.
    fn images_here(&self) -> PathBuf {
        self.namespace.seen_here(&self.images)
    }
}

impl Start for Restore {
    fn bare(&mut self, listener: &Listener) -> Result<Option<(&'static str, u64)>, ModuleError> {
        if self.options.images == Images::Disk {
            forget(&self.images_here()).map_err(system_error("cannot drop images from the page cache"))?;
        }
        self.bare.prepare()?;
        let mut pending = listener.ask()?;
        let asked = Instant::now();
        self.bare.start()?;
        let answered = pending.answer(self.bare.watch());
        let ns = asked.elapsed().as_nanos() as u64;
        drop(pending);
        if answered.is_err() {
            self.bare.handle_change(asked)?;
        }
        self.bare.end(asked)?;
        Ok(Some(("bare_restore", ns)))
    }

    fn prepare(&mut self) -> Result<(), ModuleError> {
        self.whole()?;
        if self.options.images == Images::Disk {
            forget(&self.images_here()).map_err(system_error("cannot drop images from the page cache"))?;
        }
        if self.options.cache == Cache::Cold {
            match fs::remove_file(self.namespace.seen_here(Path::new(KERNEL_CACHE))) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(system_error("cannot remove CRIU's cache")(error));
                }
                _ => {}
            }
        }
        if self.options.caller == Caller::Standby {
            let folder = self.images.to_string_lossy().into_owned();
            let words = [vec![command::STAND_BY.to_owned(), folder], self.tool.call(&["swrk", "1"])].concat();
            let number = self.namespace.run(&words).map_err(ModuleError::Other)?;
            self.folder = number
                .parse()
                .map_err(|_| ModuleError::Other(format!("malformed descriptor of the folder: {number}")))?;
        }
        Ok(())
    }

    fn start(&mut self) -> Result<(), ModuleError> {
        self.is_started = true;
        self.is_asked = true;
        let command = self.restore_command();
        self.namespace.send(&command).map_err(ModuleError::Other)
    }

    fn watch(&self) -> Option<BorrowedFd<'_>> {
        self.namespace.watch()
    }

    fn handle_change(&mut self, asked: Instant) -> Result<(), ModuleError> {
        self.answered(asked)
    }

    fn end(&mut self, asked: Instant) -> Result<Vec<(&'static str, u64)>, ModuleError> {
        if self.is_asked {
            self.answered(asked)?;
        }
        if std::mem::take(&mut self.is_started) {
            self.namespace.run(&[command::END, &self.pid]).map_err(ModuleError::Other)?;
        }
        let file = self.images_here().join("stats-restore");
        let said = fs::read(&file).map_err(system_error(&format!("cannot read {}", file.display())))?;
        let said = statistics(&said).ok_or_else(|| {
            ModuleError::Other(format!(
                "{} is not a statistics file of a restore; this version of CRIU may write another format",
                file.display()
            ))
        })?;
        Ok(vec![
            ("image", self.done_ns.saturating_sub(said.restore_ns)),
            ("forking", said.forking_ns),
            ("restore", said.restore_ns),
        ])
    }
}

/// Runs `criu check`, which also fills its cache of kernel features.
fn check(namespace: &mut Namespace, tool: &Tool, lazy: bool) -> Result<(), ModuleError> {
    let features: &[&str] = if lazy { &["check", "--feature", "uffd-noncoop"] } else { &["check"] };
    for arguments in [&["check"][..], features] {
        let asked = namespace.run(&[vec![command::ASK.to_owned()], tool.call(arguments)].concat());
        asked.map_err(|log| {
            let words = arguments.join(" ");
            ModuleError::Unavailable(format!("`criu {words}` failed: {}; {NEXT_STEP}", reason(&log)))
        })?;
    }
    Ok(())
}

/// Starts the server in the namespace and returns its PID.
fn serve(namespace: &mut Namespace, options: &Options, companion: &Companion) -> Result<String, ModuleError> {
    let environment = options.environment().map(|(name, value)| format!("{name}={value}"));
    let mut words = vec![command::SERVE.to_owned()];
    words.extend(environment);
    words.extend(companion.fault.map(|fault| fault.as_str().to_owned()));
    namespace.run(&words).map_err(ModuleError::Other)
}

/// Sends the server one request and closes the connection; returns the name of its listening socket.
fn warm(namespace: &Namespace, pid: &str, listener: &Listener) -> Result<String, ModuleError> {
    let unwell = |reason: String| ModuleError::Other(format!("the function failed before its checkpoint: {reason}"));
    let mut pending = listener.ask()?;
    let answer = pending.answer(None).map_err(|no_response| match no_response {
        NoResponse::Failed(reason) => unwell(reason),
        NoResponse::Watched => unwell("the namespace has ended".to_owned()),
    })?;
    if answer.body != function_core::expected_response() {
        return Err(unwell(format!("it responded {} {}", answer.line, String::from_utf8_lossy(&answer.body))));
    }
    pending.hang_up().map_err(|error| unwell(error.to_string()))?;
    socket_of(namespace, pid)
}

/// The name of the listening socket of the server, if that is still running.
fn socket_of(namespace: &Namespace, pid: &str) -> Result<String, ModuleError> {
    let path = namespace.seen_here(Path::new(&format!("/proc/{pid}/fd/0")));
    let socket = fs::read_link(path).map_err(|_| {
        ModuleError::Other("the function exited before its checkpoint, after its first response".to_owned())
    })?;
    Ok(socket.to_string_lossy().into_owned())
}

/// Takes the checkpoint, which ends the server.
fn dump(namespace: &mut Namespace, tool: &Tool, images: &Path, pid: &str) -> Result<(), ModuleError> {
    let folder = images.to_string_lossy();
    let call = tool.call(&["dump", "-D", &folder, "-t", pid, "-v1"]);
    if let Err(log) = namespace.run(&[vec![command::ASK.to_owned()], call].concat()) {
        socket_of(namespace, pid)?;
        return Err(ModuleError::Other(format!("CRIU cannot checkpoint the function: {}", reason(&log))));
    }
    // CRIU killed it; reap it, so that its PID is free.
    namespace.run(&[command::END, pid]).map(drop).map_err(ModuleError::Other)
}

/// The files in the folder of images, with their sizes.
fn sizes(folder: &Path) -> io::Result<Vec<(OsString, u64)>> {
    let files = fs::read_dir(folder)?.map(|found| {
        let found = found?;
        Ok((found.file_name(), found.metadata()?.len()))
    });
    files.collect()
}

/// Drops the files of `folder` from the page cache.
fn forget(folder: &Path) -> io::Result<()> {
    for found in fs::read_dir(folder)? {
        let found = found?;
        // Lazy pages leave a socket there.
        if !found.file_type()?.is_file() {
            continue;
        }
        let file = File::open(found.path())?;
        fdatasync(&file)?;
        fadvise(&file, 0, None, Advice::DontNeed)?;
    }
    Ok(())
}

impl Folder {
    fn new(parent: &Path) -> Result<Self, ModuleError> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        // CRIU changes its working directory, so only an absolute path stays valid.
        let parent = parent.canonicalize().map_err(system_error(&format!("`directory` {}", parent.display())))?;
        let path = parent.join(format!("images-{}", NEXT.fetch_add(1, Ordering::Relaxed)));
        fs::create_dir(&path).map_err(system_error(&format!("cannot create {}", path.display())))?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
