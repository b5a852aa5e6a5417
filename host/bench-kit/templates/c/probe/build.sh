#!/bin/sh
# Builds the native probe: out/{{name}}.so.
set -eu
cd "$(dirname "$0")"
mkdir -p out
${CC:-cc} -std=c11 -O2 -Wall -Wextra -Isdk/c -Isdk/include -fPIC -shared -fvisibility=hidden -o out/{{name}}.so plugin.c
