//! The rule that a relative link in a Markdown file leads to a file of the project. External links are not checked, so it needs no
//! network.

use std::collections::BTreeSet;

use super::Finding;
use super::source::Source;

/// Finds broken relative links.
pub(super) fn check(sources: &[Source]) -> Vec<Finding> {
    let places = places(sources);
    let mut findings = Vec::new();
    for source in sources.iter().filter(|source| source.has_extension(&["md"])) {
        for (line, target) in links(source.text()) {
            match resolve(&source.path, &target) {
                Some(place) if places.contains(place.as_str()) => {}
                _ => {
                    let what = format!("the link to `{target}` leads to no file of the project: fix or remove it");
                    findings.push(source.finding(line, what));
                }
            }
        }
    }
    findings
}

/// Every file and every folder above one; the root is the empty path.
fn places(sources: &[Source]) -> BTreeSet<&str> {
    let mut places = BTreeSet::from([""]);
    for source in sources {
        let mut path = source.path.as_str();
        while places.insert(path) {
            path = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        }
    }
    places
}

/// The relative targets of links, `](…)` and `[…]: …`, each with its line; links in code are ignored.
fn links(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut in_code = false;
    for (index, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") || line.trim_start().starts_with("~~~") {
            in_code = !in_code;
        } else if !in_code {
            // Every second part, between backticks, is code.
            let prose: String = line.split('`').step_by(2).collect::<Vec<_>>().join("`");
            let inline = prose.split("](").skip(1).filter_map(|rest| rest.split(')').next());
            let definition = prose.strip_prefix('[').and_then(|rest| Some(rest.split_once("]: ")?.1));
            let targets = inline.chain(definition).filter_map(relative);
            found.extend(targets.map(|target| (index + 1, target.to_owned())));
        }
    }
    found
}

/// The path of a link's target, without title and fragment; `None` for an external address or a link in the same page.
fn relative(target: &str) -> Option<&str> {
    let target = target.trim();
    let target = match target.strip_prefix('<') {
        Some(rest) => rest.split('>').next()?,
        None => target.split_whitespace().next()?,
    };
    let path = target.split('#').next()?;
    let is_address = path.contains("://") || path.starts_with("mailto:");
    (!path.is_empty() && !is_address).then_some(path)
}

/// The path from the root of a target in the file at this path; `None` if it is outside of the project.
fn resolve(path: &str, target: &str) -> Option<String> {
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    // A leading slash means the root of the project, as on GitHub.
    let (folder, target) = target.strip_prefix('/').map_or((folder, target), |target| ("", target));
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use crate::tidy::check;

    fn check_links(text: &str, expect: &[&str]) {
        check(super::check, &[("host/A.md", text), ("host/b/c.rs", ""), ("README.md", "")], expect);
    }

    #[test]
    fn valid_links_pass() {
        check_links("[c](b/c.rs) ![d](./b \"title\") [r](../README.md#x) [s](/host/A.md) [t](<b/c.rs>) [u](..)\n", &[]);
        check_links("[a](https://example.org/x) [b](mailto:a@b) [c](#here)\n", &[]);
        check_links("`[a](none)` `x`\n```\n[a](none)\n```\n", &[]);
        check_links("[a]: b/c.rs\n", &[]);
    }

    #[test]
    fn broken_links_are_found() {
        check_links("x\n[c](b/d.rs)\n", &["host/A.md:2"]);
        check_links("[c](../../README.md) [d](b/c.rs) [e](gone/)\n", &["host/A.md:1", "host/A.md:1"]);
        check_links("[a]: gone.md\n", &["host/A.md:1"]);
    }
}
