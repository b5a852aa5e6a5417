//! What a family uses of the machine because of an argument. An agent that measures for others grants it, or refuses the run.

/// Something of the machine, beyond a scenario's requirements, that a family uses because an argument says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reach {
    /// The file or folder at this path is read. A path that begins with `@run/` is in the directory of the run.
    Read(String),
    /// The folder at this path is written to. A path that begins with `@run/` is in the directory of the run.
    Write(String),
    /// The API server that the user's kubeconfig names, with the user's account there.
    Kubeconfig,
}

impl Reach {
    /// What `text` reads if it is `@FILE`, the content of a file in place of a value.
    pub fn of_content(text: &str) -> Option<Self> {
        text.strip_prefix('@').map(|file| Self::Read(file.to_owned()))
    }

    /// What `path` reads, unless it is empty.
    pub fn of_file(path: &str) -> Option<Self> {
        (!path.is_empty()).then(|| Self::Read(path.to_owned()))
    }

    /// What `path` is written to, unless it is empty.
    pub fn of_output(path: &str) -> Option<Self> {
        (!path.is_empty()).then(|| Self::Write(path.to_owned()))
    }
}
