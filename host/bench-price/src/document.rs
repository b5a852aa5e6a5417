//! The price list as a document: a table for each direction, and what is not in it.

use crate::call_path::{CallForm, Direction};
use crate::prices::{Price, PriceList, label};
use bench_report::{Body, Column, Datum, Document, Group, Measure, Rank, Records, Section, Table, escape};
use bench_stats::ProcessMean;
use serde_json::{Value, json};
use synthetic_component::{EntryKind, PAYLOADS, Skipped};

/// The document of `list`, which is of the WIT with this name.
pub fn document(wit: &str, list: &PriceList) -> Document {
    let prices = Section::new("prices", "", Body::Table(table(list))).in_data();
    let skipped = skipped_table(&list.skipped)
        .map(|table| Section::new("skipped", "skipped: no component is made of these", Body::Table(table)).in_data());
    let warnings = Section::warnings(
        list.faults()
            .map(|(price, fault)| format!("{}, {}: {fault}", price.name(), price.path.direction.title()))
            .collect(),
    );
    let footer = Section::footer(remarks(wit, list));
    let sections = [Some(prices), skipped, Some(warnings), Some(footer)];
    Document {
        data: data(wit, list).into(),
        records: Some(records(list)),
        sections: sections.into_iter().flatten().collect(),
    }
}

/// The unit of a price per call.
fn per_call() -> Measure {
    Measure::Unit("ns".into())
}

/// The unit of a price per byte.
fn per_byte() -> Measure {
    Measure::Unit("ns/By".into())
}

fn columns() -> Vec<Column> {
    vec![
        Column::words("what").key("name"),
        Column::words("call"),
        Column::figures("ns a call").key("per_call"),
        Column::figures("95 %").key("per_call").rank(Rank::Extra(2)),
        Column::figures("ns a byte").key("per_byte"),
        Column::figures("95 %").key("per_byte").rank(Rank::Extra(2)),
        Column::figures("n").rank(Rank::Extra(1)),
    ]
}

/// A group for each direction and kind.
fn table(list: &PriceList) -> Table {
    let kinds = [EntryKind::Reference, EntryKind::Function, EntryKind::Type];
    let groups = Direction::ALL.into_iter().flat_map(|direction| kinds.map(|kind| (direction, kind)));
    let groups = groups.filter_map(|(direction, kind)| {
        let of_kind = |price: &&Price| {
            price.path.direction == direction
                && price.entry.as_ref().map_or(EntryKind::Reference, |entry| entry.kind) == kind
        };
        let rows: Vec<_> = list.prices.iter().filter(of_kind).map(row).collect();
        let name = match kind {
            EntryKind::Reference => format!("{}: to compare with", direction.title()),
            EntryKind::Function => format!("{}: functions", direction.title()),
            EntryKind::Type => format!("{}: types", direction.title()),
        };
        (!rows.is_empty()).then(|| Group { name, remark: String::new(), rows })
    });
    Table { grouped_by: "list".to_owned(), columns: columns(), groups: groups.collect() }
}

fn row(price: &Price) -> Vec<Datum> {
    let growth = price.growth.as_ref().ok();
    let fixed = growth.map(|growth| growth.fixed);
    let per_unit = growth.and_then(|growth| growth.per_unit);
    vec![
        Datum::text(price.name()),
        Datum::text(price.path.form.as_str()),
        Datum::or_absent(fixed.map(|mean| Datum::number(mean.mean, per_call()))),
        range(fixed, &per_call()),
        // A payload that does not vary has no price.
        per_unit.map_or(Datum::Blank, |mean| Datum::number(mean.mean, per_byte())),
        per_unit.map_or(Datum::Blank, |mean| range(Some(mean), &per_byte())),
        Datum::Samples { samples: price.samples, operations: price.calls, batch: None },
    ]
}

fn range(mean: Option<ProcessMean>, measure: &Measure) -> Datum {
    let interval = mean.and_then(|mean| mean.interval);
    Datum::or_absent(interval.map(|interval| Datum::Range {
        low: interval.low,
        high: interval.high,
        measure: measure.clone(),
    }))
}

fn skipped_table(skipped: &[Skipped]) -> Option<Table> {
    let columns = vec![Column::words("function").key("name"), Column::words("why, and what to do").key("reason")];
    let row =
        |one: &Skipped| vec![Datum::text(format!("{}/{}", label(&one.interface), one.name)), Datum::text(&one.reason)];
    (!skipped.is_empty()).then(|| Table::plain(columns, skipped.iter().map(row).collect()))
}

fn remarks(wit: &str, list: &PriceList) -> Vec<String> {
    let payloads = PAYLOADS.map(|payload| payload.to_string()).join(", ");
    let interval = match list.processes {
        1 => "one process, so there is no interval; --processes 5 gives one".to_owned(),
        count => format!("means of {count} processes, with their 95 % intervals"),
    };
    let has_awaited = list.prices.iter().any(|price| price.path.form == CallForm::Awaited);
    let forms = [CallForm::Core, CallForm::Typed, CallForm::Dynamic, CallForm::Fused, CallForm::Awaited];
    let forms = forms.into_iter().filter(|form| has_awaited || *form != CallForm::Awaited);
    let forms: Vec<_> = forms.map(describe_form).collect();
    let passed = "every function without resources first passed its values, and drawn ones, through a component and back unchanged; \
                  results and arguments of all others are compared, and composed calls are counted";
    let awaited = "async functions return at once here, so their price is that of the way to wait and not of waiting; between two components \
                   they are not priced";
    let always = [
        format!("{wit}: {interval}"),
        format!(
            "ns a call: with empty strings and lists; ns a byte: the slope over strings and lists of {payloads} bytes, blank where there are none"
        ),
        format!("call: {}", forms.join("; ")),
        "arguments and results are constants: components allocate by advancing a pointer, and a host function copies its result; a call \
         whose result owns a resource makes and drops it; one that gives a resource away has got it before, untimed, and who takes it drops \
         it"
            .to_owned(),
        passed.to_owned(),
    ];
    always.into_iter().chain(has_awaited.then(|| awaited.to_owned())).collect()
}

