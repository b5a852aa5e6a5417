//! `--resume`: a run that was stopped goes on where it was, if machine, program, modules and plan are what they were. It reads
//! and refuses; what is left is executed as any run is.

mod find;
mod words;

use crate::cli::{Command, Common, Format, ResumeArgs};
use crate::execute::{Job, command, planned, program_sha256};
use crate::fingerprint::fingerprint;
use crate::output;
use anyhow::Context;
use bench_engine::Done;
use bench_model::Descriptor;
use bench_sink::fingerprint::Fingerprint;
use bench_sink::runfile::{HeldRun, HoldError, ModuleRecord, Record, ResumedRecord, RunRecord, RunWriter};
use std::path::{Path, PathBuf};
use words::Words;

/// What a command line comes to.
pub(crate) enum Wanted {
    /// Nothing is to be resumed.
    Anew,
    /// A run that was stopped.
    Rest(Box<Rest>),
    /// A run of which nothing is left.
    Finished { directory: PathBuf, format: Format },
}

/// A run that was stopped.
pub(crate) struct Rest {
    /// As it was begun, but for where and how it is shown.
    pub(crate) command: Command,
    pub(crate) earlier: Earlier,
}

/// What there is of a run that was stopped. Nobody else writes to it meanwhile.
pub(crate) struct Earlier {
    held: HeldRun,
    run: RunRecord,
    /// The machine and the program that go on with it.
    now: Fingerprint,
    /// Of the command line that resumes it, for what is not recorded: passwords.
    pub(crate) parameters: Vec<(String, Vec<String>)>,
}

/// What to do where a run cannot be resumed.
const ANEW: &str = "start anew without --resume";

/// What `command` resumes, where it resumes something.
pub(crate) fn wanted(command: &Command) -> anyhow::Result<Wanted> {
    let Some((ResumeArgs { resume: Some(named) }, common)) = arguments(command) else { return Ok(Wanted::Anew) };
    let given = Words::given()?;
    let found = match named {
        Some(directory) => find::named(directory)?,
        None => find::newest(&common.shown.out, &given)?,
    };
    let directory = found.directory;
    let begun = Words::of(&found.run.command);
    let begun = begun.with_context(|| format!("{}: its command line cannot be read; {ANEW}", directory.display()))?;
    given.agree_with(&begun, &found.run, &directory)?;
    if found.is_finished {
        output::line(&format!("bench-host: {} is finished; there is nothing left to do", directory.display()));
        return Ok(Wanted::Finished { directory, format: common.shown.format });
    }
    let mut parameters = common.measured.parameters.clone();
    parameters.extend(common.measured.families.parameters.iter().cloned());
    let earlier = Earlier::hold(&directory, parameters)?;
    let command = as_begun(begun.command()?, common, earlier.run.seed);
    Ok(Wanted::Rest(Box::new(Rest { command, earlier })))
}

/// What a command that makes runs was given.
fn arguments(command: &Command) -> Option<(&ResumeArgs, &Common)> {
    match command {
        Command::Load(load) => Some((&load.resume, &load.common)),
        Command::Run(run) => Some((&run.resume, &run.common)),
        _ => None,
    }
}

/// The command that a run was begun with, shown as `given` says.
fn as_begun(mut command: Command, given: &Common, seed: u64) -> Command {
    let common = match &mut command {
        Command::Load(load) => &mut load.common,
        Command::Run(run) => &mut run.common,
        _ => return command,
    };
    common.measured.seed = Some(seed);
    common.shown.clone_from(&given.shown);
    command
}

impl Earlier {
    fn hold(directory: &Path, parameters: Vec<(String, Vec<String>)>) -> anyhow::Result<Self> {
        let held = match HeldRun::open(directory) {
            Err(HoldError::Io { path, source }) => {
                anyhow::bail!("cannot continue {}: {source}; make it writable, or {ANEW}", path.display())
            }
            held => held?,
        };
        let Some(Record::Run(run)) = held.run().records.first() else {
            anyhow::bail!("{}: the run was stopped before it began; {ANEW}", directory.display())
        };
        let now = fingerprint(directory);
        Ok(Self { run: run.clone(), held, now, parameters })
    }

