#!/bin/sh
# Builds both arms from one source: out/{{name}}.wasm, the component, and out/{{name}}.so, the native arm that `compare` sets beside it.
# A C compiler for WebAssembly with a C library: `pip install ziglang` has both (WASM_CC is then found), or WASM_CC names one, such as
# "clang --target=wasm32-wasi --sysroot=/opt/wasi-sysroot".
set -eu
cd "$(dirname "$0")"
if [ -z "${WASM_CC:-}" ]; then
    if command -v zig >/dev/null; then WASM_CC="zig cc -target wasm32-wasi"
    elif command -v python-zig >/dev/null; then WASM_CC="python-zig cc -target wasm32-wasi"
    elif python3 -c 'import ziglang' 2>/dev/null; then WASM_CC="python3 -m ziglang cc -target wasm32-wasi"
    else echo "no C compiler for WebAssembly: pip install ziglang, or set WASM_CC" >&2; exit 1
    fi
fi
mkdir -p out
flags="-std=c11 -O2 -Wall -Wextra -Isdk/c -Isdk/include"
$WASM_CC $flags -mexec-model=reactor -s -o out/core.module plugin.c
bench-host wrap out/core.module -o out/{{name}}.wasm
rm out/core.module
case $(uname) in Darwin) library=dylib ;; *) library=so ;; esac
${CC:-cc} $flags -fPIC -shared -fvisibility=hidden -o "out/{{name}}.$library" plugin.c
