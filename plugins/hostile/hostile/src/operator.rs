//! Links of a chain of which the second does what it must not. What that is, its arguments say.

use bench_plugin::operator::{Event, Key, Operator, Plane, Watch};
use bench_plugin::prelude::*;

/// What the second operator does.
const DEEDS: [&str; 5] = ["trap", "hang", "circle", "refuse", "forget"];

/// The second operator watches this.
const SECOND: &str = "chain-1";

pub(crate) fn describe() -> Scenario {
    Scenario::new("chain", "hostile", "A chain with one operator that does what it must not.")
        .driven_by("operator")
        .times_itself(Unit::Nanoseconds, "no clock ever stops")
        .parameter(Parameter::new("count", 3, "operators"))
        .parameter(Parameter::new("rate", 0, "one after the other"))
        .parameter(Parameter::new("idle_ms", 10, "nothing to do"))
        .parameter(Parameter::new("deadline_ms", 1000, "late"))
        .parameter(Parameter::new("deed", DEEDS[0], "what it does").sweep(DEEDS).choices(DEEDS))
}

/// One link.
#[derive(Default)]
pub(crate) struct Link {
    watched: String,
    applied: String,
    deed: String,
    count: u64,
}

impl Operator for Link {
    fn start(&mut self, _: &mut dyn Plane, arguments: &[(String, String)]) -> Result<Vec<Watch>, String> {
        for (name, value) in arguments {
            match name.as_str() {
                "watch" => self.watched.clone_from(value),
                "apply" => self.applied.clone_from(value),
                "deed" => self.deed.clone_from(value),
                other => return Err(format!("`{other}` is for somebody else")),
            }
        }
        Ok(vec![Watch { kind: "TestResource".to_owned(), namespace: self.watched.clone() }])
    }

    fn reconcile(&mut self, plane: &mut dyn Plane, event: Event<'_>) -> Result<(), String> {
        let (Event::Added(object) | Event::Modified(object)) = event else { return Ok(()) };
        let digits = object.spec.split("\"nonce\":").nth(1).unwrap_or_default();
        let nonce: String = digits.chars().take_while(char::is_ascii_digit).collect();
        self.count += 1;
        let spec = format!(r#"{{"nonce":{nonce},"count":{}}}"#, self.count);
        let mut key = Key { namespace: &self.applied, ..object.key };
        if self.watched == SECOND {
            match self.deed.as_str() {
                "trap" => panic!("a deliberate panic"),
                "hang" => loop {
                    std::hint::spin_loop();
                },
                "circle" => key = Key { namespace: &self.watched, name: "round", ..key },
                _ => (),
            }
        }
        plane.apply(key, &spec)?;
        Ok(())
    }

    fn suspend(&mut self) -> Vec<u8> {
        format!("{} {} {} {}", self.watched, self.applied, self.deed, self.count).into_bytes()
    }

    fn resume(&mut self, state: &[u8]) -> Result<(), String> {
        let text = std::str::from_utf8(state).map_err(|error| error.to_string())?;
        let [watched, applied, deed, count] = text.split(' ').collect::<Vec<_>>()[..] else {
            return Err("what?".to_owned());
        };
        [self.watched, self.applied, self.deed] = [watched, applied, deed].map(str::to_owned);
        self.count = count.parse().map_err(|_| "no count")?;
        match deed {
            "refuse" if watched == SECOND => return Err("it wants to forget".to_owned()),
            "forget" if watched == SECOND => self.count = 0,
            _ => (),
        }
        Ok(())
    }
}
