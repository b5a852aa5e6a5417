//! Messages of several words over a stream, between the probe and its namespace.

use std::io::{self, Read, Write};

/// Upper bound of the bytes of a message.
const BYTES_MAX: usize = 1 << 20;

/// Sends words, none of which may contain a zero byte.
pub(crate) fn send<W: AsRef<[u8]>>(stream: &mut impl Write, words: &[W]) -> io::Result<()> {
    let words: Vec<&[u8]> = words.iter().map(AsRef::as_ref).collect();
    let body = words.join(&0);
    let length = u32::try_from(body.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
    stream.write_all(&[&length.to_le_bytes(), body.as_slice()].concat())
}

/// Receives the words of the next message; `None` if the other side has closed the stream.
pub(crate) fn receive(stream: &mut impl Read) -> io::Result<Option<Vec<String>>> {
    let mut length = [0; 4];
    match stream.read_exact(&mut length) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        read => read?,
    }
    let length = u32::from_le_bytes(length) as usize;
    if length > BYTES_MAX {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    Ok(Some(body.split(|byte| *byte == 0).map(|word| String::from_utf8_lossy(word).into_owned()).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_arrive_as_they_were_sent() {
        let mut bytes = Vec::new();
        send(&mut bytes, &["run", "", "a b"]).unwrap();
        send(&mut bytes, &["x"]).unwrap();
        let mut stream = bytes.as_slice();
        assert_eq!(receive(&mut stream).unwrap().unwrap(), ["run", "", "a b"]);
        assert_eq!(receive(&mut stream).unwrap().unwrap(), ["x"]);
        assert_eq!(receive(&mut stream).unwrap(), None);
    }
}
