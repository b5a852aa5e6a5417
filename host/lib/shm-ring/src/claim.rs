//! The claim on one end of a ring, which one process holds at a time. It must not know what the end does.

use crate::header::Seat;
use crate::memory::Memory;
use crate::sync::Ordering;
use crate::{RingError, Role};
use rustix::io::Errno;
use rustix::process::Pid;
use std::sync::Arc;

/// Held by an end; given back when it is dropped by the process that took it.
#[derive(Debug)]
pub(crate) struct Claim {
    pub(crate) memory: Arc<Memory>,
    role: Role,
}

impl Claim {
    /// Takes the end, also from a process that is gone. A process that ended and was not yet waited for still counts as
    /// there, and so does another that got its id; both ends must see the same process ids (one PID namespace).
    pub(crate) fn take(memory: &Arc<Memory>, role: Role) -> Result<Self, RingError> {
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

    /// What this end tells the other.
    pub(crate) fn own(&self) -> &Seat {
        seat(&self.memory, self.role)
    }

    /// What the other end tells this one.
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

/// Whether there is no process of this id. What is no process id at all was written by no claim and counts as gone.
fn is_gone(pid: u32) -> bool {
    match i32::try_from(pid).ok().and_then(Pid::from_raw) {
        Some(pid) => rustix::process::test_kill_process(pid) == Err(Errno::SRCH),
        None => true,
    }
}
