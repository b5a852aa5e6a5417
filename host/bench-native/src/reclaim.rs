//! Free memory of this process, given back to the system. It must not know who has freed it.

/// Gives memory that the allocator keeps for later back to the system, also from between blocks that are in use. It takes
/// as long as the heap is large; nothing is done where the C library has no such call.
pub fn reclaim() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: malloc_trim(3) touches nothing that is in use, takes the allocator's locks itself, and 0 is a padding it allows.
    unsafe {
        libc::malloc_trim(0);
    }
}
