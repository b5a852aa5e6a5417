//! A browser for tests: starts chromedriver, and asks it over the protocol of W3C WebDriver for what a test wants to know.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// The keys as the protocol names them.
pub(crate) const TAB: char = '\u{e004}';
pub(crate) const ENTER: char = '\u{e007}';

/// A browser without a window, with one page.
pub(crate) struct Browser {
    driver: Child,
    port: u16,
    session: String,
}

impl Browser {
    /// Starts one; the error is the reason why there is none, and what to do.
    pub(crate) fn start() -> Result<Self, String> {
        let install = "install chromium and chromium-driver, as `cargo xtask setup` does";
        let program = find("chromedriver").ok_or_else(|| format!("there is no chromedriver; {install}"))?;
        let browser = ["chromium", "chromium-browser", "google-chrome"].into_iter().find_map(find);
        let browser = browser.ok_or_else(|| format!("there is no Chromium; {install}"))?;
        let mut driver = Command::new(program)
            .args(["--port=0", "--log-level=INFO"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("chromedriver does not start: {error}"))?;
        let Some(port) = port(&mut driver) else {
            end(&mut driver);
            return Err("chromedriver does not say its port".to_owned());
        };
        let mut started = Self { driver, port, session: String::new() };
        let options = json!({
            "binary": browser,
            "args": ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--window-size=1280,1000"],
        });
        let logs = json!({"browser": "ALL", "performance": "ALL"});
        let wanted = json!({"browserName": "chrome", "goog:chromeOptions": options, "goog:loggingPrefs": logs});
        let session = started.ask("POST", "/session", &json!({"capabilities": {"alwaysMatch": wanted}}))?;
        started.session = session["sessionId"].as_str().ok_or("chromedriver has no session")?.to_owned();
        Ok(started)
    }

    /// Opens `url`, and waits until it is loaded.
    pub(crate) fn open(&self, url: &str) {
        self.of_session("url", &json!({"url": url}));
    }

    /// What the body of a function in JavaScript returns.
    pub(crate) fn run(&self, body: &str) -> Value {
        self.of_session("execute/sync", &json!({"script": body, "args": []}))
    }

    /// The same where the result is a promise.
    pub(crate) fn run_to_end(&self, promise: &str) -> Value {
        let script =
            format!("const done = arguments[arguments.length - 1]; ({promise}).then(done, (e) => done(String(e)));");
        self.of_session("execute/async", &json!({"script": script, "args": []}))
    }

    /// Presses a key and lets it go, as a reader does: what has the focus gets it.
    pub(crate) fn press(&self, key: char) {
        let events = ["keyDown", "keyUp"].map(|event| json!({"type": event, "value": key.to_string()}));
        self.of_session("actions", &json!({"actions": [{"type": "key", "id": "keyboard", "actions": events}]}));
    }

    /// What a reader sees now, as a PNG file.
    #[track_caller]
    pub(crate) fn screenshot(&self) -> Vec<u8> {
        let path = format!("/session/{}/screenshot", self.session);
        let answer = self.ask("GET", &path, &Value::Null).unwrap_or_else(|error| panic!("screenshot: {error}"));
        STANDARD.decode(answer.as_str().expect("a screenshot is text")).expect("the text is in base64")
    }

    /// What the page wrote to its console, and what it was refused.
    pub(crate) fn console(&self) -> Vec<String> {
        let entries = self.of_session("se/log", &json!({"type": "browser"}));
        entries.as_array().into_iter().flatten().map(|entry| entry["message"].to_string()).collect()
    }

    /// The addresses of everything that was asked for since the browser started.
    pub(crate) fn requests(&self) -> Vec<String> {
        let entries = self.of_session("se/log", &json!({"type": "performance"}));
        let messages = entries.as_array().into_iter().flatten().filter_map(|entry| entry["message"].as_str());
        let parsed = messages.filter_map(|text| serde_json::from_str::<Value>(text).ok());
        let sent = parsed.filter(|event| event["message"]["method"] == "Network.requestWillBeSent");
        sent.filter_map(|event| Some(event["message"]["params"]["request"]["url"].as_str()?.to_owned())).collect()
    }

    #[track_caller]
    fn of_session(&self, what: &str, body: &Value) -> Value {
        let path = format!("/session/{}/{what}", self.session);
        self.ask("POST", &path, body).unwrap_or_else(|error| panic!("{what}: {error}"))
    }

    /// Without a body where that is null, as a GET has none.
    fn ask(&self, method: &str, path: &str, body: &Value) -> Result<Value, String> {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let text = exchange(self.port, method, path, &body).map_err(|error| error.to_string())?;
        let answer: Value = serde_json::from_str(&text).map_err(|error| format!("{error}: {text}"))?;
        match &answer["value"]["error"] {
            Value::String(error) => Err(format!("{error}: {}", answer["value"]["message"])),
            _ => Ok(answer["value"].clone()),
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = exchange(self.port, "DELETE", &format!("/session/{}", self.session), "{}");
        end(&mut self.driver);
    }
}

fn end(driver: &mut Child) {
    let _ = driver.kill();
    let _ = driver.wait();
}

/// The port that it prints when it listens.
fn port(driver: &mut Child) -> Option<u16> {
    let lines = BufReader::new(driver.stdout.take()?).lines();
    lines.map_while(Result::ok).find_map(|line| {
        let rest = line.split("on port ").nth(1).filter(|_| line.contains("started"))?;
        rest.trim_end_matches('.').parse().ok()
    })
}

fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// One request on a connection of its own; returns the body of the answer.
fn exchange(port: u16, method: &str, path: &str, body: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(Duration::from_secs(300)))?;
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{body}",
        body.len()
    )?;
    let mut reader = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        if line.trim_end().is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().unwrap_or(0);
        }
    }
    let mut answer = vec![0; length];
    reader.read_exact(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}
