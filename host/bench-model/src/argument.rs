//! The values of a scenario's parameters, in the order in which the scenario declares them.

use crate::{Kind, ModuleError, Value};
use std::collections::BTreeSet;
use std::fmt;

/// Parameter names and values. Names are unique.
#[derive(Clone, Debug, Default, PartialEq, PartialOrd)]
pub struct Arguments(Vec<(String, Value)>);

impl Arguments {
    /// Sets `name`; replaces the value if `name` is set already.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<Value>) {
        let (name, value) = (name.into(), value.into());
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some((_, old)) => *old = value,
            None => self.0.push((name, value)),
        }
    }

    /// The value of `name`, if it is set.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// The names and values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// The names of those that not all of `all` have with the same value, in the order in which they first appear.
    pub fn varying<'a>(all: &[&'a Self]) -> Vec<&'a str> {
        let mut names = Vec::new();
        let mut seen = BTreeSet::new();
        for (name, value) in all.iter().copied().flat_map(Self::iter) {
            if seen.insert(name) && all.iter().any(|other| other.get(name) != Some(value)) {
                names.push(name);
            }
        }
        names
    }

    /// Whether there are no arguments.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value of `name` as one of `kind`. Probes receive texts: the kind of a parameter that a driver specifies is not in their
    /// descriptor, so its text is read as what is asked for.
    fn of_kind(&self, name: &str, kind: Kind) -> Option<Value> {
        match self.get(name)? {
            Value::Text(text) => Value::parse(kind, text).ok(),
            value => Some(value.clone()),
        }
    }

    /// The flag `name`, or an error that a module can return unchanged.
    pub fn flag(&self, name: &str) -> Result<bool, ModuleError> {
        match self.of_kind(name, Kind::Flag) {
            Some(Value::Flag(value)) => Ok(value),
            _ => Err(mismatch(name, "a flag", self.get(name))),
        }
    }

    /// The integer `name`, or an error that a module can return unchanged.
    pub fn integer(&self, name: &str) -> Result<i64, ModuleError> {
        match self.of_kind(name, Kind::Integer) {
            Some(Value::Integer(value)) => Ok(value),
            _ => Err(mismatch(name, "an integer", self.get(name))),
        }
    }

    /// The integer `name` as a size, or an error that a module can return unchanged.
    pub fn size(&self, name: &str) -> Result<usize, ModuleError> {
        let value = self.integer(name)?;
        usize::try_from(value)
            .map_err(|_| ModuleError::InvalidArgument(format!("`{name}` is {value}, which is not a size")))
    }

    /// The text `name`, or an error that a module can return unchanged.
    pub fn text(&self, name: &str) -> Result<&str, ModuleError> {
        match self.get(name) {
            Some(Value::Text(value)) => Ok(value),
            other => Err(mismatch(name, "text", other)),
        }
    }
}

fn mismatch(name: &str, wanted: &str, found: Option<&Value>) -> ModuleError {
    ModuleError::InvalidArgument(match found {
        Some(value) => format!("`{name}` is `{value}`, which is not {wanted}"),
        None => format!("`{name}` is missing"),
    })
}

/// Formats the arguments as `a=1 b=x`.
impl fmt::Display for Arguments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (name, value)) in self.iter().enumerate() {
            write!(f, "{}{name}={value}", if index == 0 { "" } else { " " })?;
        }
        Ok(())
    }
}

impl<N: Into<String>, V: Into<Value>> FromIterator<(N, V)> for Arguments {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        let mut arguments = Self::default();
        for (name, value) in pairs {
            arguments.set(name, value);
        }
        arguments
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_vary_where_not_all_have_the_same_value() {
        let of = |pairs: &[(&str, i64)]| pairs.iter().copied().collect::<Arguments>();
        let (a, b, c) =
            (of(&[("size", 1), ("rows", 2)]), of(&[("rows", 2), ("size", 3)]), of(&[("size", 1), ("seed", 2)]));
        let check = |all: &[&Arguments], expect: &[&str]| assert_eq!(Arguments::varying(all), expect);
        check(&[], &[]);
        check(&[&a], &[]);
        check(&[&a, &a], &[]);
        check(&[&a, &b], &["size"]);
        check(&[&a, &c], &["rows", "seed"]);
        check(&[&b, &c], &["rows", "size", "seed"]);
    }

    #[test]
    fn texts_are_read_as_what_is_asked_for() {
        let arguments: Arguments = [("rows", "4Ki"), ("on", "true"), ("name", "x")].into_iter().collect();
        assert_eq!(arguments.integer("rows").unwrap(), 4096);
        assert_eq!(arguments.size("rows").unwrap(), 4096);
        assert!(arguments.flag("on").unwrap());
        assert_eq!(arguments.text("rows").unwrap(), "4Ki");
        let error = arguments.integer("name").unwrap_err().to_string();
        assert!(error.contains("`name` is `x`, which is not an integer"), "{error}");
        assert!(arguments.flag("rows").is_err() && arguments.integer("absent").is_err());
    }
}
