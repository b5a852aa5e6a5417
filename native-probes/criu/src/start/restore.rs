//! A server that is restored from a checkpoint taken after its first answer. It must not know what CRIU's messages look like.

use super::{Spawn, Start, failed};
use crate::Companion;
use crate::checkpoint::{NEXT_STEP, Tool, reason, restore_request, restored, statistics};
use crate::companion::init::{hex, order, unhex};
use crate::companion::role;
use crate::listener::{Listener, Silence};
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

/// Where images in memory are, in the namespace; its first process has made it.
const IMAGES_IN_MEMORY: &str = "/run/images";

/// Where CRIU keeps what it has learnt about the kernel, in the namespace.
const KERNEL_CACHE: &str = "/run/criu.kdat";

/// The memory of a process, among its images.
const PAGES: &str = "pages-1.img";

/// A checkpoint, and the namespace in which it is restored.
#[derive(Debug)]
pub(crate) struct Restore {
    // Dropped in order: everybody in the namespace before the images.
    namespace: Namespace,
    tool: Tool,
    lazy: bool,
    options: Options,
    /// The server's number in the namespace, the same after every restore.
    pid: String,
    /// What the listening socket is called in the images.
    socket: String,
    /// The images, as the namespace sees them.
    images: PathBuf,
    /// What the images are called, and their bytes. CRIU never ends where memory is cut off, so that is looked at before.
    sizes: Vec<(OsString, u64)>,
    /// The folder of the images, as a descriptor of the one who asks CRIU's worker.
    folder: u64,
    bare: Spawn,
    /// Whether CRIU has not said yet how it went.
    is_asked: bool,
    /// Whether something may run in the namespace.
    is_started: bool,
    done_ns: u64,
    _on_disk: Option<Folder>,
}

/// A folder that goes with its files when this is dropped.
#[derive(Debug)]
struct Folder(PathBuf);

impl Restore {
    /// Starts the server, has it answer once, and checkpoints it.
    pub(crate) fn new(
        lazy: bool,
        options: &Options,
        companion: Companion,
        listener: &Listener,
    ) -> Result<Self, ModuleError> {
        let mut namespace = Namespace::new(&companion, listener)?;
        let tool = Tool::find().ok_or_else(|| ModuleError::Unavailable(format!("there is no CRIU; {NEXT_STEP}")))?;
        check(&mut namespace, &tool, lazy)?;
        let on_disk = (options.images == Images::Disk).then(|| Folder::new(&options.directory)).transpose()?;
        let images = on_disk.as_ref().map_or_else(|| PathBuf::from(IMAGES_IN_MEMORY), |folder| folder.0.clone());
        let pid = serve(&mut namespace, options, &companion)?;
        let socket = warm(&namespace, &pid, listener)?;
        dump(&mut namespace, &tool, &images, &pid)?;
        let here = namespace.seen_here(&images);
        let sizes = sizes(&here).map_err(failed("the images cannot be listed"))?;
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

    /// The order that restores.
    fn order(&self) -> Vec<String> {
        let images = self.images.to_string_lossy();
        if self.options.caller == Caller::Standby {
            let request = restore_request(self.folder, &self.socket, 0);
            return vec![order::REQUEST.to_owned(), hex(&request)];
        }
        let inherited = format!("fd[0]:{}", self.socket);
        let mut arguments = vec!["restore", "-D", &images, "-d", "-v0", "--inherit-fd", &inherited];
        if !self.lazy {
            let call = self.tool.call(&arguments);
            return [vec![order::RUN.to_owned()], call].concat();
        }
        arguments.push("--lazy-pages");
        let behind = self.tool.call(&["lazy-pages", "-D", &images, "-v0", "--status-fd", "1"]);
        let count = behind.len().to_string();
        [vec![order::RUN_BEHIND.to_owned(), count], behind, self.tool.call(&arguments)].concat()
    }

    /// Takes CRIU's answer, and why where it did not restore.
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

    /// Why CRIU does not restore: said by another attempt, which may say what it likes.
    fn explained(&mut self, refusal: Option<String>) -> ModuleError {
        let images = self.images.to_string_lossy();
        let inherited = format!("fd[0]:{}", self.socket);
        let words = self.tool.call(&["restore", "-D", &images, "-d", "-v1", "--inherit-fd", &inherited]);
        let again = self.namespace.order(&[vec![order::ASK.to_owned()], words].concat());
        let reason = match again {
            Err(log) => reason(&log),
            Ok(_) => format!("it did when it was asked again; {}", refusal.unwrap_or_default()),
        };
        let _ = self.namespace.order(&[order::END, &self.pid]);
        ModuleError::Other(format!("CRIU does not restore the images in {images}: {reason}"))
    }

    /// Refuses images that have not the sizes they were written with.
    fn whole(&self) -> Result<(), ModuleError> {
        for (name, bytes) in &self.sizes {
            let file = self.images_here().join(name);
            let found = fs::metadata(&file).map_err(failed(&format!("the image {}", file.display())))?.len();
            if found != *bytes {
                let file = self.images.join(name);
                let reason =
                    format!("the image {} is damaged: it has {found} bytes instead of {bytes}", file.display());
                return Err(ModuleError::Other(reason));
            }
        }
        Ok(())
    }

    /// The folder of the images, as it is seen here.
    fn images_here(&self) -> PathBuf {
        self.namespace.seen_here(&self.images)
    }
}

impl Start for Restore {
    fn bare(&mut self, listener: &Listener) -> Result<Option<(&'static str, u64)>, ModuleError> {
        if self.options.images == Images::Disk {
            forget(&self.images_here()).map_err(failed("images cannot be dropped from the page cache"))?;
        }
        self.bare.prepare()?;
        let mut pending = listener.ask()?;
        let asked = Instant::now();
        self.bare.start()?;
        let answered = pending.answer(self.bare.watch());
        let ns = asked.elapsed().as_nanos() as u64;
        drop(pending);
        if answered.is_err() {
            self.bare.news(asked)?;
        }
        self.bare.end(asked)?;
        Ok(Some(("bare_restore", ns)))
    }

