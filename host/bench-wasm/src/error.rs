//! Why a file is not a component this host runs. Each text names the file and says what to do next.

use std::path::{Path, PathBuf};

/// Why a file is not a component this host runs.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The engine does not start on this machine.
    #[error("the WebAssembly engine does not start: {0}")]
    Engine(String),
    /// The file cannot be read.
    #[error("{}: cannot be read: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is something else.
    #[error("{}: not a WebAssembly file; build a component with `cargo build --target wasm32-wasip2`", .0.display())]
    NotWasm(PathBuf),
    /// It is a core module.
    #[error("{}: a core module, not a component; build for wasm32-wasip2, or wrap it with `wasm-tools component new`", .0.display())]
    CoreModule(PathBuf),
    /// It begins like a component and does not go on like one.
    #[error("{}: damaged, or cut off: {reason}; build or copy it again", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What the parser found.
        reason: String,
    },
    /// It is a component, and no plug-in.
    #[error("{}: exports no `bench-host:workload/plugin`; a plug-in exports the world `bench-host:workload/workload` of wit/workload", .0.display())]
    NoPlugin(PathBuf),
    /// It was built against another version of the WIT.
    #[error("{}: built against bench-host:workload {found}; this host runs {ours}: rebuild it against wit/workload of this version", path.display())]
    Version {
        /// The file.
        path: PathBuf,
        /// What it exports.
        found: String,
        /// What this host runs.
        ours: &'static str,
    },
    /// It imports something, or exports something of another shape.
    #[error("{}: does not fit this host: {reason}; rebuild it against wit/ of this version", path.display())]
    Link {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        reason: String,
    },
    /// `describe` did not answer.
    #[error("{}: `describe` failed: {reason}; `bench-host check` tells more", path.display())]
    Describe {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// What is to be granted cannot be.
    #[error("{}: {reason}", path.display())]
    Grant {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}

impl LoadError {
    pub(crate) fn compile(path: &Path, error: &wasmtime::Error) -> Self {
        Self::Damaged { path: path.to_owned(), reason: one_line(error) }
    }

    pub(crate) fn link(path: &Path, error: &wasmtime::Error) -> Self {
        Self::Link { path: path.to_owned(), reason: one_line(error) }
    }
}

/// An error and its causes on one line, each cause once.
pub fn one_line(error: &wasmtime::Error) -> String {
    let mut parts: Vec<String> = Vec::new();
    for cause in error.chain() {
        // A trap's context is a backtrace over many lines; its first line says where.
        let text = cause.to_string();
        let text = text.lines().next().unwrap_or_default().trim_end_matches(':').trim().to_owned();
        // That it was executing is said by whoever called it.
        let says_where = text.starts_with("error while executing at wasm backtrace");
        if !text.is_empty() && !says_where && !parts.iter().any(|part| part.contains(&text)) {
            parts.push(text);
        }
    }
    parts.join(": ")
}
