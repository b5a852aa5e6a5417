//! The loop of the server: wait until some socket is ready, and let it have its turn. It must not know what is said.

use crate::connection::Client;
use crate::listener::Listener;
use function_core::State;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Signal, getppid, set_parent_process_death_signal};
use std::io;

/// Serves until the process that started it ends, or the system refuses to go on.
pub(crate) fn serve(listener: &Listener, state: &State) -> io::Result<()> {
    let parent = getppid();
    set_parent_process_death_signal(Some(Signal::KILL))?;
    if getppid() != parent {
        // It has ended before it could be asked to be told.
        return Ok(());
    }
    let mut clients: Vec<Client> = Vec::new();
    loop {
        let (accepts, ready) = wait(listener, &clients)?;
        let mut ready = ready.into_iter();
        clients.retain_mut(|client| {
            // A client that broke off is none of the others' business.
            !ready.next().unwrap_or_default() || client.turn(state).unwrap_or(false)
        });
        while accepts && let Some(connection) = listener.accept()? {
            let mut client = Client::new(connection);
            // Its request has often come with it.
            if client.turn(state).unwrap_or(false) {
                clients.push(client);
            }
        }
    }
}

/// Whether somebody connects, and which clients have something to do.
fn wait(listener: &Listener, clients: &[Client]) -> io::Result<(bool, Vec<bool>)> {
    let of_client = |client| {
        let flags = if Client::wants_to_write(client) { PollFlags::IN | PollFlags::OUT } else { PollFlags::IN };
        PollFd::from_borrowed_fd(client.connection().as_fd(), flags)
    };
    let mut sockets = vec![PollFd::new(listener, PollFlags::IN)];
    sockets.extend(clients.iter().map(of_client));
    loop {
        match poll(&mut sockets, None) {
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
            Ok(_) => {
                let mut ready = sockets.iter().map(|socket| !socket.revents().is_empty());
                return Ok((ready.next().unwrap_or_default(), ready.collect()));
            }
        }
    }
}
