//! Short options for chains of operators. They say nothing that a parameter could not; it must not know which scenarios those
//! are.

use crate::cli::given;
use clap::Args;

/// Short ways to say what chains of operators are asked for most.
#[derive(Debug, Args)]
#[command(next_help_heading = "Chains of operators")]
pub(crate) struct OperatorArgs {
    /// How many operators; several are an axis (`-p count=…`)
    #[arg(long, value_name = "N[,N…]", value_delimiter = ',')]
    pub(crate) count: Vec<String>,
    /// Nonces a second, whether those before have arrived or not; 0 is one after the other (`-p rate=…`)
    #[arg(long, value_name = "N[,N…]", value_delimiter = ',')]
    pub(crate) rate: Vec<String>,
    /// Where objects are kept: embedded, or kube for the API server of your kubeconfig (`-p control_plane=…`)
    #[arg(long, value_name = "NAME")]
    pub(crate) control_plane: Option<String>,
    /// What is kept of an unloaded operator: own, or memory for an image of it (`-p suspend=…`)
    #[arg(long, value_name = "WHAT")]
    pub(crate) suspend: Option<String>,
}

impl OperatorArgs {
    /// The same as parameters.
    pub(crate) fn parameters(&self) -> Vec<(String, Vec<String>)> {
        given([
            ("count", &self.count),
            ("rate", &self.rate),
            ("control_plane", self.control_plane.as_slice()),
            ("suspend", self.suspend.as_slice()),
        ])
    }
}

#[cfg(test)]
mod tests {
    use crate::cli::{Cli, Command};
    use clap::Parser;

    #[test]
    fn short_ways_are_parameters() {
        let words = ["bench-host", "run", "rust-only", "--count", "1k,2", "--rate", "50", "--suspend", "memory"];
        let Command::Run(run) = Cli::parse_from(words).command else { panic!("another command") };
        let found = run.common.operators.parameters();
        let expect: [(&str, &[&str]); 3] = [("count", &["1k", "2"]), ("rate", &["50"]), ("suspend", &["memory"])];
        let expect =
            expect.map(|(name, values)| (name.to_owned(), values.iter().map(|one| (*one).to_owned()).collect()));
        assert_eq!(found, expect);
    }
}
