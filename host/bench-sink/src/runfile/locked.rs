//! An open file whose lock ends with it, whoever has inherited it meanwhile. It must not know what is in the file.

use std::fs::File;
use std::ops::{Deref, DerefMut};

/// A file that may be locked. A process that is just being started has all open files for a moment, and would keep a lock that
/// merely ended with the last of them.
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
        // One that is not locked, or cannot be, holds nobody up.
        let _ = self.0.unlock();
    }
}
