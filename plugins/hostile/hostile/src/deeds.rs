//! The misdeeds of the hostile scenarios in `iterate` and `verify`. All share one session type, so that each misdeed is one line.

use bench_plugin::prelude::*;
use std::hint::black_box;

/// Every hostile scenario, with what it does.
pub(crate) const ALL: &[(&str, &str)] = &[
    ("trap", "Panics."),
    ("loop", "Never returns."),
    ("grow", "Allocates until it is refused."),
    ("checksum", "Has another result in every batch."),
    ("wrong-count", "Does one operation more than it was asked for."),
    ("bad-verify", "Finds its own result wrong."),
    ("no-verify", "Looks at nothing."),
    ("shout", "Prints more than anybody wants to read, and succeeds."),
    ("arms-differ", "Has another result in the component than in the probe."),
    ("abort", "Aborts the process."),
    ("segfault", "Writes where nothing may be written."),
    ("orphan", "Leaves a process behind that is in no group of its own and holds the output open."),
    ("exit", "Ends the process in the middle of a batch."),
    ("log-elsewhere", "Keeps a log where it was given no folder."),
    ("unavailable", "Is not to be had on any machine."),
];

/// A session that does the deed of its name.
pub(crate) struct Deed {
    name: &'static str,
    batches: u64,
}

impl Deed {
    pub(crate) fn new(name: &'static str) -> Self {
        Self { name, batches: 0 }
    }
}

impl Session for Deed {
    fn iterate(&mut self, times: u64) -> Result<Outcome, ModuleError> {
        self.batches += 1;
        // A little work each, so that a batch is of a size to be timed.
        (0..times).for_each(|turn| _ = black_box(turn));
        let mut outcome = Outcome { operations: times, bytes: 0, checksum: 42 };
        match self.name {
            "trap" => panic!("a deliberate panic"),
            "loop" => loop {
                black_box(self.batches);
            },
            "grow" => grow(),
            "checksum" => outcome.checksum = self.batches,
            "wrong-count" => outcome.operations += 1,
            "shout" if self.batches == 1 => crate::shout()?,
            "arms-differ" => outcome.checksum = u64::from(cfg!(target_family = "wasm")),
            "abort" => std::process::abort(),
            "segfault" => write_nowhere(),
            "exit" => std::process::exit(3),
            "orphan" if self.batches == 1 => leave_orphan()?,
            _ => {}
        }
        Ok(outcome)
    }

    fn verify(&mut self) -> Result<Vec<Check>, ModuleError> {
        Ok(match self.name {
            "no-verify" => Vec::new(),
            "bad-verify" => vec![Check::equal("result", &1, &2)],
            _ => vec![Check::that("result", true, "")],
        })
    }
}

/// Starts a process that has left the session and whose parent has ended. It shows the name `hostile-orphan`.
fn leave_orphan() -> Result<(), ModuleError> {
    let script = "sleep=$(command -v sleep) && folder=$(mktemp -d) && ln -s \"$sleep\" \"$folder/hostile-orphan\" && \
                  (setsid \"$folder/hostile-orphan\" 600 &) && sleep 1; rm -r \"$folder\"";
    let status = std::process::Command::new("sh").args(["-c", script]).status();
    match status {
        Ok(status) if status.success() => Ok(()),
        other => Err(ModuleError::Unavailable(format!("no process can be left behind: {other:?}"))),
    }
}

fn grow() {
    let mut kept = Vec::new();
    loop {
        kept.push(black_box(vec![1_u8; 1 << 20]));
    }
}

fn write_nowhere() {
    let address: *mut u8 = black_box(std::ptr::without_provenance_mut(16));
    // SAFETY: there is none: the first page is mapped in no process, and the crash is what the test is about.
    unsafe { address.write_volatile(1) };
}
