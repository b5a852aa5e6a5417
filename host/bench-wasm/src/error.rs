//! The errors of loading a component. Each text names the file and says what to do next.

use crate::missing::missing;
use std::path::{Path, PathBuf};
use wasmparser::{Validator, WasmFeatures};

/// The reason why a file cannot be loaded as a component.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The engine cannot be started on this machine.
    #[error("cannot start the WebAssembly engine: {0}")]
    Engine(String),
    /// The file cannot be read.
    #[error("{}: cannot be read: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// It is another file than the one that was described.
    #[error("{}: has changed since it was loaded; start again", .0.display())]
    Changed(PathBuf),
    /// It is not a WebAssembly file.
    #[error("{}: not a WebAssembly file; build a component with `cargo build --target wasm32-wasip2`", .0.display())]
    NotWasm(PathBuf),
    /// It is a core module.
    #[error("{}: a core module, not a component; build for wasm32-wasip2, or make a component of it with `bench-host wrap`", .0.display())]
    CoreModule(PathBuf),
    /// It begins like a component, but cannot be parsed.
    #[error("{}: damaged or incomplete: {reason}; build or copy it again", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The message of the parser.
        reason: String,
    },
    /// It uses a proposal of WebAssembly that the engine is configured or built without.
    #[error("{}: valid WebAssembly that this engine does not run: {reason}; build it without that proposal", path.display())]
    Proposal {
        /// The file.
        path: PathBuf,
        /// The message of the parser.
        reason: String,
    },
    /// It uses the functions, streams or futures of WASI 0.3, which this build or this engine does not run.
    #[error("{}: built for WASI 0.3, which this bench-host does not run; build it for WASI 0.2 and without `async` ({reason})", path.display())]
    Async {
        /// The file.
        path: PathBuf,
        /// The message of the parser.
        reason: String,
    },
    /// It holds more than any toolchain makes.
    #[error("{}: {reason}", path.display())]
    Shape {
        /// The file.
        path: PathBuf,
        /// The bound that it exceeds.
        reason: String,
    },
    /// Its instances do not fit into the pool, or it is damaged.
    #[error("{}: does not fit into the pool of instances: {reason}; use --engine on-demand", path.display())]
    Pool {
        /// The file.
        path: PathBuf,
        /// The reason.
        reason: String,
    },
    /// It is a core module that cannot be made a component.
    #[error("{}: {reason}", path.display())]
    Core {
        /// The file.
        path: PathBuf,
        /// Why, and what to do.
        reason: String,
    },
    /// It is a component, but exports nothing that a family can execute.
    #[error("{}: exports nothing to run: neither `bench-host:workload/plugin`, a command or an HTTP handler of WASI (`wasi:cli/run`, `wasi:http/incoming-handler`, `wasi:http/handler`), nor a function that can be called{}; build it with one of them, or begin with `bench-host new`", path.display(), in_brackets(left_out))]
    NothingToRun {
        /// The file.
        path: PathBuf,
        /// The functions that it exports, each with the reason why it cannot be called.
        left_out: Vec<String>,
    },
    /// It was built against another version of the WIT.
    #[error("{}: built against bench-host:workload {found}, but this host supports {ours}; rebuild it against wit/workload of this version", path.display())]
    Version {
        /// The file.
        path: PathBuf,
        /// The version that it exports.
        found: String,
        /// The version that this host supports.
        ours: &'static str,
    },
    /// It imports something that the host does not provide, or exports something with another type.
    #[error("{}: does not fit this host: {reason}; rebuild it against wit/ of this version", path.display())]
    Link {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        reason: String,
    },
    /// It imports interfaces that the host does not provide.
    #[error("{}: {reason}", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
        /// Which, and what to do.
        reason: String,
    },
    /// The call of `describe` failed.
    #[error("{}: `describe` failed: {reason}; run `bench-host check` for details", path.display())]
    Describe {
        /// The file.
        path: PathBuf,
        /// The reason.
        reason: String,
    },
    /// Something cannot be granted.
    #[error("{}: {reason}", path.display())]
    Grant {
        /// The file.
        path: PathBuf,
        /// The reason.
        reason: String,
    },
}

impl LoadError {
    /// The reason why the component in `bytes` cannot be compiled.
    pub(crate) fn compile(path: &Path, bytes: &[u8], error: &wasmtime::Error) -> Self {
        let (path, reason) = (path.to_owned(), one_line(error));
        let is_valid = || Validator::new_with_features(WasmFeatures::all()).validate_all(bytes).is_ok();
        match needs_async(&reason) {
            true => Self::Async { path, reason },
            false if is_valid() => Self::Proposal { path, reason },
            false => Self::Damaged { path, reason },
        }
    }

    /// The imports that are missing, else the error of the engine.
    pub(crate) fn imports(path: &Path, imports: &[String], further: &[&str], error: &wasmtime::Error) -> Self {
        match missing(imports, further) {
            Some(reason) => Self::Missing { path: path.to_owned(), reason },
            None => Self::link(path, error),
        }
    }

    /// The error of a component that is linked on an engine for WASI 0.3, if on any.
    pub(crate) fn later_wasi(path: &Path, error: &wasmtime::Error) -> Self {
        Self::Async { path: path.to_owned(), reason: one_line(error) }
    }

    pub(crate) fn link(path: &Path, error: &wasmtime::Error) -> Self {
        Self::Link { path: path.to_owned(), reason: one_line(error) }
    }
}

/// Whether the parser refused a component for what only components of WASI 0.3 contain: other engines have no support for concurrent
/// calls, because it would make every call slower. The parser tells it in its text alone.
fn needs_async(reason: &str) -> bool {
    let features = ["async", "async stackful", "more async builtins", "error-context", "threading"];
    features.iter().any(|feature| reason.contains(&format!("requires the component model {feature} feature")))
}

/// So many names are in one line.
const NAMES_MAX: usize = 5;

/// The first of `names`, and the number of the others, of which `more` says where they are shown.
pub fn first_few(mut names: impl ExactSizeIterator<Item = String>, separator: &str, more: &str) -> String {
    let mut shown: Vec<String> = names.by_ref().take(NAMES_MAX).collect();
    if names.len() > 0 {
        shown.push(format!("and {} more{more}", names.len()));
    }
    shown.join(separator)
}

/// The functions that are left out, in brackets; nothing if there is none.
fn in_brackets(left_out: &[String]) -> String {
    if left_out.is_empty() { String::new() } else { format!(" ({})", first_few(left_out.iter().cloned(), "; ", "")) }
}

/// An error and its causes as one line, each cause once.
pub fn one_line(error: &wasmtime::Error) -> String {
    let mut parts: Vec<String> = Vec::new();
    for cause in error.chain() {
        // The context of a trap is a backtrace of many lines; the first line has the location.
        let text = cause.to_string();
        let text = text.lines().next().unwrap_or_default().trim_end_matches(':').trim().to_owned();
        // Callers add which function was executing.
        let says_where = text.starts_with("error while executing at wasm backtrace");
        if !text.is_empty() && !says_where && !parts.iter().any(|part| part.contains(&text)) {
            parts.push(text);
        }
    }
    parts.join(": ")
}
