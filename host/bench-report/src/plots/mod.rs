//! Figures: panels of lines with their intervals, a legend below them, and what a reader must know to judge them. Knows how a
//! figure is laid out, not what it is of.

mod axis;
mod canvas;
mod font;
mod panel;
mod pixels;
mod style;
mod vector;

pub use style::Look;

use bench_model::Unit;
use canvas::{Anchor, Canvas, Lettering};
use style::{FAINT, INK};

const WIDTH: u32 = 1600;
const HEIGHT: u32 = 1000;
const MARGIN: f32 = 36.0;
const TITLE: Lettering = Lettering { size: 34.0, is_bold: true, colour: INK };
const LEGEND: Lettering = Lettering { size: 24.0, is_bold: false, colour: INK };
const NOTE: Lettering = Lettering { size: 21.0, is_bold: false, colour: FAINT };

/// Between two lines of text, over their size.
const LEADING: f32 = 1.45;

/// The line before the name in a legend, and the room behind the name.
const SAMPLE: f32 = 54.0;
const APART: f32 = 36.0;

/// What becomes a picture.
#[derive(Clone, Debug)]
pub struct Figure {
    /// The heading.
    pub title: String,
    /// Side by side; one at least.
    pub panels: Vec<Panel>,
    /// Said below: what points and intervals are, of how many.
    pub notes: Vec<String>,
}

/// Lines over one pair of axes.
#[derive(Clone, Debug)]
pub struct Panel {
    /// What tells it from the others; empty where it is alone.
    pub title: String,
    /// The axis from left to right.
    pub across: Dimension,
    /// The axis from bottom to top.
    pub up: Dimension,
    /// One at least, with one point at least each.
    pub lines: Vec<Line>,
}

/// What an axis shows.
#[derive(Clone, Debug)]
pub struct Dimension {
    /// Its name.
    pub title: String,
    /// Of the values as they are given; the axis chooses a step of it.
    pub unit: Unit,
}

/// Points that belong together. Lines of the same name in several panels look alike.
#[derive(Clone, Debug)]
pub struct Line {
    /// Its name in the legend.
    pub name: String,
    /// Its colour and its mark.
    pub look: Look,
    /// In the order of the line.
    pub points: Vec<Point>,
}

/// A value at a place, and between what it lies where that is known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// Along the axis from left to right.
    pub across: f64,
    /// Along the axis from bottom to top.
    pub up: f64,
    /// The interval, where it is known.
    pub between: Option<(f64, f64)>,
}

impl Figure {
    /// Every point with its panel and its line.
    pub(crate) fn points(&self) -> impl Iterator<Item = (&Panel, &Line, &Point)> {
        let lines = self.panels.iter().flat_map(|panel| panel.lines.iter().map(move |line| (panel, line)));
        lines.flat_map(|(panel, line)| line.points.iter().map(move |point| (panel, line, point)))
    }

    /// The figure as a PNG file of 1600 × 1000 pixels. `None` only where the font that is built in is none.
    pub fn png(&self) -> Option<Vec<u8>> {
        pixels::png(&self.drawn()?, WIDTH, HEIGHT)
    }

    /// The figure as an SVG document. `None` only where the font that is built in, by which text is placed, is none.
    pub fn svg(&self) -> Option<String> {
        Some(vector::svg(&self.drawn()?, WIDTH, HEIGHT, &self.title))
    }

    /// Title, panels, legend and notes on a sheet.
    fn drawn(&self) -> Option<Canvas> {
        let mut canvas = Canvas::new()?;
        let width = WIDTH as f32;
        canvas.text(&self.title, (width / 2.0, MARGIN + TITLE.size / 2.0), Anchor::Middle, TITLE);
        let mut bottom = HEIGHT as f32 - MARGIN / 2.0;
        for line in self.notes.iter().flat_map(|note| wrapped(&canvas, note)).collect::<Vec<_>>().iter().rev() {
            bottom -= NOTE.size * LEADING;
            canvas.text(line, (MARGIN, bottom + NOTE.size / 2.0), Anchor::Start, NOTE);
        }
        bottom = self.legend(&mut canvas, bottom - NOTE.size / 2.0);
        let top = MARGIN + TITLE.size * LEADING;
        let each = (width - MARGIN) / self.panels.len() as f32;
        for (index, panel) in self.panels.iter().enumerate() {
            let left = MARGIN / 2.0 + each * index as f32;
            let room = panel::Room { left, right: left + each, top, bottom: bottom - LEGEND.size / 2.0 };
            panel.draw(&mut canvas, room);
        }
        Some(canvas)
    }

    /// Names of all lines in rows that end above `bottom`; where the first begins.
    fn legend(&self, canvas: &mut Canvas, bottom: f32) -> f32 {
        let mut entries: Vec<&Line> = Vec::new();
        for line in self.panels.iter().flat_map(|panel| &panel.lines) {
            if entries.iter().all(|known| known.name != line.name) {
                entries.push(line);
            }
        }
        let room = WIDTH as f32 - 2.0 * MARGIN;
        let mut rows: Vec<Vec<(&Line, f32)>> = vec![Vec::new()];
        let mut begin = 0.0;
        for line in entries {
            let width = SAMPLE + 12.0 + canvas.width_of(&line.name, LEGEND.size) + APART;
            if begin + width - APART > room && begin > 0.0 {
                rows.push(Vec::new());
                begin = 0.0;
            }
            rows.last_mut().expect("there is a first row").push((line, begin));
            begin += width;
        }
        let top = bottom - rows.len() as f32 * LEGEND.size * LEADING;
        for (index, row) in rows.iter().enumerate() {
            let y = top + (index as f32 + 0.5) * LEGEND.size * LEADING;
            for (line, begin) in row {
                let x = MARGIN + begin;
                panel::sample(canvas, line.look, (x, y), SAMPLE);
                canvas.text(&line.name, (x + SAMPLE + 12.0, y), Anchor::Start, LEGEND);
            }
        }
        top
    }
}

