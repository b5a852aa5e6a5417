//! The session of `fetch`: an operation is a query with all its pages. Only whole pages are handed on; what the local server's pages must
//! be is computed without the network, and compared byte by byte.

use crate::LOCAL;
use crate::client::{Client, FetchError};
use crate::conditions::{Conditions, Latency};
use crate::order::{self, Counts, Plan, Policy};
use crate::route::{Route, Target};
use crate::server::Mine;
use crate::typed;
use bench_model::{Arguments, Check, ModuleError, Outcome, Session};
use probe_abi::{Host, Series};
use std::collections::HashMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use table_core::kept::{self, Kept, Results};
use table_core::mine::{self, Format};
use table_core::{Fault, Field, Recipe, Table, gene_fields, publication_fields, stream};

pub(crate) const NAME: &str = "fetch";

/// The pause after the first failed attempt for a page; it doubles with each further one.
const RETRY_PAUSE: Duration = Duration::from_millis(2);

/// The longest pause after a failed attempt.
const RETRY_PAUSE_MAX: Duration = Duration::from_secs(2);

/// The start of a folder's path that only a run replaces. Where it is left, such as where resource usage is counted, nothing is kept.
const IN_RUN: &str = "@run/";

pub(crate) struct Fetch {
    request: Request,
    plan: Plan,
    host: Option<Host>,
    /// What the pages must be, if the server is the local one.
    expected: Option<Table>,
    /// The pages of the last operation, by number.
    pages: Vec<Vec<u8>>,
    counts: Counts,
    first: Option<u64>,
    /// The folder that the pages are kept in, if they are.
    keep: Option<PathBuf>,
    seed: Option<u64>,
    /// The local server, which ends with the session.
    _server: Option<Mine>,
}

/// What the workers share.
#[derive(Clone)]
struct Request {
    target: Target,
    route: Route,
    timeout: Duration,
    query: String,
    format: Format,
    is_gzip: bool,
    rows: usize,
    page_rows: usize,
    attempts: usize,
    politeness: Duration,
}

/// What a worker has besides its connection.
#[derive(Default)]
struct Tally {
    page_ns: Vec<u64>,
    retry_wait: Duration,
    politeness: Duration,
    retries: u64,
    wire: u64,
}

impl Fetch {
    pub(crate) fn open(arguments: &Arguments, host: Option<Host>) -> Result<Self, ModuleError> {
        let recipe = Recipe { rows: arguments.size("rows")?, seed: arguments.integer("seed")?.cast_unsigned() };
        let (url, server) = match arguments.text("mine")? {
            LOCAL => {
                let server = Mine::start(recipe, conditions(arguments, recipe.seed)?);
                let server =
                    server.map_err(|error| ModuleError::Unavailable(format!("no server on this machine: {error}")))?;
                (server.url(), Some(server))
            }
            url => (url.to_owned(), None),
        };
        let request = Request::new(arguments, &url)?;
        if server.is_none() {
            preflight(&request)?;
        }
        let pages = request.rows.div_ceil(request.page_rows);
        let policy = match arguments.text("order")? {
            "unordered" => Policy::Unordered,
            "window" => Policy::Window(arguments.size("window")?),
            _ => Policy::Ordered,
        };
        let plan = Plan { pages, workers: arguments.size("workers")?, policy };
        request.rows_are_there()?;
        let view = arguments.text("view")?;
        let expected = server.is_some().then(|| viewed(recipe.genes(), view));
        let keep = Some(arguments.text("keep")?).filter(|folder| !folder.is_empty() && !folder.starts_with(IN_RUN));
        Ok(Self {
            request,
            plan,
            host,
            expected,
            pages: Vec::new(),
            counts: Counts::default(),
            first: None,
            keep: keep.map(PathBuf::from),
            seed: server.is_some().then_some(recipe.seed),
            _server: server,
        })
    }

    fn record(&self, metric: &str, samples: &[u64]) -> Result<(), ModuleError> {
        let Some(host) = self.host else { return Ok(()) };
        let series: Series = host.series(metric, &[])?;
        series.append(samples);
        Ok(())
    }

