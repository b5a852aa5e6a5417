//! The rules from WIT to C and Rust, each on a package of a few lines.

use abi_generator::plan::Plan;
use abi_generator::wit::Wit;

const WIT: &str = "package test:p@0.1.0;
interface i {
    /// Which way.
    enum way { there, way-back }
    /// A pair.
    record pair { first: u64, is-last: bool }
    record range { start: u64, end: u64 }
    variant trouble { none-left, too-many(u64) }
    resource pipe {
        open: static func(name: string, way: way) -> result<pipe, string>;
        /// Puts bytes in.
        put: func(bytes: list<u8>) -> result<u64, trouble>;
        put-all: func(parts: list<list<u8>>) -> result<range, trouble>;
        get: func() -> option<list<u8>>;
        length: func() -> u64;
        look: func() -> result<pair, string>;
    }
}";

const PLAN: &str = "preamble = \"A test.\"
[[section]]
module = \"base\"
doc = \"A section.\"
covers = [\"test:p/i\"]
without = { \"test:p/i.pipe.get\" = \"`peek`\" }
item = [
    { kind = \"struct\", c = \"t_str\", rust = \"Str\", members = [\"ptr: *const c_char\", \"len: usize\"] },
    { kind = \"struct\", c = \"t_bytes\", rust = \"Bytes\", members = [\"ptr: *const u8\", \"len: usize\"] },
    { kind = \"constants\", wit = \"test:p/i.way\", prefix = \"WAY_\" },
    { kind = \"constants\", wit = \"test:p/i.trouble\", prefix = \"PIPE_\", first = [{ name = \"ok\" }] },
    { kind = \"opaque\", c = \"t_pipe\", rust = \"OpenPipe\", doc = \"Owned by the host.\" },
    { kind = \"struct\", c = \"t_pair\", rust = \"Pair\", wit = \"test:p/i.pair\" },
    { kind = \"table\", c = \"t_table\", rust = \"Pipe\", ctx = true, members = [
        { wit = \"test:p/i.pipe.open\" },
        { wit = \"test:p/i.pipe.put\", out = \"count\", note = \"Returns PIPE_OK.\" },
        { grown = \"WholePipe\" },
        { wit = \"test:p/i.pipe.put-all\" },
        { wit = \"test:p/i.pipe.length\" },
        { wit = \"test:p/i.pipe.look\" },
        { name = \"peek\", call = \"(pipe: *mut OpenPipe, bytes_out: *mut *const u8) -> i32\", doc = \"By hand.\" },
    ] },
]
[[vocabulary]]
module = \"i\"
doc = \"Words.\"
interface = \"test:p/i\"
types = [\"way\", \"pair\"]
elsewhere = { trouble = \"other::Trouble\" }
codes = { way = {} }
";

fn generated(plan: &str) -> Result<Vec<(String, String)>, String> {
    let plan: Plan = toml::from_str(plan).map_err(|error| error.to_string())?;
    let files = abi_generator::files(&plan, &Wit::parse(WIT).unwrap()).map_err(|error| format!("{error:#}"))?;
    Ok(files.into_iter().map(|(path, text)| (path.display().to_string(), text)).collect())
}

/// The generated file whose path ends with `file` contains `expect`.
fn check(file: &str, expect: &str) {
    let files = generated(PLAN).unwrap();
    let (_, text) = files.iter().find(|(path, _)| path.ends_with(file)).unwrap();
    assert!(text.contains(expect), "{expect}\nis not in\n{text}");
}

/// With `from` replaced by `to`, the plan is refused with a reason that contains `expect`.
fn check_refused(from: &str, to: &str, expect: &str) {
    assert!(PLAN.contains(from), "{from}");
    let error = generated(&PLAN.replace(from, to)).unwrap_err();
    assert!(error.contains(expect), "{expect:?} is not in {error}");
}

#[test]
fn header_has_a_twin_of_each_function() {
    check("bench_probe.h", "enum { BHP_WAY_THERE = 0, BHP_WAY_WAY_BACK = 1 };");
    check("bench_probe.h", "enum { BHP_PIPE_OK = 0, BHP_PIPE_NONE_LEFT = 1, BHP_PIPE_TOO_MANY = 2 };");
    check("bench_probe.h", "typedef struct t_pipe t_pipe;");
    check("bench_probe.h", "    const char *ptr;");
    check(
        "bench_probe.h",
        "/* A pair. */\ntypedef struct t_pair {\n    uint64_t first;\n    uint64_t is_last;\n} t_pair;",
    );
    check("bench_probe.h", "    bhp_status (*open)(void *ctx, t_str name, int32_t way, t_pipe **out);");
    check(
        "bench_probe.h",
        "    /* Puts bytes in. Returns PIPE_OK. */\n    int32_t (*put)(t_pipe *pipe, const uint8_t *bytes, size_t bytes_len, uint64_t *count_out);",
    );
    check(
        "bench_probe.h",
        "int32_t (*put_all)(t_pipe *pipe, const t_bytes *parts, size_t parts_len, uint64_t *start_out,",
    );
    check("bench_probe.h", "uint64_t (*length)(t_pipe *pipe);");
    check("bench_probe.h", "int32_t (*look)(t_pipe *pipe, t_pair *pair_out);");
    check("bench_probe.h", "    /* By hand. */\n    int32_t (*peek)(t_pipe *pipe, const uint8_t **bytes_out);");
}

#[test]
fn twin_in_rust_has_the_same_members() {
    check("tables/base.rs", "pub const PIPE_TOO_MANY: i32 = 2;");
    check(
        "tables/base.rs",
        "    pub open: unsafe extern \"C\" fn(ctx: *mut c_void, name: Str, way: i32, out: *mut *mut OpenPipe) -> Status,",
    );
    check(
        "tables/base.rs",
        "pub struct WholePipe {\n    /// The members that were there from the beginning.\n    pub pipe: Pipe,",
    );
}

#[test]
fn layout_is_asserted_in_both_languages() {
    for expect in ["BHP_ASSERT(sizeof(t_pair) == 16);", "BHP_ASSERT(offsetof(t_table, peek) == 56);"] {
        check("bench_probe.h", expect);
    }
    for expect in ["assert!(size_of::<Pipe>() == 32);", "assert!(offset_of!(Pipe, put) == 24);"] {
        check("tables/layout.rs", expect);
    }
    check("tables/layout.rs", "assert!(offset_of!(WholePipe, peek) == 56);");
}

#[test]
fn words_have_names_numbers_and_conversions() {
    check("vocabulary/src/i.rs", "pub enum Way {\n    There,\n    WayBack,\n}");
    check("vocabulary/src/i.rs", "Self::WayBack => \"way-back\",");
    check("vocabulary/src/i.rs", "1 => Some(Self::WayBack),");
    check("vocabulary/src/i.rs", "impl From<$($bindings)::+::Way> for $crate::i::Way {");
    check("vocabulary/src/i.rs", "impl From<::other::Trouble> for $($bindings)::+::Trouble {");
    check("vocabulary/src/i.rs", "::other::Trouble::TooMany(value) => Self::TooMany(value),");
    check("vocabulary/src/i.rs", "pub struct Pair {\n    /// `first`, as above.\n    pub first: u64,");
}

#[test]
fn function_without_a_twin_is_reported() {
    check_refused("        { wit = \"test:p/i.pipe.length\" },\n", "", "`test:p/i.pipe.length` has no twin in C");
    check_refused(
        "without = { \"test:p/i.pipe.get\"",
        "without = { \"test:p/i.pipe.gone\"",
        "`test:p/i.pipe.get` has no twin",
    );
    check_refused("pipe.length\" }", "pipe.width\" }", "has no twin in C");
}

#[test]
fn item_without_a_rule_is_reported() {
    check_refused(", out = \"count\"", "", "the result has no name");
    check_refused(
        "pipe: *mut OpenPipe, bytes_out",
        "pipe: *mut Pump, bytes_out",
        "names `Pump`, which nothing declares",
    );
    check_refused(
        "kind = \"opaque\", c = \"t_pipe\", rust = \"OpenPipe\"",
        "kind = \"opaque\", c = \"x\", rust = \"X\"",
        "the resource `pipe` has no handle",
    );
    check_refused("wit = \"test:p/i.pair\" }", "wit = \"test:p/i.way\" }", "is a enum, not a record");
    check_refused("codes = { way = {} }", "codes = { gone = {} }", "`gone`");
}
