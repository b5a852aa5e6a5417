//! The probe `mine`: fetches rows page by page, from a server that answers as InterMine does, in the order and with as many workers as its
//! parameters say.

mod client;
mod conditions;
mod fetch;
mod http;
mod order;
mod route;
mod server;
mod typed;

pub use client::{Client, FetchError};
pub use conditions::{Conditions, Failure, Latency};
pub use order::{Counts, Plan, Policy, run};
pub use route::{Preflight, Route, Target};
pub use server::Mine;

use bench_model::{Arguments, Arm, Descriptor, ModuleError, Parameter, Scenario, Session, Unit};
use bench_model::{Direction, Metric};
use probe_abi::{Host, Probe, export_probe};
use table_core::mine::Format;

/// The probe.
#[derive(Debug)]
pub struct MineProbe;

/// The value of `mine` that stands for a server in the worker's own process.
const LOCAL: &str = "@local";

impl Probe for MineProbe {
    fn describe() -> Descriptor {
        Descriptor::new("mine", env!("CARGO_PKG_VERSION"), "Rows fetched from a mine over HTTP.").scenario(describe())
    }

    fn open(scenario: &str, arguments: &Arguments, host: Host) -> Result<Box<dyn Session>, ModuleError> {
        open(scenario, arguments, Some(host))
    }
}

/// Opens a scenario. Without a host, its samples are discarded.
pub fn open(scenario: &str, arguments: &Arguments, host: Option<Host>) -> Result<Box<dyn Session>, ModuleError> {
    if scenario != fetch::NAME {
        return Err(ModuleError::UnknownScenario(scenario.to_owned()));
    }
    Ok(Box::new(fetch::Fetch::open(arguments, host)?))
}

export_probe!(MineProbe);

fn describe() -> Scenario {
    let summary = "All rows of a query, page by page; nothing of them is decoded.";
    let clock = "from before the first request until the last page is handed on";
    let view: Vec<_> = table_core::gene_fields().into_iter().map(|field| field.name).collect();
    let parameters = [
        Parameter::new("mine", LOCAL, "URL of the mine, as http://HOST[:PORT][/PATH]; @local is a server of the worker's own"),
        Parameter::new("view", view.join(" ").as_str(), "the columns of the query, separated by blanks"),
        Parameter::new("rows", 20_000, "number of rows").between(0, 10_000_000),
        Parameter::new("seed", 1, "which rows, latencies and faults the local server makes").between(0, i64::MAX),
        Parameter::new("format", "json", "format of the answers").choices(Format::ALL.map(Format::as_str)),
        Parameter::new("compress", "none", "compression of the answers").choices(["none", "gzip"]),
        Parameter::new("page_rows", 1_000, "rows of a page").between(1, 1_000_000),
        Parameter::new("workers", 4, "pages that are fetched at the same time, each over its own connection").between(1, 64),
        Parameter::new("order", "ordered", "the order in which pages are handed on: that of the rows (ordered), as they come (unordered), or that of the rows without requesting pages far ahead (window)")
            .choices(["ordered", "unordered", "window"]),
        Parameter::new("window", 8, "how many pages may be requested ahead of the one to hand on, if order=window").between(1, 4_096),
        Parameter::new("latency", "none", "distribution of the local server's latency").choices(["none", "fixed", "jitter", "heavy-tail"]),
        Parameter::new("latency_us", 5_000, "the local server's latency in microseconds: its value (fixed), or its mean (jitter, exponential; heavy-tail, Pareto with exponent 1.5, at most 100 times the mean)").between(0, 10_000_000),
        Parameter::new("faults_permille", 0, "answers of a thousand that the local server fails: after status 200, by a cut connection, or with status 503").between(0, 500),
        Parameter::new("attempts", 8, "attempts for a page before the scenario fails").between(1, 100),
        Parameter::new("politeness_us", 0, "pause of a worker before each request, in microseconds").between(0, 10_000_000),
        Parameter::new("route", "direct", "how the mine is reached: direct, or socks5h://HOST:PORT for a proxy that resolves the name, such as Tor"),
        Parameter::new("keep", "", "folder in which the pages of the last operation are kept, and their rows with types, for `tabular/replay`: @run/fetched is in the run directory; empty for none"),
        Parameter::new("timeout_ms", 30_000, "longest time of a connection attempt, or without data").between(1, 600_000),
    ];
    let ns = |name, summary| Metric::new(name, Unit::Nanoseconds, summary);
    let count = |name, summary| Metric::new(name, Unit::Count, summary).direction(Direction::Neutral);
    let metrics = [
        ns(
            "page",
            "from the request of a page until it is complete and checked to be whole, without attempts that failed",
        ),
        ns("first_page", "from before the first request until the first page is handed on"),
        ns("waited", "time that complete pages waited to be handed on, summed over pages"),
        ns("retry_wait", "time between failed attempts and the next ones, summed over workers"),
        ns("politeness", "time of the pauses before requests, summed over workers"),
        Metric::new("wire", Unit::Bytes, "bytes of all responses, cut ones too, as they came over the connections")
            .direction(Direction::Neutral),
        Metric::new("content", Unit::Bytes, "bytes of the pages after decompression").direction(Direction::Neutral),
        count("retries", "attempts that failed and were repeated"),
        count("in_flight", "the most pages that were requested and not complete"),
        count("buffered", "the most pages that were complete and not handed on"),
        count("out_of_order", "pages that were complete before an earlier one that had been requested"),
    ];
    let scenario =
        Scenario::new(fetch::NAME, "tabular", summary).in_arms([Arm::Native]).times_itself(Unit::Nanoseconds, clock);
    let scenario = parameters.into_iter().fold(scenario, Scenario::parameter);
    metrics.into_iter().fold(scenario, Scenario::metric)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_descriptor_is_valid() {
        MineProbe::describe().validate().unwrap();
    }
}
