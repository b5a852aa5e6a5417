//! The arguments of `fleet` and `agent`.

use super::values::cpu_list;
use super::{CpuList, RunArgs};
use crate::show::ShowArgs;
use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(crate) enum FleetCommand {
    /// Measure one run with several machines: groups of cells are handed out, and the results become one run for each class of equal
    /// machines
    #[command(
        after_help = "Examples:\n  bench-host fleet run kernels --on ssh:a,b,user@c\n  bench-host fleet run kernels --on local:2\n  bench-host fleet run kernels --on kubernetes:bench --on tls://queue --nodes 3 --image IMAGE --key acme.key\n  bench-host fleet run kernels --on kubernetes:bench --nodes 3 --image IMAGE --dry-run | kubectl create -f -\n\nEvery machine needs the same bench-host in its PATH, and the same modules. All arms of a scenario with equal arguments are\nmeasured by one machine; each is compared with the rooflines of its own machine. Machines that differ are classes of their own,\nand each class measures the whole run.\n\nIn a cluster, a Job starts one agent a node. It is created by the account of the kubeconfig, which may need the rights to create, get,\nlist, watch and delete jobs.batch, and to list and watch pods; with --nats-image also to create, get and delete configmaps,\ndeployments.apps and services. The namespace has the volume of --claim, the policy of the agents as `policy.toml` in the ConfigMap\n`bench-host-policy`, and their login in the secret `bench-host-nats`: `nats.creds` and `ca.crt`; with --nats-image, what `--dry-run`\nsays. All that is created has the label bench-host.test/run, and is deleted when the run ends or is stopped; Ctrl-C leaves it."
    )]
    Run(Box<FleetRunArgs>),
    /// Show the agents of a run, what each of them measures, and how much is left
    #[command(after_help = "Example:\n  bench-host fleet status")]
    Status(ShownFleetRun),
    /// Follow a run until it ends, and then print its results
    #[command(
        after_help = "Example:\n  bench-host fleet attach\n\nCtrl-C ends `fleet run` and `fleet attach`, but not the run; `fleet stop` does."
    )]
    Attach(ShownFleetRun),
    /// Resume a run whose coordinating process was killed; the agents have kept their results
    #[command(after_help = "Example:\n  bench-host fleet resume")]
    Resume(ShownFleetRun),
    /// Check that the lines of the agents are unchanged, and that the results contain each repetition once, as an agent wrote it
    #[command(after_help = "Example:\n  bench-host fleet verify")]
    Verify(FleetRunName),
    /// Stop a run; its finished part is kept and merged, and what was created for it in a cluster is deleted
    #[command(after_help = "Example:\n  bench-host fleet stop")]
    Stop(FleetRunName),
    /// Merge the shards of a run, or what the agents of a fleet kept of one, into one run; no line is changed
    #[command(
        after_help = "Example, on three machines and then on one that has the three folders:\n  bench-host run kernels --shard 1/3 --out a\n  bench-host run kernels --shard 2/3 --out b\n  bench-host run kernels --shard 3/3 --out c\n  bench-host fleet merge a/* b/* c/*\n\nOf a fleet whose coordinator is lost, with the folders RUN@AGENT of its agents. A group of cells that several of them measured counts\nfrom the one whose name is first in the alphabet:\n  bench-host fleet merge RUN@a RUN@b"
    )]
    Merge(MergeArgs),
}

