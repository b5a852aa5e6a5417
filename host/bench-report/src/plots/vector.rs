//! A sheet as an SVG document. Its text is text, so that it can be searched and read aloud.

use super::canvas::{Anchor, Canvas, Lettering, Outline, Place, Shape, outline_of};
use super::font::CAPITAL;
use super::style::{AREA_OPACITY, Colour};
use crate::xml;
use std::fmt::Write;

/// The shapes of `canvas` on a white sheet of that many pixels; `title` is for those who do not see it.
pub(super) fn svg(canvas: &Canvas, width: u32, height: u32, title: &str) -> String {
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" role=\"img\" \
         font-family=\"Ubuntu, 'Helvetica Neue', Arial, sans-serif\">\n<title>{}</title>\n\
         <rect width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>\n",
        xml(title)
    );
    for shape in &canvas.shapes {
        out.push_str(&element(shape));
        out.push('\n');
    }
    out.push_str("</svg>\n");
    out
}

fn element(shape: &Shape) -> String {
    match shape {
        Shape::Text { text, at, anchor, look, is_upwards } => self::text(text, *at, *anchor, *look, *is_upwards),
        Shape::Line { points, width, colour, is_dashed } => {
            let dash = match is_dashed {
                true => format!(" stroke-dasharray=\"{} {}\"", number(4.0 * width), number(2.5 * width)),
                false => String::new(),
            };
            format!(
                "<polyline points=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"{}\"{dash}/>",
                places(points),
                hex(*colour),
                number(*width)
            )
        }
        Shape::Bar { from, to, colour } => format!(
            "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"{}\"/>",
            number(from.0.min(to.0)),
            number(from.1.min(to.1)),
            number((to.0 - from.0).abs()),
            number((to.1 - from.1).abs()),
            hex(*colour)
        ),
        Shape::Area { outline, colour } => format!(
            "<polygon points=\"{}\" fill=\"{}\" fill-opacity=\"{AREA_OPACITY}\"/>",
            places(outline),
            hex(*colour)
        ),
        Shape::Mark { mark, at, size, colour } => {
            let look = format!(
                "fill=\"{}\" stroke=\"#ffffff\" stroke-width=\"{}\" paint-order=\"stroke\"",
                hex(*colour),
                number(size / 4.0)
            );
            match outline_of(*mark, *at, *size) {
                Outline::Circle(radius) => {
                    format!("<circle cx=\"{}\" cy=\"{}\" r=\"{}\" {look}/>", number(at.0), number(at.1), number(radius))
                }
                Outline::Polygon(corners) => format!("<polygon points=\"{}\" {look}/>", places(&corners)),
            }
        }
    }
}

fn text(text: &str, (x, y): Place, anchor: Anchor, look: Lettering, is_upwards: bool) -> String {
    let anchor = match anchor {
        Anchor::Start => "start",
        Anchor::Middle => "middle",
        Anchor::End => "end",
    };
    let weight = if look.is_bold { " font-weight=\"bold\"" } else { "" };
    // A base line, which lies below the middle of the capital letters.
    let below = look.size * CAPITAL / 2.0;
    let place = match is_upwards {
        true => format!("transform=\"translate({} {}) rotate(-90)\" y=\"{}\"", number(x), number(y), number(below)),
        false => format!("x=\"{}\" y=\"{}\"", number(x), number(y + below)),
    };
    format!(
        "<text {place} font-size=\"{}\" text-anchor=\"{anchor}\" fill=\"{}\"{weight}>{}</text>",
        number(look.size),
        hex(look.colour),
        xml(text)
    )
}

fn places(points: &[Place]) -> String {
    let mut out = String::new();
    for (x, y) in points {
        let space = if out.is_empty() { "" } else { " " };
        write!(out, "{space}{},{}", number(*x), number(*y)).expect("a string takes all text");
    }
    out
}

/// To a tenth of a pixel.
fn number(value: f32) -> String {
    ((value * 10.0).round() / 10.0).to_string()
}

fn hex(Colour(red, green, blue): Colour) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}
