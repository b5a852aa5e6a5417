//! From WIT and the plan to declarations. The rules are few, so that what they cannot say is written by hand:
//!
//! | WIT | C |
//! |---|---|
//! | `string` | `bhp_str` |
//! | `list<u8>` | a pointer and a length; as a result a `bhp_bytes` that is lent |
//! | `list<list<u8>>` | a pointer to `bhp_bytes`, and a length |
//! | an enum | `int32_t`, the case's number |
//! | `bool` | `int32_t`; in a record `uint64_t` |
//! | a record that has a twin | a pointer to it |
//! | a record that has none, as a result | a pointer for each field |
//! | a resource | a handle; its methods take it first |
//! | a function that makes a resource | `bhp_status`, and a pointer to the handle |
//! | another `result` | `int32_t`, 0 or the number of the error's case, and a pointer to the value |
//! | any function of a probe | `bhp_status`, and a pointer to the value |

use crate::item::{Constant, Field, Item, Member, Section, Shape, Signature, Type};
use crate::plan::{self, Plan};
use crate::wit::{Wit, method_of, short_name};
use anyhow::{Context, Result, bail, ensure};
use std::collections::{BTreeMap, BTreeSet};
use wit_parser::{Function, Handle, Type as WitType, TypeDefKind, TypeId};

/// The declarations of every section.
pub fn sections(plan: &Plan, wit: &Wit) -> Result<Vec<Section>> {
    let twins = Twins::find(plan, wit)?;
    let sections: Vec<_> = plan.section.iter().map(|section| twins.section(section)).collect::<Result<_>>()?;
    are_declared(&sections)?;
    Ok(sections)
}

/// Every type that something is made of is declared.
fn are_declared(sections: &[Section]) -> Result<()> {
    let mut declared = BTreeSet::from(["Status"]);
    let mut used = Vec::new();
    for item in sections.iter().flat_map(|section| &section.items) {
        match item {
            Item::Opaque { rust, .. } => {
                declared.insert(rust);
            }
            Item::Struct { rust, fields, .. } => {
                declared.insert(rust);
                used.extend(fields.iter().map(|field| (rust, &field.ty)));
            }
            Item::Table { rust, members, grown, .. } => {
                declared.insert(rust);
                for member in members.iter().chain(grown.iter().flat_map(|(_, later)| later)) {
                    match &member.shape {
                        Shape::Data(ty) => used.push((rust, ty)),
                        Shape::Function { signature: Signature { params, result }, .. } => {
                            used.extend(params.iter().map(|param| (rust, &param.ty)));
                            used.push((rust, result));
                        }
                    }
                }
            }
            Item::Constants { .. } | Item::Verbatim { .. } => {}
        }
    }
    for (user, name) in used.iter().filter_map(|(user, ty)| Some((user, ty.name()?))) {
        ensure!(declared.contains(name), "`{user}` names `{name}`, which nothing declares");
    }
    Ok(())
}

/// The text of an item of WIT with its names as C and Rust write them.
fn renamed(text: &str) -> String {
    let is_name = |part: &str| part.chars().all(|letter| letter.is_ascii_lowercase() || letter == '-');
    let parts = text.split('`').enumerate();
    let parts = parts.map(|(index, part)| if index % 2 == 1 && is_name(part) { snake(part) } else { part.to_owned() });
    parts.collect::<Vec<_>>().join("`")
}

/// Which records and resources of WIT have a declaration.
struct Twins<'a> {
    wit: &'a Wit,
    records: BTreeMap<TypeId, String>,
    /// By the resource's name, as `Log` of `log`, where the plan has a handle that a function makes or takes.
    handles: BTreeSet<String>,
}

/// `page-state` as a name in C and of a field in Rust.
pub fn snake(name: &str) -> String {
    name.replace('-', "_")
}

/// `page-state` as a constant.
fn screaming(name: &str) -> String {
    snake(name).to_uppercase()
}

impl<'a> Twins<'a> {
    fn find(plan: &Plan, wit: &'a Wit) -> Result<Self> {
        let (mut records, mut handles) = (BTreeMap::new(), BTreeSet::new());
        for item in plan.section.iter().flat_map(|section| &section.item) {
            match item {
                plan::Item::Struct(plan::Struct { wit: Some(name), rust, .. }) => {
                    records.insert(wit.named(name)?.0, rust.clone());
                }
                plan::Item::Opaque { rust, .. } => {
                    handles.insert(rust.clone());
                }
                _ => {}
            }
        }
        Ok(Self { wit, records, handles })
    }

