//! What selections make of modules, and in which order.

use super::*;
use bench_model::Parameter;
use proptest::prelude::*;

/// `descriptor` as a module of this arm, in no file.
pub(crate) fn loaded(arm: Arm, descriptor: &Descriptor) -> LoadedModule {
    LoadedModule { file: PathBuf::new(), sha256: String::new(), arm, variant: None, descriptor: descriptor.clone() }
}

/// The plan of all scenarios of `modules`.
pub(crate) fn plan_of(modules: Vec<LoadedModule>, processes: u32, seed: u64) -> Plan {
    Plan::build(modules, &[selection("*", &[])], processes, seed).unwrap()
}

fn offer(name: &str, arm: Arm) -> LoadedModule {
    let size = Parameter::new("size", 64, "").sweep([64, 128]).between(1, 1024);
    let mode = Parameter::new("mode", "a", "").choices(["a", "b"]);
    let first = Scenario::new("first", "family", "").parameter(size).parameter(mode);
    let descriptor = Descriptor::new(name, "1", "").scenario(first).scenario(Scenario::new("second", "family", ""));
    loaded(arm, &descriptor)
}

fn selection(pattern: &str, axes: &[(&str, &[&str])]) -> Selection {
    let axes = axes
        .iter()
        .map(|(name, values)| ((*name).to_owned(), values.iter().map(|v| (*v).to_owned()).collect()))
        .collect();
    Selection { pattern: pattern.to_owned(), arms: None, axes }
}

fn check(selections: &[Selection], expect: Result<&[&str], &str>) {
    let plan = Plan::build(vec![offer("m", Arm::Wasm), offer("m", Arm::Native)], selections, 1, 0);
    match (plan, expect) {
        (Ok(plan), Ok(expect)) => {
            let cells: Vec<_> = plan
                .cells
                .iter()
                .map(|cell| {
                    format!("{} {} {}", plan.full_name(cell), plan.offer(cell).arm, cell.arguments).trim().to_owned()
                })
                .collect();
            assert_eq!(cells, expect);
        }
        (Err(error), Err(expect)) => assert_eq!(error.to_string(), expect),
        (plan, expect) => panic!("{plan:?}, expected {expect:?}"),
    }
}

#[test]
fn matrix_combines_defaults_and_given_values_in_each_arm() {
    check(
        &[selection("m/first", &[])],
        Ok(&[
            "m/first wasm size=64 mode=a",
            "m/first wasm size=128 mode=a",
            "m/first native size=64 mode=a",
            "m/first native size=128 mode=a",
        ]),
    );
    let only_wasm =
        Selection { arms: Some(vec![Arm::Wasm]), ..selection("first", &[("size", &["1Ki"]), ("mode", &["b", "a"])]) };
    check(&[only_wasm], Ok(&["m/first wasm size=1024 mode=b", "m/first wasm size=1024 mode=a"]));
    check(&[selection("*/second", &[]), selection("m/sec*", &[])], Ok(&["m/second wasm", "m/second native"]));
}

#[test]
fn invalid_selection_is_reported_with_a_hint() {
    let list = "list the modules with `bench-host list`";
    check(
        &[selection("m/frist", &[])],
        Err(&format!("no scenario matches `m/frist`, did you mean `m/first`?; {list}")),
    );
    check(&[selection("zzz", &[])], Err(&format!("no scenario matches `zzz`; {list}")));
    check(
        &[selection("m/*", &[("sise", &["1"])])],
        Err(&format!("no selected scenario has a parameter `sise`, did you mean `size`?; {list}")),
    );
    check(
        &[selection("m/*", &[("size", &["0"])])],
        Err("m/first: parameter `size`: `0` is outside its domain (1 to 1024)"),
    );
    check(&[selection("m/*", &[("mode", &["c"])])], Err("m/first: parameter `mode`: `c` is outside its domain (a, b)"));
    check(
        &[selection("m/*", &[("size", &["big"])])],
        Err("m/first: parameter `size`: `big` is not a whole number (64, 4Ki, 1M)"),
    );
    let long = format!("invalid pattern `{}…`: it has 5000 bytes, and the maximum is 1000", "{".repeat(40));
    check(&[selection(&"{".repeat(5_000), &[])], Err(&long));
    check(&[selection("[", &[])], Err("invalid pattern `[`: unclosed character class; missing ']'"));
}

