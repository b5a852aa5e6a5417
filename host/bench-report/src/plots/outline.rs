//! The outlines of letters, which become pixels.

use super::font::Face;
use ab_glyph::{Font, OutlineCurve, Point};
use tiny_skia::{Path, PathBuilder};

impl Face {
    /// The outline of `text` from the beginning of its base line, none where nothing of it is seen, and its width.
    pub(super) fn placed(&self, text: &str, size: f32) -> (Option<Path>, f32) {
        let scale = size / self.0.units_per_em().unwrap_or(1000.0);
        let mut path = PathBuilder::new();
        let (mut x, mut before) = (0.0, None);
        for letter in text.chars() {
            let glyph = self.0.glyph_id(letter);
            x += before.map_or(0.0, |before| self.0.kern_unscaled(before, glyph) * scale);
            if let Some(outline) = self.0.outline(glyph) {
                add(&mut path, &outline.curves, |point| (x + point.x * scale, -point.y * scale));
            }
            x += self.0.h_advance_unscaled(glyph) * scale;
            before = Some(glyph);
        }
        (path.finish(), x)
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
