//! `model` and `own-model`: paths such as `Gene.organism.name` are resolved against a model of hundreds of classes, a generated one or that of a
//! mine, into typed paths or columns. Throughput drops each object at once, but for a sample; memory keeps all of an operation's.

use super::Entry;
use crate::mine_model::{self, ClassSpec};
use crate::own;
use bench_plugin::prelude::*;
use hashbrown::HashMap;
use std::hint::black_box;

pub(super) const GENERATED: Entry = Entry { name: "model", describe: describe_generated, open: open_generated };
pub(super) const OWN: Entry = Entry { name: "own-model", describe: describe_own, open: open_own };

/// What every class of a generated model has.
const ATTRIBUTES: usize = 12;
const REFERENCES: usize = 4;

/// The most steps from class to class in a path.
const STEPS_MAX: usize = 3;

fn describe_generated() -> Scenario {
    let summary = "Resolves paths against a model of classes into objects; an operation is all of `objects`.";
    let classes = Parameter::new("classes", 400, "classes of the model, each with 12 attributes and 4 references");
    described(Scenario::new(GENERATED.name, "tabular", summary).parameter(classes.between(1, 100_000)))
}

fn describe_own() -> Scenario {
    let summary = "Resolves paths against the model of a mine into objects; an operation is all of `objects`.";
    let model = Parameter::new("model", "model.xml", "the file: what a mine's /service/model answers, in XML");
    let scenario = Scenario::new(OWN.name, "tabular", summary).parameter(model);
    described(scenario.requires("read:model", "the model"))
}

fn described(scenario: Scenario) -> Scenario {
    let parameters = [
        Parameter::new("objects", 10_000, "objects that an operation constructs").between(1, 10_000_000),
        Parameter::new("kind", "path", "what is constructed: a path, or a column, which also has its heading").choices(["path", "column"]),
        Parameter::new("metric_goal", "throughput", "whether objects are dropped at once, but for the sample (throughput), or all kept until the end of the operation (memory)")
            .choices(["throughput", "memory"]),
        Parameter::new("sample_mode", "none", "which objects are kept if metric_goal=throughput: none, the first ones (head), or evenly spaced ones (stride)")
            .choices(["none", "head", "stride"]),
        Parameter::new("sample_size", 64, "number of objects in the sample").between(1, 1_000_000),
    ];
    let retained = "bytes of the objects that an operation keeps, with all that they own, once per process";
    let scenario = scenario.metric(Metric::new("retained", Unit::Bytes, retained)).metric(
        Metric::new("kept", Unit::Count, "objects that an operation keeps, once per process")
            .direction(Direction::Neutral),
    );
    parameters.into_iter().fold(scenario, Scenario::parameter)
}

fn open_generated(arguments: &Arguments, host: Host) -> Result<Box<dyn Session>, ModuleError> {
    open(arguments, &generated(arguments.size("classes")?), host)
}

fn open_own(arguments: &Arguments, host: Host) -> Result<Box<dyn Session>, ModuleError> {
    let file = own::file(arguments, "model")?;
    let fault = |reason: String| ModuleError::InvalidArgument(format!("`model`: {reason}"));
    let text = str::from_utf8(&file).map_err(|error| fault(format!("byte {} is not UTF-8", error.valid_up_to())))?;
    open(arguments, &mine_model::classes(text).map_err(fault)?, host)
}

fn open(arguments: &Arguments, classes: &[ClassSpec], host: Host) -> Result<Box<dyn Session>, ModuleError> {
    let mut session = Construction::new(arguments, classes)?;
    session.iterate(1)?;
    host.series("retained", &[])?.record(session.kept.iter().map(Object::bytes).sum());
    host.series("kept", &[])?.record(session.kept.len() as u64);
    Ok(Box::new(session))
}

#[derive(Default)]
struct Class {
    attributes: HashMap<String, u32>,
    references: HashMap<String, u32>,
}

struct Model {
    names: HashMap<String, u32>,
    classes: Vec<Class>,
}

/// Classes of which reference r of class c leads to class (c·7 + r·13 + 1) mod `classes`.
fn generated(classes: usize) -> Vec<ClassSpec> {
    let class = |number: usize| ClassSpec {
        name: format!("Class{number}"),
        attributes: (0..ATTRIBUTES).map(|at| format!("attribute{at}")).collect(),
        references: (0..REFERENCES).map(|at| (format!("reference{at}"), follow(number, at, classes))).collect(),
    };
    (0..classes).map(class).collect()
}

