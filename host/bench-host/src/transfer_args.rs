//! Short options for scenarios that move rows. They say nothing that a parameter could not; it must not know which scenarios those
//! are.

use crate::cli::given;
use clap::Args;

/// Short ways to say what scenarios that move rows are asked for most.
#[derive(Debug, Args)]
#[command(next_help_heading = "Scenarios that move rows")]
pub(crate) struct TransferArgs {
    /// How many rows; several are an axis (`-p rows=…`)
    #[arg(long, value_name = "N[,N…]", value_delimiter = ',')]
    pub(crate) rows: Vec<String>,
    /// What is done to batches on their way: none, lz4, zstd; several are an axis (`-p compression=…`)
    #[arg(long, value_name = "NAME[,NAME…]", value_delimiter = ',')]
    pub(crate) compression: Vec<String>,
    /// The server, instead of one of the run's own (`-p database_url=…`); its address is granted, and its password not recorded
    #[arg(long, value_name = "URL")]
    pub(crate) database_url: Option<String>,
    /// Compile components anew instead of mapping cached code (`-p code=compiled`)
    #[arg(long)]
    pub(crate) no_aot: bool,
    /// Print a line `@@BENCH_JSON@@{…}` for each repetition
    #[arg(long)]
    pub(crate) bench_json: bool,
}

impl TransferArgs {
    /// The same as parameters.
    pub(crate) fn parameters(&self) -> Vec<(String, Vec<String>)> {
        let code = if self.no_aot { vec!["compiled".to_owned()] } else { Vec::new() };
        given([
            ("rows", &self.rows),
            ("compression", &self.compression),
            ("database_url", self.database_url.as_slice()),
            ("code", &code),
        ])
    }
}

#[cfg(test)]
mod tests {
    use crate::cli::{Cli, Command};
    use clap::Parser;

    #[test]
    fn short_ways_are_parameters() {
        let words =
            ["bench-host", "run", "postgres", "--rows", "1k,2", "--no-aot", "--iters", "3", "--database-url", "a,b"];
        let Command::Run(run) = Cli::parse_from(words).command else { panic!("another command") };
        let found = run.common.transfers.parameters();
        let expect: [(&str, &[&str]); 3] =
            [("rows", &["1k", "2"]), ("database_url", &["a,b"]), ("code", &["compiled"])];
        let expect =
            expect.map(|(name, values)| (name.to_owned(), values.iter().map(|one| (*one).to_owned()).collect()));
        assert_eq!(found, expect);
        assert_eq!(run.common.iterations, Some(3));
    }
}
