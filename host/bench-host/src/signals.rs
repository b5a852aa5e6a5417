//! Handles the signals that ask this program to end: Ctrl-C, termination, and the end of the terminal. One that was ignored when the
//! program was started stays ignored, as `nohup` and the background jobs of scripts expect.

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::io;

const TERMINATION: [i32; 3] = [SIGINT, SIGTERM, SIGHUP];

/// Calls `handler` on a thread of its own at each signal that asks for the end.
pub(crate) fn on_termination(handler: impl Fn() + Send + 'static) -> io::Result<()> {
    let ignored = ignored(&std::fs::read_to_string("/proc/self/status").unwrap_or_default());
    let handled: Vec<i32> = TERMINATION.into_iter().filter(|signal| !contains(ignored, *signal)).collect();
    if handled.is_empty() {
        return Ok(());
    }
    let mut signals = Signals::new(handled)?;
    std::thread::Builder::new().name("signals".to_owned()).spawn(move || signals.forever().for_each(|_| handler()))?;
    Ok(())
}

/// The ignored signals in the text of `/proc/self/status` (proc_pid_status(5)), one bit each; none if the system does not tell.
fn ignored(status: &str) -> u64 {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default()
}

fn contains(mask: u64, signal: i32) -> bool {
    mask >> (signal - 1) & 1 == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ignored_signals_are_read_from_the_mask() {
        let check = |status: &str, expect: [bool; 3]| {
            assert_eq!(TERMINATION.map(|signal| contains(ignored(status), signal)), expect, "{status}");
        };
        check("SigBlk:\t0000000000000000\nSigIgn:\t0000000000000001\nSigCgt:\tffff", [false, false, true]);
        check("SigIgn:\t0000000000001002\n", [true, false, false]);
        check("SigIgn:\t0000000000004000\n", [false, true, false]);
        check("", [false; 3]);
    }
}
