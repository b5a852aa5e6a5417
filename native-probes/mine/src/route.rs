//! How a mine is reached: directly, or through a SOCKS5 proxy that resolves the name, such as Tor; and whether it can be reached at all.

use std::fmt;
use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

/// The address of a mine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    host: String,
    port: u16,
    /// The path before `/service`, without a slash at its end.
    pub(crate) path: String,
}

impl Target {
    /// Parses `http://HOST[:PORT][/PATH]`.
    pub fn parse(url: &str) -> Result<Self, String> {
        let fault = |why: &str| format!("`{url}` {why}; give http://HOST[:PORT][/PATH]");
        let rest = url
            .strip_prefix("http://")
            .ok_or_else(|| fault("is not an HTTP URL; for HTTPS, give the URL of a local proxy that ends TLS"))?;
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) => (host, port.parse().map_err(|_| fault("has no valid port"))?),
            None => (authority, 80),
        };
        if host.is_empty() || host.len() > 255 {
            return Err(fault("has no host"));
        }
        let path = path.trim_end_matches('/');
        let path = if path.is_empty() { String::new() } else { format!("/{path}") };
        Ok(Self { host: host.to_owned(), port, path })
    }

    pub(crate) fn authority(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }
}

/// How a connection is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// The name is resolved here.
    Direct,
    /// The proxy at this address, `HOST:PORT`, resolves the name.
    Socks(String),
}

impl Route {
    /// Parses `direct` or `socks5h://HOST:PORT`.
    pub fn parse(text: &str) -> Result<Self, String> {
        match text.split_once("://") {
            None if text == "direct" => Ok(Self::Direct),
            Some(("socks5h", address)) if address.contains(':') => Ok(Self::Socks(address.to_owned())),
            Some(("socks5", _)) => Err(format!(
                "`{text}` would resolve names on this machine, outside of the proxy; give socks5h://HOST:PORT"
            )),
            _ => Err(format!("`{text}` is not a route; give direct or socks5h://HOST:PORT")),
        }
    }

    fn mode(&self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Socks(_) => "tor",
        }
    }

    /// Connects to `target`.
    pub(crate) fn connect(&self, target: &Target, timeout: Duration) -> io::Result<TcpStream> {
        let connection = match self {
            Self::Direct => dial(&target.authority(), timeout)?,
            Self::Socks(proxy) => {
                let connection = dial(proxy, timeout)?;
                connection.set_read_timeout(Some(timeout))?;
                ask_proxy(&connection, target)?;
                connection
            }
        };
        connection.set_read_timeout(Some(timeout))?;
        connection.set_write_timeout(Some(timeout))?;
        connection.set_nodelay(true)?;
        Ok(connection)
    }

    /// Tries whether `target` can be reached.
    pub fn preflight(&self, target: &Target, timeout: Duration) -> Result<Preflight, Preflight> {
        let started = Instant::now();
        let attempt = match self {
            Self::Direct => target
                .authority()
                .to_socket_addrs()
                .map_err(|error| ("dns_failed", error))
                .and_then(|_| self.connect(target, timeout).map_err(|error| ("connect_failed", error))),
            Self::Socks(_) => self.connect(target, timeout).map_err(|error| ("proxy_failed", error)),
        };
        let (reason, error) = match &attempt {
            Ok(_) => ("ok", None),
            Err((reason, error)) => (*reason, Some(error.kind())),
        };
        let preflight =
            Preflight { mode: self.mode(), host: target.host.clone(), reason, elapsed: started.elapsed(), error };
        if attempt.is_ok() { Ok(preflight) } else { Err(preflight) }
    }
}

/// What a preflight found. It has no query and no rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preflight {
    mode: &'static str,
    host: String,
    /// `ok`, `dns_failed`, `connect_failed` or `proxy_failed`.
    pub reason: &'static str,
    elapsed: Duration,
    error: Option<io::ErrorKind>,
}

impl fmt::Display for Preflight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { mode, host, reason, elapsed, error } = self;
        write!(f, "mode={mode} host={host} reason={reason} elapsed_s={:.3}", elapsed.as_secs_f64())?;
        error.map_or(Ok(()), |error| write!(f, " err_type={error:?}"))
    }
}

fn dial(address: &str, timeout: Duration) -> io::Result<TcpStream> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for address in address.to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, timeout) {
            Ok(connection) => return Ok(connection),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// Asks a SOCKS5 proxy without authentication (RFC 1928) for a connection to a name, which the proxy resolves.
fn ask_proxy(mut proxy: &TcpStream, target: &Target) -> io::Result<()> {
    let fault = |what: String| io::Error::new(io::ErrorKind::ConnectionRefused, what);
    proxy.write_all(&[5, 1, 0])?;
    let mut method = [0; 2];
    proxy.read_exact(&mut method)?;
    if method != [5, 0] {
        return Err(fault("the proxy wants authentication, or is not SOCKS5".to_owned()));
    }
    // `parse` holds the host to the length of one byte.
    let mut request = vec![5, 1, 0, 3, target.host.len() as u8];
    request.extend_from_slice(target.host.as_bytes());
    request.extend_from_slice(&target.port.to_be_bytes());
    proxy.write_all(&request)?;
    let mut reply = [0; 4];
    proxy.read_exact(&mut reply)?;
    if reply[1] != 0 {
        return Err(fault(format!("the proxy could not connect (code {})", reply[1])));
    }
    let address_bytes = match reply[3] {
        1 => 4,
        4 => 16,
        3 => {
            let mut length = [0];
            proxy.read_exact(&mut length)?;
            usize::from(length[0])
        }
        kind => return Err(fault(format!("the proxy answers with an address of kind {kind}"))),
    };
    let mut address = vec![0; address_bytes + 2];
    proxy.read_exact(&mut address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_and_routes_are_parsed_or_refused() {
        let target = |host: &str, port, path: &str| Target { host: host.to_owned(), port, path: path.to_owned() };
        assert_eq!(Target::parse("http://mine.org/flymine/"), Ok(target("mine.org", 80, "/flymine")));
        assert_eq!(Target::parse("http://127.0.0.1:8080"), Ok(target("127.0.0.1", 8080, "")));
        for (url, expect) in [("https://mine.org", "HTTPS"), ("http://", "has no host"), ("http://a:b", "valid port")] {
            assert!(Target::parse(url).unwrap_err().contains(expect), "{url}");
        }
        assert_eq!(Route::parse("socks5h://127.0.0.1:9050"), Ok(Route::Socks("127.0.0.1:9050".to_owned())));
        assert!(Route::parse("socks5://127.0.0.1:9050").unwrap_err().contains("would resolve names on this machine"));
        assert!(Route::parse("carrier-pigeon").unwrap_err().contains("is not a route"));
    }
}
