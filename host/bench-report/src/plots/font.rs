//! The font of figures, which is part of the program because a machine that measures need not have one.

use ab_glyph::{Font, FontRef};
use epaint_default_fonts::UBUNTU_LIGHT;

/// The height of a capital letter over the size.
pub(super) const CAPITAL: f32 = 0.7;

/// A typeface.
pub(super) struct Face(pub(super) FontRef<'static>);

impl Face {
    /// The one that is built in. `None` if it cannot be read.
    pub(super) fn built_in() -> Option<Self> {
        Some(Self(FontRef::try_from_slice(UBUNTU_LIGHT).ok()?))
    }

    /// The width of `text`.
    pub(super) fn width(&self, text: &str, size: f32) -> f32 {
        let scale = size / self.0.units_per_em().unwrap_or(1000.0);
        let (mut width, mut before) = (0.0, None);
        for letter in text.chars() {
            let glyph = self.0.glyph_id(letter);
            width += before.map_or(0.0, |before| self.0.kern_unscaled(before, glyph) * scale);
            width += self.0.h_advance_unscaled(glyph) * scale;
            before = Some(glyph);
        }
        width
    }
}
