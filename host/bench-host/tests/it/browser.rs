//! The page in a real browser: it is sorted, filtered, opened and linked to, with the keyboard too, asks for nothing, and has no fault that
//! keeps readers out. With the variable `BENCH_HOST_SCREENSHOTS=FOLDER`, pictures of a real report in both themes are written there. On
//! request and on an idle machine, how long pages of many cells take:
//! `cargo test --release -p bench-host --test it pages_of_many_cells -- --ignored --nocapture --test-threads 1`.

use crate::host::{Host, eventually, skip};
use crate::webdriver::{Browser, ENTER, TAB};
use bench_model::{Arguments, Direction, Unit};
use bench_sink::Series;
use bench_sink::fingerprint::Fingerprint;
use bench_sink::runfile::{
    CellRecord, CheckRecord, EndRecord, ModuleRef, OutcomeRecord, Planned, Record, RunRecord, RunWriter, SeriesRecord,
};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A module and a scenario whose names are markup.
const MARKUP: &str = "m/</script><script>window.owned=1</script>";

/// The version of the rules for accessible pages.
const AXE: &str = "axe-core@4.10.3";

/// Names the folder for pictures of a real report.
const PICTURES: &str = "BENCH_HOST_SCREENSHOTS";

/// A reader who presses Tab so often has passed everything that is above the rows of a table.
const STOPS_MAX: usize = 100;

/// How long a page opens and is sorted at most, in milliseconds: the medians of so many times.
const OPENED_MAX: f64 = 1000.0;
const SORTED_MAX: f64 = 100.0;
const TIMES: usize = 9;

#[test]
fn reports_of_real_runs_and_of_hostile_text_work_in_a_browser() {
    // One for both, because it takes seconds to start.
    match Browser::start() {
        Ok(browser) => {
            report_of_a_real_run_works(&browser);
            report_of_hostile_text_works(&browser);
            report_of_many_cells_shows_the_first(&browser);
            report_of_two_runs_sorts_and_filters_its_comparisons(&browser);
        }
        Err(why) => skip(&why),
    }
}

#[track_caller]
fn report_of_a_real_run_works(browser: &Browser) {
    let host = Host::with_hostile();
    host.check("load hostile.wasm --filter hostile/good --quick --time 400ms --processes 2", 0);
    host.check("report", 0);
    check(browser, &host.run().join("report.html"));
    if let Some(folder) = std::env::var_os(PICTURES).map(PathBuf::from) {
        keep_pictures(browser, &folder);
    }
    sorts_what_is_missing_last(browser);
}

#[track_caller]
fn report_of_hostile_text_works(browser: &Browser) {
    let host = Host::new();
    let run = write(&host.path("run"), 2, |_| MARKUP.to_owned());
    host.check("report run", 0);
    let page = run.join("report.html");
    check(browser, &page);
    browser.open(&address(&page));
    assert_eq!(
        browser.run("return [typeof window.owned, document.querySelectorAll('script').length]"),
        json!(["undefined", 1])
    );
    let chart = browser.run("return document.querySelector('section[id^=family-] svg').getAttribute('aria-label')");
    assert_eq!(chart, MARKUP);
    let names = browser.run("return [...document.querySelectorAll('button.open')].map((b) => b.textContent)");
    assert!(names.to_string().contains("</script><script>window.owned=1</script>"), "{names}");
}

