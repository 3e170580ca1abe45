#!/usr/bin/env bash
# Passes all tests on a fresh machine: installs what they need from the ordinary package clients,
# then checks style, lints, tests, documentation, the systemd contract, crashes and power cuts.
#
# usage: tests/run.sh [STEP...]     every step but fuzz, simulate, evaluate, load and deliveries by
#                               default; `tests/run.sh list` names them
# Debian packages are installed only when they are missing, as root or through sudo.
set -euo pipefail
cd "$(dirname "$0")/.."
export CARGO_TERM_COLOR=never
export REVALIDATED_VENV="${REVALIDATED_VENV:-$PWD/target/venv}"
export REVALIDATED_STAND_INS="${REVALIDATED_STAND_INS:-$PWD/target/stand-ins}"
export REVALIDATED_NODE="${REVALIDATED_NODE:-$PWD/target/node}"

have() { command -v "$1" >/dev/null 2>&1; }

step_install() {
  local missing=()
  have cc || missing+=(gcc libc6-dev)
  have make || missing+=(make)
  have openssl || missing+=(openssl)
  have curl || missing+=(curl)
  have python3 || missing+=(python3)
  python3 -c 'import ensurepip, venv' 2>/dev/null || missing+=(python3-venv)
  have npm || missing+=(npm)
  have pkg-config || missing+=(pkg-config)
  [ -e /usr/include/openssl/ssl.h ] || missing+=(libssl-dev)
  have prometheus-alertmanager || missing+=(prometheus-alertmanager)
  have strace || missing+=(strace)
  have systemd-analyze || missing+=(systemd)
  have systemd-nspawn || missing+=(systemd-container)
  ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing+=(postgresql)
  if [ ${#missing[@]} -gt 0 ]; then
    echo "installing ${missing[*]}"
    local root=()
    [ "$(id -u)" -eq 0 ] || root=(sudo)
    "${root[@]}" apt-get update -qq
    "${root[@]}" env DEBIAN_FRONTEND=noninteractive \
      apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
  fi
  tests/verify/install.sh
  tests/book.sh install
  local server
  for server in tests/servers/*.sh; do
    case $server in
    */lib.sh | */postgres.sh) ;;
    *) "$server" install ;;
    esac
  done
}
step_format() { cargo fmt --check; }
step_lint() { cargo clippy --locked --all-targets --all-features -- -D warnings; }
# No secret that a test plants may be seen in what the tests print either.
step_test() {
  cargo test --locked 2>&1 | tee target/test.log
  if grep -q -F -f tests/planted-secrets.txt target/test.log; then
    echo "FAIL lines of target/test.log hold a planted secret"
    return 1
  fi
}
# What only the other platforms use is dead code in a build without them.
step_features() {
  local feature
  for feature in bigquery databricks redshift s3 snowflake synapse trino; do
    cargo clippy --locked --quiet --no-default-features --features "$feature" -- \
      -D warnings -A dead_code -A unused_imports -A unfulfilled_lint_expectations
  done
}
step_docs() {
  RUSTDOCFLAGS="-D warnings" cargo doc --locked --quiet --no-deps --document-private-items
}
step_book() { tests/book.sh; }
step_systemd() { cargo build --locked --quiet && tests/systemd/run.sh target/debug/revalidated; }
step_crash() { tests/crash/run.sh; }
# A thousand short worlds in which much goes wrong; SEEDS=10000 for more, SEED=7 SEEDS=1 for one.
step_seeds() {
  REVALIDATED_SEED="${SEED:-1}" REVALIDATED_SEEDS="${SEEDS:-1000}" \
    cargo test --locked --lib -- --nocapture simulation::tests::whatever
}
# Only by name: WEEKS weeks of a hundred integrations each, with crashes.
step_simulate() {
  REVALIDATED_SEED="${SEED:-1}" REVALIDATED_WEEKS="${WEEKS:-100}" cargo test --locked \
    --profile simulation --lib -- --ignored --nocapture simulation::tests::ten_thousand
}
# Only by name: the default policy beside those of others, into docs/verdict-evaluation.md.
step_evaluate() {
  cargo test --locked --profile simulation --lib -- --ignored simulation::evaluation
  cp target/verdict-evaluation.md docs/verdict-evaluation.md
}
# Only by name: every parser of foreign answers for a minute, on input that is broken at random.
step_fuzz() { REVALIDATED_FUZZ_SECONDS="${SECONDS_EACH:-60}" cargo test --locked --lib -- fuzz_; }
# Only by name: it needs a release build and an otherwise idle machine.
step_load() {
  cargo build --locked --quiet --release --bin revalidated --example load-platform
  benches/load.py target/release/revalidated target/release/examples/load-platform
}
# Only by name too; it needs nginx, which is not installed here since that would start a server.
step_deliveries() { cargo build --locked --quiet --release && benches/deliveries.py target/release/revalidated; }

all=(install format lint test seeds features docs book systemd crash)
if [ "${1:-}" = list ]; then
  echo "${all[*]} (fuzz simulate evaluate load deliveries)"
  exit 0
fi
[ $# -gt 0 ] || set -- "${all[@]}"
for step in "$@"; do
  begun=$SECONDS
  echo "== $step"
  "step_$step"
  echo "== $step: ok after $((SECONDS - begun)) s"
done
