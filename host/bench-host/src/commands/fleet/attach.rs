//! `fleet attach`, and what `fleet run` shows: the messages and the progress of a run that another process coordinates, and then its
//! results.

use super::{exit_of, find, worse};
use crate::cli::ShownFleetRun;
use crate::cost::duration;
use crate::execute::{interrupt, show};
use crate::progress::is_watched;
use crate::show::ShowArgs;
use crate::{Exit, output};
use anyhow::Context;
use bench_engine::Interrupt;
use bench_fleet::{ClassStatus, FleetFolder, FleetStatus};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::fs::File;
use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::time::Duration;

pub(super) fn run(arguments: &ShownFleetRun) -> anyhow::Result<Exit> {
    let folder = find(&arguments.of)?;
    let interrupt = interrupt()?;
    let exit = follow(&folder, &arguments.show, false, interrupt)?;
    exit.with_context(|| {
        format!("the process of run {0} was killed; go on with `bench-host fleet resume {0}`", folder.id())
    })
}

/// Shows the run until it has ended, and then its results. Returns the exit status; `None` if the run ended without a word.
pub(super) fn follow(
    folder: &FleetFolder,
    shown: &ShowArgs,
    is_quiet: bool,
    interrupt: &Interrupt,
) -> anyhow::Result<Option<Exit>> {
    let log = folder.log();
    let log = File::open(&log).with_context(|| format!("cannot read {}", log.display()))?;
    let mut viewer = Viewer { folder, log, bar: bar(is_quiet) };
    match folder.watch() {
        Ok(stream) => viewer.watch(&stream, interrupt)?,
        // It has just ended, or is about to.
        Err(_) if !folder.is_going_on()? => {}
        Err(error) => {
            return Err(error)
                .with_context(|| format!("cannot watch run {}; see `bench-host fleet status`", folder.id()));
        }
    }
    viewer.update()?;
    viewer.bar.finish_and_clear();
    let status = folder.read().ok();
    let ended = status.filter(|status| status.ended.is_some());
    let Some(FleetStatus { exit, directories, .. }) = ended else {
        if !interrupt.is_raised() {
            return Ok(None);
        }
        say_going_on(folder);
        return Ok(Some(Exit::NotMeasured));
    };
    let mut exit = exit_of(exit);
    for directory in directories {
        exit = worse(exit, show(&folder.out().join(directory), shown)?);
    }
    Ok(Some(exit))
}

/// Says how to see and stop the run.
pub(super) fn say_going_on(folder: &FleetFolder) {
    let id = folder.id();
    output::line(&format!(
        "bench-host: run {id} goes on; see it with `bench-host fleet attach {id}`, stop it with `bench-host fleet stop {id}`"
    ));
}

struct Viewer<'a> {
    folder: &'a FleetFolder,
    /// The messages of the run, read up to what was shown.
    log: File,
    bar: ProgressBar,
}

impl Viewer<'_> {
    /// Shows what is new until the process of the run, or this one, is to end.
    fn watch(&mut self, stream: &UnixStream, interrupt: &Interrupt) -> anyhow::Result<()> {
        let other = stream.try_clone()?;
        let _woken = interrupt.subscribe(move || _ = other.shutdown(Shutdown::Both));
        let mut news = [0; 256];
        loop {
            let mut stream = stream;
            match stream.read(&mut news) {
                Ok(0) => return Ok(()),
                Ok(_) => self.update()?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // The end of the process, as a connection that was not read to its end tells it.
                Err(_) => return Ok(()),
            }
        }
    }

    /// Shows new messages and the progress.
    fn update(&mut self) -> anyhow::Result<()> {
        let mut messages = Vec::new();
        self.log.read_to_end(&mut messages)?;
        if !messages.is_empty() {
            // Standard error may be closed; the run does not depend on it.
            self.bar.suspend(|| _ = io::stderr().write_all(&messages));
        }
        if let Ok(status) = self.folder.read() {
            let (finished, all) = counts(&status.classes);
            let left = status.left_ns.map_or_else(|| "–".to_owned(), |ns| duration(Duration::from_nanos(ns)));
            self.bar.set_length(all.into());
            self.bar.set_position(finished.into());
            self.bar.set_prefix(format!("{left} left"));
            self.bar.set_message(format!("{} agents", status.agents.len()));
        }
        Ok(())
    }
}

fn bar(is_quiet: bool) -> ProgressBar {
    let target = if is_watched(is_quiet) { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let bar = ProgressBar::with_draw_target(Some(0), target);
    // The template is a valid constant.
    let style = ProgressStyle::with_template("{bar:24} {pos}/{len} groups  {prefix}  {msg}");
    bar.set_style(style.expect("the template is valid"));
    bar
}

/// The number of groups of all classes are finished, and how many.
pub(super) fn counts(classes: &[ClassStatus]) -> (u32, u32) {
    let finished = classes.iter().map(|class| class.groups.finished).sum();
    let all = classes.iter().map(|class| {
        let groups = class.groups;
        groups.waiting + groups.leased + groups.finished + groups.given_up
    });
    (finished, all.sum())
}
