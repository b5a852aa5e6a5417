//! An open file whose lock is released on drop, even if a child process has inherited the file.

use std::fs::File;
use std::ops::{Deref, DerefMut};

/// A file that may be locked. A child process inherits all open files until its `exec`, and would keep a lock that is only released
/// when the last copy of the file is closed.
#[derive(Debug)]
pub(super) struct Locked(pub(super) File);

impl Deref for Locked {
    type Target = File;

    fn deref(&self) -> &File {
        &self.0
    }
}

impl DerefMut for Locked {
    fn deref_mut(&mut self) -> &mut File {
        &mut self.0
    }
}

impl Drop for Locked {
    fn drop(&mut self) {
        // Ignore the error: a file that is not locked needs no unlocking.
        let _ = self.0.unlock();
    }
}
