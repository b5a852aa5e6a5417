//! What an author of a plug-in meets: a template for each language is built, checked and measured.

use crate::host::{Host, PROGRAM, Ran, cells, command, skip};
use crate::kept;
use crate::tools::{componentize_js, componentize_py, of_python_or_skip};
use serde_json::Value;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A plug-in made by `new`.
struct Made {
    host: Host,
    name: &'static str,
}

impl Made {
    #[track_caller]
    fn new(name: &'static str, options: &str) -> Self {
        let host = Host::new();
        let said = host.check(&format!("new {name} {options}"), 0).stdout;
        assert!(said.contains(&format!("cd {name} && ./build.sh")), "{said}");
        Self { host, name }
    }

    /// One in Rust, in a folder that stays, so that its build is not cold each time.
    #[track_caller]
    fn in_rust(name: &'static str, options: &str) -> Self {
        let made = Self::new(name, &format!("--lang rust {options}"));
        kept::keep(&made.folder()).expect("a folder that stays");
        made
    }

    fn folder(&self) -> PathBuf {
        self.host.path(self.name)
    }

    /// Runs the plug-in's own script, with what is installed here and what is in the folders `path`.
    #[track_caller]
    fn build(&self, path: &[&Path]) {
        let output = shell(&self.folder(), path, "./build.sh");
        let printed = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(output.status.success(), "{}: {}{}", self.name, printed(&output.stdout), printed(&output.stderr));
    }

    /// Like [`Self::build`], for tools that take half a minute and keep nothing themselves: what they made is taken again as long as all
    /// files of the plug-in are the same, and what the command `versions` prints.
    #[track_caller]
    fn build_unless_built(&self, tools: &Path, versions: &str) {
        let versions = shell(&self.folder(), &[tools], versions);
        assert!(versions.status.success(), "{}: {}", self.name, String::from_utf8_lossy(&versions.stderr));
        let inputs = [versions.stdout, kept::contents(&self.folder()).expect("the files of the plug-in")].concat();
        let (out, earlier) = (self.folder().join("out"), kept::folder("built").join(self.name));
        if fs::read(earlier.join("inputs")).is_ok_and(|found| found == inputs) {
            eprintln!("{}: unchanged since it was built", self.name);
            return kept::mirror(&earlier.join("out"), &out).expect("what was built");
        }
        // The inputs are written last, so that they are there only with what was made of them.
        let _ = fs::remove_dir_all(&earlier);
        self.build(&[tools]);
        kept::mirror(&out, &earlier.join("out")).expect("what was built is kept");
        fs::write(earlier.join("inputs"), inputs).expect("what it was built of is kept");
    }

    /// Checks and measures what was built.
    #[track_caller]
    fn works(&self, file: &str, arms: usize) {
        let file = format!("{}/out/{file}", self.name);
        let checked = self.host.check(&format!("check {file} --format json"), 0).json();
        assert_eq!(checked["modules"].as_array().map(Vec::len), Some(arms), "{checked:#}");
        assert_eq!((checked["broken"].as_u64(), checked["skipped"].as_u64()), (Some(0), Some(0)), "{checked:#}");
        let measured = self.host.check(&format!("load {file} --quick --quiet --format json"), 0).json();
        let cells = measured["cells"].as_array().expect("cells");
        assert!(cells.len() >= arms && cells.iter().all(|cell| cell["status"] == "ok"), "{measured:#}");
    }

    /// Compares the arms of a scenario.
    #[track_caller]
    fn is_compared(&self, scenario: &str) {
        let line = format!("compare {0}/{scenario} --modules {0}/out --quick --quiet --format json", self.name);
        let document = self.host.check(&line, 0).json();
        let compared = document["comparisons"].as_array().expect("comparisons");
        let [compared] = &compared[..] else { panic!("{document:#}") };
        let arms = ["baseline", "contender"].map(|side| compared[side]["arm"].as_str().unwrap_or_default());
        assert_eq!((arms, &compared["status"]), (["native", "wasm"], &"ok".into()), "{compared:#}");
        assert!(compared["ratio_of_medians"]["ratio"].as_f64().is_some_and(|ratio| ratio > 0.0), "{compared:#}");
    }

    /// Has the host link operators of the component into a chain, and send tokens through it.
    #[track_caller]
    fn is_driven(&self) {
        let checked = self.host.check(&format!("check {0}/out/{0}.wasm --format json", self.name), 0).json();
        assert_eq!(checked["broken"].as_u64(), Some(0), "{checked:#}");
        let rules = checked["modules"][0]["rules"].as_array().expect("rules");
        let is_held = |rule: &Value| rule["scenario"] == "chain" && rule["outcome"] == "held";
        assert!(rules.iter().any(is_held), "{checked:#}");
    }

