//! The lower bound of a restore: a process that touches as many pages as the image has, copies the image into them, and
//! answers.

use super::{end_with_parent, standard};
use crate::http::{self, Incoming};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixListener;

const PAGE_BYTES: usize = 4096;

/// Fills memory from the file `pages`, then answers one request.
pub(super) fn run(pages: &str) -> io::Result<()> {
    end_with_parent()?;
    let mut file = File::open(pages)?;
    let bytes = file.metadata()?.len() as usize;
    // Zeroed memory has no pages yet: the kernel allocates each one when it is first written.
    let mut memory = vec![0_u8; bytes];
    memory.iter_mut().step_by(PAGE_BYTES).for_each(|byte| *byte = 1);
    std::hint::black_box(&mut memory);
    file.read_exact(&mut memory)?;
    std::hint::black_box(&memory);
    let listener: UnixListener = standard(0);
    let (mut stream, _) = listener.accept()?;
    let mut incoming = Incoming::default();
    while incoming.take()?.is_none() {
        if !incoming.fill(&mut stream)? {
            return Ok(());
        }
    }
    stream.write_all(&http::response("200 OK", &function_core::expected_response()))
}
