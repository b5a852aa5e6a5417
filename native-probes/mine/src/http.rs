//! As much of HTTP/1.1 as a mine and its client need: heads, lengths, chunks, forms.

use std::io::{self, BufRead, Write};

/// The longest head of a request or response.
const HEAD_BYTES_MAX: usize = 64 << 10;

/// The longest body. A page is smaller.
const BODY_BYTES_MAX: usize = 1 << 30;

/// The size of the chunks that the server sends.
const CHUNK_BYTES: usize = 64 << 10;

/// Reads until the empty line that ends a head; nothing if the connection ends before it begins.
pub(crate) fn read_head(from: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let before = head.len();
        from.read_until(b'\n', &mut head)?;
        if head.len() == before {
            return if head.is_empty() { Ok(None) } else { Err(ended("in its head")) };
        }
        if head.len() > HEAD_BYTES_MAX {
            return Err(invalid("the head is too long"));
        }
    }
    Ok(Some(head))
}

/// Reads a body of this many bytes.
pub(crate) fn read_length(from: &mut impl BufRead, length: usize) -> io::Result<Vec<u8>> {
    if length > BODY_BYTES_MAX {
        return Err(invalid("the body is too long"));
    }
    let mut body = vec![0; length];
    from.read_exact(&mut body).map_err(|_| ended("in the body"))?;
    Ok(body)
}

/// Reads a body in chunks.
pub(crate) fn read_chunks(from: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let mut line = Vec::new();
        from.read_until(b'\n', &mut line)?;
        let text = str::from_utf8(&line).ok().and_then(|line| line.strip_suffix("\r\n"));
        let size = text.ok_or_else(|| ended("between chunks"))?.split(';').next().unwrap_or_default();
        let size = usize::from_str_radix(size, 16).map_err(|_| invalid("the size of a chunk is not a number"))?;
        if body.len() + size > BODY_BYTES_MAX {
            return Err(invalid("the body is too long"));
        }
        let start = body.len();
        body.resize(start + size, 0);
        let mut end = [0; 2];
        from.read_exact(&mut body[start..])
            .and_then(|()| from.read_exact(&mut end))
            .map_err(|_| ended("in a chunk"))?;
        if size == 0 {
            return Ok(body);
        }
    }
}

/// Writes a body in chunks. If it is to be `cut`, it ends in the middle and the last chunk is missing.
pub(crate) fn write_chunks(to: &mut impl Write, body: &[u8], is_cut: bool) -> io::Result<()> {
    let body = if is_cut { &body[..body.len() / 2] } else { body };
    for chunk in body.chunks(CHUNK_BYTES) {
        write!(to, "{:x}\r\n", chunk.len())?;
        to.write_all(chunk)?;
        to.write_all(b"\r\n")?;
    }
    if !is_cut {
        to.write_all(b"0\r\n\r\n")?;
    }
    to.flush()
}

/// The value of `name` in a query string or form.
pub(crate) fn form_value(form: &str, name: &str) -> Option<String> {
    let pairs = form.split('&').filter_map(|pair| pair.split_once('='));
    pairs.into_iter().find(|(key, _)| *key == name).map(|(_, value)| decoded(value))
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [byte, behind @ ..] = rest {
        rest = behind;
        let hex = |digit: u8| char::from(digit).to_digit(16);
        match (byte, behind) {
            (b'+', _) => bytes.push(b' '),
            (b'%', [high, low, behind @ ..]) => match (hex(*high), hex(*low)) {
                (Some(high), Some(low)) => {
                    bytes.push((high * 16 + low) as u8);
                    rest = behind;
                }
                _ => bytes.push(b'%'),
            },
            _ => bytes.push(*byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A form of these values.
pub(crate) fn form(values: &[(&str, &str)]) -> String {
    let encoded = |text: &str| {
        let byte = |byte: u8| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        };
        text.bytes().map(byte).collect::<String>()
    };
    let pairs: Vec<_> = values.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
    pairs.join("&")
}

fn ended(place: &str) -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, format!("the connection ended {place}"))
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_carry_a_body() {
        for length in [0, 1, CHUNK_BYTES, CHUNK_BYTES + 1] {
            let body: Vec<_> = (0..length).map(|at| at as u8).collect();
            let mut wire = Vec::new();
            write_chunks(&mut wire, &body, false).unwrap();
            assert_eq!(read_chunks(&mut wire.as_slice()).unwrap(), body);
        }
    }

    #[test]
    fn cut_and_broken_chunks_are_errors() {
        let check = |wire: &[u8], expect: &str| {
            assert_eq!(read_chunks(&mut &*wire).unwrap_err().to_string(), expect, "{}", wire.escape_ascii());
        };
        let mut wire = Vec::new();
        write_chunks(&mut wire, &[7; 100], true).unwrap();
        check(&wire, "the connection ended between chunks");
        check(b"5\r\nab", "the connection ended in a chunk");
        check(b"x\r\n", "the size of a chunk is not a number");
        check(b"ffffffff\r\n", "the body is too long");
    }

    #[test]
    fn forms_survive_encoding() {
        let query = "<query view=\"a & b\"/> 100% é+";
        let form = form(&[("query", query), ("start", "5")]);
        assert_eq!(form_value(&form, "query").as_deref(), Some(query));
        assert_eq!(form_value(&form, "start").as_deref(), Some("5"));
        assert_eq!(form_value(&form, "size"), None);
        assert_eq!(form_value("a=1+2%", "a").as_deref(), Some("1 2%"));
    }
}