/// Of many rows the first are shown, in the order that the reader chose; all are on request, in print, and where a link leads.
#[track_caller]
fn report_of_many_cells_shows_the_first(browser: &Browser) {
    let host = Host::new();
    let run = write(&host.path("run"), 150, |cell| format!("kernels/scenario-{}", cell / 20));
    host.check("report run", 0);
    let url = address(&run.join("report.html"));
    browser.open(&url);
    let shown = |action: &str| {
        browser.run(&format!(
            "{action}; const bodies = [...document.querySelector('table.cells').tBodies]; \
             return [bodies.filter((body) => body.offsetHeight > 0).length, document.querySelector('.count').textContent, \
                 document.querySelector('[data-show-all]').hidden]"
        ))
    };
    let first = json!([50, "150 of 150 cells, the first 50 shown", false]);
    assert_eq!(shown(""), first);
    let whole = json!([150, "150 of 150 cells", true]);
    assert_eq!(shown("dispatchEvent(new Event('beforeprint'))"), whole);
    assert_eq!(shown("dispatchEvent(new Event('afterprint'))"), first);
    let slowest = "const table = document.querySelector('table.cells'); \
         const head = [...table.tHead.rows[0].cells].find((cell) => cell.textContent === 'p50'); \
         const value = (body) => parseFloat(body.rows[0].cells[head.cellIndex].dataset.v); \
         const bodies = [...table.tBodies]; const most = Math.max(...bodies.map(value)); \
         head.querySelector('button').click(); head.querySelector('button').click(); \
         return value([...table.tBodies].find((body) => !body.hidden)) === most";
    assert_eq!(browser.run(slowest), json!(true), "the slowest is the first that is shown");
    assert_eq!(shown(""), first);
    let last = browser.run("return [...document.querySelector('table.cells').tBodies].find((body) => body.hidden).id");
    let last = last.as_str().unwrap();
    let followed = format!("location.hash = '#{last}'; dispatchEvent(new HashChangeEvent('hashchange'))");
    assert_eq!(shown(&followed)[0], json!(51), "a linked row is shown besides");
    eventually("the linked row is unpacked", || {
        browser.run(&format!("return document.querySelector('#{last} .more .facts') !== null")) == json!(true)
    });
    let command = browser.run(&format!("return document.querySelector('#{last} .more .facts pre').textContent"));
    assert!(command.as_str().is_some_and(|command| command.starts_with("bench-host ")), "{command}");
    assert_eq!(shown("document.querySelector('[data-show-all]').click()"), whole);
}

/// Tables other than that of cells: rows are sorted within their groups, and groups by their first rows; a long one is filtered.
#[track_caller]
fn report_of_two_runs_sorts_and_filters_its_comparisons(browser: &Browser) {
    let host = Host::new();
    for run in ["a", "b"] {
        write(&host.path(run), 20, |cell| format!("kernels/scenario-{}", cell / 4));
    }
    host.check("report a b --to page", 0);
    browser.open(&address(&host.path("page").join("report.html")));
    let sorted = |column: &str| {
        let seen = browser.run(&format!(
            "const table = document.querySelector('#compared-0 table'); \
             const head = [...table.tHead.rows[0].cells].find((cell) => cell.textContent === '{column}'); \
             head.querySelector('button').click(); \
             return [head.getAttribute('aria-sort'), [...table.tBodies].map((body) => body.rows[0].textContent.trim()), \
                 [...table.tBodies].flatMap((body) => [...body.rows].slice(1).map((row) => \
                     parseFloat(row.cells[head.cellIndex].dataset.v)))]"
        ));
        let groups = seen[1].as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned());
        let values = seen[2].as_array().unwrap().iter().map(|value| value.as_f64().unwrap());
        (seen[0].clone(), groups.collect::<Vec<_>>(), values.collect::<Vec<_>>())
    };
    let (order, groups, values) = sorted("candidate");
    assert_eq!((order, groups.len(), values.len()), (json!("ascending"), 5, 20));
    assert!(groups[0].starts_with("kernels/scenario-0") && values.is_sorted(), "{groups:?} {values:?}");
    let (order, groups, values) = sorted("candidate");
    assert_eq!((order, groups.len(), values.len()), (json!("descending"), 5, 20));
    assert!(groups[0].starts_with("kernels/scenario-4"), "{groups:?}");
    assert!(values.iter().rev().is_sorted(), "{values:?}");
    let filtered = |words: &str| {
        browser.run(&format!(
            "const input = document.querySelector('#compared-0 input[data-rows]'); input.value = '{words}'; \
             input.dispatchEvent(new Event('input')); \
             return [[...document.querySelectorAll('#compared-0 tbody tr')].filter((row) => row.offsetHeight > 0).length, \
                 document.querySelector('#compared-0 .found').textContent]"
        ))
    };
    assert_eq!(filtered("scenario-3"), json!([1 + 4, "4 of 20 rows"]), "a group with its heading");
    assert_eq!(filtered(""), json!([5 + 20, ""]));
    is_accessible(browser);
}

