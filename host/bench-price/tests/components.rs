//! Components of made-up types: they are valid, and what the host sends through one comes back.

use bench_price::{CallForm, Direction, Effort, Measured, PriceList, Relay, document, measure};
use bench_report::{Csv, Layout, Renderer, Text};
use bench_wasm::{Limits, Runtime, Settings};
use proptest::prelude::*;
use std::fs;
use synthetic_component::{Api, Components};

fn runtime() -> Runtime {
    Runtime::new(Limits::default(), None, &Settings::default()).expect("the engine starts")
}

/// What has a price in this WIT, without a world.
fn api(wit: &str) -> Api {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("api.wit");
    fs::write(&file, wit).unwrap();
    Api::read(&file, None).unwrap_or_else(|error| panic!("{error}\n{wit}"))
}

/// What is measured of every function and type of this WIT.
fn measured(wit: &str) -> (Api, Vec<Measured>) {
    let api = api(wit);
    let effort = Effort { samples: 3, sample_ns: 1_000 };
    let measured = measure(&runtime(), &api.wit, api.awaited.as_deref(), effort, 1);
    let measured = measured.unwrap_or_else(|error| panic!("{error}\n{}", api.wit));
    (api, measured)
}

/// Types that have names: each is declared before the function.
#[derive(Clone, Debug, Default)]
struct Made {
    declarations: Vec<String>,
    text: String,
}

/// A type in WIT. Declared types have the hash of their text as a name, so that none is declared twice.
fn types() -> impl Strategy<Value = Made> {
    let plain = |text: &str| Made { declarations: Vec::new(), text: text.to_owned() };
    let leaf = proptest::sample::select(vec![
        "bool", "u8", "s8", "u16", "s16", "u32", "s32", "u64", "s64", "f32", "f64", "char", "string",
    ])
    .prop_map(plain);
    leaf.prop_recursive(3, 16, 4, |inner| {
        let several = proptest::collection::vec(inner.clone(), 1..5);
        prop_oneof![
            inner.clone().prop_map(|one| wrapped("list", &[one])),
            inner.clone().prop_map(|one| wrapped("option", &[one])),
            (inner.clone(), inner.clone()).prop_map(|(ok, err)| wrapped("result", &[ok, err])),
            several.clone().prop_map(|parts| wrapped("tuple", &parts)),
            several.clone().prop_map(|parts| declared("record", &parts)),
            several.prop_map(|parts| declared("variant", &parts)),
            (1usize..33).prop_map(|count| declared("flags", &vec![Made::default(); count])),
            (1usize..300).prop_map(|count| declared("enum", &vec![Made::default(); count])),
        ]
    })
}

fn wrapped(name: &str, parts: &[Made]) -> Made {
    let texts: Vec<_> = parts.iter().map(|part| part.text.as_str()).collect();
    let declarations = parts.iter().flat_map(|part| part.declarations.clone()).collect();
    Made { declarations, text: format!("{name}<{}>", texts.join(", ")) }
}

fn declared(keyword: &str, parts: &[Made]) -> Made {
    let part = |(number, part): (usize, &Made)| match (keyword, part.text.as_str()) {
        ("record", text) => format!("p{number}: {text}"),
        ("variant", text) if number % 4 != 3 => format!("p{number}({text})"),
        _ => format!("p{number}"),
    };
    let parts_text = parts.iter().enumerate().map(part).collect::<Vec<_>>().join(", ");
    let mut declarations: Vec<String> = parts.iter().flat_map(|part| part.declarations.clone()).collect();
    let text = format!("n{}", declarations.len());
    // The same name may stand for another type in another part, so all names are made longer by where they are used.
    let hash = parts_text.bytes().fold(5_381u64, |hash, byte| hash.wrapping_mul(33) ^ u64::from(byte));
    let text = format!("{text}x{hash}{keyword}");
    declarations.push(format!("{keyword} {text} {{ {parts_text} }}"));
    Made { declarations, text }
}

