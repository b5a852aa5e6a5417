//! A scenario that fills the folder it is given, and leaves cleaning up to others.

use bench_plugin::prelude::*;
use std::fs;
use std::hint::black_box;
use std::io;
use std::path::{Path, PathBuf};

const TEXT: &str = "litter";

/// A session that wrote a file and never removes it.
pub(crate) struct Litter {
    file: PathBuf,
    end: String,
}

impl Litter {
    pub(crate) fn describe() -> Scenario {
        let end =
            Parameter::new("end", "well", "what becomes of the process").choices(["well", "trap", "loop", "exit"]);
        Scenario::new("litter", "hostile", "Fills its scratch folder.")
            .parameter(Parameter::new("directory", "@temp", "where the folder is made"))
            .parameter(end)
            .requires("scratch:directory", "it is filled with litter")
    }

    pub(crate) fn open(arguments: &Arguments) -> Result<Self, ModuleError> {
        let directory = Path::new(arguments.text("directory")?);
        let file = directory.join("deep/down/file");
        let failed = |error: io::Error| ModuleError::Other(format!("{}: {error}", file.display()));
        fs::create_dir_all(directory.join("deep/down")).map_err(failed)?;
        fs::write(&file, TEXT).map_err(failed)?;
        Ok(Self { end: arguments.text("end")?.to_owned(), file })
    }
}

impl Session for Litter {
    fn iterate(&mut self, times: u64) -> Result<Outcome, ModuleError> {
        match self.end.as_str() {
            "trap" => panic!("a deliberate panic"),
            "loop" => loop {
                black_box(times);
            },
            "exit" => std::process::exit(3),
            _ => (0..times).for_each(|turn| _ = black_box(turn)),
        }
        Ok(Outcome { operations: times, bytes: 0, checksum: 42 })
    }

    fn verify(&mut self) -> Result<Vec<Check>, ModuleError> {
        let found = fs::read_to_string(&self.file).map_err(|error| ModuleError::Other(error.to_string()))?;
        Ok(vec![Check::equal("text", TEXT, found.as_str())])
    }
}