impl Model {
    fn new(classes: &[ClassSpec]) -> Self {
        let class = |class: &ClassSpec| Class {
            attributes: class.attributes.iter().cloned().zip(0..).collect(),
            references: class.references.iter().map(|(name, to)| (name.clone(), *to as u32)).collect(),
        };
        let names = classes.iter().map(|class| class.name.clone()).zip(0..).collect();
        Self { names, classes: classes.iter().map(class).collect() }
    }

    /// The path that `text` stands for, if every part of it exists.
    fn resolve(&self, text: &str) -> Option<Path> {
        let mut parts = text.split('.');
        let mut class = *self.names.get(parts.next()?)?;
        let mut classes = vec![class];
        let mut part = parts.next()?;
        for next in parts {
            class = *self.classes[class as usize].references.get(part)?;
            classes.push(class);
            part = next;
        }
        let attribute = *self.classes[class as usize].attributes.get(part)?;
        Some(Path { classes, attribute })
    }
}

fn follow(class: usize, reference: usize, classes: usize) -> usize {
    (class * 7 + reference * 13 + 1) % classes
}

#[derive(Debug, PartialEq)]
struct Path {
    classes: Vec<u32>,
    attribute: u32,
}

#[derive(Debug)]
enum Object {
    Path(Path),
    Column { path: Path, heading: String },
}

impl Object {
    fn path(&self) -> &Path {
        match self {
            Self::Path(path) | Self::Column { path, .. } => path,
        }
    }

    /// Its own bytes and those that it owns.
    fn bytes(&self) -> u64 {
        let heading = if let Self::Column { heading, .. } = self { heading.capacity() } else { 0 };
        (size_of::<Self>() + self.path().classes.capacity() * size_of::<u32>() + heading) as u64
    }

    fn digest(&self) -> u64 {
        let path = self.path();
        let classes = path
            .classes
            .iter()
            .fold(0_u64, |digest, class| digest.wrapping_mul(31).wrapping_add(u64::from(*class) + 1));
        classes.wrapping_mul(31).wrapping_add(u64::from(path.attribute))
    }
}

/// Which objects are kept.
enum Retention {
    All,
    None,
    Head(usize),
    /// Every so many.
    Stride(usize),
}

struct Construction {
    model: Model,
    texts: Vec<String>,
    /// The digest of all objects, known from how the texts were made.
    expected: u64,
    is_column: bool,
    retention: Retention,
    kept: Vec<Object>,
    found: u64,
    unresolved: u64,
}

impl Construction {
    fn new(arguments: &Arguments, classes: &[ClassSpec]) -> Result<Self, ModuleError> {
        let objects = arguments.size("objects")?;
        let sample = arguments.size("sample_size")?;
        let retention = match (arguments.text("metric_goal")?, arguments.text("sample_mode")?) {
            ("memory", _) => Retention::All,
            (_, "head") => Retention::Head(sample),
            (_, "stride") => Retention::Stride(objects.div_ceil(sample)),
            _ => Retention::None,
        };
        let known: Vec<_> = (0..objects).map(|object| known(object, classes)).collect();
        let expected = known.iter().fold(0_u64, |sum, (_, path)| sum.wrapping_add(Object::digest(path)));
        Ok(Self {
            model: Model::new(classes),
            texts: known.into_iter().map(|(text, _)| text).collect(),
            expected,
            is_column: arguments.text("kind")? == "column",
            retention,
            kept: Vec::new(),
            found: 0,
            unresolved: 0,
        })
    }

    fn operation(&mut self) {
        self.kept.clear();
        (self.found, self.unresolved) = (0, 0);
        for (at, text) in self.texts.iter().enumerate() {
            let Some(path) = self.model.resolve(black_box(text)) else {
                self.unresolved += 1;
                continue;
            };
            let object = if self.is_column {
                Object::Column { path, heading: text.replace('.', " > ") }
            } else {
                Object::Path(path)
            };
            self.found = self.found.wrapping_add(object.digest());
            let is_kept = match self.retention {
                Retention::All => true,
                Retention::None => false,
                Retention::Head(size) => at < size,
                Retention::Stride(stride) => at % stride == 0,
            };
            if is_kept {
                self.kept.push(object);
            } else {
                drop(black_box(object));
            }
        }
    }
}

