//! `agent`: measures groups of cells for a fleet. It plans what the spec says from this machine's modules, and refuses a plan that is not
//! that of the spec.

mod elsewhere;
#[cfg(feature = "nats")]
mod guest;
mod measuring;
mod policy;
mod shipped;

pub(crate) use measuring::longest_repetition;

use super::load::plan;
use super::run::{Prepared, prepare_trusting};
use crate::cli::{AgentArgs, Cli, Command, CpuList, RunArgs};
use crate::execute::{Job, interrupt, planned, program_sha256};
use crate::fingerprint::fingerprint;
use crate::modules::Modules;
use crate::stored::Trust;
use crate::{Exit, output, paths};
use anyhow::Context;
use bench_engine::{Interrupt, placement};
use bench_fleet::{
    AgentCard, AgentTask, HostCard, ModuleDigest, Orders, PROTOCOL, Place, Served, Spec, Uplink, listen, serve, wall_ns,
};
use bench_sink::digest;
use bench_sink::environment::boot_id;
use bench_sink::runfile::{FILE_NAME, RunWriter};
use clap::Parser;
use elsewhere::Elsewhere;
use measuring::{Earlier, Measuring};
use policy::AgentPolicy;
use shipped::ShippedModules;
use std::collections::HashMap;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

pub(crate) fn run(arguments: &AgentArgs) -> anyhow::Result<Exit> {
    let place = arguments.on.as_deref().map(str::parse::<Place>).transpose().map_err(anyhow::Error::msg)?;
    anyhow::ensure!(
        arguments.stdio || place.is_some(),
        "an agent is started by `bench-host fleet run`; to start one by hand, give --on nats://HOST or --stdio"
    );
    let policy = arguments.policy.as_deref().map(AgentPolicy::read).transpose()?;
    anyhow::ensure!(
        !arguments.stdio || arguments.run.is_some() || policy.is_some(),
        "--stdio needs --run ID, the run that the agent measures for, or --policy FILE"
    );
    match place {
        None => measure(arguments, policy, Connection::stdio),
        #[cfg(feature = "nats")]
        Some(Place::Nats(address)) => {
            // Everybody who may use the server can give a run any name.
            anyhow::ensure!(
                policy.is_some(),
                "--on needs --policy FILE, which says who may submit runs to this machine and what they may run: `bench-host registry \
                 keygen` makes the key of a submitter, which stands under [submitters], and `fleet run --key` signs with it"
            );
            match &arguments.link {
                None => guest::attend(&address, arguments),
                Some(link) => {
                    measure(arguments, policy, |interrupt| guest::connect(&address, arguments, link, interrupt))
                }
            }
        }
        Some(Place::Local(_) | Place::Ssh(_) | Place::Kubernetes(_)) => {
            anyhow::bail!("an agent connects to a server, --on nats://HOST, or is started by `bench-host fleet run`")
        }
    }
}

/// The connection to a coordinator.
struct Connection {
    orders: Orders,
    uplink: Uplink,
}

impl Connection {
    /// Standard input and output.
    fn stdio(interrupt: &'static Interrupt) -> anyhow::Result<Self> {
        let orders = listen(io::BufReader::new(io::stdin()), wall_ns, move || _ = interrupt.raise());
        Ok(Self { orders, uplink: Uplink::new(io::stdout()) })
    }
}

