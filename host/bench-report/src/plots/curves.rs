//! Curves without marks over a pair of axes: distributions, quantiles, and samples in their order.

use super::axis::Axis;
use super::canvas::Canvas;
use super::panel::{Room, axes};
use super::{Dimension, LEGEND, Look, chart};
use bench_model::Unit;

const STROKE: f32 = 2.5;

/// Curves that share their axes.
#[derive(Clone, Debug)]
pub(crate) struct Curves {
    /// The heading.
    pub(crate) title: String,
    /// The axis from left to right.
    pub(crate) across: Scale,
    /// The axis from bottom to top.
    pub(crate) up: Scale,
    /// One at least, with one point at least each.
    pub(crate) curves: Vec<Curve>,
    /// The notes below.
    pub(crate) notes: Vec<String>,
}

/// What an axis shows.
#[derive(Clone, Debug)]
pub(crate) enum Scale {
    /// Amounts, from the least to the most.
    Amounts(Dimension),
    /// Numbers of things in their order, from the first to the last.
    Numbers(&'static str),
    /// Shares of 1, from none to all.
    Shares(&'static str),
    /// Quantiles up to this one, which is below 1, on an axis of nines.
    Nines(&'static str, f64),
}

/// Points that belong together.
#[derive(Clone, Debug)]
pub(crate) struct Curve {
    /// Its name in the legend.
    pub(crate) name: String,
    /// Its colour.
    pub(crate) look: Look,
    /// From left to right.
    pub(crate) points: Vec<(f64, f64)>,
    /// How points are joined.
    pub(crate) shape: Shape,
}

/// How points are joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// By straight lines.
    Line,
    /// By steps: the height of a point holds from it to the next one, as the share of samples that do not exceed a value does.
    StepAfter,
    /// By steps: the height of a point holds from the one before to it, as a quantile does: what lies between two shares is at most the
    /// value of the greater one.
    StepBefore,
}

impl Curves {
    pub(super) fn draw(&self, canvas: &mut Canvas, room: Room) {
        let entries: Vec<(&str, Look)> = self.curves.iter().map(|curve| (curve.name.as_str(), curve.look)).collect();
        let bottom =
            if entries.len() > 1 { chart::legend(canvas, room, &entries) - LEGEND.size / 2.0 } else { room.bottom };
        let points = || self.curves.iter().flat_map(|curve| &curve.points);
        let across = self.across.axis(points().map(|point| point.0));
        let up = self.up.axis(points().map(|point| point.1));
        let plot = axes(canvas, Room { bottom, ..room }, "", &across, &up);
        for curve in &self.curves {
            let place = |(x, y): (f64, f64)| {
                (plot.left + across.place(x) as f32 * (plot.right - plot.left), plot.height(&up, y))
            };
            let places: Vec<(f32, f32)> = curve.joined().into_iter().map(place).collect();
            canvas.line(&places, STROKE, curve.look.colour, curve.look.is_dashed);
        }
    }
}

impl Scale {
    fn axis(&self, values: impl Iterator<Item = f64>) -> Axis {
        match self {
            Self::Amounts(Dimension { title, unit }) => Axis::spanning(title, unit, &values.collect::<Vec<_>>()),
            Self::Numbers(title) => Axis::from_zero(title, &Unit::Count, &values.collect::<Vec<_>>(), &[]),
            Self::Shares(title) => Axis::shares(title),
            Self::Nines(title, last) => Axis::nines(title, *last),
        }
    }
}

impl Curve {
    /// The corners of the line.
    fn joined(&self) -> Vec<(f64, f64)> {
        let Some((first, others)) = self.points.split_first() else { return Vec::new() };
        let mut corners = vec![*first];
        let mut before = *first;
        for (across, up) in others {
            match self.shape {
                Shape::Line => {}
                Shape::StepAfter => corners.push((*across, before.1)),
                Shape::StepBefore => corners.push((before.0, *up)),
            }
            corners.push((*across, *up));
            before = (*across, *up);
        }
        corners
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_hold_a_height_after_its_point_or_before_it() {
        let check = |shape: Shape, expect: &[(f64, f64)]| {
            let points = vec![(0.0, 1.0), (0.5, 2.0), (0.9, 7.0)];
            let curve = Curve { name: String::new(), look: Look::of(0), points, shape };
            assert_eq!(curve.joined(), expect, "{shape:?}");
        };
        check(Shape::Line, &[(0.0, 1.0), (0.5, 2.0), (0.9, 7.0)]);
        check(Shape::StepAfter, &[(0.0, 1.0), (0.5, 1.0), (0.5, 2.0), (0.9, 2.0), (0.9, 7.0)]);
        check(Shape::StepBefore, &[(0.0, 1.0), (0.0, 2.0), (0.5, 2.0), (0.5, 7.0), (0.9, 7.0)]);
    }
}
