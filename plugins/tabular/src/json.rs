//! Decodes the JSON of a mine straight into batches, without a tree in between. An answer whose last members do not say that it is whole is
//! an error, whatever rows came before.

use crate::batches::Builder;
use serde::Deserialize;
use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;
use table_core::{Cell, Field, Kind, text};

/// Decodes `body`. `is_objects` says that a cell is an object with the member `value`, as in the format `jsonrows`.
pub(crate) fn decode(body: &[u8], is_objects: bool, fields: &[Field], batches: &mut Builder) -> Result<(), String> {
    let mut json = serde_json::Deserializer::from_slice(body);
    let rows = Rows { fields, is_objects, batches, row: 0 };
    json.deserialize_map(Answer(rows)).and_then(|()| json.end()).map_err(|error| error.to_string())
}

/// Decodes lines of which each is a row as an array, and the last one ends with a line break, too. A line in front of them counts in errors.
pub(crate) fn decode_lines(text: &[u8], fields: &[Field], batches: &mut Builder) -> Result<(), String> {
    let Some(text) = text.strip_suffix(b"\n") else {
        return if text.is_empty() { Ok(()) } else { Err("the last row does not end: it is cut off".to_owned()) };
    };
    let mut rows = Rows { fields, is_objects: false, batches, row: 0 };
    for line in text.split(|byte| *byte == b'\n') {
        rows.row += 1;
        let mut json = serde_json::Deserializer::from_slice(line);
        let row = Row(&mut rows).deserialize(&mut json).and_then(|()| json.end());
        row.map_err(|error| format!("line {}: {error}", rows.row + 1))?;
    }
    Ok(())
}

/// What rows are decoded with.
struct Rows<'b> {
    fields: &'b [Field],
    is_objects: bool,
    batches: &'b mut Builder,
    /// The number of the row, from 1.
    row: u64,
}

/// The whole answer.
struct Answer<'b>(Rows<'b>);

impl<'de> Visitor<'de> for Answer<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the answer of a mine, an object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        let (mut was_successful, mut error, mut has_views, mut has_rows) = (None, None, false, false);
        while let Some(key) = map.next_key_seed(OneOf(&["views", "results", "wasSuccessful", "error"]))? {
            match key {
                Some(0) => {
                    views_are(&map.next_value::<Vec<String>>()?, self.0.fields)?;
                    has_views = true;
                }
                Some(1) if has_rows => return Err(de::Error::duplicate_field("results")),
                Some(1) => {
                    has_rows = true;
                    map.next_value_seed(Results(&mut self.0))?;
                }
                Some(2) => was_successful = Some(map.next_value::<bool>()?),
                Some(_) => error = map.next_value::<Option<String>>()?,
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        match was_successful {
            Some(true) if !has_rows => Err(de::Error::custom("the answer has no `results`")),
            // Without them, two columns of one type may have changed places.
            Some(true) if !has_views => Err(de::Error::custom("the answer has no `views`")),
            Some(true) => Ok(()),
            Some(false) => {
                let error = error.unwrap_or_else(|| "without saying why".to_owned());
                Err(de::Error::custom(format!("the mine failed after {} rows: {error}", self.0.row)))
            }
            None => Err(de::Error::custom("the answer does not say `wasSuccessful`: it is not whole")),
        }
    }
}

fn views_are<E: de::Error>(views: &[String], fields: &[Field]) -> Result<(), E> {
    let names: Vec<_> = fields.iter().map(|field| field.name.as_str()).collect();
    if views == names {
        return Ok(());
    }
    Err(E::custom(format!("the answer has the columns {views:?}, expected {names:?}")))
}

/// A member's name: its index among those that matter.
struct OneOf(&'static [&'static str]);