    fn prepare(&mut self) -> Result<(), ModuleError> {
        self.whole()?;
        if self.options.images == Images::Disk {
            forget(&self.images_here()).map_err(failed("images cannot be dropped from the page cache"))?;
        }
        if self.options.cache == Cache::Cold {
            match fs::remove_file(self.namespace.seen_here(Path::new(KERNEL_CACHE))) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(failed("CRIU's cache cannot be removed")(error));
                }
                _ => {}
            }
        }
        if self.options.caller == Caller::Standby {
            let folder = self.images.to_string_lossy().into_owned();
            let words = [vec![order::STAND_BY.to_owned(), folder], self.tool.call(&["swrk", "1"])].concat();
            let number = self.namespace.order(&words).map_err(ModuleError::Other)?;
            self.folder =
                number.parse().map_err(|_| ModuleError::Other(format!("a folder with the number {number}")))?;
        }
        Ok(())
    }

    fn start(&mut self) -> Result<(), ModuleError> {
        self.is_started = true;
        self.is_asked = true;
        let order = self.order();
        self.namespace.send(&order).map_err(ModuleError::Other)
    }

    fn watch(&self) -> Option<BorrowedFd<'_>> {
        self.namespace.watch()
    }

    fn news(&mut self, asked: Instant) -> Result<(), ModuleError> {
        self.answered(asked)
    }

    fn end(&mut self, asked: Instant) -> Result<Vec<(&'static str, u64)>, ModuleError> {
        if self.is_asked {
            self.answered(asked)?;
        }
        if std::mem::take(&mut self.is_started) {
            self.namespace.order(&[order::END, &self.pid]).map_err(ModuleError::Other)?;
        }
        let file = self.images_here().join("stats-restore");
        let said = fs::read(&file).map_err(failed(&format!("cannot read {}", file.display())))?;
        let said = statistics(&said).ok_or_else(|| {
            ModuleError::Other(format!(
                "{} is no statistics of a restore; another CRIU may write it otherwise",
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

/// Asks CRIU whether it works here, which also teaches it this kernel.
fn check(namespace: &mut Namespace, tool: &Tool, lazy: bool) -> Result<(), ModuleError> {
    let features: &[&str] = if lazy { &["check", "--feature", "uffd-noncoop"] } else { &["check"] };
    for arguments in [&["check"][..], features] {
        let asked = namespace.order(&[vec![order::ASK.to_owned()], tool.call(arguments)].concat());
        asked.map_err(|log| {
            let words = arguments.join(" ");
            ModuleError::Unavailable(format!("`criu {words}` says: {}; {NEXT_STEP}", reason(&log)))
        })?;
    }
    Ok(())
}

/// Starts the server in the namespace; its number.
fn serve(namespace: &mut Namespace, options: &Options, companion: &Companion) -> Result<String, ModuleError> {
    let environment = options.environment().map(|(name, value)| format!("{name}={value}"));
    let mut words = vec![order::SERVE.to_owned()];
    words.extend(environment);
    words.extend(companion.deed.map(|deed| deed.as_str().to_owned()));
    namespace.order(&words).map_err(ModuleError::Other)
}

/// Has the server answer once and close the connection; what its listening socket is called.
fn warm(namespace: &Namespace, pid: &str, listener: &Listener) -> Result<String, ModuleError> {
    let unwell =
        |reason: String| ModuleError::Other(format!("the function does not answer before its checkpoint: {reason}"));
    let mut pending = listener.ask()?;
    let answer = pending.answer(None).map_err(|silence| match silence {
        Silence::Failed(reason) => unwell(reason),
        Silence::Watched => unwell("the namespace has ended".to_owned()),
    })?;
    if answer.body != function_core::expected_response() {
        return Err(unwell(format!("it answers {} {}", answer.line, String::from_utf8_lossy(&answer.body))));
    }
    pending.hang_up().map_err(|error| unwell(error.to_string()))?;
    socket_of(namespace, pid)
}

/// What the listening socket of the server is called, if that is still there.
fn socket_of(namespace: &Namespace, pid: &str) -> Result<String, ModuleError> {
    let path = namespace.seen_here(Path::new(&format!("/proc/{pid}/fd/0")));
    let socket = fs::read_link(path).map_err(|_| {
        ModuleError::Other("the function has ended before its checkpoint, after its first answer".to_owned())
    })?;
    Ok(socket.to_string_lossy().into_owned())
}

/// Takes the checkpoint; the server is gone then.
fn dump(namespace: &mut Namespace, tool: &Tool, images: &Path, pid: &str) -> Result<(), ModuleError> {
    let folder = images.to_string_lossy();
    let call = tool.call(&["dump", "-D", &folder, "-t", pid, "-v1"]);
    if let Err(log) = namespace.order(&[vec![order::ASK.to_owned()], call].concat()) {
        socket_of(namespace, pid)?;
        return Err(ModuleError::Other(format!("CRIU takes no checkpoint of the function: {}", reason(&log))));
    }
    // It was killed by CRIU; here it is waited for, so that its number is free.
    namespace.order(&[order::END, pid]).map(drop).map_err(ModuleError::Other)
}

/// What is in the folder of images, with the bytes of each.
fn sizes(folder: &Path) -> io::Result<Vec<(OsString, u64)>> {
    let files = fs::read_dir(folder)?.map(|found| {
        let found = found?;
        Ok((found.file_name(), found.metadata()?.len()))
    });
    files.collect()
}

/// Sees that the files of `folder` have to be read from the disk.
fn forget(folder: &Path) -> io::Result<()> {
    for found in fs::read_dir(folder)? {
        let found = found?;
        // The lazy kind has left a socket there.
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
        // CRIU changes its folder, so that only an absolute path stays right.
        let parent = parent.canonicalize().map_err(failed(&format!("`directory` {}", parent.display())))?;
        let path = parent.join(format!("images-{}", NEXT.fetch_add(1, Ordering::Relaxed)));
        fs::create_dir(&path).map_err(failed(&format!("cannot make {}", path.display())))?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
