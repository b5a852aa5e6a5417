//! Stages of a probe: the extension `bench-host:tabular/0.1` of its table. Tables cross as streams of Arrow's C interface, so no cell is
//! copied.

use super::{Input, Stage, Stages};
use arrow_array::ffi_stream::{FFI_ArrowArrayStream, RecordBatchStreamReader};
use arrow_array::{Array, RecordBatch, RecordBatchIterator, RecordBatchReader};
use arrow_schema::ArrowError;
use bench_model::{Arguments, ModuleError, Scenario};
use bench_native::{HostSide, arg};
use probe_abi::raw;

/// The stages of a probe.
pub(super) struct NativeStages(pub(super) &'static raw::Stages);

impl Stages for NativeStages {
    fn open(&self, scenario: &Scenario, arguments: &Arguments, input: Input) -> Result<Box<dyn Stage>, ModuleError> {
        let arguments = arg::written(arguments).into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let (table, host) = (self.0, HostSide::of(&[]));
        Ok(Box::new(NativeStage { table, host, scenario: scenario.name.clone(), arguments, input, result: Vec::new() }))
    }
}

struct NativeStage {
    table: &'static raw::Stages,
    host: HostSide,
    scenario: String,
    arguments: Vec<(String, String)>,
    input: Input,
    result: Vec<RecordBatch>,
}

impl NativeStage {
    /// Calls the probe, and returns the stream that it gave.
    fn call(&mut self) -> Result<FFI_ArrowArrayStream, ModuleError> {
        let bytes = |file: &Vec<u8>| raw::Bytes { ptr: file.as_ptr(), len: file.len() };
        let files: Vec<_> = self.input.files.iter().map(bytes).collect();
        // Those that the probe does not take over are released when this is dropped.
        let mut streams: Vec<_> = self.input.tables.iter().map(|table| stream(table)).collect();
        let tables: Vec<*mut raw::ArrowArrayStream> =
            streams.iter_mut().map(|stream| (&raw mut *stream).cast()).collect();
        let input = raw::StageInput {
            files: files.as_ptr(),
            files_len: files.len(),
            tables: tables.as_ptr(),
            tables_len: tables.len(),
        };
        let args = arg::lend(&self.arguments);
        let scenario = raw::Str::new(&self.scenario);
        let mut table = FFI_ArrowArrayStream::empty();
        // SAFETY: the function is the probe's, called on this thread alone. The host table stays until the process ends; texts,
        // arguments, files and streams outlive the call, and there is room for the result. No reference to the host's side is alive.
        let status = unsafe {
            (self.table.run)(
                self.host.table(),
                scenario,
                args.as_ptr(),
                args.len(),
                &raw const input,
                (&raw mut table).cast(),
            )
        };
        self.host.check_status("run", status)?;
        Ok(table)
    }
}

/// A stream of these batches, of which there is at least one.
fn stream(table: &[RecordBatch]) -> FFI_ArrowArrayStream {
    let schema = table[0].schema();
    let batches: Vec<_> = table.iter().cloned().map(Ok).collect();
    FFI_ArrowArrayStream::new(Box::new(RecordBatchIterator::new(batches, schema)))
}

impl Stage for NativeStage {
    fn run(&mut self) -> Result<(), ModuleError> {
        self.result = Vec::new();
        let fault = |error: ArrowError| ModuleError::Crashed(format!("`run` broke the contract: {error}"));
        let reader = RecordBatchStreamReader::try_new(self.call()?).map_err(fault)?;
        let schema = reader.schema();
        self.result = reader.collect::<Result<Vec<_>, _>>().map_err(fault)?;
        if self.result.is_empty() {
            self.result.push(RecordBatch::new_empty(schema));
        }
        Ok(())
    }

    /// A probe's buffers are looked at before cells are read, because nothing else says that offsets and texts are valid.
    fn result(&self) -> Result<Vec<RecordBatch>, ModuleError> {
        for column in self.result.iter().flat_map(RecordBatch::columns) {
            let fault = |error: ArrowError| ModuleError::Crashed(format!("`run` gave an invalid column: {error}"));
            column.to_data().validate_full().map_err(fault)?;
        }
        Ok(self.result.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arrow;
    use crate::stages::of_module;
    use bench_model::{Descriptor, Session};
    use bench_native::Probe;
    use std::path::Path;
    use table_core::{Recipe, compare};

    /// A probe that gives back what it takes, or falls.
    struct Echo;

    impl probe_abi::Probe for Echo {
        const STAGES: Option<probe_abi::tabular::Run> = Some(echo);

        fn describe() -> Descriptor {
            let stages = ["stage-pass", "stage-scan"].map(|name| Scenario::uses("stage", name));
            stages.into_iter().fold(Descriptor::new("echo", "1.0.0", ""), Descriptor::scenario)
        }

        fn open(_: &str, _: &Arguments, _: probe_abi::Host) -> Result<Box<dyn Session>, ModuleError> {
            Err(ModuleError::Unavailable("it has no sessions".to_owned()))
        }
    }

    fn echo(
        scenario: &str,
        _: &Arguments,
        files: &[&[u8]],
        mut tables: Vec<Vec<RecordBatch>>,
    ) -> Result<Vec<RecordBatch>, ModuleError> {
        assert_eq!(scenario, "stage-pass", "fell over {} file", files.len());
        Ok(tables.swap_remove(0))
    }

    #[test]
    fn tables_cross_to_a_probe_and_back() {
        // SAFETY: the table is that of a probe written with `probe_abi`, and this binary is not unloaded.
        let probe = unsafe { Probe::from_table(Path::new("echo.so"), bench_probe_v1()) };
        let mut probe = probe.expect("the probe keeps the rules");
        let stages = of_module(&mut probe).unwrap();
        for rows in [0, 9_000] {
            let genes = Recipe { rows, seed: 3 }.genes();
            let input = Input { files: vec![b"x".to_vec()], tables: vec![arrow::of_table(&genes).unwrap()] };
            let open = |name: &str| stages.open(&Scenario::uses("stage", name), &Arguments::default(), input.clone());
            let mut pass = open("stage-pass").unwrap();
            for _ in 0..2 {
                pass.run().unwrap();
            }
            let found = arrow::to_table(&pass.result().unwrap()).unwrap();
            assert_eq!(compare(&genes, &found), Ok(()));
            let fallen = open("stage-scan").unwrap().run();
            assert!(matches!(fallen, Err(ModuleError::Crashed(text)) if text.contains("fell over 1 file")));
        }
    }

    probe_abi::export_probe!(Echo);
}