    /// Fetches all pages, and records what it took.
    fn operation(&mut self) -> Result<u64, ModuleError> {
        let request = &self.request;
        let tallies: Mutex<Vec<Tally>> = Mutex::default();
        let connect = || Worker { client: request.client(), tally: Tally::default(), tallies: &tallies };
        let fetch = |worker: &mut Worker<'_>, page| request.page(worker, page);
        let mut pages = vec![Vec::new(); self.plan.pages];
        let started = Instant::now();
        let mut first_page = None;
        let counts = order::run(self.plan, connect, fetch, |page, body| {
            first_page.get_or_insert_with(|| started.elapsed());
            pages[page] = body;
        });
        let whole = ns(started.elapsed());
        self.counts = counts.map_err(|reason| ModuleError::Other(format!("fetching: {reason}")))?;
        self.pages = pages;
        let tallies = tallies.into_inner().unwrap_or_else(PoisonError::into_inner);
        let sum = |value: fn(&Tally) -> u64| tallies.iter().map(value).sum::<u64>();
        let content = self.pages.iter().map(|page| page.len() as u64).sum();
        let counts = self.counts;
        for tally in &tallies {
            self.record("page", &tally.page_ns)?;
        }
        self.record("first_page", &first_page.map(ns).into_iter().collect::<Vec<_>>())?;
        for (metric, sample) in [
            (NAME, whole),
            ("waited", ns(counts.waited)),
            ("retry_wait", sum(|tally| ns(tally.retry_wait))),
            ("politeness", sum(|tally| ns(tally.politeness))),
            ("wire", sum(|tally| tally.wire)),
            ("content", content),
            ("retries", sum(|tally| tally.retries)),
            ("in_flight", counts.in_flight_max as u64),
            ("buffered", counts.buffered_max as u64),
            ("out_of_order", counts.out_of_order as u64),
        ] {
            self.record(metric, &[sample])?;
        }
        Ok(content)
    }
}

fn conditions(arguments: &Arguments, seed: u64) -> Result<Conditions, ModuleError> {
    let latency = Duration::from_micros(arguments.size("latency_us")? as u64);
    let latency = match arguments.text("latency")? {
        "fixed" => Latency::Fixed(latency),
        "jitter" => Latency::Jitter(latency),
        "heavy-tail" => Latency::HeavyTail(latency),
        _ => Latency::None,
    };
    Ok(Conditions { latency, faults_permille: arguments.size("faults_permille")? as u64, seed })
}

/// Whether a mine that is not ours can be reached. If not, it is the environment.
fn preflight(request: &Request) -> Result<(), ModuleError> {
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    if is_set("CI") && std::env::var("RUN_LIVE").as_deref() != Ok("1") {
        return Err(ModuleError::Unavailable("a mine on the network is left out in CI; set RUN_LIVE=1".to_owned()));
    }
    let found = request.route.preflight(&request.target, request.timeout);
    let passed =
        found.map_err(|preflight| ModuleError::Unavailable(format!("the mine cannot be reached: {preflight}")))?;
    // Into the log of the run.
    eprintln!("preflight: {passed}");
    Ok(())
}

/// The columns of the view. One that is not there was refused by the server.
fn viewed(genes: Table, view: &str) -> Table {
    match genes.positions(view.split_whitespace()) {
        Some(columns) if !columns.iter().copied().eq(0..genes.fields().len()) => genes.projected(&columns),
        _ => genes,
    }
}

/// The query for these columns, separated by blanks.
fn query(view: &str) -> String {
    format!("<query model=\"genomic\" view=\"{view}\"/>")
}

/// The names of columns, separated by blanks.
fn names(fields: &[Field]) -> String {
    fields.iter().map(|field| field.name.as_str()).collect::<Vec<_>>().join(" ")
}

impl Request {
    fn new(arguments: &Arguments, url: &str) -> Result<Self, ModuleError> {
        let invalid = |name: &str, reason: String| ModuleError::InvalidArgument(format!("`{name}`: {reason}"));
        let view = arguments.text("view")?;
        if view.contains(['"', '<', '&']) {
            return Err(invalid("view", "it has characters that no path has".to_owned()));
        }
        Ok(Self {
            target: Target::parse(url).map_err(|reason| invalid("mine", reason))?,
            route: Route::parse(arguments.text("route")?).map_err(|reason| invalid("route", reason))?,
            timeout: Duration::from_millis(arguments.size("timeout_ms")? as u64),
            query: query(view),
            format: arguments.text("format")?.parse().map_err(|reason| invalid("format", reason))?,
            is_gzip: arguments.text("compress")? == "gzip",
            rows: arguments.size("rows")?,
            page_rows: arguments.size("page_rows")?,
            attempts: arguments.size("attempts")?,
            politeness: Duration::from_micros(arguments.size("politeness_us")? as u64),
        })
    }

    fn client(&self) -> Client {
        Client::new(self.target.clone(), self.route.clone(), self.timeout)
    }

    /// Rows are never fetched twice to make up for those that a mine does not have.
    fn rows_are_there(&self) -> Result<(), ModuleError> {
        let count = self.client().count(&self.query);
        let count = count.map_err(|error| ModuleError::Other(format!("counting the rows: {error}")))?;
        if count >= self.rows {
            return Ok(());
        }
        let rows = self.rows;
        Err(ModuleError::InvalidArgument(format!("`rows` is {rows}, but the query has {count}; give -p rows={count}")))
    }

