//! The WIT packages, and finding things in them by name.

use anyhow::{Context, Result, anyhow, bail};
use std::path::Path;
use wit_parser::{
    Function, FunctionKind, Interface, InterfaceId, Package, Resolve, Type, TypeDef, TypeDefKind, TypeId,
    UnresolvedPackageGroup, World, WorldId,
};

/// Every package of a folder whose folders each hold one.
#[derive(Debug)]
pub struct Wit {
    resolve: Resolve,
}

/// The part of a name behind its last dot, and what is before.
fn split(name: &str) -> Result<(&str, &str)> {
    name.rsplit_once('.').with_context(|| format!("`{name}`: expected `package/interface.name`"))
}

impl Wit {
    /// Reads every package in the folders of `folder`.
    pub fn read(folder: &Path) -> Result<Self> {
        let entries = std::fs::read_dir(folder).with_context(|| format!("{}: cannot be read", folder.display()))?;
        let mut groups = Vec::new();
        for entry in entries {
            let path = entry?.path();
            if path.is_dir() {
                groups.push(UnresolvedPackageGroup::parse_dir(&path)?);
            }
        }
        Self::resolve(groups)
    }

    /// Reads one package out of its text.
    pub fn parse(text: &str) -> Result<Self> {
        let group = UnresolvedPackageGroup::parse("inline.wit", text).map_err(|(_, error)| anyhow!("{error}"))?;
        Self::resolve(vec![group])
    }

    fn resolve(mut groups: Vec<UnresolvedPackageGroup>) -> Result<Self> {
        let mut resolve = Resolve::default();
        let last = groups.pop().context("there is no package")?;
        resolve.push_groups(last, groups)?;
        Ok(Self { resolve })
    }

    /// All packages, each with its interfaces.
    pub fn interfaces(&self) -> impl Iterator<Item = (String, &Interface)> {
        self.resolve.packages.iter().flat_map(move |(_, package)| {
            let name = package.name.to_string();
            package.interfaces.values().map(move |id| (name.clone(), &self.resolve.interfaces[*id]))
        })
    }

    /// All packages.
    pub fn packages(&self) -> impl Iterator<Item = &Package> {
        self.resolve.packages.iter().map(|(_, package)| package)
    }

    /// A world of one of the packages.
    pub fn world(&self, id: WorldId) -> &World {
        &self.resolve.worlds[id]
    }

    /// An interface of one of the packages.
    pub fn interface_of(&self, id: InterfaceId) -> &Interface {
        &self.resolve.interfaces[id]
    }

    /// A type of one of the packages.
    pub fn definition_of(&self, id: TypeId) -> &TypeDef {
        &self.resolve.types[id]
    }

    /// The interface `package/interface`.
    pub fn interface(&self, name: &str) -> Result<&Interface> {
        Ok(&self.resolve.interfaces[self.interface_id(name)?])
    }

    fn interface_id(&self, name: &str) -> Result<InterfaceId> {
        let (package, interface) = name.rsplit_once('/').with_context(|| format!("`{name}` names no interface"))?;
        let found = self.resolve.packages.iter().find(|(_, found)| {
            let found = &found.name;
            format!("{}:{}", found.namespace, found.name) == package
        });
        let (_, package) = found.with_context(|| format!("there is no package `{package}`"))?;
        package.interfaces.get(interface).copied().with_context(|| format!("`{name}`: there is no such interface"))
    }

    /// The type `package/interface.type`.
    pub fn named(&self, name: &str) -> Result<(TypeId, &TypeDef)> {
        let (interface, ty) = split(name)?;
        let id = self.interface(interface)?.types.get(ty).copied();
        let id = id.with_context(|| format!("`{name}`: there is no such type"))?;
        Ok((id, &self.resolve.types[id]))
    }

    /// The function `package/interface.function`, or `package/interface.resource.function`.
    pub fn function(&self, name: &str) -> Result<&Function> {
        let (package, path) = name.rsplit_once('/').with_context(|| format!("`{name}` names no function"))?;
        let (interface, path) = path.split_once('.').with_context(|| format!("`{name}` names no function"))?;
        let functions = &self.interface(&format!("{package}/{interface}"))?.functions;
        let found = functions.values().find(|function| short_name(function) == path);
        found.with_context(|| format!("`{name}`: there is no such function"))
    }