    fn section(&self, section: &plan::Section) -> Result<Section> {
        self.covers(section)?;
        let items = section.item.iter().map(|item| self.item(item)).collect::<Result<_>>();
        Ok(Section {
            module: section.module.clone(),
            doc: section.doc.clone(),
            extension: section
                .extension
                .as_ref()
                .map(|found| (found.name.clone(), found.id.clone(), found.table.clone())),
            items: items.with_context(|| format!("section `{}`", section.module))?,
        })
    }

    /// Every function of the interfaces is a member, or is left out for a reason.
    fn covers(&self, section: &plan::Section) -> Result<()> {
        let tables = section.item.iter().filter_map(|item| match item {
            plan::Item::Table(table) => Some(&table.members),
            _ => None,
        });
        let members: BTreeSet<_> = tables.flatten().filter_map(|member| member.wit.clone()).collect();
        for interface in &section.covers {
            for function in self.wit.interface(interface)?.functions.values() {
                let name = format!("{interface}.{}", short_name(function));
                let (is_member, is_out) = (members.contains(&name), section.without.contains_key(&name));
                ensure!(is_member || is_out, "`{name}` has no twin in C: add a member, or say in `without` why not");
                ensure!(!(is_member && is_out), "`{name}` is a member and in `without`");
            }
        }
        for name in section.without.keys() {
            self.wit.function(name)?;
        }
        Ok(())
    }

    fn item(&self, item: &plan::Item) -> Result<Item> {
        Ok(match item {
            plan::Item::Constants(constants) => self.constants(constants)?,
            plan::Item::Opaque { c, rust, doc } => Item::Opaque { c: c.clone(), rust: rust.clone(), doc: doc.clone() },
            plan::Item::Struct(plan) => self.structure(plan).with_context(|| format!("`{}`", plan.c))?,
            plan::Item::Table(table) => self.table(table).with_context(|| format!("`{}`", table.c))?,
            plan::Item::Verbatim { c, rust } => Item::Verbatim { c: c.clone(), rust: rust.clone() },
        })
    }

    fn constants(&self, plan: &plan::Constants) -> Result<Item> {
        let cases = plan.wit.as_deref().map(|name| self.wit.cases(name)).transpose()?.unwrap_or_default();
        for name in &plan.without {
            ensure!(cases.iter().any(|(case, _)| case == name), "`{name}` is left out, but is not a case");
        }
        let by_hand = |case: &plan::Case| (case.name.clone(), None, case.doc.clone().unwrap_or_default());
        let kept = cases.into_iter().filter(|(case, _)| !plan.without.contains(case));
        let derived = kept.map(|(case, doc)| (format!("{case}{}", plan.suffix), Some(case), renamed(&doc)));
        let all = plan.first.iter().map(by_hand).chain(derived).chain(plan.last.iter().map(by_hand));
        let values = all.zip(0..).map(|((name, case, doc), value)| {
            let name = format!("{}{}", plan.prefix, screaming(&name));
            Constant { name, case, value, doc }
        });
        let (doc, ty) = (plan.doc.clone().unwrap_or_default(), plan.typed.clone().unwrap_or_else(|| "i32".to_owned()));
        Ok(Item::Constants { doc, ty, wit: plan.wit.clone(), values: values.collect() })
    }

    fn structure(&self, plan: &plan::Struct) -> Result<Item> {
        let mut fields = Vec::new();
        let mut doc = plan.doc.clone().unwrap_or_default();
        if let Some(name) = &plan.wit {
            if plan.doc.is_none() {
                doc = crate::wit::text(&self.wit.named(name)?.1.docs);
            }
            for (field, ty, text) in self.wit.fields(name)? {
                if plan.without.contains(&field) {
                    continue;
                }
                let name = plan.rename.get(&field).cloned().unwrap_or_else(|| snake(&field));
                let ty = self.held(&ty).with_context(|| format!("the field `{field}`"))?;
                fields.push(Field { name, ty, doc: renamed(&text) });
            }
        }
        for member in &plan.members {
            fields.push(Field::parse(member).with_context(|| format!("`{member}`: expected `name: Type`"))?);
        }
        Ok(Item::Struct { c: plan.c.clone(), rust: plan.rust.clone(), doc, fields, zero: plan.zero })
    }

    /// A type as a member of plain data.
    fn held(&self, ty: &WitType) -> Result<Type> {
        Ok(match ty {
            WitType::Bool | WitType::U64 => Type::U64,
            WitType::U32 => Type::U32,
            WitType::String => Type::Named("Str".to_owned()),
            WitType::Id(id) => match self.records.get(&self.wit.definition(*id).0) {
                Some(twin) => Type::Named(twin.clone()),
                None => bail!("`{}` has no twin in C", self.wit.shown(ty)),
            },
            other => bail!("`{}` has no twin in C", self.wit.shown(other)),
        })
    }

