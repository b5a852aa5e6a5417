//! A sheet as a PNG file.

use super::canvas::{Anchor, Canvas, Lettering, Outline, Place, Shape, outline_of};
use super::font::{CAPITAL, Face};
use super::style::{AREA_OPACITY, Colour};
use tiny_skia::{
    Color, FillRule, LineCap, LineJoin, Paint, Path, PathBuilder, Pixmap, Rect, Stroke, StrokeDash, Transform,
};

/// The outline is made heavier by so much of the size: the font is a light one, and thin strokes are grey on a screen.
const WEIGHT: f32 = 0.018;
const WEIGHT_BOLD: f32 = 0.06;

/// The shapes of `canvas` on a white sheet of that many pixels. `None` where it has no area.
pub(super) fn png(canvas: &Canvas, width: u32, height: u32) -> Option<Vec<u8>> {
    let mut pixels = Pixmap::new(width, height)?;
    pixels.fill(Color::WHITE);
    for shape in &canvas.shapes {
        match shape {
            Shape::Text { text, at, anchor, look, is_upwards } => {
                let turn = if *is_upwards { Transform::from_rotate(-90.0) } else { Transform::identity() };
                write(&mut pixels, &canvas.face, text, turn.post_translate(at.0, at.1), *anchor, *look);
            }
            Shape::Line { points, width, colour, is_dashed } => line(&mut pixels, points, *width, *colour, *is_dashed),
            Shape::Bar { from, to, colour } => {
                let sides = (from.0.min(to.0), from.1.min(to.1), from.0.max(to.0), from.1.max(to.1));
                if let Some(rect) = Rect::from_ltrb(sides.0, sides.1, sides.2, sides.3) {
                    pixels.fill_rect(rect, &paint(*colour), Transform::identity(), None);
                }
            }
            Shape::Area { outline, colour } => {
                if let Some(path) = path_of(outline, true) {
                    let mut paint = paint(*colour);
                    paint.shader.apply_opacity(AREA_OPACITY);
                    pixels.fill_path(&path, &paint, FillRule::Winding, Transform::identity(), None);
                }
            }
            Shape::Mark { mark, at, size, colour } => {
                let path = match outline_of(*mark, *at, *size) {
                    Outline::Circle(radius) => PathBuilder::from_circle(at.0, at.1, radius),
                    Outline::Polygon(corners) => path_of(&corners, true),
                };
                let Some(path) = path else { continue };
                let rim = Stroke { width: size / 4.0, line_join: LineJoin::Miter, ..Stroke::default() };
                pixels.stroke_path(&path, &paint(Colour(255, 255, 255)), &rim, Transform::identity(), None);
                pixels.fill_path(&path, &paint(*colour), FillRule::Winding, Transform::identity(), None);
            }
        }
    }
    encoded(&pixels).ok()
}

/// The picture as a file. Nothing of it is transparent, so that three bytes of a pixel say all. Without a filter and with the least
/// compression it is encoded several times as fast as usual and half as large again: a report has many figures.
fn encoded(pixels: &Pixmap) -> Result<Vec<u8>, png::EncodingError> {
    let mut colours = Vec::with_capacity(pixels.data().len() / 4 * 3);
    for pixel in pixels.data().chunks_exact(4) {
        colours.extend_from_slice(&pixel[..3]);
    }
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, pixels.width(), pixels.height());
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_deflate_compression(png::DeflateCompression::Level(1));
    encoder.set_filter(png::Filter::NoFilter);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&colours)?;
    writer.finish()?;
    Ok(file)
}

fn write(pixels: &mut Pixmap, face: &Face, text: &str, place: Transform, anchor: Anchor, look: Lettering) {
    let (path, width) = face.placed(text, look.size);
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
    pixels.fill_path(&path, &paint, FillRule::Winding, place, None);
    pixels.stroke_path(&path, &paint, &stroke, place, None);
}

fn line(pixels: &mut Pixmap, points: &[Place], width: f32, colour: Colour, is_dashed: bool) {
    let dash = if is_dashed { StrokeDash::new(vec![4.0 * width, 2.5 * width], 0.0) } else { None };
    let stroke = Stroke { width, line_cap: LineCap::Butt, line_join: LineJoin::Round, dash, ..Stroke::default() };
    if let Some(path) = path_of(points, false) {
        pixels.stroke_path(&path, &paint(colour), &stroke, Transform::identity(), None);
    }
}

fn path_of(points: &[Place], is_closed: bool) -> Option<Path> {
    let mut path = PathBuilder::new();
    let (first, others) = points.split_first()?;
    path.move_to(first.0, first.1);
    others.iter().for_each(|point| path.line_to(point.0, point.1));
    if is_closed {
        path.close();
    }
    path.finish()
}

fn paint(Colour(red, green, blue): Colour) -> Paint<'static> {
    let mut paint = Paint { anti_alias: true, ..Paint::default() };
    paint.set_color_rgba8(red, green, blue, 255);
    paint
}
