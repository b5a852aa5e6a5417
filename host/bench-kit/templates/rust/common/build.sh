#!/bin/sh
# Builds both arms from one source: out/{{name}}.wasm, the component, and out/{{name}}.so, the native arm that `compare` sets beside it.
set -eu
cd "$(dirname "$0")"
rustup target add wasm32-wasip2 >/dev/null 2>&1 || true # where rustup is not used, the target must be there
cargo build --release --target wasm32-wasip2
cargo build --release
target=${CARGO_TARGET_DIR:-target}
mkdir -p out
cp "$target/wasm32-wasip2/release/{{name_}}.wasm" out/{{name}}.wasm
for library in "$target/release/lib{{name_}}.so" "$target/release/lib{{name_}}.dylib"; do
    if [ -f "$library" ]; then cp "$library" "out/{{name}}.${library##*.}"; fi
done
