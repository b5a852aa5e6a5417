//! Makes fresh instances of a component equal, so that an image only contains the difference from a fresh one: while an instance is
//! created, its clocks stand still and its random numbers are fixed.
//!
//! All instances share one monotonic clock, because times that one of them has stored may be restored into another.

use crate::state::State;
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use wasmtime::Store;
use wasmtime_wasi::clocks::{HostMonotonicClock, HostWallClock, MonotonicClock, WallClock};
use wasmtime_wasi::random::WasiRandomCtx;
use wasmtime_wasi::{WasiCtxBuilder, WasiView};

/// The seed of the random numbers while an instance is created.
const SEED: u64 = 0;

/// Minimum time of the clock, because some language runtimes take 0 for a missing clock.
const FIRST_NS: u64 = 1;

/// The clocks of the fresh instances of a component.
#[expect(missing_debug_implementations, reason = "clocks cannot be shown")]
pub struct DeterministicInit {
    monotonic: Arc<MonotonicClock>,
    wall: Duration,
}

/// An instance whose clocks stand still.
#[derive(Debug)]
pub struct FrozenClock(Arc<AtomicBool>);

impl DeterministicInit {
    pub(super) fn new() -> Self {
        Self { monotonic: Arc::new(MonotonicClock::new()), wall: WallClock::new().now() }
    }

    /// Fixes clocks and random numbers for an instance that is about to be created.
    pub fn stand(&self, wasi: &mut WasiCtxBuilder) -> FrozenClock {
        let stands = Arc::new(AtomicBool::new(true));
        wasi.monotonic_clock(Monotonic { stands: Arc::clone(&stands), clock: Arc::clone(&self.monotonic) })
            .wall_clock(Wall { stands: Arc::clone(&stands), began: self.wall })
            .secure_random(ChaCha8Rng::seed_from_u64(SEED))
            .insecure_random(ChaCha8Rng::seed_from_u64(SEED))
            .insecure_random_seed(SEED.into());
        FrozenClock(stands)
    }
}

impl FrozenClock {
    /// Releases clocks and random numbers after the instance was created.
    pub fn go_on(self, store: &mut Store<State>) {
        self.0.store(false, Ordering::Relaxed);
        *store.data_mut().ctx().ctx.random() = WasiRandomCtx::default();
    }
}

struct Monotonic {
    stands: Arc<AtomicBool>,
    clock: Arc<MonotonicClock>,
}

impl HostMonotonicClock for Monotonic {
    fn resolution(&self) -> u64 {
        self.clock.resolution()
    }

    fn now(&self) -> u64 {
        if self.stands.load(Ordering::Relaxed) { FIRST_NS } else { FIRST_NS + self.clock.now() }
    }
}

struct Wall {
    stands: Arc<AtomicBool>,
    began: Duration,
}

impl HostWallClock for Wall {
    fn resolution(&self) -> Duration {
        WallClock::new().resolution()
    }

    fn now(&self) -> Duration {
        if self.stands.load(Ordering::Relaxed) { self.began } else { WallClock::new().now() }
    }
}
