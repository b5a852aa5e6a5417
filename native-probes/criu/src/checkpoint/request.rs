//! Encodes a request to CRIU's worker and decodes its response: the few fields of CRIU's `images/rpc.proto` that are
//! used here, in protocol buffers.
//!
//! CRIU's client library starts CRIU when it sends a request; this probe starts it before, so that it waits.

use super::statistics::{Field, fields};

/// The request type `RESTORE`.
const RESTORE: u64 = 2;

/// A request to restore from the folder that the requesting process has open as `images_fd`; `key` is the resource that
/// becomes the worker's descriptor `inherited_fd`.
pub(crate) fn restore_request(images_fd: u64, key: &str, inherited_fd: u64) -> Vec<u8> {
    let mut inherit = Vec::new();
    bytes(&mut inherit, 1, key.as_bytes());
    number(&mut inherit, 2, inherited_fd);
    let mut options = Vec::new();
    number(&mut options, 1, images_fd);
    // log_level
    number(&mut options, 9, 0);
    // inherit_fd
    bytes(&mut options, 27, &inherit);
    let mut request = Vec::new();
    number(&mut request, 1, RESTORE);
    bytes(&mut request, 2, &options);
    request
}

/// Whether the response reports a successful restore.
pub(crate) fn restored(answer: &[u8]) -> bool {
    let fields = fields(answer).unwrap_or_default();
    fields.contains(&(1, Field::Number(RESTORE))) && fields.contains(&(2, Field::Number(1)))
}

fn number(message: &mut Vec<u8>, tag: u64, value: u64) {
    varint(message, tag << 3);
    varint(message, value);
}

fn bytes(message: &mut Vec<u8>, tag: u64, value: &[u8]) {
    varint(message, tag << 3 | 2);
    varint(message, value.len() as u64);
    message.extend_from_slice(value);
}

fn varint(message: &mut Vec<u8>, mut value: u64) {
    while value > 0x7f {
        message.push(value as u8 | 0x80);
        value >>= 7;
    }
    message.push(value as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_written_request_is_read_back() {
        let request = restore_request(300, "socket:[7]", 0);
        let [(1, Field::Number(RESTORE)), (2, Field::Bytes(options))] = fields(&request).unwrap()[..] else {
            panic!("{request:?}")
        };
        let options = fields(options).unwrap();
        assert_eq!(options[..2], [(1, Field::Number(300)), (9, Field::Number(0))]);
        let (27, Field::Bytes(inherit)) = options[2] else { panic!("{options:?}") };
        assert_eq!(fields(inherit).unwrap(), [(1, Field::Bytes(b"socket:[7]")), (2, Field::Number(0))]);
    }

    #[test]
    fn only_a_successful_restore_is_accepted() {
        assert!(restored(&[0x08, 2, 0x10, 1, 0x22, 2, 0x08, 7]));
        for answer in [&[][..], &[0x08, 2, 0x10, 0], &[0x08, 1, 0x10, 1], &[0x08, 2, 0x10], &[0xff; 20]] {
            assert!(!restored(answer), "{answer:?}");
        }
    }
}