#[test]
fn parameter_override_must_apply_to_one_selection_only() {
    let first = selection("m/first", &[("size", &["1"]), ("mode", &["a"])]);
    let second = selection("m/second", &[("size", &["1"])]);
    let only = |arm, selection: &Selection| Selection { arms: Some(vec![arm]), ..selection.clone() };
    let both = [only(Arm::Wasm, &first), only(Arm::Wasm, &second)];
    check(&both, Ok(&["m/first wasm size=1 mode=a", "m/second wasm"]));
    let list = "list the modules with `bench-host list`";
    check(&[second], Err(&format!("no selected scenario has a parameter `size`; {list}")));
    let process = only(Arm::Process, &first);
    check(&[process], Err("no selected scenario exists in a requested arm; the existing arms are: wasm, native"));
}

#[test]
fn cells_are_counted_before_they_are_made() {
    let sizes = |scenario: Scenario, parameters: u32, values: i64| {
        (0..parameters).fold(scenario, |scenario, number| {
            scenario.parameter(Parameter::new(format!("p{number}"), 1, "").sweep(1..=values))
        })
    };
    let check = |scenario: Scenario, axes: &[(&str, &[&str])], cells_max: usize, expect: &str| {
        let descriptor = Descriptor::new("m", "1", "").scenario(scenario);
        let module = LoadedModule { descriptor, ..offer("m", Arm::Wasm) };
        let found = Plan::build_within(vec![module], &[selection("*", axes)], 1, 0, cells_max);
        let found = found.map_or_else(|error| error.to_string(), |plan| format!("{} cells", plan.cells.len()));
        assert!(found.starts_with(expect), "{found}");
    };
    let scenario = || Scenario::new("s", "f", "");
    check(sizes(scenario(), 1, 50), &[], 50, "50 cells");
    check(sizes(scenario(), 1, 51), &[], 50, "the selection has 51 cells, and the maximum is 50");
    // More than fit into any memory.
    check(sizes(scenario(), 40, 1_000), &[], usize::MAX, "m/s: the arguments of its 18446744073709551615 cells");
    let long = "x".repeat(1 << 20);
    let text = scenario().parameter(Parameter::new("text", "a", "")).parameter(Parameter::new("n", 1, ""));
    let numbers: Vec<String> = (0..100).map(|number| number.to_string()).collect();
    let numbers: Vec<&str> = numbers.iter().map(String::as_str).collect();
    check(text, &[("text", &[&long]), ("n", &numbers)], 1_000, "m/s: the arguments of its 100 cells have more than");
}

#[test]
fn filter_keeps_the_order_of_the_remaining_cells() {
    let build =
        || Plan::build(vec![offer("m", Arm::Wasm), offer("m", Arm::Native)], &[selection("*", &[])], 2, 3).unwrap();
    let names = |plan: &Plan| {
        let name = |repetition: &Repetition| {
            let cell = plan.cell(repetition.cell);
            format!("{} {} {} {}", plan.full_name(cell), plan.offer(cell).arm, cell.arguments, repetition.process)
        };
        plan.order.iter().map(name).collect::<Vec<_>>()
    };
    let whole = names(&build());
    let filtered = names(&build().filtered("m/f*").unwrap());
    let expect: Vec<_> = whole.into_iter().filter(|name| name.starts_with("m/first")).collect();
    assert_eq!(filtered, expect);
    assert!(matches!(build().filtered("x"), Err(PlanError::NoScenario { .. })));
}

proptest! {
    #[test]
    fn order_has_every_repetition_once_and_is_determined_by_the_seed(seed: u64, processes in 1u32..5) {
        let build = || Plan::build(vec![offer("m", Arm::Wasm)], &[selection("*", &[])], processes, seed).unwrap();
        let plan = build();
        prop_assert_eq!(&plan.order, &build().order);
        let mut sorted = plan.order.clone();
        sorted.sort();
        let all: Vec<_> = (0..plan.cells.len() as u32).flat_map(|cell| (0..processes).map(move |process| Repetition { cell, process })).collect();
        prop_assert_eq!(sorted, all);
        prop_assert!(plan.order.is_sorted_by_key(|repetition| repetition.process), "a round ends before the next begins");
    }
}
