//! A bar for each thing over one axis, made of parts one behind the other, such as the stages of a transfer.

use super::axis::Axis;
use super::canvas::{Anchor, Canvas};
use super::panel::{MARK, Room};
use super::rows::{AXIS, EACH, NAME, shortened, ticks};
use super::{APART, Dimension, LEADING, LEGEND, Look, SAMPLE, chart};

/// About how wide a letter of the legend is, over its size.
const LETTER: f32 = 0.66;

/// The share of the width that names take at most.
const NAMES_MAX: f32 = 0.5;

/// The gap between two parts, in pixels.
const GAP: f32 = 2.0;

/// Bars of parts over one axis that begins at 0.
#[derive(Clone, Debug)]
pub struct Stacks {
    /// The heading. Not escaped.
    pub title: String,
    /// What the axis shows.
    pub across: Dimension,
    /// One at least.
    pub stacks: Vec<Stack>,
    /// The notes below: what parts are, of how many. Not escaped.
    pub notes: Vec<String>,
}

/// One bar.
#[derive(Clone, Debug)]
pub struct Stack {
    /// What it is. Not escaped.
    pub name: String,
    /// Its whole in words, at the end of the row. Not escaped.
    pub value: String,
    /// Its parts from left to right.
    pub parts: Vec<StackPart>,
}

/// A part of a bar. Parts of the same name look alike in all bars.
#[derive(Clone, Debug, PartialEq)]
pub struct StackPart {
    /// Its name in the legend. Not escaped.
    pub name: String,
    /// How long it is, in the unit of the axis; not negative.
    pub amount: f64,
}

impl Stack {
    fn whole(&self) -> f64 {
        self.parts.iter().map(|part| part.amount).sum()
    }
}

impl Stacks {
    /// The names of all parts, each once, in the order in which they first appear.
    fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for part in self.stacks.iter().flat_map(|stack| &stack.parts) {
            if !names.contains(&part.name.as_str()) {
                names.push(&part.name);
            }
        }
        names
    }

    /// How many pixels high it is drawn on a sheet of this width.
    pub(super) fn height(&self, width: f32) -> f32 {
        let entry = |name: &str| SAMPLE + 12.0 + APART + name.chars().count() as f32 * LEGEND.size * LETTER;
        let entries: f32 = self.names().into_iter().map(entry).sum();
        let legend = (entries / width).ceil().max(1.0) * LEGEND.size * LEADING;
        self.stacks.len() as f32 * EACH + AXIS + legend + LEGEND.size
    }

    pub(super) fn draw(&self, canvas: &mut Canvas, room: Room) {
        let legend: Vec<(&str, Look)> =
            self.names().into_iter().enumerate().map(|(index, name)| (name, Look::of(index))).collect();
        chart::legend(canvas, room, &legend);
        let width = room.right - room.left;
        let names: Vec<String> =
            self.stacks.iter().map(|stack| shortened(canvas, &stack.name, width * NAMES_MAX)).collect();
        let widest = |texts: Vec<&str>| texts.iter().map(|text| canvas.width_of(text, NAME.size)).fold(0.0, f32::max);
        let of_names = widest(names.iter().map(String::as_str).collect());
        let of_values = widest(self.stacks.iter().map(|stack| stack.value.as_str()).collect());
        let plot = Room {
            left: room.left + of_names + 18.0,
            right: room.right - of_values - 34.0,
            top: room.top,
            bottom: room.top + self.stacks.len() as f32 * EACH,
        };
        let wholes: Vec<f64> = self.stacks.iter().map(Stack::whole).collect();
        let axis = Axis::from_zero(&self.across.title, &self.across.unit, &wholes, &[]);
        ticks(canvas, plot, &axis);
        for (index, (stack, name)) in self.stacks.iter().zip(&names).enumerate() {
            let y = plot.top + (index as f32 + 0.5) * EACH;
            canvas.text(name, (plot.left - 12.0, y), Anchor::End, NAME);
            canvas.text(&stack.value, (plot.right + 16.0, y), Anchor::Start, NAME);
            stack.draw(canvas, plot, y, &axis, &legend);
        }
    }
}

impl Stack {
    fn draw(&self, canvas: &mut Canvas, plot: Room, y: f32, axis: &Axis, legend: &[(&str, Look)]) {
        let place = |value: f64| plot.left + axis.place(value) as f32 * (plot.right - plot.left);
        let mut end = 0.0;
        for part in &self.parts {
            let (from, to) = (place(end), place(end + part.amount));
            end += part.amount;
            let look = legend.iter().find(|(name, _)| *name == part.name).map_or(Look::of(0), |(_, look)| *look);
            let to = if to - from > 2.0 * GAP { to - GAP } else { to };
            canvas.bar((from, y - EACH * 0.32), (to, y + EACH * 0.32), look.colour);
            // Lines of equal colour differ in their mark, as in the legend.
            if to - from > 2.0 * MARK {
                canvas.mark(look.mark, ((from + to) / 2.0, y), MARK, look.colour);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::chart::Pictures;
    use super::*;
    use crate::plots::Chart;
    use bench_model::Unit;

    fn stacks(of: &[&[(&str, f64)]]) -> Chart {
        let stack = |parts: &&[(&str, f64)]| Stack {
            name: "a <transfer>".to_owned(),
            value: "12 ms".to_owned(),
            parts: parts.iter().map(|(name, amount)| StackPart { name: (*name).to_owned(), amount: *amount }).collect(),
        };
        Chart::Stacks(Stacks {
            title: "Stages".to_owned(),
            across: Dimension { title: "time".to_owned(), unit: Unit::Nanoseconds },
            stacks: of.iter().map(stack).collect(),
            notes: vec!["n = 3".to_owned()],
        })
    }

    /// The widths of the bars in this colour.
    fn widths(svg: &str, colour: &str) -> Vec<f64> {
        let bars = svg.lines().filter(|line| line.starts_with("<rect x") && line.contains(colour));
        let width =
            |line: &str| line.split("width=\"").nth(1).and_then(|rest| rest.split('"').next()?.parse::<f64>().ok());
        bars.filter_map(width).collect()
    }

    #[test]
    fn parts_lie_one_behind_the_other_in_proportion() {
        let svg = stacks(&[&[("fetch", 6e6), ("flush", 3e6)], &[("flush", 6e6)]]).pictures(false).unwrap().svg;
        let [fetch] = widths(&svg, "#0072b2")[..] else { panic!("{svg}") };
        let [first, second] = widths(&svg, "#d55e00")[..] else { panic!("{svg}") };
        let near = |one: f64, other: f64| (one - other).abs() < 0.5;
        let gap = f64::from(GAP);
        assert!(near(fetch, second) && near((first + gap) * 2.0, second + gap), "{fetch} {first} {second}");
        for expect in ["a &lt;transfer&gt;", ">12 ms</text>", ">fetch</text>", ">time (ms)</text>", ">n = 3</text>"] {
            assert!(svg.contains(expect), "{expect}: {svg}");
        }
        assert_eq!(svg.matches(">flush</text>").count(), 1, "a name is in the legend once");
    }

    #[test]
    fn a_part_of_nothing_leaves_no_mark() {
        let chart = stacks(&[&[("fetch", 0.0), ("flush", 3e6)]]);
        let Pictures { svg, png } = chart.pictures(true).unwrap();
        // One in the legend each; the first mark is a circle.
        assert_eq!(svg.matches("<circle ").count(), 1, "{svg}");
        assert!(png.unwrap().starts_with(b"\x89PNG"));
        assert!(chart.inline().unwrap().contains("class=\"a k1\""));
    }
}
