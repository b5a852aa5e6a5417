//! Figures: panels of lines with their intervals, a legend below them, and what a reader must know to judge them.

mod axis;
mod canvas;
mod chart;
mod curves;
mod font;
mod inline;
#[cfg(feature = "png")]
mod outline;
mod panel;
#[cfg(feature = "png")]
mod pixels;
mod rows;
mod stacks;
mod style;
mod vector;

/// No sheet becomes a PNG file.
#[cfg(not(feature = "png"))]
mod pixels {
    pub(super) fn png(_: &super::Canvas, _: u32, _: u32) -> Option<Vec<u8>> {
        None
    }
}

pub(crate) use chart::Chart;
pub(crate) use curves::{Curve, Curves, Scale, Shape};
pub(crate) use rows::{Row, Rows, Tone};
pub use stacks::{Stack, StackPart, Stacks};
pub use style::Look;

use bench_model::Unit;
use canvas::{Canvas, Lettering};
use chart::Sheet;
use panel::Room;
use style::{FAINT, INK};

const MARGIN: f32 = 36.0;
const TITLE: Lettering = Lettering { size: 34.0, is_bold: true, colour: INK };
const LEGEND: Lettering = Lettering { size: 24.0, is_bold: false, colour: INK };
const NOTE: Lettering = Lettering { size: 21.0, is_bold: false, colour: FAINT };

/// Between two lines of text, over their size.
const LEADING: f32 = 1.45;

/// So many panels stand side by side at most.
const COLUMNS_MAX: usize = 3;

/// The line before the name in a legend, and the room behind the name.
const SAMPLE: f32 = 54.0;
const APART: f32 = 36.0;

/// What becomes a picture.
#[derive(Clone, Debug)]
pub struct Figure {
    /// The heading.
    pub title: String,
    /// Side by side, up to three in a row; one at least.
    pub panels: Vec<Panel>,
    /// The notes below: what points and intervals are, of how many.
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

    /// The figure as a PNG file of 1600 × 1000 pixels; every further row of panels makes it higher. `None` only where the font that is
    /// built in is none, or without the feature `png`.
    pub fn png(&self) -> Option<Vec<u8>> {
        let sheet = self.sheet();
        pixels::png(&self.drawn()?, sheet.width, sheet.height)
    }

    /// The figure as an SVG document. `None` only where the font that is built in, by which text is placed, is none.
    pub fn svg(&self) -> Option<String> {
        let sheet = self.sheet();
        Some(vector::svg(&self.drawn()?, sheet.width, sheet.height, &self.title))
    }

    /// Title, panels, legend and notes on a sheet.
    fn drawn(&self) -> Option<Canvas> {
        let mut canvas = Canvas::new()?;
        let room = chart::framed(&mut canvas, self.sheet(), &self.title, &self.notes);
        self.draw(&mut canvas, room);
        Some(canvas)
    }

    /// The size of a file of its own.
    fn sheet(&self) -> Sheet {
        Sheet::FILE.with_rows(self.grid().1)
    }

    /// How many panels stand side by side, and in how many rows.
    fn grid(&self) -> (usize, usize) {
        let columns = match self.panels.len() {
            4 => 2,
            panels => panels.clamp(1, COLUMNS_MAX),
        };
        (columns, self.panels.len().div_ceil(columns).max(1))
    }

