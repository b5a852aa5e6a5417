//! One panel: axes, ticks, lines and the intervals of their points.

use super::axis::Axis;
use super::canvas::{Anchor, Canvas, Lettering};
use super::style::{Colour, FAINT, GRID, INK};
use super::{Line, Look, Panel, Point};
use crate::scale;

const HEAD: Lettering = Lettering { size: 26.0, is_bold: true, colour: INK };
const TITLE: Lettering = Lettering { size: 25.0, is_bold: false, colour: INK };
const TICK: Lettering = Lettering { size: 22.0, is_bold: false, colour: INK };

pub(super) const MARK: f32 = 15.0;
const STROKE: f32 = 3.0;

/// Half the width of the ends of an interval.
const CAP: f32 = 6.0;

/// Points of different lines at one place are drawn so far apart, so that none hides another's interval.
const BESIDE: f32 = 7.0;

/// The share of its room that a bar takes, and half of its width at most.
const BAR: f32 = 0.6;
const BAR_HALF_MAX: f32 = 70.0;

/// The place of a panel, in pixels.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    pub(super) left: f32,
    pub(super) right: f32,
    pub(super) top: f32,
    pub(super) bottom: f32,
}

impl Room {
    /// Where `value` lies from the top.
    pub(super) fn height(&self, up: &Axis, value: f64) -> f32 {
        self.bottom - up.place(value) as f32 * (self.bottom - self.top)
    }
}

/// A short line with its mark, as legends have it.
pub(super) fn sample(canvas: &mut Canvas, look: Look, (x, y): (f32, f32), width: f32) {
    canvas.line(&[(x, y), (x + width, y)], STROKE, look.colour, look.is_dashed);
    if look.has_marks {
        canvas.mark(look.mark, (x + width / 2.0, y), MARK, look.colour);
    }
}

impl Panel {
    /// Lines over an axis; bars where all points are at one place, because an axis with one place on it says nothing.
    pub(super) fn draw(&self, canvas: &mut Canvas, room: Room) {
        let points = || self.lines.iter().flat_map(|line| &line.points);
        let bounds: Vec<_> = points().filter_map(|point| point.between).flat_map(|(low, high)| [low, high]).collect();
        let across = points().map(|point| point.across).collect::<Vec<_>>();
        let heights = points().map(|point| point.up).collect::<Vec<_>>();
        if let Some(place) = across.first().filter(|first| across.iter().all(|other| other == *first)) {
            let across = Axis::single(&self.across.title, &self.across.unit, *place);
            let up = Axis::from_zero(&self.up.title, &self.up.unit, &heights, &bounds);
            let plot = axes(canvas, room, &self.title, &across, &up);
            return self.bars(canvas, plot, &up);
        }
        let across = Axis::new(&self.across.title, &self.across.unit, &across, &[]);
        let up = Axis::new(&self.up.title, &self.up.unit, &heights, &bounds);
        let plot = axes(canvas, room, &self.title, &across, &up);
        for (index, line) in self.lines.iter().enumerate() {
            let aside = match line.look.has_marks {
                true => (index as f32 - (self.lines.len() as f32 - 1.0) / 2.0) * BESIDE,
                false => 0.0,
            };
            let place = |(x, y): (f64, f64)| {
                let x = plot.left + across.place(x) as f32 * (plot.right - plot.left) + aside;
                (x, plot.height(&up, y))
            };
            draw(canvas, line, place, |value| up.holds(value));
        }
    }

    /// A bar for each line, in their order, with its value above it.
    fn bars(&self, canvas: &mut Canvas, plot: Room, up: &Axis) {
        let each = (plot.right - plot.left) / self.lines.len() as f32;
        for (index, line) in self.lines.iter().enumerate() {
            let Some(point) = line.points.first() else { continue };
            let middle = plot.left + each * (index as f32 + 0.5);
            let half = (each * BAR / 2.0).min(BAR_HALF_MAX);
            let (foot, top) = (plot.height(up, 0.0), plot.height(up, point.up));
            canvas.bar((middle - half, foot), (middle + half, top), line.look.colour);
            // Lines of equal colour differ in their mark, as in the legend.
            canvas.mark(line.look.mark, (middle, top), MARK, line.look.colour);
            let highest = point.between.map_or(top, |(_, high)| top.min(plot.height(up, high)));
            let value = scale::figure(point.up, &self.up.unit);
            canvas.text(&value, (middle, highest - TICK.size), Anchor::Middle, TICK);
            if let Some((low, high)) = point.between {
                interval(canvas, (low, high), INK, |value| (middle, plot.height(up, value)), |value| up.holds(value));
            }
        }
    }
}

