#!/bin/sh
# Builds out/{{name}}.wasm, the component, which contains a Python interpreter: `pip install -r requirements.txt` first.
set -eu
cd "$(dirname "$0")"
mkdir -p out
componentize-py -d {{wit}} -w {{world}} componentize app -o out/{{name}}.wasm
