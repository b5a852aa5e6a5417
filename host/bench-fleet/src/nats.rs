//! A fleet over a NATS server: agents dial out to it, and what the coordinator decides is kept in a stream of JetStream. Nothing else knows
//! the client, whose interface changes every few months.

mod error;
mod guest;
mod link;
mod login;
mod reception;
mod server;
mod stream;

pub use error::NatsError;
pub use guest::{AgentLink, Invitation, join_link, wait_for_invitation};
pub use link::{LinkReader, LinkWriter};
pub use login::Login;
pub use reception::{Guests, Reception};
pub use server::{Pings, Server};
pub(crate) use stream::Put;
pub use stream::RunStream;

/// Whether `text` can be a part of a subject and the name of a file: nothing that a server, a shell or a file system could take for anything
/// else.
pub fn is_name(text: &str) -> bool {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_';
    (1..=64).contains(&text.len()) && !text.starts_with('-') && text.chars().all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_leads_nowhere_else() {
        for name in ["a", "node-1", "2026-11-29T04-51-40Z-abc123", "A_b"] {
            assert!(is_name(name), "{name}");
        }
        for name in ["", "-a", "a.b", "a b", "*", ">", "../a", "a/b", "a\u{1b}", "a\n", "ä", &"a".repeat(65)] {
            assert!(!is_name(name), "{name:?}");
        }
    }
}
