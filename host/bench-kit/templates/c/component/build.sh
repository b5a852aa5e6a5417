#!/bin/sh
# Builds out/{{name}}.wasm, the component. Needed is a C compiler for WebAssembly, which wasm-cc.sh finds.
set -eu
cd "$(dirname "$0")"
. ./wasm-cc.sh
mkdir -p out
# With SIMD, which every engine runs.
$WASM_CC -std=c11 -O2 -Wall -Wextra -Isdk/c -msimd128 -mexec-model=reactor -s -o out/core.module plugin.c
bench-host wrap out/core.module -o out/{{name}}.wasm
rm out/core.module
