//! The interface of `memory.rs` where there is no memfd: creating fails, so nothing else is ever called.

use crate::header::{Form, Header};
use crate::sync::AtomicU64;
use crate::{Integrity, RingError, Waking};
use std::convert::Infallible;
use std::os::fd::{BorrowedFd, OwnedFd};

#[derive(Debug)]
pub(crate) struct Memory(Infallible);

impl Memory {
    pub(crate) fn create(_: usize, _: Form, _: Integrity, _: Waking) -> Result<Self, RingError> {
        Err(RingError::Unsupported)
    }

    pub(crate) fn attach(_: OwnedFd, _: Form) -> Result<(Self, Integrity, Waking), RingError> {
        Err(RingError::Unsupported)
    }

    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        match self.0 {}
    }

    pub(crate) fn capacity(&self) -> usize {
        match self.0 {}
    }

    pub(crate) fn header(&self) -> &Header {
        match self.0 {}
    }

    pub(crate) fn prefetch_to_read(&self, _: u64) {
        match self.0 {}
    }

    pub(crate) fn prefetch_to_write(&self, _: u64) {
        match self.0 {}
    }

    pub(crate) fn payload_to_read(&self, _: u64, _: usize) -> *const [u8] {
        match self.0 {}
    }

    pub(crate) fn payload_to_write(&self, _: u64, _: usize) -> *mut [u8] {
        match self.0 {}
    }

    pub(crate) fn word(&self, _: u64) -> &AtomicU64 {
        match self.0 {}
    }
}