impl<'de> DeserializeSeed<'de> for OneOf {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<usize>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for OneOf {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a member")
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<Option<usize>, E> {
        Ok(self.0.iter().position(|known| *known == name))
    }
}

/// All rows.
struct Results<'r, 'b>(&'r mut Rows<'b>);

impl<'de> DeserializeSeed<'de> for Results<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Results<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of rows")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut rows: A) -> Result<(), A::Error> {
        loop {
            self.0.row += 1;
            if rows.next_element_seed(Row(self.0))?.is_none() {
                self.0.row -= 1;
                return Ok(());
            }
        }
    }
}

struct Row<'r, 'b>(&'r mut Rows<'b>);

impl<'de> DeserializeSeed<'de> for Row<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Row<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "row {} as an array", self.0.row)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut cells: A) -> Result<(), A::Error> {
        let columns = self.0.fields.len();
        for column in 0..columns {
            let is_there = if self.0.is_objects {
                cells.next_element_seed(Object(OneCell { rows: self.0, column }))?
            } else {
                cells.next_element_seed(OneCell { rows: self.0, column })?
            };
            if is_there.is_none() {
                let row = self.0.row;
                return Err(de::Error::custom(format!("row {row}: {column} cells, but there are {columns} columns")));
            }
        }
        if cells.next_element::<IgnoredAny>()?.is_some() {
            return Err(de::Error::custom(format!("row {}: more cells than the {columns} columns", self.0.row)));
        }
        Ok(())
    }
}

/// A cell as an object.
struct Object<'r, 'b>(OneCell<'r, 'b>);

impl<'de> DeserializeSeed<'de> for Object<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Object<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a cell as an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let OneCell { rows, column } = self.0;
        let mut has_value = false;
        while let Some(key) = map.next_key_seed(OneOf(&["value"]))? {
            match key {
                Some(_) if !has_value => {
                    has_value = true;
                    map.next_value_seed(OneCell { rows: &mut *rows, column })?;
                }
                Some(_) => return Err(de::Error::duplicate_field("value")),
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        if has_value { Ok(()) } else { Err(rows.fault(column, "the cell has no `value`")) }
    }
}

/// A cell.
struct OneCell<'r, 'b> {
    rows: &'r mut Rows<'b>,
    column: usize,
}

impl Rows<'_> {
    fn kind(&self, column: usize) -> Kind {
        self.fields[column].kind
    }

    fn fault<E: de::Error>(&self, column: usize, reason: &str) -> E {
        E::custom(format!("row {}, column `{}`: {reason}", self.row, self.fields[column].name))
    }
}

impl OneCell<'_, '_> {
    fn push<E: de::Error>(self, cell: Result<Cell<'_>, String>) -> Result<(), E> {
        let pushed = cell.and_then(|cell| self.rows.batches.push(self.column, cell));
        pushed.map_err(|reason| self.rows.fault(self.column, &reason))
    }
}

impl<'de> DeserializeSeed<'de> for OneCell<'_, '_> {
    type Value = ();

    /// Numbers are taken as they are written, because a double on the way would not keep every one of them.
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let kind = self.rows.kind(self.column);
        if matches!(kind, Kind::Text | Kind::Date) {
            return deserializer.deserialize_any(self);
        }
        let cell = match <&RawValue>::deserialize(deserializer)?.get() {
            "null" => Ok(Cell::Null),
            text if text.starts_with('"') => Err(format!("{text} is a text, not a number")),
            number => text::parse(kind, number),
        };
        self.push(cell)
    }
}

