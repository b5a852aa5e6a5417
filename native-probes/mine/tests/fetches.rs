//! Fetches from the local mine through the session that the host drives, and through the server directly.

mod common;

use bench_model::{Check, ModuleError, Value};
use common::{Proxy, arguments, text};
use mine::{Client, Conditions, FetchError, Mine, Route, Target};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;
use table_core::kept::{self, Kept, Results};
use table_core::mine::Format;
use table_core::{Recipe, stream};

fn fetch(changes: &[(&str, Value)]) -> Result<(u64, Vec<Check>), ModuleError> {
    let mut session = mine::open("fetch", &arguments(changes), None)?;
    let outcome = session.iterate(2)?;
    Ok((outcome.checksum, session.verify()?))
}

fn check(changes: &[(&str, Value)]) -> u64 {
    let (checksum, checks) = fetch(changes).unwrap();
    for check in &checks {
        assert!(check.passed, "{changes:?}: {}: {}", check.name, check.detail);
    }
    assert!(checks.iter().any(|check| check.name == "pages"));
    checksum
}

#[test]
fn every_format_arrives_whole() {
    for format in Format::ALL {
        let format = ("format", text(format.as_str()));
        check(std::slice::from_ref(&format));
        check(&[format, ("compress", text("gzip")), ("rows", Value::from(0))]);
    }
}

#[test]
fn order_and_workers_do_not_change_the_rows() {
    let alone = check(&[("workers", Value::from(1))]);
    for order in ["ordered", "unordered", "window"] {
        let changes = [
            ("order", text(order)),
            ("workers", Value::from(16)),
            ("latency", text("jitter")),
            ("latency_us", Value::from(300)),
            ("compress", text("gzip")),
        ];
        assert_eq!(check(&changes), alone, "{order}");
        let tail = [("order", text(order)), ("latency", text("heavy-tail")), ("latency_us", Value::from(100))];
        assert_eq!(check(&tail), alone, "{order}");
    }
    assert_eq!(check(&[("page_rows", Value::from(77))]), alone);
    assert_ne!(check(&[("seed", Value::from(2))]), alone);
}

#[test]
fn faults_are_retried_until_the_rows_are_whole() {
    for format in ["json", "csv"] {
        let format = ("format", text(format));
        let whole = check(std::slice::from_ref(&format));
        let faults = [format, ("faults_permille", Value::from(400)), ("attempts", Value::from(60))];
        assert_eq!(check(&faults), whole);
    }
}

#[test]
fn pages_are_kept_as_they_came() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kept");
    check(&[("keep", text(path.to_str().unwrap())), ("compress", text("gzip")), ("page_rows", Value::from(1_000))]);
    let kept: Kept = std::fs::read_to_string(path.join(kept::MANIFEST)).unwrap().parse().unwrap();
    assert_eq!((kept.rows, kept.pages, kept.seed), (2_500, 3, Some(1)));
    let recipe = Recipe { rows: 2_500, seed: 1 };
    let genes = recipe.genes();
    let last = std::fs::read(path.join(kept::page_name(2))).unwrap();
    assert_eq!(last, table_core::mine::answer(&genes, 2_000..2_500, Format::Json).into_bytes());
    // With types, and with what is joined to them.
    assert_eq!(std::fs::read_to_string(path.join(kept::STREAM)).unwrap(), stream::write(&genes));
    assert!(std::fs::read(path.join(kept::IPC)).unwrap().starts_with(b"ARROW1"));
    let publications = recipe.publications();
    let answer = std::fs::read(path.join(kept::PUBLICATIONS)).unwrap();
    assert_eq!(answer, table_core::mine::answer(&publications, 0..2_500, Format::Json).into_bytes());
    assert_eq!(kept.results, Some(Results::of(&genes, Some(&publications))));
    let model = std::fs::read_to_string(path.join(kept::MODEL)).unwrap();
    assert!(model.starts_with("<model name=\"genomic\"") && model.ends_with("</model>\n\n"), "{model}");
    // Of other columns the types are not known, and nothing is left of those before.
    let view = text("Gene.symbol Gene.length");
    check(&[("keep", text(path.to_str().unwrap())), ("view", view), ("page_rows", Value::from(1_000))]);
    let kept: Kept = std::fs::read_to_string(path.join(kept::MANIFEST)).unwrap().parse().unwrap();
    assert_eq!((kept.pages, kept.results), (3, None));
    assert!(!path.join(kept::IPC).exists() && !path.join(kept::STREAM).exists());
}

