#!/bin/bash
# Builds the Debian package around a program, has lintian judge it, and takes it from installation to purge in a booted systemd. The image
# and the manifest for Kubernetes are judged by hadolint and kubernetes-validate.
# Usage: tests/package/run.sh install|PROGRAM   Needs root, systemd-nspawn, lintian. Two minutes; `install` only installs what it needs.
set -euo pipefail
cd "$(dirname "$0")/../.."
venv=target/packagers
tools=$PWD/target/tools
deb=target/package/test/revalidated.deb

if ! cmp -s tests/package/requirements.txt "$venv/installed.txt"; then
  python3 -m venv "$venv"
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --requirement tests/package/requirements.txt
  cp tests/package/requirements.txt "$venv/installed.txt"
fi
# Without optimization it is compiled in half the time, and the system's xz does its work.
[ "$("$tools/bin/cargo-deb" --version 2>/dev/null)" = "cargo-deb 3.8.0" ] ||
  nice cargo install --quiet --debug --locked --root "$tools" --target-dir "$tools/build" cargo-deb@3.8.0
[ "$1" != install ] || exit 0

"$venv/bin/hadolint" deploy/Containerfile
echo "ok hadolint finds nothing in deploy/Containerfile"
"$venv/bin/kubernetes-validate" --strict --quiet deploy/kubernetes/revalidated.yaml
echo "ok deploy/kubernetes is what Kubernetes reads"
mkdir -p "${deb%/*}"
packaging/stage.sh "$1"
# A checkout without its history takes the present.
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct 2>/dev/null || date +%s) \
  "$tools/bin/cargo-deb" --no-build --no-strip --fast --compress-system --quiet --output "$deb"
echo "ok the package is built, $(($(stat -c %s "$deb") / 1000000)) MB around a program without optimization"
lintian --fail-on error --allow-root "$deb"
echo "ok lintian finds no error"
REVALIDATED_EXERCISE_SECONDS=420 tests/systemd/run.sh "$1" tests/package/exercise.sh "$deb"
