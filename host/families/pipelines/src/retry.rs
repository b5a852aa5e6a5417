//! Trying again what a server refuses for a moment: it is starting, or connections that have ended still count.

use postgres::error::SqlState;
use postgres::{Client, Config, NoTls};
use std::time::Duration;

/// How often a connection of the host is tried again.
const CONNECTS: u32 = 3;

/// The time before the first retry; each further one waits twice as long, up to 64 times this.
const PAUSE: Duration = Duration::from_millis(50);

/// Waits before the retry after so many others. Not exact: it may be less.
pub(crate) fn pause(retries: u32) {
    std::thread::park_timeout(PAUSE * (1 << retries.min(6)));
}

/// Connects; tries again while the server says that it cannot take a connection now.
pub(crate) fn connect(config: &Config) -> Result<Client, postgres::Error> {
    let mut retries = 0;
    loop {
        match config.connect(NoTls) {
            Err(error) if retries < CONNECTS && is_passing(error.code()) => {
                pause(retries);
                retries += 1;
            }
            ended => return ended,
        }
    }
}

/// Whether an error passes by itself.
fn is_passing(code: Option<&SqlState>) -> bool {
    [Some(&SqlState::TOO_MANY_CONNECTIONS), Some(&SqlState::CANNOT_CONNECT_NOW)].contains(&code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_passes_is_tried_again() {
        assert!(is_passing(Some(&SqlState::TOO_MANY_CONNECTIONS)) && is_passing(Some(&SqlState::CANNOT_CONNECT_NOW)));
        let others = [SqlState::INVALID_PASSWORD, SqlState::INVALID_CATALOG_NAME, SqlState::DISK_FULL];
        assert!(!others.iter().any(|code| is_passing(Some(code))));
        assert!(!is_passing(None), "nobody listens there");
    }
}
