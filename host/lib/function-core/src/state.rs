//! The state that the function computes before its first request, and how it answers with it.

use crate::order::{BadRequest, Item, Order};
use crate::template::Template;
use sha2::{Digest, Sha256};
use std::hint::black_box;
use std::time::{Duration, Instant};

/// The environment variable with the number of bytes that the initialisation touches.
pub const HEAP_BYTES: &str = "BENCH_HEAP_BYTES";

/// Bytes that the initialisation touches by default.
pub const HEAP_BYTES_DEFAULT: usize = 1 << 20;

/// The environment variable with the duration of the initialisation, in milliseconds.
pub const INIT_MS: &str = "BENCH_INIT_MS";

/// Milliseconds of the initialisation by default.
pub const INIT_MS_DEFAULT: u64 = 0;

/// Bytes of a page of rules: the kernel's page size on most machines.
const PAGE_BYTES: usize = 4096;

/// A page's number comes before its rules, so that no two pages are equal.
const PAGE_HEAD_BYTES: usize = 8;

/// Rules of a page, four bytes each.
const RULES_PER_PAGE: usize = (PAGE_BYTES - PAGE_HEAD_BYTES) / 4;

/// The rules are drawn from the hash of this.
const SEED: &[u8] = b"bench-host function";

/// Hashes of a round of work: some tens of microseconds.
const ROUND_HASHES: usize = 200;

/// A page is copied in pieces of this many bytes. Copied whole, to a place with nearly the same offset in its page, it takes ten
/// times as long on some processors where `memmove` uses `rep movsb` for such a length
/// (<https://sourceware.org/bugzilla/show_bug.cgi?id=30994>).
const PIECE_BYTES: usize = 512;

/// Discounts are below this, in per cent.
const DISCOUNT_PERCENT_END: u32 = 31;

/// The function, initialised.
#[derive(Clone, Debug)]
pub struct State {
    /// Pages of rules. Every page has the same rules, so that the answer does not depend on how many there are.
    table: Vec<u8>,
    greeting: Template,
    line: Template,
}

impl State {
    /// Touches `heap_bytes`, rounded up to whole pages and at least one, and works for `init_ms` milliseconds.
    ///
    /// Only work counts: a round that took more than twice the fastest so far was interrupted, and counts as the fastest.
    pub fn initialise(heap_bytes: usize, init_ms: u64) -> Self {
        let seal = Sha256::digest(SEED).into();
        work(&seal, Duration::from_millis(init_ms));
        let page = page(&seal);
        let pages = heap_bytes.div_ceil(PAGE_BYTES).max(1);
        let mut table = Vec::with_capacity(pages * PAGE_BYTES);
        for number in 0..pages as u64 {
            table.extend_from_slice(&number.to_le_bytes());
            page.chunks(PIECE_BYTES).for_each(|piece| table.extend_from_slice(piece));
        }
        Self {
            table,
            greeting: Template::parse("Hello, {name}: {count} lines, {total} cents"),
            line: Template::parse("{quantity} x {sku} at {price}, less {discount} %: {total}"),
        }
    }

    /// As [`State::initialise`], with the values of [`HEAP_BYTES`] and [`INIT_MS`].
    ///
    /// # Errors
    /// One line: the variable that is not a whole number.
    pub fn from_environment() -> Result<Self, String> {
        let heap_bytes = number(HEAP_BYTES)?.map_or(HEAP_BYTES_DEFAULT, |bytes| bytes as usize);
        Ok(Self::initialise(heap_bytes, number(INIT_MS)?.unwrap_or(INIT_MS_DEFAULT)))
    }

    /// The HTTP response to a `POST` of `body`: its status and its body.
    pub fn respond(&self, body: &[u8]) -> (u16, Vec<u8>) {
        match self.handle(body) {
            Ok(answer) => (200, answer),
            Err(refusal) => (400, refusal.to_json()),
        }
    }

    /// Answers the JSON `body` with `{"digest", "greeting", "lines", "total_cents"}`: the digest is the SHA-256, in hexadecimal
    /// digits, of the lines and the greeting, each followed by a line feed.
    pub fn handle(&self, body: &[u8]) -> Result<Vec<u8>, BadRequest> {
        let order = Order::parse(body)?;
        let mut total_cents = 0;
        let (mut line, mut lines) = (String::with_capacity(64), Vec::with_capacity(64 * order.items.len()));
        let mut hasher = Sha256::new();
        for item in &order.items {
            total_cents += self.price(item, &mut line);
            hash_line(&mut hasher, &line);
            if !lines.is_empty() {
                lines.push(b',');
            }
            push_json(&mut lines, &line);
        }
        let (mut count, mut total) = (itoa::Buffer::new(), itoa::Buffer::new());
        let (count, total) = (count.format(order.items.len()), total.format(total_cents));
        self.greeting.fill(&[("name", &order.name), ("count", count), ("total", total)], &mut line);
        hash_line(&mut hasher, &line);
        // Alphabetical, as in a map with sorted keys.
        let mut answer = Vec::with_capacity(256 + line.len() + lines.len());
        answer.extend_from_slice(b"{\"digest\":\"");
        push_hexadecimal(&mut answer, &hasher.finalize());
        answer.extend_from_slice(b"\",\"greeting\":");
        push_json(&mut answer, &line);
        answer.extend_from_slice(b",\"lines\":[");
        answer.extend_from_slice(&lines);
        answer.extend_from_slice(b"],\"total_cents\":");
        answer.extend_from_slice(total.as_bytes());
        answer.push(b'}');
        Ok(answer)
    }

