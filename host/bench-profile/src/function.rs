//! The time of each function, and names that are the same in all arms of one source.

use crate::{Frame, Owner, Profile};
use std::collections::{BTreeMap, BTreeSet};

/// The time of one function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionTime {
    /// The function.
    pub function: Frame,
    /// The processor time while it ran itself.
    pub own_ns: u64,
    /// The processor time while it, or what it called, ran.
    pub total_ns: u64,
    /// The number of samples in which it ran itself.
    pub samples: u64,
}

/// Every function of `profile`, the one with the most own time first.
pub fn functions(profile: &Profile) -> Vec<FunctionTime> {
    let mut times: BTreeMap<&Frame, (u64, u64, u64)> = BTreeMap::new();
    for sample in &profile.samples {
        // A recursive function is in a stack several times, and its time counts once.
        for frame in sample.frames.iter().collect::<BTreeSet<_>>() {
            times.entry(frame).or_default().1 += sample.weight_ns;
        }
        if let Some(running) = sample.frames.last() {
            let (own_ns, _, samples) = times.entry(running).or_default();
            *own_ns += sample.weight_ns;
            *samples += 1;
        }
    }
    let time = |(function, (own_ns, total_ns, samples)): (&Frame, (u64, u64, u64))| FunctionTime {
        function: function.clone(),
        own_ns,
        total_ns,
        samples,
    };
    let mut functions: Vec<FunctionTime> = times.into_iter().map(time).collect();
    functions.sort_by(|a, b| b.own_ns.cmp(&a.own_ns).then_with(|| b.total_ns.cmp(&a.total_ns)));
    functions
}

/// The name without mangling and without the digits that tell builds apart. perf ends a name with its offset only if asked to.
pub fn demangled(name: &str) -> String {
    let name = engine_name(name).map_or(name, |(_, _, name)| name);
    let demangle = |name: &str| rustc_demangle::try_demangle(name).ok().map(|name| format!("{name:#}"));
    let name = demangle(name).or_else(|| demangle(&completed(name)?)).unwrap_or_else(|| name.to_owned());
    without_hash(&name).to_owned()
}

/// What the engine calls a function, taken apart: `wasm[0]::function[12]::json` into `0`, `12` and `json`. `None` without a name.
pub(crate) fn engine_name(name: &str) -> Option<(&str, &str, &str)> {
    let (module, rest) = name.strip_prefix("wasm[")?.split_once("]::function[")?;
    let (function, name) = rest.split_once("]::")?;
    Some((module, function, name))
}

/// A name of the older mangling, of which the engine keeps only the first 96 bytes, with the end that it needs to be read: its last
/// part is as long as what is left of it.
fn completed(name: &str) -> Option<String> {
    let mut rest = name.strip_prefix("_ZN")?;
    let mut whole = "_ZN".to_owned();
    while let Some(digits) = rest.find(|letter: char| !letter.is_ascii_digit()).filter(|digits| *digits > 0) {
        let length: usize = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let part = rest.get(..length).unwrap_or(rest);
        // What is left of a hash distinguishes nothing.
        let is_hash = length == 17 && part.len() < length && part.starts_with('h');
        if !is_hash {
            whole.push_str(&format!("{}{part}", part.len()));
        }
        rest = &rest[part.len()..];
    }
    (whole != "_ZN").then(|| whole + "E")
}

/// Removes the last part of a name of the older mangling: `::h` and sixteen digits.
fn without_hash(name: &str) -> &str {
    let (path, last) = name.rsplit_once("::").unwrap_or((name, ""));
    let is_hash = last.len() == 17 && last.starts_with('h') && last[1..].bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_hash { path } else { name }
}

/// The name by which a function is found in another arm of the same source: without what only the arm's tools add. Engines put the
/// module before a name (`kernels.wasm!json::parse`) or the number of the function after it (`json::parse[12]`); linkers add
/// suffixes such as `.llvm.123`; some tools leave out generic arguments, so these are removed.
pub fn plain_name(function: &Frame) -> String {
    let name = function.name.as_str();
    let name = if function.owner == Owner::Guest { name.rsplit_once('!').map_or(name, |(_, name)| name) } else { name };
    let name = name.split(".llvm.").next().unwrap_or(name);
    let name = match name.strip_suffix(']').and_then(|name| name.rsplit_once('[')) {
        Some((path, number)) if !path.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) => path,
        _ => name,
    };
    without_generics(without_hash(name))
}