#[derive(Debug, Args)]
pub(crate) struct FleetRunArgs {
    #[command(flatten)]
    pub(crate) run: RunArgs,
    /// Where to measure: `local:N` (N agents on this machine, which share its processors out) or `ssh:HOST,…` (one agent on each of these machines), may be given
    /// several times; or `nats://HOST[:PORT]` (the agents that connect to this server); or `kubernetes[:NAMESPACE]` together with the latter (the agents of a Job); with --dry-run, that prints its manifest [default: local:1]
    #[arg(long, value_name = "WHERE")]
    pub(crate) on: Vec<String>,
    /// Accept several agents on one machine, which disturb each other's figures; those of one `local:N` need no such option
    #[arg(long)]
    pub(crate) share_machine: bool,
    /// With `--on nats://…`: the number of agents; with `--on kubernetes`: the number of nodes
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub(crate) nodes: u32,
    /// With `--on kubernetes`: the image of a container that has bench-host and the modules
    #[arg(long, value_name = "IMAGE", default_value = concat!("bench-host:", env!("CARGO_PKG_VERSION")))]
    pub(crate) image: String,
    /// With `--on kubernetes`: the claim of a volume for the results, which all nodes can write to
    #[arg(long, value_name = "NAME", default_value = "bench-host")]
    pub(crate) claim: String,
    /// With `--on kubernetes`: run a NATS server from this image in the cluster, such as `nats:2`, and have its agents connect to that; `--on tls://…` is
    /// then how this machine reaches it
    #[arg(long, value_name = "IMAGE")]
    pub(crate) nats_image: Option<String>,
    /// Sign the run with this secret key, for machines whose agents have a policy; make one with `registry keygen`
    #[arg(long, value_name = "FILE")]
    pub(crate) key: Option<PathBuf>,
    /// Start the run, and do not wait for its end; see it with `fleet attach`
    #[arg(long)]
    pub(crate) detach: bool,
    /// Coordinate the run of this name; `fleet run` starts such a process
    #[arg(long, value_name = "ID", hide = true)]
    pub(crate) coordinate: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct FleetRunName {
    /// The name of the run [default: the newest one]
    #[arg(value_name = "RUN")]
    pub(crate) run: Option<String>,
    /// Folder that holds the run directories
    #[arg(long, value_name = "DIR", default_value = "results")]
    pub(crate) out: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct ShownFleetRun {
    #[command(flatten)]
    pub(crate) of: FleetRunName,
    #[command(flatten)]
    pub(crate) show: ShowArgs,
}

#[derive(Debug, Args)]
pub(crate) struct MergeArgs {
    /// The run directories of all shards, or of all agents of a fleet
    #[arg(required = true, value_name = "RUN")]
    pub(crate) runs: Vec<PathBuf>,
    /// Accept shards that were measured on unlike machines; ratios are formed within a shard only
    #[arg(long)]
    pub(crate) across_machines: bool,
    /// Accept shards that were measured at the same time on one machine
    #[arg(long)]
    pub(crate) share_machine: bool,
    /// Folder for the merged run directory
    #[arg(long, value_name = "DIR", default_value = "results")]
    pub(crate) out: PathBuf,
    #[command(flatten)]
    pub(crate) show: ShowArgs,
}

#[derive(Debug, Args)]
pub(crate) struct AgentArgs {
    /// Read requests from standard input, and write results to standard output
    #[arg(long)]
    pub(crate) stdio: bool,
    /// Measure the runs that are submitted to a NATS server, `nats://HOST[:PORT]` or `tls://HOST[:PORT]`, until this process is
    /// stopped
    #[arg(long, value_name = "WHERE", conflicts_with = "stdio")]
    pub(crate) on: Option<String>,
    /// With --on: end after the first run
    #[cfg(feature = "nats")]
    #[arg(long, requires = "on")]
    pub(crate) once: bool,
    /// Name of the connection to the coordinator; given by the agent that starts this process
    #[cfg(feature = "nats")]
    #[arg(long, value_name = "NAME", hide = true, requires = "on")]
    pub(crate) link: Option<String>,
    /// Name of the run to measure; every other one is refused
    #[arg(long, value_name = "ID")]
    pub(crate) run: Option<String>,
    /// Policy file: the submitters, modules and grants that are allowed, in place of the policy of the user who starts the agent; needed
    /// with --on, and --run is then not
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
    /// Name of this agent in the fleet [default: agent]
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Processors to use, such as `2,4-7` [default: all that this process may use]
    #[arg(long, value_name = "LIST", value_parser = cpu_list)]
    pub(crate) cpu: Option<CpuList>,
    /// Folder for the agent's own run file [default: bench-host/agent in the user's state folder]
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
}
