//! What has a price in a WIT: its functions, its types, and a few functions to compare them with; written into one interface.

use crate::printer::{Handles, Printed, Printer};
use crate::source::{self, SourceFunction, WitError};
use crate::{function_name, give_name, resource_name, run_name, stock_name};
use std::collections::BTreeSet;
use std::path::Path;
use wit_parser::{Function, Resolve, Type};

/// The functions and types of a WIT that components are made of, and those that they are not made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Api {
    /// The text that [`Components::new`](crate::Components::new) takes. The function with a number is that of `entries`.
    pub wit: String,
    /// The same for async functions, if there are any, whose components need an engine with concurrent calls. Their entries are behind
    /// those of `wit`.
    pub awaited: Option<String>,
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

impl Api {
    /// Reads the WIT at `path`: a file, or the folder of a package with its `deps`. Without the name of a world, that is the only one
    /// of the package, or all interfaces of a package that has none.
    pub fn read(path: &Path, world: Option<&str>) -> Result<Self, WitError> {
        let source = source::read(path, world)?;
        let (mut plain, mut awaited) = (Builder::new(&source.resolve, false), Builder::new(&source.resolve, true));
        for function in &source.functions {
            match function.function.kind.is_async() {
                true => plain.add_types(awaited.add(function)),
                false => {
                    let types = plain.add(function);
                    plain.add_types(types);
                }
            }
        }
        plain.finish();
        let has_awaited = awaited.entries.len() > REFERENCES.len();
        let (wit, awaited_wit) = (plain.wit(), has_awaited.then(|| awaited.wit()));
        let (mut entries, mut skipped) = (plain.entries, plain.skipped);
        entries.extend(awaited.entries.into_iter().filter(|_| has_awaited));
        skipped.extend(awaited.skipped);
        Ok(Self { wit, awaited: awaited_wit, entries, skipped })
    }
}

/// A function of the interface.
struct Line {
    text: String,
    /// Whether no resource occurs in it.
    is_value: bool,
    /// Whether its arguments give handles away.
    gives: bool,
}

struct Builder<'a> {
    is_async: bool,
    printer: Printer<'a>,
    lines: Vec<Line>,
    entries: Vec<Entry>,
    skipped: Vec<Skipped>,
    /// The types of parameters and results, each once, in their order.
    types: Vec<Printed>,
    seen: BTreeSet<String>,
}

impl<'a> Builder<'a> {
    /// A builder of an interface whose functions are all async or all not.
    fn new(resolve: &'a Resolve, is_async: bool) -> Self {
        let printer = Printer::new(resolve);
        let (lines, entries, skipped, types) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut builder = Self { is_async, printer, lines, entries, skipped, types, seen: BTreeSet::new() };
        for (name, parameters) in REFERENCES {
            let signature = format!("({})", parameters.trim_start_matches("p0: "));
            let entry = entry(EntryKind::Reference, name.to_owned(), signature);
            builder.push(entry, parameters, "", [Handles::default(); 2]);
        }
        builder
    }

    /// Adds the next function of the interface. `handles` are those in its parameters and in its result.
    fn push(&mut self, entry: Entry, parameters: &str, result: &str, handles: [Handles; 2]) {
        let result = if result.is_empty() { String::new() } else { format!(" -> {result}") };
        let keyword = if self.is_async { "async func" } else { "func" };
        let text = format!("{}: {keyword}({parameters}){result};", function_name(self.entries.len()));
        let is_value = !handles.iter().any(|handles| handles.any());
        self.lines.push(Line { text, is_value, gives: handles[0].has_owned });
        self.entries.push(entry);
    }

