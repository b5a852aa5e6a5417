//! The function as a native HTTP/1.1 server. It prints only errors, and exits with the process that started it.

#[cfg(not(target_family = "wasm"))]
mod listener;
#[cfg(not(target_family = "wasm"))]
mod serve;

#[cfg(not(target_family = "wasm"))]
fn main() -> std::process::ExitCode {
    let run = || {
        let arguments: Vec<_> = std::env::args().skip(1).collect();
        let listener = listener::Listener::of(&arguments)?;
        let state = function_core::State::from_environment()?;
        serve::serve(listener, state).map_err(|error| format!("cannot serve: {error}"))
    };
    match run() {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("function-server: {reason}");
            std::process::ExitCode::from(2)
        }
    }
}

/// A component has no `main`: the host calls its handler.
#[cfg(target_family = "wasm")]
fn main() {}
