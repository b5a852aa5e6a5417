//! Messages stay in the sender's memory, and the receiver copies them with `process_vm_readv`. Their addresses are sent
//! through the slots and futex of another transport.

use super::{Fault, Link, Setup, Transport, broken, futex, slots};
use bench_model::ModuleError;
use ring_peer::{Peer, Watch, close_others};
use rustix::fd::{AsRawFd, OwnedFd, RawFd};
use rustix::io::Errno;
use rustix::process::{PTracer, Pid, set_ptracer};

/// Buffers for messages: one more than slots, so that the next buffer is always free.
const PLACES: usize = slots::SLOTS as usize + 1;

/// The place of a message: process, address and length, eight bytes each.
const NOTICE_BYTES: usize = 24;

pub(crate) struct Foreign {
    notices: futex::Slept,
    message_max: usize,
}

pub(crate) struct Side {
    notices: futex::Side,
    /// Buffers that hold messages until the other side has copied them.
    places: Vec<Vec<u8>>,
    sent: usize,
    input: Vec<u8>,
    is_parent: bool,
}

impl Link for Foreign {
    type Side = Side;

    fn open(setup: &Setup) -> Result<Self, ModuleError> {
        try_both_ways()?;
        let notices = futex::Slept::open(&Setup { message_max: NOTICE_BYTES, ..*setup })?;
        Ok(Self { notices, message_max: setup.message_max })
    }

    fn parent(self, watch: Watch) -> Result<Side, Fault> {
        allow(watch.pid());
        Ok(Side::new(self.notices.parent(watch)?, self.message_max, true))
    }

    fn peer(self) -> Result<Side, Fault> {
        Ok(Side::new(self.notices.peer()?, self.message_max, false))
    }
}

impl Side {
    fn new(notices: futex::Side, message_max: usize, is_parent: bool) -> Self {
        let place = || vec![0; message_max];
        Self {
            notices,
            places: std::iter::repeat_with(place).take(PLACES).collect(),
            sent: 0,
            input: place(),
            is_parent,
        }
    }
}

impl Transport for Side {
    fn send(&mut self, message: &[u8]) -> Result<(), Fault> {
        // The buffer was last used more messages ago than there are slots, so its slot has been freed since.
        let place = &mut self.places[self.sent % PLACES][..message.len()];
        place.copy_from_slice(message);
        let mut notice = [0; NOTICE_BYTES];
        let fields = [u64::from(std::process::id()), place.as_ptr() as u64, message.len() as u64];
        for (bytes, field) in notice.as_chunks_mut::<8>().0.iter_mut().zip(fields) {
            *bytes = field.to_ne_bytes();
        }
        self.sent += 1;
        self.notices.send(&notice)
    }

    fn receive<R>(&mut self, len: usize, read: impl FnOnce(&[u8]) -> R) -> Result<R, Fault> {
        let message = &mut self.input[..len];
        // The slot is freed once the copy is made, and the buffer with it.
        self.notices.receive(NOTICE_BYTES, |notice| {
            let (fields, _) = notice.as_chunks::<8>();
            let field = |index: usize| fields.get(index).map_or(0, |field| u64::from_ne_bytes(*field));
            if field(2) != message.len() as u64 {
                return Err(Fault::Protocol("received a message of unexpected length"));
            }
            read_foreign(field(0), field(1), message).map_err(broken("process_vm_readv"))
        })??;
        Ok(read(message))
    }

    fn fds(&self) -> Vec<RawFd> {
        Vec::new()
    }
}

impl Drop for Side {
    fn drop(&mut self) {
        if self.is_parent {
            // Fails if the kernel has no Yama, which does not matter.
            let _ = set_ptracer(PTracer::None);
        }
    }
}

/// Copies `message` from `address` in the process `pid`.
fn read_foreign(pid: u64, address: u64, message: &mut [u8]) -> rustix::io::Result<()> {
    let own = libc::iovec { iov_base: message.as_mut_ptr().cast(), iov_len: message.len() };
    let foreign = libc::iovec { iov_base: address as *mut libc::c_void, iov_len: message.len() };
    // SAFETY: the kernel writes at most `message.len()` bytes to `message`; it checks the other process's addresses.
    let copied = unsafe { libc::process_vm_readv(pid as libc::pid_t, &raw const own, 1, &raw const foreign, 1, 0) };
    match usize::try_from(copied) {
        Ok(copied) if copied == message.len() => Ok(()),
        // Part of the range is no longer mapped.
        Ok(_) => Err(Errno::FAULT),
        Err(_) => Err(Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::IO)),
    }
}

/// Lets the process `pid` read this one where Yama allows only ancestors.
fn allow(pid: Option<Pid>) {
    if let Some(pid) = pid {
        // Fails if the kernel has no Yama, which makes it unnecessary.
        let _ = set_ptracer(PTracer::ProcessID(pid));
    }
}

/// Tries reads between this process and a child in both directions, because Yama, seccomp, namespaces and capabilities
/// all decide whether they are permitted.
fn try_both_ways() -> Result<(), ModuleError> {
    let (own, other) = super::unix::pair(rustix::net::SocketType::STREAM)?;
    let word = 0x6970_635f_7072_6f62_u64.to_ne_bytes();
    let address = word.as_ptr() as u64;
    let parent = u64::from(std::process::id());
    let mut child = Peer::start(|| {
        // With a copy of the parent's end it would never see that end close.
        close_others(&mut [other.as_raw_fd()]);
        let mut found = [0; 8];
        // Waits until the parent has permitted it.
        let result = wait_for(&other).and_then(|()| read_foreign(parent, address, &mut found));
        let errno = result.err().map_or(0, Errno::raw_os_error);
        let _ = rustix::io::write(&other, &errno.to_ne_bytes());
        // The parent reads this process until it closes its end.
        let _ = wait_for(&other);
        0
    })
    .map_err(|error| ModuleError::Other(format!("cannot start a child process for the permission test: {error}")))?;
    drop(other);
    allow(child.watch().pid());
    let tried = (|| {
        rustix::io::write(&own, &[1])?;
        let mut errno = [0; 4];
        if rustix::io::read(&own, &mut errno)? != errno.len() {
            return Err(Errno::IO);
        }
        match i32::from_ne_bytes(errno) {
            0 => read_foreign(u64::from(child.pid()), address, &mut [0; 8]),
            errno => Err(Errno::from_raw_os_error(errno)),
        }
    })();
    drop(own);
    child.finish();
    let _ = set_ptracer(PTracer::None);
    tried.map_err(|errno| {
        let next = match errno {
            Errno::PERM | Errno::ACCESS => {
                "give the capability CAP_SYS_PTRACE, or set `sysctl kernel.yama.ptrace_scope=1` or less, and allow it in the seccomp profile"
            }
            _ => "use transport=futex",
        };
        ModuleError::Unavailable(format!("process_vm_readv between parent and child is not permitted: {errno}; {next}"))
    })
}

/// Blocks until a byte arrives or the other end is closed.
fn wait_for(socket: &OwnedFd) -> rustix::io::Result<()> {
    rustix::io::retry_on_intr(|| rustix::io::read(socket, &mut [0])).map(|_| ())
}