    fn range(&self, page: usize) -> Range<usize> {
        let start = page * self.page_rows;
        start..(start + self.page_rows).min(self.rows)
    }

    fn page(&self, worker: &mut Worker<'_>, page: usize) -> Result<Vec<u8>, String> {
        let rows = self.range(page);
        let tally = &mut worker.tally;
        let mut pause = RETRY_PAUSE;
        for attempt in 1.. {
            tally.politeness += waited(self.politeness);
            let started = Instant::now();
            let body = worker.client.page(&self.query, self.format, rows.start, rows.len(), self.is_gzip);
            match body {
                Ok(body) => {
                    tally.page_ns.push(ns(started.elapsed()));
                    return Ok(body);
                }
                Err(FetchError::Passing(_)) if attempt < self.attempts => {
                    tally.retries += 1;
                    tally.retry_wait += waited(pause);
                    pause = (pause * 2).min(RETRY_PAUSE_MAX);
                }
                Err(error) => return Err(format!("page {page} after {attempt} attempts: {error}")),
            }
        }
        Err(format!("page {page}: no attempt"))
    }
}

/// Waits, and returns for how long it did.
#[expect(clippy::disallowed_methods, reason = "a pause towards a server is what is asked for")]
fn waited(pause: Duration) -> Duration {
    if pause.is_zero() {
        return pause;
    }
    let started = Instant::now();
    std::thread::sleep(pause);
    started.elapsed()
}

struct Worker<'a> {
    client: Client,
    tally: Tally,
    tallies: &'a Mutex<Vec<Tally>>,
}

impl Drop for Worker<'_> {
    fn drop(&mut self) {
        let mut tally = std::mem::take(&mut self.tally);
        tally.wire = self.client.wire;
        self.tallies.lock().unwrap_or_else(PoisonError::into_inner).push(tally);
    }
}

impl Session for Fetch {
    fn iterate(&mut self, times: u64) -> Result<Outcome, ModuleError> {
        let mut bytes = 0;
        for _ in 0..times {
            bytes += self.operation()?;
        }
        let checksum = rows_hash(&self.pages, self.request.format);
        if times > 0 {
            self.first.get_or_insert(checksum);
        }
        Ok(Outcome { operations: times, bytes, checksum: self.first.unwrap_or_default() })
    }

    fn verify(&mut self) -> Result<Vec<Check>, ModuleError> {
        let Some(first) = self.first else { return Ok(vec![Check::that("has-result", false, "nothing was fetched")]) };
        let mut checks =
            vec![Check::equal("same-result-as-at-first", &first, &rows_hash(&self.pages, self.request.format))];
        if let Policy::Window(window) = self.plan.policy {
            let counts = self.counts;
            let is_kept = counts.buffered_max <= window && counts.in_flight_max <= window.min(self.plan.workers);
            checks.push(Check::that("window-is-kept", is_kept, format!("window of {window} pages: {counts:?}")));
        }
        checks.push(self.rows_check());
        // Single rows may be equal. A page of JSON says which rows it has, but need not be right about it.
        if self.request.page_rows > 1 {
            let rows = |page| rows_hash(std::slice::from_ref(page), self.request.format);
            let twice = repeated(&self.pages.iter().map(rows).collect::<Vec<_>>());
            let detail = twice
                .map_or("no page is there twice".to_owned(), |(a, b)| format!("pages {a} and {b} have the same rows"));
            checks.push(Check::that("pages-differ", twice.is_none(), detail));
        }
        checks.extend(self.pages_check());
        // Pages that are wrong are not worth keeping.
        if let Some(folder) = self.keep.as_deref().filter(|_| checks.iter().all(|check| check.passed)) {
            self.keep_in(folder).map_err(|reason| ModuleError::Other(format!("`keep`: {reason}")))?;
        }
        Ok(checks)
    }
}

impl Fetch {
    /// Whether the pages have as many rows as were asked for: a mine that has fewer answers with fewer.
    fn rows_check(&self) -> Check {
        let counts = self.pages.iter().map(|page| mine::rows_in(page, self.request.format));
        match counts.sum::<Result<usize, Fault>>() {
            Ok(rows) => Check::equal("rows", &self.request.rows, &rows),
            Err(fault) => Check::that("rows", false, fault.to_string()),
        }
    }

    /// Whether the pages are those that the local server must give, byte by byte.
    fn pages_check(&self) -> Option<Check> {
        let expected = self.expected.as_ref()?;
        let is_other = |page: &usize| {
            let answer = mine::answer(expected, self.request.range(*page), self.request.format);
            answer.as_bytes() != self.pages[*page]
        };
        let other = (0..self.plan.pages).find(is_other);
        let detail = other.map_or("as the generator writes them".to_owned(), |page| format!("page {page} differs"));
        Some(Check::that("pages", other.is_none() && self.pages.len() == self.plan.pages, detail))
    }

