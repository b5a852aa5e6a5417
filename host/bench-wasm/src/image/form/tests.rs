//! Images of random changes are restored completely, and damaged images are refused.

use super::*;
use proptest::prelude::*;
use std::convert::Infallible;

const OWNER: Owner = Owner { digest: *b"0123456789abcdef", fresh: 7 };

/// Memories and words of its own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Plain {
    memories: Vec<Vec<u8>>,
    words: Vec<u64>,
}

impl Plain {
    fn view(&self) -> View<'_> {
        View { memories: self.memories.iter().map(Vec::as_slice).collect(), words: self.words.clone() }
    }

    /// Pages and words written at random, and memories that have grown.
    fn changed(mut self, growths: &[usize], changes: &[(usize, usize, Vec<u8>)], words: &[(usize, u64)]) -> Self {
        for (memory, growths) in self.memories.iter_mut().zip(growths) {
            memory.resize(memory.len() + growths * GROWTH, 0);
        }
        for (memory, at, bytes) in changes {
            let memory = memory % self.memories.len();
            let memory = &mut self.memories[memory];
            let at = at % (memory.len() - bytes.len());
            memory[at..at + bytes.len()].copy_from_slice(bytes);
        }
        for (word, value) in words {
            let word = word % self.words.len();
            self.words[word] = *value;
        }
        self
    }
}

impl Target for Plain {
    type Error = Infallible;

    fn grow(&mut self, memory: usize, bytes: usize) -> Result<(), Infallible> {
        assert!(bytes > self.memories[memory].len());
        self.memories[memory].resize(bytes, 0);
        Ok(())
    }

    fn write(&mut self, memory: usize, at: usize, bytes: &[u8]) -> Result<(), Infallible> {
        self.memories[memory][at..at + bytes.len()].copy_from_slice(bytes);
        Ok(())
    }

    fn set(&mut self, word: usize, value: u64) -> Result<(), Infallible> {
        self.words[word] = value;
        Ok(())
    }
}

/// Two memories, one of which has something in it.
fn fresh() -> Plain {
    let some = (0..=255).cycle().take(GROWTH).chain([0; GROWTH]).collect();
    Plain { memories: vec![some, vec![0; GROWTH]], words: vec![1, 2, 3] }
}

fn restored(image: &[u8]) -> Result<Plain, Refusal> {
    let mut target = fresh();
    match restore(&OWNER, &fresh().view(), image, &mut target) {
        Ok(()) => Ok(target),
        Err(NotRestored::Refused(refusal)) => Err(refusal),
    }
}

fn changes() -> impl Strategy<Value = Plain> {
    let bytes = prop_oneof![
        prop::collection::vec(any::<u8>(), 1..300),
        (any::<u8>(), 1..3 * PAGE).prop_map(|(byte, length)| vec![byte; length]),
    ];
    let change = (any::<usize>(), any::<usize>(), bytes);
    let changes = prop::collection::vec(change, 0..20);
    let words = prop::collection::vec((any::<usize>(), any::<u64>()), 0..4);
    (prop::array::uniform2(0..6_usize), changes, words)
        .prop_map(|(growths, changes, words)| fresh().changed(&growths, &changes, &words))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn restored_instance_is_equal(now in changes()) {
        let image = take(&OWNER, &fresh().view(), &now.view());
        prop_assert_eq!(restored(&image), Ok(now));
    }

    #[test]
    fn damaged_image_is_refused(now in changes(), at: prop::sample::Index, flip in 1..=255_u8, cut: prop::sample::Index) {
        let image = take(&OWNER, &fresh().view(), &now.view());
        let mut damaged = image.clone();
        damaged[at.index(image.len())] ^= flip;
        prop_assert!(restored(&damaged).is_err());
        prop_assert!(restored(&image[..cut.index(image.len())]).is_err());
        prop_assert!(restored(&[&image[..], &[0]].concat()).is_err());
    }

    /// The checksum is put right, so that what lies behind it is reached.
    #[test]
    fn forged_image_does_not_panic(now in changes(), at: prop::sample::Index, bytes: [u8; 4]) {
        let mut image = take(&OWNER, &fresh().view(), &now.view());
        let begin = 8 + at.index(image.len() - 12 + 1);
        image[begin..begin + 4].copy_from_slice(&bytes);
        let checksum = crc32c::crc32c(&image[8..]);
        image[4..8].copy_from_slice(&checksum.to_le_bytes());
        // A size that was made up may be any that memory can have.
        let sizes = Image::open(&OWNER, &fresh().view(), &image).map(|image| image.sizes);
        if sizes.is_ok_and(|sizes| sizes.iter().all(|size| *size < 1 << 24)) {
            let _ = restored(&image);
        }
    }
}

#[test]
fn unchanged_pages_take_no_space() {
    let length = |now: &Plain| take(&OWNER, &fresh().view(), &now.view()).len();
    let nothing = length(&fresh());
    assert!(nothing < 50, "{nothing} bytes");
    assert_eq!(length(&fresh().changed(&[1000, 1000], &[], &[])), nothing, "pages of zeros are as they were");
    let one = length(&fresh().changed(&[0, 0], &[(0, 5, vec![1])], &[]));
    assert!(one < nothing + 64, "one byte takes {one} bytes where nothing takes {nothing}");
}

#[test]
fn images_of_other_components_are_refused() {
    let (fresh, mut target) = (fresh(), fresh());
    let refusal = |owner: &Owner, image: &[u8], target: &mut Plain| restore(owner, &fresh.view(), image, target);
    let image = take(&OWNER, &fresh.view(), &fresh.view());
    let others = [
        (Owner { digest: [0; 16], ..OWNER }, image.clone(), Refusal::Component),
        (Owner { fresh: 8, ..OWNER }, image.clone(), Refusal::Fresh),
        (OWNER, b"1\nchain-0\nchain-1\n0\n".to_vec(), Refusal::Form),
        (OWNER, Vec::new(), Refusal::Form),
    ];
    for (owner, image, expect) in others {
        assert_eq!(refusal(&owner, &image, &mut target), Err(NotRestored::Refused(expect)));
    }
    assert_eq!(target, fresh, "nothing was put back");
}

#[test]
fn first_difference_is_named() {
    let check = |now: Plain, expect: Option<&str>| {
        assert_eq!(difference(&fresh().view(), &now.view()).as_deref(), expect);
    };
    check(fresh(), None);
    check(fresh().changed(&[0, 0], &[], &[(1, 9)]), Some("global 1"));
    check(fresh().changed(&[0, 1], &[], &[]), Some("the size of a memory"));
    check(fresh().changed(&[0, 0], &[(1, PAGE + 1, vec![1])], &[]), Some("memory 1 at 0x1000"));
    assert_ne!(fresh().view().checksum(), fresh().changed(&[0, 0], &[(1, 9, vec![1])], &[]).view().checksum());
}
