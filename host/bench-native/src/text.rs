//! Texts from a probe. Texts to show are repaired and truncated; names are taken unchanged or refused, so that different names stay
//! different.

use probe_abi::raw;

/// Maximum length of a text from a probe.
pub const TEXT_BYTES_MAX: usize = 4 << 10;

/// A slice from a pointer and a length; `None` if they are not valid.
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

/// A text to show: invalid UTF-8 is replaced, and text beyond [`TEXT_BYTES_MAX`] is truncated with a mark.
///
/// # Safety
/// `text.ptr` is null or points to `text.len` bytes that stay readable and unchanged during the call.
pub unsafe fn display_text(text: raw::Str) -> Option<String> {
    // SAFETY: the caller's promise is the same.
    let bytes = unsafe { borrowed(text.ptr, text.len) }?;
    if bytes.len() <= TEXT_BYTES_MAX {
        return Some(String::from_utf8_lossy(bytes).into_owned());
    }
    // Leave out a character that the cut would split.
    let cut = bytes[..=TEXT_BYTES_MAX].iter().rposition(|byte| byte & 0xc0 != 0x80).unwrap_or(TEXT_BYTES_MAX);
    Some(format!("{}…", String::from_utf8_lossy(&bytes[..cut])))
}

/// A name: at most [`TEXT_BYTES_MAX`] bytes of UTF-8, or the reason why it is not valid.
///
/// # Safety
/// As [`display_text`], for `'a`.
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
        assert_eq!(unsafe { display_text(raw::Str::new(text)) }.as_deref(), Some(expect));
    }

    #[test]
    fn long_text_is_truncated_between_characters() {
        check("", "");
        check("short", "short");
        check(&"x".repeat(TEXT_BYTES_MAX), &"x".repeat(TEXT_BYTES_MAX));
        check(&"x".repeat(TEXT_BYTES_MAX + 1), &format!("{}…", "x".repeat(TEXT_BYTES_MAX)));
        let head = "x".repeat(TEXT_BYTES_MAX - 1);
        check(&format!("{head}ä and more"), &format!("{head}…"));
    }

    #[test]
    fn invalid_slice_is_none() {
        // SAFETY: null is allowed.
        assert_eq!(unsafe { borrowed::<u64>(std::ptr::null(), 1) }, None);
        // SAFETY: null is allowed.
        assert_eq!(unsafe { borrowed::<u64>(std::ptr::null(), 0) }, Some(&[][..]));
        // SAFETY: a pointer that is not aligned is allowed.
        assert_eq!(unsafe { borrowed(std::ptr::without_provenance::<u64>(1), 1) }, None);
    }

    #[test]
    fn invalid_name_is_refused() {
        // SAFETY: the text outlives the call.
        assert_eq!(unsafe { name(raw::Str::new("name")) }, Ok("name"));
        let bytes = [0xffu8];
        // SAFETY: the bytes outlive the call.
        assert_eq!(unsafe { name(raw::Str { ptr: bytes.as_ptr(), len: 1 }) }, Err("is not UTF-8"));
    }
}
