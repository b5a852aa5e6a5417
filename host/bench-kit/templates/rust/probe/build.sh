#!/bin/sh
# Builds the native probe: out/{{name}}.so.
set -eu
cd "$(dirname "$0")"
cargo build --release
target=${CARGO_TARGET_DIR:-target}
mkdir -p out
for library in "$target/release/lib{{name_}}.so" "$target/release/lib{{name_}}.dylib"; do
    if [ -f "$library" ]; then cp "$library" "out/{{name}}.${library##*.}"; fi
done
