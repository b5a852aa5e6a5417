//! The claim on one end of a ring, which one process holds at a time.

use crate::header::Seat;
use crate::memory::Memory;
use crate::sync::Ordering;
use crate::{RingError, Role};
use rustix::io::Errno;
use rustix::process::Pid;
use std::sync::Arc;

/// The claim of an end, released when the process that acquired it drops it.
#[derive(Debug)]
pub(crate) struct Claim {
    pub(crate) memory: Arc<Memory>,
    role: Role,
}

impl Claim {
    /// Acquires the end, also from a process that has ended. A process that ended and was not yet waited for still counts as running,
    /// and so does another process with its id; both ends must see the same process ids (one PID namespace).
    pub(crate) fn acquire(memory: &Arc<Memory>, role: Role) -> Result<Self, RingError> {
        let seat = seat(memory, role);
        let mut expected = 0;
        loop {
            match seat.owner.compare_exchange(expected, std::process::id(), Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => break,
                Err(pid) if pid == 0 || is_gone(pid) => expected = pid,
                Err(pid) => return Err(RingError::Busy { role, pid }),
            }
        }
        seat.asleep.store(0, Ordering::Relaxed);
        Ok(Self { memory: Arc::clone(memory), role })
    }

    /// The seat of this end.
    pub(crate) fn own(&self) -> &Seat {
        seat(&self.memory, self.role)
    }

    /// The seat of the other end.
    pub(crate) fn peer(&self) -> &Seat {
        seat(&self.memory, if self.role == Role::Producer { Role::Consumer } else { Role::Producer })
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        // In a forked child this is a copy of its parent's claim, and the owner is another: then nothing happens.
        let _ = self.own().owner.compare_exchange(std::process::id(), 0, Ordering::AcqRel, Ordering::Relaxed);
    }
}

fn seat(memory: &Memory, role: Role) -> &Seat {
    match role {
        Role::Producer => &memory.header().producer.0,
        Role::Consumer => &memory.header().consumer.0,
    }
}

/// Whether there is no process with this id. An invalid id was not written by a claim, so its process counts as ended.
fn is_gone(pid: u32) -> bool {
    match i32::try_from(pid).ok().and_then(Pid::from_raw) {
        Some(pid) => rustix::process::test_kill_process(pid) == Err(Errno::SRCH),
        None => true,
    }
}
