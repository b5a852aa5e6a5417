//! Text with named placeholders, parsed once and filled in many times.

/// A template: `{name}` is a placeholder, everything else is text.
#[derive(Clone, Debug)]
pub(crate) struct Template {
    parts: Vec<Part>,
}

#[derive(Clone, Debug)]
enum Part {
    Text(String),
    Gap(String),
}

impl Template {
    /// Parses `source`; an unmatched brace is text.
    pub(crate) fn parse(source: &str) -> Self {
        let mut parts = Vec::new();
        let mut rest = source;
        while let Some((text, (name, behind))) =
            rest.split_once('{').and_then(|(text, behind)| Some((text, behind.split_once('}')?)))
        {
            parts.push(Part::Text(text.to_owned()));
            parts.push(Part::Gap(name.to_owned()));
            rest = behind;
        }
        parts.push(Part::Text(rest.to_owned()));
        Self { parts }
    }

    /// Replaces `filled` by the text with its placeholders filled; one without a value stays empty.
    pub(crate) fn fill(&self, values: &[(&str, &str)], filled: &mut String) {
        filled.clear();
        for part in &self.parts {
            filled.push_str(match part {
                Part::Text(text) => text,
                Part::Gap(name) => values.iter().find(|(known, _)| known == name).map_or("", |(_, value)| *value),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(source: &str, expect: &str) {
        let mut filled = "before".to_owned();
        Template::parse(source).fill(&[("a", "1"), ("b", "22")], &mut filled);
        assert_eq!(filled, expect);
    }

    #[test]
    fn fill_replaces_placeholders() {
        check("", "");
        check("no gap", "no gap");
        check("{a}{b} and {a}", "122 and 1");
        check("{a", "{a");
        check("<{c}>", "<>");
    }
}
