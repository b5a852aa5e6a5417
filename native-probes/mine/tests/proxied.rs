//! A mine behind a SOCKS5 proxy, in a network namespace with a loopback device and nothing else: no route, no resolver. Whatever does not go
//! through the proxy fails there.
#![cfg(target_os = "linux")]

mod common;

use bench_model::Value;
use common::{Proxy, arguments, text};
use mine::{Conditions, Mine, Route, Target};
use std::io::ErrorKind;
use std::net::TcpStream;
use std::process::Command;
use std::time::Duration;
use table_core::Recipe;

/// Set in the namespace.
const INSIDE: &str = "MINE_TEST_INSIDE";

/// A name that is only known to the proxy: `.test` is reserved (RFC 6761).
const NAME: &str = "mine.test";

/// A command in a network namespace of its own, in which only the loopback device is up.
fn isolated(command: &str) -> Command {
    let mut unshare = Command::new("unshare");
    let script = format!("ip link set lo up && exec {command}");
    unshare.args(["--user", "--map-root-user", "--net", "sh", "-c", &script]);
    unshare
}

#[test]
fn nothing_goes_past_the_proxy() {
    if std::env::var_os(INSIDE).is_some() {
        return inside();
    }
    let permitted = isolated("true").output();
    if !permitted.as_ref().is_ok_and(|output| output.status.success()) {
        let reason = permitted.map(|output| String::from_utf8_lossy(&output.stderr).trim().to_owned());
        let reason = reason.unwrap_or_else(|error| format!("unshare: {error}"));
        eprintln!(
            "skipped: no network namespace: {reason}; allow user namespaces, and install util-linux and iproute2"
        );
        return;
    }
    let mut again = isolated("\"$0\" --exact nothing_goes_past_the_proxy --nocapture");
    // In CI, too: this mine is on no network.
    again.arg(std::env::current_exe().unwrap()).env(INSIDE, "1").env("RUN_LIVE", "1");
    let output = again.output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && out.contains("1 passed"), "{out}{err}");
}

fn inside() {
    let seconds = Duration::from_secs(10);
    // What a leak meets.
    let outside = TcpStream::connect_timeout(&"192.0.2.1:80".parse().unwrap(), seconds).unwrap_err();
    assert_eq!(outside.kind(), ErrorKind::NetworkUnreachable);
    let target = Target::parse(&format!("http://{NAME}")).unwrap();
    let direct = Route::Direct.preflight(&target, seconds).unwrap_err().to_string();
    assert!(direct.starts_with("mode=direct host=mine.test reason=dns_failed elapsed_s="), "{direct}");

    let recipe = Recipe { rows: 2_500, seed: 1 };
    let mine = Mine::start(recipe, Conditions::default()).unwrap();
    let proxy = Proxy::start(NAME, &mine.url().replace("http://", ""));
    let route = Route::parse(&format!("socks5h://{}", proxy.address)).unwrap();
    let passed = route.preflight(&target, seconds).unwrap().to_string();
    assert!(passed.starts_with("mode=tor host=mine.test reason=ok elapsed_s="), "{passed}");

    let through = |name: &str| {
        let route = text(&format!("socks5h://{}", proxy.address));
        let changes = [("mine", text(&format!("http://{name}"))), ("route", route), ("attempts", Value::from(1))];
        mine::open("fetch", &arguments(&changes), None)
    };
    let mut session = through(NAME).unwrap();
    let found = session.iterate(1).unwrap();
    assert!(session.verify().unwrap().iter().all(|check| check.passed));
    let mut local = mine::open("fetch", &arguments(&[]), None).unwrap();
    assert_eq!(found.checksum, local.iterate(1).unwrap().checksum);
    // A connection of each preflight, of the count, and of the workers.
    let asked = proxy.asked();
    assert!(asked.len() >= 4 && asked.iter().all(|host| host == NAME), "{asked:?}");

    // What the proxy does not know is the environment; what fails after the preflight passed is not.
    let unknown = through("other.test").err().unwrap();
    assert!(unknown.is_environment() && unknown.to_string().contains("reason=proxy_failed"), "{unknown}");
    drop(mine);
    let failed = session.iterate(1).unwrap_err();
    assert!(!failed.is_environment() && failed.to_string().starts_with("fetching: page "), "{failed}");
}
