//! What has a price in a WIT: its functions, its types, and a few functions to compare them with; written into one interface.

use crate::printer::{Printed, Printer};
use crate::source::{self, SourceFunction, WitError};
use crate::{function_name, give_name, resource_name, run_name};
use std::collections::BTreeSet;
use std::path::Path;
use wit_parser::{Function, FunctionKind, Resolve};

/// The functions and types of a WIT that components are made of, and those that they are not made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Api {
    /// The text that [`Components::new`](crate::Components::new) takes. The function with a number is that of `entries`.
    pub wit: String,
    /// What is called, in the order of the numbers of the functions.
    pub entries: Vec<Entry>,
    /// What no component is made of.
    pub skipped: Vec<Skipped>,
}

/// What a function of the components stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What kind of thing it is.
    pub kind: EntryKind,
    /// Its interface or world; empty for types and references.
    pub interface: String,
    /// Its name, as people read it.
    pub name: String,
    /// Its parameters and result, as people read them.
    pub signature: String,
}

/// What kind of thing a function of the components stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EntryKind {
    /// The same in every WIT, to compare others with.
    Reference,
    /// A function.
    Function,
    /// A type, as the only parameter of a function. A resource is made and dropped.
    Type,
}

/// A function that no component is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// Its interface or world.
    pub interface: String,
    /// Its name, as people read it.
    pub name: String,
    /// Why, and what to do.
    pub reason: String,
}

/// The references: their names, and their parameters in WIT.
const REFERENCES: [(&str, &str); 3] = [("empty call", ""), ("string", "p0: string"), ("bytes", "p0: list<u8>")];

const ASYNC: &str = "is an async function of WASI 0.3, and components run synchronously here; price it without `async`";

const TAKES_OWNERSHIP: &str = "takes ownership of a resource, so each call needs a new one, which would be in its time; see the price of the \
                               resource among the types, and price the function with `borrow<…>`";

const LISTED: &str = "has a list of resources, whose handles are known only at run time; price it with one resource";

impl Api {
    /// Reads the WIT at `path`: a file, or the folder of a package with its `deps`. Without the name of a world, that is the only one
    /// of the package, or all interfaces of a package that has none.
    pub fn read(path: &Path, world: Option<&str>) -> Result<Self, WitError> {
        let source = source::read(path, world)?;
        let mut builder = Builder::new(&source.resolve);
        source.functions.iter().for_each(|function| builder.add(function));
        Ok(builder.finish())
    }
}

/// A line of the interface, and whether no resource occurs in it.
struct Line {
    text: String,
    is_value: bool,
}

struct Builder<'a> {
    printer: Printer<'a>,
    lines: Vec<Line>,
    entries: Vec<Entry>,
    skipped: Vec<Skipped>,
    /// The types of parameters and results, each once, in their order.
    types: Vec<Printed>,
    seen: BTreeSet<String>,
}

impl<'a> Builder<'a> {
    fn new(resolve: &'a Resolve) -> Self {
        let printer = Printer::new(resolve);
        let (lines, entries, skipped, types) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut builder = Self { printer, lines, entries, skipped, types, seen: BTreeSet::new() };
        for (name, parameters) in REFERENCES {
            let entry = Entry {
                kind: EntryKind::Reference,
                interface: String::new(),
                name: name.to_owned(),
                signature: format!("({})", parameters.trim_start_matches("p0: ")),
            };
            builder.push(entry, parameters, "", true);
        }
        builder
    }

    /// Adds the next function of the interface.
    fn push(&mut self, entry: Entry, parameters: &str, result: &str, is_value: bool) {
        let result = if result.is_empty() { String::new() } else { format!(" -> {result}") };
        let text = format!("{}: func({parameters}){result};", function_name(self.entries.len()));
        self.lines.push(Line { text, is_value });
        self.entries.push(entry);
    }

    /// Adds a function of the user, or says why not.
    fn add(&mut self, SourceFunction { interface, function }: &SourceFunction) {
        let (interface, name) = (interface.clone(), shown_name(function));
        match self.printed(function) {
            Ok((parameters, result)) => {
                let list = |of: fn(&Printed) -> &str| parameters.iter().map(of).collect::<Vec<_>>().join(", ");
                let shown = result.as_ref().map_or_else(String::new, |result| format!(" -> {}", result.shown));
                let signature = format!("({}){shown}", list(|parameter| parameter.shown.as_str()));
                let text: Vec<_> =
                    parameters.iter().enumerate().map(|(at, printed)| format!("p{at}: {}", printed.text)).collect();
                let is_value = parameters.iter().chain(&result).all(|printed| !printed.handles.any());
                let entry = Entry { kind: EntryKind::Function, interface, name, signature };
                let result_text = result.as_ref().map_or("", |result| result.text.as_str());
                self.push(entry, &text.join(", "), result_text, is_value);
                for printed in parameters.into_iter().chain(result) {
                    if self.seen.insert(printed.text.clone()) {
                        self.types.push(printed);
                    }
                }
            }
            Err(reason) => self.skipped.push(Skipped { interface, name, reason }),
        }
    }

