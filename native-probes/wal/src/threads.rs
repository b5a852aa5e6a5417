//! Distributes operations over threads.

use bench_model::ModuleError;
use std::thread;

/// Runs a share of `times` operations for each of `workers` in a thread of its own; returns their results in order.
pub(crate) fn share_out<W: Send, R: Send>(
    workers: &mut [W],
    times: u64,
    run: impl Fn(usize, &mut W, u64) -> Result<R, ModuleError> + Sync,
) -> Result<Vec<R>, ModuleError> {
    let count = workers.len() as u64;
    let share = |index: usize| times / count + u64::from((index as u64) < times % count);
    thread::scope(|scope| {
        let run = &run;
        let start = |(index, worker)| scope.spawn(move || run(index, worker, share(index)));
        let threads: Vec<_> = workers.iter_mut().enumerate().map(start).collect();
        let join = |thread: thread::ScopedJoinHandle<'_, _>| {
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        threads.into_iter().map(join).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_are_distributed_and_failures_reported() {
        for (threads, times, expect) in [(1, 5, vec![5]), (3, 7, vec![3, 2, 2]), (4, 2, vec![1, 1, 0, 0])] {
            let mut workers = vec![0; threads];
            let done = share_out(&mut workers, times, |_, worker, share| {
                *worker = share;
                Ok(share)
            });
            assert_eq!((done, workers), (Ok(expect.clone()), expect));
        }
        let failed = share_out(&mut [(), ()], 2, |index, (), _| match index {
            0 => Ok(()),
            _ => Err(ModuleError::Other("no".to_owned())),
        });
        assert_eq!(failed, Err(ModuleError::Other("no".to_owned())));
    }
}
