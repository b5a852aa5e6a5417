//! A row for each thing over one axis: ratios with their intervals, parts of a whole, values against their bounds.

use super::axis::Axis;
use super::canvas::{Anchor, Canvas, Lettering};
use super::panel::Room;
use super::style::{BAD, Colour, FAINT, GOOD, GRID, INK, Mark, QUIET, ZONE};
use super::{Dimension, LEADING};

pub(super) const NAME: Lettering = Lettering { size: 22.0, is_bold: false, colour: INK };
const TICK: Lettering = Lettering { size: 20.0, is_bold: false, colour: FAINT };

/// The height of a row.
pub(super) const EACH: f32 = 36.0;
/// The room of the ticks and of the title of the axis.
pub(super) const AXIS: f32 = 70.0;
/// The share of the width that names take at most, and the one that is left for the plot in a page.
const NAMES_MAX: f32 = 0.42;
const PLOT_MIN: f32 = 0.2;
/// Between names and plot, and between plot and values.
const GAPS: [f32; 2] = [18.0, 34.0];
/// The widths of a chart in a page.
const WIDTHS: [u32; 3] = [860, 1200, 1800];

/// So many rows are in one chart at most; further ones are in charts of their own.
const ROWS_MAX: usize = 80;

/// Labelled figures over one axis, a row for each.
#[derive(Clone, Debug)]
pub(crate) struct Rows {
    /// The heading.
    pub(crate) title: String,
    /// What the axis shows.
    pub(crate) across: Dimension,
    /// Whether bars begin at 0, so that the axis does.
    pub(crate) is_from_zero: bool,
    /// The differences that count as none.
    pub(crate) zone: Option<(f64, f64)>,
    /// Where a line stands across all rows.
    pub(crate) origin: Option<f64>,
    /// At least one row.
    pub(crate) rows: Vec<Row>,
    /// The notes below.
    pub(crate) notes: Vec<String>,
}

/// One row.
#[derive(Clone, Debug, Default)]
pub(crate) struct Row {
    /// The label.
    pub(crate) name: String,
    /// Its figure in words, at the end of the row.
    pub(crate) value: String,
    /// What distinguishes it.
    pub(crate) tone: Tone,
    /// A faint range behind the others, such as the noise.
    pub(crate) band: Option<(f64, f64)>,
    /// A bar from one place to another.
    pub(crate) bar: Option<(f64, f64)>,
    /// The ends of its interval.
    pub(crate) interval: Option<(f64, f64)>,
    /// Its figure.
    pub(crate) at: Option<f64>,
    /// What the figure is held to.
    pub(crate) bound: Option<f64>,
}

/// What a row says at the first sight.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Tone {
    /// Neither good nor bad.
    #[default]
    Plain,
    /// As it should be.
    Good,
    /// Not as it should be.
    Bad,
    /// Nothing can be said of it.
    Quiet,
}

impl Tone {
    fn colour(self) -> Colour {
        match self {
            Self::Plain => super::Look::of(0).colour,
            Self::Good => GOOD,
            Self::Bad => BAD,
            Self::Quiet => QUIET,
        }
    }
}

impl Rows {
    /// How many pixels high it is drawn.
    pub(super) fn height(&self) -> f32 {
        self.rows.len() as f32 * EACH + AXIS
    }

    /// How many pixels wide it is drawn in a page: more where names are long, or values leave the plot little room.
    pub(super) fn width(&self, canvas: &Canvas) -> u32 {
        let [least, middle, most] = WIDTHS;
        let for_names = match self.rows.iter().map(|row| row.name.len()).max() {
            Some(..=20) => least,
            Some(..=36) => middle,
            _ => most,
        };
        let of_names = widest(canvas, self.rows.iter().map(|row| row.name.as_str()));
        let of_values = widest(canvas, self.rows.iter().map(|row| row.value.as_str()));
        let has_room = |width: &u32| {
            let width = *width as f32;
            let beside = of_names.min(width * NAMES_MAX) + of_values + GAPS.iter().sum::<f32>();
            width - beside >= width * PLOT_MIN
        };
        WIDTHS.into_iter().filter(|width| *width >= for_names).find(has_room).unwrap_or(most)
    }

