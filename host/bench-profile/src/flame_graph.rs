//! A flame graph as SVG: a box for each function in each stack, as wide as its share of the time, above its caller. Green is the module under
//! test, orange the kernel, yellow the host. It contains no script: the text of a box is shown when the pointer is on it.

use crate::{Owner, Profile};
use std::collections::BTreeMap;
use std::fmt::Write;

/// A flame graph that cannot be drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FlameGraphError {
    /// There are no samples.
    #[error("the profiler took no sample; let it run for longer with --time")]
    Empty,
}

/// In pixels.
const WIDTH: f64 = 1200.0;
const LINE: f64 = 17.0;
const MARGIN: f64 = 10.0;
const HEAD: f64 = 36.0;
const NOTE: f64 = 16.0;

/// Of the letters of a monospaced font of 12 pixels.
const LETTER: f64 = 7.2;

/// A narrower box is not drawn; its time is part of its caller's.
const BOX_MIN: f64 = 0.2;

/// Deeper stacks are cut.
const DEPTH_MAX: usize = 200;

/// One line for each stack: its functions, separated by semicolons, and its processor time in microseconds. Other tools read this.
/// The functions of the module end with `_[j]`, those of the kernel with `_[k]`, as `stackcollapse` writes them.
pub fn folded(profile: &Profile) -> Vec<String> {
    let mut stacks: BTreeMap<String, u64> = BTreeMap::new();
    for sample in &profile.samples {
        let frames = sample.frames.iter().map(|frame| {
            let suffix = match frame.owner {
                Owner::Guest => "_[j]",
                Owner::Kernel => "_[k]",
                Owner::Host => "",
            };
            // These separate stacks and counts.
            let is_separator = |letter: char| is_unseen(letter) || letter == ';';
            format!("{}{suffix}", frame.name.replace(is_separator, ":"))
        });
        *stacks.entry(frames.collect::<Vec<_>>().join(";")).or_default() += sample.weight_ns;
    }
    stacks.into_iter().map(|(stack, ns)| format!("{stack} {}", ns.div_ceil(1_000))).collect()
}

/// A function and what it called, over all stacks with the same callers.
#[derive(Debug, Default)]
struct Node<'a> {
    total_ns: u64,
    /// By name and owner, so that equal profiles are drawn equally.
    callees: BTreeMap<(&'a str, Owner), Node<'a>>,
}

impl<'a> Node<'a> {
    fn of(profile: &'a Profile) -> Self {
        let mut root = Self::default();
        for sample in &profile.samples {
            root.total_ns += sample.weight_ns;
            let mut node = &mut root;
            for frame in sample.frames.iter().take(DEPTH_MAX) {
                node = node.callees.entry((&frame.name, frame.owner)).or_default();
                node.total_ns += sample.weight_ns;
            }
        }
        root
    }

    fn depth(&self) -> usize {
        self.callees.values().map(|callee| 1 + callee.depth()).max().unwrap_or(0)
    }
}

/// The flame graph of `profile` under `title` and a line for each of `notes`. It needs no other file.
pub fn flame_graph(profile: &Profile, title: &str, notes: &[String]) -> Result<Vec<u8>, FlameGraphError> {
    let root = Node::of(profile);
    if root.total_ns == 0 {
        return Err(FlameGraphError::Empty);
    }
    let height = HEAD + notes.len() as f64 * NOTE + root.depth() as f64 * LINE + MARGIN;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" viewBox=\"0 0 {WIDTH} {height}\" \
         font-family=\"monospace\" font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n\
         <text x=\"{MARGIN}\" y=\"20\" font-size=\"15\">{}</text>\n",
        escaped(title)
    );
    for (index, note) in notes.iter().enumerate() {
        let line = HEAD + 2.0 + index as f64 * NOTE;
        // Writing to a string does not fail.
        let _ = writeln!(svg, "<text x=\"{MARGIN}\" y=\"{line}\">{}</text>", escaped(note));
    }
    let scale = (WIDTH - 2.0 * MARGIN) / root.total_ns as f64;
    Drawing { total_ns: root.total_ns, scale, bottom: height - MARGIN }.boxes(&root, MARGIN, 0, &mut svg);
    svg.push_str("</svg>\n");
    Ok(svg.into_bytes())
}

struct Drawing {
    total_ns: u64,
    /// Pixels a nanosecond.
    scale: f64,
    bottom: f64,
}

impl Drawing {
    /// Draws what `node` called, beginning at `left`, `depth` lines above the bottom.
    fn boxes(&self, node: &Node<'_>, left: f64, depth: usize, svg: &mut String) {
        let mut left = left;
        for ((name, owner), callee) in &node.callees {
            let width = callee.total_ns as f64 * self.scale;
            if width >= BOX_MIN {
                let top = self.bottom - (depth + 1) as f64 * LINE;
                let percent = callee.total_ns as f64 / self.total_ns as f64 * 100.0;
                let about =
                    format!("{name} ({}): {:.3} ms, {percent:.2} %", owner.as_str(), callee.total_ns as f64 / 1e6);
                // Writing to a string does not fail.
                let _ = writeln!(
                    svg,
                    "<g><title>{}</title><rect x=\"{left:.2}\" y=\"{top:.1}\" width=\"{width:.2}\" height=\"{:.1}\" rx=\"1\" fill=\"{}\" \
                     stroke=\"#ffffff\" stroke-width=\"0.5\"/>{}</g>",
                    escaped(&about),
                    LINE - 1.0,
                    color(*owner, depth),
                    label(name, left, top, width)
                );
                self.boxes(callee, left, depth + 1, svg);
            }
            left += width;
        }
    }
}