/// `note` in lines that fit the width of the figure.
fn wrapped(canvas: &Canvas, note: &str) -> Vec<String> {
    let room = WIDTH as f32 - 2.0 * MARGIN;
    let mut lines = vec![String::new()];
    for word in note.split(' ') {
        let line = lines.last_mut().expect("there is a first line");
        let longer = if line.is_empty() { word.to_owned() } else { format!("{line} {word}") };
        if line.is_empty() || canvas.width_of(&longer, NOTE.size) <= room {
            *line = longer;
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use tiny_skia::Pixmap;

    fn figure(panels: usize, notes: &[&str]) -> Figure {
        let points = [10.0, 20.0, 40.0].map(|across| Point {
            across,
            up: across * 1_048_576.0,
            between: Some((across * 1e6, across * 1.1e6)),
        });
        let dimension = |title: &str, unit| Dimension { title: title.to_owned(), unit };
        let panel = Panel {
            title: "some".to_owned(),
            across: dimension("operators", Unit::Count),
            up: dimension("memory", Unit::Bytes),
            lines: vec![Line { name: "active".to_owned(), look: Look::of(0), points: points.to_vec() }],
        };
        Figure {
            title: "A figure".to_owned(),
            panels: vec![panel; panels],
            notes: notes.iter().map(|note| (*note).to_owned()).collect(),
        }
    }

    fn drawn(figure: &Figure) -> Pixmap {
        Pixmap::decode_png(&figure.png().unwrap()).unwrap()
    }

    /// How many pixels of the colour there are in the rows.
    fn count(pixels: &Pixmap, rows: std::ops::Range<u32>, is_it: fn(u8, u8, u8) -> bool) -> usize {
        let colours = rows.flat_map(|y| (0..WIDTH).filter_map(move |x| pixels.pixel(x, y)));
        colours.filter(|colour| is_it(colour.red(), colour.green(), colour.blue())).count()
    }

    #[test]
    fn a_figure_has_its_size_its_line_and_its_letters() {
        let pixels = drawn(&figure(1, &["a note"]));
        assert_eq!((pixels.width(), pixels.height()), (WIDTH, HEIGHT));
        assert!(count(&pixels, 0..HEIGHT, |red, green, blue| (red, green, blue) == (0, 114, 178)) > 2_000, "the line");
        let is_dark = |red: u8, green: u8, blue: u8| red < 64 && green < 64 && blue < 64;
        assert!(count(&pixels, 30..80, is_dark) > 500, "the title");
        let is_grey = |red: u8, _: u8, _: u8| red < 140;
        assert!(count(&pixels, HEIGHT - 60..HEIGHT, is_grey) > 100, "the note");
    }

    #[test]
    fn a_note_that_is_too_long_has_several_lines() {
        let canvas = Canvas::new().unwrap();
        let long = "many words ".repeat(40);
        let lines = wrapped(&canvas, long.trim_end());
        assert!(lines.len() > 2);
        assert_eq!(lines.join(" "), long.trim_end());
        assert!(lines.iter().all(|line| canvas.width_of(line, NOTE.size) <= WIDTH as f32 - 2.0 * MARGIN));
    }

    #[test]
    fn svg_has_the_same_shapes_and_text_that_is_no_markup() {
        let mut figure = figure(1, &["a note"]);
        figure.title = "A <figure> & more".to_owned();
        let svg = figure.svg().unwrap();
        assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"), "{svg}");
        for expect in ["A &lt;figure&gt; &amp; more", ">a note</text>", "#0072b2", ">operators</text>"] {
            assert!(svg.contains(expect), "{expect}: {svg}");
        }
        assert_eq!(svg.matches("<circle ").count(), 3 + 1, "the points and the one of the legend");
    }

    #[test]
    fn one_place_has_bars_and_no_axis() {
        let mut figure = figure(1, &[]);
        figure.panels[0].lines[0].points.truncate(1);
        let svg = figure.svg().unwrap();
        assert!(svg.contains(">operators: 10</text>"), "{svg}");
        assert_eq!((svg.matches("<circle ").count(), svg.matches("<rect ").count()), (2, 2), "{svg}");
    }

    #[test]
    fn panels_share_a_legend() {
        let (one, three) = (drawn(&figure(1, &[])), drawn(&figure(3, &[])));
        let legend = |pixels: &Pixmap| {
            let row = HEIGHT - 60..HEIGHT - 18;
            count(pixels, row, |red, green, blue| (red, green, blue) == (0, 114, 178))
        };
        assert!(legend(&one) > 50);
        assert_eq!(legend(&one), legend(&three));
    }
}