    /// The same as charts of about as many rows each, none of more than [`ROWS_MAX`], numbered where there are several.
    pub(super) fn panels(self) -> Vec<Self> {
        let count = self.rows.len().div_ceil(ROWS_MAX);
        if count <= 1 {
            return vec![self];
        }
        let panel = |(index, rows): (usize, &[Row])| {
            let (across, notes) = (self.across.clone(), self.notes.clone());
            Self {
                title: format!("{}, {} of {count}", self.title, index + 1),
                across,
                is_from_zero: self.is_from_zero,
                zone: self.zone,
                origin: self.origin,
                rows: rows.to_vec(),
                notes,
            }
        };
        self.rows.chunks(self.rows.len().div_ceil(count)).enumerate().map(panel).collect()
    }

    fn axis(&self) -> Axis {
        let Dimension { title, unit } = &self.across;
        let places = self.rows.iter().flat_map(|row| {
            let ranges = [row.band, row.bar, row.interval].into_iter().flatten();
            ranges.flat_map(|(low, high)| [low, high]).chain(row.at).chain(row.bound)
        });
        let places = places.chain(self.origin).chain(self.zone.iter().flat_map(|(low, high)| [*low, *high]));
        let places: Vec<f64> = places.filter(|place| place.is_finite()).collect();
        let places = if places.is_empty() { vec![1.0] } else { places };
        if self.is_from_zero {
            Axis::from_zero(title, unit, &places, &[])
        } else {
            Axis::spanning(title, unit, &places)
        }
    }

    pub(super) fn draw(&self, canvas: &mut Canvas, room: Room) {
        let axis = self.axis();
        let width = room.right - room.left;
        let names: Vec<String> = self.rows.iter().map(|row| shortened(canvas, &row.name, width * NAMES_MAX)).collect();
        let of_names = widest(canvas, names.iter().map(String::as_str));
        let of_values = widest(canvas, self.rows.iter().map(|row| row.value.as_str()));
        let plot = Room {
            left: room.left + of_names + GAPS[0],
            right: room.right - of_values - GAPS[1],
            top: room.top,
            bottom: room.top + self.rows.len() as f32 * EACH,
        };
        let place = |value: f64| plot.left + axis.place(value) as f32 * (plot.right - plot.left);
        if let Some((low, high)) = self.zone {
            canvas.bar((place(low), plot.top), (place(high), plot.bottom), ZONE);
        }
        ticks(canvas, plot, &axis);
        let middle = |index: usize| plot.top + (index as f32 + 0.5) * EACH;
        for (index, (low, high)) in self.rows.iter().enumerate().filter_map(|(index, row)| Some((index, row.band?))) {
            let y = middle(index);
            canvas.bar((place(low), y - EACH * 0.36), (place(high), y + EACH * 0.36), GRID);
        }
        if let Some(origin) = self.origin {
            canvas.line(&[(place(origin), plot.top), (place(origin), plot.bottom)], 2.0, FAINT, false);
        }
        for (index, (row, name)) in self.rows.iter().zip(&names).enumerate() {
            let y = middle(index);
            canvas.text(name, (plot.left - 12.0, y), Anchor::End, NAME);
            canvas.text(&row.value, (plot.right + 16.0, y), Anchor::Start, NAME);
            row.draw(canvas, y, place);
        }
    }
}

impl Row {
    fn draw(&self, canvas: &mut Canvas, y: f32, place: impl Fn(f64) -> f32) {
        let colour = self.tone.colour();
        if let Some((from, to)) = self.bar {
            canvas.bar((place(from), y - EACH * 0.26), (place(to), y + EACH * 0.26), colour);
        }
        if let Some((low, high)) = self.interval {
            let (low, high) = (place(low), place(high));
            canvas.line(&[(low, y), (high, y)], 3.0, colour, false);
            [low, high].into_iter().for_each(|x| canvas.line(&[(x, y - 6.0), (x, y + 6.0)], 3.0, colour, false));
        }
        if let Some(at) = self.at {
            canvas.mark(Mark::Circle, (place(at), y), 13.0, colour);
        }
        if let Some(bound) = self.bound {
            canvas.line(&[(place(bound), y - EACH * 0.42), (place(bound), y + EACH * 0.42)], 4.0, INK, false);
        }
    }
}

/// How wide the widest of `texts` is.
fn widest<'a>(canvas: &Canvas, texts: impl Iterator<Item = &'a str>) -> f32 {
    texts.map(|text| canvas.width_of(text, NAME.size)).fold(0.0, f32::max)
}

