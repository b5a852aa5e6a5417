//! Writes types of a WIT into another one, where they have numbers as names, so that types of any interface can stand side by side.

use crate::resource_name;
use std::collections::HashMap;
use wit_parser::{Handle, Resolve, Type, TypeDef, TypeDefKind, TypeId};

/// A type: in the text that components are made of, as people read it, and where it has resources.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Printed {
    pub(crate) text: String,
    pub(crate) shown: String,
    pub(crate) handles: Handles,
}

/// What resources occur in a type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Handles {
    pub(crate) has_owned: bool,
    pub(crate) has_borrowed: bool,
}

impl Handles {
    pub(crate) fn any(self) -> bool {
        self.has_owned || self.has_borrowed
    }

    pub(crate) fn and(self, other: Self) -> Self {
        Self { has_owned: self.has_owned || other.has_owned, has_borrowed: self.has_borrowed || other.has_borrowed }
    }
}

/// The declaration of a type that has a name.
#[derive(Debug)]
pub(crate) struct Declaration {
    pub(crate) text: String,
    pub(crate) has_handles: bool,
}

/// Collects the declarations of all types that it has printed.
pub(crate) struct Printer<'a> {
    resolve: &'a Resolve,
    known: HashMap<TypeId, Printed>,
    pub(crate) declarations: Vec<Declaration>,
    resources: Vec<TypeId>,
}

const STREAM: &str = "has a stream or a future of WASI 0.3, of which a call passes only the end: what moves through it later is no price of \
                      a call; price it with a list instead";

const FIXED_LENGTH: &str =
    "has a list of fixed length, which components are not made of here; price it with a tuple instead";

impl<'a> Printer<'a> {
    pub(crate) fn new(resolve: &'a Resolve) -> Self {
        Self { resolve, known: HashMap::new(), declarations: Vec::new(), resources: Vec::new() }
    }

    /// The names of the resources, in the order of their numbers.
    pub(crate) fn resources(&self) -> impl Iterator<Item = &str> {
        self.resources.iter().map(|id| name_of(&self.resolve.types[*id]))
    }

    /// Prints `ty`; an error says why no component is made of it, and what to do.
    pub(crate) fn ty(&mut self, ty: &Type) -> Result<Printed, String> {
        let name = match ty {
            Type::Bool => "bool",
            Type::U8 => "u8",
            Type::U16 => "u16",
            Type::U32 => "u32",
            Type::U64 => "u64",
            Type::S8 => "s8",
            Type::S16 => "s16",
            Type::S32 => "s32",
            Type::S64 => "s64",
            Type::F32 => "f32",
            Type::F64 => "f64",
            Type::Char => "char",
            Type::String => "string",
            Type::ErrorContext => {
                return Err("has an `error-context`, which the engine does not enable; price it with a string".into());
            }
            Type::Id(id) => return self.defined(*id),
        };
        Ok(Printed { text: name.to_owned(), shown: name.to_owned(), handles: Handles::default() })
    }

    fn defined(&mut self, id: TypeId) -> Result<Printed, String> {
        if let Some(known) = self.known.get(&id) {
            return Ok(known.clone());
        }
        let def = &self.resolve.types[id];
        match &def.kind {
            TypeDefKind::Type(ty) => self.ty(ty),
            TypeDefKind::List(ty) => self.wrapped("list", &[Some(*ty)]),
            TypeDefKind::Option(ty) => self.wrapped("option", &[Some(*ty)]),
            TypeDefKind::Tuple(tuple) => {
                self.wrapped("tuple", &tuple.types.iter().copied().map(Some).collect::<Vec<_>>())
            }
            TypeDefKind::Result(result) => match (result.ok, result.err) {
                (None, None) => self.wrapped("result", &[]),
                (ok, None) => self.wrapped("result", &[ok]),
                (ok, err) => self.wrapped("result", &[ok, err]),
            },
            TypeDefKind::Handle(Handle::Own(id)) => Ok(self.handle(*id, true)),
            TypeDefKind::Handle(Handle::Borrow(id)) => Ok(self.handle(*id, false)),
            TypeDefKind::Resource => Ok(self.handle(id, true)),
            TypeDefKind::Record(_) | TypeDefKind::Variant(_) | TypeDefKind::Enum(_) | TypeDefKind::Flags(_) => {
                let printed = self.declare(def)?;
                self.known.insert(id, printed.clone());
                Ok(printed)
            }
            TypeDefKind::Stream(_) | TypeDefKind::Future(_) => Err(STREAM.to_owned()),
            TypeDefKind::FixedLengthList(..) => Err(FIXED_LENGTH.to_owned()),
            TypeDefKind::Map(..) => Err("has a map; price it with a list of tuples instead".to_owned()),
            TypeDefKind::Unknown => Err("has a type whose definition is missing; give the package's `deps`".to_owned()),
        }
    }

