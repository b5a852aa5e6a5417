//! Scenarios that look for a way out of the folders that they were given, or fill them. One that finds a way has a figure; each other one
//! fails with the words `it stayed inside`.

use bench_plugin::prelude::*;
use bench_plugin::{Durability, PageState};
use std::fmt::Display;
use std::fs;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

/// Each, with what it does.
pub(crate) const ALL: &[(&str, &str)] = &[
    ("parent", "Lists the folder above its scratch folder."),
    ("link", "Lists a folder outside of its scratch folder through a link that it makes."),
    ("log-through-link", "Keeps a log outside of its scratch folder through a link that it makes."),
    ("given-link", "Lists a folder through a link in a folder that it was given."),
    ("given-write", "Writes into a folder that it was given for reading."),
    ("scratch", "Writes more into its scratch folder than it may hold."),
    ("log", "Writes into a log without end."),
];

/// Where the user's folder is seen. It has a file `inside`, and a link `out` to a folder outside of it.
const GIVEN: &str = "/given";

/// What `scratch` writes: more than the tests allow, and little enough where nothing bounds it.
const WRITTEN_BYTES: usize = 32 << 20;

/// For how long `scratch` and `log` then wait for what ends them.
const WAIT: Duration = Duration::from_secs(5);

pub(crate) fn open(scenario: &str, directory: &str, host: Host) -> Result<Box<dyn Session>, ModuleError> {
    let directory = Path::new(directory);
    let link = directory.join("out");
    match scenario {
        "parent" => went_out(fs::read_dir(directory.join(".."))),
        "link" => went_out(linked(&link).and_then(|()| fs::read_dir(&link))),
        "log-through-link" => {
            linked(&link).map_err(stayed)?;
            let place = link.to_string_lossy();
            went_out(host.log(&place, Durability::None, PageState::Fresh, 64 << 10))
        }
        "given-link" => {
            given()?;
            went_out(fs::read_dir(Path::new(GIVEN).join("out")))
        }
        "given-write" => {
            given()?;
            went_out(fs::write(Path::new(GIVEN).join("new"), "x"))
        }
        "scratch" => {
            fs::write(directory.join("file"), vec![1_u8; WRITTEN_BYTES]).map_err(stayed)?;
            let begun = Instant::now();
            while begun.elapsed() < WAIT {
                std::hint::spin_loop();
            }
            Ok(each(|| 0))
        }
        _ => {
            let place = directory.to_string_lossy();
            let mut log = host.log(&place, Durability::None, PageState::Fresh, 64 << 20)?;
            let payload = vec![1_u8; 1 << 20];
            let begun = Instant::now();
            while begun.elapsed() < WAIT {
                log.append(&payload)?;
            }
            Ok(each(|| 0))
        }
    }
}

/// Makes a link out of the scratch folder: to the folder above, or else to the root.
#[expect(deprecated, reason = "the function that took its place is not there on this target")]
fn linked(link: &Path) -> io::Result<()> {
    fs::soft_link("..", link).or_else(|_| fs::soft_link("/", link))
}

/// An error if the user gave no folder.
fn given() -> Result<(), ModuleError> {
    let next = format!("give --allow-dir HOST::{GIVEN}:ro");
    let found = fs::read(Path::new(GIVEN).join("inside")).map(drop);
    found.map_err(|error| ModuleError::Unavailable(format!("{GIVEN}/inside: {error}; {next}")))
}

/// A session with a figure if what must fail has not.
fn went_out<T>(result: Result<T, impl Display>) -> Result<Box<dyn Session>, ModuleError> {
    result.map_err(stayed)?;
    Ok(each(|| 0))
}

fn stayed(error: impl Display) -> ModuleError {
    ModuleError::Other(format!("it stayed inside: {error}"))
}