    /// What of `job` is done; refuses where it is not what the run was begun as.
    pub(crate) fn done(&self, job: &Job<'_>) -> anyhow::Result<Done> {
        let refuse = |what: String| anyhow::anyhow!("{} cannot go on: {what}", self.held.run().directory.display());
        if let Some(what) = self.unlike(job) {
            return Err(refuse(format!("{what}; {ANEW}")));
        }
        Done::of(job.plan, &self.held.run().records).map_err(|misfit| refuse(format!("{misfit}; {ANEW}")))
    }

    /// What is not as it was, where something is not.
    fn unlike(&self, job: &Job<'_>) -> Option<String> {
        let unlike = self.run.fingerprint.unlike(&self.now);
        if !unlike.is_empty() {
            return Some(format!("it was begun on another machine, or by another bench-host: {}", unlike.join(", ")));
        }
        match (&self.run.program_sha256, program_sha256()) {
            (Some(then), Some(now)) if *then == now => {}
            (Some(_), _) => return Some("it was begun by another build of bench-host".to_owned()),
            (None, _) => return Some("it was begun by a bench-host whose runs do not go on".to_owned()),
        }
        if let Some(what) = self.unlike_modules(&job.modules.records()) {
            return Some(what);
        }
        (self.run.planned != planned(job))
            .then(|| "its words ask for other cells, or other effort, than when it was begun".to_owned())
    }

    /// The first module that is not what it was.
    fn unlike_modules(&self, now: &[ModuleRecord]) -> Option<String> {
        let then = self.modules();
        let gone = then.iter().filter(|then| then.refused.is_none()).find_map(|then| {
            let same = now.iter().find(|now| is_same_module(then, now));
            match same {
                None => Some(format!("{} is not there any more", then.file)),
                Some(same) if same.sha256 != then.sha256 => {
                    Some(format!("{} is another build ({} then, {} now)", then.file, short(then), short(same)))
                }
                Some(_) => None,
            }
        });
        // A head that is torn lacks modules; then nothing has been measured.
        let came = now.iter().filter(|now| now.refused.is_none() && !self.is_head_alone());
        let is_new = |now: &&ModuleRecord| !then.iter().any(|then| is_same_module(then, now));
        gone.or_else(|| came.filter(is_new).map(|now| format!("{} was not there when it was begun", now.file)).next())
    }

    fn modules(&self) -> Vec<&ModuleRecord> {
        let records = self.held.run().records.iter();
        records.filter_map(|record| if let Record::Module(module) = record { Some(module) } else { None }).collect()
    }

    /// Whether the run was stopped before anything was measured.
    fn is_head_alone(&self) -> bool {
        self.held.run().records.iter().all(|record| matches!(record, Record::Run(_) | Record::Module(_)))
    }

    /// The run file, to which what is left of `job` is to be appended.
    pub(crate) fn go_on(self, job: &Job<'_>, done: &Done) -> anyhow::Result<RunWriter> {
        let now = job.modules.records();
        let then = self.modules();
        let missing = now.iter().filter(|now| !then.iter().any(|then| is_same_module(then, now)));
        let missing: Vec<_> = missing.filter(|_| self.is_head_alone()).cloned().map(Record::Module).collect();
        let order = &job.plan.order;
        let left = order.iter().filter(|unit| done.is_left(**unit)).count();
        let directory = self.held.run().directory.display().to_string();
        let mut writer = self.held.resume()?;
        output::line(&format!("bench-host: {directory} goes on: {left} of {} repetitions are left", order.len()));
        let resumed =
            ResumedRecord { started: jiff::Timestamp::now().to_string(), command: command(), fingerprint: self.now };
        writer.append(&missing.into_iter().chain([Record::Resumed(resumed)]).collect::<Vec<_>>())?;
        Ok(writer)
    }
}

/// Whether they are of one module in one arm, or of one file where it was refused.
fn is_same_module(a: &ModuleRecord, b: &ModuleRecord) -> bool {
    let name = |module: &ModuleRecord| module.descriptor.as_ref().map(|descriptor| &descriptor.name);
    match (name(a), name(b)) {
        (Some(first), Some(second)) => first == second && a.arm == b.arm,
        (None, None) => a.file == b.file,
        _ => false,
    }
}

/// Enough of a digest to tell two apart.
fn short(module: &ModuleRecord) -> &str {
    let digest = module.sha256.as_deref().unwrap_or("unread");
    digest.get(..12).unwrap_or(digest)
}
