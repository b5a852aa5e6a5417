//! What has a price in a WIT, and which WIT is refused. Components are run in the tests of `bench-price`, which has an engine.

use std::fs;
use std::path::{Path, PathBuf};
use synthetic_component::{Api, Components, EntryKind};

const SHOP: &str = r#"package my:shop@1.0.0;

interface stock {
  record item { name: string, %list: list<u8> }
  variant problem { sold-out, other(string) }
  resource cart {
    constructor(owner: string);
    add: func(item: item) -> result<u32, problem>;
    merge: static func(other: cart);
  }
  find: func(name: string, limit: option<u32>) -> list<item>;
  take: func(carts: list<borrow<cart>>);
  wait: async func(cart: borrow<cart>, sign: char) -> cart;
  follow: func() -> stream<u8>;
  listen: async func() -> future<u8>;
}

world shop {
  use stock.{item};
  import stock;
  export stock;
  export check: func(item: item) -> bool;
}

world empty {}
"#;

/// A folder with the WIT, and its path.
fn with(wit: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("api.wit");
    fs::write(&file, wit).unwrap();
    (folder, file)
}

/// What has a price, and what is skipped with the beginning of the reason.
fn check(wit: &str, world: Option<&str>, entries: &[&str], skipped: &[&str]) -> Api {
    let (_folder, file) = with(wit);
    let api = Api::read(&file, world).unwrap();
    let of_user = api.entries.iter().filter(|entry| entry.kind != EntryKind::Reference);
    let found: Vec<_> = of_user
        .map(|entry| format!("{} {}{}", entry.interface, entry.name, entry.signature).trim().to_owned())
        .collect();
    assert_eq!(found, entries);
    let reason = |reason: &str| reason.split([',', ';']).next().unwrap_or_default().to_owned();
    let found: Vec<_> = api.skipped.iter().map(|one| format!("{}: {}", one.name, reason(&one.reason))).collect();
    assert_eq!(found, skipped);
    assert!(api.skipped.iter().all(|one| one.reason.contains("price")), "each says what to do: {:?}", api.skipped);
    api
}

/// The error, without the folder of the file.
fn refused(wit: &str, world: Option<&str>) -> String {
    let (folder, file) = with(wit);
    let error = Api::read(&file, world).unwrap_err().to_string();
    error.replace(&format!("{}/", folder.path().display()), "")
}

#[test]
fn every_function_and_type_of_a_world_is_there_once() {
    let api = check(
        SHOP,
        Some("shop"),
        &[
            "my:shop/stock@1.0.0 cart (constructor)(string) -> cart",
            "my:shop/stock@1.0.0 cart.add(borrow<cart>, item) -> result<u32, problem>",
            "my:shop/stock@1.0.0 cart.merge(cart)",
            "my:shop/stock@1.0.0 find(string, option<u32>) -> list<item>",
            "my:shop/stock@1.0.0 take(list<borrow<cart>>)",
            "shop check(item) -> bool",
            "string(string)",
            "own<cart>, passed(cart)",
            "borrow<cart>(borrow<cart>)",
            "item(item)",
            "result<u32, problem>(result<u32, problem>)",
            "option<u32>(option<u32>)",
            "list<item>(list<item>)",
            "list<borrow<cart>>(list<borrow<cart>>)",
            "char(char)",
            "bool(bool)",
            "own<cart>, made and dropped() -> cart",
            "my:shop/stock@1.0.0 wait(borrow<cart>, char) -> cart",
        ],
        &["follow: has a stream or a future of WASI 0.3", "listen: has a stream or a future of WASI 0.3"],
    );
    assert!(api.wit.contains("record t0 { %name: string, %list: list<u8> }"), "{}", api.wit);
    assert!(api.wit.contains("call4: func(p0: borrow<r0>, p1: t0) -> result<u32, t1>;"), "{}", api.wit);
    assert!(api.wit.contains("export stock5: func(times: u32);") && !api.wit.contains("stock4"), "{}", api.wit);
    let awaited = api.awaited.expect("there is an async function");
    assert!(awaited.contains("call3: async func(p0: borrow<r0>, p1: char) -> r0;"), "{awaited}");
    assert!(!api.wit.contains("async"), "{}", api.wit);
}

