#!/bin/sh
# Builds the program that packages are made of: the same sources give the same bytes, in whatever folder they are.
#
# usage: packaging/build.sh [COMMAND] [ARGUMENT...]   COMMAND is that of cargo: build, zigbuild or auditable build
#
# No path of this machine and no time gets into the program; the commit does, where there is a repository.
set -eu
cd "$(dirname "$0")/.."
command=${1:-build}
[ $# -eq 0 ] || shift
cargo_home=${CARGO_HOME:-$HOME/.cargo}
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || echo 0)}
REVALIDATED_COMMIT=${REVALIDATED_COMMIT:-$(git rev-parse HEAD 2>/dev/null || true)}
export SOURCE_DATE_EPOCH
if [ -n "$REVALIDATED_COMMIT" ]; then export REVALIDATED_COMMIT; else unset REVALIDATED_COMMIT; fi
export RUSTFLAGS="--remap-path-prefix=$PWD=/src --remap-path-prefix=$cargo_home=/cargo"
export CFLAGS="-ffile-prefix-map=$PWD=/src -ffile-prefix-map=$cargo_home=/cargo"
# shellcheck disable=SC2086 # the words of the command
exec cargo $command --locked --release --bin revalidated "$@"
