//! Parses a request in a file: a request line, headers, an empty line, and the body. Lines that begin with `#` before the request line
//! are comments, and a line `###` ends the request, as editors write such files.

use crate::functions::HttpRequest;

/// The first request in `bytes`.
pub(crate) fn parse(bytes: &[u8]) -> Result<HttpRequest, String> {
    let mut rest = bytes;
    let line = loop {
        let line = take_line(&mut rest).ok_or("it has no request line")?;
        let line = line.trim();
        if !line.is_empty() && !line.starts_with('#') && !line.starts_with("//") {
            break line.to_owned();
        }
    };
    let (method, url) = request_line(&line)?;
    let mut headers = Vec::new();
    while let Some(line) = take_line(&mut rest).filter(|line| !line.trim().is_empty()) {
        if line.starts_with("###") {
            rest = &[];
            break;
        }
        headers.push(header(&line)?);
    }
    Ok(HttpRequest { method, path: path(&url), headers, body: body(rest).to_vec() })
}

/// The name and value of `line`.
pub(crate) fn header(line: &str) -> Result<(String, String), String> {
    let (name, value) = line.split_once(':').ok_or_else(|| format!("`{line}` is not a header; write `Name: value`"))?;
    let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    let name = name.trim();
    if name.is_empty() || !name.chars().all(is_token) || value.chars().any(char::is_control) {
        return Err(format!("`{line}` is not a header; write `Name: value`"));
    }
    Ok((name.to_ascii_lowercase(), value.trim().to_owned()))
}

/// The method and the URL; a line of only a URL is a `GET`.
fn request_line(line: &str) -> Result<(String, String), String> {
    let words: Vec<_> = line.split_whitespace().collect();
    let (method, url) = match words[..] {
        [url] => ("GET", url),
        [method, url] => (method, url),
        [method, url, version] if version.starts_with("HTTP/") => (method, url),
        _ => return Err(format!("`{line}` is not a request line")),
    };
    if !method.chars().all(|c| c.is_ascii_uppercase()) || !(url.starts_with('/') || url.contains("://")) {
        return Err(format!("`{line}` is not a request line"));
    }
    Ok((method.to_owned(), url.to_owned()))
}

/// The path and query of a URL.
fn path(url: &str) -> String {
    let after_scheme = url.split_once("://").map(|(_, rest)| rest);
    match after_scheme {
        None => url.to_owned(),
        Some(rest) => rest.find('/').map_or_else(|| "/".to_owned(), |at| rest[at..].to_owned()),
    }
}

/// Everything up to a line `###`, without the line's end before it.
fn body(rest: &[u8]) -> &[u8] {
    let separator = rest.windows(4).position(|four| four == b"\n###");
    let body = match separator {
        _ if rest.starts_with(b"###") => &[],
        Some(end) => &rest[..end],
        None => rest,
    };
    let body = body.strip_suffix(b"\n").unwrap_or(body);
    body.strip_suffix(b"\r").unwrap_or(body)
}

/// Takes the next line, without its end.
fn take_line(rest: &mut &[u8]) -> Option<String> {
    if rest.is_empty() {
        return None;
    }
    let end = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
    let line = String::from_utf8_lossy(&rest[..end]).trim_end_matches('\r').to_owned();
    *rest = rest.get(end + 1..).unwrap_or_default();
    Some(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, method: &str, path: &str, headers: &[(&str, &str)], body: &str) {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let (method, path, body) = (method.to_owned(), path.to_owned(), body.as_bytes().to_vec());
        assert_eq!(parse(text.as_bytes()), Ok(HttpRequest { method, path, headers, body }));
    }

    #[test]
    fn request_line_headers_and_body_are_read() {
        check("GET / HTTP/1.1\n\n", "GET", "/", &[], "");
        check("https://example.org", "GET", "/", &[], "");
        check(
            "# comment\n\nPOST http://a.b/c?d=1 HTTP/1.1\r\nAccept: */*\r\nX-Y:z\r\n\r\n{\n}\n\n### next\nGET /",
            "POST",
            "/c?d=1",
            &[("accept", "*/*"), ("x-y", "z")],
            "{\n}",
        );
        check("PUT /a\nA: b\n###\nGET /", "PUT", "/a", &[("a", "b")], "");
    }

    #[test]
    fn malformed_request_names_the_line() {
        for (text, reason) in [
            ("", "no request line"),
            ("# only\n", "no request line"),
            ("fetch it now please", "`fetch it now please` is not a request line"),
            ("GET /\nno header\n", "`no header` is not a header"),
            ("GET /\na b: c\n", "`a b: c` is not a header"),
        ] {
            let error = parse(text.as_bytes()).unwrap_err();
            assert!(error.contains(reason), "{error}");
        }
    }
}