#[test]
#[ignore = "figures of a release build on an idle machine: the command is at the top of this file"]
fn pages_of_many_cells() {
    let browser = match Browser::start() {
        Ok(browser) => browser,
        Err(why) => return skip(&why),
    };
    for cells in [200, 2_000] {
        let host = Host::new();
        let run = write(&host.path("run"), cells, |cell| format!("kernels/scenario-{}", cell / 20));
        host.check("report run", 0);
        let url = address(&run.join("report.html"));
        let opened = median(|| {
            browser.open("about:blank");
            browser.open(&url);
            browser.run("return performance.getEntriesByType('navigation')[0].duration")
        });
        let sorted = median(|| {
            browser.run(
                "const table = document.querySelector('table.cells'); \
                 const head = [...table.tHead.rows[0].cells].find((cell) => cell.textContent === 'p50'); \
                 const begun = performance.now(); head.querySelector('button').click(); table.getBoundingClientRect(); \
                 return performance.now() - begun",
            )
        });
        eprintln!("{cells} cells: opened in {opened:.0} ms, sorted in {sorted:.0} ms; medians of {TIMES}");
        assert_eq!(browser.run("return document.querySelector('table.cells').tBodies.length"), cells);
        assert!(opened <= OPENED_MAX, "a page of {cells} cells opens in {opened:.0} ms");
        assert!(sorted <= SORTED_MAX, "a page of {cells} cells is sorted in {sorted:.0} ms");
    }
}

/// The median of what `time` measures, in milliseconds.
fn median(time: impl Fn() -> Value) -> f64 {
    let mut times: Vec<f64> = (0..TIMES).map(|_| time().as_f64().unwrap()).collect();
    times.sort_by(f64::total_cmp);
    times[TIMES / 2]
}

/// Opens the page as a reader does.
#[track_caller]
fn check(browser: &Browser, page: &Path) {
    let url = address(page);
    browser.open(&url);
    works_by_keyboard(browser);
    browser.open(&url);
    sorts(browser);
    filters(browser);
    opens_rows(browser);
    copies_as_markdown(browser);
    toggles_theme(browser);
    follows_a_link(browser, &url);
    for theme in THEMES {
        show(browser, theme);
        is_accessible(browser);
    }
    assert_eq!(browser.console(), Vec::<String>::new(), "{url}");
    let outside: Vec<_> = browser
        .requests()
        .into_iter()
        .filter(|asked| !asked.starts_with("file:") && !asked.starts_with("data:"))
        .collect();
    assert_eq!(outside, Vec::<String>::new(), "{url}");
}

/// A reader without a mouse comes to the heads of columns and to the rows, sorts, and opens and closes a row.
#[track_caller]
fn works_by_keyboard(browser: &Browser) {
    browser.press(TAB);
    assert_eq!(browser.run("return document.activeElement.className"), "skip", "the first stop leads to the results");
    go_to(browser, "table.cells th[aria-sort] button");
    let order = "return document.activeElement.closest('th').getAttribute('aria-sort')";
    for expect in ["none", "ascending", "descending"] {
        assert_eq!(browser.run(order), expect);
        browser.press(ENTER);
    }
    go_to(browser, "table.cells button.open");
    let opened = "const button = document.activeElement; \
         const more = document.getElementById(button.getAttribute('aria-controls')); \
         return [button.getAttribute('aria-expanded'), more.offsetHeight > 50]";
    for expect in [json!(["false", false]), json!(["true", true]), json!(["false", false])] {
        assert_eq!(browser.run(opened), expect);
        browser.press(ENTER);
    }
}

