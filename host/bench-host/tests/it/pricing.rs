//! `price`: what is printed of a WIT, and which WIT is refused.

use crate::host::Host;
use std::fs;

const SHOP: &str = "package my:shop@1.0.0;

interface stock {
  resource cart { add: func(name: string) -> u32; }
  find: func(name: string) -> list<u8>;
  merge: func(carts: list<cart>) -> cart;
  wait: async func();
  follow: func() -> stream<u8>;
}

world shop { import stock; }
world empty {}
";

/// A host in whose folder `shop.wit` has this text.
fn with(wit: &str) -> Host {
    let host = Host::with_hostile();
    fs::write(host.path("shop.wit"), wit).unwrap();
    host
}

#[test]
fn price_list_is_printed_in_every_format() {
    let host = with(SHOP);
    let document = host.check("price shop.wit shop --quick --format json", 0).json();
    let prices = document["prices"].as_array().unwrap();
    let of = |name: &str| prices.iter().filter(|price| price["name"] == name).collect::<Vec<_>>();
    assert_eq!([of("cart.add").len(), of("find").len(), of("merge").len()], [3; 3], "each direction");
    assert_eq!(of("wait").iter().filter(|price| price["call"] == "awaited").count(), 2, "with the host");
    assert_eq!(of("own<cart>, made and dropped").len(), 3);
    for price in prices {
        assert!(price["per_call"]["value"].as_f64().is_some_and(|value| value > 0.0), "{price}");
        assert!(price["samples"].as_u64().is_some_and(|samples| samples >= 10), "{price}");
        assert_eq!(price["status"], "ok", "{price}");
    }
    assert!(of("find").iter().all(|price| price["per_byte"]["value"].is_number()));
    assert_eq!(document["processes"], 2);
    assert_eq!(document["skipped"][0]["name"], "follow");
    let table = host.check("price shop.wit shop --quick --processes 1 --wide", 0).stdout;
    for part in [
        "host → guest: functions",
        "stock/find",
        "fused",
        "one process, so there is no interval",
        "stock/wait",
        "awaited",
    ] {
        assert!(table.contains(part), "{part:?} is not in:\n{table}");
    }
    let rows = host.check("price shop.wit shop --quick --format csv", 0).stdout;
    assert!(rows.starts_with("kind,interface,name,signature,direction,call,"), "{rows}");
    assert!(!host.path("results").exists(), "a price list is no run");
}

#[test]
fn wit_without_prices_is_refused_with_the_next_step() {
    let host = with(SHOP);
    host.check("price shop.wit", 2).one_line(&["several worlds", "`shop` or `empty`"]);
    host.check("price shop.wit shops", 2).one_line(&["shop.wit", "no world `shops`", "`shop`, `empty`"]);
    host.check("price shop.wit empty", 2).one_line(&["no function in the world `empty`"]);
    host.check("price none.wit", 2).one_line(&["none.wit", "give a `.wit` file"]);
    fs::write(host.path("shop.wit"), "package a:b;\ninterface i {\n  f: func(x: missing);\n}\n").unwrap();
    host.check("price shop.wit", 2).one_line(&["shop.wit:3:14: ", "missing"]);
}
