//! A digest of a table: the number of its rows and the sum of their hashes. It does not depend on the order of rows, counts equal
//! rows, and depends on every cell and its column.

use crate::{Cell, Table};

/// The digest. Equal for two tables if they hold the same rows as often, and, but for chance of about 2⁻¹²⁰, only then.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Digest {
    /// The number of rows.
    pub rows: u64,
    sum: u128,
}

impl Digest {
    /// The digest of all cells of all rows. Column names and types are compared apart.
    pub fn of(table: &Table) -> Self {
        let sum = (0..table.rows()).fold(0, |sum: u128, row| sum.wrapping_add(row_hash(table, row)));
        Self { rows: table.rows() as u64, sum }
    }

    /// In 64 bits, as the host compares results.
    pub fn checksum(self) -> u64 {
        let halves = (self.sum as u64) ^ ((self.sum >> 64) as u64).rotate_left(32);
        mix(halves ^ self.rows, FACTORS[0])
    }
}

/// The digest of the rows of both.
impl std::ops::Add for Digest {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { rows: self.rows + other.rows, sum: self.sum.wrapping_add(other.sum) }
    }
}

impl std::fmt::Display for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} rows, {:032x}", self.rows, self.sum)
    }
}

/// Odd numbers without pattern: the fractional digits of π, as in Blowfish's tables.
const FACTORS: [u64; 2] = [0x243f_6a88_85a3_08d3, 0x1319_8a2e_0370_7345];

/// The product's halves, combined: every bit of the result depends on all bits of both.
fn mix(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    (product as u64) ^ ((product >> 64) as u64)
}

/// A hash of bytes, the same on every machine. It is not cryptographic.
pub fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = Hasher(START);
    hasher.bytes(bytes);
    hasher.finish() as u64
}

const START: [u64; 2] = [0x9e37_79b9_7f4a_7c15, 0xc2b2_ae3d_27d4_eb4f];

struct Hasher([u64; 2]);

impl Hasher {
    fn word(&mut self, word: u64) {
        let [a, b] = self.0;
        self.0 = [mix(a ^ word, FACTORS[0]) ^ b, mix(b ^ word.rotate_left(31), FACTORS[1]).wrapping_add(a)];
    }

    fn bytes(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        words.iter().for_each(|word| self.word(u64::from_le_bytes(*word)));
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        self.word(u64::from_le_bytes(last));
        self.word(bytes.len() as u64);
    }

    fn cell(&mut self, cell: Cell<'_>) {
        match cell {
            Cell::Null => self.word(1),
            Cell::Text(text) => {
                self.word(2);
                self.bytes(text.as_bytes());
            }
            Cell::Integer(value) => self.number(3, value.cast_unsigned()),
            Cell::Decimal(value) => {
                self.number(4, value as u64);
                self.word((value >> 64) as u64);
            }
            // Every NaN is the same; -0.0 and 0.0 are not.
            Cell::Real(value) => self.number(5, if value.is_nan() { f64::NAN.to_bits() } else { value.to_bits() }),
            Cell::Date(value) => self.number(6, u64::from(value.cast_unsigned())),
        }
    }

    fn finish(mut self) -> u128 {
        self.word(0);
        let [a, b] = self.0;
        u128::from(mix(a, FACTORS[1])) << 64 | u128::from(mix(b, FACTORS[0]))
    }

    fn number(&mut self, tag: u64, value: u64) {
        self.word(tag);
        self.word(value);
    }
}

/// The hash of one cell.
pub(crate) fn cell_hash(cell: Cell<'_>) -> u128 {
    let mut hasher = Hasher(START);
    hasher.cell(cell);
    hasher.finish()
}

/// The hash of a row's cells, in the order of its columns.
pub(crate) fn row_hash(table: &Table, row: usize) -> u128 {
    let mut hasher = Hasher(START);
    table.row(row).for_each(|cell| hasher.cell(cell));
    hasher.finish()
}
