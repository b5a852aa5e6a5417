# Sets WASM_CC to a C compiler for WebAssembly with a C library: `pip install ziglang` has one, which is then found. Set it for another one, such
# as "clang --target=wasm32-wasi --sysroot=/opt/wasi-sysroot".
if [ -z "${WASM_CC:-}" ]; then
    if command -v zig >/dev/null; then WASM_CC="zig cc -target wasm32-wasi"
    elif command -v python-zig >/dev/null; then WASM_CC="python-zig cc -target wasm32-wasi"
    elif python3 -c 'import ziglang' 2>/dev/null; then WASM_CC="python3 -m ziglang cc -target wasm32-wasi"
    else echo "no C compiler for WebAssembly: pip install ziglang, or set WASM_CC" >&2; exit 1
    fi
fi
