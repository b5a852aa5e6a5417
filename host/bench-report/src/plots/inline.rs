//! A sheet as an `svg` element of a page. Its colours are classes, so that they follow the page's theme, and its coordinates are
//! whole numbers relative to the one before, because a page has many of them.

use super::canvas::{Anchor, Canvas, Lettering, Outline, Place, Shape, outline_of};
use super::font::CAPITAL;
use super::style::GRID;
use crate::xml;
use std::fmt::Write;

/// How large a pixel of the sheet is in a page, at most.
const SHOWN: f32 = 0.62;

/// The shapes of `canvas`, which is that many pixels in size; `title` is for those who do not see it.
pub(super) fn svg(canvas: &Canvas, width: u32, height: u32, title: &str) -> String {
    let shown = width as f32 * SHOWN;
    let mut out = format!(
        "<svg width=\"{shown:.0}\" viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"{}\">",
        xml(title)
    );
    let is_grid = |shape: &&Shape| matches!(shape, Shape::Line { colour, .. } if *colour == GRID);
    let grid: String = canvas.shapes.iter().filter(is_grid).filter_map(path_of).collect();
    if !grid.is_empty() {
        write!(out, "<path class=\"l kg\" d=\"{grid}\"/>").expect("a string takes all text");
    }
    canvas.shapes.iter().filter(|shape| !is_grid(shape)).for_each(|shape| element(&mut out, shape));
    out.push_str("</svg>");
    out
}

fn path_of(shape: &Shape) -> Option<String> {
    if let Shape::Line { points, .. } = shape { Some(path(points)) } else { None }
}

fn element(out: &mut String, shape: &Shape) {
    let written = match shape {
        Shape::Text { text, .. } if text.is_empty() => Ok(()),
        Shape::Text { text, at, anchor, look, is_upwards } => self::text(out, text, *at, *anchor, *look, *is_upwards),
        Shape::Line { points, width, colour, is_dashed } => {
            let dash = if *is_dashed { " d" } else { "" };
            write!(out, "<path class=\"l {}{dash}\" stroke-width=\"{}\" d=\"{}\"/>", colour.name(), width, path(points))
        }
        Shape::Bar { from, to, colour } => write!(
            out,
            "<path class=\"a {}\" d=\"M{} {}h{}v{}h{}z\"/>",
            colour.name(),
            whole(from.0.min(to.0)),
            whole(from.1.min(to.1)),
            whole((to.0 - from.0).abs()).max(1),
            whole((to.1 - from.1).abs()),
            -whole((to.0 - from.0).abs()).max(1)
        ),
        Shape::Area { outline, colour } => {
            write!(out, "<path class=\"b {}\" d=\"{}z\"/>", colour.name(), path(outline))
        }
        Shape::Mark { mark, at, size, colour } => match outline_of(*mark, *at, *size) {
            Outline::Circle(radius) => write!(
                out,
                "<circle class=\"m {}\" cx=\"{}\" cy=\"{}\" r=\"{radius}\"/>",
                colour.name(),
                whole(at.0),
                whole(at.1)
            ),
            Outline::Polygon(corners) => {
                write!(out, "<path class=\"m {}\" d=\"{}z\"/>", colour.name(), path(&corners))
            }
        },
    };
    written.expect("a string takes all text");
}

fn text(
    out: &mut String,
    text: &str,
    (x, y): Place,
    anchor: Anchor,
    look: Lettering,
    is_upwards: bool,
) -> std::fmt::Result {
    let anchor = match anchor {
        Anchor::Start => "",
        Anchor::Middle => " tm",
        Anchor::End => " te",
    };
    let bold = if look.is_bold { " tb" } else { "" };
    let below = look.size * CAPITAL / 2.0;
    let place = match is_upwards {
        true => format!("transform=\"translate({} {}) rotate(-90)\" y=\"{}\"", whole(x), whole(y), whole(below)),
        false => format!("x=\"{}\" y=\"{}\"", whole(x), whole(y + below)),
    };
    write!(out, "<text {place} class=\"t {}{anchor}{bold} s{}\">{}</text>", look.colour.name(), look.size, xml(text))
}

/// The data of a path through `points`. Points on one straight line, or at one place, are one step.
fn path(points: &[Place]) -> String {
    let Some((first, others)) = points.split_first() else { return String::new() };
    let (mut x, mut y) = (whole(first.0), whole(first.1));
    let mut out = format!("M{x} {y}");
    let mut pending = (0i32, 0i32);
    let mut step = |(right, down): (i32, i32)| {
        let written = match (right, down) {
            (0, 0) => Ok(()),
            (right, 0) => write!(out, "h{right}"),
            (0, down) => write!(out, "v{down}"),
            (right, down) if down < 0 => write!(out, "l{right}{down}"),
            (right, down) => write!(out, "l{right} {down}"),
        };
        written.expect("a string takes all text");
    };
    for point in others {
        let (right, down) = (whole(point.0) - x, whole(point.1) - y);
        (x, y) = (x + right, y + down);
        let is_along = (pending.0 == 0 && right == 0 && pending.1.signum() * down.signum() >= 0)
            || (pending.1 == 0 && down == 0 && pending.0.signum() * right.signum() >= 0);
        if is_along {
            pending = (pending.0 + right, pending.1 + down);
        } else {
            step(pending);
            pending = (right, down);
        }
    }
    step(pending);
    out
}

fn whole(value: f32) -> i32 {
    value.round() as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_along_one_line_are_one() {
        let check = |points: &[Place], expect: &str| assert_eq!(path(points), expect, "{points:?}");
        check(&[(1.0, 2.0), (3.0, 2.0), (7.2, 2.0), (7.2, 1.0)], "M1 2h6v-1");
        check(&[(1.0, 2.0), (1.2, 2.2), (4.0, 0.0)], "M1 2l3-2");
        check(&[(0.0, 0.0), (0.0, 5.0), (0.0, 1.0), (2.0, 3.0)], "M0 0v5v-4l2 2");
    }
}
