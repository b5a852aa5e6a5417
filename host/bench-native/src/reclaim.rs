//! Returns free memory of this process to the system.

/// Returns memory that the allocator keeps for later use to the system, also from between used blocks. The time is proportional to
/// the size of the heap. Does nothing if the C library has no such function.
pub fn reclaim() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: malloc_trim(3) touches nothing that is in use, takes the allocator's locks itself, and 0 is a padding it allows.
    unsafe {
        libc::malloc_trim(0);
    }
}
