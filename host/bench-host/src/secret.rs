//! Moves passwords out of what is planned, shown or recorded, and restores them for the loader. What a secret is, the crate
//! `pg-connection` says.

use bench_engine::Report;
use pg_connection::{Environment, HIDDEN, Settings, has_hidden, is_connection, redact, redact_text, without_hidden};
use std::collections::BTreeMap;

/// Maps redacted connection strings to complete ones.
#[derive(Clone, Debug, Default)]
pub(crate) struct Secrets(BTreeMap<String, String>);

impl Secrets {
    /// Moves the passwords out of `parameters`. A connection string that cannot be parsed is refused, because what in it is a secret
    /// is unknown.
    pub(crate) fn move_passwords(&mut self, parameters: &mut [(String, Vec<String>)]) -> anyhow::Result<()> {
        for (name, values) in parameters {
            for value in values {
                let open = redact(value);
                if open == *value {
                    continue;
                }
                // Of other kinds of URLs only the password before the host is a secret.
                let is_url = value.contains("://") && !is_connection(value);
                if !is_url
                    && let Err(error) = Settings::resolve(value, &Environment::default())
                    && !error.is_incomplete()
                {
                    anyhow::bail!("parameter `{name}`: {error}");
                }
                let whole = std::mem::replace(value, open.clone());
                // As earlier versions have recorded it.
                self.0.insert(without_hidden(&open), whole.clone());
                self.0.insert(open, whole);
            }
        }
        Ok(())
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// An error if a secret that was hidden in `parameters` is not known.
    pub(crate) fn has_all_of(&self, parameters: &[(String, Vec<String>)]) -> anyhow::Result<()> {
        for (name, values) in parameters {
            if let Some(value) = values.iter().find(|value| has_hidden(value) && !self.0.contains_key(*value)) {
                anyhow::bail!(
                    "parameter `{name}`: the run was started with a password, which is not recorded; give the option again, with \
                     the password in place of {HIDDEN}: {value}"
                );
            }
        }
        Ok(())
    }

    /// The complete connection string of what is shown as `text`.
    pub(crate) fn whole<'a>(&'a self, text: &'a str) -> &'a str {
        self.0.get(text).map_or(text, String::as_str)
    }
}

/// Hides secrets in what a module says in `report`: it was given complete connection strings, and errors often repeat them.
pub(crate) fn redact_report(report: &mut Report) {
    report.outcome.reason = report.outcome.reason.take().map(|reason| redact_text(&reason));
    for check in &mut report.checks {
        check.detail = redact_text(&check.detail);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bench_engine::Repetition;
    use bench_sink::runfile::{CheckRecord, Status};

    #[test]
    fn secrets_in_what_a_module_says_are_hidden() {
        let says = "cannot reach postgres://u:s3@h/d, said `password=s3`";
        let mut report = Report::without_figures(Repetition { cell: 0, process: 0 }, Status::Failed, says);
        let (name, detail) = ("reached".to_owned(), says.to_owned());
        report.checks.push(CheckRecord { cell: 0, process: 0, name, passed: false, detail });
        redact_report(&mut report);
        let expect = "cannot reach postgres://u:***@h/d, said `password=***";
        assert_eq!((report.outcome.reason.as_deref(), report.checks[0].detail.as_str()), (Some(expect), expect));
    }

    fn moved(value: &str) -> (Secrets, Result<String, String>) {
        let mut parameters = vec![("database_url".to_owned(), vec![value.to_owned()])];
        let mut secrets = Secrets::default();
        let moved = secrets.move_passwords(&mut parameters).map_err(|error| error.to_string());
        (secrets, moved.map(|()| parameters[0].1[0].clone()))
    }

    #[test]
    fn password_is_removed_and_can_be_restored() {
        let check = |text: &str, expect: &str| {
            let (secrets, open) = moved(text);
            assert_eq!(open.as_deref(), Ok(expect));
            assert_eq!(secrets.whole(expect), text);
        };
        check("postgres://user:pa@ss@host:5432/rows", "postgres://user:***@host:5432/rows");
        check("host=h user=u password='s 3' dbname=d", "host=h user=u password=*** dbname=d");
        check("host=h password=s3", "host=h password=***");
        check("@cluster", "@cluster");
        check("https://u:s3@h/x", "https://u:***@h/x");
    }

    #[test]
    fn resumed_run_needs_the_password_again() {
        let recorded = |text: &str| [("database_url".to_owned(), vec![text.to_owned()])];
        let (secrets, _) = moved("postgres://u:s3@h/d");
        secrets.has_all_of(&recorded("postgres://u:***@h/d")).unwrap();
        secrets.has_all_of(&recorded("postgres://u@other/d")).unwrap();
        let error = Secrets::default().has_all_of(&recorded("postgres://u:***@h/d")).unwrap_err().to_string();
        assert!(error.contains("give the option again"), "{error}");
        assert_eq!(secrets.whole("postgres://u@h/d"), "postgres://u:s3@h/d", "a run file of an earlier version");
    }

    #[test]
    fn malformed_connection_string_is_refused_and_not_repeated() {
        for text in ["postgres://ann:s3/cret@h/d", "postgres://ann:50%s3@h/d", "host=h password='s3"] {
            let error = moved(text).1.unwrap_err();
            assert!(error.starts_with("parameter `database_url`: ") && !error.contains("s3"), "{error}");
        }
    }
}
