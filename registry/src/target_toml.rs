//! Parses targets from TOML. Contradictory or incomplete targets are errors that name the target. Whether a scenario or metric
//! exists is checked later, against a run.

use crate::suite::{OneOrMany, ensure_finite};
use crate::target::{Baseline, Bound, Figure, Per, SeriesName, Target, Targets};
use bench_model::{Arm, MachineLimit, Value};
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetToml {
    #[serde(default)]
    measured_by: Vec<String>,
    target: Vec<toml::Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TargetToml {
    name: String,
    summary: String,
    scenario: String,
    arm: String,
    metric: Option<String>,
    #[serde(default)]
    labels: BTreeMap<String, String>,
    #[serde(default)]
    arguments: BTreeMap<String, OneOrMany>,
    quantile: Option<f64>,
    #[serde(default)]
    mean: bool,
    #[serde(default)]
    rate: bool,
    slope_over: Option<String>,
    per: Option<PerToml>,
    samples_min: u64,
    at_most: Option<f64>,
    at_least: Option<f64>,
    beyond: Option<String>,
    relative_to: Option<BaselineToml>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BaselineToml {
    limit: Option<String>,
    scenario: Option<String>,
    arm: Option<String>,
    metric: Option<String>,
    #[serde(default)]
    labels: BTreeMap<String, String>,
    #[serde(default)]
    arguments: BTreeMap<String, OneOrMany>,
    per: Option<PerToml>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum PerToml {
    Number(f64),
    Argument(String),
}

/// Parses a set of targets; an error may quote lines of `text`.
pub(crate) fn parse(text: &str) -> Result<Targets, String> {
    let set: SetToml = toml::from_str(text).map_err(|error| error.to_string())?;
    let mut targets: Vec<Target> = Vec::new();
    for (index, value) in set.target.into_iter().enumerate() {
        let name = value.get("name").and_then(toml::Value::as_str);
        let called = name.map_or_else(|| format!("target {}", index + 1), |name| format!("target `{name}`"));
        let target = TargetToml::deserialize(value).map_err(|error| error.to_string()).and_then(target);
        let target = target.map_err(|reason| format!("{called}: {reason}"))?;
        if targets.iter().any(|known| known.name == target.name) {
            return Err(format!("{called}: two targets have this name; give each a unique name"));
        }
        targets.push(target);
    }
    Ok(Targets { measured_by: set.measured_by, target: targets })
}

fn target(raw: TargetToml) -> Result<Target, String> {
    let figure = figure(&raw)?;
    let bound = bound(&raw)?;
    let beyond = raw.beyond.as_deref().map(str::parse).transpose()?;
    if raw.samples_min == 0 {
        return Err("`samples_min` is 0; give at least 1".to_owned());
    }
    if raw.slope_over.is_some() && figure == Figure::Rate {
        return Err("both `slope_over` and `rate`; give only one of them".to_owned());
    }
    let series = SeriesName {
        scenario: raw.scenario,
        arm: raw.arm,
        metric: raw.metric,
        labels: raw.labels,
        arguments: lists(raw.arguments)?,
        per: per(raw.per)?,
    }
    .checked()?;
    let baseline = raw.relative_to.map(|raw| baseline(raw, &series)).transpose()?;
    if beyond.is_some() {
        let is_time = raw.slope_over.is_none() && baseline.is_none() && figure != Figure::Rate;
        if !is_time || matches!(bound, Bound::AtLeast(_)) {
            return Err("`beyond` adds a limit to an absolute time that is `at_most` so long; it goes with no \
                        `at_least`, `rate`, `slope_over` or `relative_to`"
                .to_owned());
        }
    }
    Ok(Target {
        name: raw.name,
        summary: raw.summary,
        series,
        figure,
        slope_over: raw.slope_over,
        samples_min: raw.samples_min,
        bound,
        beyond,
        baseline,
    })
}

/// The figure; the median if none is given.
fn figure(raw: &TargetToml) -> Result<Figure, String> {
    match (raw.quantile, raw.mean, raw.rate) {
        (None, false, false) => Ok(Figure::Quantile(0.5)),
        (Some(quantile), false, false) if quantile > 0.0 && quantile < 1.0 => Ok(Figure::Quantile(quantile)),
        (Some(quantile), false, false) => Err(format!("`quantile` is {quantile}; give one above 0 and below 1")),
        (None, true, false) => Ok(Figure::Mean),
        (None, false, true) => Ok(Figure::Rate),
        _ => Err("more than one of `quantile`, `mean` and `rate`; give only one of them".to_owned()),
    }
}

fn bound(raw: &TargetToml) -> Result<Bound, String> {
    let (bound, value) = match (raw.at_most, raw.at_least) {
        (Some(value), None) => (Bound::AtMost(value), value),
        (None, Some(value)) => (Bound::AtLeast(value), value),
        (Some(_), Some(_)) => return Err("both `at_most` and `at_least`; give only one of them".to_owned()),
        (None, None) => return Err("no bound; give `at_most` or `at_least`".to_owned()),
    };
    if value > 0.0 && value.is_finite() { Ok(bound) } else { Err(format!("the bound is {value}; give one above 0")) }
}

fn per(raw: Option<PerToml>) -> Result<Per, String> {
    match raw {
        None => Ok(Per::Number(1.0)),
        Some(PerToml::Number(number)) if number > 0.0 && number.is_finite() => Ok(Per::Number(number)),
        Some(PerToml::Number(number)) => {
            Err(format!("`per` is {number}; give a number above 0, or the name of a parameter"))
        }
        Some(PerToml::Argument(name)) => Ok(Per::Argument(name)),
    }
}

fn lists(raw: BTreeMap<String, OneOrMany>) -> Result<BTreeMap<String, Vec<Value>>, String> {
    let list = |(name, values): (String, OneOrMany)| match values.into_list() {
        values if values.is_empty() => Err(format!("`arguments.{name}` is an empty list; give a value, or remove it")),
        values => ensure_finite(&name, &values).map(|()| (name, values)),
    };
    raw.into_iter().map(list).collect()
}

fn baseline(raw: BaselineToml, target: &SeriesName) -> Result<Baseline, String> {
    let per = per(raw.per)?;
    if let Some(limit) = raw.limit {
        let is_alone = raw.scenario.is_none()
            && raw.arm.is_none()
            && raw.metric.is_none()
            && raw.labels.is_empty()
            && raw.arguments.is_empty();
        if !is_alone {
            return Err(
                "`relative_to` has a `limit`, which allows only `per` in addition; remove the other fields".to_owned()
            );
        }
        let limit: MachineLimit = limit.parse()?;
        return match per {
            Per::Number(_) => Ok(Baseline::Limit { limit, per }),
            Per::Argument(name) => {
                Err(format!("`relative_to` has a `limit`, which has no argument `{name}`; give a number as `per`"))
            }
        };
    }
    let series = SeriesName {
        scenario: raw.scenario.unwrap_or_else(|| target.scenario.clone()),
        arm: raw.arm.unwrap_or_else(|| target.arm.clone()),
        metric: raw.metric,
        labels: raw.labels,
        arguments: lists(raw.arguments)?,
        per,
    };
    if let Some((name, _)) = series.arguments.iter().find(|(_, values)| values.len() > 1) {
        return Err(format!("`relative_to.arguments.{name}` is a list, but a baseline is one cell; give one value"));
    }
    Ok(Baseline::Series(series.checked()?))
}

impl SeriesName {
    fn checked(self) -> Result<Self, String> {
        if !self.scenario.contains('/') {
            return Err(format!("`{}`: expected `module/scenario`", self.scenario));
        }
        self.arm.split('+').next().unwrap_or_default().parse::<Arm>()?;
        match self.metric {
            None if !self.labels.is_empty() => {
                Err("`labels` without a `metric`; name the metric that has the labels".to_owned())
            }
            _ => Ok(self),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A target with all required fields, and `lines`.
    fn parsed(lines: &str) -> Result<Target, String> {
        let head =
            "[[target]]\nname = \"t\"\nsummary = \"s\"\nscenario = \"m/s\"\narm = \"native\"\nsamples_min = 20\n";
        parse(&format!("{head}{lines}")).map(|mut targets| targets.target.remove(0))
    }

    #[track_caller]
    fn check(lines: &str, expect: &str) {
        let reason = parsed(lines).expect_err(lines);
        assert!(reason.starts_with("target `t`: ") && reason.contains(expect), "{lines}: {reason}");
    }

    #[test]
    fn default_figure_is_the_median_of_one_operation() {
        let target = parsed("at_most = 35").unwrap();
        assert_eq!((target.figure, target.bound), (Figure::Quantile(0.5), Bound::AtMost(35.0)));
        assert_eq!(target.series.per, Per::Number(1.0));
        assert!(target.baseline.is_none() && target.beyond.is_none() && target.slope_over.is_none());
    }

    #[test]
    fn every_field_is_parsed() {
        let target = parsed(
            "arguments = { batch = [10, 100], mode = \"a\" }\nrate = true\nper = \"batch\"\nat_least = 0.6\nrelative_to = { metric = \"raw\", per = 2 }",
        );
        let target = target.unwrap();
        assert_eq!((target.figure, target.bound), (Figure::Rate, Bound::AtLeast(0.6)));
        assert_eq!(target.series.per, Per::Argument("batch".to_owned()));
        assert_eq!(target.series.arguments["batch"].len(), 2);
        let Some(Baseline::Series(baseline)) = target.baseline else { panic!("{:?}", target.baseline) };
        assert_eq!(
            (baseline.scenario.as_str(), baseline.arm.as_str(), baseline.per),
            ("m/s", "native", Per::Number(2.0))
        );
        let target = parsed("mean = true\nslope_over = \"streams\"\nat_most = 1024").unwrap();
        assert_eq!((target.figure, target.slope_over.as_deref()), (Figure::Mean, Some("streams")));
        let target = parsed("quantile = 0.99\nat_most = 150\nbeyond = \"clock\"").unwrap();
        assert_eq!(target.beyond, Some(MachineLimit::Clock));
    }

    #[test]
    fn contradictory_target_is_refused() {
        check("", "no bound; give `at_most` or `at_least`");
        check("at_most = 1\nat_least = 1", "both `at_most` and `at_least`");
        check("at_most = 0", "the bound is 0");
        check("at_most = nan", "the bound is NaN");
        check("at_most = 1\ncolour = 1", "unknown field `colour`");
        check("at_most = 1\nquantile = 1.0", "`quantile` is 1");
        check("at_most = 1\nquantile = 0.5\nrate = true", "give only one of them");
        check("at_most = 1\nmean = true\nrate = true", "give only one of them");
        check("at_most = 1\nrate = true\nslope_over = \"n\"", "both `slope_over` and `rate`");
        check("at_most = 1\nper = 0", "`per` is 0");
        check("at_most = 1\narguments = { n = [] }", "`arguments.n` is an empty list");
        check("at_most = 1\nlabels = { path = \"host\" }", "`labels` without a `metric`");
        check("at_most = 1\nbeyond = \"dock\"", "unknown roofline `dock`");
        check("at_least = 1\nbeyond = \"clock\"", "`beyond` adds a limit to an absolute time");
        check("at_most = 1\nbeyond = \"clock\"\nrelative_to = { metric = \"raw\" }", "`beyond` adds a limit");
        check("at_most = 1\nrelative_to = { limit = \"clock\", metric = \"raw\" }", "allows only `per` in addition");
        check("at_most = 1\nrelative_to = { limit = \"clock\", per = \"n\" }", "no argument `n`");
        check("at_most = 1\nrelative_to = { arguments = { n = [1, 2] } }", "a baseline is one cell");
        check("at_most = 1\nrelative_to = { arm = \"naitve\" }", "unknown arm `naitve`");
    }

    #[test]
    fn target_without_name_is_reported_by_number_and_names_are_unique() {
        let target = "[[target]]\nname = \"t\"\nsummary = \"s\"\nscenario = \"m/s\"\narm = \"wasm+fuel\"\nsamples_min = 1\nat_most = 1\n";
        assert!(parse(target).is_ok());
        let reason = parse(&format!("{target}{target}")).unwrap_err();
        assert!(reason.starts_with("target `t`: two targets"), "{reason}");
        let reason = parse(&format!("{target}[[target]]\nat_most = 1")).unwrap_err();
        assert!(reason.starts_with("target 2: missing field `name`"), "{reason}");
        let error = crate::parse_targets("mine.toml", "[[target]]\nname = ").unwrap_err().to_string();
        assert_eq!(error.lines().count(), 1, "{error}");
        assert!(parse("colour = 1").is_err());
    }
}
