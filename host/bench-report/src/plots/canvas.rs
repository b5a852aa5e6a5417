//! A sheet of pixels with lines, marks and text on it. Knows coordinates in pixels, not what they stand for.

use super::style::{Colour, Mark};
use ab_glyph::{Font, FontRef, OutlineCurve, Point};
use epaint_default_fonts::UBUNTU_LIGHT;
use tiny_skia::{
    Color, FillRule, LineCap, LineJoin, Paint, Path, PathBuilder, Pixmap, Rect, Stroke, StrokeDash, Transform,
};

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

/// The sheet. The font is part of the program, because a machine that measures need not have one.
pub(super) struct Canvas {
    pixels: Pixmap,
    font: FontRef<'static>,
}

/// The outline is made heavier by so much of the size: the font is a light one, and thin strokes are grey on a screen.
const WEIGHT: f32 = 0.018;
const WEIGHT_BOLD: f32 = 0.06;

/// The height of a capital letter over the size.
const CAPITAL: f32 = 0.7;

impl Canvas {
    /// A white sheet. `None` where it has no area or the font is not one.
    pub(super) fn new(width: u32, height: u32) -> Option<Self> {
        let mut pixels = Pixmap::new(width, height)?;
        pixels.fill(Color::WHITE);
        Some(Self { pixels, font: FontRef::try_from_slice(UBUNTU_LIGHT).ok()? })
    }

    /// The sheet as a PNG file.
    pub(super) fn png(&self) -> Option<Vec<u8>> {
        self.pixels.encode_png().ok()
    }

    /// How many pixels wide `text` is.
    pub(super) fn width_of(&self, text: &str, size: f32) -> f32 {
        self.placed(text, size).1
    }

    /// Writes `text` with its anchor at `x`, and the middle of its capital letters at `y`.
    pub(super) fn text(&mut self, text: &str, (x, y): (f32, f32), anchor: Anchor, look: Lettering) {
        self.write(text, Transform::from_translate(x, y), anchor, look);
    }

    /// Writes `text` from the bottom up, its middle at the place.
    pub(super) fn text_upwards(&mut self, text: &str, (x, y): (f32, f32), look: Lettering) {
        self.write(text, Transform::from_rotate(-90.0).post_translate(x, y), Anchor::Middle, look);
    }

    fn write(&mut self, text: &str, place: Transform, anchor: Anchor, look: Lettering) {
        let (path, width) = self.placed(text, look.size);
        let Some(path) = path else { return };
        let begin = match anchor {
            Anchor::Start => 0.0,
            Anchor::Middle => -width / 2.0,
            Anchor::End => -width,
        };
        let place = place.pre_translate(begin, look.size * CAPITAL / 2.0);
        let weight = if look.is_bold { WEIGHT_BOLD } else { WEIGHT };
        let stroke = Stroke { width: look.size * weight, line_join: LineJoin::Round, ..Stroke::default() };
        let paint = paint(look.colour);
        self.pixels.fill_path(&path, &paint, FillRule::Winding, place, None);
        self.pixels.stroke_path(&path, &paint, &stroke, place, None);
    }

    /// The outline of `text` from the beginning of its base line, none where nothing of it is seen, and its width.
    fn placed(&self, text: &str, size: f32) -> (Option<Path>, f32) {
        let scale = size / self.font.units_per_em().unwrap_or(1000.0);
        let mut path = PathBuilder::new();
        let (mut x, mut before) = (0.0, None);
        for letter in text.chars() {
            let glyph = self.font.glyph_id(letter);
            x += before.map_or(0.0, |before| self.font.kern_unscaled(before, glyph) * scale);
            if let Some(outline) = self.font.outline(glyph) {
                add(&mut path, &outline.curves, |point| (x + point.x * scale, -point.y * scale));
            }
            x += self.font.h_advance_unscaled(glyph) * scale;
            before = Some(glyph);
        }
        (path.finish(), x)
    }

