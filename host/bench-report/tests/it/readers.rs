//! Exports, pinned, and read back by readers that were not written here: packages of PyPI and npm, installed once into folders of the tests.

use crate::fixture::{Block, Run, eventful};
use bench_model::{Direction, Unit};
use bench_report::{
    Courses, Detail, Document, MeasuredValue, Page, PageRun, Quantity, RENDERERS, TargetResult, bencher_json,
    github_comment, github_summary, hgrm, junit_xml, openmetrics, run_document,
};
use bench_sink::runfile::Status;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

const PACKAGES: [&str; 6] = [
    "hdrhistogram==0.10.8",
    "jsonschema==4.26.0",
    "junitparser==5.0.3",
    "lxml==6.1.3",
    "markdown-it-py==4.3.0",
    "prometheus_client==0.26.0",
];

/// Reads and plots percentiles. It wants libraries that are many times as large as all other packages, and a module of setuptools that
/// later versions lack, so it has an environment of its own.
const PLOTTER: [&str; 2] = ["hdr-plot==0.6.2", "setuptools==80.9.0"];

/// The package of npm that reads AsciiDoc.
const ASCIIDOCTOR: &str = "@asciidoctor/core@2.2.8";

/// The sources of pytest have the schema that servers check JUnit files with, under its own licence: it is part of no package.
const SCHEMA_SOURCE: &str = "pytest==8.4.2";
const SCHEMA: &str = "testing/example_scripts/junit-10.xsd";

/// The Python that has the packages; or why there is none.
fn python() -> Result<&'static Path, &'static str> {
    static PYTHON: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    PYTHON.get_or_init(|| install("readers", &PACKAGES)).as_deref().map_err(String::as_str)
}

/// The Python that has the plotter; or why there is none.
fn plotter() -> Result<&'static Path, &'static str> {
    static PYTHON: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    PYTHON.get_or_init(|| install("plotter", &PLOTTER)).as_deref().map_err(String::as_str)
}

fn install(name: &str, packages: &[&str]) -> Result<PathBuf, String> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let python = folder.join("bin/python");
    let done = folder.join(packages.join(" "));
    if done.is_file() {
        return Ok(python);
    }
    run(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
    run(Command::new(&python).args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]).args(packages))?;
    std::fs::write(&done, "").map_err(|error| error.to_string())?;
    Ok(python)
}

fn run(command: &mut Command) -> Result<(), String> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| format!("{command:?}: {error}"))?;
    let last = String::from_utf8_lossy(&output.stderr).lines().next_back().unwrap_or_default().to_owned();
    if output.status.success() { Ok(()) } else { Err(format!("{command:?}: {last}")) }
}

/// What `program`, in Python, makes of `text`: it finds the name of a file with it in `sys.argv[1]`, and prints JSON.
fn read(text: &str, program: &str) -> Option<Value> {
    read_by(python(), text, program)
}

