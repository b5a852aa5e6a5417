//! A format is one implementation of `Renderer` and its row in `RENDERERS`: nothing else has to know it.

use crate::fixture::{eventful, rendered};
use bench_report::{Body, Detail, Document, Layout, RENDERERS, Renderer, run_document};
use std::collections::BTreeSet;

/// A format of a test: the names of sections and how much is in each.
#[derive(Debug)]
struct Outline;

impl Renderer for Outline {
    fn name(&self) -> &'static str {
        "outline"
    }

    fn summary(&self) -> &'static str {
        "Names of sections"
    }

    fn shows_warnings(&self) -> bool {
        false
    }

    fn render(&self, document: &Document, _: &Layout) -> String {
        let line = |section: &bench_report::Section| match &section.body {
            Body::Table(table) => format!("{}: {} rows\n", section.name, table.rows().count()),
            Body::Tree(tree) => format!("{}: {} parts\n", section.name, tree.roots.len()),
            Body::Figure(figure) => format!("{}: {} panels\n", section.name, figure.panels.len()),
            Body::Notes(notes) => format!("{}: {} lines\n", section.name, notes.lines.len()),
        };
        document.sections.iter().map(line).collect()
    }
}

#[test]
fn a_format_needs_nothing_but_a_renderer() {
    let document = run_document(&eventful().view(), &[], Detail::default());
    insta::assert_snapshot!(rendered(&Outline, &document), @r"
    cells: 4 rows
    warnings: 5 lines
    footer: 5 lines
    ");
}

#[test]
fn formats_have_names_of_their_own_and_end_with_a_line_break() {
    let document = run_document(&eventful().view(), &[], Detail::default());
    let names: BTreeSet<_> = RENDERERS.iter().map(|renderer| renderer.name()).collect();
    assert_eq!(names.len(), RENDERERS.len());
    for renderer in RENDERERS {
        let text = rendered(*renderer, &document);
        assert!(text.ends_with('\n') && !text.contains('\u{1b}'), "{}: {text}", renderer.name());
        assert!(text.contains("ring/stream"), "{}: {text}", renderer.name());
    }
}
