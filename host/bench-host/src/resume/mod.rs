//! `--resume`: finds out what is left of an interrupted run, and refuses to resume it if machine, program, modules, plan or the files that the
//! plan names have changed.

mod command_line;
mod find;

use crate::cli::{Command, Common, ResumeArgs};
use crate::execute::{Job, command, planned, program_sha256};
use crate::fingerprint::fingerprint;
use crate::inputs;
use crate::output;
use crate::show::ShowArgs;
use anyhow::Context;
use bench_engine::Done;
use bench_sink::digest;
use bench_sink::fingerprint::Fingerprint;
use bench_sink::runfile::{HoldError, LockedRun, ModuleRecord, Record, ResumedRecord, RunRecord, RunWriter};
use command_line::CommandLine;
use std::path::{Path, PathBuf};

/// What a command does.
pub(crate) enum Wanted {
    /// Start a new run.
    Anew,
    /// Resume an interrupted run.
    Rest(Box<ResumePlan>),
    /// Show a finished run, of which nothing is left to do but to name it.
    Finished { directory: PathBuf, show: ShowArgs, save_baseline: Option<String> },
}

/// What is left of an interrupted run.
pub(crate) struct ResumePlan {
    /// The command that it was started with, except for where and how it is shown.
    pub(crate) command: Command,
    pub(crate) earlier: PreviousRun,
}

/// The existing part of an interrupted run. A lock keeps other processes from writing to it.
pub(crate) struct PreviousRun {
    held: LockedRun,
    run: RunRecord,
    /// The machine and the program that resume it.
    now: Fingerprint,
    /// The parameters of the resuming command line, because passwords are not recorded.
    pub(crate) parameters: Vec<(String, Vec<String>)>,
}

/// What to do if a run cannot be resumed.
const ANEW: &str = "start a new run without --resume";

/// What `command` resumes, if it resumes a run.
pub(crate) fn wanted(command: &Command) -> anyhow::Result<Wanted> {
    let Some((ResumeArgs { resume: Some(named) }, common)) = arguments(command) else { return Ok(Wanted::Anew) };
    let given = CommandLine::given()?;
    let found = match named {
        Some(directory) => find::run_in(directory)?,
        None => find::newest(&common.shown.out, &given)?,
    };
    let directory = found.directory;
    let begun = CommandLine::of(&found.run.command);
    let begun = begun.with_context(|| format!("{}: its command line cannot be read; {ANEW}", directory.display()))?;
    given.agree_with(&begun, &found.run, &directory)?;
    if found.is_finished {
        output::line(&format!("bench-host: {} is finished; nothing is left to measure", directory.display()));
        let afterwards = Afterwards::of(command);
        #[cfg(feature = "profile")]
        anyhow::ensure!(
            !afterwards.profile,
            "a finished run is not profiled; give its scenarios to `bench-host profile`"
        );
        let save_baseline = afterwards.save_baseline;
        return Ok(Wanted::Finished { directory, show: common.shown.show, save_baseline });
    }
    let mut parameters = common.measured.parameters.clone();
    parameters.extend(common.measured.families.parameters.iter().cloned());
    let earlier = PreviousRun::hold(&directory, parameters)?;
    let command = as_begun(begun.command()?, common, Afterwards::of(command), earlier.run.seed);
    Ok(Wanted::Rest(Box::new(ResumePlan { command, earlier })))
}

/// The options of a command that measures.
fn arguments(command: &Command) -> Option<(&ResumeArgs, &Common)> {
    match command {
        Command::Load(load) => Some((&load.resume, &load.common)),
        Command::Run(run) => Some((&run.resume, &run.common)),
        _ => None,
    }
}

/// What is done with a run when it has ended.
#[derive(Default)]
struct Afterwards {
    save_baseline: Option<String>,
    #[cfg(feature = "profile")]
    profile: bool,
}

impl Afterwards {
    fn of(command: &Command) -> Self {
        match command {
            Command::Run(run) => Self {
                save_baseline: run.save_baseline.clone(),
                #[cfg(feature = "profile")]
                profile: run.profile,
            },
            _ => Self::default(),
        }
    }
}

/// The command that a run was started with, with the display options of `given`, and with what is to be done `afterwards` besides.
fn as_begun(mut command: Command, given: &Common, afterwards: Afterwards, seed: u64) -> Command {
    let common = match &mut command {
        Command::Load(load) => &mut load.common,
        Command::Run(run) => {
            run.save_baseline = afterwards.save_baseline.or(run.save_baseline.take());
            #[cfg(feature = "profile")]
            {
                run.profile |= afterwards.profile;
            }
            &mut run.common
        }
        _ => return command,
    };
    common.measured.seed = Some(seed);
    common.shown.clone_from(&given.shown);
    command
}