/// Ticks below the rows, and the title of the axis below those.
pub(super) fn ticks(canvas: &mut Canvas, plot: Room, axis: &Axis) {
    let mut free = f32::NEG_INFINITY;
    for tick in &axis.ticks {
        let x = plot.left + axis.place(*tick) as f32 * (plot.right - plot.left);
        canvas.line(&[(x, plot.top), (x, plot.bottom)], 1.0, GRID, false);
        let label = axis.label(*tick);
        let half = canvas.width_of(&label, TICK.size) / 2.0;
        if x - half > free {
            canvas.text(&label, (x, plot.bottom + TICK.size * 0.8), Anchor::Middle, TICK);
            free = x + half + TICK.size / 2.0;
        }
    }
    let middle = (plot.left + plot.right) / 2.0;
    canvas.text(&axis.title, (middle, plot.bottom + TICK.size * (0.9 + LEADING)), Anchor::Middle, TICK);
}

/// `name` without its middle, where it is longer than `room`: its end tells what is compared.
pub(super) fn shortened(canvas: &Canvas, name: &str, room: f32) -> String {
    const CHARACTERS_MAX: usize = 160;
    if canvas.width_of(name, NAME.size) <= room {
        return name.to_owned();
    }
    let characters: Vec<char> = name.chars().collect();
    let without_middle = |kept: usize| {
        let (head, tail) = (kept.div_ceil(2), kept / 2);
        let ends = [&characters[..head], &['…'], &characters[characters.len() - tail..]];
        ends.concat().into_iter().collect::<String>()
    };
    let mut shorter = (0..characters.len().min(CHARACTERS_MAX)).rev().map(without_middle);
    shorter.find(|short| canvas.width_of(short, NAME.size) <= room).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_name_loses_its_middle() {
        let canvas = Canvas::new().expect("there is a canvas");
        let name = format!("kernels/sort {} wasm / native", "input=@project ".repeat(20));
        for room in [200.0, 400.0, 800.0] {
            let short = shortened(&canvas, &name, room);
            assert!(canvas.width_of(&short, NAME.size) <= room, "{short}");
            let (head, tail) = short.split_once('…').expect("something is left out");
            assert!(name.starts_with(head) && name.ends_with(tail), "{short}");
            assert!(head.chars().count().abs_diff(tail.chars().count()) <= 1, "{short}");
        }
        assert_eq!(shortened(&canvas, "kernels/sum", 400.0), "kernels/sum");
        assert_eq!(shortened(&canvas, &name, 0.0), "");
    }

    fn rows(count: usize, value: &str) -> Rows {
        let row = |index: usize| Row { name: format!("row {index}"), value: value.to_owned(), ..Row::default() };
        Rows {
            title: "Ratios".to_owned(),
            across: Dimension { title: "ratio".to_owned(), unit: bench_model::Unit::Count },
            is_from_zero: false,
            zone: Some((0.9, 1.1)),
            origin: Some(1.0),
            rows: (0..count).map(row).collect(),
            notes: vec!["a note".to_owned()],
        }
    }

    #[test]
    fn many_rows_are_several_charts_and_none_is_left_out() {
        let check = |count: usize, expect: &[(&str, usize)]| {
            let panels = rows(count, "").panels();
            let found: Vec<_> = panels.iter().map(|panel| (panel.title.as_str(), panel.rows.len())).collect();
            assert_eq!(found, expect);
            let names: Vec<_> = panels.iter().flat_map(|panel| &panel.rows).map(|row| row.name.clone()).collect();
            assert_eq!(names, (0..count).map(|index| format!("row {index}")).collect::<Vec<_>>());
            assert!(panels.iter().all(|panel| panel.notes == ["a note"] && panel.origin == Some(1.0)));
        };
        check(ROWS_MAX, &[("Ratios", ROWS_MAX)]);
        check(ROWS_MAX + 1, &[("Ratios, 1 of 2", 41), ("Ratios, 2 of 2", 40)]);
        check(200, &[("Ratios, 1 of 3", 67), ("Ratios, 2 of 3", 67), ("Ratios, 3 of 3", 66)]);
    }

    #[test]
    fn long_values_leave_the_plot_room() {
        let canvas = Canvas::of_page().expect("there is a canvas");
        assert_eq!(rows(1, "1.338×  different").width(&canvas), WIDTHS[0]);
        let long = "1.002×  undecided: ~12.3M more pairs  n = 12.0k in 30 proc.";
        let width = rows(1, long).width(&canvas);
        let values = canvas.width_of(long, NAME.size);
        assert!(width > WIDTHS[0] && width as f32 - values > width as f32 * PLOT_MIN, "{width} {values}");
    }
}
