//! Where members lie on a machine with 64-bit pointers, worked out apart from either compiler, so that both are held to it.

use crate::item::{Field, Item, Member, Section, Shape, Type};
use std::collections::BTreeMap;

/// The layout of one declaration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// The C name.
    pub c: String,
    /// The Rust name.
    pub rust: String,
    /// Its bytes.
    pub size: usize,
    /// Where each member lies.
    pub offsets: Vec<(String, usize)>,
    /// The Rust name of the table as it began, with its size, where it has grown since.
    pub before: Option<(String, usize)>,
}

/// The layouts of all plain data and tables, in order.
pub fn layouts(sections: &[Section]) -> Vec<Layout> {
    let mut known = Known::default();
    let items = sections.iter().flat_map(|section| &section.items);
    items.filter_map(|item| known.layout(item)).collect()
}

/// Sizes and alignments of the declarations so far, by their Rust names.
#[derive(Default)]
struct Known(BTreeMap<String, (usize, usize)>);

impl Known {
    fn layout(&mut self, item: &Item) -> Option<Layout> {
        match item {
            Item::Constants { .. } | Item::Opaque { .. } | Item::Verbatim { .. } => None,
            Item::Struct { c, rust, fields, .. } => {
                let members = fields.iter().map(|Field { name, ty, .. }| (name.clone(), self.of(ty)));
                Some(self.place(c, rust, members.collect(), None))
            }
            Item::Table { c, rust, members, grown, .. } => {
                let place = |member: &Member| (member.name.clone(), self.of_member(member));
                let first: Vec<_> = members.iter().map(place).collect();
                let whole = self.place(c, rust, first.clone(), None);
                let Some((name, later)) = grown else { return Some(whole) };
                let later = later.iter().map(|member| (member.name.clone(), self.of_member(member)));
                let all = first.into_iter().chain(later).collect();
                Some(self.place(c, name, all, Some((rust.clone(), whole.size))))
            }
        }
    }

    fn place(
        &mut self,
        c: &str,
        rust: &str,
        members: Vec<(String, (usize, usize))>,
        before: Option<(String, usize)>,
    ) -> Layout {
        let (mut end, mut align, mut offsets) = (0_usize, 1, Vec::new());
        for (name, (bytes, alignment)) in members {
            let offset = end.next_multiple_of(alignment);
            offsets.push((name, offset));
            (end, align) = (offset + bytes, align.max(alignment));
        }
        let size = end.next_multiple_of(align);
        self.0.insert(rust.to_owned(), (size, align));
        Layout { c: c.to_owned(), rust: rust.to_owned(), size, offsets, before }
    }

    fn of_member(&self, member: &Member) -> (usize, usize) {
        match &member.shape {
            Shape::Data(ty) => self.of(ty),
            Shape::Function { .. } => (8, 8),
        }
    }

    /// Size and alignment.
    fn of(&self, ty: &Type) -> (usize, usize) {
        match ty {
            Type::Void => (0, 1),
            Type::U8 | Type::Char => (1, 1),
            Type::U32 | Type::I32 => (4, 4),
            Type::U64 | Type::Usize | Type::Const(_) | Type::Mut(_) => (8, 8),
            // `Status` is the one name that no declaration of plain data has.
            Type::Named(name) => self.0.get(name).copied().unwrap_or((4, 4)),
        }
    }
}