    /// Adds a function of the user, or says why not. Returns the types of its parameters and of its result.
    fn add(&mut self, SourceFunction { interface, function }: &SourceFunction) -> Vec<Type> {
        let (interface, name) = (interface.clone(), shown_name(function));
        match self.printed(function) {
            Ok((parameters, result)) => {
                let list = |of: fn(&Printed) -> &str| parameters.iter().map(of).collect::<Vec<_>>().join(", ");
                let shown = result.as_ref().map_or_else(String::new, |result| format!(" -> {}", result.shown));
                let signature = format!("({}){shown}", list(|parameter| parameter.shown.as_str()));
                let text: Vec<_> =
                    parameters.iter().enumerate().map(|(at, printed)| format!("p{at}: {}", printed.text)).collect();
                let all = |some: &[Printed]| some.iter().map(|one| one.handles).fold(Handles::default(), Handles::and);
                let handles = [all(&parameters), all(result.as_slice())];
                let entry = Entry { interface, ..entry(EntryKind::Function, name, signature) };
                let result_text = result.as_ref().map_or("", |result| result.text.as_str());
                self.push(entry, &text.join(", "), result_text, handles);
                function.params.iter().map(|parameter| parameter.ty).chain(function.result).collect()
            }
            Err(reason) => {
                self.skipped.push(Skipped { interface, name, reason });
                Vec::new()
            }
        }
    }

    /// The types of the parameters and of the result.
    fn printed(&mut self, function: &Function) -> Result<(Vec<Printed>, Option<Printed>), String> {
        let parameters = function.params.iter().map(|parameter| self.printer.ty(&parameter.ty));
        let parameters = parameters.collect::<Result<Vec<_>, _>>()?;
        let result = function.result.as_ref().map(|ty| self.printer.ty(ty)).transpose()?;
        Ok((parameters, result))
    }

    /// Adds the types of a function that was added here or to another interface.
    fn add_types(&mut self, types: Vec<Type>) {
        // Each can be printed, because it has been before, here or there.
        for printed in types.iter().filter_map(|ty| self.printer.ty(ty).ok()) {
            if self.seen.insert(printed.text.clone()) {
                self.types.push(printed);
            }
        }
    }

    /// Adds the types and resources as functions.
    fn finish(&mut self) {
        let resources: Vec<String> = self.printer.resources().map(str::to_owned).collect();
        for printed in std::mem::take(&mut self.types) {
            let is_resource = (0..resources.len()).any(|number| resource_name(number) == printed.text);
            let signature = format!("({})", printed.shown);
            let name = if is_resource { format!("own<{}>, passed", printed.shown) } else { printed.shown };
            let parameters = format!("p0: {}", printed.text);
            self.push(entry(EntryKind::Type, name, signature), &parameters, "", [printed.handles, Handles::default()]);
        }
        for (number, name) in resources.iter().enumerate() {
            let made = Handles { has_owned: true, has_borrowed: false };
            let entry = entry(EntryKind::Type, format!("own<{name}>, made and dropped"), format!("() -> {name}"));
            self.push(entry, "", &resource_name(number), [Handles::default(), made]);
        }
    }

    /// The interfaces, and the worlds that call and are called.
    fn wit(&self) -> String {
        let resources = self.printer.resources().count();
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
        for (number, function) in self.lines.iter().enumerate() {
            line(&format!("  export {}: func(times: u32);", run_name(number)));
            if function.gives {
                line(&format!("  export {}: func(times: u32);", stock_name(number)));
            }
        }
        line("}");
        if !self.is_async {
            line("world relay {\n  import values;\n  export values;\n  export reset: func();\n}");
        }
        wit
    }
}

/// An entry of no interface.
fn entry(kind: EntryKind, name: String, signature: String) -> Entry {
    Entry { kind, interface: String::new(), name, signature }
}

/// `fields.get`, `fields.from-list`, `fields (constructor)`.
fn shown_name(function: &Function) -> String {
    match function.name.split_once(']') {
        Some(("[constructor", resource)) => format!("{resource} (constructor)"),
        Some((_, name)) => name.to_owned(),
        None => function.name.clone(),
    }
}
