//! Generates what is derived from the WIT packages, by the program of `abi-generator`, whose tests compare it with what is checked in.

use anyhow::Result;

use crate::project::Project;
use crate::tool;

/// Writes the generated files.
pub(crate) fn run(project: &Project) -> Result<()> {
    tool::run(project.cargo(None).args(["run", "--quiet", "--package", "abi-generator"]))
}
