//! The family `tabular`: stages of a table's way from an answer to an aggregate. Most of its scenarios run with the driver `workload`; this
//! crate has the driver `stage`, for stages that take and give tables through the boundary, and what a report says of all of them.

#![deny(unsafe_code)]

mod arrow;
mod driver;
mod report;
mod spec;
mod stages;

use bench_drivers::Driver;
use bench_family::{Family, Reach, Shorthand, Takes};
use bench_model::{Arguments, Scenario};
use bench_report::FamilyReport;
use std::time::Duration;

/// The family's name.
const FAMILY: &str = "tabular";

/// Time allowed for one row to be generated, joined by the oracle, and compared on a slow machine.
const ROW: Duration = Duration::from_micros(100);

/// Rows of TPC-H's `lineitem` for a thousandth of a scale factor, rounded up.
const LINE_ITEMS_PERMILLE: i64 = 6_002;

/// The family.
#[derive(Debug)]
pub struct Tabular;

impl Family for Tabular {
    fn name(&self) -> &'static str {
        FAMILY
    }

    fn summary(&self) -> &'static str {
        "Stages of tables"
    }

    fn drivers(&self) -> &'static [&'static dyn Driver] {
        &[&driver::StageDriver]
    }

    fn report(&self) -> Option<&'static dyn FamilyReport> {
        Some(&report::TabularReport)
    }

    fn options(&self) -> &'static [Shorthand] {
        &[
            Shorthand {
                long: "mine",
                parameter: "mine",
                takes: Takes::One("URL"),
                help: "Mine to fetch from instead of a server of the run's own, as http://HOST[:PORT][/PATH] (same as `-p mine=URL`)",
            },
            Shorthand {
                long: "keep",
                parameter: "keep",
                takes: Takes::One("FOLDER"),
                help: "Folder in which fetched pages are kept; @run/fetched is in the run directory (same as `-p keep=FOLDER`)",
            },
            Shorthand {
                long: "replay",
                parameter: "replay",
                takes: Takes::One("RUN|FOLDER"),
                help: "Run directory or folder with pages that --keep kept, for the stages after fetching (same as `-p replay=FOLDER`)",
            },
            Shorthand {
                long: "metric-goal",
                parameter: "metric_goal",
                takes: Takes::One("GOAL"),
                help: "Goal of `run '*/model'`: throughput, which drops objects at once, or memory, which keeps them all (same as `-p metric_goal=GOAL`)",
            },
            Shorthand {
                long: "sample-mode",
                parameter: "sample_mode",
                takes: Takes::One("MODE"),
                help: "Objects that `run '*/model'` keeps if the goal is throughput: none, head or stride (same as `-p sample_mode=MODE`)",
            },
            Shorthand {
                long: "csv",
                parameter: "csv",
                takes: Takes::One("FILE"),
                help: "CSV file of your own for `run '*/own-csv'`, with a header (same as `-p csv=FILE`)",
            },
            Shorthand {
                long: "parquet",
                parameter: "parquet",
                takes: Takes::One("FILE"),
                help: "Parquet file of your own for `run '*/own-parquet'` (same as `-p parquet=FILE`)",
            },
            Shorthand {
                long: "strict-parity",
                parameter: "",
                takes: Takes::Nothing,
                help: "Fail a run in which formats, arms or engines make different rows of the same rows; always on",
            },
        ]
    }

    /// The folders that fetched pages and their rows are kept in. Files that are read are requirements.
    fn reaches(&self, scenario: &Scenario, arguments: &Arguments) -> Vec<Reach> {
        if scenario.family != self.name() {
            return Vec::new();
        }
        let folders = ["keep", "keep_typed"].into_iter().filter_map(|name| arguments.text(name).ok());
        folders.filter_map(Reach::of_output).collect()
    }

    /// Rows are generated and compared once per process, however often a stage is repeated.
    fn extra_deadline(&self, scenario: &Scenario, arguments: &Arguments, _repetitions: u64) -> Duration {
        if scenario.family != self.name() {
            return Duration::ZERO;
        }
        let given = |name: &str| arguments.integer(name).ok();
        let rows = given("rows").or_else(|| Some(given("scale_permille")?.saturating_mul(LINE_ITEMS_PERMILLE)));
        ROW.saturating_mul(u32::try_from(rows.unwrap_or_default()).unwrap_or(u32::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extra_time_is_for_rows_of_this_family() {
        let check = |family: &str, name: &str, value: i64, expect_ms: u64| {
            let mut arguments = Arguments::default();
            arguments.set(name, value);
            let extra = Tabular.extra_deadline(&Scenario::new("join", family, ""), &arguments, 7);
            assert_eq!(extra, Duration::from_millis(expect_ms), "{family} {name}={value}");
        };
        check("tabular", "rows", 20_000, 2_000);
        check("tabular", "scale_permille", 1_000, 600_200);
        check("tabular", "threads", 2, 0);
        check("pipelines", "rows", 20_000, 0);
    }

    #[test]
    fn folders_that_pages_are_kept_in_are_written_to() {
        let check = |family: &str, keep: &str, expect: &[Reach]| {
            let arguments: Arguments = [("keep", keep), ("csv", "/a.csv")].into_iter().collect();
            assert_eq!(Tabular.reaches(&Scenario::new("fetch", family, ""), &arguments), expect, "{family} {keep}");
        };
        check("tabular", "", &[]);
        check("tabular", "/kept", &[Reach::Write("/kept".to_owned())]);
        check("other", "/kept", &[]);
    }
}
