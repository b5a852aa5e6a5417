//! A plug-in whose every scenario but `good`, `litter`, `flood` and `asks` breaks one rule. What only a process of its own can do is
//! unavailable in the component, and so is what would take the whole machine's memory in the probe.

mod deeds;
mod flood;
mod function;
mod litter;
mod operator;

use bench_plugin::prelude::*;
use bench_plugin::{Durability, PageState};
use deeds::Deed;
use flood::Flood;
use litter::Litter;
use std::io::Write;

struct Hostile;

/// Bytes that `shout` prints to each stream.
const SHOUTED: usize = 10 << 20;

impl Plugin for Hostile {
    fn describe() -> Descriptor {
        // The summary is part of the attack: it would clear the screen.
        let mut descriptor = Descriptor::new("hostile", env!("CARGO_PKG_VERSION"), "Breaks\u{1b}[2J rules.");
        let n = Parameter::new("n", 1, "any number").between(1, 1_000);
        let good = Scenario::new("good", "hostile", "Does what it should.").parameter(n);
        descriptor = descriptor
            .scenario(good)
            .scenario(Litter::describe())
            .scenario(Flood::describe())
            .scenario(
                Scenario::new("asks", "hostile", "Asks for an environment variable.")
                    .requires("env:BENCH_HOST_ASKED", "it is measured"),
            )
            .scenario(
                Scenario::new("needless", "hostile", "Requires a folder that it does not use.")
                    .requires("scratch:directory", "it is said to be needed")
                    .parameter(Parameter::new("directory", "@temp", "a folder")),
            )
            .scenario(function::describe())
            .scenario(operator::describe());
        for (name, summary) in deeds::ALL {
            descriptor = descriptor.scenario(Scenario::new(*name, "hostile", *summary));
        }
        descriptor
    }

    fn open(scenario: &str, arguments: &Arguments, host: Host) -> Result<Box<dyn Session>, ModuleError> {
        if scenario == "good" {
            let n = arguments.integer("n")?;
            return Ok(each(move || std::hint::black_box(n).unsigned_abs()));
        }
        if scenario == "needless" {
            return Ok(each(|| std::hint::black_box(7)));
        }
        if scenario == "litter" {
            return Ok(Box::new(Litter::open(arguments)?));
        }
        if scenario == "flood" {
            return Ok(Box::new(Flood::open(host)?));
        }
        if scenario == "asks" {
            let asked = std::env::var("BENCH_HOST_ASKED").unwrap_or_default().len() as u64;
            return Ok(each(move || std::hint::black_box(asked)));
        }
        let is_component = cfg!(target_family = "wasm");
        match scenario {
            "log-elsewhere" => {
                let (durability, page_state) = (Durability::None, PageState::Fresh);
                host.log("/nowhere/at/all", durability, page_state, 65_536)
                    .map(|_| -> Box<dyn Session> { Box::new(Deed::new("log-elsewhere")) })
            }
            "unavailable" => Err(ModuleError::Unavailable("there is nothing here to measure it with".to_owned())),
            "abort" | "segfault" | "exit" | "orphan" if is_component => {
                Err(ModuleError::Unavailable("not in a component".to_owned()))
            }
            "grow" if !is_component => Err(ModuleError::Unavailable("nothing bounds the memory of a probe".to_owned())),
            _ => match deeds::ALL.iter().find(|(name, _)| *name == scenario) {
                Some((name, _)) => Ok(Box::new(Deed::new(name))),
                None => Err(ModuleError::UnknownScenario(scenario.to_owned())),
            },
        }
    }
}

/// Prints a large amount of terminal escape sequences to both streams.
fn shout() -> Result<(), ModuleError> {
    const LINE: &[u8] = b"\x1b[2J\x1b]0;owned\x07\x1b[31mI AM EVERYWHERE\r\n";
    let lines = LINE.repeat(1024);
    let failed = |error: std::io::Error| ModuleError::Other(format!("cannot shout: {error}"));
    let (mut out, mut err) = (std::io::stdout().lock(), std::io::stderr().lock());
    for _ in 0..SHOUTED.div_ceil(lines.len()) {
        out.write_all(&lines).and_then(|()| err.write_all(&lines)).map_err(failed)?;
    }
    out.flush().map_err(failed)
}

bench_plugin::export_operator!(Hostile, operator::Link);