/// A package with a function that takes values of these types and returns one of the last.
fn package(types: &[Made]) -> String {
    let mut declarations: Vec<String> = types.iter().flat_map(|made| made.declarations.clone()).collect();
    declarations.sort();
    declarations.dedup();
    let parameters: Vec<_> = types.iter().enumerate().map(|(at, made)| format!("a{at}: {}", made.text)).collect();
    let result = &types[types.len() - 1].text;
    format!(
        "package a:b;\ninterface i {{\n{}\nf: func({}) -> {result};\n}}\n",
        declarations.join("\n"),
        parameters.join(", ")
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    /// Numbers, lengths and cases are drawn; the values go from the host through a component to the host, and back.
    #[test]
    fn sent_values_come_back_unchanged(types in proptest::collection::vec(types(), 1..4), seed in any::<u64>()) {
        let wit = package(&types);
        let components = Components::new(&api(&wit).wit);
        prop_assert!(components.is_ok(), "{:?}\n{wit}", components.err());
        let components = components.unwrap();
        let mut relay = Relay::new(&runtime(), &components).unwrap();
        for number in 0..components.functions.len() {
            for sample in &components.functions[number].samples {
                prop_assert_eq!(relay.check(number, sample), Ok(()), "function {} of\n{}", number, wit);
            }
            for seed in (0..20).map(|more| seed.wrapping_add(more)) {
                let passed = relay.check(number, &components.drawn(number, seed));
                prop_assert_eq!(passed, Ok(()), "function {} with {} of\n{}", number, seed, wit);
            }
        }
    }

    /// The constants in a component are the values that the host expects, in every direction.
    #[test]
    fn constants_are_the_same_on_both_sides(types in proptest::collection::vec(types(), 1..3)) {
        let (_, measured) = measured(&package(&types));
        let faults: Vec<_> = measured.iter().filter_map(|measured| measured.fault.as_ref()).collect();
        prop_assert!(faults.is_empty(), "{faults:?}\n{}", package(&types));
    }
}

/// The result does not depend on how long the list before it is.
#[test]
fn number_behind_a_list_is_the_same_for_every_payload() {
    let (_, measured) = measured("package a:b;\ninterface i { f: func(a0: list<bool>, a1: u8) -> u8; }\n");
    assert!(!measured.is_empty());
    assert_eq!(measured.iter().find_map(|measured| measured.fault.clone()), None);
}

const RESOURCES: &str = r"package a:b;
interface i {
  resource file;
  resource flow { read: func(bytes: u64) -> result<list<u8>, string>; }
  record opened { name: string, flow: flow, size: option<u64> }
  open: func(file: borrow<file>, name: string) -> result<opened, string>;
  find: func(name: string) -> option<file>;
  same: func(one: borrow<file>, other: option<borrow<file>>, more: tuple<u64, u64, u64, u64, u64, u64, u64, u64, u64, u64, u64, u64>, last: string) -> bool;
}
";

#[test]
fn resources_are_lent_made_and_dropped_in_every_direction() {
    let (api, measured) = measured(RESOURCES);
    assert!(api.skipped.is_empty(), "{:?}", api.skipped);
    let faults: Vec<_> =
        measured.iter().filter_map(|one| Some((one.function, one.path, one.fault.as_ref()?))).collect();
    assert!(faults.is_empty(), "{faults:?}");
    let with_resources = api.entries.iter().filter(|entry| entry.signature.contains("file")).count();
    assert!(with_resources >= 6, "{:?}", api.entries);
    for direction in Direction::ALL {
        let count = measured.iter().filter(|one| one.path.direction == direction && one.function.is_some());
        assert!(count.count() >= api.entries.len(), "{direction:?}");
    }
}

/// Functions to which handles are given away, in every way in which arguments are passed; and lists of handles as results.
const GIVEN: &str = r"package a:b;
interface i {
  resource file { close: static func(one: file); }
  resource flow;
  record pair { one: file, name: string, two: option<flow> }
  variant either { number(u64), file(file) }
  take: func(file: file, name: string) -> result<file, string>;
  take-many: func(pair: pair, numbers: tuple<u64, u64, u64, u64, u64, u64, u64, u64, u64, u64, u64, u64, u64, u64>) -> bool;
  take-either: func(either: either) -> option<flow>;
  take-list: func(files: list<file>, flow: borrow<flow>) -> list<file>;
  lend-list: func(files: list<borrow<file>>) -> u32;
  take-lists: func(files: list<tuple<string, list<pair>>>, flows: list<flow>) -> list<option<list<flow>>>;
}
";

#[test]
fn handles_that_calls_give_away_are_made_before_them() {
    let (api, measured) = measured(GIVEN);
    assert!(api.skipped.is_empty(), "{:?}", api.skipped);
    let faults: Vec<_> = measured
        .iter()
        .filter_map(|one| Some((api.entries[one.function?].name.as_str(), one.path, one.fault.as_ref()?)))
        .collect();
    assert!(faults.is_empty(), "{faults:?}\n{}", api.wit);
    let of = |name: &str| {
        let number = api.entries.iter().position(|entry| entry.name == name);
        let is_whole = |one: &&Measured| one.payloads.iter().all(|times| times.ns.len() == 3);
        measured.iter().filter(|one| one.function == number).filter(is_whole).count()
    };
    for name in ["file.close", "take-many", "take-lists", "lend-list", "own<file>, passed", "list<file>"] {
        assert_eq!(of(name), Direction::ALL.len(), "{name}");
    }
}

#[test]
fn async_functions_are_priced_between_the_host_and_a_component() {
    let wit = r"package a:b;
interface i {
  resource file { read: async func(bytes: u64) -> result<list<u8>, string>; }
  wait: async func();
  take: async func(file: file, names: list<string>, other: borrow<file>, more: tuple<u64, u64, u64>) -> list<file>;
  many: async func(all: tuple<u64, u64, u64, u64, u64, u64, u64, u64, u64, u64, u64, u64, u64, u64, u64, u64, u64>) -> f32;
}
";
    let (api, measured) = measured(wit);
    assert!(api.skipped.is_empty(), "{:?}", api.skipped);
    let awaited: Vec<_> = measured.iter().filter(|one| one.path.form == CallForm::Awaited).collect();
    let faults: Vec<_> = awaited.iter().filter_map(|one| one.fault.as_ref()).collect();
    assert!(faults.is_empty(), "{faults:?}\n{:?}", api.awaited);
    let count = |name: &str, direction: Direction| {
        let is_meant = |one: &&&Measured| {
            one.path.direction == direction && one.function.is_some_and(|number| api.entries[number].name == name)
        };
        awaited.iter().filter(is_meant).count()
    };
    for name in ["empty call", "string", "bytes", "file.read", "wait", "take", "many"] {
        let counts = Direction::ALL.map(|direction| count(name, direction));
        assert_eq!(counts, [1, 1, 0], "{name}");
    }
    let list = PriceList::new(&api, &[measured]);
    let text = Text.render(&document("api.wit", &list), &Layout { width: 400, ..Layout::default() });
    assert!(text.contains("awaited = an async function") && text.contains("they are not priced"), "{text}");
}

#[test]
fn price_list_has_every_function_and_type_in_each_direction() {
    let wit = "package a:b; interface i { get: func(key: string) -> option<list<u8>>; follow: func() -> stream<u8>; }";
    let (api, first) = measured(wit);
    let (_, second) = measured(wit);
    let list = PriceList::new(&api, &[first, second]);
    assert_eq!(list.faults().count(), 0);
    assert!(list.prices.iter().all(|price| price.growth.as_ref().is_ok_and(|growth| growth.fixed.mean > 0.0)));
    let core = list.prices.iter().filter(|price| price.path.form == CallForm::Core).count();
    let typed = list.prices.iter().filter(|price| price.path.form == CallForm::Typed).count();
    assert_eq!((core, typed), (1, 6));
    let document = document("api.wit", &list);
    let text = Text.render(&document, &Layout { width: 400, ..Layout::default() });
    for part in [
        "host → guest: functions",
        "guest → host: types",
        "guest → guest: to compare with",
        "i/get",
        "option<list<u8>>",
        "i/follow",
        "has a stream or a future of WASI 0.3",
        "means of 2 processes",
    ] {
        assert!(text.contains(part), "{part:?} is not in:\n{text}");
    }
    let rows = Csv.render(&document, &Layout::default());
    let header = rows.lines().next().unwrap();
    assert!(header.starts_with("kind,interface,name,signature,direction,call,status,reason,ns_per_call,"), "{header}");
    assert_eq!(rows.lines().filter(|line| line.contains("function,a:b/i,get,")).count(), 3, "{rows}");
    assert_eq!(rows.lines().filter(|line| line.contains(",skipped,")).count(), 1, "{rows}");
    let json = serde_json::to_value(&document.data).unwrap();
    let price = json["prices"].as_array().unwrap().iter().find(|price| price["name"] == "get").unwrap();
    assert_eq!(price["signature"], "(string) -> option<list<u8>>");
    assert_eq!(price["status"], "ok");
    assert!(price["per_byte"]["low"].is_number() && price["samples"].as_u64() == Some(30), "{price}");
    assert_eq!(json["skipped"][0]["name"], "follow");
}