/// Presses Tab until an element that matches has the focus.
#[track_caller]
fn go_to(browser: &Browser, selector: &str) {
    let is_there = format!("return document.activeElement.matches('{selector}')");
    for _ in 0..STOPS_MAX {
        browser.press(TAB);
        if browser.run(&is_there) == json!(true) {
            return;
        }
    }
    panic!("{selector} is not among the first {STOPS_MAX} stops");
}

const THEMES: [&str; 2] = ["light", "dark"];

/// Shows the page in a theme, by the button that readers have for it.
#[track_caller]
fn show(browser: &Browser, theme: &str) {
    let is_dark = theme == "dark";
    let pressed = browser.run(&format!(
        "const button = document.getElementById('theme'); \
         if (button.getAttribute('aria-pressed') !== '{is_dark}') button.click(); \
         return button.getAttribute('aria-pressed')"
    ));
    assert_eq!(pressed, is_dark.to_string(), "{theme}");
}

/// Writes what a reader sees first, and an opened row, in both themes.
fn keep_pictures(browser: &Browser, folder: &Path) {
    fs::create_dir_all(folder).unwrap();
    for theme in THEMES {
        show(browser, theme);
        browser.run("scrollTo(0, 0)");
        fs::write(folder.join(format!("report-{theme}.png")), browser.screenshot()).unwrap();
        browser.run("document.querySelector('tr.more:not([hidden])').scrollIntoView()");
        fs::write(folder.join(format!("row-{theme}.png")), browser.screenshot()).unwrap();
    }
}

fn address(page: &Path) -> String {
    format!("file://{}", page.display())
}

fn sorts(browser: &Browser) {
    let medians = "const table = document.querySelector('table.cells'); \
         const head = [...table.tHead.rows[0].cells].find((cell) => cell.textContent === 'p50'); \
         head.querySelector('button').click(); \
         return [...table.tBodies].map((body) => parseFloat(body.rows[0].cells[head.cellIndex].dataset.v))\
             .filter((value) => !Number.isNaN(value))";
    let numbers = |value: &Value| value.as_array().unwrap().iter().map(|one| one.as_f64().unwrap()).collect::<Vec<_>>();
    let (up, down) = (numbers(&browser.run(medians)), numbers(&browser.run(medians)));
    assert!(up.len() >= 2 && up.is_sorted(), "{up:?}");
    assert!(down.iter().rev().is_sorted() && down.len() == up.len(), "{down:?}");
}

fn filters(browser: &Browser) {
    let shown = |words: &str| {
        let script = format!(
            "const input = document.querySelector('[data-filter]'); input.value = {words:?}; \
             input.dispatchEvent(new Event('input')); \
             return [[...document.querySelector('table.cells').tBodies].filter((body) => !body.hidden).length, \
                 document.querySelector('.count').textContent]"
        );
        browser.run(&script)
    };
    let all = shown("");
    let count = all[0].as_u64().unwrap();
    assert_eq!(all[1], json!(format!("{count} of {count} cells")));
    assert_eq!(shown("no cell has this name"), json!([0, format!("0 of {count} cells")]));
    assert_eq!(shown("")[0], count);
}

fn opens_rows(browser: &Browser) {
    let seen = browser.run(
        "const button = document.querySelector('button.open'); \
         const more = document.getElementById(button.getAttribute('aria-controls')); \
         const before = [more.hidden, button.getAttribute('aria-expanded')]; button.click(); \
         return [...before, more.hidden, button.getAttribute('aria-expanded'), more.offsetHeight > 50]",
    );
    assert_eq!(seen, json!([true, "false", false, "true", true]));
}