fn describe_form(form: CallForm) -> String {
    let what = match form {
        CallForm::Core => "a core module, without the component model",
        CallForm::Typed => "with types of Rust that are compiled into the host",
        CallForm::Dynamic => "with dynamic values, as `load --call` of most signatures",
        CallForm::Fused => "with code that the engine compiles for two components",
        CallForm::Awaited => "an async function, with dynamic values, on an engine whose calls can be concurrent",
    };
    format!("{} = {what}", form.as_str())
}

/// The document for programs.
fn data(wit: &str, list: &PriceList) -> Value {
    let skipped = list
        .skipped
        .iter()
        .map(|one| json!({"interface": one.interface, "name": one.name, "status": "skipped", "reason": one.reason}));
    json!({
        "wit": wit,
        "processes": list.processes,
        "payload_bytes": PAYLOADS,
        "prices": list.prices.iter().map(price).collect::<Vec<_>>(),
        "skipped": skipped.collect::<Vec<_>>(),
    })
}

fn price(price: &Price) -> Value {
    let mean = |mean: Option<ProcessMean>, unit: &str| {
        mean.map(|mean| {
            let interval = mean.interval;
            json!({
                "value": mean.mean,
                "low": interval.map(|interval| interval.low),
                "high": interval.map(|interval| interval.high),
                "unit": unit,
            })
        })
    };
    let growth = price.growth.as_ref();
    let entry = price.entry.as_ref();
    json!({
        "kind": kind(price),
        "interface": entry.map_or("", |entry| entry.interface.as_str()),
        "name": entry.map_or("empty call", |entry| entry.name.as_str()),
        "signature": entry.map_or("()", |entry| entry.signature.as_str()),
        "direction": price.path.direction.as_str(),
        "call": price.path.form.as_str(),
        "status": if growth.is_ok() { "ok" } else { "failed" },
        "reason": growth.err(),
        "per_call": mean(growth.ok().map(|growth| growth.fixed), "ns"),
        "per_byte": mean(growth.ok().and_then(|growth| growth.per_unit), "ns/By"),
        "samples": price.samples,
        "calls": price.calls,
        "bytes_max": price.bytes_max,
    })
}

fn kind(price: &Price) -> &'static str {
    match price.entry.as_ref().map(|entry| entry.kind) {
        None | Some(EntryKind::Reference) => "reference",
        Some(EntryKind::Function) => "function",
        Some(EntryKind::Type) => "type",
    }
}

const RECORDS: [&str; 17] = [
    "kind",
    "interface",
    "name",
    "signature",
    "direction",
    "call",
    "status",
    "reason",
    "ns_per_call",
    "ns_per_call_low",
    "ns_per_call_high",
    "ns_per_byte",
    "ns_per_byte_low",
    "ns_per_byte_high",
    "samples",
    "calls",
    "bytes_max",
];

/// A row for each price, and for each function that has none.
fn records(list: &PriceList) -> Records {
    let skipped = list.skipped.iter().map(|one| {
        let mut row = vec![String::new(); RECORDS.len()];
        row[0] = "function".to_owned();
        row[1] = escape(&one.interface).into_owned();
        row[2] = escape(&one.name).into_owned();
        row[6] = "skipped".to_owned();
        row[7] = escape(&one.reason).into_owned();
        row
    });
    Records { columns: RECORDS.to_vec(), rows: list.prices.iter().map(record).chain(skipped).collect() }
}

fn record(price: &Price) -> Vec<String> {
    let text = |text: &str| escape(text).into_owned();
    let figures = |mean: Option<ProcessMean>| {
        let interval = mean.and_then(|mean| mean.interval);
        let numbers =
            [mean.map(|mean| mean.mean), interval.map(|interval| interval.low), interval.map(|interval| interval.high)];
        numbers.map(|number| number.map_or_else(String::new, |number| number.to_string()))
    };
    let (growth, entry) = (price.growth.as_ref(), price.entry.as_ref());
    let head = [
        kind(price).to_owned(),
        text(entry.map_or("", |entry| entry.interface.as_str())),
        text(entry.map_or("empty call", |entry| entry.name.as_str())),
        text(entry.map_or("()", |entry| entry.signature.as_str())),
        price.path.direction.as_str().to_owned(),
        price.path.form.as_str().to_owned(),
        if growth.is_ok() { "ok" } else { "failed" }.to_owned(),
        text(growth.err().map_or("", String::as_str)),
    ];
    let tail = [price.samples, price.calls, price.bytes_max].map(|number| number.to_string());
    let fixed = figures(growth.ok().map(|growth| growth.fixed));
    let per_unit = figures(growth.ok().and_then(|growth| growth.per_unit));
    head.into_iter().chain(fixed).chain(per_unit).chain(tail).collect()
}
