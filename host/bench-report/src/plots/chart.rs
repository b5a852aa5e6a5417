//! What becomes a picture, of whatever kind: a file of its own with title and notes, or a part of a page that has those as text.

use super::canvas::{Anchor, Canvas};
use super::panel::{self, Room};
use super::{APART, Curves, Figure, LEADING, LEGEND, Look, MARGIN, NOTE, Rows, SAMPLE, Stacks, TITLE};
use super::{inline, pixels, vector};

/// How much room a picture has, in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sheet {
    pub(super) width: u32,
    pub(super) height: u32,
}

impl Sheet {
    /// A file of its own.
    pub(super) const FILE: Self = Self { width: 1600, height: 1000 };
    /// Half the width of a page.
    const HALF: Self = Self { width: 860, height: 440 };
    /// The whole width of a page.
    const WHOLE: Self = Self { width: 1600, height: 700 };

    /// How much higher each further row of panels makes it.
    const ROW: u32 = 700;

    /// The same with room for so many rows of panels, of which one is at least.
    pub(super) fn with_rows(self, rows: usize) -> Self {
        Self { height: self.height + Self::ROW * (rows as u32 - 1), ..self }
    }
}

/// The files of a picture.
pub(crate) struct Pictures {
    pub(crate) svg: String,
    pub(crate) png: Option<Vec<u8>>,
}

/// A picture of any kind.
#[derive(Clone, Debug)]
pub(crate) enum Chart {
    /// Points with intervals over a pair of axes.
    Figure(Figure),
    /// Distributions, and courses of time.
    Curves(Curves),
    /// A row for each thing over one axis.
    Rows(Rows),
    /// A bar of parts for each thing over one axis.
    Stacks(Stacks),
}

impl Chart {
    /// The heading. Not escaped.
    pub(crate) fn title(&self) -> &str {
        match self {
            Self::Figure(figure) => &figure.title,
            Self::Curves(curves) => &curves.title,
            Self::Rows(rows) => &rows.title,
            Self::Stacks(stacks) => &stacks.title,
        }
    }

    /// The notes below. Not escaped.
    pub(crate) fn notes(&self) -> &[String] {
        match self {
            Self::Figure(figure) => &figure.notes,
            Self::Curves(curves) => &curves.notes,
            Self::Rows(rows) => &rows.notes,
            Self::Stacks(stacks) => &stacks.notes,
        }
    }

    /// The same with one more note, unless it has it already. Not escaped.
    #[must_use]
    pub(crate) fn with_note(mut self, note: &str) -> Self {
        let notes = match &mut self {
            Self::Figure(figure) => &mut figure.notes,
            Self::Curves(curves) => &mut curves.notes,
            Self::Rows(rows) => &mut rows.notes,
            Self::Stacks(stacks) => &mut stacks.notes,
        };
        if notes.iter().all(|known| known != note) {
            notes.push(note.to_owned());
        }
        self
    }

    /// The same as several charts, where it has more rows than one shows.
    pub(crate) fn panels(self) -> Vec<Self> {
        match self {
            Self::Rows(rows) => rows.panels().into_iter().map(Self::Rows).collect(),
            other => vec![other],
        }
    }

    /// The chart with title and notes, as an SVG document and, where `has_png`, as a PNG file. `None` only where the font that is built
    /// in, by which text is placed, is none.
    pub(crate) fn pictures(&self, has_png: bool) -> Option<Pictures> {
        let (canvas, Sheet { width, height }) = self.drawn()?;
        let png = if has_png { pixels::png(&canvas, width, height) } else { None };
        Some(Pictures { svg: vector::svg(&canvas, width, height, self.title()), png })
    }

    /// An `svg` element without title and notes, whose colours are those of the page's theme.
    pub(crate) fn inline(&self) -> Option<String> {
        let mut canvas = Canvas::of_page()?;
        let sheet = match self {
            Self::Figure(figure) if figure.panels.len() == 1 => Sheet { height: 560, ..Sheet::HALF },
            Self::Figure(figure) => Sheet::WHOLE.with_rows(figure.grid().1),
            Self::Curves(_) => Sheet::HALF,
            Self::Rows(rows) => Sheet { height: rows.height() as u32 + 16, width: rows.width(&canvas) },
            Self::Stacks(stacks) => {
                let width = Sheet::WHOLE.width;
                Sheet { height: stacks.height(width as f32) as u32 + 16, width }
            }
        };
        let room = Room { left: 8.0, right: sheet.width as f32, top: 8.0, bottom: sheet.height as f32 - 8.0 };
        self.draw(&mut canvas, room);
        Some(inline::svg(&canvas, sheet.width, sheet.height, self.title()))
    }

