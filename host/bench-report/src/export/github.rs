//! Markdown for GitHub: the summary of a job, and a comment on a pull request.

use crate::document::{Body, Document, Section};
use crate::render::{Layout, Markdown, Renderer};
use crate::{ComparisonDetail, ComparisonReport, RunView, comparison_document, notes};
use bench_sink::runfile::Status;

/// GitHub refuses longer comments; those that are longer are cut at a line.
const COMMENT_MAX: usize = 65_536;

/// A line that readers do not see, by which a workflow finds the comment to replace.
pub const COMMENT_MARK: &str = "<!-- bench-host report -->";

/// The run with its tables below a line that says how it came out.
pub fn github_summary(view: &RunView, document: &Document, comparison: Option<&ComparisonReport>) -> String {
    let compared = comparison.map(|comparison| {
        Markdown.render(&comparison_document(comparison, ComparisonDetail::default()), &Layout::default())
    });
    let title = format!("## bench-host: {}\n\n{}\n", plain(&view.id), plain(&headline(view)));
    let parts = [Some(title), compared, Some(Markdown.render(document, &Layout::default()))];
    parts.into_iter().flatten().collect::<Vec<_>>().join("\n")
}

/// The comparison, or else the run: what is essential is seen, and tables of all cells open.
pub fn github_comment(view: &RunView, document: &Document, comparison: Option<&ComparisonReport>) -> String {
    let warnings: Vec<String> = document.warnings().map(str::to_owned).collect();
    let is_shown = |section: &&Section| !matches!(&section.body, Body::Notes(notes) if notes.are_warnings);
    let tables =
        Document { sections: document.sections.iter().filter(is_shown).cloned().collect(), ..Document::default() };
    let folded = |title: &str, text: &str| format!("<details><summary>{title}</summary>\n\n{text}\n</details>\n");
    let compared = comparison.map(|comparison| {
        Markdown.render(&comparison_document(comparison, ComparisonDetail::default()), &Layout::default())
    });
    let doubts = Document { sections: vec![Section::warnings(warnings.clone())], ..Document::default() };
    // A comparison lists what its run warns of.
    let doubts = (!warnings.is_empty() && comparison.is_none()).then(|| {
        folded(&format!("To keep in mind ({})", warnings.len()), &Markdown.render(&doubts, &Layout::default()))
    });
    let title = format!("{COMMENT_MARK}\n### bench-host: {}\n\n{}\n", plain(&view.id), plain(&headline(view)));
    let all = Markdown.render(&tables, &Layout::default());
    let parts = [Some(title), compared, doubts, Some(folded("All cells", &all))];
    shortened(parts.into_iter().flatten().collect::<Vec<_>>().join("\n"))
}

fn headline(view: &RunView) -> String {
    let count = |status| view.cells.iter().filter(|cell| cell.status == status).count();
    let counts = [(Status::Ok, "ok"), (Status::Failed, "failed"), (Status::Void, "void"), (Status::Skipped, "skipped")];
    let counts: Vec<String> = counts
        .into_iter()
        .map(|(status, word)| (count(status), word))
        .filter(|(count, word)| *count > 0 || *word == "ok")
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    format!(
        "{} cells: {}. {}; {}.",
        view.planned.cells,
        counts.join(", "),
        notes::machine(view),
        notes::effort(view, " per cell")
    )
}

/// `text` in which nothing is markup.
fn plain(text: &str) -> String {
    crate::render::plain_markdown(text)
}

/// Cut at a line, with a last line that says so; an open `details` is closed.
fn shortened(text: String) -> String {
    if text.len() <= COMMENT_MAX {
        return text;
    }
    const END: &str = "\n\n</details>\n\nThe comment is longer than GitHub permits; `bench-host report` has all.\n";
    let mut kept = String::new();
    for line in text.split_inclusive('\n') {
        if kept.len() + line.len() + END.len() > COMMENT_MAX {
            break;
        }
        kept.push_str(line);
    }
    let is_open = kept.matches("<details>").count() > kept.matches("</details>").count();
    kept + if is_open { END } else { END.trim_start_matches("\n\n</details>") }
}
