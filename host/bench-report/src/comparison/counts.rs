//! Which counts moved between two accounts of the same scenario. A count has no noise, so it tells a change of code from a
//! change of surroundings; it knows nothing of time.

use crate::AccountView;

/// A smaller change of a count is not reported: a count that is amortised over a batch differs a little between batches, and so small a
/// change explains no change of the time.
const MOVED_SHARE_MIN: f64 = 1e-3;

/// Each count an operation that is another in `b` than in `a`, as `instructions 1204 → 1310`; nothing at all where they
/// have no count in common. Names of modules in it are not escaped.
pub(super) fn moved(a: &AccountView, b: &AccountView) -> Option<Vec<String>> {
    let plain = [
        ("instructions", a.instructions, b.instructions),
        ("lifted bytes", a.lifted_bytes, b.lifted_bytes),
        ("lowered bytes", a.lowered_bytes, b.lowered_bytes),
    ];
    let plain = plain.into_iter().filter_map(|(name, a, b)| Some((name.to_owned(), a?, b?)));
    let counts: Vec<(String, f64, f64)> = plain.chain(calls(a, b)).collect();
    let has_common = !counts.is_empty() || (a.host_calls.is_some() && b.host_calls.is_some());
    let moved = counts.into_iter().filter(|(_, a, b)| (a - b).abs() > MOVED_SHARE_MIN * a.max(*b));
    has_common.then(|| moved.map(|(name, a, b)| format!("{name} {} → {}", exact(a), exact(b))).collect())
}

/// The calls of every import of either, where both were counted: an import that is not listed was not called.
fn calls(a: &AccountView, b: &AccountView) -> Vec<(String, f64, f64)> {
    let (Some(a), Some(b)) = (&a.host_calls, &b.host_calls) else { return Vec::new() };
    let of =
        |calls: &[(String, f64)], name: &str| calls.iter().find(|(known, _)| known == name).map_or(0.0, |(_, n)| *n);
    let mut names: Vec<&String> = a.iter().chain(b).map(|(name, _)| name).collect();
    names.sort();
    names.dedup();
    names.into_iter().map(|name| (format!("calls of {name}"), of(a, name), of(b, name))).collect()
}

/// With every digit before the point, because a move may be in the last of them.
fn exact(count: f64) -> String {
    if count.abs() < 1000.0 { crate::scale::count(count) } else { format!("{count:.0}") }
}