/// Draws everything but the lines; where those may be.
pub(super) fn axes(canvas: &mut Canvas, room: Room, title: &str, across: &Axis, up: &Axis) -> Room {
    let labels: Vec<_> = up.ticks.iter().map(|tick| up.label(*tick)).collect();
    let widest = labels.iter().map(|label| canvas.width_of(label, TICK.size)).fold(0.0, f32::max);
    let head = if title.is_empty() { 0.0 } else { HEAD.size * 1.3 };
    let plot = Room {
        left: room.left + TITLE.size * 1.6 + widest + 12.0,
        right: room.right - 28.0,
        top: room.top + head + TICK.size / 2.0,
        bottom: room.bottom - TITLE.size * 1.5 - TICK.size * 1.6,
    };
    let middle = (plot.left + plot.right) / 2.0;
    canvas.text(title, (middle, room.top + HEAD.size / 2.0), Anchor::Middle, HEAD);
    canvas.text(&across.title, (middle, room.bottom - TITLE.size * 0.7), Anchor::Middle, TITLE);
    canvas.text_upwards(&up.title, (room.left + TITLE.size * 0.8, (plot.top + plot.bottom) / 2.0), TITLE);
    for (tick, label) in up.ticks.iter().zip(&labels) {
        let y = plot.bottom - up.place(*tick) as f32 * (plot.bottom - plot.top);
        canvas.line(&[(plot.left, y), (plot.right, y)], 1.5, GRID, false);
        canvas.text(label, (plot.left - 12.0, y), Anchor::End, TICK);
    }
    // Where labels would touch, those between are left out.
    let mut free = f32::NEG_INFINITY;
    for tick in &across.ticks {
        let x = plot.left + across.place(*tick) as f32 * (plot.right - plot.left);
        canvas.line(&[(x, plot.top), (x, plot.bottom)], 1.5, GRID, false);
        let label = across.label(*tick);
        let half = canvas.width_of(&label, TICK.size) / 2.0;
        if x - half > free {
            canvas.text(&label, (x, plot.bottom + TICK.size), Anchor::Middle, TICK);
            free = x + half + TICK.size / 2.0;
        }
    }
    canvas.line(&[(plot.left, plot.top), (plot.left, plot.bottom), (plot.right, plot.bottom)], 2.5, FAINT, false);
    plot
}

/// Draws `line` with the band between the intervals of adjacent points; an interval that reaches beyond what the axis `holds` is open
/// there.
fn draw(canvas: &mut Canvas, line: &Line, place: impl Fn((f64, f64)) -> (f32, f32), holds: impl Fn(f64) -> bool) {
    let colour = line.look.colour;
    let at: Vec<_> = line.points.iter().map(|point| place((point.across, point.up))).collect();
    for points in line.points.chunk_by(|one, next| one.between.is_some() && next.between.is_some()) {
        let end = |point: &Point, is_upper: bool| {
            point.between.map(|(low, high)| place((point.across, if is_upper { high } else { low })))
        };
        let below = points.iter().filter_map(|point| end(point, false));
        let above = points.iter().rev().filter_map(|point| end(point, true));
        if points.len() > 1 {
            canvas.area(below.chain(above).collect(), colour);
        }
    }
    canvas.line(&at, STROKE, colour, line.look.is_dashed);
    // A line without marks has so many points that their intervals would hide each other.
    for point in line.points.iter().filter(|_| line.look.has_marks) {
        if let Some(ends) = point.between {
            interval(canvas, ends, colour, |value| place((point.across, value)), &holds);
        }
    }
    if line.look.has_marks {
        at.into_iter().for_each(|at| canvas.mark(line.look.mark, at, MARK, colour));
    }
}

/// Draws an interval, whose ends are marked where the axis holds them.
fn interval(
    canvas: &mut Canvas,
    (low, high): (f64, f64),
    colour: Colour,
    place: impl Fn(f64) -> (f32, f32),
    holds: impl Fn(f64) -> bool,
) {
    let ends = [low, high].map(&place);
    canvas.line(&ends, STROKE * 0.7, colour, false);
    for ((x, y), _) in ends.into_iter().zip([low, high]).filter(|(_, value)| holds(*value)) {
        canvas.line(&[(x - CAP, y), (x + CAP, y)], STROKE * 0.7, colour, false);
    }
}
