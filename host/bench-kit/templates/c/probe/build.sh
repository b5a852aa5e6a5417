#!/bin/sh
# Builds the native probe: out/{{name}}.so.
set -eu
cd "$(dirname "$0")"
mkdir -p out
case $(uname) in Darwin) library=dylib ;; *) library=so ;; esac
${CC:-cc} -std=c11 -O2 -Wall -Wextra -Isdk/c -Isdk/include -fPIC -shared -fvisibility=hidden -o "out/{{name}}.$library" plugin.c