/// The button of the table of cells copies a line for each cell, besides the head and the rule below it.
fn copies_as_markdown(browser: &Browser) {
    let seen = browser.run_to_end(
        "new Promise((done) => { \
         Object.defineProperty(navigator, 'clipboard', {value: {writeText: (text) => { done(text); return Promise.resolve(); }}}); \
         document.querySelector('button[data-copy=cells-0]').click(); }).then((text) => \
         [text.trim().split('\\n').length - 2, document.querySelector('#cells-0').tBodies.length, text.startsWith('| scenario |'), \
          /[^\\\\]<(?!\\/?span>|!-- -->)/.test(text)])",
    );
    let cells = seen[1].as_u64().unwrap();
    assert_eq!(seen, json!([cells, cells, true, false]), "a line for each cell, and no markup");
}

fn toggles_theme(browser: &Browser) {
    let colour = "return getComputedStyle(document.body).backgroundColor";
    let (before, pressed) =
        (browser.run(colour), "return document.getElementById('theme').getAttribute('aria-pressed')");
    let was = browser.run(pressed);
    browser.run("document.getElementById('theme').click()");
    assert_ne!((browser.run(colour), browser.run(pressed)), (before, was));
}

/// A link to a cell opens it in a page that is opened anew.
fn follows_a_link(browser: &Browser, url: &str) {
    let link = browser.run("return [...document.querySelectorAll('a.link')].at(-1).getAttribute('href')");
    let link = link.as_str().unwrap();
    browser.open("about:blank");
    browser.open(&format!("{url}{link}"));
    let seen = browser.run(
        "const body = document.querySelector(':target'); const more = body.querySelector('.more'); \
         const place = body.getBoundingClientRect(); return [more.hidden, place.top < innerHeight && place.bottom > 0]",
    );
    assert_eq!(seen, json!([false, true]), "{link}");
    // One that is no valid address is none, and the rest of the page works.
    browser.open("about:blank");
    browser.open(&format!("{url}#%E0%A4%A"));
    opens_rows(browser);
}

/// Rows of a table that is made up, in the order after a click on the head of its only column.
#[track_caller]
fn sorts_what_is_missing_last(browser: &Browser) {
    let sorted = |given: &[&str], clicks: usize| {
        let script = format!(
            "const [table] = [...document.querySelectorAll('table')].filter((one) => !one.classList.contains('cells') \
                 && one.querySelector('button[data-sort]')); \
             [...table.tBodies].slice(1).forEach((body) => body.remove()); const [body] = table.tBodies; \
             body.replaceChildren(...{given:?}.map((value) => {{ \
                 const cell = document.createElement('td'); cell.dataset.v = value; cell.textContent = value; \
                 const row = document.createElement('tr'); row.append(cell); return row; }})); \
             const head = table.querySelector('button[data-sort]'); head.closest('th').setAttribute('aria-sort', 'none'); \
             for (let click = 0; click < {clicks}; click += 1) head.click(); \
             return [...body.rows].map((row) => row.textContent)"
        );
        browser.run(&script)
    };
    assert_eq!(sorted(&["20", "", "3", "100"], 1), json!(["3", "20", "100", ""]));
    assert_eq!(sorted(&["20", "", "3", "100"], 2), json!(["100", "20", "3", ""]));
    assert_eq!(sorted(&["2..9", "1.5..3"], 1), json!(["1.5..3", "2..9"]));
    assert_eq!(sorted(&["2026-03", "", "2026-01", "b"], 1), json!(["2026-01", "2026-03", "b", ""]));
}