/// The text of an object, and the object that it must become, made without the model's tables. A class without references ends a path.
fn known(object: usize, classes: &[ClassSpec]) -> (String, Object) {
    let mut class = object * 31 % classes.len();
    let mut text = classes[class].name.clone();
    let mut path = Path { classes: vec![class as u32], attribute: 0 };
    for step in 0..object % (STEPS_MAX + 1) {
        let references = &classes[class].references;
        let Some((name, to)) = references.get((object + step) % references.len().max(1)) else { break };
        text.push_str(&format!(".{name}"));
        class = *to;
        path.classes.push(class as u32);
    }
    let attributes = &classes[class].attributes;
    let attribute = object % attributes.len();
    path.attribute = attribute as u32;
    text.push_str(&format!(".{}", attributes[attribute]));
    (text, Object::Path(path))
}

impl Session for Construction {
    fn iterate(&mut self, times: u64) -> Result<Outcome, ModuleError> {
        (0..times).for_each(|_| self.operation());
        Ok(Outcome { operations: times, bytes: 0, checksum: self.found })
    }

    fn verify(&mut self) -> Result<Vec<Check>, ModuleError> {
        Ok(vec![Check::equal("resolved", &0, &self.unresolved), Check::equal("objects", &self.expected, &self.found)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn construction(goal: &str, mode: &str, kind: &str) -> Construction {
        let mut arguments = Arguments::default();
        for (name, value) in [("objects", 1_000), ("sample_size", 64)] {
            arguments.set(name, value);
        }
        for (name, value) in [("metric_goal", goal), ("sample_mode", mode), ("kind", kind)] {
            arguments.set(name, value);
        }
        Construction::new(&arguments, &generated(50)).unwrap()
    }

    #[test]
    fn objects_are_those_of_the_other_language() {
        let (text, object) = known(7, &generated(50));
        assert_eq!(text, "Class17.reference3.reference0.reference1.attribute7");
        assert_eq!(*object.path(), Path { classes: vec![17, 9, 14, 12], attribute: 7 });
    }

    #[test]
    fn paths_of_a_mine_are_resolved() {
        let model = r#"<class name="Gene" extends="Feature"><reference name="organism" referenced-type="Organism"/></class>
            <class name="Feature"><attribute name="length"/></class><class name="Organism"><attribute name="name"/></class>"#;
        let classes = mine_model::classes(model).unwrap();
        let model = Model::new(&classes);
        assert_eq!(model.resolve("Gene.organism.name"), Some(Path { classes: vec![0, 2], attribute: 1 }));
        assert_eq!(model.resolve("Gene.length"), Some(Path { classes: vec![0], attribute: 1 }));
        assert_eq!(model.resolve("Organism.length"), None);
        for object in 0..100 {
            let (text, expected) = known(object, &classes);
            assert_eq!(model.resolve(&text).as_ref(), Some(expected.path()), "{text}");
        }
    }

    #[test]
    fn retention_keeps_as_many_as_it_says() {
        for (goal, mode, expect) in [
            ("throughput", "none", 0),
            ("throughput", "head", 64),
            ("throughput", "stride", 63),
            ("memory", "none", 1_000),
        ] {
            for kind in ["path", "column"] {
                let mut construction = construction(goal, mode, kind);
                construction.iterate(2).unwrap();
                assert_eq!(construction.kept.len(), expect, "{goal} {mode} {kind}");
                assert!(construction.verify().unwrap().iter().all(|check| check.passed));
            }
        }
    }

    #[test]
    fn objects_that_are_not_in_the_model_fail_a_check() {
        let mut construction = construction("throughput", "none", "path");
        construction.texts[3] = "Class1.reference9.attribute0".to_owned();
        construction.operation();
        assert!(construction.verify().unwrap().iter().all(|check| !check.passed));
        for text in ["Class1", "Class99.attribute0", "Class1.attribute99", "", "Class1.reference0"] {
            assert_eq!(construction.model.resolve(text), None, "{text}");
        }
    }
}
