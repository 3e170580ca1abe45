#!/bin/bash
# Crash tests against the real binary, each with a twin: the same test on a binary with a planted defect, which it must find.
# Usage: tests/crash/run.sh   KILLS and CUTS in the environment change the numbers. Needs python3 and strace; about five minutes.
set -eu
cd "$(dirname "$0")/../.."
target=${CARGO_TARGET_DIR:-target}
for program in cargo python3 strace; do
  command -v "$program" >/dev/null || { echo "FAIL $program is not installed"; exit 1; }
done

# Builds with the given feature and keeps the binary under a name of its own, since cargo has one place for all.
build() {
  cargo build --quiet --locked --features "$1"
  mkdir -p "$target/defects"
  cp "$target/debug/revalidated" "$target/defects/revalidated-$1"
}

failures=0
# expect STATUS WORDS NAME COMMAND...: runs the command and compares its exit status; its output must contain the words.
expect() {
  local wanted=$1 words=$2 name=$3 status=0 output
  shift 3
  output=$("$@" 2>&1) || status=$?
  echo "$output" | sed 's/^/  /'
  if [ "$status" = "$wanted" ] && grep -q "$words" <<<"$output"; then
    echo "ok $name"
  else
    echo "FAIL $name: exit status $status, expected $wanted and \"$words\""
    failures=$((failures + 1))
  fi
}

build defect-send-before-commit
build defect-synchronous-normal
cargo build --quiet --locked
expect 0 " 0 violations" "nothing is lost, doubled, invented or told out of order by kills" \
  timeout 400 python3 tests/crash/crashloop.py "${KILLS:-500}" "$target/debug/revalidated"
expect 1 "which the database does not know" "twin: sending before the commit is found by kills" \
  timeout 200 python3 tests/crash/crashloop.py 150 "$target/defects/revalidated-defect-send-before-commit"
expect 0 " 0 violations" "nothing told is forgotten by power cuts" \
  timeout 200 python3 tests/crash/powercut.py "${CUTS:-1000}" "$target/debug/revalidated"
expect 1 "told events are forgotten" "twin: commits without a sync are found by power cuts" \
  timeout 200 python3 tests/crash/powercut.py 300 "$target/defects/revalidated-defect-synchronous-normal"
exit "$((failures > 0))"
