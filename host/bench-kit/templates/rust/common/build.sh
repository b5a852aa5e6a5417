#!/bin/sh
# Builds both arms from one source: out/{{name}}.wasm, the component, and out/{{name}}.so, the native arm that `compare` sets beside it.
set -eu
cd "$(dirname "$0")"
rustup target add wasm32-wasip2 >/dev/null 2>&1 || true # where rustup is not used, the target must be there
# The component with SIMD, which every engine runs, as the native arm has what every processor of its kind has.
simd="-Ctarget-feature=+simd128"
CARGO_TARGET_WASM32_WASIP2_RUSTFLAGS="${CARGO_TARGET_WASM32_WASIP2_RUSTFLAGS:-} $simd" cargo build --release --target wasm32-wasip2
cargo build --release
target=${CARGO_TARGET_DIR:-target}
mkdir -p out
cp "$target/wasm32-wasip2/release/{{name_}}.wasm" out/{{name}}.wasm
for library in "$target/release/lib{{name_}}.so" "$target/release/lib{{name_}}.dylib"; do
    if [ -f "$library" ]; then cp "$library" "out/{{name}}.${library##*.}"; fi
done