    /// A type's definition, behind whatever aliases.
    pub fn definition(&self, id: TypeId) -> (TypeId, &TypeDef) {
        match &self.resolve.types[id].kind {
            TypeDefKind::Type(Type::Id(id)) => self.definition(*id),
            _ => (id, &self.resolve.types[id]),
        }
    }

    /// The cases of an enum or a variant, each with its text.
    pub fn cases(&self, name: &str) -> Result<Vec<(String, String)>> {
        let (_, definition) = self.named(name)?;
        Ok(match &definition.kind {
            TypeDefKind::Enum(found) => found.cases.iter().map(|case| (case.name.clone(), text(&case.docs))).collect(),
            TypeDefKind::Variant(found) => {
                found.cases.iter().map(|case| (case.name.clone(), text(&case.docs))).collect()
            }
            other => bail!("`{name}` is a {}, not an enum or a variant", other.as_str()),
        })
    }

    /// Which cases of an enum or a variant hold a value.
    pub fn payloads(&self, name: &str) -> Result<Vec<bool>> {
        Ok(match &self.named(name)?.1.kind {
            TypeDefKind::Variant(found) => found.cases.iter().map(|case| case.ty.is_some()).collect(),
            _ => vec![false; self.cases(name)?.len()],
        })
    }

    /// The fields of a record: name, type and text.
    pub fn fields(&self, name: &str) -> Result<Vec<(String, Type, String)>> {
        let (_, definition) = self.named(name)?;
        self.record(definition).with_context(|| format!("`{name}` is a {}, not a record", definition.kind.as_str()))
    }

    /// The fields of a definition, if it is a record.
    pub fn record(&self, definition: &TypeDef) -> Option<Vec<(String, Type, String)>> {
        match &definition.kind {
            TypeDefKind::Record(record) => {
                let field = |field: &wit_parser::Field| (field.name.clone(), field.ty, text(&field.docs));
                Some(record.fields.iter().map(field).collect())
            }
            _ => None,
        }
    }

    /// A type as WIT writes it.
    pub fn shown(&self, ty: &Type) -> String {
        let Type::Id(id) = ty else { return primitive(ty).to_owned() };
        let definition = &self.resolve.types[*id];
        if let Some(name) = &definition.name {
            return name.clone();
        }
        let optional = |ty: &Option<Type>| ty.as_ref().map_or("_".to_owned(), |ty| self.shown(ty));
        match &definition.kind {
            TypeDefKind::List(ty) => format!("list<{}>", self.shown(ty)),
            TypeDefKind::Option(ty) => format!("option<{}>", self.shown(ty)),
            TypeDefKind::Tuple(tuple) => {
                let types: Vec<_> = tuple.types.iter().map(|ty| self.shown(ty)).collect();
                format!("tuple<{}>", types.join(", "))
            }
            TypeDefKind::Result(result) => {
                format!("result<{}, {}>", optional(&result.ok), optional(&result.err)).replace(", _>", ">")
            }
            TypeDefKind::Handle(wit_parser::Handle::Own(id)) => self.shown(&Type::Id(*id)),
            TypeDefKind::Handle(wit_parser::Handle::Borrow(id)) => format!("borrow<{}>", self.shown(&Type::Id(*id))),
            other => other.as_str().to_owned(),
        }
    }
}

fn primitive(ty: &Type) -> &'static str {
    match ty {
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
        Type::ErrorContext => "error-context",
        Type::Id(_) => "type",
    }
}

/// A function's name without what the component model puts before it: `append`, or `log.append` of a resource.
pub fn short_name(function: &Function) -> &str {
    function.name.split_once(']').map_or(function.name.as_str(), |(_, name)| name)
}

/// Whether the function takes a resource first.
pub fn method_of(function: &Function) -> Option<TypeId> {
    match function.kind {
        FunctionKind::Method(id) => Some(id),
        _ => None,
    }
}

/// The text of an item, as one paragraph.
pub fn text(docs: &wit_parser::Docs) -> String {
    docs.contents.as_deref().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ")
}