/// No rule of axe-core that matters much is broken.
fn is_accessible(browser: &Browser) {
    let rules = match axe() {
        Ok(rules) => rules,
        Err(why) => return skip(&format!("accessibility is not checked: {why}")),
    };
    browser.run(&rules);
    let found = browser.run_to_end(
        "axe.run(document, {resultTypes: ['violations']}).then((result) => result.violations\
         .filter((one) => ['serious', 'critical'].includes(one.impact))\
         .map((one) => [one.id, one.nodes[0].html.slice(0, 200), one.nodes[0].failureSummary]))",
    );
    assert_eq!(found, json!([]));
}

/// The rules as a script, from npm, once for all tests.
fn axe() -> Result<String, String> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(AXE.replace('@', "-"));
    let script = folder.join("node_modules/axe-core/axe.min.js");
    if !script.is_file() {
        fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
        let mut npm = Command::new("npm");
        npm.args(["install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix"]).arg(&folder).arg(AXE);
        let output = npm
            .stdin(Stdio::null())
            .output()
            .map_err(|error| format!("npm does not start: {error}; install nodejs"))?;
        let said = String::from_utf8_lossy(&output.stderr);
        let line = said.lines().next().unwrap_or("no reason given");
        if !output.status.success() {
            return Err(format!("{AXE} cannot be had from npm: {line}"));
        }
    }
    fs::read_to_string(&script).map_err(|error| format!("{}: {error}", script.display()))
}

/// A run of so many cells with these scenarios, whose name, module, arguments and checks are markup.
fn write(folder: &Path, cells: u32, scenario: impl Fn(u32) -> String) -> PathBuf {
    let mut writer = RunWriter::create(folder).unwrap();
    let run = RunRecord {
        id: format!("<img src=x onerror=window.owned=1>{}", folder.file_name().unwrap().display()),
        started: "2026-01-02T03:04:05Z".to_owned(),
        seed: 7,
        command: vec!["bench-host".to_owned(), "run".to_owned(), MARKUP.to_owned()],
        planned: Planned {
            cells,
            processes: 1,
            time_ns: Some(1_000_000_000),
            iterations: None,
            within_ns: None,
            order_sha256: None,
        },
        fingerprint: Fingerprint { os: "linux".to_owned(), cpus: 2, ..Fingerprint::default() },
        program_sha256: None,
        warnings: Vec::new(),
        inputs: Vec::new(),
    };
    writer.append(&[Record::Run(run)]).unwrap();
    for cell in 0..cells {
        let scenario = scenario(cell);
        let mut arguments = Arguments::default();
        arguments.set("a", "\"><svg onload=window.owned=1>");
        // A number that varies is drawn.
        arguments.set("<script>window.owned=1</script>", i64::from(cell) + 1);
        let own = scenario.split_once('/').unwrap().1;
        let mut series = Series::new(own, Unit::Nanoseconds, Direction::LowerIsBetter);
        (1..=200).for_each(|sample| series.record(sample * u64::from(cell + 1)));
        let module = ModuleRef { file: "'\"><b>.wasm".to_owned(), sha256: "00ff".to_owned() };
        let record = CellRecord {
            cell,
            process: 0,
            scenario,
            family: "<i>".to_owned(),
            arm: "wasm".parse().unwrap(),
            variant: None,
            arguments,
            module,
            limit: None,
            cpu: None,
            conditions: vec![("<u>".to_owned(), "</style>".to_owned())],
        };
        let check = CheckRecord { cell, process: 0, name: "<b>".to_owned(), passed: true, detail: "-->".to_owned() };
        let mut outcome = OutcomeRecord::ok(cell, 0);
        (outcome.iterations, outcome.recorded) = (200, 200);
        let series = SeriesRecord::new(cell, 0, &series);
        let block = [Record::Cell(record), Record::Series(series), Record::Check(check), Record::Outcome(outcome)];
        writer.append(&block).unwrap();
    }
    let end = EndRecord { finished: "2026-01-02T03:05:00Z".to_owned(), stopped: None };
    writer.append(&[Record::End(end)]).unwrap();
    folder.to_owned()
}
