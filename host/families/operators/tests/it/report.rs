//! The report of chains of operators, made of figures with chosen slopes: tables of samples, sections in every format, figures.

use bench_family::Family;
use bench_model::Unit;
use bench_report::{DerivedFile, FamilyReport, RunView};
use bench_sink::runfile::Status;
use family_operators::OperatorFamily;
use insta::assert_snapshot;
use sample_run::{Block, Part, Run, merged};
use serde_json::Value;

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;

/// What a chain takes: memory without operators, and for each while it is live.
#[derive(Clone, Copy)]
struct Cost {
    none: u64,
    each: u64,
}

const COMPONENTS: Cost = Cost { none: 40 * MIB, each: 60 * KIB };
const PROCESSES: Cost = Cost { none: 20 * MIB, each: 800 * KIB };

/// A chain of `count` operators that cost `cost`, in one process. An unloaded one takes a sixteenth; processes
/// differ by 8 KiB.
fn chain(cell: u32, process: u32, module: &str, arm: &str, count: u64, cost: Cost) -> Block {
    let noise = u64::from(process) * 8 * KIB;
    let memory = |each: u64| [cost.none + count * each + noise; 3];
    let mut block = Block::new(cell, process, &format!("{module}/chain"), arm)
        .family("operators")
        .argument("count", count as i64)
        .timed(1, (1..=40).map(|n| count * (900 + n)));
    for (metric, ns) in [("hop", 920), ("load", 21_000), ("load_all", 21_000 * count), ("wake", 80_000)] {
        block = block.series(metric, Unit::Nanoseconds, &[], 1, [ns; 20]);
    }
    block = block.series("chain_cold", Unit::Nanoseconds, &[], 1, [count * 81_000; 4]);
    block = block.series("state", Unit::Bytes, &[], 1, [96; 20]);
    for (metric, total) in [("sent", 100), ("late", 0)] {
        block = block.series(metric, Unit::Count, &[], 1, [total]);
    }
    for (phase, each) in [("active", cost.each), ("idle", cost.each), ("unloaded", cost.each / 16)] {
        let label = [("phase", phase)];
        block = block.series("memory_pss", Unit::Bytes, &label, 1, memory(each));
        block = block.series("memory_at", Unit::Nanoseconds, &label, 1, [100_000_000, 200_000_000, 300_000_000]);
    }
    block
}

/// Every arm in `arms` with 10, 50 and 100 operators, three processes each.
fn append(run: &mut Run, first: u32, module: &str, arms: &[(&str, Cost)], with: impl Fn(Block) -> Block) {
    let cells = arms.iter().flat_map(|arm| [10, 50, 100].map(|count| (arm, count)));
    for (cell, ((arm, cost), count)) in (first..).zip(cells) {
        for process in 0..3 {
            run.append(&with(chain(cell, process, module, arm, count, *cost)).records());
        }
    }
}

fn report() -> &'static dyn FamilyReport {
    OperatorFamily.report().expect("the family has a report")
}

fn text(view: &RunView) -> String {
    sample_run::text(view, Some(report()))
}

/// The document that `report --format operators-json` prints.
fn operators_json(view: &RunView) -> Value {
    let [export] = report().exports() else { panic!("the family has one document") };
    assert_eq!(export.name, "operators-json");
    serde_json::from_str(&(export.print)(view).unwrap()).unwrap()
}

/// The names of the files of samples, and their lines.
fn tables(run: &Run) -> Vec<(String, Vec<String>)> {
    let lines = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap().lines().map(str::to_owned).collect();
    report().sample_files(&run.file()).into_iter().map(|file| (file.name, lines(file.content.unwrap()))).collect()
}

fn both_arms() -> Run {
    let mut run = Run::begin(6, 3);
    append(&mut run, 0, "operator-rust", &[("wasm", COMPONENTS), ("process", PROCESSES)], |block| block);
    run.end(None);
    run
}

