//! The driver on functions that are made up: right ones, wrong ones, and one that has a server of its own.

use super::*;
use crate::functions::{Answer, Function, Functions, Server, Started, Starter};
use bench_drivers::{Direct, Drivers};
use bench_engine::{Amount, Budget, Repetition};
use bench_model::{Descriptor, Parameter};
use function_core::{EXPECTED_RESPONSE, REQUEST};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};

/// How a made-up function answers.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Mode {
    Right,
    Wrong,
    Fails,
    /// From the third answer on.
    WrongLater,
    /// It has a server, which answers rightly.
    Serves,
}

struct Mock {
    mode: Mode,
}

/// A module of the driver's scenarios, in the one way that mocks are started.
fn module(mode: Mode) -> Direct<dyn Functions> {
    let start = Parameter::new("start", "mock", "").choices(["mock"]);
    let other = Scenario::new("other", "f", "").driven_by(spec::DRIVER);
    let other = spec::cold_start().parameters.into_iter().fold(other, Scenario::parameter);
    let descriptor = Descriptor::new("mock", "1", "")
        .scenario(Scenario::uses(spec::DRIVER, spec::COLD_START).parameter(start))
        .scenario(Scenario::uses(spec::DRIVER, spec::REQUEST).parameter(Parameter::new("concurrency", 3, "")))
        .scenario(other);
    let descriptor = bench_drivers::merged(&descriptor, Drivers::new(&[&FunctionDriver::Known]));
    let functions: Box<dyn Functions> = Box::new(Mock { mode });
    Direct::new(descriptor, functions)
}

impl Functions for Mock {
    fn prepare(&mut self, _: Start<'_>, _: Initialisation) -> Result<Box<dyn Starter>, ModuleError> {
        Ok(Box::new(MockStarter { mode: self.mode, answers: 0 }))
    }

    fn serve(&mut self, _: Initialisation) -> Result<Option<Box<dyn Server>>, ModuleError> {
        Ok(if self.mode == Mode::Serves { Some(Box::new(MockServer::start())) } else { None })
    }
}

struct MockStarter {
    mode: Mode,
    answers: u64,
}

impl Starter for MockStarter {
    fn start(&mut self) -> Result<Started, ModuleError> {
        self.answers += 1;
        let function = MockFunction { mode: self.mode, answers: self.answers };
        Ok(Started { function: Box::new(function), stages: vec![("wake", 5)] })
    }
}

struct MockFunction {
    mode: Mode,
    answers: u64,
}

impl Function for MockFunction {
    fn call(&mut self, request: &HttpRequest) -> Result<Answer, ModuleError> {
        self.answers += 1;
        let is_wrong = self.mode == Mode::Wrong || self.mode == Mode::WrongLater && self.answers > 3;
        match self.mode {
            Mode::Fails => Err(ModuleError::Crashed("`handle` trapped: unreachable".to_owned())),
            _ if request.body != REQUEST => Ok(Answer { status: 400, body: Vec::new() }),
            _ if is_wrong => Ok(Answer { status: 200, body: b"{}".to_vec() }),
            _ => Ok(Answer { status: 200, body: EXPECTED_RESPONSE.to_vec() }),
        }
    }
}

/// A server in a thread, which ends with the test's process.
struct MockServer(SocketAddr);

impl MockServer {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                std::thread::spawn(move || {
                    let mut stream = stream.unwrap();
                    let mut input = vec![0; 4096];
                    let answer = EXPECTED_RESPONSE.to_vec();
                    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", answer.len());
                    while stream.read(&mut input).is_ok_and(|bytes| bytes > 0) {
                        stream.write_all(&[head.as_bytes(), &answer].concat()).unwrap();
                    }
                });
            }
        });
        Self(address)
    }
}

impl Server for MockServer {
    fn address(&self) -> SocketAddr {
        self.0
    }
}

/// The report of a scenario of a made-up function, with these arguments besides the defaults, over so many operations.
fn driven(mode: Mode, scenario: &str, given: &[(&str, bench_model::Value)], operations: u64) -> Report {
    driven_for(mode, scenario, given, Amount::Operations(operations))
}

fn driven_for(mode: Mode, scenario: &str, given: &[(&str, bench_model::Value)], amount: Amount) -> Report {
    let mut mock = module(mode);
    let scenario = mock.descriptor().scenarios.iter().find(|known| known.name == scenario).unwrap().clone();
    let defaults = scenario.parameters.iter().map(|one| (one.name.clone(), one.defaults[0].clone()));
    let mut arguments: Arguments = defaults.collect();
    given.iter().for_each(|(name, value)| arguments.set(*name, value.clone()));
    let budget = Budget { warm_up_ns: 0, amount };
    let repetition = Repetition { cell: 0, process: 0 };
    drive(
        FunctionDriver::Known,
        &mut mock,
        &Task { repetition, scenario: &scenario, arguments: &arguments, budget, reclaim: || () },
    )
}

/// Expects a report with these series and counts.
#[track_caller]
fn check(report: &Report, expect: &[(&str, u64)]) {
    assert_eq!(report.outcome.status, Status::Ok, "{:?}", report.outcome.reason);
    let mut found: Vec<_> = report.series.iter().map(|series| (series.metric.as_str(), series.count)).collect();
    found.sort_unstable();
    assert_eq!(found, expect);
}