    /// A line through `points`.
    pub(super) fn line(&mut self, points: &[(f32, f32)], width: f32, colour: Colour, is_dashed: bool) {
        let mut path = PathBuilder::new();
        let mut points = points.iter();
        let Some(first) = points.next() else { return };
        path.move_to(first.0, first.1);
        points.for_each(|point| path.line_to(point.0, point.1));
        let dash = if is_dashed { StrokeDash::new(vec![4.0 * width, 2.5 * width], 0.0) } else { None };
        let stroke = Stroke { width, line_cap: LineCap::Butt, line_join: LineJoin::Round, dash, ..Stroke::default() };
        if let Some(path) = path.finish() {
            self.pixels.stroke_path(&path, &paint(colour), &stroke, Transform::identity(), None);
        }
    }

    /// A mark of about `size` pixels at `place`, with a white rim that keeps it apart from what lies under it.
    pub(super) fn mark(&mut self, mark: Mark, (x, y): (f32, f32), size: f32, colour: Colour) {
        let Some(path) = outline_of(mark, x, y, size / 2.0) else { return };
        let rim = Stroke { width: size / 4.0, line_join: LineJoin::Miter, ..Stroke::default() };
        self.pixels.stroke_path(&path, &paint(Colour(255, 255, 255)), &rim, Transform::identity(), None);
        self.pixels.fill_path(&path, &paint(colour), FillRule::Winding, Transform::identity(), None);
    }
}

/// Adds `curves`, contour by contour.
fn add(path: &mut PathBuilder, curves: &[OutlineCurve], place: impl Fn(Point) -> (f32, f32)) {
    let mut at = None;
    for curve in curves {
        let (OutlineCurve::Line(from, to) | OutlineCurve::Quad(from, _, to) | OutlineCurve::Cubic(from, _, _, to)) =
            *curve;
        if at != Some(from) {
            if at.is_some() {
                path.close();
            }
            let (x, y) = place(from);
            path.move_to(x, y);
        }
        let (x, y) = place(to);
        match *curve {
            OutlineCurve::Line(..) => path.line_to(x, y),
            OutlineCurve::Quad(_, by, _) => {
                let by = place(by);
                path.quad_to(by.0, by.1, x, y);
            }
            OutlineCurve::Cubic(_, one, two, _) => {
                let (one, two) = (place(one), place(two));
                path.cubic_to(one.0, one.1, two.0, two.1, x, y);
            }
        }
        at = Some(to);
    }
    if at.is_some() {
        path.close();
    }
}

/// Marks of about the same area.
fn outline_of(mark: Mark, x: f32, y: f32, half: f32) -> Option<Path> {
    let polygon = |corners: &[(f32, f32)]| {
        let mut path = PathBuilder::new();
        for (index, (right, down)) in corners.iter().enumerate() {
            let (x, y) = (x + right * half, y + down * half);
            if index == 0 { path.move_to(x, y) } else { path.line_to(x, y) }
        }
        path.close();
        path.finish()
    };
    match mark {
        Mark::Circle => PathBuilder::from_circle(x, y, half),
        Mark::Square => {
            Rect::from_xywh(x - 0.9 * half, y - 0.9 * half, 1.8 * half, 1.8 * half).map(PathBuilder::from_rect)
        }
        Mark::Triangle => polygon(&[(0.0, -1.2), (1.15, 0.8), (-1.15, 0.8)]),
        Mark::Diamond => polygon(&[(0.0, -1.25), (1.25, 0.0), (0.0, 1.25), (-1.25, 0.0)]),
        Mark::TriangleDown => polygon(&[(0.0, 1.2), (1.15, -0.8), (-1.15, -0.8)]),
    }
}

fn paint(Colour(red, green, blue): Colour) -> Paint<'static> {
    let mut paint = Paint { anti_alias: true, ..Paint::default() };
    paint.set_color_rgba8(red, green, blue, 255);
    paint
}
