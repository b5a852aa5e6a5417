//! `check`: the conformance tests that authors of plug-ins run.

mod render;

use crate::cli::{CheckArgs, CheckFormat, merge_axes};
use crate::conformance::{self, Extent, Findings, Outcome};
use crate::execute::interrupt;
use crate::modules::Loader;
use crate::{Exit, output, paths};
use bench_engine::Interrupt;
use std::path::PathBuf;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, SystemTime};

/// How often `--watch` looks at the files.
const LOOK: Duration = Duration::from_millis(300);

pub(crate) fn run(arguments: &CheckArgs) -> anyhow::Result<Exit> {
    let interrupt = interrupt()?;
    loop {
        let before = times(&arguments.modules);
        let mut loader = Loader::new(&arguments.grants, arguments.limits)?;
        let mut parameters = [&arguments.parameters[..], &arguments.families.parameters[..]].concat();
        merge_axes(&mut parameters);
        loader.secrets.move_passwords(&mut parameters)?;
        loader.parameters = parameters;
        let extent = Extent { sensitivity: arguments.sensitivity, within: Duration::from_nanos(arguments.within) };
        let findings = conformance::check(&loader, &arguments.modules, extent, interrupt)?;
        output::print(&match arguments.format {
            CheckFormat::Text => render::text(&findings),
            CheckFormat::Json => render::json(&findings),
            CheckFormat::Junit => render::junit(&findings),
        })?;
        if !arguments.watch || !changed(arguments, &before, interrupt) {
            return Ok(exit(&findings, interrupt));
        }
    }
}

fn exit(findings: &[Findings], interrupt: &Interrupt) -> Exit {
    let count = |outcome| findings.iter().map(|module| module.count(outcome)).sum::<usize>();
    match (count(Outcome::Broken), count(Outcome::Held)) {
        (1.., _) => Exit::Finding,
        (0, 0) => Exit::NotMeasured,
        (0, _) if interrupt.is_raised() => Exit::NotMeasured,
        (0, _) => Exit::Done,
    }
}

/// Waits until a file has changed since `before`, and is no longer being written. Whether that was before an interrupt.
fn changed(arguments: &CheckArgs, before: &[Option<SystemTime>], interrupt: &Interrupt) -> bool {
    output::line("bench-host: waiting for a change; Ctrl-C ends this");
    let (interrupted, wakes) = mpsc::channel();
    let _subscription = interrupt.subscribe(move || {
        // The receiver is gone after a change.
        let _ = interrupted.send(());
    });
    let mut last = before.to_vec();
    while !interrupt.is_raised() && wakes.recv_timeout(LOOK) == Err(RecvTimeoutError::Timeout) {
        let now = times(&arguments.modules);
        if now == last && now != before && now.iter().all(Option::is_some) {
            return true;
        }
        last = now;
    }
    false
}

/// When each module was last written, and the native arm of each component.
fn times(modules: &[PathBuf]) -> Vec<Option<SystemTime>> {
    let native = modules.iter().filter_map(|file| paths::native_arm(file));
    let files: Vec<_> = modules.iter().cloned().chain(native).collect();
    files.iter().map(|file| std::fs::metadata(file).and_then(|data| data.modified()).ok()).collect()
}
