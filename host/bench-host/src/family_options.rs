//! Command-line options that families declare as data. Each is a shorthand for a parameter, so this file names no family.

use crate::families::FAMILIES;
use bench_family::{Shorthand, Takes};
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};

/// The families' options that were given, as parameters: name and values.
#[derive(Debug, Default)]
pub(crate) struct FamilyOptions {
    pub(crate) parameters: Vec<(String, Vec<String>)>,
}

impl Args for FamilyOptions {
    fn augment_args(command: Command) -> Command {
        FAMILIES.iter().fold(command, |command, family| {
            command.next_help_heading(family.summary()).args(family.options().iter().map(arg))
        })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for FamilyOptions {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let options = FAMILIES.iter().flat_map(|family| family.options());
        let given = options.map(|option| (option.parameter.to_owned(), values(option, matches)));
        Ok(Self { parameters: given.filter(|(_, values)| !values.is_empty()).collect() })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// The same options as conditions on cells that were measured. Help texts leave them out.
#[derive(Debug, Default)]
pub(crate) struct FamilyFilters(pub(crate) FamilyOptions);

impl Args for FamilyFilters {
    fn augment_args(command: Command) -> Command {
        let options = FAMILIES.iter().flat_map(|family| family.options());
        command.args(options.map(|option| arg(option).hide(true)))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for FamilyFilters {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        FamilyOptions::from_arg_matches(matches).map(Self)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        self.0.update_from_arg_matches(matches)
    }
}

fn arg(option: &Shorthand) -> Arg {
    let arg = Arg::new(option.long).long(option.long).help(option.help);
    match option.takes {
        Takes::One(name) => arg.value_name(name),
        // Arguments of a command and expected numbers begin with a dash.
        Takes::Text(name) => arg.value_name(name).allow_hyphen_values(true),
        Takes::Many(names) => arg.value_name(names).value_delimiter(',').action(ArgAction::Append),
        Takes::Each(name) => arg.value_name(name).action(ArgAction::Append),
        Takes::Flag(_) | Takes::Nothing => arg.action(ArgAction::SetTrue),
    }
}

fn values(option: &Shorthand, matches: &ArgMatches) -> Vec<String> {
    match option.takes {
        Takes::Flag(value) if matches.get_flag(option.long) => vec![value.to_owned()],
        Takes::Flag(_) | Takes::Nothing => Vec::new(),
        Takes::One(_) | Takes::Text(_) | Takes::Many(_) | Takes::Each(_) => {
            matches.get_many(option.long).into_iter().flatten().cloned().collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::cli::{Cli, Command};
    use clap::Parser;

    #[track_caller]
    fn check(words: &str, expect: &[(&str, &[&str])]) {
        let words = ["bench-host", "run", "x"].into_iter().chain(words.split(' '));
        let Command::Run(run) = Cli::parse_from(words).command else { panic!("not the command `run`") };
        let found: Vec<_> = run.common.measured.families.parameters;
        let expect: Vec<_> = expect
            .iter()
            .map(|(name, values)| ((*name).to_owned(), values.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>()))
            .collect();
        assert_eq!(found, expect);
    }

    #[test]
    fn family_option_sets_its_parameter() {
        check("--quick", &[]);
        check(
            "--suspend memory --count 1k,2 --rate 50 --count 3",
            &[("count", &["1k", "2", "3"]), ("rate", &["50"]), ("suspend", &["memory"])],
        );
        check("--args -n --expect -1", &[("args", &["-n"]), ("expect", &["-1"])]);
        #[cfg(feature = "pipelines")]
        check(
            "--rows 1k,2 --no-aot --database-url a,b",
            &[("rows", &["1k", "2"]), ("database_url", &["a,b"]), ("code", &["compiled"])],
        );
        #[cfg(feature = "tabular")]
        check("--strict-parity --csv my.csv", &[("csv", &["my.csv"])]);
    }
}
