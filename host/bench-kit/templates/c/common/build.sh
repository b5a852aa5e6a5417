#!/bin/sh
# Builds both arms from one source: out/{{name}}.wasm, the component, and out/{{name}}.so, the native arm that `compare` sets beside it.
# Needed are a C compiler, and one for WebAssembly, which wasm-cc.sh finds.
set -eu
cd "$(dirname "$0")"
. ./wasm-cc.sh
mkdir -p out
flags="-std=c11 -O2 -Wall -Wextra -Isdk/c -Isdk/include"
# The component with SIMD, which every engine runs, as the native arm has what every processor of its kind has.
$WASM_CC $flags -msimd128 -mexec-model=reactor -s -o out/core.module plugin.c
bench-host wrap out/core.module -o out/{{name}}.wasm
rm out/core.module
case $(uname) in Darwin) library=dylib ;; *) library=so ;; esac
${CC:-cc} $flags -fPIC -shared -fvisibility=hidden -o "out/{{name}}.$library" plugin.c