/// Expects a report of `asked` requests, and of further ones that were under way when the last of them was answered; with
/// a sample of each in the series `each`, and how many of them came to what.
#[track_caller]
fn check_requests(report: &Report, asked: u64, each: &[&str]) {
    let requests = report.outcome.iterations;
    assert!((asked..asked + 3).contains(&requests), "{requests} of {asked}: {:?}", report.outcome.reason);
    let mut expect = vec![("connect", 3), ("failed", 1), ("late", 1), ("shed", 1)];
    expect.extend(each.iter().map(|series| (*series, requests)));
    expect.sort_unstable();
    check(report, &expect);
}

/// Expects a report without figures, whose reason contains `expect`.
#[track_caller]
fn refused(report: &Report, status: Status, expect: &str) {
    assert_eq!(report.outcome.status, status);
    let reason = report.outcome.reason.as_deref().unwrap_or_default();
    assert!(reason.contains(expect), "{reason}");
    assert!(report.series.is_empty());
}

#[test]
fn a_cold_start_has_its_stages() {
    let report = driven(Mode::Right, "cold-start", &[], 4);
    check(&report, &[("cold-start", 4), ("stage", 4), ("stage", 4)]);
    let names: Vec<_> = report.series.iter().filter_map(|series| series.labels.first()).map(|label| &label.1).collect();
    assert_eq!(names, ["wake", "answer"]);
    assert_eq!(report.outcome.iterations, 4);
}

#[test]
fn requests_are_all_accounted_for() {
    let report = driven(Mode::Right, "request", &[], 100);
    check_requests(&report, 100, &["queue", "request", "service"]);
}

#[test]
fn every_request_can_have_an_instance_of_its_own() {
    let report = driven(Mode::Right, "request", &[("instance", "per-request".into())], 20);
    assert_eq!(report.outcome.status, Status::Ok, "{:?}", report.outcome.reason);
    let refusal = driven(Mode::Serves, "request", &[("instance", "per-request".into())], 20);
    refused(&refusal, Status::Skipped, "start=spawn");
}

#[test]
fn a_server_of_its_own_is_not_looked_into() {
    let report = driven(Mode::Serves, "request", &[], 50);
    check_requests(&report, 50, &["request"]);
}

#[test]
fn a_wrong_answer_leaves_no_figure() {
    for scenario in ["cold-start", "request"] {
        refused(&driven(Mode::Wrong, scenario, &[], 10), Status::Failed, "found \"200 {}\"");
        refused(&driven(Mode::WrongLater, scenario, &[], 10), Status::Failed, "found \"200 {}\"");
    }
    refused(&driven(Mode::Fails, "cold-start", &[], 10), Status::Failed, "`handle` trapped: unreachable");
    refused(&driven(Mode::Fails, "request", &[], 10), Status::Failed, "500 `handle` trapped: unreachable");
}

#[test]
fn a_rate_beyond_what_can_be_kept_is_void() {
    let report = driven(Mode::Right, "request", &[("rate", 10_000_000.into())], 2_000);
    refused(&report, Status::Void, "ask for less");
}

#[test]
fn time_that_is_over_before_the_first_request_is_void() {
    let report = driven_for(Mode::Right, "request", &[], Amount::Time { ns: 0 });
    refused(&report, Status::Void, "no request was sent in time");
}

#[test]
fn the_highest_rate_under_a_bound_is_found_or_said_not_to_be() {
    let within = |rate: i64, p99_us: i64, operations: u64| {
        driven(Mode::Right, "request", &[("rate", rate.into()), ("p99_us_max", p99_us.into())], operations)
    };
    // Ten requests a trial, which are too few.
    let report = within(2_000, 60_000_000, 80);
    assert_eq!(report.outcome.status, Status::Ok, "{:?}", report.outcome.reason);
    assert!(report.series.iter().any(|series| series.metric == "highest_rate" && series.count == 1));
    assert!(report.outcome.iterations >= 1_000, "{}", report.outcome.iterations);
    refused(&within(5_000, 1, 128), Status::Void, "give a higher p99_us_max");
    refused(
        &within(100, 60_000_000, 80),
        Status::Void,
        "a p99 needs 1000 requests, for which there was no time at 100/s",
    );
}

#[test]
fn unknown_scenario_is_skipped() {
    refused(&driven(Mode::Right, "other", &[], 1), Status::Skipped, "it knows cold-start, request");
}

#[test]
fn conformance_is_one_right_and_one_wrong_request() {
    for (mode, expect) in
        [(Mode::Right, vec![true, true]), (Mode::Wrong, vec![true, false]), (Mode::Serves, vec![true])]
    {
        let mut mock = module(mode);
        let scenario = mock.descriptor().scenarios[0].clone();
        let defaults = scenario.parameters.iter().map(|one| (one.name.clone(), one.defaults[0].clone()));
        let checks = conformance(FunctionDriver::Known, &mut mock, &scenario, &defaults.collect()).unwrap();
        let passed: Vec<_> = checks.iter().map(|check| check.passed).collect();
        assert_eq!(passed, expect, "{mode:?}: {checks:?}");
    }
}
