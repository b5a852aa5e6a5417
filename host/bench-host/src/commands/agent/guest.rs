//! `agent --on nats://…`: waits at a server for invitations, and starts a process for each run that it is invited to. That process measures, and
//! has a connection of its own, so that nothing of this one disturbs it.

use super::Connection;
use crate::cli::AgentArgs;
use crate::commands::fleet::nats::connect as connect_to;
use crate::execute::interrupt;
use crate::{Exit, output};
use anyhow::Context;
use bench_engine::Interrupt;
use bench_fleet::{
    AgentLink, Invitation, NatsAddress, Pings, Uplink, is_name, join_link, listen, wait_for_invitation, wall_ns,
};
use std::ffi::OsString;
use std::io;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// The name of the agent, which everybody at the server sees.
fn name(arguments: &AgentArgs) -> anyhow::Result<&str> {
    let name = arguments.name.as_deref().context("--on needs --name NAME, which no other agent at that server has")?;
    anyhow::ensure!(is_name(name), "--name {name:?}: use letters, digits, `-` and `_` only, at most 64");
    Ok(name)
}

/// Measures for runs until it is stopped.
pub(super) fn attend(address: &NatsAddress, arguments: &AgentArgs) -> anyhow::Result<Exit> {
    let name = name(arguments)?;
    let interrupt = interrupt()?;
    let server = connect_to(address, Pings::Never)?;
    // No coordinator could use such a server, so that this agent would wait in vain.
    server.check()?;
    output::line(&format!("bench-host: agent {name} waits at {address} for runs; Ctrl-C ends it"));
    let mut finished = Vec::new();
    loop {
        let invitation = wait_for_invitation(&server, name, &finished, &|| interrupt.is_raised())?;
        let Some(Invitation { run, link }) = invitation else { return Ok(Exit::Done) };
        output::line(&format!("bench-host: agent {name} measures for run {run}"));
        let given = std::env::args_os().skip(1);
        let status = run_process(given.chain(["--link".into(), link.into()]), interrupt)?;
        if status.success() {
            output::line(&format!("bench-host: agent {name} has measured all that run {run} had for it"));
            if arguments.once {
                return Ok(Exit::Done);
            }
            finished.push(run);
        } else if status.code() == Some(REFUSED) {
            output::line(&format!("bench-host: agent {name} does not measure for run {run}, and waits for others"));
            finished.push(run);
        }
    }
}

/// The status of a process that refuses the run that it was invited to; it would do so again.
const REFUSED: i32 = 1;

/// Runs the process that measures, and has it stop if this one is interrupted or killed.
fn run_process(arguments: impl Iterator<Item = OsString>, interrupt: &Interrupt) -> anyhow::Result<ExitStatus> {
    let program = std::env::current_exe().context("cannot find this program to measure with")?;
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::null());
    let mut child: Child = command.spawn().context("cannot start the process that measures")?;
    // Its end asks the process to stop.
    let input: Arc<Mutex<Option<ChildStdin>>> = Arc::new(Mutex::new(child.stdin.take()));
    let held = Arc::clone(&input);
    let _woken = interrupt.subscribe(move || drop(held.lock().unwrap_or_else(PoisonError::into_inner).take()));
    let status = child.wait().context("cannot wait for the process that measures");
    drop(input);
    status
}

/// The connection `link` to a coordinator. Everything ends with standard input, which is the agent's that has started this process.
pub(super) fn connect(
    address: &NatsAddress,
    arguments: &AgentArgs,
    link: &str,
    interrupt: &'static Interrupt,
) -> anyhow::Result<Connection> {
    let server = connect_to(address, Pings::Never)?;
    let AgentLink { orders, messages, mut check } = join_link(&server, name(arguments)?, link)?;
    thread::Builder::new().name("parent".to_owned()).spawn(move || {
        let _ = io::copy(&mut io::stdin(), &mut io::sink());
        interrupt.raise();
    })?;
    let check = move || if interrupt.is_raised() { Err(io::ErrorKind::ConnectionAborted.into()) } else { check() };
    let orders = listen(io::BufReader::new(orders), wall_ns, move || _ = interrupt.raise());
    Ok(Connection { orders, uplink: Uplink::with_check(messages, Box::new(check)) })
}