#[test]
fn samples_have_a_folder_for_each_kind_and_arm_and_a_row_each() {
    let mut run = Run::begin(8, 2);
    for (cell, process, count) in [(1, 0, 20), (0, 1, 10), (0, 0, 10)] {
        run.append(&chain(cell, process, "operator-rust", "wasm", count, COMPONENTS).records());
    }
    let mixed = |block: Block| block.argument("every_other", "operator-go/chain");
    run.append(&mixed(chain(2, 0, "operator-rust", "wasm", 10, COMPONENTS)).records());
    run.append(&mixed(chain(3, 0, "operator-rust", "process", 10, PROCESSES)).records());
    run.append(&chain(4, 0, "operator-go", "wasm", 10, COMPONENTS).variant("fuel").records());
    // What failed has no rows, and neither has what is none.
    run.append(&chain(5, 0, "operator-go", "wasm", 10, COMPONENTS).ended(Status::Failed, "wrong").records());
    run.append(&Block::new(6, 0, "kernels/sort", "wasm").argument("count", 5).timed(1, 1..=10).records());
    run.end(None);
    let tables = tables(&run);
    let names: Vec<_> = tables.iter().map(|(name, _)| name.as_str()).collect();
    let folders = ["go-only-fuel", "mixed", "mixed-process", "rust-only"];
    assert_eq!(names, folders.map(|folder| [format!("{folder}/latency.csv"), format!("{folder}/memory.csv")]).concat());
    let latency = &tables[6].1;
    assert_eq!(latency.len(), 1 + 3 * 40);
    assert_eq!(latency[..2], ["operator_count,run_number,latency_ms", "10,1,0.00901"]);
    assert_eq!((&*latency[41], &*latency[81]), ("10,2,0.00901", "20,1,0.01802"));
    let memory = &tables[7].1[..3];
    let expect = [
        "operator_count,run_number,phase,timestamp,memory_bytes",
        "10,1,active,0.1,42557440",
        "10,1,active,0.2,42557440",
    ];
    assert_eq!(memory, expect);
}

#[test]
fn chains_that_differ_by_more_than_their_number_are_not_mixed_up() {
    let mut run = Run::begin(2, 1);
    for (cell, rate) in [(0, 0), (1, 100)] {
        let block = chain(cell, 0, "operator-rust", "wasm", 10, COMPONENTS).argument("rate", rate);
        run.append(&block.records());
    }
    run.end(None);
    let names: Vec<_> =
        tables(&run).into_iter().map(|(name, _)| name).filter(|name| name.contains("latency")).collect();
    assert_eq!(names, ["rust-only-rate-0/latency.csv", "rust-only-rate-100/latency.csv"]);
}

#[test]
fn a_repetition_that_was_made_again_has_its_rows_once() {
    let mut run = Run::begin(1, 1);
    for _ in 0..2 {
        run.append(&chain(0, 0, "operator-rust", "wasm", 10, COMPONENTS).records());
    }
    run.end(None);
    assert_eq!(tables(&run)[0].1.len(), 1 + 40);
}