/// The name as far as it fits; nothing in a narrow box.
fn label(name: &str, left: f64, top: f64, width: f64) -> String {
    let letters = ((width - 6.0) / LETTER).floor().max(0.0) as usize;
    if letters < 3 {
        return String::new();
    }
    let fits = name.chars().count() <= letters;
    let text: String = if fits { name.to_owned() } else { name.chars().take(letters - 1).chain(['…']).collect() };
    format!("<text x=\"{:.2}\" y=\"{:.1}\">{}</text>", left + 3.0, top + 12.0, escaped(&text))
}

/// The colour of an owner, a little different from line to line, so that boxes of one owner are told apart.
fn color(owner: Owner, depth: usize) -> &'static str {
    let colors = match owner {
        Owner::Guest => ["#66c266", "#85d085"],
        Owner::Host => ["#f2d95c", "#f6e48a"],
        Owner::Kernel => ["#f0913a", "#f4ab66"],
    };
    colors[depth % 2]
}

/// Whether a character does something else than to be seen, such as to turn the direction of reading, or is none that XML can hold. Modules
/// choose the names of their functions.
fn is_unseen(character: char) -> bool {
    let is_format =
        matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    character.is_control() || is_format || matches!(character, '\u{fffe}' | '\u{ffff}')
}

/// Text as XML may contain it, without characters that are not seen.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            letter if is_unseen(letter) => escaped.push('\u{fffd}'),
            letter => escaped.push(letter),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Frame, Sample};

    fn sample(frames: &[(&str, Owner)]) -> Sample {
        let frames = frames.iter().map(|(name, owner)| Frame { name: (*name).to_owned(), owner: *owner });
        Sample { thread: 1, time_ns: 0, weight_ns: 1_000_000, frames: frames.collect() }
    }

    #[test]
    fn stacks_are_folded_with_owners() {
        let stack = [("main", Owner::Host), ("json::parse", Owner::Guest), ("page_fault", Owner::Kernel)];
        let profile = Profile { samples: vec![sample(&stack), sample(&stack), sample(&stack[..1])] };
        assert_eq!(folded(&profile), ["main 1000", "main;json::parse_[j];page_fault_[k] 2000"]);
    }

    #[test]
    fn characters_that_xml_forbids_are_replaced() {
        assert_eq!(escaped("a\u{fffe}\u{ffff}\u{1b}<"), "a\u{fffd}\u{fffd}\u{fffd}&lt;");
    }

    #[test]
    fn boxes_are_as_wide_as_their_share_and_name_their_owner() {
        let stack = [("main", Owner::Host), ("json::parse", Owner::Guest)];
        let profile = Profile { samples: vec![sample(&stack), sample(&stack[..1])] };
        let svg = String::from_utf8(flame_graph(&profile, "a <title>", &["n 2".to_owned()]).unwrap()).unwrap();
        assert!(
            svg.contains(
                "<title>main (host): 2.000 ms, 100.00 %</title><rect x=\"10.00\" y=\"69.0\" width=\"1180.00\""
            ),
            "{svg}"
        );
        assert!(
            svg.contains(
                "<title>json::parse (guest): 1.000 ms, 50.00 %</title><rect x=\"10.00\" y=\"52.0\" width=\"590.00\""
            ),
            "{svg}"
        );
        assert!(svg.contains("a &lt;title&gt;") && svg.contains(">json::parse</text>"), "{svg}");
    }

    #[test]
    fn notes_stand_between_the_title_and_the_boxes() {
        let profile = Profile { samples: vec![sample(&[("main", Owner::Host), ("json::parse", Owner::Guest)])] };
        let notes = ["n 1 samples".to_owned(), "A & B × 2; seed 7".to_owned()];
        let svg = String::from_utf8(flame_graph(&profile, "title", &notes).unwrap()).unwrap();
        let heads = svg.split_once("<g>").unwrap().0.lines().skip(2).collect::<Vec<_>>();
        let expect = [
            "<text x=\"10\" y=\"20\" font-size=\"15\">title</text>",
            "<text x=\"10\" y=\"38\">n 1 samples</text>",
            "<text x=\"10\" y=\"54\">A &amp; B × 2; seed 7</text>",
        ];
        assert_eq!(heads, expect);
        // The picture is so much higher that the uppermost box begins below the last note.
        assert!(svg.contains("height=\"112\"") && svg.contains("y=\"68.0\"") && svg.contains("y=\"85.0\""), "{svg}");
    }

    #[test]
    fn names_of_modules_cannot_leave_their_box() {
        let profile = Profile { samples: vec![sample(&[("</svg><script>\u{1b}[31m\u{202e}\"", Owner::Guest)])] };
        let svg = String::from_utf8(flame_graph(&profile, "", &[]).unwrap()).unwrap();
        assert!(!svg.contains("<script") && !svg.contains(['\u{1b}', '\u{202e}']), "{svg}");
        assert!(!folded(&profile)[0].contains(['\u{1b}', '\u{202e}']));
        assert_eq!(svg.matches("</svg>").count(), 1);
        assert_eq!(flame_graph(&Profile::default(), "", &[]), Err(FlameGraphError::Empty));
    }
}
