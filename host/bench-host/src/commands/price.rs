//! `price`: the price list of a WIT. Several workers measure synthetic components of it, each all calls in an order of its own.

use crate::cli::{GrantArgs, LimitArgs};
use crate::execute::interrupt;
use crate::modules::Loader;
use crate::show::ShowArgs;
use crate::worker::{Reply, Request};
use crate::{Exit, cost, output};
use anyhow::Context;
use bench_engine::Interrupt;
use bench_engine::worker::{WorkerError, draw_layout};
use bench_price::{Api, Direction, Effort, Measured, PriceList};
use clap::Args;
use std::path::PathBuf;
use std::time::Duration;

#[derive(Debug, Args)]
pub(crate) struct PriceArgs {
    /// A WIT: a file, or the folder of a package with its `deps`
    #[arg(value_name = "WIT")]
    wit: PathBuf,
    /// The world whose functions and types have prices [default: the only world, or all interfaces of a package without one]
    #[arg(value_name = "WORLD")]
    world: Option<String>,
    /// Measure each call for a few hundred microseconds in two processes: enough to see that it works
    #[arg(long)]
    quick: bool,
    /// Worker processes, each of which measures every call [default: 5]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    processes: Option<u32>,
    /// Seed of the random order of the calls
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    #[command(flatten)]
    show: ShowArgs,
    /// Do not print what is measured
    #[arg(short, long)]
    quiet: bool,
}

/// Processes, unless `--processes` says otherwise; with `--quick`.
const PROCESSES: [u32; 2] = [5, 2];

/// Time to compile the components of a large WIT, in addition to the usual deadline.
const COMPILE: Duration = Duration::from_secs(120);

/// About the time to make and compile the components in one process, where they are not in the cache.
const MAKING: Duration = Duration::from_secs(2);

pub(crate) fn run(arguments: &PriceArgs) -> anyhow::Result<Exit> {
    let api = Api::read(&arguments.wit, arguments.world.as_deref())?;
    let nothing = GrantArgs { allow_net: Vec::new(), allow_dir: Vec::new(), env: Vec::new(), deny: Vec::new() };
    let loader = Loader::new(&nothing, LimitArgs::default())?;
    let effort = if arguments.quick { Effort::QUICK } else { Effort::DEFAULT };
    let processes = arguments.processes.unwrap_or(PROCESSES[usize::from(arguments.quick)]);
    if !arguments.quiet {
        output::line(&what_is_measured(&api, effort, processes));
    }
    let interrupt = interrupt()?;
    let mut measured = Vec::with_capacity(processes as usize);
    for process in 0..processes {
        match measure(&loader, &api, effort, (arguments.seed, process), interrupt)? {
            Some(of_process) => measured.push(of_process),
            None => return Ok(Exit::NotMeasured),
        }
    }
    let list = PriceList::new(&api, &measured);
    let wit = arguments.wit.display().to_string();
    let name = arguments.world.as_ref().map_or_else(|| wit.clone(), |world| format!("{wit} {world}"));
    arguments.show.print(&bench_price::document(&name, &list))?;
    Ok(if list.faults().next().is_some() { Exit::Finding } else { Exit::Done })
}

/// One line: how many calls, and about how long they take.
fn what_is_measured(api: &Api, effort: Effort, processes: u32) -> String {
    let functions = api.entries.len();
    let samples = functions as u64 * Direction::ALL.len() as u64 * u64::from(effort.samples);
    // A function whose payload varies has samples of each payload; about half of all do.
    let payloads = bench_price::PAYLOADS.len() as u64 / 2 + 1;
    let each = Duration::from_nanos(samples * payloads * effort.sample_ns) + MAKING;
    let about = cost::duration(each * processes);
    format!(
        "{functions} functions and types × {} directions × {processes} processes: about {about}",
        Direction::ALL.len()
    )
}

/// What one process measures; `None` if interrupted.
fn measure(
    loader: &Loader,
    api: &Api,
    effort: Effort,
    (seed, process): (u64, u32),
    interrupt: &Interrupt,
) -> anyhow::Result<Option<Vec<Measured>>> {
    let of_process = seed.wrapping_add(u64::from(process) << 32);
    let (wit, awaited) = (api.wit.clone(), api.awaited.clone());
    let request = Request::Price { wit, awaited, effort, seed: of_process, cache: loader.cache.clone() };
    let deadline = loader.deadline() + COMPILE;
    let layout = draw_layout(seed, 0, process);
    match loader.workers.call_in(Some(&layout), &request, deadline, interrupt).result {
        Ok(Reply::Priced(measured)) => Ok(Some(measured)),
        Ok(Reply::Refused(reason)) => Err(anyhow::anyhow!("{reason}").context("cannot measure the components")),
        Ok(_) => anyhow::bail!("unexpected reply of the worker"),
        Err(WorkerError::Interrupted) => Ok(None),
        Err(error) => Err(error).context("cannot measure the components"),
    }
}
