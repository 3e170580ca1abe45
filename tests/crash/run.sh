#!/bin/bash
# Crash tests against the real binary, each with a control: the same test with a planted defect, which it must find.
# A build with debug assertions takes its defect from TEST_DEFECT (src/store/sqlite/defect.rs).
# Usage: tests/crash/run.sh   KILLS and CUTS in the environment change the numbers. Needs python3 and strace; about five minutes.
set -eu
cd "$(dirname "$0")/../.."
target=${CARGO_TARGET_DIR:-target}
for program in cargo python3 strace; do
  command -v "$program" >/dev/null || { echo "FAIL $program is not installed"; exit 1; }
done

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

# What is killed at random moments.
kills() {
  expect 0 " 0 violations" "nothing is lost, doubled, invented or sent out of order by kills" \
    timeout 500 python3 tests/crash/crashloop.py "${KILLS:-500}" "$binary"
  expect 1 "which the database does not have" "control: sending before the commit is found by kills" \
    env TEST_DEFECT=send-before-commit timeout 300 python3 tests/crash/crashloop.py 150 "$binary"
  return "$((failures > 0))"
}
# What loses its power.
cuts() {
  expect 0 " 0 violations" "no event that was sent is missing after power cuts" \
    timeout 300 python3 tests/crash/powercut.py "${CUTS:-1000}" "$binary"
  expect 1 "sent events are missing" "control: commits without a sync are found by power cuts" \
    env TEST_DEFECT=synchronous-normal timeout 300 python3 tests/crash/powercut.py 300 "$binary"
  return "$((failures > 0))"
}

cargo build --quiet --locked --bin revalidated --examples
binary="$target/debug/revalidated"
# Side by side: a daemon that is killed waits most of the time.
log=$(mktemp)
trap 'rm -f "$log"' EXIT
kills >"$log" &
status=0
cuts || status=1
wait $! || status=1
cat "$log"
exit "$status"
