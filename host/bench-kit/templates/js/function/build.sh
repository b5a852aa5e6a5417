#!/bin/sh
# Builds out/{{name}}.wasm, the component, which contains a JavaScript engine: `npm install` first.
set -eu
cd "$(dirname "$0")"
mkdir -p out
PATH="$PWD/node_modules/.bin:$PATH"
componentize-js plugin.js -w {{wit}} -n {{world}} -o out/{{name}}.wasm