/// `a::B<C>::d` becomes `a::B::d`. What begins with `<`, such as `<A as B>::c`, stays, because nothing else would be left.
fn without_generics(name: &str) -> String {
    let (mut plain, mut depth) = (String::new(), 0_usize);
    let mut previous = ' ';
    for (at, letter) in name.char_indices() {
        let opens =
            letter == '<' && at > 0 && (depth > 0 || previous.is_alphanumeric() || previous == '_' || previous == ':');
        match letter {
            '<' if opens => depth += 1,
            '>' if depth > 0 && previous != '-' => depth -= 1,
            _ if depth == 0 => plain.push(letter),
            _ => {}
        }
        previous = letter;
    }
    // `a::<T>::b` leaves an empty part.
    plain.replace("::::", "::").trim_end_matches("::").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Sample;

    fn frame(name: &str, owner: Owner) -> Frame {
        Frame { name: name.to_owned(), owner }
    }

    #[test]
    fn own_and_total_time_are_added_up() {
        let sample = |names: &[&str]| Sample {
            thread: 1,
            time_ns: 0,
            weight_ns: 10,
            frames: names.iter().map(|name| frame(name, Owner::Guest)).collect(),
        };
        let profile = Profile { samples: vec![sample(&["a", "b"]), sample(&["a", "b", "b"]), sample(&["a"])] };
        let times = functions(&profile);
        let found = times.iter().map(|time| (time.function.name.as_str(), time.own_ns, time.total_ns, time.samples));
        assert_eq!(found.collect::<Vec<_>>(), [("b", 20, 20, 2), ("a", 10, 30, 1)]);
    }

    #[test]
    fn functions_of_one_source_have_one_name_in_all_arms() {
        let check = |name: &str, expect: &str| assert_eq!(plain_name(&frame(name, Owner::Guest)), expect, "{name}");
        check("kernels.wasm!kernels::json::parse", "kernels::json::parse");
        check("kernels::json::parse::h0123456789abcdef", "kernels::json::parse");
        check("kernels::json::parse.llvm.123", "kernels::json::parse");
        check("kernels::json::parse[12]", "kernels::json::parse");
        check("alloc::vec::Vec<T,A>::push", "alloc::vec::Vec::push");
        check("core::iter::fold::<u8, fn(u8) -> u8>::call", "core::iter::fold::call");
        check("<kernels::Json as kernels::Parse<u8>>::next", "<kernels::Json as kernels::Parse>::next");
        check("wasm[0]::function[12]", "wasm[0]::function");
        check("", "");
        assert_eq!(plain_name(&frame("a!b", Owner::Host)), "a!b", "only engines put a module before a name");
    }

    #[test]
    fn both_manglings_are_undone() {
        assert_eq!(demangled("_ZN4json5parse17h0123456789abcdefE"), "json::parse");
        assert_eq!(demangled("_RNvCs1234_7mycrate3foo"), "mycrate::foo");
        assert_eq!(demangled("memcpy"), "memcpy");
    }

    #[test]
    fn names_of_the_engine_are_read_even_if_they_are_cut() {
        assert_eq!(demangled("wasm[0]::function[575]::dlfree"), "dlfree");
        assert_eq!(demangled("wasm[0]::function[12]"), "wasm[0]::function[12]");
        assert_eq!(demangled("wasm[0]::function[1]::_ZN4json5parse17h0123456789abcdefE"), "json::parse");
        assert_eq!(demangled("_ZN4json5parse17h0123"), "json::parse");
        let cut = "_ZN98_$LT$$RF$mut$u20$serde_json..de..Deserializer$LT$R$GT$$u20$as$u20$serde_core..de..Deseriali";
        assert_eq!(demangled(cut), "<&mut serde_json::de::Deserializer<R> as serde_core::de::Deseriali");
        assert_eq!(demangled("_ZN"), "_ZN");
    }
}
