#!/bin/sh
# Builds out/{{name}}.wasm, the component.
set -eu
cd "$(dirname "$0")"
mkdir -p out
# `-checklinkname=0`: the SDK uses functions of the Go runtime that the linker would hide.
GOOS=wasip1 GOARCH=wasm GOWORK=off go build -buildmode=c-shared -trimpath -ldflags='-s -w -checklinkname=0' -o out/core.module .
bench-host wrap out/core.module -o out/{{name}}.wasm
rm out/core.module
