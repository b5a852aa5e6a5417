//! The operator as a program. On wasm the library is a component, and this program does nothing.

#[cfg(not(target_family = "wasm"))]
fn main() -> std::process::ExitCode {
    operator_rust::main()
}

#[cfg(target_family = "wasm")]
fn main() {}