    /// Replaces `line` by the text of one line, and returns its price in cents.
    fn price(&self, item: &Item<'_>, line: &mut String) -> u64 {
        let discount = self.rule(&item.sku) % DISCOUNT_PERCENT_END;
        let cents = item.quantity * item.price_cents * u64::from(100 - discount) / 100;
        let mut digits = [itoa::Buffer::new(); 4];
        let [quantity, price, discount_digits, total] = &mut digits;
        let values = [
            ("quantity", quantity.format(item.quantity)),
            ("sku", &*item.sku),
            ("price", price.format(item.price_cents)),
            ("discount", discount_digits.format(discount)),
            ("total", total.format(cents)),
        ];
        self.line.fill(&values, line);
        cents
    }

    /// The rule for a stock number; every page has it, and its hash chooses the page.
    fn rule(&self, sku: &str) -> u32 {
        let hash = fnv(sku.as_bytes()) as usize;
        let page = hash / RULES_PER_PAGE % (self.table.len() / PAGE_BYTES);
        let at = page * PAGE_BYTES + PAGE_HEAD_BYTES + hash % RULES_PER_PAGE * 4;
        self.table[at..at + 4].iter().rev().fold(0, |word, &byte| word << 8 | u32::from(byte))
    }
}

/// Hashes the seal again and again until `time` has been spent.
fn work(seal: &[u8; 32], time: Duration) {
    let mut spent = Duration::ZERO;
    let mut fastest = Duration::MAX;
    while spent < time {
        let start = Instant::now();
        black_box(round(black_box(*seal)));
        let took = start.elapsed();
        fastest = fastest.min(took);
        spent += took.min(fastest * 2);
    }
}

/// One round of work.
fn round(seal: [u8; 32]) -> [u8; 32] {
    (0..ROUND_HASHES).fold(seal, |hash, _| Sha256::digest(hash).into())
}

/// A page without its number: rules drawn from the generator of Numerical Recipes (Press et al., 2nd ed., 7.1), which starts
/// at the seal's first word.
fn page(seal: &[u8; 32]) -> Vec<u8> {
    let mut word = u32::from_le_bytes([seal[0], seal[1], seal[2], seal[3]]);
    let mut page = Vec::with_capacity(PAGE_BYTES - PAGE_HEAD_BYTES);
    for _ in 0..RULES_PER_PAGE {
        word = word.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        // The high bits are the random ones.
        page.extend_from_slice(&(word >> 16).to_le_bytes());
    }
    page
}

/// FNV-1a, 32 bits: <http://www.isthe.com/chongo/tech/comp/fnv/>.
fn fnv(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash, &byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

fn hash_line(hasher: &mut Sha256, line: &str) {
    hasher.update(line.as_bytes());
    hasher.update(b"\n");
}

/// Appends a text as JSON.
fn push_json(out: &mut Vec<u8>, text: &str) {
    let written = serde_json::to_writer(out, text);
    debug_assert!(written.is_ok(), "writing to a vector cannot fail");
}

fn push_hexadecimal(out: &mut Vec<u8>, bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for byte in bytes {
        out.extend_from_slice(&[DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
    }
}

/// The environment variable `name`, where it is set.
fn number(name: &str) -> Result<Option<u64>, String> {
    let Some(text) = std::env::var_os(name) else { return Ok(None) };
    let parsed = text.to_str().and_then(|text| text.parse().ok());
    parsed.map(Some).ok_or_else(|| format!("{name} is {text:?}; give a whole number"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fnv_matches_published_values() {
        assert_eq!([fnv(b""), fnv(b"foobar")], [0x811c_9dc5, 0xbf9c_f968]);
        let mut out = Vec::new();
        push_hexadecimal(&mut out, &[0x0f, 0xa0]);
        assert_eq!(out, b"0fa0");
    }

    #[test]
    fn table_has_the_requested_size_and_distinct_pages() {
        let state = State::initialise(3 * PAGE_BYTES - 1, 0);
        let pages: std::collections::BTreeSet<_> = state.table.chunks(PAGE_BYTES).collect();
        assert_eq!((state.table.len(), pages.len()), (3 * PAGE_BYTES, 3));
    }
}