/// The same by this Python, if it is there.
fn read_by(python: Result<&Path, &str>, text: &str, program: &str) -> Option<Value> {
    let python = match python {
        Ok(python) => python,
        Err(why) => {
            eprintln!("skipped: the readers of exports cannot be installed: {why}");
            return None;
        }
    };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("export");
    std::fs::write(&file, text).unwrap();
    let output = Command::new(python).arg("-c").arg(program).arg(&file).output().unwrap();
    let (out, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{error}\n{text}");
    Some(serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}")))
}

fn target(name: &str, value: Result<f64, &str>) -> TargetResult {
    TargetResult {
        set: "mine".to_owned(),
        name: name.to_owned(),
        summary: format!("{name} is kept"),
        scenario: "ring/stream".to_owned(),
        arm: "wasm".to_owned(),
        quantity: Quantity::Ratio,
        direction: Direction::LowerIsBetter,
        bound: 10.0,
        held: value.map_err(str::to_owned).map(|value| MeasuredValue {
            value,
            samples: 100,
            operations: 100,
            batch: Some(1),
            arguments: bench_model::Arguments::default(),
            at: None,
        }),
    }
}

/// A run whose only cell has 1000 samples from 1 to 1000, under a name that is markup in every format.
fn hostile() -> Run {
    let mut run = Run::begin(1, 1);
    let name = "m/<a href=\"x\">|b\\`*_\n\u{1b}[31m</script>";
    run.append(&Block::new(0, 0, name, "wasm").timed(1, 1..=1000).records());
    run.end(None);
    run
}

#[test]
fn openmetrics_is_read_by_the_parser_of_prometheus_client() {
    const PROGRAM: &str = r#"
import json, sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse
families = parse(open(sys.argv[1], encoding='utf-8').read())
print(json.dumps({f.name: [f.type, f.unit, [[s.name, s.labels, s.value] for s in f.samples]] for f in families}))
"#;
    let view = eventful().view();
    let text = openmetrics(&view);
    insta::assert_snapshot!(text);
    if let Some(found) = read(&text, PROGRAM) {
        let seconds = &found["bench_host_series_seconds"];
        assert_eq!((&seconds[0], &seconds[1]), (&json!("summary"), &json!("seconds")));
        let stream = view.cells.iter().find(|cell| cell.scenario == "ring/stream").unwrap();
        let p50 = stream.timed().unwrap().summary.p50.unwrap() * 1e-9;
        let is_it = |sample: &&Value| sample[1]["quantile"] == "0.5" && sample[1]["arm"] == stream.arm_label();
        let read = seconds[2].as_array().unwrap().iter().find(is_it).unwrap()[2].as_f64().unwrap();
        assert!((read / p50 - 1.0).abs() < 1e-5, "{read} {p50}");
        assert_eq!(found["bench_host_cell_ok"][2].as_array().unwrap().len(), view.cells.len());
    }
    if let Some(found) = read(&openmetrics(&hostile().view()), PROGRAM) {
        let name = &found["bench_host_cell_ok"][2][0][1]["scenario"];
        assert_eq!(name, "m/<a href=\"x\">|b\\`*_\\n\\u{1b}[31m</script>");
    }
}

#[test]
fn junit_is_read_by_junitparser() {
    const PROGRAM: &str = r#"
import json, sys
from junitparser import JUnitXml
suites = JUnitXml.fromfile(sys.argv[1])
cases = [[s.name, c.name, [type(r).__name__ for r in c.result], [r.message for r in c.result]] for s in suites for c in s]
skipped = sum(s.skipped for s in suites)
outs = {c.name: c.system_out for s in suites for c in s}
print(json.dumps({"counts": [suites.tests, suites.failures, suites.errors, skipped], "cases": cases, "outs": outs}))
"#;
    let targets = [target("kept", Ok(9.0)), target("missed", Ok(12.0)), target("absent", Err("no <cell>"))];
    let text = junit_xml(&eventful().view(), &targets);
    insta::assert_snapshot!(text);
    if let Some(found) = read(&text, PROGRAM) {
        assert_eq!(found["counts"], json!([10, 4, 0, 2]));
        let cases = found["cases"].as_array().unwrap();
        let case =
            |name: &str| cases.iter().find(|case| case[1] == name).unwrap_or_else(|| panic!("{name}: {cases:?}"));
        assert_eq!((&case("missed")[2], &case("kept")[2]), (&json!(["Failure"]), &json!([])));
        assert_eq!(case("absent")[3], json!(["not measured: no <cell>"]));
        assert_eq!(case("broken.wasm")[3], json!(["refused: not a component:\\nbad magic"]));
        assert_eq!(found["outs"]["kept"], "value=9.000×\nbound=10.00×");
    }
    if let Some(found) = read(&junit_xml(&hostile().view(), &[]), PROGRAM) {
        assert_eq!(found["cases"][0][0], "m/<a href=\"x\">|b\\`*_\\n\\u{1b}[31m</script>");
    }
}

#[test]
fn junit_holds_to_the_schema_of_the_xunit_plugin() {
    const PROGRAM: &str = r#"
import json, sys
from lxml import etree
schema = etree.XMLSchema(etree.fromstring(SCHEMA.encode()))
read = etree.parse(sys.argv[1])
print(json.dumps([schema.validate(read), [str(error) for error in schema.error_log]]))
"#;
    let schema = match schema() {
        Ok(schema) => schema,
        Err(why) => return eprintln!("skipped: JUnit is not checked against its schema: {why}"),
    };
    let program = format!("SCHEMA = {}\n{PROGRAM}", json!(schema));
    let targets = [target("missed", Ok(12.0)), target("absent", Err("no <cell>"))];
    for text in [junit_xml(&eventful().view(), &targets), junit_xml(&hostile().view(), &[])] {
        if let Some(found) = read(&text, &program) {
            assert_eq!(found, json!([true, []]), "{text}");
        }
    }
    let wrong = junit_xml(&eventful().view(), &[]).replace(" name=\"ring/stream\"", "");
    if let Some(found) = read(&wrong, &program) {
        assert_eq!(found[0], false, "the schema wants a name of every suite");
    }
}

/// The text of the schema, taken once out of the sources that have it; or why there is none.
fn schema() -> Result<String, String> {
    let python = python()?;
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(SCHEMA_SOURCE);
    let file = folder.join("junit.xsd");
    if !file.is_file() {
        const TAKE: &str = r#"
import glob, os, sys, tarfile
folder, name, target = sys.argv[1:]
[archive] = glob.glob(os.path.join(folder, '*.tar.gz'))
with tarfile.open(archive) as sources:
    [member] = [m for m in sources.getmembers() if m.name.endswith(name)]
    text = sources.extractfile(member).read()
open(target + '.part', 'wb').write(text)
os.replace(target + '.part', target)
"#;
        let mut download = Command::new(python);
        download.args(["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]);
        run(download.args(["--no-binary", "pytest", "--dest"]).arg(&folder).arg(SCHEMA_SOURCE))?;
        run(Command::new(python).args(["-c", TAKE]).arg(&folder).arg(SCHEMA).arg(&file))?;
    }
    std::fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))
}

#[test]
fn percentiles_are_those_of_hdrhistogram() {
    const PROGRAM: &str = r#"
import json, sys
from hdrh.histogram import HdrHistogram
histogram = HdrHistogram(1, 10**9, 3)
for value in range(1, 1001): histogram.record_value(value)
rows = [line.split() for line in open(sys.argv[1], encoding='utf-8') if line.strip() and line.strip()[0].isdigit()]
print(json.dumps([[float(v), histogram.get_value_at_percentile(100 * float(p)), int(n)] for v, p, n, *_ in rows]))
"#;
    let [one] = <[_; 1]>::try_from(hgrm(&hostile().view())).unwrap();
    insta::assert_snapshot!(one.text);
    assert!(one.file.chars().all(|letter| letter.is_ascii_alphanumeric() || "-_.=".contains(letter)), "{}", one.file);
    if let Some(rows) = read(&one.text, PROGRAM) {
        let rows = rows.as_array().unwrap();
        assert!(rows.len() > 20, "{rows:?}");
        for row in rows {
            // The package rounds the rank of a level; here a level is reached by the first sample whose share is no smaller.
            let apart = row[0].as_f64().unwrap() - row[1].as_f64().unwrap();
            assert!((0.0..=1.0).contains(&apart), "{row}");
            assert_eq!(row[0].as_f64(), row[2].as_f64(), "the samples are 1 to 1000: {row}");
        }
    }
}

#[test]
fn percentiles_are_read_by_hdr_plot() {
    const PROGRAM: &str = r#"
import json, os, sys
os.environ['MPLCONFIGDIR'] = sys.prefix
from hdr_plot.hdr_plot import info_text, parse_metadata, parse_percentiles
data, metadata = parse_percentiles(sys.argv[1]), parse_metadata(sys.argv[1])
summary = info_text('', data, metadata, {'shorthand': 'ns'}, ['min', 'mean', 'median', 'p90', 'p99', 'max'])
figures = [line.split('=') for line in summary.splitlines() if '=' in line]
print(json.dumps([len(data), [[name.strip(), figure.strip()] for name, figure in figures], metadata]))
"#;
    let [one] = <[_; 1]>::try_from(hgrm(&hostile().view())).unwrap();
    let Some(found) = read_by(plotter(), &one.text, PROGRAM) else { return };
    // The last line has three figures, because it has no distance to 100 %.
    let is_read = |line: &&str| line.split_whitespace().filter(|word| word.parse::<f64>().is_ok()).count() == 4;
    let lines = one.text.lines().filter(is_read).count();
    assert!(lines > 20, "{}", one.text);
    let figures = json!([
        ["min", "1.00 ns"],
        ["mean", "500.50 ns"],
        ["median", "500.00 ns"],
        ["p90", "900.00 ns"],
        ["p99", "991.00 ns"],
        ["max", "1000.00 ns"],
    ]);
    let metadata = json!({"Mean": "500.500", "StdDeviation": "288.819", "Max": "1000.000", "Total count": "1000"});
    // The first level that is no lower than 99 % is 99.0625 %.
    assert_eq!(found, json!([lines, figures, metadata]));
}

#[test]
fn bencher_metrics_have_a_value_and_the_ends_of_an_interval() {
    insta::assert_snapshot!(bencher_json(&eventful().view()));
    let mut run = Run::begin(1, 3);
    for process in 0..3u64 {
        run.append(
            &Block::new(0, process as u32, "m/s", "wasm").timed(1, (1..=100).map(|n| 1000 + n + process)).records(),
        );
    }
    let found: Value = serde_json::from_str(&bencher_json(&run.view())).unwrap();
    let latency = &found["m/s wasm"]["latency"];
    let [low, value, high] = ["lower_value", "value", "upper_value"].map(|name| latency[name].as_f64().unwrap());
    assert!(low < value && value < high, "{latency}");
}

#[test]
fn interval_of_a_bencher_metric_holds_its_value() {
    let mut run = Run::begin(1, 9);
    for process in 0..9 {
        let (value, count) = if process == 8 { (12, 1000) } else { (10, 20) };
        run.append(&Block::new(0, process, "m/s", "wasm").timed(1, vec![value; count]).records());
    }
    let found: Value = serde_json::from_str(&bencher_json(&run.view())).unwrap();
    let latency = &found["m/s wasm"]["latency"];
    let [low, value, high] = ["lower_value", "value", "upper_value"].map(|name| latency[name].as_f64().unwrap());
    // Most samples are of one process, and most processes are those of others.
    assert!(low < 10.0 && value == 12.0 && high == 12.0, "{latency}");
}

#[test]
fn bencher_metrics_hold_to_what_servers_accept() {
    // No registry has the schema; this is what the reference of the format says of names and values, and nothing else may be there.
    const PROGRAM: &str = r#"
import json, sys
from jsonschema import Draft7Validator
number = {"type": "number"}
metric = {"type": "object", "required": ["value"], "additionalProperties": False}
metric["properties"] = {"value": number, "lower_value": number, "upper_value": number}
def named(most, what): return {"type": "object", "propertyNames": {"minLength": 1, "maxLength": most}, "additionalProperties": what}
schema = named(1024, {**named(64, metric), "minProperties": 1})
Draft7Validator.check_schema(schema)
found = json.load(open(sys.argv[1], encoding='utf-8'))
print(json.dumps([len(found), [error.message for error in Draft7Validator(schema).iter_errors(found)]]))
"#;
    let mut long = Run::begin(1, 1);
    let block = Block::new(0, 0, &format!("m/{}", "é".repeat(2_000)), "wasm").timed(1, 1..=40);
    let labels = ["left", "right"].map(|side| [("side", side)]);
    let metric = "metric".repeat(20);
    let block = block.series(&metric, Unit::Bytes, &labels[0], 1, [1; 40]);
    long.append(&block.series(&metric, Unit::Bytes, &labels[1], 1, [2; 40]).records());
    for (run, benchmarks) in [(eventful(), 3), (hostile(), 1), (long, 1)] {
        let text = bencher_json(&run.view());
        let Some(found) = read(&text, PROGRAM) else { return };
        assert_eq!(found, json!([benchmarks, []]), "{text}");
    }
    let wrong = bencher_json(&hostile().view()).replace("\"value\"", "\"values\"");
    let found = read(&wrong, PROGRAM).unwrap();
    assert_eq!(found[1].as_array().unwrap().len(), 2, "it lacks a value, and has something else: {found}");
}

#[test]
fn asciidoc_is_read_by_asciidoctor() {
    const PROGRAM: &str = r#"
const asciidoctor = require('@asciidoctor/core')();
const logger = asciidoctor.MemoryLogger.create();
asciidoctor.LoggerManager.setLogger(logger);
const text = require('fs').readFileSync(process.argv[2], 'utf8');
const document = asciidoctor.load(text, { safe: 'secure' });
const read = (one) => one.getText().replace(/&#(\d+);/g, (_, code) => String.fromCodePoint(code));
const rows = (table) => [...table.getRows().head, ...table.getRows().body].map((row) => row.map(read));
console.log(JSON.stringify({
  tables: document.findBy({ context: 'table' }).map(rows),
  items: document.findBy({ context: 'list_item' }).map(read),
  messages: logger.getMessages().map((message) => message.getText()),
}));
"#;
    let folder = match asciidoctor() {
        Ok(folder) => folder,
        Err(why) => return eprintln!("skipped: AsciiDoc is not read by Asciidoctor: {why}"),
    };
    let name = "m/--(C)... ((x)) $$y$$ user@host.org http://host.org <<z>> {asciidoctor-version} a|b\\`*_</script>";
    let mut named = Run::begin(2, 1);
    let block = |cell, arm| Block::new(cell, 0, name, arm);
    named.append(&block(0, "wasm").timed(1, 1..=1000).records());
    named.append(&block(1, "native").ended(Status::Failed, "-- (TM) image::x[] pass:[x] \u{1b}").records());
    named.end(None);
    let file = folder.join("read.js");
    std::fs::write(&file, PROGRAM).unwrap();
    let document = tempfile::NamedTempFile::new().unwrap();
    let run = named.view();
    let text = asciidoc(&run_document(&run, &[], Detail::default()));
    std::fs::write(document.path(), &text).unwrap();
    let output = Command::new("node").arg(&file).arg(document.path()).current_dir(&folder).output().unwrap();
    let (out, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let found: Value = serde_json::from_str(&out).unwrap_or_else(|why| panic!("{why}: {out}{error}\n{text}"));
    assert_eq!(found["messages"], json!([]), "{text}");
    let [table] = &found["tables"].as_array().unwrap()[..] else { panic!("{found:#}") };
    assert_eq!(
        (&table[0][0], &table[1][0], &table[2][0]),
        (&json!("scenario"), &json!(name), &json!(name)),
        "{table:#}"
    );
    let failed = format!("{name} native: failed: -- (TM) image::x[] pass:[x] \\u{{1b}}");
    let items = found["items"].as_array().unwrap();
    assert!(items.iter().any(|item| *item == failed), "{failed}: {items:#?}");
}

/// `document` in AsciiDoc.
fn asciidoc(document: &Document) -> String {
    let renderer = RENDERERS.iter().find(|renderer| renderer.name() == "asciidoc").expect("it is a format");
    crate::fixture::rendered(*renderer, document)
}

/// The folder in which Node.js finds Asciidoctor, which is installed once; or why there is none.
fn asciidoctor() -> Result<PathBuf, String> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("asciidoctor-2.2.8");
    if !folder.join("node_modules/@asciidoctor/core/package.json").is_file() {
        std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
        let mut npm = Command::new("npm");
        npm.args(["install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", ".", ASCIIDOCTOR]);
        run(npm.current_dir(&folder))?;
    }
    Ok(folder)
}

#[test]
fn markdown_and_asciidoc_take_no_text_for_markup() {
    let document = |run: &Run| run_document(&run.view(), &[], Detail::default());
    let eventful = eventful();
    insta::assert_snapshot!("github_summary", github_summary(&eventful.view(), &document(&eventful), None));
    insta::assert_snapshot!("github_comment", github_comment(&eventful.view(), &document(&eventful), None));
    insta::assert_snapshot!("asciidoc", asciidoc(&document(&eventful)));
    let hostile = hostile();
    let comment = github_comment(&hostile.view(), &document(&hostile), None);
    assert!(comment.contains("m/\\<a href=\"x\"\\>\\|b") && !comment.contains("</script>"), "{comment}");
    let adoc = asciidoc(&document(&hostile));
    assert!(adoc.contains("&#124;b&#92;&#96;&#42;&#95;") && !adoc.contains("</script>"), "{adoc}");
}

#[test]
fn markdown_is_read_by_markdown_it() {
    const PROGRAM: &str = r#"
import json, sys
from markdown_it import MarkdownIt
tokens = MarkdownIt('commonmark').enable('table').parse(open(sys.argv[1], encoding='utf-8').read())
inline = [token for token in tokens if token.type == 'inline']
html = [part.content for token in inline for part in token.children if part.type == 'html_inline']
html += [token.content for token in tokens if token.type == 'html_block']
texts = [''.join(part.content for part in token.children if part.type != 'html_inline') for token in inline]
print(json.dumps({"texts": texts, "html": html, "tables": sum(token.type == 'table_open' for token in tokens)}))
"#;
    let run = hostile();
    let view = run.view();
    let document = run_document(&view, &[], Detail::default());
    for text in [github_summary(&view, &document, None), github_comment(&view, &document, None)] {
        let Some(found) = read(&text, PROGRAM) else { return };
        assert_eq!(found["tables"], 1, "{found}");
        let name = "m/<a href=\"x\">|b\\`*_\\n\\u{1b}[31m</script>";
        let texts = found["texts"].as_array().unwrap();
        assert!(texts.iter().any(|text| text == name), "{name}: {texts:?}");
        for html in found["html"].as_array().unwrap() {
            let html = html.as_str().unwrap();
            assert!(!html.contains("script") && !html.contains("href"), "{html}");
        }
    }
}

#[test]
fn charts_of_hostile_names_are_well_formed_xml() {
    const PROGRAM: &str = r#"
import json, sys
from lxml import etree
root = etree.parse(sys.argv[1], etree.XMLParser(resolve_entities=False, no_network=True)).getroot()
names = sorted({etree.QName(element).localname for element in root.iter()})
print(json.dumps([root.findtext('{http://www.w3.org/2000/svg}title'), names]))
"#;
    let mut run = Run::begin(2, 1);
    for (cell, size) in [(0, 1i64), (1, 2)] {
        let name = "m/<a href=\"x\">&'\u{1b}</script>";
        run.append(&Block::new(cell, 0, name, "wasm").argument("<size>", size).timed(1, 1..=40).records());
    }
    run.end(None);
    let file = run.file();
    let (view, courses) = (run.view(), Courses::of(&file).unwrap());
    let page = Page { runs: vec![PageRun::new(&view, &file, &courses, &[])], ..Page::default() };
    let files = page.files(true);
    let charts: Vec<_> = files.files.iter().filter(|file| file.name.ends_with(".svg")).collect();
    assert!(charts.iter().any(|file| file.name.starts_with("axes-")) && charts.len() > 3, "{}", charts.len());
    for chart in charts {
        let Some(found) = read(std::str::from_utf8(&chart.content).unwrap(), PROGRAM) else { return };
        let known = ["circle", "polygon", "polyline", "rect", "svg", "text", "title"];
        let names = found[1].as_array().unwrap();
        assert!(names.iter().all(|name| known.contains(&name.as_str().unwrap())), "{}: {found}", chart.name);
        if chart.name.starts_with("axes-") {
            assert_eq!(found[0], "m/<a href=\"x\">&'\\u{1b}</script>");
        }
    }
}

#[test]
fn comment_is_never_longer_than_github_permits() {
    let mut run = Run::begin(900, 1);
    for cell in 0..900u32 {
        let block = Block::new(cell, 0, &format!("module/scenario-{cell}"), "wasm").timed(1, 1..=40);
        run.append(&block.records());
    }
    run.end(None);
    let comment = github_comment(&run.view(), &run_document(&run.view(), &[], Detail::default()), None);
    assert!(comment.len() <= 65_536, "{}", comment.len());
    assert!(comment.ends_with("`bench-host report` has all.\n"), "{}", &comment[comment.len() - 200..]);
    assert_eq!(comment.matches("<details>").count(), comment.matches("</details>").count());
}
