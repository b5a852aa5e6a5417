//! A whole and its parts, each with figures.

use super::{Column, Datum};

/// Wholes with their parts below them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tree {
    /// What each node has; the name of a node is before them and not among them.
    pub columns: Vec<Column>,
    /// The wholes.
    pub roots: Vec<Node>,
}

/// A whole or a part.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Node {
    /// What it is. Not escaped.
    pub name: String,
    /// As many values as there are columns.
    pub values: Vec<Datum>,
    /// What it consists of.
    pub parts: Vec<Node>,
}

impl Node {
    /// A node without parts.
    pub fn new(name: impl Into<String>, values: Vec<Datum>) -> Self {
        Self { name: name.into(), values, parts: Vec::new() }
    }
}

impl Tree {
    /// Every node with its depth, a whole before its parts.
    pub(crate) fn nodes(&self) -> Vec<(usize, &Node)> {
        fn add<'a>(nodes: &mut Vec<(usize, &'a Node)>, depth: usize, node: &'a Node) {
            nodes.push((depth, node));
            node.parts.iter().for_each(|part| add(nodes, depth + 1, part));
        }
        let mut nodes = Vec::new();
        self.roots.iter().for_each(|root| add(&mut nodes, 0, root));
        nodes
    }
}
