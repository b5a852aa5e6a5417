//! The table of cells, whose rows open.

use super::cell::{FIGURES, details, spread};
use super::courses::Courses;
use super::write::{copy_button, figure, packed, safe};
use crate::document::{Datum, Measure};
use crate::parallel::in_parallel;
use crate::table::{check, figures, rate};
use crate::{CellView, RunView, environment};
use bench_sink::digest;
use bench_sink::runfile::Status;

/// Columns before and after the figures, with what they are for those who point at them.
const BEFORE: [(&str, &str); 2] = [("arm", "How the scenario was executed"), ("status", "Whether its figures count")];
const AFTER: [(&str, &str); 3] = [
    ("95 %", "Half the interval of the median over processes; with fewer than three processes, how many there are"),
    ("rate", "Bytes of an operation, or operations that have none, over the median time"),
    ("limit", "How many times what the machine itself takes"),
];

/// So many rows are shown at first, and open without scripts. Browsers lay out this many in a moment.
const SHOWN: usize = 50;

/// Where in the page `cell` is, the same whenever a page is made of its run.
pub(super) fn anchor(view: &RunView, cell: &CellView) -> String {
    let parts = [&view.id, &cell.scenario, &cell.arm_label(), &cell.arguments.to_string(), &cell.module.file];
    let parts: Vec<String> = parts.into_iter().map(|part| format!("{}:{part}", part.len())).collect();
    format!("cell-{}", &digest::of_bytes(parts.join(" ").as_bytes())[..12])
}

/// The table with what it is searched by; `index` tells the tables of several runs apart.
pub(super) fn table(view: &RunView, courses: &Courses, index: usize) -> String {
    let id = format!("cells-{index}");
    let numbered: Vec<_> = view.cells.iter().enumerate().collect();
    let rows = in_parallel(&numbered, |(number, cell)| rows(view, cell, courses, *number < SHOWN)).concat();
    let tools = format!(
        "<div class=\"tools\" data-for=\"{id}\">\
         <label>Filter <input type=\"search\" placeholder=\"scenario, argument…\" data-filter></label>\
         <label>Arm <select data-arm><option value=\"\">all</option>{}</select></label>\
         <label>Status <select data-status><option value=\"\">all</option>{}</select></label>\
         <button type=\"button\" data-open-all>Open all</button><button type=\"button\" data-show-all hidden>Show all</button>{}\
         <span class=\"count\" role=\"status\" aria-live=\"polite\"></span></div>",
        options(view.cells.iter().map(CellView::arm_label)),
        options(view.cells.iter().map(|cell| check(cell.status).to_owned())),
        copy_button(&id)
    );
    let cut = match view.cells.len() > SHOWN {
        true => format!("<noscript> Rows after the first {SHOWN} open with scripts only.</noscript>"),
        false => String::new(),
    };
    format!(
        "{tools}<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Cells\"><table id=\"{id}\" class=\"cells\" data-shown=\"{SHOWN}\">\
         <caption>Times are of one operation; n = samples × operations of each sample; –: not measured, or too few samples.{cut}</caption>\
         <thead><tr>{}</tr></thead>{rows}</table></div>",
        head()
    )
}

fn options(values: impl Iterator<Item = String>) -> String {
    let mut values: Vec<String> = values.collect();
    values.sort_unstable();
    values.dedup();
    // Without the attribute, a browser would take spaces from the value.
    values.iter().map(|value| safe(value)).map(|value| format!("<option value=\"{value}\">{value}</option>")).collect()
}

fn head() -> String {
    let words = [("scenario", "Module, scenario and arguments")].into_iter().chain(BEFORE);
    let words = words.map(|(name, what)| column(name, what, ""));
    let figures = FIGURES.iter().map(|name| column(name, "", "n"));
    let after = AFTER.iter().map(|(name, what)| column(name, what, "n"));
    words.chain(figures).chain(after).collect()
}

fn column(name: &str, what: &str, class: &str) -> String {
    let title = if what.is_empty() { String::new() } else { format!(" title=\"{}\"", safe(what)) };
    format!(
        "<th scope=\"col\" class=\"{class}\" aria-sort=\"none\"><button type=\"button\" data-sort{title}>{}</button></th>",
        safe(name)
    )
}

/// The row of `cell` and the one it opens. What that contains is an element for browsers without scripts, which those with scripts need not
/// parse before a reader opens it. That of a row that is not shown at first is packed, because it is most of a page of thousands of cells.
fn rows(view: &RunView, cell: &CellView, courses: &Courses, is_shown: bool) -> String {
    let (anchor, status) = (anchor(view, cell), check(cell.status));
    let name = view.name_of(cell);
    let arguments = cell.arguments.to_string();
    let arguments =
        if arguments.is_empty() { String::new() } else { format!(" <span class=\"args\">{}</span>", safe(&arguments)) };
    let first = format!(
        "<th scope=\"row\"><button type=\"button\" class=\"open\" aria-expanded=\"false\" aria-controls=\"{anchor}-more\">{}</button>\
         <a class=\"link\" href=\"#{anchor}\" aria-label=\"Link to this cell\">#</a>{arguments}</th>",
        safe(&name)
    );
    let timed = cell.timed().map_or([const { Datum::Absent }; 6], figures);
    let rate = rate(cell).map_or(Datum::Blank, |(rate, unit)| Datum::number(rate, Measure::PerSecond(unit)));
    let ratio = cell.ratio_to_limit(view).map(|ratio| Datum::number(ratio, Measure::Ratio));
    let limit = if cell.limit.is_some() { Datum::or_absent(ratio) } else { Datum::Blank };
    let spread = cell.timed().map_or(Datum::Absent, spread);
    let values: String = timed.iter().chain([&spread, &rate, &limit]).map(figure).collect();
    let details = details(view, cell, courses);
    let (attribute, details) = match is_shown {
        true => (String::new(), format!("<noscript>{details}</noscript>")),
        false => (format!(" data-packed=\"{}\"", packed(&details)), String::new()),
    };
    let columns = 1 + BEFORE.len() + FIGURES.len() + AFTER.len();
    format!(
        "<tbody id=\"{anchor}\" data-arm=\"{arm}\" data-status=\"{status}\"{hidden}><tr>{first}<td>{arm}</td>\
         <td><span class=\"{}\">{status}</span>{mark}</td>{values}</tr>\
         <tr class=\"more\" id=\"{anchor}-more\" hidden><td colspan=\"{columns}\"{attribute}>{details}</td></tr></tbody>\n",
        tone(cell.status),
        arm = safe(&cell.arm_label()),
        mark = mark(cell),
        hidden = if is_shown { "" } else { " hidden" },
    )
}

/// What stands behind the status of a cell whose figures carry a warning, with the warning for those who point at it.
fn mark(cell: &CellView) -> String {
    match environment::is_disturbed(cell) {
        true => format!(
            " <span class=\"doubt\" title=\"{}\">{}</span>",
            safe(&environment::of_cell(cell).join("; ")),
            environment::MARK
        ),
        false => String::new(),
    }
}

/// The class of a status.
pub(super) fn tone(status: Status) -> &'static str {
    match status {
        Status::Ok => "good",
        Status::Failed => "bad",
        Status::Void => "doubt",
        Status::Skipped => "quiet",
    }
}
