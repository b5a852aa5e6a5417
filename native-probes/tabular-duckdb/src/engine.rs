//! As much of DuckDB's C interface as statements need. The library is the one that DuckDB's authors publish; it is loaded once per process and
//! stays loaded.

use bench_model::ModuleError;
use libloading::Library;
use std::ffi::{CStr, CString, c_char, c_void};
use std::path::{Path, PathBuf};
use std::ptr;

/// Where `cargo xtask setup --all` puts the library, in the user's folder for caches.
const INSTALLED: &str = "bench-host/duckdb/libduckdb.so";

/// The value of the parameter `library` that stands for that path.
pub(crate) const DEFAULT: &str = "@setup";

type State = i32;

/// `duckdb_result`. Its members are DuckDB's; only its size matters here, which is part of the interface since version 1.0.
#[repr(C)]
struct RawResult([*mut c_void; 6]);

/// An in-memory database and a connection to it.
#[derive(Debug)]
pub(crate) struct Engine {
    functions: Functions,
    database: *mut c_void,
    connection: *mut c_void,
}

#[derive(Clone, Copy, Debug)]
struct Functions {
    query: unsafe extern "C" fn(*mut c_void, *const c_char, *mut RawResult) -> State,
    result_error: unsafe extern "C" fn(*mut RawResult) -> *const c_char,
    destroy_result: unsafe extern "C" fn(*mut RawResult),
    disconnect: unsafe extern "C" fn(*mut *mut c_void),
    close: unsafe extern "C" fn(*mut *mut c_void),
}

impl Engine {
    /// Opens a database in the library at `library`, with this many threads and megabytes.
    pub(crate) fn open(library: &str, threads: usize, memory_mib: usize) -> Result<Self, ModuleError> {
        let path = if library == DEFAULT { installed()? } else { PathBuf::from(library) };
        let engine = Self::of_library(&path)?;
        engine.execute(&format!("SET threads = {threads}"))?;
        engine.execute(&format!("SET memory_limit = '{memory_mib}MiB'"))?;
        // Nothing is fetched, and nothing is written but where a statement says.
        engine.execute("SET autoinstall_known_extensions = false")?;
        engine.execute("SET temp_directory = ''")?;
        Ok(engine)
    }

    fn of_library(path: &Path) -> Result<Self, ModuleError> {
        let absent = |error: libloading::Error| {
            let path = path.display();
            ModuleError::Unavailable(format!(
                "DuckDB's library {path} cannot be used: {error}; install it with `cargo xtask setup --all`"
            ))
        };
        // SAFETY: the library's initialisers are DuckDB's, which have no preconditions.
        let library = unsafe { Library::new(path) }.map_err(absent)?;
        // Never unloaded: DuckDB's threads may still run, and functions are kept as pointers.
        let library: &'static Library = Box::leak(Box::new(library));
        type Open = unsafe extern "C" fn(*const c_char, *mut *mut c_void) -> State;
        type Connect = unsafe extern "C" fn(*mut c_void, *mut *mut c_void) -> State;
        // SAFETY: the types are those of the functions in `duckdb.h`, the same since version 1.0.
        let (open, connect, functions) = unsafe {
            let functions = Functions {
                query: *library.get(b"duckdb_query\0").map_err(absent)?,
                result_error: *library.get(b"duckdb_result_error\0").map_err(absent)?,
                destroy_result: *library.get(b"duckdb_destroy_result\0").map_err(absent)?,
                disconnect: *library.get(b"duckdb_disconnect\0").map_err(absent)?,
                close: *library.get(b"duckdb_close\0").map_err(absent)?,
            };
            let open = *library.get::<Open>(b"duckdb_open\0").map_err(absent)?;
            (open, *library.get::<Connect>(b"duckdb_connect\0").map_err(absent)?, functions)
        };
        let mut engine = Self { functions, database: ptr::null_mut(), connection: ptr::null_mut() };
        // SAFETY: a null path is a database in memory; the out pointers are valid, and `drop` accepts null after a failure.
        let opened = unsafe {
            open(ptr::null(), &mut engine.database) == 0 && connect(engine.database, &mut engine.connection) == 0
        };
        if opened { Ok(engine) } else { Err(ModuleError::Unavailable("DuckDB cannot open a database".to_owned())) }
    }

    /// Executes one statement to its end.
    pub(crate) fn execute(&self, statement: &str) -> Result<(), ModuleError> {
        let text = CString::new(statement).map_err(|_| ModuleError::Other("a statement has a byte 0".to_owned()))?;
        let mut result = RawResult([ptr::null_mut(); 6]);
        // SAFETY: the connection is open, the text ends with 0, and the result is destroyed once, after its error was copied.
        let error = unsafe {
            let state = (self.functions.query)(self.connection, text.as_ptr(), &mut result);
            let error = (state != 0).then(|| {
                let message = (self.functions.result_error)(&mut result);
                if message.is_null() { String::new() } else { CStr::from_ptr(message).to_string_lossy().into_owned() }
            });
            (self.functions.destroy_result)(&mut result);
            error
        };
        match error {
            None => Ok(()),
            Some(error) => Err(ModuleError::Other(format!("DuckDB: {}", error.lines().next().unwrap_or_default()))),
        }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        // SAFETY: both are null or open, are closed once, and in this order.
        unsafe {
            (self.functions.disconnect)(&mut self.connection);
            (self.functions.close)(&mut self.database);
        }
    }
}

fn installed() -> Result<PathBuf, ModuleError> {
    let set = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let cache = set.or_else(|| Some(std::env::home_dir()?.join(".cache")));
    let path = cache.map(|cache| cache.join(INSTALLED)).filter(|path| path.is_file());
    path.ok_or_else(|| {
        ModuleError::Unavailable("DuckDB is not installed; install it with `cargo xtask setup --all`".to_owned())
    })
}