    fn drawn(&self) -> Option<(Canvas, Sheet)> {
        let mut canvas = Canvas::new()?;
        let mut sheet = Sheet::FILE;
        match self {
            Self::Figure(figure) => sheet = figure.sheet(),
            Self::Rows(rows) => sheet.height = (rows.height() + 260.0) as u32,
            Self::Stacks(stacks) => sheet.height = (stacks.height(sheet.width as f32) + 260.0) as u32,
            Self::Curves(_) => {}
        }
        let room = framed(&mut canvas, sheet, self.title(), self.notes());
        self.draw(&mut canvas, room);
        Some((canvas, sheet))
    }

    fn draw(&self, canvas: &mut Canvas, room: Room) {
        match self {
            Self::Figure(figure) => figure.draw(canvas, room),
            Self::Curves(curves) => curves.draw(canvas, room),
            Self::Rows(rows) => rows.draw(canvas, room),
            Self::Stacks(stacks) => stacks.draw(canvas, room),
        }
    }
}

/// Writes title and notes; returns the room between them.
pub(super) fn framed(canvas: &mut Canvas, sheet: Sheet, title: &str, notes: &[String]) -> Room {
    let (width, height) = (sheet.width as f32, sheet.height as f32);
    canvas.text(title, (width / 2.0, MARGIN + TITLE.size / 2.0), Anchor::Middle, TITLE);
    let mut bottom = height - MARGIN / 2.0;
    let lines: Vec<String> = notes.iter().flat_map(|note| wrapped(canvas, note, width - 2.0 * MARGIN)).collect();
    for line in lines.iter().rev() {
        bottom -= NOTE.size * LEADING;
        canvas.text(line, (MARGIN, bottom + NOTE.size / 2.0), Anchor::Start, NOTE);
    }
    Room {
        left: MARGIN / 2.0,
        right: width - MARGIN / 2.0,
        top: MARGIN + TITLE.size * LEADING,
        bottom: bottom - NOTE.size / 2.0,
    }
}

/// Names of all lines, each once, in rows at the bottom of `room`; where the first row begins.
pub(super) fn legend(canvas: &mut Canvas, room: Room, lines: &[(&str, Look)]) -> f32 {
    let mut entries: Vec<(&str, Look)> = Vec::new();
    for (name, look) in lines {
        if entries.iter().all(|(known, _)| known != name) {
            entries.push((name, *look));
        }
    }
    let left = room.left + MARGIN / 2.0;
    let width = room.right - MARGIN / 2.0 - left;
    let mut rows: Vec<Vec<(&str, Look, f32)>> = vec![Vec::new()];
    let mut begin = 0.0;
    for (name, look) in entries {
        let entry = SAMPLE + 12.0 + canvas.width_of(name, LEGEND.size) + APART;
        if begin + entry - APART > width && begin > 0.0 {
            rows.push(Vec::new());
            begin = 0.0;
        }
        rows.last_mut().expect("there is a first row").push((name, look, begin));
        begin += entry;
    }
    let top = room.bottom - rows.len() as f32 * LEGEND.size * LEADING;
    for (index, row) in rows.iter().enumerate() {
        let y = top + (index as f32 + 0.5) * LEGEND.size * LEADING;
        for (name, look, begin) in row {
            let x = left + begin;
            panel::sample(canvas, *look, (x, y), SAMPLE);
            canvas.text(name, (x + SAMPLE + 12.0, y), Anchor::Start, LEGEND);
        }
    }
    top
}

/// `note` in lines that fit `room`.
pub(super) fn wrapped(canvas: &Canvas, note: &str, room: f32) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in note.split(' ') {
        let line = lines.last_mut().expect("there is a first line");
        let longer = if line.is_empty() { word.to_owned() } else { format!("{line} {word}") };
        if line.is_empty() || canvas.width_of(&longer, NOTE.size) <= room {
            *line = longer;
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}
