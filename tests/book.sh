#!/bin/sh
# Builds the documents in docs/ as a book into target/book; a warning of mdBook is a failure.
#
# usage: tests/book.sh [install]    only installs mdBook, unless this version is there already
set -eu
cd "$(dirname "$0")/.."
venv=target/mdbook

if ! cmp -s tests/book.txt "$venv/installed.txt"; then
    python3 -m venv "$venv"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes --requirement tests/book.txt
    cp tests/book.txt "$venv/installed.txt"
fi
[ "${1:-}" != install ] || exit 0

log=target/book.log
"$venv/bin/mdbook" build >"$log" 2>&1 || { cat "$log"; exit 1; }
if grep -E 'WARN|ERROR' "$log"; then exit 1; fi
