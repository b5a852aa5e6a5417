//! A sheet with lines, bars, marks and text on it, in pixels. It keeps what was drawn, so that pictures of every kind come from one
//! layout.

use super::font::Face;
use super::style::{Colour, Mark};

/// Where in a text its place is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// How a text looks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lettering {
    pub(super) size: f32,
    pub(super) is_bold: bool,
    pub(super) colour: Colour,
}

/// A place, from the left and from the top.
pub(super) type Place = (f32, f32);

/// Something that was drawn.
#[derive(Clone, Debug)]
pub(super) enum Shape {
    /// Letters, whose anchor and whose middle of capital letters are at the place.
    Text { text: String, at: Place, anchor: Anchor, look: Lettering, is_upwards: bool },
    /// A line through points.
    Line { points: Vec<Place>, width: f32, colour: Colour, is_dashed: bool },
    /// A filled rectangle between two corners.
    Bar { from: Place, to: Place, colour: Colour },
    /// A faint area within an outline; what lies under it stays visible.
    Area { outline: Vec<Place>, colour: Colour },
    /// A mark with a white rim that keeps it apart from what lies under it.
    Mark { mark: Mark, at: Place, size: f32, colour: Colour },
}

/// The sheet.
pub(super) struct Canvas {
    pub(super) face: Face,
    pub(super) shapes: Vec<Shape>,
    /// How many times wider text may be than in the built-in font: a page is shown in a font of the reader's system.
    widening: f32,
}

impl Canvas {
    /// An empty sheet. `None` where the font that is built in is none.
    pub(super) fn new() -> Option<Self> {
        Some(Self { face: Face::built_in()?, shapes: Vec::new(), widening: 1.0 })
    }

    /// The same for a part of a page.
    pub(super) fn of_page() -> Option<Self> {
        Some(Self { widening: 1.22, ..Self::new()? })
    }

    /// How many pixels wide `text` is.
    pub(super) fn width_of(&self, text: &str, size: f32) -> f32 {
        self.widening * self.face.width(text, size)
    }

    /// Writes `text` with its anchor at `x`, and the middle of its capital letters at `y`.
    pub(super) fn text(&mut self, text: &str, at: Place, anchor: Anchor, look: Lettering) {
        self.shapes.push(Shape::Text { text: text.to_owned(), at, anchor, look, is_upwards: false });
    }

    /// Writes `text` from the bottom up, its middle at the place.
    pub(super) fn text_upwards(&mut self, text: &str, at: Place, look: Lettering) {
        let anchor = Anchor::Middle;
        self.shapes.push(Shape::Text { text: text.to_owned(), at, anchor, look, is_upwards: true });
    }

    /// A line through `points`.
    pub(super) fn line(&mut self, points: &[Place], width: f32, colour: Colour, is_dashed: bool) {
        self.shapes.push(Shape::Line { points: points.to_vec(), width, colour, is_dashed });
    }

    /// A filled rectangle.
    pub(super) fn bar(&mut self, from: Place, to: Place, colour: Colour) {
        self.shapes.push(Shape::Bar { from, to, colour });
    }

    /// A faint area within `outline`.
    pub(super) fn area(&mut self, outline: Vec<Place>, colour: Colour) {
        self.shapes.push(Shape::Area { outline, colour });
    }

    /// A mark of about `size` pixels at `at`.
    pub(super) fn mark(&mut self, mark: Mark, at: Place, size: f32, colour: Colour) {
        self.shapes.push(Shape::Mark { mark, at, size, colour });
    }
}

/// The outline of a mark around `at`; marks have about the same area.
pub(super) enum Outline {
    Circle(f32),
    Polygon(Vec<Place>),
}

/// The outline of a mark of `size` at a place.
pub(super) fn outline_of(mark: Mark, (x, y): Place, size: f32) -> Outline {
    let half = size / 2.0;
    let polygon = |corners: &[Place]| {
        Outline::Polygon(corners.iter().map(|(right, down)| (x + right * half, y + down * half)).collect())
    };
    match mark {
        Mark::Circle => Outline::Circle(half),
        Mark::Square => polygon(&[(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)]),
        Mark::Triangle => polygon(&[(0.0, -1.2), (1.15, 0.8), (-1.15, 0.8)]),
        Mark::Diamond => polygon(&[(0.0, -1.25), (1.25, 0.0), (0.0, 1.25), (-1.25, 0.0)]),
        Mark::TriangleDown => polygon(&[(0.0, 1.2), (1.15, -0.8), (-1.15, -0.8)]),
    }
}