/// Measures what arrives over the connection that `connect` opens.
fn measure(
    arguments: &AgentArgs,
    policy: Option<AgentPolicy>,
    connect: impl FnOnce(&'static Interrupt) -> anyhow::Result<Connection>,
) -> anyhow::Result<Exit> {
    let out = match &arguments.out {
        Some(out) => out.clone(),
        None => paths::agent_runs().context("no folder for the run file of the agent; give one with --out DIR")?,
    };
    // Before any other thread is started, because threads inherit it.
    if let Some(CpuList(cpus)) = &arguments.cpu {
        placement::restrict(cpus).map_err(|reason| anyhow::anyhow!("--cpu: {reason}"))?;
    }
    let interrupt = interrupt()?;
    let card = HostCard {
        protocol: PROTOCOL,
        host_version: env!("CARGO_PKG_VERSION").to_owned(),
        program_sha256: program_sha256(),
        fingerprint: fingerprint(&out),
        boot_id: boot_id(),
    };
    let Connection { orders, mut uplink } = connect(interrupt)?;
    let agent = arguments.name.clone().unwrap_or_else(|| "agent".to_owned());
    let own = AgentCard { agent, card: card.clone() };
    let mut task = Task { interrupt, out, own, policy, prepared: None, measuring: None };
    match serve(&orders, &mut uplink, (&card, arguments.run.as_deref()), &mut task) {
        Ok(Served::Done) => Ok(Exit::Done),
        Ok(Served::Stopped) => Ok(Exit::NotMeasured),
        Ok(Served::Refused(reason)) if is_invited(arguments) => {
            output::line(&format!("bench-host: {reason}"));
            Ok(Exit::Finding)
        }
        Ok(Served::Refused(reason) | Served::Failed(reason)) => anyhow::bail!("{reason}"),
        Err(error) => {
            Err(error).context("the coordinator cannot be reached; what was measured is kept in the agent's folder")
        }
    }
}

/// Whether another process of the agent has started this one for a run, and is told by its status whether that was refused.
#[cfg(feature = "nats")]
fn is_invited(arguments: &AgentArgs) -> bool {
    arguments.link.is_some()
}

#[cfg(not(feature = "nats"))]
fn is_invited(_: &AgentArgs) -> bool {
    false
}

/// The digests of the modules of a plan, and of those that its scenarios name.
pub(crate) fn module_digests(modules: &Modules) -> Vec<ModuleDigest> {
    let digest = |loaded: &crate::modules::Loaded| ModuleDigest {
        name: loaded.offer.descriptor.name.clone(),
        arm: loaded.offer.arm,
        sha256: loaded.offer.sha256.clone(),
        file: shipped::file_name(&loaded.spec.file),
        address: None,
    };
    modules.loaded.iter().chain(&modules.companions).map(digest).collect()
}

/// The files of the modules of a plan that can be sent to agents, by digest.
pub(crate) fn module_files(modules: &Modules) -> HashMap<String, PathBuf> {
    let all = modules.loaded.iter().chain(&modules.companions);
    let files = all.filter(|loaded| !shipped::file_name(&loaded.spec.file).is_empty());
    files.map(|loaded| (loaded.offer.sha256.clone(), loaded.spec.file.clone())).collect()
}

struct Task {
    interrupt: &'static Interrupt,
    /// The folder of run files of agents.
    out: PathBuf,
    /// The name of the agent, and its machine.
    own: AgentCard,
    policy: Option<AgentPolicy>,
    /// What the spec selects of the modules of this machine, if these are those of the spec.
    prepared: Option<(RunArgs, Prepared)>,
    measuring: Option<Measuring>,
}

impl AgentTask for Task {
    fn lacks(&mut self, spec: &Spec) -> Result<Vec<String>, String> {
        self.choose_modules(spec).map_err(|error| format!("{error:#}"))
    }

    fn keep_module(&mut self, sha256: &str, bytes: &[u8]) -> Result<(), String> {
        self.store().keep(sha256, bytes).map_err(|error| format!("{error:#}"))
    }

    fn prepare(&mut self, spec: &Spec, uplink: &mut Uplink) -> Result<Duration, String> {
        let mut measuring = self.plan(spec).map_err(|error| format!("{error:#}"))?;
        let lease = measuring.longest_repetition();
        measuring.begin(spec, uplink, self.interrupt).map_err(|error| format!("{error:#}"))?;
        self.measuring = Some(measuring);
        Ok(lease)
    }

    fn measure(&mut self, groups: &[u32], uplink: &mut Uplink) -> Result<bool, String> {
        let measuring = self.measuring.as_mut().ok_or("nothing is planned")?;
        measuring.measure(groups, uplink, self.interrupt).map_err(|error| format!("{error:#}"))
    }

    fn finish(&mut self, uplink: &mut Uplink) -> Result<(), String> {
        let measuring = self.measuring.as_mut().ok_or("nothing is planned")?;
        measuring.finish(uplink, self.interrupt).map_err(|error| format!("{error:#}"))
    }
}

impl Task {
    /// Parses the command line of `spec`; an error if it may not be measured here.
    fn parse(&self, spec: &Spec) -> anyhow::Result<RunArgs> {
        let words = ["bench-host", "run"].into_iter().chain(spec.words.iter().map(String::as_str));
        let parsed = Cli::try_parse_from(words).map_err(|error| {
            let text = error.to_string();
            anyhow::anyhow!("{}", text.lines().next().unwrap_or("invalid command line").to_owned())
        })?;
        let Command::Run(mut arguments) = parsed.command else { anyhow::bail!("the spec is not of `bench-host run`") };
        if let Some(policy) = &self.policy {
            policy.permit(spec, &arguments)?;
        }
        arguments.common.measured.seed = Some(spec.seed);
        arguments.common.shown.out.clone_from(&self.out);
        Ok(arguments)
    }

    /// Loads what `arguments` select. What modules are granted and denied is said by the policy of this agent, if it has one: that of the user
    /// whose account it runs in is for the user's own runs.
    fn load_selected(&self, arguments: &mut RunArgs) -> anyhow::Result<Prepared> {
        let trust = match &self.policy {
            Some(policy) => policy.trust().clone(),
            None => Trust::read()?,
        };
        prepare_trusting(trust, arguments, None, self.interrupt)
    }

    /// Takes the modules of this machine if they are those of `spec`. Else returns the digests of those that have yet to be sent, because they are
    /// neither in its store nor in a registry that may be asked.
    fn choose_modules(&mut self, spec: &Spec) -> anyhow::Result<Vec<String>> {
        let mut arguments = self.parse(spec)?;
        let prepared = self.load_selected(&mut arguments);
        let unlike =
            match prepared.and_then(|prepared| same_modules(&spec.modules, &prepared.modules).map(|()| prepared)) {
                Ok(prepared) => {
                    self.prepared = Some((arguments, prepared));
                    return Ok(Vec::new());
                }
                Err(error) => error,
            };
        if shipped::sent(spec).next().is_none() {
            return Err(unlike);
        }
        let trust = match &self.policy {
            Some(_) => None,
            None => Some(Trust::read()?),
        };
        let elsewhere = Elsewhere::of_user(self.policy.as_ref(), spec);
        let lacking = self.store().lacks(spec, trust.as_ref(), &elsewhere);
        lacking.map_err(|error| anyhow::anyhow!("{unlike:#}; {error:#}"))
    }

    /// Where modules are kept that were sent.
    fn store(&self) -> ShippedModules {
        ShippedModules::new(&self.out)
    }

    /// Plans `spec` with the modules of this machine or those that were sent; an error if that is another plan than the spec's.
    fn plan(&mut self, spec: &Spec) -> anyhow::Result<Measuring> {
        let (arguments, prepared) = match self.prepared.take() {
            Some(prepared) => prepared,
            None => {
                let mut arguments = self.parse(spec)?;
                arguments.modules = vec![self.store().folder(spec, &self.own.agent)?];
                let prepared = self.load_selected(&mut arguments)?;
                same_modules(&spec.modules, &prepared.modules)?;
                (arguments, prepared)
            }
        };
        let Prepared { loader, modules, selections, effort } = &prepared;
        let (plan, seed) = plan(modules, selections, effort, &arguments.common)?;
        if let Some(policy) = &self.policy {
            policy.permit_plan(spec, &plan)?;
        }
        let job = Job { loader, modules, plan: &plan, effort: *effort, seed, common: &arguments.common };
        let found = planned(&job).order_sha256;
        anyhow::ensure!(
            found.as_deref() == Some(spec.order_sha256.as_str()),
            "the same command line selects other cells here, although the modules are the same; use the same suite files and \
             parameters on all machines"
        );
        let directory = self.out.join(format!("{}@{}", spec.id, self.own.agent));
        let (writer, earlier) = if directory.join(FILE_NAME).exists() {
            Earlier::go_on(&directory, &job, spec)?
        } else {
            let created = RunWriter::create(&directory).map_err(|error| {
                let source = error.source.to_string();
                anyhow::anyhow!("{error}: {source}; give the agent another folder with --out DIR")
            });
            (created?, Earlier::default())
        };
        let kept = self.own.keep(&directory);
        kept.with_context(|| {
            format!("cannot write to {}; give the agent another folder with --out DIR", directory.display())
        })?;
        Ok(Measuring::new((arguments, prepared), (plan, seed), writer, earlier))
    }
}

/// Checks that the modules here are those of the spec.
fn same_modules(wanted: &[ModuleDigest], modules: &Modules) -> anyhow::Result<()> {
    let found = module_digests(modules);
    for module in wanted {
        let here = found.iter().position(|found| found.name == module.name && found.arm == module.arm);
        let Some(here) = here else {
            let refused = modules.refused.iter().map(|refused| format!("; {}", refused.reason)).collect::<String>();
            anyhow::bail!(
                "the module {} ({}) with the digest {} is not on this machine; copy it there{refused}",
                module.name,
                module.arm,
                digest::short(&module.sha256)
            );
        };
        let loaded = modules.loaded.iter().chain(&modules.companions).nth(here);
        anyhow::ensure!(
            found[here].sha256 == module.sha256,
            "{}: the module {} ({}) has the digest {}, but that of the run is {}; copy the file of the run to this machine",
            loaded.map(|loaded| loaded.offer.file.display().to_string()).unwrap_or_default(),
            module.name,
            module.arm,
            digest::short(&found[here].sha256),
            digest::short(&module.sha256)
        );
    }
    let other =
        found.iter().find(|found| wanted.iter().all(|wanted| wanted.name != found.name || wanted.arm != found.arm));
    if let Some(other) = other {
        anyhow::bail!(
            "the module {} ({}) is on this machine, but not where the run was submitted; move it away, or copy it there",
            other.name,
            other.arm
        );
    }
    Ok(())
}