#[test]
fn cost_per_operator_is_below_the_table() {
    assert_snapshot!(text(&both_arms().view()), @r"
      arm      count    n      p50      p90  p99      max        rate  check
    operator-rust/chain
      wasm        10  120  9.20 µs  9.36 µs    –  9.40 µs  6.63 MiB/s  ok
      process     10  120  9.20 µs  9.36 µs    –  9.40 µs  6.63 MiB/s  ok
      wasm        50  120  46.0 µs  46.8 µs    –  47.0 µs  1.33 MiB/s  ok
      process     50  120  46.0 µs  46.8 µs    –  47.0 µs  1.33 MiB/s  ok
      wasm       100  120  92.0 µs  93.6 µs    –  94.0 µs   679 KiB/s  ok
      process    100  120  92.0 µs  93.6 µs    –  94.0 µs   679 KiB/s  ok

    operators by their number
      operators  arm      count  sent     hop     load     wake  cold chain  state    active  unloaded
      rust-only  wasm        10   300  920 ns  21.0 µs  80.0 µs      810 µs   96 B  40.6 MiB  40.0 MiB
      rust-only  wasm        50   300  920 ns  21.0 µs  80.0 µs     4.05 ms   96 B  42.9 MiB  40.2 MiB
      rust-only  wasm       100   300  920 ns  21.0 µs  80.0 µs     8.10 ms   96 B  45.9 MiB  40.4 MiB
      rust-only  process     10   300  920 ns  21.0 µs  80.0 µs      810 µs   96 B  27.8 MiB  20.5 MiB
      rust-only  process     50   300  920 ns  21.0 µs  80.0 µs     4.05 ms   96 B  59.1 MiB  22.4 MiB
      rust-only  process    100   300  920 ns  21.0 µs  80.0 µs     8.10 ms   96 B  98.1 MiB  24.9 MiB

    memory by the number of operators
      operators  arm      phase      count  proc.   largest  an operator         95 % interval     fixed
      rust-only  wasm     active    10–100      9  45.9 MiB     60.0 KiB  59.8 KiB to 60.2 KiB  40.0 MiB
      rust-only  wasm     idle      10–100      9  45.9 MiB     60.0 KiB  59.8 KiB to 60.2 KiB  40.0 MiB
      rust-only  wasm     unloaded  10–100      9  40.4 MiB     3.75 KiB  3.59 KiB to 3.91 KiB  40.0 MiB
      rust-only  process  active    10–100      9  98.1 MiB      800 KiB    800 KiB to 800 KiB  20.0 MiB
      rust-only  process  idle      10–100      9  98.1 MiB      800 KiB    800 KiB to 800 KiB  20.0 MiB
      rust-only  process  unloaded  10–100      9  24.9 MiB     50.0 KiB  49.8 KiB to 50.2 KiB  20.0 MiB
      medians; memory: proportional set size of the worker and of its operators' processes; largest: with the most operators
      an operator: slope of the line through the median of each process, which is a point; fixed: where that line begins

    latency_scalability_all.png: Reaction time of a chain by the number of its operators

    memory_active_vs_idle.png: Memory of operators while they are active, idle and unloaded

    memory_savings_comparison.png: Memory saved by components against a process for each operator

    memory_scalability_all.png: Memory by the number of operators

    A Processor × 2, linux 6.1.0, load 0.50
    bench-host 0.1.0; 3 processes × 1 s per cell; seed 7
    per operation; n = samples × operations per sample; –: not measured, or too few samples
    limit: how many times what the machine itself takes, see `bench-host doctor`
    ");
}

#[test]
fn every_format_has_the_sections_of_operators() {
    let view = both_arms().view();
    let page = sample_run::markdown(&view, Some(report()));
    assert!(page.contains("an operator") && page.contains("![Memory by the number of operators]"), "{page}");
    let document: Value = serde_json::from_str(&sample_run::json(&view, Some(report()))).unwrap();
    let memory = &document["sections"][1];
    assert_eq!((&memory["name"], &memory["rows"][0]["arm"]), (&"operators.memory".into(), &"wasm".into()));
    let names: Vec<_> = document["sections"].as_array().unwrap().iter().map(|section| &section["kind"]).collect();
    assert_eq!(names, ["table", "table", "figure", "figure", "figure", "figure"]);
    let csv = sample_run::csv(&view, Some(report()));
    assert_snapshot!(csv.split("\n\n").nth(2).unwrap(), @r"
    section,operators,arm,phase,count_low,count_high,processes,largest [By],per_operator [By],per_operator_low [By],per_operator_high [By],without_operators [By]
    memory by the number of operators,rust-only,wasm,active,10,100,9,48095232,61440,61277.6,61602.4,41951232
    memory by the number of operators,rust-only,wasm,idle,10,100,9,48095232,61440,61277.6,61602.4,41951232
    memory by the number of operators,rust-only,wasm,unloaded,10,100,9,42335232,3840,3677.63,4002.37,41951232
    memory by the number of operators,rust-only,process,active,10,100,9,102899712,819200,819038,819362,20979700
    memory by the number of operators,rust-only,process,idle,10,100,9,102899712,819200,819038,819362,20979700
    memory by the number of operators,rust-only,process,unloaded,10,100,9,26099712,51200,51037.6,51362.4,20979712
    ");
}

#[test]
fn slopes_are_those_that_were_chosen() {
    let document = operators_json(&both_arms().view());
    let memory = document["memory"].as_array().unwrap();
    assert_eq!(memory.len(), 6);
    let check = |index: usize, arm: &str, phase: &str, each: u64, none: u64| {
        let found = &memory[index];
        assert_eq!((found["arm"].as_str(), found["phase"].as_str()), (Some(arm), Some(phase)));
        let number = |name: &str| found[name].as_f64().unwrap();
        // Six digits are written.
        let near = |name: &str, value: u64| (number(name) / value as f64 - 1.0).abs() < 1e-5;
        assert!(near("per_operator", each) && near("without_operators", none + 8 * KIB), "{found}");
        assert!(number("per_operator_low") < each as f64 && number("per_operator_high") > each as f64, "{found}");
        assert_eq!((found["processes"].as_u64(), &found["absent"]), (Some(9), &Value::Null));
    };
    check(0, "wasm", "active", 60 * KIB, 40 * MIB);
    check(2, "wasm", "unloaded", 60 * KIB / 16, 40 * MIB);
    check(3, "process", "active", 800 * KIB, 20 * MIB);
}

#[test]
fn arms_are_compared_at_the_numbers_that_all_have() {
    let mut run = both_arms();
    run.append(&chain(6, 0, "operator-rust", "wasm", 5000, COMPONENTS).records());
    let document = operators_json(&run.view());
    let counts = |index: usize| document["memory"][index]["operator_counts"].to_string();
    assert_eq!((counts(0), counts(3)), ("[10,50,100]".to_owned(), "[10,50,100]".to_owned()));
}

#[test]
fn absent_figures_have_a_reason() {
    let mut run = Run::begin(2, 1);
    run.append(&chain(0, 0, "operator-rust", "wasm", 10, COMPONENTS).records());
    let shown = text(&run.view());
    assert!(shown.contains("one count has no slope; give several with -p count=10,100"), "{shown}");
    run.append(&chain(1, 0, "operator-rust", "wasm", 20, COMPONENTS).records());
    let shown = text(&run.view());
    assert!(shown.contains("two processes have no interval; give more with --processes"), "{shown}");
}

/// The names of the figures that were drawn, and why the others were not.
fn outcome(plots: &[DerivedFile]) -> (Vec<&str>, Vec<String>) {
    let drawn = plots.iter().filter(|plot| plot.content.is_ok()).map(|plot| plot.name.as_str()).collect();
    let not =
        plots.iter().filter_map(|plot| Some(format!("{}: {}", plot.name, plot.content.as_ref().err()?))).collect();
    (drawn, not)
}

#[test]
fn every_figure_is_drawn_where_its_chains_are_in_the_run() {
    let mut run = Run::begin(12, 3);
    append(&mut run, 0, "operator-rust", &[("wasm", COMPONENTS), ("process", PROCESSES)], |block| block);
    append(&mut run, 6, "operator-go", &[("wasm", COMPONENTS), ("process", PROCESSES)], |block| block);
    run.end(None);
    let plots = report().files(&run.view());
    let (drawn, not) = outcome(&plots);
    let names = [
        "latency_rust_vs_go.png",
        "latency_scalability_all.png",
        "memory_active_vs_idle.png",
        "memory_rust_vs_go.png",
        "memory_savings_comparison.png",
        "memory_scalability_all.png",
    ];
    assert_eq!((drawn, not), (names.to_vec(), Vec::new()));
    for plot in plots {
        let pixels = tiny_skia::Pixmap::decode_png(&plot.content.unwrap()).unwrap();
        assert_eq!((pixels.width(), pixels.height()), (1600, 1000), "{}", plot.name);
        let dark = pixels.pixels().iter().filter(|pixel| pixel.red() < 64 && pixel.green() < 64 && pixel.blue() < 64);
        let coloured = pixels.pixels().iter().filter(|pixel| pixel.red() != pixel.blue());
        assert!(dark.count() > 3_000 && coloured.count() > 3_000, "{}: no letters or no lines", plot.name);
    }
}

#[test]
fn chains_with_other_arguments_have_no_saving() {
    let not_drawn = |rate: i64| {
        let mut run = Run::begin(6, 3);
        append(&mut run, 0, "operator-rust", &[("wasm", COMPONENTS)], |block| block.argument("rate", 0_i64));
        append(&mut run, 3, "operator-rust", &[("process", PROCESSES)], |block| block.argument("rate", rate));
        run.end(None);
        let not = outcome(&report().files(&run.view())).1;
        not.into_iter().find(|line| line.starts_with("memory_savings"))
    };
    let why = "memory_savings_comparison.png: not drawn: arms wasm and process have no chain of as many operators in common; measure both \
               with the same parameters";
    assert_eq!((not_drawn(0), not_drawn(100).as_deref()), (None, Some(why)));
}

#[test]
fn page_has_memory_over_time_of_the_largest_chains() {
    let page = sample_run::page(&both_arms(), Some(report()));
    for expect in [
        "<h2>Family operators</h2>",
        "aria-label=\"Memory of operators over time, by phase\"",
        ">rust-only wasm, 100 operators</text>",
        ">rust-only process, 100 operators</text>",
        "n = 6 processes, of 54 samples together",
    ] {
        assert!(page.contains(expect), "{expect}");
    }
}

#[test]
fn a_figure_that_is_not_drawn_says_why() {
    let mut run = Run::begin(3, 3);
    append(&mut run, 0, "operator-rust", &[("wasm", COMPONENTS)], |block| block);
    let plots = report().files(&run.view());
    let (drawn, not) = outcome(&plots);
    assert_eq!(drawn, ["latency_scalability_all.png", "memory_active_vs_idle.png", "memory_scalability_all.png"]);
    assert_snapshot!(not.join("\n"), @r"
    latency_rust_vs_go.png: not drawn: the run has no chain of Go operators alone; `bench-host run operators-rust operators-go` has both
    memory_rust_vs_go.png: not drawn: the run has no chain of Go operators alone; `bench-host run operators-rust operators-go` has both
    memory_savings_comparison.png: not drawn: the run has no operators in arm process; build them with `cargo xtask plugins` and measure with --arm wasm,process
    ");
    assert!(report().files(&Run::begin(1, 1).view()).is_empty());
}

#[test]
fn a_run_of_one_process_has_figures_without_intervals() {
    let mut run = Run::begin(2, 1);
    for (cell, count) in [(0, 10), (1, 5000)] {
        run.append(&chain(cell, 0, "operator-rust", "wasm", count, COMPONENTS).records());
    }
    assert_eq!(outcome(&report().files(&run.view())).0.len(), 3);
}

/// A part with chains of so many operators, three processes each.
fn part(machine: &str, first: u32, arm: &str, counts: &[u64], cost: Cost) -> Part {
    let cells = (first..).zip(counts).flat_map(|cell| (0..3).map(move |process| (cell, process)));
    cells.fold(Part::new(machine), |part, ((cell, count), process)| {
        part.block(chain(cell, process, "operator-rust", arm, *count, cost))
    })
}

#[test]
fn chains_of_different_machines_have_no_saving_and_no_slope() {
    let counts = [10, 50];
    let components = || part("a", 0, "wasm", &counts, COMPONENTS);
    let not_drawn = |processes: &str| {
        let run = merged("r", "p", [components(), part(processes, 2, "process", &counts, PROCESSES)]);
        outcome(&report().files(&run.view())).1.into_iter().find(|line| line.starts_with("memory_savings"))
    };
    let why =
        "memory_savings_comparison.png: not drawn: arms wasm and process were measured on different machines (a, b)";
    assert_eq!((not_drawn("a"), not_drawn("b").as_deref()), (None, Some(why)));
    let why = "chains with one slope must be of one machine, and these were measured on different machines (a, b)";
    let few = part("a", 0, "wasm", &counts[..1], COMPONENTS);
    let run = merged("r", "p", [few, part("b", 1, "wasm", &counts[1..], COMPONENTS)]);
    let memory = &operators_json(&run.view())["memory"][0];
    assert!(memory["per_operator"].is_null(), "{memory}");
    assert_eq!(memory["absent"], why);
    let shown = text(&run.view());
    let shown = shown.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(shown.contains(why), "{shown}");
}
