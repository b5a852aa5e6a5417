//! Makes the components of `plugins/hostile` that are not in Rust in the folder of its argument, as `cargo xtask plugins hostile` does.

#![forbid(unsafe_code)]

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let Some(folder) = std::env::args_os().nth(1) else {
        eprintln!("error: give the folder in which they are made");
        return ExitCode::FAILURE;
    };
    match test_modules::write_hostile(Path::new(&folder)) {
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: they cannot be made in {}: {error}", Path::new(&folder).display());
            ExitCode::FAILURE
        }
    }
}