    /// Has the host start the function and send it requests. Returns what was measured.
    #[track_caller]
    fn answers(&self) -> Value {
        let file = format!("{0}/out/{0}.wasm", self.name);
        let checked = self.host.check(&format!("check {file} --format json"), 0).json();
        assert_eq!(checked["broken"].as_u64(), Some(0), "{checked:#}");
        let measured = self.host.check(&format!("load {file} --quick --quiet --format json"), 0).json();
        assert_eq!(self.statuses(&measured, "cold-start", "wasm"), ["ok", "ok"], "two kinds of start: {measured:#}");
        // A control group may allow less than the two processors that it keeps busy.
        let request = self.statuses(&measured, "request", "wasm");
        assert!(request == ["ok"] || request == ["skipped"], "{measured:#}");
        let wrong = self.host.check(&format!("load {file} --filter */cold-start -p expect=other --quick --quiet"), 1);
        let said = format!("{}{}", wrong.stdout, wrong.stderr);
        assert!(said.contains("first-response"), "a wrong response has no figure: {said}");
        measured
    }

    /// The statuses of the cells of a scenario in an arm.
    fn statuses(&self, measured: &Value, scenario: &str, arm: &str) -> Vec<String> {
        let of_scenario = cells(measured, &format!("{}/{scenario}", self.name)).into_iter();
        let of_arm = of_scenario.filter(|cell| cell["arm"] == arm);
        of_arm.map(|cell| cell["status"].as_str().unwrap_or_default().to_owned()).collect()
    }
}

/// Runs a command line in `folder`, with this program, what is in the folders `path` and what is installed.
pub(crate) fn shell(folder: &Path, path: &[&Path], line: &str) -> Output {
    let own = Path::new(PROGRAM).parent().expect("the program lies in a folder");
    let system = env::var_os("PATH").unwrap_or_default();
    let path = path.iter().map(|path| path.to_path_buf()).chain([own.to_owned()]).chain(env::split_paths(&system));
    let mut shell = command("sh");
    shell.args(["-c", line]).current_dir(folder).env("PATH", env::join_paths(path).expect("a search path"));
    // What is built for other templates is kept, and dependencies are those that are there already.
    shell.env("CARGO_TARGET_DIR", kept::folder("cargo")).env("CARGO_NET_OFFLINE", "true");
    // No figure of a template is looked at, so it is compiled as fast as can be.
    let quick = [("OPT_LEVEL", "0"), ("LTO", "off"), ("CODEGEN_UNITS", "16")];
    shell.envs(quick.map(|(name, value)| (format!("CARGO_PROFILE_RELEASE_{name}"), value)));
    shell.env("GOPROXY", "off").env("ZIG_GLOBAL_CACHE_DIR", kept::folder("zig"));
    for variable in ["CARGO_ENCODED_RUSTFLAGS", "CARGO_BUILD_BUILD_DIR", "RUSTFLAGS", "CARGO_BUILD_TARGET"] {
        shell.env_remove(variable);
    }
    shell.output().expect("a shell starts")
}

/// Whether `program` can be started; the reason is printed where it cannot.
fn has(program: &str, argument: &str, advice: &str) -> bool {
    let found = Command::new(program).arg(argument).output().is_ok_and(|output| output.status.success());
    if !found {
        skip(&format!("{program} does not start; {advice}"));
    }
    found
}

#[test]
fn template_in_rust_builds_both_arms_and_is_compared() {
    // The plug-in of the tutorial is another one, and has another name.
    let made = Made::in_rust("my-total", "");
    made.build(&[]);
    made.works("my-total.wasm", 2);
    let checked = made.host.check("check my-total/out/my-total.wasm --sensitivity --format json", 0).json();
    let of_component = checked["modules"][0]["rules"].as_array().expect("rules");
    let is_seen = |rule: &&Value| rule["rule"] == "verify sees a corrupted result" && rule["outcome"] == "held";
    assert_eq!(of_component.iter().filter(is_seen).count(), 1, "{checked:#}");
    made.is_compared("sum");
}

#[test]
fn template_in_rust_builds_a_native_probe() {
    let made = Made::in_rust("my-probe", "--probe");
    made.build(&[]);
    made.works(&format!("my-probe.{}", env::consts::DLL_EXTENSION), 1);
    assert!(!made.folder().join("out/my-probe.wasm").exists(), "a probe has no component");
}

