//! Waits for calls that are awaited and wait for nothing outside of this thread, so that they need no executor.

use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::thread;

/// What `future` results in, which waits for nothing outside of this thread.
pub fn wait<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
        // The rest is done when it is asked for again.
        thread::yield_now();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::poll_fn;

    #[test]
    fn future_is_asked_until_it_is_ready() {
        let mut asked = 0;
        let last = wait(poll_fn(|_| {
            asked += 1;
            if asked < 3 { Poll::Pending } else { Poll::Ready(asked) }
        }));
        assert_eq!(last, 3);
    }
}