    /// `name<types>`; a type that is missing is `_`.
    fn wrapped(&mut self, name: &str, types: &[Option<Type>]) -> Result<Printed, String> {
        let (mut texts, mut shown, mut handles) = (Vec::new(), Vec::new(), Handles::default());
        for ty in types {
            let Some(ty) = ty else {
                texts.push("_".to_owned());
                shown.push("_".to_owned());
                continue;
            };
            let printed = self.ty(ty)?;
            texts.push(printed.text);
            shown.push(printed.shown);
            handles = handles.and(printed.handles);
        }
        let joined = |parts: &[String]| match parts {
            [] => name.to_owned(),
            parts => format!("{name}<{}>", parts.join(", ")),
        };
        Ok(Printed { text: joined(&texts), shown: joined(&shown), handles })
    }

    /// A handle of the resource, which may be known under several names.
    fn handle(&mut self, id: TypeId, is_owned: bool) -> Printed {
        let id = self.original(id);
        let found = self.resources.iter().position(|known| *known == id);
        let number = found.unwrap_or_else(|| {
            self.resources.push(id);
            self.resources.len() - 1
        });
        let (name, shown) = (resource_name(number), name_of(&self.resolve.types[id]));
        let handles = Handles { has_owned: is_owned, has_borrowed: !is_owned };
        match is_owned {
            true => Printed { text: name, shown: shown.to_owned(), handles },
            false => Printed { text: format!("borrow<{name}>"), shown: format!("borrow<{shown}>"), handles },
        }
    }

    fn original(&self, id: TypeId) -> TypeId {
        match self.resolve.types[id].kind {
            TypeDefKind::Type(Type::Id(other)) => self.original(other),
            _ => id,
        }
    }

    /// Declares a type with fields or cases.
    fn declare(&mut self, def: &TypeDef) -> Result<Printed, String> {
        let (keyword, parts): (_, Vec<(&str, Option<Type>)>) = match &def.kind {
            TypeDefKind::Record(record) => {
                ("record", record.fields.iter().map(|field| (field.name.as_str(), Some(field.ty))).collect())
            }
            TypeDefKind::Variant(variant) => {
                ("variant", variant.cases.iter().map(|case| (case.name.as_str(), case.ty)).collect())
            }
            TypeDefKind::Enum(cases) => ("enum", cases.cases.iter().map(|case| (case.name.as_str(), None)).collect()),
            TypeDefKind::Flags(flags) => ("flags", flags.flags.iter().map(|flag| (flag.name.as_str(), None)).collect()),
            _ => return Err(format!("has a type `{}` that is not declared with fields or cases", name_of(def))),
        };
        let (mut lines, mut handles) = (Vec::new(), Handles::default());
        for (name, ty) in parts {
            let printed = ty.map(|ty| self.ty(&ty)).transpose()?;
            handles = printed.as_ref().map_or(handles, |printed| handles.and(printed.handles));
            // With the sign, a name may be a keyword.
            lines.push(match (printed, keyword) {
                (Some(printed), "record") => format!("%{name}: {}", printed.text),
                (Some(printed), _) => format!("%{name}({})", printed.text),
                (None, _) => format!("%{name}"),
            });
        }
        let text = format!("t{}", self.declarations.len());
        let declaration = format!("{keyword} {text} {{ {} }}", lines.join(", "));
        self.declarations.push(Declaration { text: declaration, has_handles: handles.any() });
        Ok(Printed { text, shown: name_of(def).to_owned(), handles })
    }
}

/// The name of a type; every type that is declared has one.
fn name_of(def: &TypeDef) -> &str {
    def.name.as_deref().unwrap_or("unnamed")
}