#[test]
fn calls_that_give_handles_away_say_how_many() {
    let wit = "package a:b; interface i { resource r; use-up: func(x: list<tuple<u8, r>>, y: option<r>, z: borrow<r>); \
               wait: async func(x: r) -> list<r>; }";
    let (_folder, file) = with(wit);
    let api = Api::read(&file, None).unwrap();
    let of = |wit: &str, number: usize| {
        let components = Components::new(wit).unwrap();
        let function = &components.functions[number];
        (function.gives, function.samples.iter().map(|sample| sample.given).collect::<Vec<_>>())
    };
    // An element has eight bytes, and the option one handle more.
    assert_eq!(of(&api.wit, 3), (true, vec![1, 65, 129, 257, 513]));
    assert_eq!(of(&api.wit, 0), (false, vec![0]));
    assert_eq!(of(&api.awaited.unwrap(), 3), (true, vec![1; 5]));
}

#[test]
fn package_without_a_world_has_the_prices_of_its_interfaces() {
    let wit = "package a:b; interface i { f: func(x: tuple<u8, f64>); } interface j { g: func() -> char; }";
    let expect = ["a:b/i f(tuple<u8, f64>)", "a:b/j g() -> char", "tuple<u8, f64>(tuple<u8, f64>)", "char(char)"];
    check(wit, None, &expect, &[]);
}

#[test]
fn payload_is_about_the_bytes_of_strings_and_lists() {
    let (_folder, file) =
        with("package a:b; interface i { f: func(x: string, y: list<u64>); g: func(x: u8) -> option<u8>; }");
    let components = Components::new(&Api::read(&file, None).unwrap().wit).unwrap();
    let bytes = |number: usize| -> Vec<u64> {
        components.functions[number].samples.iter().map(|sample| sample.bytes).collect()
    };
    assert_eq!(bytes(0), [0], "the empty call");
    assert_eq!(bytes(1), [0, 512, 1024, 2048, 4096], "a string");
    assert_eq!(bytes(3), [0, 1024, 2048, 4096, 8192], "a string and a list");
    assert_eq!(bytes(4), [0], "numbers do not vary");
}

#[test]
fn invalid_wit_is_refused_with_its_line() {
    let error = refused("package a:b;\n\ninterface i {\n  f: func(x: no-such-type);\n}\n", None);
    assert!(error.starts_with("api.wit:4:14: ") && error.contains("no-such-type"), "{error}");
    let error = refused("package a:b;\ninterface i {\n  f: func(\n", None);
    assert!(error.starts_with("api.wit:"), "{error}");
    let error = refused("package a:b;\nworld w {\n  import c:d/e;\n}\n", None);
    assert!(error.starts_with("api.wit:3:") && error.contains("c:d"), "{error}");
    let error = Api::read(Path::new("/no/such/folder/api.wit"), None).unwrap_err().to_string();
    assert!(error.starts_with("/no/such/folder/api.wit: ") && error.contains("give a `.wit` file"), "{error}");
}

#[test]
fn world_must_be_one_that_there_is() {
    assert_eq!(
        refused(SHOP, None),
        "api.wit: the package my:shop@1.0.0 has several worlds; give the name of one after the file: `shop` or `empty`"
    );
    assert_eq!(
        refused(SHOP, Some("shops")),
        "api.wit: no world `shops` in the package my:shop@1.0.0; its worlds are `shop`, `empty`"
    );
    assert_eq!(
        refused("package a:b; interface i { f: func(); }", Some("w")),
        "api.wit: no world `w` in the package a:b; its worlds are none"
    );
    assert_eq!(refused(SHOP, Some("empty")), "api.wit: no function in the world `empty`; give a WIT with functions");
}

/// The numbers of functions reach those of types, such as `f32` and `s64`, which are keywords.
#[test]
fn function_of_any_number_has_a_valid_name() {
    let functions: String = (0..70).map(|number| format!("  of{number}: func();\n")).collect();
    let (_folder, file) = with(&format!("package a:b;\ninterface i {{\n{functions}}}\n"));
    let api = Api::read(&file, None).unwrap();
    assert!(api.entries.len() >= 70);
    assert!(Components::new(&api.wit).is_ok());
}
