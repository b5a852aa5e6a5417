//! The format of an image: the pages and globals of an instance that differ from those of a fresh one, compressed. It works on
//! slices only.
//!
//! Numbers are little-endian. An image consists of `BHI1`; the checksum (CRC-32C) of the rest; the identity of component and fresh
//! instance; the size of each memory; the differing globals by number and value; the numbers of the differing pages; and those pages
//! in blocks. Each block is the exclusive or with the pages of a fresh instance, compressed with LZ4, after its length. A page beyond
//! the end of the fresh memory is compared with zeros.

use lz4_flex::block;

/// The unit of comparison and restoring: the page size of the processor.
pub(super) const PAGE: usize = 4096;

/// The unit by which memories grow.
pub(super) const GROWTH: usize = 65536;

const FORM: [u8; 4] = *b"BHI1";

/// Maximum number of pages that are compressed together, so that they fit into the processor's cache when restored.
const BLOCK_PAGES: usize = 64;

/// Memories and globals of one instance.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct View<'a> {
    /// The memories; the length of each is a multiple of [`GROWTH`].
    pub(super) memories: Vec<&'a [u8]>,
    /// Words of mutable globals.
    pub(super) words: Vec<u64>,
}

/// The identity of the component and its fresh instances. Images of others are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Owner {
    /// Digest of the component.
    pub(super) digest: [u8; 16],
    /// Digest of its fresh instances.
    pub(super) fresh: u32,
}

/// The reason why an image is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    /// It does not begin with the magic bytes.
    #[error("it is not a memory image of this version")]
    Form,
    /// Its checksum or its structure is wrong.
    #[error("it is damaged or incomplete")]
    Damaged,
    /// It is of another component.
    #[error("it is an image of another component")]
    Component,
    /// Fresh instances have changed since the image was taken.
    #[error("fresh instances have changed since it was taken")]
    Fresh,
}

/// The target of restoring.
pub(super) trait Target {
    type Error;
    /// Grows a memory to so many bytes.
    fn grow(&mut self, memory: usize, bytes: usize) -> Result<(), Self::Error>;
    /// Writes bytes at an existing location.
    fn write(&mut self, memory: usize, at: usize, bytes: &[u8]) -> Result<(), Self::Error>;
    /// Sets a word of a global.
    fn set(&mut self, word: usize, value: u64) -> Result<(), Self::Error>;
}

/// The reason why an image was not restored, or only in part.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NotRestored<E> {
    Refused(Refusal),
    Target(E),
}

/// Adjacent pages of one memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Run {
    memory: usize,
    first: usize,
    pages: usize,
}

impl View<'_> {
    /// The checksum of all contents.
    pub(super) fn checksum(&self) -> u32 {
        let words = self.words.iter().fold(0, |sum, word| crc32c::crc32c_append(sum, &word.to_le_bytes()));
        self.memories.iter().fold(words, |sum, memory| crc32c::crc32c_append(sum, memory))
    }

    /// A page of a memory; zeros beyond its end.
    fn page(&self, memory: usize, page: usize) -> &[u8] {
        self.memories[memory].get(page * PAGE..(page + 1) * PAGE).unwrap_or(&[0; PAGE])
    }
}

/// The first location where `now` differs from `fresh`, as text; `None` if they are equal.
pub(super) fn difference(fresh: &View<'_>, now: &View<'_>) -> Option<String> {
    if let Some(word) = (0..now.words.len()).find(|&word| fresh.words[word] != now.words[word]) {
        return Some(format!("global {word}"));
    }
    let sizes = |view: &View<'_>| view.memories.iter().map(|memory| memory.len()).collect::<Vec<_>>();
    if sizes(fresh) != sizes(now) {
        return Some("the size of a memory".to_owned());
    }
    runs(fresh, now).first().map(|run| format!("memory {} at {:#x}", run.memory, run.first * PAGE))
}

/// Makes an image of `now`, an instance that was created as `fresh`.
pub(super) fn take(owner: &Owner, fresh: &View<'_>, now: &View<'_>) -> Vec<u8> {
    let mut image = FORM.to_vec();
    image.extend([0; 4]);
    image.extend(owner.digest);
    put(&mut image, owner.fresh as usize);
    for memory in &now.memories {
        put(&mut image, memory.len() / GROWTH);
    }
    let changed: Vec<usize> = (0..now.words.len()).filter(|&word| fresh.words[word] != now.words[word]).collect();
    put(&mut image, changed.len());
    for word in changed {
        put(&mut image, word);
        image.extend(now.words[word].to_le_bytes());
    }
    let runs = runs(fresh, now);
    put(&mut image, runs.len());
    for run in &runs {
        [run.memory, run.first, run.pages].into_iter().for_each(|number| put(&mut image, number));
    }
    let mut plain = Vec::new();
    let mut packed = vec![0; block::get_maximum_output_size(BLOCK_PAGES * PAGE)];
    for block in blocks(&runs) {
        plain.clear();
        for run in block {
            for page in run.first..run.first + run.pages {
                let (before, after) = (fresh.page(run.memory, page), now.page(run.memory, page));
                plain.extend(before.iter().zip(after).map(|(before, after)| before ^ after));
            }
        }
        let length =
            block::compress_into(&plain, &mut packed).expect("the buffer is large enough for incompressible data");
        put(&mut image, length);
        image.extend(&packed[..length]);
    }
    let checksum = crc32c::crc32c(&image[8..]);
    image[4..8].copy_from_slice(&checksum.to_le_bytes());
    image.shrink_to_fit();
    image
}