impl PreviousRun {
    fn hold(directory: &Path, parameters: Vec<(String, Vec<String>)>) -> anyhow::Result<Self> {
        let held = match LockedRun::open(directory) {
            Err(HoldError::Io { path, source }) => {
                anyhow::bail!("cannot resume {}: {source}; make it writable, or {ANEW}", path.display())
            }
            held => held?,
        };
        let Some(Record::Run(run)) = held.run().records.first() else {
            anyhow::bail!("{}: the run was interrupted before it measured anything; {ANEW}", directory.display())
        };
        let now = fingerprint(directory);
        Ok(Self { run: run.clone(), held, now, parameters })
    }

    /// The repetitions of `job` that are done; an error if `job` is not what the run was started with.
    pub(crate) fn done(&self, job: &Job<'_>) -> anyhow::Result<Done> {
        let refuse = |what: String| anyhow::anyhow!("cannot resume {}: {what}", self.held.run().directory.display());
        if let Some(what) = self.unlike(job) {
            return Err(refuse(format!("{what}; {ANEW}")));
        }
        Done::of(job.plan, &self.held.run().records).map_err(|misfit| refuse(format!("{misfit}; {ANEW}")))
    }

    /// The first difference from when the run was started, if there is one.
    fn unlike(&self, job: &Job<'_>) -> Option<String> {
        let unlike = self.run.fingerprint.unlike(&self.now);
        if !unlike.is_empty() {
            return Some(format!("it was started on another machine, or by another bench-host: {}", unlike.join(", ")));
        }
        match (&self.run.program_sha256, program_sha256()) {
            (Some(then), Some(now)) if *then == now => {}
            (Some(_), _) => return Some("it was started by another build of bench-host".to_owned()),
            (None, _) => return Some("it was started by a version of bench-host that cannot resume runs".to_owned()),
        }
        if let Some(what) = self.unlike_modules(&job.modules.records()) {
            return Some(what);
        }
        if self.run.planned != planned(job) {
            let what = "its command line now selects other cells, or other effort, than when it was started";
            return Some(what.to_owned());
        }
        inputs::change(&self.run.inputs, &inputs::of_plan(job.plan))
    }

    /// The first module that has changed.
    fn unlike_modules(&self, now: &[ModuleRecord]) -> Option<String> {
        let then = self.modules();
        let gone = then.iter().filter(|then| then.refused.is_none()).find_map(|then| {
            let same = now.iter().find(|now| is_same_module(then, now));
            match same {
                None => Some(format!("{} no longer exists", then.file)),
                Some(same) if same.sha256 != then.sha256 => {
                    Some(format!("{} was built again ({} then, {} now)", then.file, short(then), short(same)))
                }
                Some(_) => None,
            }
        });
        // If the head of the file is incomplete, modules are missing, and nothing has been measured.
        let came = now.iter().filter(|now| now.refused.is_none() && !self.is_head_alone());
        let is_new = |now: &&ModuleRecord| !then.iter().any(|then| is_same_module(then, now));
        gone.or_else(|| came.filter(is_new).map(|now| format!("{} did not exist when it was started", now.file)).next())
    }

    fn modules(&self) -> Vec<&ModuleRecord> {
        let records = self.held.run().records.iter();
        records.filter_map(|record| if let Record::Module(module) = record { Some(module) } else { None }).collect()
    }

    /// Whether the run was interrupted before it measured anything.
    fn is_head_alone(&self) -> bool {
        self.held.run().records.iter().all(|record| matches!(record, Record::Run(_) | Record::Module(_)))
    }

    /// Opens the run file, to append what is left of `job`.
    pub(crate) fn go_on(self, job: &Job<'_>, done: &Done) -> anyhow::Result<RunWriter> {
        let now = job.modules.records();
        let then = self.modules();
        let missing = now.iter().filter(|now| !then.iter().any(|then| is_same_module(then, now)));
        let missing: Vec<_> = missing.filter(|_| self.is_head_alone()).cloned().map(Record::Module).collect();
        let order = &job.plan.order;
        let left = order.iter().filter(|repetition| done.is_left(**repetition)).count();
        let directory = self.held.run().directory.display().to_string();
        let mut writer = self.held.resume()?;
        output::line(&format!("bench-host: resuming {directory}: {left} of {} repetitions are left", order.len()));
        let resumed =
            ResumedRecord { started: jiff::Timestamp::now().to_string(), command: command(), fingerprint: self.now };
        writer.append(&missing.into_iter().chain([Record::Resumed(resumed)]).collect::<Vec<_>>())?;
        Ok(writer)
    }
}

/// Whether both are the same module in the same arm, or the same refused file.
fn is_same_module(a: &ModuleRecord, b: &ModuleRecord) -> bool {
    fn name(module: &ModuleRecord) -> Option<&str> {
        Some(module.descriptor.as_ref()?.name.as_str())
    }
    match (name(a), name(b)) {
        (Some(first), Some(second)) => first == second && a.arm == b.arm,
        (None, None) => a.file == b.file,
        _ => false,
    }
}

/// The beginning of a digest, long enough to distinguish two.
fn short(module: &ModuleRecord) -> &str {
    digest::short(module.sha256.as_deref().unwrap_or("unread"))
}
