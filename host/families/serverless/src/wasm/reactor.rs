//! The thread that waits on behalf of handlers: for clocks, connections, and what else the system announces. A call blocks its own thread
//! until it returns, inside of the server's run-time too, which wakes nobody meanwhile.

use bench_drivers::Grants;
use std::sync::OnceLock;
use tokio::runtime::{Builder, Runtime};

/// A run-time with one thread, started when it is first asked for. It ends with the process.
pub(super) fn reactor() -> Result<&'static Runtime, String> {
    static STARTED: OnceLock<Result<Runtime, String>> = OnceLock::new();
    let started = STARTED.get_or_init(|| {
        let built = Builder::new_multi_thread().worker_threads(1).thread_name("reactor").enable_all().build();
        built.map_err(|error| format!("no thread that waits for clocks and connections can be started: {error}"))
    });
    started.as_ref().map_err(Clone::clone)
}

/// Whether calls of a component with these imports must be inside of it, and not only the clocks that they wait for.
pub(super) fn is_needed(imports: &[String], grants: &Grants) -> bool {
    let imports_any = |prefix: &str| imports.iter().any(|import| import.starts_with(prefix));
    // A request of its own is denied in a task.
    imports_any("wasi:http/outgoing-handler@") || !grants.connections.is_empty() && imports_any("wasi:sockets/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_that_cannot_wait_for_connections_are_outside() {
        let check = |imports: &[&str], connections: &[&str], expect: bool| {
            let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
            let grants = Grants { connections: owned(connections), ..Grants::default() };
            assert_eq!(is_needed(&owned(imports), &grants), expect, "{imports:?} {connections:?}");
        };
        check(&["wasi:io/poll@0.2.6", "wasi:clocks/monotonic-clock@0.2.6"], &["h:1"], false);
        check(&["wasi:sockets/tcp@0.2.6"], &[], false);
        check(&["wasi:sockets/tcp@0.2.6"], &["h:1"], true);
        check(&["wasi:http/outgoing-handler@0.2.6"], &[], true);
    }
}