/// The commands of the steps of a recipe, in their order.
fn steps(recipe: &str) -> Vec<String> {
    let mut steps = Vec::new();
    let mut lines = recipe.lines().peekable();
    while let Some(line) = lines.next() {
        let step = line.trim_start();
        let Some(run) = step.strip_prefix("- ").unwrap_or(step).strip_prefix("run: ") else { continue };
        if run != "|" {
            steps.push(run.to_owned());
            continue;
        }
        // A block is indented further than its key.
        let indent = line.len() - step.len() + 1;
        let mut block = String::new();
        while let Some(line) = lines.next_if(|line| line.starts_with(&" ".repeat(indent))) {
            block.push_str(line.trim_start());
            block.push('\n');
        }
        steps.push(block);
    }
    steps
}

#[test]
fn recipe_installs_the_host_and_checks_the_plug_in() {
    if !has("curl", "--version", "install curl, with which the recipe fetches the archive") {
        return;
    }
    let made = Made::in_rust("my-recipe", "");
    let recipe = fs::read_to_string(made.folder().join(".github/workflows/check.yml")).expect("there is a recipe");
    let steps = steps(&recipe);
    let [install, build, check, load] = &steps[..] else { panic!("{steps:?}") };
    // An archive as `cargo xtask dist` makes it, with a program that stands for this one.
    let host = |name: &str| made.host.path(name);
    fs::create_dir_all(host("bench-host-0/bin")).expect("a folder for the program");
    fs::create_dir(host("temporary")).expect("a folder of the runner");
    let program = host("bench-host-0/bin/bench-host");
    fs::write(&program, format!("#!/bin/sh\nexec '{PROGRAM}' \"$@\"\n")).expect("the program is written");
    let packed = shell(&host(""), &[], "chmod +x bench-host-0/bin/bench-host && tar -czf host.tar.gz bench-host-0");
    assert!(packed.status.success(), "{}", String::from_utf8_lossy(&packed.stderr));
    let digest = bench_sink::digest::of_file(&host("host.tar.gz")).expect("the archive");
    let run = |digest: &str, path: &[&Path], step: &str| {
        let place = |name: &str| host(name).display().to_string();
        let [temporary, added, archive] = ["temporary", "added", "host.tar.gz"].map(place);
        let set = format!("RUNNER_TEMP='{temporary}' GITHUB_PATH='{added}' BENCH_HOST_ARCHIVE='file://{archive}'");
        let line = format!("set -e\nexport {set} BENCH_HOST_SHA256={digest}\n{step}");
        let output = shell(&made.folder(), path, &line);
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (is_installed, said) = run(&"0".repeat(64), &[], install);
    assert!(!is_installed && !host("added").exists(), "another archive was taken: {said}");
    let (is_installed, said) = run(&digest, &[], install);
    assert!(is_installed, "{said}");
    let added = fs::read_to_string(host("added")).expect("the search path of later steps");
    let added = Path::new(added.trim_end());
    assert!(added.join("bench-host").is_file(), "{}", added.display());
    for step in [build, check, load] {
        let (is_done, said) = run(&digest, &[added], step);
        assert!(is_done, "{step}: {said}");
    }
    let checked = fs::read_to_string(made.folder().join("check.xml")).expect("what the check has found");
    assert!(checked.contains("<testsuite"), "{checked}");
}

#[test]
fn template_for_operators_in_rust_is_driven() {
    let made = Made::in_rust("my-copier", "--driver operator");
    made.build(&[]);
    let file = "my-copier/out/my-copier.wasm";
    let checked = made.host.check(&format!("check {file} --format json"), 0).json();
    assert_eq!((checked["broken"].as_u64(), checked["skipped"].as_u64()), (Some(0), Some(0)), "{checked:#}");
}

#[test]
fn template_for_functions_in_rust_is_started_and_asked() {
    let made = Made::in_rust("my-words", "--driver function");
    made.build(&[]);
    let measured = made.answers();
    for arm in ["wasm", "native"] {
        assert_eq!(made.statuses(&measured, "handle", arm), ["ok"], "{measured:#}");
    }
}

#[test]
fn templates_for_connectors_in_rust_move_rows() {
    for (name, options, scenarios) in
        [("my-dest", "--driver destination", &["load", "read"][..]), ("my-source", "--driver source", &["read"][..])]
    {
        let made = Made::in_rust(name, options);
        made.build(&[]);
        let line = format!("check {name}/out/{name}.wasm -p rows=1000 --format json");
        let checked = made.host.check(&line, 0).json();
        assert_eq!(checked["modules"].as_array().map(Vec::len), Some(2), "both arms: {checked:#}");
        assert_eq!(checked["broken"].as_u64(), Some(0), "{checked:#}");
        let rules =
            || checked["modules"].as_array().into_iter().flatten().flat_map(|module| module["rules"].as_array());
        let mut skipped = rules().flatten().filter(|rule| rule["outcome"] == "skipped");
        if let Some(skipped) = skipped.next() {
            return skip(&format!("rows are not moved: {}", skipped["detail"]));
        }
        for scenario in scenarios {
            let is_moved = |rule: &&Value| {
                rule["scenario"].as_str().is_some_and(|label| label.starts_with(scenario))
                    && rule["rule"] == "moves all rows"
            };
            assert_eq!(rules().flatten().filter(is_moved).count(), 2, "{scenario}: {checked:#}");
        }
    }
}

#[test]
fn templates_in_go_are_components() {
    if !has("go", "version", "install Go 1.25 or newer") {
        return;
    }
    let made = Made::new("my-go-sum", "--lang go");
    made.build(&[]);
    made.works("my-go-sum.wasm", 1);
    let operator = Made::new("my-go-copier", "--lang go --driver operator");
    operator.build(&[]);
    operator.is_driven();
    let function = Made::new("my-go-words", "--lang go --driver function");
    function.build(&[]);
    function.answers();
}

#[test]
fn templates_in_c_build_both_arms_or_a_component() {
    let probe = Made::new("my-c-probe", "--lang c --probe");
    probe.build(&[]);
    probe.works(&format!("my-c-probe.{}", env::consts::DLL_EXTENSION), 1);
    let Some(tools) = of_python_or_skip("ziglang", "python-zig") else { return };
    let made = Made::new("my-c-sum", "--lang c");
    made.build(&[&tools]);
    made.works("my-c-sum.wasm", 2);
    made.is_compared("sum");
    record_in_c(&made.folder().join("plugin.c"));
    made.build(&[&tools]);
    made.works("my-c-sum.wasm", 2);
    let operator = Made::new("my-c-copier", "--lang c --driver operator");
    operator.build(&[&tools]);
    operator.is_driven();
    let function = Made::new("my-c-words", "--lang c --driver function");
    function.build(&[&tools]);
    function.answers();
}

/// Has the workload in `file` declare a metric with a label, and record it, without which `check` finds that it does not.
fn record_in_c(file: &Path) {
    const DECLARED: &str = r#"static const bench_str labels[] = { BENCH_STR("of") };
static const bench_metric metrics[] = {
    { .name = BENCH_STR("added"), .unit = BENCH_STR("1"), .labels = BENCH_LIST(labels) },
};

static const bench_scenario scenarios"#;
    const OPENED: &str = r#"*opened = (sum){ numbers, n, 0, 0 };
    bench_pair label = { BENCH_STR("of"), BENCH_STR("memory") };
    bench_error refused = bench_series((bench_str)BENCH_STR("added"), &label, 1, &opened->series);
    if (refused.kind != BENCH_OK) {
        return refused;
    }"#;
    let mut text = fs::read_to_string(file).expect("the template is readable");
    for (from, to) in [
        ("static const bench_scenario scenarios", DECLARED),
        (
            ".parameters = BENCH_LIST(parameters),",
            ".parameters = BENCH_LIST(parameters), .metrics = BENCH_LIST(metrics),",
        ),
        ("uint64_t n, found;", "uint64_t n, found; uint32_t series;"),
        ("*opened = (sum){ numbers, n, 0 };", OPENED),
        ("opened->found = total;", "opened->found = total; bench_record(opened->series, &total, 1);"),
    ] {
        assert_eq!(text.matches(from).count(), 1, "{from:?} in {text}");
        text = text.replace(from, to);
    }
    fs::write(file, text).expect("the template is writable");
}

#[test]
fn templates_in_python_are_components() {
    let Some(tools) = componentize_py() else { return };
    let made = Made::new("my-python-sum", "--lang python");
    let versions = "python3 --version && python3 -m pip freeze";
    made.build_unless_built(&tools, versions);
    made.works("my-python-sum.wasm", 1);
    let operator = Made::new("my-python-copier", "--lang python --driver operator");
    operator.build_unless_built(&tools, versions);
    operator.is_driven();
    let function = Made::new("my-python-words", "--lang python --driver function");
    function.build_unless_built(&tools, versions);
    function.answers();
}

#[test]
fn templates_in_javascript_are_components() {
    let Some(tools) = componentize_js() else { return };
    let made = Made::new("my-js-sum", "--lang js");
    let installed = tools.with_file_name(".package-lock.json");
    let versions = format!("node --version && cat '{}'", installed.display());
    made.build_unless_built(&tools, &versions);
    made.works("my-js-sum.wasm", 1);
    let operator = Made::new("my-js-copier", "--lang js --driver operator");
    operator.build_unless_built(&tools, &versions);
    operator.is_driven();
    let function = Made::new("my-js-words", "--lang js --driver function");
    function.build_unless_built(&tools, &versions);
    function.answers();
}

#[test]
fn sdk_for_rust_can_be_packaged() {
    let host = Host::new();
    host.check("sdk --copy sdk --repository https://host.invalid/sdk", 0);
    // Not compiled: the template is built from the same files.
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["package", "--workspace", "--offline", "--no-verify", "--allow-dirty"]);
    cargo.current_dir(host.path("sdk/rust")).env_remove("CARGO_BUILD_BUILD_DIR").env_remove("CARGO_TARGET_DIR");
    let output = cargo.output().expect("cargo starts");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    // That a version was withdrawn since the lock file was written is no finding about the manifests.
    let warnings = said.lines().filter(|line| line.starts_with("warning") && !line.contains("yanked"));
    assert_eq!(warnings.collect::<Vec<_>>(), [""; 0], "{said}");
    let packaged = host.path("sdk/rust/target/package/bench-plugin-0.1.0.crate");
    let listed = Command::new("tar").arg("-tzf").arg(packaged).output().expect("tar starts");
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    assert!(listed.contains("bench-plugin-0.1.0/wit/workload/workload.wit"), "{listed}");
    assert!(listed.contains("bench-plugin-0.1.0/README.md"), "{listed}");
    let refused = host.check("sdk --copy sdk --repository host/sdk", 2).stderr;
    assert!(refused.contains("expected an address, such as https://HOST/FOLDER"), "{refused}");
}

