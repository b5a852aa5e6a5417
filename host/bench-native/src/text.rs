//! Texts that come from a probe. What is shown is made whole and cut to a bound; what names something is taken as it is or
//! not at all, so that two names never become one.

use probe_abi::raw;

/// The longest text that is kept of a probe's own words.
pub const TEXT_BYTES_MAX: usize = 4 << 10;

/// A slice out of a pointer and a length, unless they cannot be one.
///
/// # Safety
/// `ptr` is null, misaligned, or points to `len` values that stay readable and unchanged for `'a`.
#[inline]
pub unsafe fn borrowed<'a, T>(ptr: *const T, len: usize) -> Option<&'a [T]> {
    if len == 0 {
        return Some(&[]);
    }
    if ptr.is_null() || !ptr.is_aligned() || len > isize::MAX as usize / size_of::<T>() {
        return None;
    }
    // SAFETY: the pointer is neither null nor misaligned and the length is one a slice may have; the caller promises that
    // so many values are there.
    Some(unsafe { std::slice::from_raw_parts(ptr, len) })
}

/// A text to show: what is not UTF-8 is replaced, and what is beyond [`TEXT_BYTES_MAX`] is cut off and marked.
///
/// # Safety
/// `text.ptr` is null or points to `text.len` bytes that stay readable and unchanged during the call.
pub unsafe fn shown(text: raw::Str) -> Option<String> {
    // SAFETY: the caller's promise is the same.
    let bytes = unsafe { borrowed(text.ptr, text.len) }?;
    if bytes.len() <= TEXT_BYTES_MAX {
        return Some(String::from_utf8_lossy(bytes).into_owned());
    }
    // A character that the cut goes through is left out rather than shown as damaged.
    let cut = bytes[..=TEXT_BYTES_MAX].iter().rposition(|byte| byte & 0xc0 != 0x80).unwrap_or(TEXT_BYTES_MAX);
    Some(format!("{}…", String::from_utf8_lossy(&bytes[..cut])))
}

/// A text that names something: at most [`TEXT_BYTES_MAX`] bytes of UTF-8, or why it is not.
///
/// # Safety
/// As [`shown`], for `'a`.
pub unsafe fn name<'a>(text: raw::Str) -> Result<&'a str, &'static str> {
    // SAFETY: the caller's promise is the same.
    let bytes = unsafe { borrowed(text.ptr, text.len) }.ok_or("is a null pointer")?;
    if bytes.len() > TEXT_BYTES_MAX {
        return Err("is longer than 4 KiB");
    }
    std::str::from_utf8(bytes).map_err(|_| "is not UTF-8")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: &str) {
        // SAFETY: the text outlives the call.
        assert_eq!(unsafe { shown(raw::Str::new(text)) }.as_deref(), Some(expect));
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        check("", "");
        check("short", "short");
        check(&"x".repeat(TEXT_BYTES_MAX), &"x".repeat(TEXT_BYTES_MAX));
        check(&"x".repeat(TEXT_BYTES_MAX + 1), &format!("{}…", "x".repeat(TEXT_BYTES_MAX)));
        let head = "x".repeat(TEXT_BYTES_MAX - 1);
        check(&format!("{head}ä and more"), &format!("{head}…"));
    }

    #[test]
    fn what_cannot_be_a_slice_is_none() {
        // SAFETY: null is allowed.
        assert_eq!(unsafe { borrowed::<u64>(std::ptr::null(), 1) }, None);
        // SAFETY: null is allowed.
        assert_eq!(unsafe { borrowed::<u64>(std::ptr::null(), 0) }, Some(&[][..]));
        // SAFETY: a pointer that is not aligned is allowed.
        assert_eq!(unsafe { borrowed(std::ptr::without_provenance::<u64>(1), 1) }, None);
    }

    #[test]
    fn names_are_whole_or_refused() {
        // SAFETY: the text outlives the call.
        assert_eq!(unsafe { name(raw::Str::new("name")) }, Ok("name"));
        let bytes = [0xffu8];
        // SAFETY: the bytes outlive the call.
        assert_eq!(unsafe { name(raw::Str { ptr: bytes.as_ptr(), len: 1 }) }, Err("is not UTF-8"));
    }
}