    /// The figure without title and notes in its room.
    fn draw(&self, canvas: &mut Canvas, room: Room) {
        let lines = self.panels.iter().flat_map(|panel| &panel.lines);
        let entries: Vec<(&str, Look)> = lines.map(|line| (line.name.as_str(), line.look)).collect();
        let bottom = chart::legend(canvas, room, &entries);
        let (columns, rows) = self.grid();
        let width = (room.right - room.left) / columns as f32;
        let height = (bottom - LEGEND.size / 2.0 - room.top) / rows as f32;
        for (index, panel) in self.panels.iter().enumerate() {
            let (left, top) =
                (room.left + width * (index % columns) as f32, room.top + height * (index / columns) as f32);
            panel.draw(canvas, Room { left, right: left + width, top, bottom: top + height });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chart::wrapped;
    use tiny_skia::Pixmap;

    const WIDTH: u32 = Sheet::FILE.width;
    const HEIGHT: u32 = Sheet::FILE.height;

    fn figure(panels: usize, notes: &[&str]) -> Figure {
        let points = [10.0, 20.0, 40.0].map(|across| Point {
            across,
            up: across * 1_048_576.0,
            between: Some((across * 1e6, across * 1.1e6)),
        });
        let dimension = |title: &str, unit| Dimension { title: title.to_owned(), unit };
        let panel = Panel {
            title: "some".to_owned(),
            across: dimension("streams", Unit::Count),
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
        let lines = wrapped(&canvas, long.trim_end(), WIDTH as f32 - 2.0 * MARGIN);
        assert!(lines.len() > 2);
        assert_eq!(lines.join(" "), long.trim_end());
        assert!(lines.iter().all(|line| canvas.width_of(line, NOTE.size) <= WIDTH as f32 - 2.0 * MARGIN));
    }

    #[test]
    fn svg_has_the_same_shapes_and_escaped_text() {
        let mut figure = figure(1, &["a note"]);
        figure.title = "A <figure> & more".to_owned();
        let svg = figure.svg().unwrap();
        assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"), "{svg}");
        for expect in ["A &lt;figure&gt; &amp; more", ">a note</text>", "#0072b2", ">streams</text>"] {
            assert!(svg.contains(expect), "{expect}: {svg}");
        }
        assert_eq!(svg.matches("<circle ").count(), 3 + 1, "the points and the one of the legend");
    }

    #[test]
    fn one_place_has_bars_and_no_axis() {
        let mut figure = figure(1, &[]);
        figure.panels[0].lines[0].points.truncate(1);
        let svg = figure.svg().unwrap();
        assert!(svg.contains(">streams: 10</text>"), "{svg}");
        assert_eq!((svg.matches("<circle ").count(), svg.matches("<rect ").count()), (2, 2), "{svg}");
    }

    #[test]
    fn intervals_of_adjacent_points_are_joined_by_a_band() {
        let mut figure = figure(1, &[]);
        let bands = |figure: &Figure| figure.svg().unwrap().matches("fill-opacity=\"0.18\"").count();
        assert_eq!(bands(&figure), 1);
        figure.panels[0].lines[0].points[1].between = None;
        assert_eq!(bands(&figure), 0, "no two adjacent points have one");
    }

    #[test]
    fn lines_without_marks_are_not_set_apart() {
        let mut figure = figure(1, &[]);
        figure.panels[0].lines[0].look = Look::of(0).unmarked();
        let svg = figure.svg().unwrap();
        assert_eq!(svg.matches("<circle ").count(), 0, "{svg}");
        let same = figure.panels[0].lines[0].clone();
        figure.panels[0].lines.push(same);
        let svg = figure.svg().unwrap();
        let line = svg.lines().find(|line| line.contains("#0072b2") && line.matches(',').count() == 3);
        let line = line.unwrap_or_else(|| panic!("{svg}"));
        assert_eq!(svg.matches(line).count(), 2, "one lies on the other: {svg}");
    }

    #[test]
    fn many_panels_are_a_grid() {
        let check = |panels: usize, grid: (usize, usize), height: u32| {
            let figure = figure(panels, &[]);
            assert_eq!((figure.grid(), figure.sheet().height), (grid, height), "{panels}");
        };
        check(1, (1, 1), HEIGHT);
        check(3, (3, 1), HEIGHT);
        check(4, (2, 2), HEIGHT + 700);
        check(7, (3, 3), HEIGHT + 1400);
        let pixels = drawn(&figure(4, &[]));
        assert_eq!((pixels.width(), pixels.height()), (WIDTH, HEIGHT + 700));
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