#[test]
fn pages_are_kept_in_a_run_alone() {
    let unresolved = "@run/fetched-by-a-test";
    check(&[("keep", text(unresolved))]);
    assert!(!std::path::Path::new(unresolved).exists() && !std::path::Path::new("@run").exists());
}

#[test]
fn full_disk_leaves_no_description_of_pages() {
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join(kept::page_name(0));
    // What an earlier fetch kept there.
    std::fs::write(folder.path().join(kept::MANIFEST), "format json\n").unwrap();
    if let Err(error) = std::os::unix::fs::symlink("/dev/full", &page).and_then(|()| page.metadata()) {
        eprintln!("skipped: /dev/full: {error}; run this test on Linux");
        return;
    }
    let mut session =
        mine::open("fetch", &arguments(&[("keep", text(folder.path().to_str().unwrap()))]), None).unwrap();
    session.iterate(1).unwrap();
    let error = session.verify().unwrap_err().to_string();
    assert!(error.starts_with("`keep`: ") && error.contains("No space left on device"), "{error}");
    assert!(!folder.path().join(kept::MANIFEST).exists());
}

#[test]
fn too_many_faults_fail_with_the_page() {
    let faults = [("faults_permille", Value::from(500)), ("attempts", Value::from(1)), ("page_rows", Value::from(10))];
    let error = fetch(&faults).unwrap_err().to_string();
    assert!(error.starts_with("fetching: page ") && error.contains("after 1 attempts: "), "{error}");
}

#[test]
fn rows_that_a_mine_does_not_have_are_refused() {
    let mine = Mine::start(Recipe { rows: 30, seed: 1 }, Conditions::default()).unwrap();
    let error = fetch(&[("mine", text(&mine.url()))]).unwrap_err().to_string();
    assert!(
        error.contains("`rows` is 2500, but the query has 30; give -p rows=30") || error.contains("RUN_LIVE"),
        "{error}"
    );
}

#[test]
fn unreachable_mine_is_the_environment() {
    // Nothing listens on port 1, and no listener of another test is ever given it.
    let address = "127.0.0.1:1";
    let changes = [("mine", text(&format!("http://{address}"))), ("timeout_ms", Value::from(2_000))];
    let error = fetch(&changes).unwrap_err();
    assert!(error.is_environment(), "{error}");
    let target = Target::parse("http://name.invalid").unwrap();
    let preflight = Route::Direct.preflight(&target, Duration::from_secs(5)).unwrap_err();
    assert!(
        preflight.to_string().starts_with("mode=direct host=name.invalid reason=dns_failed elapsed_s="),
        "{preflight}"
    );
    let proxy = Route::Socks(address.to_string()).preflight(&target, Duration::from_secs(2)).unwrap_err();
    assert!(proxy.to_string().contains("mode=tor host=name.invalid reason=proxy_failed"), "{proxy}");
}

#[test]
fn proxy_resolves_the_name() {
    let recipe = Recipe { rows: 30, seed: 1 };
    let mine = Mine::start(recipe, Conditions::default()).unwrap();
    let proxy = Proxy::start("mine.test", &mine.url().replace("http://", ""));
    let target = Target::parse("http://mine.test").unwrap();
    let route = Route::parse(&format!("socks5h://{}", proxy.address)).unwrap();
    let mut client = Client::new(target, route, Duration::from_secs(10));
    let view: Vec<_> = table_core::gene_fields().into_iter().map(|field| field.name).collect();
    let query = format!("<query view=\"{}\"/>", view.join(" "));
    assert_eq!(client.count(&query), Ok(30));
    let page = client.page(&query, Format::Json, 10, 20, false).unwrap();
    assert_eq!(page, table_core::mine::answer(&recipe.genes(), 10..30, Format::Json).into_bytes());
    assert!(client.wire > page.len() as u64);
    assert_eq!(proxy.asked(), ["mine.test"]);
}

