//! The other thread: it takes orders, each for one batch, and says when it has begun and ended one.

use crate::Task;
use crate::message::Tally;
use crate::side::{Side, until};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::JoinHandle;

/// A batch, with a number from 1 on.
#[derive(Clone, Copy, Debug)]
struct Order {
    number: u64,
    side: usize,
    batch: u64,
}

/// Two cache lines without other data, because processors fetch lines in pairs.
#[repr(align(128))]
#[derive(Debug, Default)]
struct Line(AtomicU64);

/// What both threads look at.
#[derive(Debug, Default)]
struct Progress {
    begun: Line,
    ended: Line,
}

/// A handle of the thread, for the one that measures. The thread ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Worker {
    /// `None` only while it is dropped.
    orders: Option<Sender<Order>>,
    tallies: Receiver<Tally>,
    progress: Arc<Progress>,
    gone: Arc<AtomicBool>,
    number: u64,
    thread: Option<JoinHandle<()>>,
}

/// Says that its thread has ended, also where it panicked.
struct Gone(Arc<AtomicBool>);

impl Drop for Gone {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Worker {
    /// Starts the thread on processor `cpu`, with its `sides`.
    pub(crate) fn start(
        task: Task,
        cpu: usize,
        mut sides: [Box<dyn Side + Send>; 2],
        gone: Arc<AtomicBool>,
    ) -> std::io::Result<Self> {
        let (orders, taken) = mpsc::channel::<Order>();
        let (told, tallies) = mpsc::channel();
        let progress = Arc::new(Progress::default());
        let (shared, flag) = (Arc::clone(&progress), Gone(Arc::clone(&gone)));
        let thread = std::thread::Builder::new().name("queues".to_owned()).spawn(move || {
            // Moved here, so that it is dropped with this thread.
            let _flag = flag;
            if ring_peer::pin(cpu).is_err() {
                return;
            }
            for Order { number, side, batch } in taken {
                let side = &mut sides[side];
                shared.begun.0.store(number, Ordering::Release);
                let done = match task {
                    Task::ThereAndBack => side.answer(batch),
                    Task::OneWay => side.drain(batch),
                };
                shared.ended.0.store(number, Ordering::Release);
                if !done || told.send(side.tally()).is_err() {
                    return;
                }
            }
        })?;
        Ok(Self { orders: Some(orders), tallies, progress, gone, number: 0, thread: Some(thread) })
    }

    /// Orders a batch of `side`, and returns when the other thread has begun it; false if it has ended.
    pub(crate) fn begin(&mut self, side: usize, batch: u64) -> bool {
        self.number += 1;
        let order = Order { number: self.number, side, batch };
        let is_sent = self.orders.as_ref().is_some_and(|orders| orders.send(order).is_ok());
        is_sent && until(&self.gone, || self.progress.begun.0.load(Ordering::Acquire) == self.number)
    }

    /// Waits until the other thread has ended the batch; false if it has ended itself.
    #[inline]
    pub(crate) fn finish(&self) -> bool {
        until(&self.gone, || self.progress.ended.0.load(Ordering::Acquire) == self.number)
    }

    /// What the other thread's side of the last batch has counted so far; `None` if it has ended.
    pub(crate) fn tally(&self) -> Option<Tally> {
        self.tallies.recv().ok()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // In the middle of a batch only this ends it.
        self.gone.store(true, Ordering::Relaxed);
        self.orders = None;
        if let Some(thread) = self.thread.take() {
            // What it panicked with was printed.
            let _ = thread.join();
        }
    }
}