    fn table(&self, plan: &plan::Table) -> Result<Item> {
        let mut members = vec![data("size", Type::Usize)];
        if plan.ctx {
            members.push(data("ctx", Type::Mut(Box::new(Type::Void))));
        }
        let mut grown: Option<(String, Vec<Member>)> = None;
        for member in &plan.members {
            if let Some(table) = &member.grown {
                ensure!(grown.is_none(), "a table can grow once");
                grown = Some((table.clone(), Vec::new()));
                continue;
            }
            let made = self.member(plan, member);
            let made = made.with_context(|| format!("the member `{}`", member.name.as_deref().unwrap_or("?")))?;
            grown.as_mut().map_or(&mut members, |(_, later)| later).push(made);
        }
        let (c, rust, doc) = (plan.c.clone(), plan.rust.clone(), plan.doc.clone().unwrap_or_default());
        Ok(Item::Table { c, rust, doc, members, grown })
    }

    fn member(&self, table: &plan::Table, plan: &plan::Member) -> Result<Member> {
        let (signature, text) = match plan {
            plan::Member { wit: Some(name), .. } => {
                let function = self.wit.function(name)?;
                (self.signature(table, function, plan.out.as_deref())?, renamed(&crate::wit::text(&function.docs)))
            }
            plan::Member { call: Some(call), .. } => {
                let signature = Signature::parse(call);
                (signature.with_context(|| format!("`{call}`: expected `(name: Type) -> Type`"))?, String::new())
            }
            plan::Member { name: Some(name), field: Some(ty), .. } => {
                let (shape, doc) = (Shape::Data(Type::parse(ty)), plan.doc.clone().unwrap_or_default());
                return Ok(Member { name: name.clone(), shape, doc });
            }
            _ => bail!("neither `wit`, nor `call`, nor `field`"),
        };
        let name = plan.name.clone().or_else(|| Some(snake(plan.wit.as_deref()?.rsplit('.').next()?)));
        let text = plan.doc.clone().unwrap_or(text);
        let doc = [text.as_str(), plan.note.as_deref().unwrap_or_default()].join(" ").trim().to_owned();
        let shape = Shape::Function { signature, alias: plan.alias.clone(), optional: plan.optional };
        Ok(Member { name: name.context("it has no name")?, shape, doc })
    }

    fn signature(&self, table: &plan::Table, function: &Function, out: Option<&str>) -> Result<Signature> {
        let mut params = Vec::new();
        match method_of(function) {
            Some(resource) => params.push(self.handle(table, resource)?),
            None if table.ctx => params.push(Field::new("ctx", Type::Mut(Box::new(Type::Void)))),
            None => {
                let handle = table.handle.as_deref().and_then(Field::parse);
                params.push(handle.context("a table without `ctx` says in `handle` what its functions take first")?);
            }
        }
        let own = usize::from(method_of(function).is_some());
        for param in &function.params[own..] {
            self.parameter(&snake(&param.name), &param.ty, &mut params)?;
        }
        let result = self.result(table, function, out, &mut params)?;
        Ok(Signature { params, result })
    }

    /// The handle that a method takes first.
    fn handle(&self, table: &plan::Table, resource: TypeId) -> Result<Field> {
        let name = self.wit.definition(resource).1.name.clone().unwrap_or_default();
        let rust = self.handle_name(table, &name)?;
        Ok(Field::new(snake(&name), Type::Mut(Box::new(Type::Named(rust)))))
    }

    /// The Rust name of the handle for a resource: as the table's, or the table's and the resource's.
    fn handle_name(&self, table: &plan::Table, resource: &str) -> Result<String> {
        let camel = camel(resource);
        let candidates = [format!("{}{camel}", table.rust), format!("Open{camel}"), camel];
        let found = candidates.into_iter().find(|name| self.handles.contains(name));
        found.with_context(|| format!("the resource `{resource}` has no handle"))
    }