#[test]
fn bytes_of_cut_responses_are_counted() {
    const CUT: [&str; 3] = [
        "HTTP/1.1 200 OK\r\nContent-Le",
        "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n30",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n3",
    ];
    const WHOLE: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n30";
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let target = Target::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    let serving = std::thread::spawn(move || {
        for response in CUT.into_iter().chain([WHOLE]) {
            let (mut connection, _) = listener.accept().unwrap();
            let request = BufReader::new(connection.try_clone().unwrap()).lines().map(Result::unwrap);
            request.take_while(|line| !line.is_empty()).for_each(drop);
            connection.write_all(response.as_bytes()).unwrap();
        }
    });
    let mut client = Client::new(target, Route::Direct, Duration::from_secs(10));
    let mut sent = 0;
    for response in CUT {
        assert!(matches!(client.count("<query/>"), Err(FetchError::Passing(_))), "{response}");
        sent += response.len() as u64;
        assert_eq!(client.wire, sent, "{response}");
    }
    assert_eq!(client.count("<query/>"), Ok(30));
    assert_eq!(client.wire, sent + WHOLE.len() as u64);
    serving.join().unwrap();
}

/// The status and the body of one request.
fn get(mine: &Mine, path: &str) -> (String, String) {
    let mut connection = TcpStream::connect(mine.url().replace("http://", "")).unwrap();
    write!(connection, "GET {path} HTTP/1.1\r\nHost: mine\r\n\r\n").unwrap();
    connection.shutdown(std::net::Shutdown::Write).unwrap();
    let mut response = String::new();
    connection.read_to_string(&mut response).unwrap();
    let (head, body) = response.split_once("\r\n\r\n").unwrap();
    (head.lines().next().unwrap().replace("HTTP/1.1 ", ""), body.to_owned())
}

#[test]
fn server_answers_as_a_mine_does() {
    let mine = Mine::start(Recipe { rows: 5, seed: 1 }, Conditions::default()).unwrap();
    let check = |path: &str, status: &str, part: &str| {
        let (found, body) = get(&mine, path);
        assert!(found == status && body.contains(part), "{path}: {found}: {body}");
    };
    check("/service/version/ws", "200 OK", "34\n");
    check("/service/model", "200 OK", "<class name=\"Publication\"");
    check("/service/model", "200 OK", "<reference name=\"organism\" referenced-type=\"Organism\"/>");
    check("/service/model", "200 OK", "<attribute name=\"taxonId\" type=\"java.lang.Integer\"/>");
    check("/service/nothing", "404 Not Found", "no such resource");
    check("/service/query/results", "400 Bad Request", "`query` is missing");
    check("/service/query/results?query=view%3D%22Gene.x%22", "400 Bad Request", "not for `Gene.x`");
    let view = table_core::publication_fields().iter().map(|field| field.name.clone()).collect::<Vec<_>>().join("+");
    let query = format!("/service/query/results?query=view%3D%22{view}%22");
    check(&format!("{query}&format=count"), "200 OK", "5\n");
    check(&format!("{query}&size=0"), "400 Bad Request", "`size` is `0`, expected a number from 1");
    check(&format!("{query}&start=-1"), "400 Bad Request", "`start` is `-1`");
    check(&format!("{query}&start=99&format=json"), "200 OK", "\"wasSuccessful\":true");
    // Behind the size of the first chunk.
    let line = |asked: &str, at: usize| get(&mine, &format!("{query}{asked}")).1.lines().nth(at).unwrap().to_owned();
    assert_eq!(line("&columnheaders=path", 1), "Publication.gene\tPublication.title\tPublication.year");
    assert_eq!(line("&columnheaders=friendly", 1), "Publication > gene\tPublication > title\tPublication > year");
    // There is no header that was not asked for: the first line is a row.
    for asked in ["", "&columnheaders=none"] {
        assert_eq!(line(asked, 1), line("&columnheaders=path", 2));
    }
    let organisms = "/service/query/results?query=view%3D%22Organism.name%22&format=count";
    check(organisms, "200 OK", "12\n");
    let two = "/service/query/results?query=view%3D%22Organism.name+Organism.taxonId%22&format=csv&size=1";
    check(two, "200 OK", "\"Drosophila melanogaster\",\"7227\"\n");
    let mixed = "/service/query/results?query=view%3D%22Organism.name+Gene.symbol%22";
    check(mixed, "400 Bad Request", "columns of one class");
}