    /// The types of the parameters and of the result.
    fn printed(&mut self, function: &Function) -> Result<(Vec<Printed>, Option<Printed>), String> {
        if is_async(&function.kind) {
            return Err(ASYNC.to_owned());
        }
        let parameters = function.params.iter().map(|parameter| self.printer.ty(&parameter.ty));
        let parameters = parameters.collect::<Result<Vec<_>, _>>()?;
        let result = function.result.as_ref().map(|ty| self.printer.ty(ty)).transpose()?;
        if parameters.iter().any(|parameter| parameter.handles.has_owned) {
            return Err(TAKES_OWNERSHIP.to_owned());
        }
        if parameters.iter().chain(&result).any(|printed| printed.handles.is_listed) {
            return Err(LISTED.to_owned());
        }
        Ok((parameters, result))
    }

    /// Adds the types and resources.
    fn finish(mut self) -> Api {
        for printed in std::mem::take(&mut self.types) {
            if printed.handles.has_owned {
                // A result. A resource by itself follows; what contains one cannot be a parameter that is passed again and again.
                continue;
            }
            let signature = format!("({})", printed.shown);
            let (kind, is_value) = (EntryKind::Type, !printed.handles.any());
            let entry = Entry { kind, interface: String::new(), name: printed.shown, signature };
            self.push(entry, &format!("p0: {}", printed.text), "", is_value);
        }
        let resources: Vec<String> = self.printer.resources().map(str::to_owned).collect();
        for (number, name) in resources.iter().enumerate() {
            let entry = Entry {
                kind: EntryKind::Type,
                interface: String::new(),
                name: format!("own<{name}>, made and dropped"),
                signature: format!("() -> {name}"),
            };
            self.push(entry, "", &resource_name(number), false);
        }
        let wit = self.wit(resources.len());
        Api { wit, entries: self.entries, skipped: self.skipped }
    }

    /// The interfaces, and the worlds that call and are called.
    fn wit(&self, resources: usize) -> String {
        let mut wit = "package bench-host:price;\ninterface api {\n".to_owned();
        let mut line = |text: &str| {
            wit.push_str(text);
            wit.push('\n');
        };
        (0..resources).for_each(|number| line(&format!("  resource {};", resource_name(number))));
        self.printer.declarations.iter().for_each(|declaration| line(&format!("  {}", declaration.text)));
        (0..resources)
            .for_each(|number| line(&format!("  {}: func() -> {};", give_name(number), resource_name(number))));
        self.lines.iter().for_each(|function| line(&format!("  {}", function.text)));
        line("}\ninterface values {");
        let declarations = self.printer.declarations.iter().filter(|declaration| !declaration.has_handles);
        declarations.for_each(|declaration| line(&format!("  {}", declaration.text)));
        self.lines.iter().filter(|line| line.is_value).for_each(|function| line(&format!("  {}", function.text)));
        line(
            "}\nworld callee {\n  export api;\n  export select: func(payload: u32);\n  export calls: func() -> u64;\n}",
        );
        line("world caller {\n  import api;\n  export select: func(payload: u32);\n  export prepare: func();");
        for number in 0..self.entries.len() {
            line(&format!("  export {}: func(times: u32);", run_name(number)));
        }
        line("}\nworld relay {\n  import values;\n  export values;\n  export reset: func();\n}");
        wit
    }
}

fn is_async(kind: &FunctionKind) -> bool {
    matches!(kind, FunctionKind::AsyncFreestanding | FunctionKind::AsyncMethod(_) | FunctionKind::AsyncStatic(_))
}

/// `fields.get`, `fields.from-list`, `fields (constructor)`.
fn shown_name(function: &Function) -> String {
    match function.name.split_once(']') {
        Some(("[constructor", resource)) => format!("{resource} (constructor)"),
        Some((_, name)) => name.to_owned(),
        None => function.name.clone(),
    }
}