    fn parameter(&self, name: &str, ty: &WitType, params: &mut Vec<Field>) -> Result<()> {
        let list = |of: Type, params: &mut Vec<Field>| {
            params.push(Field::new(name, Type::Const(Box::new(of))));
            params.push(Field::new(format!("{name}_len"), Type::Usize));
        };
        match ty {
            WitType::String => params.push(Field::new(name, Type::Named("Str".to_owned()))),
            WitType::Bool => params.push(Field::new(name, Type::I32)),
            WitType::U32 => params.push(Field::new(name, Type::U32)),
            WitType::U64 => params.push(Field::new(name, Type::U64)),
            WitType::Id(id) => {
                let (id, definition) = self.wit.definition(*id);
                match (&definition.kind, self.records.get(&id)) {
                    (TypeDefKind::Enum(_), _) => params.push(Field::new(name, Type::I32)),
                    (TypeDefKind::Record(_), Some(twin)) => {
                        params.push(Field::new(name, Type::Const(Box::new(Type::Named(twin.clone())))));
                    }
                    (TypeDefKind::List(WitType::U8), _) => list(Type::U8, params),
                    (TypeDefKind::List(WitType::Id(inner)), _) if self.is_bytes(*inner) => {
                        list(Type::Named("Bytes".to_owned()), params);
                    }
                    _ => bail!("the parameter `{name}`: no rule for `{}`; write it by hand", self.wit.shown(ty)),
                }
            }
            other => bail!("the parameter `{name}`: no rule for `{}`; write it by hand", self.wit.shown(other)),
        }
        Ok(())
    }

    fn is_bytes(&self, id: TypeId) -> bool {
        matches!(self.wit.definition(id).1.kind, TypeDefKind::List(WitType::U8))
    }

    /// What the function returns; what it gives besides is added to the parameters.
    fn result(
        &self,
        table: &plan::Table,
        function: &Function,
        out: Option<&str>,
        params: &mut Vec<Field>,
    ) -> Result<Type> {
        let status = || Type::Named("Status".to_owned());
        let Some(result) = &function.result else { return Ok(if table.ctx { Type::Void } else { status() }) };
        let definition = match result {
            WitType::Id(id) => Some(&self.wit.definition(*id).1.kind),
            _ => None,
        };
        let (value, fallible) = match definition {
            Some(TypeDefKind::Result(found)) => (found.ok, true),
            _ => (Some(*result), false),
        };
        if table.ctx && !fallible {
            ensure!(*result == WitType::U64, "no rule for the result `{}`; write it by hand", self.wit.shown(result));
            return Ok(Type::U64);
        }
        let mut makes = false;
        if let Some(out) = out.filter(|out| out.contains(':')) {
            params.push(Field::parse(out).context("expected `name: Type`")?);
        } else if let Some(value) = value {
            makes = self.outs(table, &value, out, params)?;
        }
        Ok(if makes || !table.ctx { status() } else { Type::I32 })
    }

    /// Adds pointers for a value; whether it is a handle.
    fn outs(&self, table: &plan::Table, ty: &WitType, out: Option<&str>, params: &mut Vec<Field>) -> Result<bool> {
        let name = out.map(|out| format!("{out}_out"));
        let mut push = |name: Option<String>, ty: Type| -> Result<()> {
            let name = name.context("the result has no name: say it in `out`")?;
            params.push(Field::new(name, Type::Mut(Box::new(ty))));
            Ok(())
        };
        match ty {
            WitType::U64 => push(name, Type::U64)?,
            WitType::Id(id) => {
                let (id, definition) = self.wit.definition(*id);
                match &definition.kind {
                    TypeDefKind::Handle(Handle::Own(resource)) => {
                        let resource = self.wit.definition(*resource).1.name.clone().unwrap_or_default();
                        let handle = self.handle_name(table, &resource)?;
                        push(Some("out".to_owned()), Type::Mut(Box::new(Type::Named(handle))))?;
                        return Ok(true);
                    }
                    TypeDefKind::List(WitType::U8) => push(name, Type::Named("Bytes".to_owned()))?,
                    TypeDefKind::Option(WitType::Id(inner)) if self.is_bytes(*inner) => {
                        push(name, Type::Named("Bytes".to_owned()))?;
                    }
                    TypeDefKind::Record(_) if self.records.contains_key(&id) => {
                        let own = definition.name.as_ref().map(|name| format!("{}_out", snake(name)));
                        push(name.or(own), Type::Named(self.records[&id].clone()))?;
                    }
                    TypeDefKind::Record(_) => {
                        for (field, ty, _) in self.wit.record(definition).unwrap_or_default() {
                            push(Some(format!("{}_out", snake(&field))), self.held(&ty)?)?;
                        }
                    }
                    _ => bail!("no rule for the result `{}`; write it by hand", self.wit.shown(ty)),
                }
            }
            other => bail!("no rule for the result `{}`; write it by hand", self.wit.shown(other)),
        }
        Ok(false)
    }
}

fn data(name: &str, ty: Type) -> Member {
    Member { name: name.to_owned(), shape: Shape::Data(ty), doc: String::new() }
}

/// `page-state` as a type in Rust.
pub fn camel(name: &str) -> String {
    let capital = |word: &str| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_uppercase().collect::<String>() + letters.as_str()).unwrap_or_default()
    };
    name.split('-').map(capital).collect()
}