#[test]
fn sdk_is_written_once_and_brought_up_to_date() {
    let host = Host::new();
    let first = host.check("sdk --copy a/sdk", 0).stdout;
    assert!(first.starts_with("a/sdk: "), "{first}");
    fs::write(host.path("a/sdk/include/bench_probe.h"), "old").unwrap();
    let again = host.check("sdk --copy a/sdk", 0).stdout;
    assert!(again.starts_with("a/sdk: 1 of "), "{again}");
    fs::create_dir(host.path("b")).unwrap();
    fs::write(host.path("b/thesis.txt"), "").unwrap();
    let refused = host.check("sdk --copy b", 2).stderr;
    assert!(refused.contains("b holds other files"), "{refused}");
    let mut path = host.command("sdk --path");
    path.env("XDG_DATA_HOME", host.path("data"));
    let said = Ran::of(&mut path).check("sdk --path", 0).stdout;
    assert!(Path::new(said.trim()).join("wit/workload/workload.wit").is_file(), "{said}");
}

#[test]
fn wit_and_header_are_printed() {
    let host = Host::new();
    assert!(host.check("wit", 0).stdout.starts_with("package bench-host:workload@"));
    assert!(host.check("wit operator", 0).stdout.starts_with("package bench-host:operator@"));
    assert!(host.check("wit http", 0).stdout.starts_with("package wasi:http@0.2"));
    assert!(host.check("header", 0).stdout.contains("bench_probe_v1"));
    let refused = host.check("wit wokload", 2).stderr;
    assert!(refused.contains("there is no WIT package `wokload`; the packages are function, log"), "{refused}");
}

#[test]
fn new_refuses_what_it_cannot_make() {
    let host = Host::new();
    fs::create_dir(host.path("taken")).unwrap();
    let check = |line: &str, expect: &str| {
        let said = host.check(line, 2).stderr;
        assert!(said.contains(expect), "{line}: {said}");
    };
    check("new taken", "taken exists already; choose another name");
    check("new Sum", "`Sum` cannot be the name of a plug-in");
    check("new sum --lang cobol", "unknown: `cobol`; use one of rust, go, c, python, js");
    check(
        "new sum --lang python --driver source",
        "no template for the driver source in python: a source is timed while it reads a table",
    );
    check("new sum --lang c --driver operator --probe", "cannot be a native probe; use --lang rust, or --lang c with");
}
