//! Colours and marks that readers can distinguish, also those who see few colours.

/// Red, green and blue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Colour(pub(crate) u8, pub(crate) u8, pub(crate) u8);

/// Text, axes, and the lines behind figures.
pub(super) const INK: Colour = Colour(32, 32, 32);
pub(super) const FAINT: Colour = Colour(96, 96, 96);
pub(super) const GRID: Colour = Colour(224, 224, 224);

/// What counts as no difference, what is as it should be, what is not, and what nothing can be said of.
pub(super) const ZONE: Colour = Colour(241, 241, 234);
pub(super) const GOOD: Colour = Colour(0, 158, 115);
pub(super) const BAD: Colour = Colour(213, 94, 0);
pub(super) const QUIET: Colour = Colour(140, 140, 140);

/// The opacity of areas, such as bands of intervals. The class `b` of a page has the same.
pub(super) const AREA_OPACITY: f32 = 0.18;

/// What stands at a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    Circle,
    Square,
    Triangle,
    Diamond,
    TriangleDown,
}

/// How a line looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    pub(crate) colour: Colour,
    pub(crate) mark: Mark,
    pub(crate) is_dashed: bool,
    pub(crate) has_marks: bool,
}

/// Colours that differ in brightness as well as in hue, so that they differ for those who tell no red from green (Okabe and Ito
/// 2008, without the yellow, which is faint on white).
const COLOURS: [Colour; 7] = [
    Colour(0, 114, 178),
    Colour(213, 94, 0),
    Colour(0, 158, 115),
    Colour(204, 121, 167),
    Colour(86, 180, 233),
    Colour(230, 159, 0),
    Colour(0, 0, 0),
];
const MARKS: [Mark; 5] = [Mark::Circle, Mark::Square, Mark::Triangle, Mark::Diamond, Mark::TriangleDown];

impl Colour {
    /// The name of the colour in a page, whose theme says what it looks like.
    pub(super) fn name(self) -> String {
        let named = [(INK, "ki"), (FAINT, "kf"), (GRID, "kg"), (ZONE, "kz"), (QUIET, "kq")];
        let named = named.into_iter().find(|(colour, _)| *colour == self).map(|(_, name)| name.to_owned());
        let numbered = || COLOURS.iter().position(|colour| *colour == self).map(|index| format!("k{index}"));
        named.or_else(numbered).unwrap_or_else(|| "ki".to_owned())
    }
}

impl Look {
    /// The look of the line `index`: no two of the first 35 are alike in colour and mark.
    pub fn of(index: usize) -> Self {
        Self {
            colour: COLOURS[index % COLOURS.len()],
            mark: MARKS[index % MARKS.len()],
            is_dashed: false,
            has_marks: true,
        }
    }

    /// The same, dashed.
    #[must_use]
    pub fn dashed(self) -> Self {
        Self { is_dashed: true, ..self }
    }

    /// The same without marks at points, for lines of many points.
    #[must_use]
    pub fn unmarked(self) -> Self {
        Self { has_marks: false, ..self }
    }
}