/// Texts and dates.
impl Visitor<'_> for OneCell<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (row, field) = (self.rows.row, &self.rows.fields[self.column]);
        write!(f, "a text in row {row}, column `{}`", field.name)
    }

    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        self.push(Ok(Cell::Null))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<(), E> {
        let kind = self.rows.kind(self.column);
        self.push(text::parse(kind, text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batches;
    use table_core::mine::{self, Format};
    use table_core::{Recipe, compare};

    fn fields() -> Vec<Field> {
        vec![Field::nullable("G.a", Kind::Text), Field::nullable("G.b", Kind::Integer)]
    }

    fn refused(body: &str, is_objects: bool, expect: &str) {
        let error = decode(body.as_bytes(), is_objects, &fields(), &mut Builder::new(&fields())).unwrap_err();
        assert!(error.contains(expect), "{body}: {error}");
    }

    fn answer(results: &str, end: &str) -> String {
        format!(r#"{{"views":["G.a","G.b"],"results":[{results}]{end}"#)
    }

    const WHOLE: &str = r#","wasSuccessful":true,"error":null,"statusCode":200}"#;

    #[test]
    fn answers_of_a_mine_decode_to_its_rows() {
        let genes = Recipe { rows: 9_000, seed: 2 }.genes();
        for (format, is_objects) in [(Format::Json, false), (Format::JsonRows, true)] {
            let body = mine::answer(&genes, 0..genes.rows(), format);
            let mut builder = Builder::new(genes.fields());
            decode(body.as_bytes(), is_objects, genes.fields(), &mut builder).unwrap();
            let found = batches::to_table(&builder.finish().unwrap()).unwrap();
            assert_eq!(compare(&genes, &found), Ok(()));
        }
    }

    #[test]
    fn failure_after_the_status_line_is_reported() {
        let end = r#","wasSuccessful":false,"error":"out of memory","statusCode":500}"#;
        refused(&answer("[\"x\",1]", end), false, "the mine failed after 1 rows: out of memory");
        refused(&answer("[\"x\",1]", "}"), false, "does not say `wasSuccessful`");
        refused(&answer("[\"x\",1]", ""), false, "EOF");
        refused(r#"{"views":["G.a","G.b"],"wasSuccessful":true}"#, false, "no `results`");
        refused(r#"{"results":[["x",1]],"wasSuccessful":true}"#, false, "no `views`");
        let twice = r#"{"views":["G.a","G.b"],"results":[["x",1]],"results":[["x",1]],"wasSuccessful":true}"#;
        refused(twice, false, "duplicate field `results`");
    }

    #[test]
    fn ragged_and_renamed_rows_are_refused() {
        refused(&answer("[\"x\",1],[\"y\"]", WHOLE), false, "row 2: 1 cells, but there are 2 columns");
        refused(&answer("[\"x\",1,2]", WHOLE), false, "row 1: more cells than the 2 columns");
        refused(r#"{"views":["G.b","G.a"],"results":[]}"#, false, r#"the columns ["G.b", "G.a"], expected"#);
        refused(&answer(r#"[{"value":"x"},{"id":3}]"#, WHOLE), true, "column `G.b`: the cell has no `value`");
    }

    #[test]
    fn cells_of_another_type_are_refused() {
        refused(&answer("[null,1],[null,0.5]", WHOLE), false, "row 2, column `G.b`: \"0.5\" is not a whole number");
        refused(&answer("[null,\"1\"]", WHOLE), false, "row 1, column `G.b`: \"1\" is a text, not a number");
        refused(&answer("[7,1]", WHOLE), false, "integer `7`, expected a text in row 1, column `G.a`");
    }

    #[test]
    fn numbers_are_taken_as_they_are_written() {
        let fields = vec![Field::nullable("G.a", Kind::Decimal), Field::nullable("G.b", Kind::Real)];
        let mut builder = Builder::new(&fields);
        // A double has neither all of these digits, nor is the nearest one found by a parser that rounds twice.
        let body = answer("[1234567890123456.78,0.9040325370950281],[null,null]", WHOLE);
        decode(body.as_bytes(), false, &fields, &mut builder).unwrap();
        let found = batches::to_table(&builder.finish().unwrap()).unwrap();
        let first = [Cell::Decimal(123_456_789_012_345_678), Cell::Real(0.904_032_537_095_028_1)];
        assert_eq!(found.row(0).collect::<Vec<_>>(), first);
        assert_eq!(found.row(1).collect::<Vec<_>>(), [Cell::Null, Cell::Null]);
    }
}
