#!/usr/bin/env bash
# Passes all tests on a fresh machine: installs what they need from the ordinary package clients,
# then checks style, lints, tests, documentation, the systemd contract, crashes and power cuts.
#
# usage: tests/run.sh [STEP...]     every step by default; `tests/run.sh list` names them
# Debian packages are installed only as root (or through sudo) and only when they are missing.
set -eu
cd "$(dirname "$0")/.."
export CARGO_TERM_COLOR=never
export REVALIDATED_VENV="${REVALIDATED_VENV:-$PWD/target/venv}"
export REVALIDATED_NODE="${REVALIDATED_NODE:-$PWD/target/node}"

packages() { # PROGRAM-OR-FILE:PACKAGE... installs the packages whose program is missing
  local missing=() pair
  for pair in "$@"; do
    local program=${pair%%:*}
    command -v "$program" >/dev/null || [ -e "$program" ] || missing+=("${pair#*:}")
  done
  [ ${#missing[@]} -eq 0 ] && return
  local root=()
  [ "$(id -u)" -eq 0 ] || root=(sudo)
  "${root[@]}" apt-get update -qq
  DEBIAN_FRONTEND=noninteractive "${root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}"
}

step_install() {
  packages cc:gcc openssl:openssl python3:python3 npm:npm \
    /usr/share/doc/python3-venv:python3-venv strace:strace systemd-nspawn:systemd-container \
    systemd-analyze:systemd pg_ctlcluster:postgresql
  tests/verify/install.sh
}
step_format() { cargo fmt --check; }
step_lint() { cargo clippy --locked --all-targets --all-features -- -D warnings; }
step_test() { cargo test --locked --all-targets; }
step_features() {
  for feature in redshift s3; do
    cargo check --locked --quiet --no-default-features --features "$feature"
  done
}
step_docs() { RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps --document-private-items --quiet; }
step_systemd() { tests/systemd/run.sh target/debug/revalidated; }
step_crash() { tests/crash/run.sh; }

steps="install format lint test features docs systemd crash"
[ "${1:-}" = list ] && { echo "$steps"; exit 0; }
for step in ${@:-$steps}; do
  begun=$(date +%s)
  echo "== $step"
  "step_$step"
  echo "== $step: ok after $(($(date +%s) - begun)) s"
done
