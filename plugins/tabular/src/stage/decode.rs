//! `decode`: the bytes of a mine's answer become typed columns.

use super::{Stage, failed};
use crate::batches::{self, Builder};
use crate::json;
use arrow_array::RecordBatch;
use bench_plugin::prelude::*;
use table_core::csv;
use table_core::mine::{self, Format};
use table_core::{Field, Recipe, Table};

pub(crate) struct Decode {
    format: Format,
    body: Vec<u8>,
    result: Vec<RecordBatch>,
    expected: Table,
}

impl Stage for Decode {
    const NAME: &'static str = "decode";
    const SUMMARY: &'static str = "Decodes a mine's answer from bytes in memory into Arrow batches.";

    fn parameters() -> Vec<Parameter> {
        let formats = Format::ALL.map(Format::as_str);
        vec![Parameter::new("format", "json", "format of the answer").choices(formats).sweep(formats)]
    }

    fn prepare(recipe: Recipe, arguments: &Arguments) -> Result<Self, ModuleError> {
        let format: Format = arguments.text("format")?.parse().map_err(ModuleError::InvalidArgument)?;
        let genes = recipe.genes();
        let body = mine::answer(&genes, 0..genes.rows(), format).into_bytes();
        Ok(Self { format, body, result: Vec::new(), expected: format.carried(&genes) })
    }

    fn bytes(&self) -> u64 {
        self.body.len() as u64
    }

    fn run(&mut self) -> Result<(), ModuleError> {
        self.result.clear();
        self.result = decode(&self.body, self.format, self.expected.fields())?;
        Ok(())
    }

    fn result(&self) -> Result<Table, ModuleError> {
        batches::to_table(&self.result)
    }

    fn expected(&self) -> &Table {
        &self.expected
    }
}

/// Decodes the answer `body`, which must have these columns.
pub(super) fn decode(body: &[u8], format: Format, fields: &[Field]) -> Result<Vec<RecordBatch>, ModuleError> {
    decode_all([body], format, fields)
}

/// Decodes answers one after the other into the rows of one table.
pub(super) fn decode_all<B: AsRef<[u8]>>(
    bodies: impl IntoIterator<Item = B>,
    format: Format,
    fields: &[Field],
) -> Result<Vec<RecordBatch>, ModuleError> {
    let mut builder = Builder::new(fields);
    let fault = |reason: &dyn std::fmt::Display| failed("decoding", format!("{}: {reason}", format.as_str()));
    for body in bodies {
        let body = body.as_ref();
        match format.dialect() {
            None => {
                let is_objects = format == Format::JsonRows;
                json::decode(body, is_objects, fields, &mut builder).map_err(|reason| fault(&reason))?;
            }
            Some(dialect) => {
                let cell = |column: usize, text: Option<&str>| builder.push_text(column, fields[column].kind, text);
                csv::read(body, dialect, fields, cell).map_err(|reason| fault(&reason))?;
            }
        }
    }
    builder.finish().map_err(|reason| fault(&reason))
}

#[cfg(test)]
mod tests {
    use super::*;
    use table_core::{Cell, Kind};

    fn fields() -> Vec<Field> {
        vec![Field::nullable("G.a", Kind::Text), Field::nullable("G.b", Kind::Integer)]
    }

    /// Pages of JSON with these results.
    fn decoded(results: [&str; 2]) -> Result<Table, ModuleError> {
        let page = |results: &str| {
            format!(
                r#"{{"views":["G.a","G.b"],"results":[{results}],"wasSuccessful":true,"error":null,"statusCode":200}}"#
            )
        };
        batches::to_table(&decode_all(results.map(page), Format::Json, &fields())?)
    }

    #[test]
    fn page_of_nulls_before_one_of_texts_keeps_the_type() {
        let table = decoded(["[null,1],[null,2]", "[\"late\",3]"]).unwrap();
        assert_eq!((table.rows(), table.cell(0, 0), table.cell(2, 0)), (3, Cell::Null, Cell::Text("late")));
        assert_eq!(table.fields(), fields());
    }

    #[test]
    fn page_of_fractions_behind_one_of_whole_numbers_is_refused() {
        let error = decoded(["[null,1]", "[null,0.5]"]).unwrap_err().to_string();
        let expect = "decoding: json: row 1, column `G.b`: \"0.5\" is not a whole number of 64 bits";
        assert!(error.starts_with(expect), "{error}");
    }

    #[test]
    fn answer_without_columns_is_refused() {
        let page = r#"{"views":[],"results":[[]],"wasSuccessful":true,"error":null,"statusCode":200}"#;
        let error = decode_all([page], Format::Json, &fields()).unwrap_err().to_string();
        assert!(error.contains("the answer has the columns [], expected"), "{error}");
    }
}