/// Restores `image` into `target`, which is equal to `fresh`. After an error, `target` must not be used.
pub(super) fn restore<T: Target>(
    owner: &Owner,
    fresh: &View<'_>,
    image: &[u8],
    target: &mut T,
) -> Result<(), NotRestored<T::Error>> {
    let Image { sizes, words, runs, mut rest } = Image::open(owner, fresh, image).map_err(NotRestored::Refused)?;
    for (memory, bytes) in sizes.into_iter().enumerate() {
        if bytes > fresh.memories[memory].len() {
            target.grow(memory, bytes).map_err(NotRestored::Target)?;
        }
    }
    for (word, value) in words {
        target.set(word, value).map_err(NotRestored::Target)?;
    }
    let mut plain = Vec::new();
    for block in blocks(&runs) {
        plain.resize(block.iter().map(|run| run.pages).sum::<usize>() * PAGE, 0);
        let unpacked = rest.block().and_then(|packed| block::decompress_into(packed, &mut plain).ok());
        if unpacked != Some(plain.len()) {
            return Err(NotRestored::Refused(Refusal::Damaged));
        }
        let mut left = plain.as_mut_slice();
        for run in block {
            let bytes;
            (bytes, left) = left.split_at_mut(run.pages * PAGE);
            for (index, page) in bytes.chunks_exact_mut(PAGE).enumerate() {
                page.iter_mut()
                    .zip(fresh.page(run.memory, run.first + index))
                    .for_each(|(byte, before)| *byte ^= before);
            }
            target.write(run.memory, run.first * PAGE, bytes).map_err(NotRestored::Target)?;
        }
    }
    if rest.0.is_empty() { Ok(()) } else { Err(NotRestored::Refused(Refusal::Damaged)) }
}

/// The contents of an image without its pages.
struct Image<'a> {
    /// Bytes of each memory.
    sizes: Vec<usize>,
    words: Vec<(usize, u64)>,
    runs: Vec<Run>,
    rest: Rest<'a>,
}

impl<'a> Image<'a> {
    /// Parses an image, and checks that all its locations exist.
    fn open(owner: &Owner, fresh: &View<'_>, image: &'a [u8]) -> Result<Self, Refusal> {
        let mut rest = Rest(image.strip_prefix(&FORM).ok_or(Refusal::Form)?);
        let checksum = rest.number().ok_or(Refusal::Damaged)?;
        if crc32c::crc32c(rest.0) as usize != checksum {
            return Err(Refusal::Damaged);
        }
        if rest.bytes().ok_or(Refusal::Damaged)? != owner.digest {
            return Err(Refusal::Component);
        }
        if rest.number().ok_or(Refusal::Damaged)? != owner.fresh as usize {
            return Err(Refusal::Fresh);
        }
        Self::contents(fresh, rest).ok_or(Refusal::Damaged)
    }

    fn contents(fresh: &View<'_>, mut rest: Rest<'a>) -> Option<Self> {
        let mut sizes = Vec::with_capacity(fresh.memories.len());
        for memory in &fresh.memories {
            let bytes = rest.number()?.checked_mul(GROWTH)?;
            sizes.push(Some(bytes).filter(|bytes| *bytes >= memory.len())?);
        }
        let mut words = Vec::new();
        for _ in 0..rest.number()? {
            let word = rest.number().filter(|word| *word < fresh.words.len())?;
            words.push((word, u64::from_le_bytes(rest.bytes()?)));
        }
        let mut runs = Vec::new();
        let mut end = (0, 0);
        for _ in 0..rest.number()? {
            let run = Run { memory: rest.number()?, first: rest.number()?, pages: rest.number()? };
            let is_there = run.first.checked_add(run.pages)? <= sizes.get(run.memory)? / PAGE;
            if !is_there || run.pages == 0 || (run.memory, run.first) < end {
                return None;
            }
            end = (run.memory, run.first + run.pages);
            runs.push(run);
        }
        Some(Self { sizes, words, runs, rest })
    }
}

/// The bytes that were not read yet.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn bytes<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (bytes, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*bytes)
    }

    fn number(&mut self) -> Option<usize> {
        self.bytes().map(|bytes| u32::from_le_bytes(bytes) as usize)
    }

    fn block(&mut self) -> Option<&'a [u8]> {
        let length = self.number()?;
        let (block, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(block)
    }
}

/// Numbers are of memories of at most 4 GiB, or of what is in them.
fn put(image: &mut Vec<u8>, number: usize) {
    image.extend((number as u32).to_le_bytes());
}

/// The pages of `now` that differ.
fn runs(fresh: &View<'_>, now: &View<'_>) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for (memory, bytes) in now.memories.iter().enumerate() {
        for (page, after) in bytes.chunks_exact(PAGE).enumerate() {
            if after == fresh.page(memory, page) {
                continue;
            }
            match runs.last_mut() {
                Some(run) if run.memory == memory && run.first + run.pages == page => run.pages += 1,
                _ => runs.push(Run { memory, first: page, pages: 1 }),
            }
        }
    }
    runs
}

/// Splits runs into the portions in which they are compressed.
fn blocks(runs: &[Run]) -> impl Iterator<Item = Vec<Run>> {
    let mut left = runs.iter().copied();
    let mut cut: Option<Run> = None;
    std::iter::from_fn(move || {
        let (mut block, mut room) = (Vec::new(), BLOCK_PAGES);
        while room > 0
            && let Some(run) = cut.take().or_else(|| left.next())
        {
            let pages = run.pages.min(room);
            block.push(Run { pages, ..run });
            room -= pages;
            cut = (pages < run.pages).then(|| Run { first: run.first + pages, pages: run.pages - pages, ..run });
        }
        (!block.is_empty()).then_some(block)
    })
}

#[cfg(test)]
mod tests;