    /// Writes the pages as they came, their rows with types if those are known, and last what is known of all of them.
    fn keep_in(&self, folder: &Path) -> Result<(), String> {
        let failed = |error: std::io::Error| format!("{} cannot be written: {error}", folder.display());
        let publications = self.publications()?;
        let results = self.typed(publications.as_deref())?;
        begin_keeping(folder).map_err(failed)?;
        let mut files: Vec<(String, Vec<u8>)> = Vec::new();
        if let Some((genes, _)) = &results {
            files.push((kept::IPC.to_owned(), typed::ipc(genes)?));
            files.push((kept::STREAM.to_owned(), stream::write(genes).into_bytes()));
        }
        files.extend(publications.map(|answer| (kept::PUBLICATIONS.to_owned(), answer)));
        let model = self.request.client().model().map_err(|error| format!("the mine's model: {error}"))?;
        files.push((kept::MODEL.to_owned(), model));
        for (page, body) in self.pages.iter().enumerate() {
            std::fs::write(folder.join(kept::page_name(page)), body).map_err(failed)?;
        }
        for (name, content) in files {
            std::fs::write(folder.join(name), content).map_err(failed)?;
        }
        let kept = Kept {
            format: self.request.format,
            rows: self.request.rows,
            pages: self.pages.len(),
            seed: self.seed,
            hash: rows_hash(&self.pages, self.request.format),
            results: results.map(|(_, results)| results),
        };
        std::fs::write(folder.join(kept::MANIFEST), kept.to_string()).map_err(failed)
    }

    /// The answer with all publications, which the local server has.
    fn publications(&self) -> Result<Option<Vec<u8>>, String> {
        let rows = self.request.rows;
        if self.expected.is_none() || rows == 0 {
            return Ok(None);
        }
        let request = Request { query: query(&names(&publication_fields())), page_rows: rows, ..self.request.clone() };
        let tallies = Mutex::default();
        let mut worker = Worker { client: request.client(), tally: Tally::default(), tallies: &tallies };
        let answer = request.page(&mut worker, 0);
        answer.map(Some).map_err(|reason| format!("publications: {reason}"))
    }

    /// The rows of all pages with their types, and what later stages must make of them; of other columns than those of genes the types are not known.
    fn typed(&self, publications: Option<&[u8]>) -> Result<Option<(Table, Results)>, String> {
        let format = self.request.format;
        if self.request.query != query(&names(&gene_fields())) {
            return Ok(None);
        }
        let mut genes = Table::new(gene_fields());
        for (number, page) in self.pages.iter().enumerate() {
            typed::read(page, format, &mut genes).map_err(|reason| format!("page {number}: {reason}"))?;
        }
        let read = |answer: &[u8]| {
            let mut publications = Table::new(publication_fields());
            typed::read(answer, format, &mut publications).map(|()| publications)
        };
        let publications = publications.map(read).transpose().map_err(|reason| format!("publications: {reason}"))?;
        let results = Results::of(&genes, publications.as_ref());
        Ok(Some((genes, results)))
    }
}

/// Makes the folder, and removes the description and what else earlier pages left there: it would be taken for that of the new ones.
fn begin_keeping(folder: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    for name in [kept::MANIFEST, kept::IPC, kept::STREAM, kept::PUBLICATIONS, kept::MODEL] {
        match std::fs::remove_file(folder.join(name)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// The first page whose digest is that of an earlier one, and that one.
fn repeated(pages: &[u64]) -> Option<(usize, usize)> {
    let mut first = HashMap::with_capacity(pages.len());
    pages.iter().enumerate().find_map(|(number, page)| Some((first.insert(*page, number)?, number)))
}

fn rows_hash(pages: &[Vec<u8>], format: Format) -> u64 {
    mine::rows_hash(pages.iter().map(Vec::as_slice), format)
}

fn ns(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn page_that_is_there_twice_is_found() {
        assert_eq!(repeated(&[5, 6, 7, 6]), Some((1, 3)));
        assert_eq!(repeated(&[5, 6]), None);
        let pages = |first: u64| {
            let page = |start: u64| format!("{{\"start\":{start},\"results\":[\n[{}],\n[\"a\"]\n]}}\n", first * start);
            [page(1), page(3)].map(|page| rows_hash(&[page.into_bytes()], Format::Json))
        };
        assert_eq!(repeated(&pages(0)), Some((0, 1)), "what a page says of its place does not count");
        assert_eq!(repeated(&pages(7)), None);
        assert_eq!(repeated(&[]), None);
    }
}
