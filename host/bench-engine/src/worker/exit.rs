//! How a worker ended, in words.

use rustix::process::Signal;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

/// `was killed by SIGSEGV (invalid memory access)`, `exited with status 3`.
pub(super) fn describe(status: io::Result<ExitStatus>) -> String {
    let Ok(status) = status else { return "ended in an unknown way".to_owned() };
    match (status.signal().or_else(|| supervised_signal(status)), status.code()) {
        (Some(signal), _) => match Signal::from_named_raw(signal) {
            Some(named) => format!("was killed by {}", signal_name(named)),
            None => format!("was killed by signal {signal}"),
        },
        (None, Some(0)) => "exited without a reply".to_owned(),
        (None, Some(code)) => format!("exited with status {code}"),
        (None, None) => "ended in an unknown way".to_owned(),
    }
}

/// The signal that ended a supervised worker.
fn supervised_signal(status: ExitStatus) -> Option<i32> {
    #[cfg(target_os = "linux")]
    let signal = status.code().and_then(super::supervisor::signal_of);
    #[cfg(not(target_os = "linux"))]
    let signal = None;
    signal
}

fn signal_name(signal: Signal) -> String {
    let known = [
        (Signal::ABORT, "SIGABRT (abort)"),
        (Signal::SEGV, "SIGSEGV (invalid memory access)"),
        (Signal::BUS, "SIGBUS (bus error)"),
        (Signal::ILL, "SIGILL (illegal instruction)"),
        (Signal::FPE, "SIGFPE (arithmetic error)"),
        (Signal::TRAP, "SIGTRAP (trap)"),
        (Signal::KILL, "SIGKILL (killed from outside, or out of memory)"),
        (Signal::TERM, "SIGTERM (terminated from outside)"),
    ];
    let name = known.iter().find(|(known, _)| *known == signal).map(|(_, name)| (*name).to_owned());
    name.unwrap_or_else(|| format!("signal {}", signal.as_raw()))
}
