//! What makes the fresh instances of a component alike, so that an image need only hold what differs from one of them: until an
//! instance was made, time stands still for it and chance gives it what it gave the others. It must not know what is imaged.
//!
//! The monotonic clock is one for all instances, because what one of them remembers of it is put back into another.

use crate::state::State;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use wasmtime::Store;
use wasmtime_wasi::clocks::{HostMonotonicClock, HostWallClock, MonotonicClock, WallClock};
use wasmtime_wasi::random::WasiRandomCtx;
use wasmtime_wasi::{WasiCtxBuilder, WasiView};

/// What chance gives to instances while they are made begins with it.
const SEED: u64 = 0;

/// The clock says at least so much: some run-time systems take 0 for a clock that they have not.
const FIRST_NS: u64 = 1;

/// Time as fresh instances of a component find it.
pub(crate) struct Alike {
    monotonic: Arc<MonotonicClock>,
    wall: Duration,
}

/// An instance for which time stands still.
pub(crate) struct Standing(Arc<AtomicBool>);

impl Alike {
    pub(super) fn new() -> Self {
        Self { monotonic: Arc::new(MonotonicClock::new()), wall: WallClock::new().now() }
    }

    /// Sets time and chance of an instance that is to be made.
    pub(crate) fn stand(&self, wasi: &mut WasiCtxBuilder) -> Standing {
        let stands = Arc::new(AtomicBool::new(true));
        wasi.monotonic_clock(Monotonic { stands: Arc::clone(&stands), clock: Arc::clone(&self.monotonic) })
            .wall_clock(Wall { stands: Arc::clone(&stands), began: self.wall })
            .secure_random(ChaCha8Rng::seed_from_u64(SEED))
            .insecure_random(ChaCha8Rng::seed_from_u64(SEED))
            .insecure_random_seed(SEED.into());
        Standing(stands)
    }
}

impl Standing {
    /// The instance was made: time goes on, and chance is its own.
    pub(crate) fn go_on(self, store: &mut Store<State>) {
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
