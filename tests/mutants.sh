#!/usr/bin/env bash
# Mutation tests of the ledger: each mutant of src/domain/ledger must fail one of its tests.
#
# usage: tests/mutants.sh [ARGUMENT...]     arguments go to cargo-mutants, such as --file mute.rs
# The tree takes too long to build for each of some hundred mutants: a package is made in
# target/mutants whose only module is src/domain, with the versions of Cargo.lock.
# Fails when less than 90 % of the mutants that compile are caught; target/mutants/mutants.out has the rest.
set -euo pipefail
cd "$(dirname "$0")/.."
tools=$PWD/target/tools
scratch=$PWD/target/mutants

[ -x "$tools/bin/cargo-mutants" ] ||
  CARGO_TARGET_DIR="$tools/build" cargo install --quiet --locked --root "$tools" cargo-mutants@27.1.0

mkdir -p "$scratch/src" "$scratch/tests"
rm -rf "$scratch/src/domain" "$scratch/tests/contract" "$scratch/docs" "$scratch/share"
cp -r src/domain "$scratch/src/"
# Files that the tests of src/domain include.
cp -r tests/contract "$scratch/tests/"
cp -r docs schemas share README.md Cargo.lock rust-toolchain.toml "$scratch/"
echo '//! The domain alone, for mutation tests.
#![allow(dead_code, unused_imports)]
mod domain;' >"$scratch/src/lib.rs"
# The lines of a section of Cargo.toml whose packages the domain names.
packages() {
  sed -n "/^\[$1\]/,/^\[/p" Cargo.toml | grep '^[a-z]' | while IFS= read -r line; do
    local name=${line%% *}
    grep -qr "\b${name//-/_}::" src/domain && printf '%s\n' "$line"
  done || true
}
{
  printf '[package]\nname = "domain"\nversion = "0.0.0"\nedition = "2024"\n[workspace]\n'
  # Dependencies are built once, and the tests run for each mutant.
  printf '[profile.dev]\ndebug = false\n[profile.dev.package."*"]\nopt-level = 2\n[dependencies]\n'
  packages dependencies
  printf '[dev-dependencies]\n'
  packages dev-dependencies | grep -v '^serde_json'
} >"$scratch/Cargo.toml"

cd "$scratch"
status=0
"$tools/bin/cargo-mutants" mutants --jobs "${JOBS:-$(nproc)}" --no-shuffle --colors never --timeout 60 \
  --file 'src/domain/ledger/**' --exclude '**/tests/**' "$@" -- --lib domain::ledger || status=$?
# 2 and 3: some were missed, or timed out.
case $status in 0 | 2 | 3) ;; *) exit "$status" ;; esac
count() { wc -l <"mutants.out/$1.txt"; }
caught=$(($(count caught) + $(count timeout)))
total=$((caught + $(count missed)))
echo "$caught of $total mutants caught"
[ $((caught * 100)) -ge $((total * 90)) ]
