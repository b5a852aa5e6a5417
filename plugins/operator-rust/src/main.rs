//! The operator in a process of its own. On wasm it is a component, and this is no program.

#[cfg(not(target_family = "wasm"))]
fn main() -> std::process::ExitCode {
    operator_rust::main()
}

#[cfg(target_family = "wasm")]
fn main() {}
