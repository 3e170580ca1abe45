#!/bin/sh
# Puts the files of packages together that are not in the sources, into target/package: the program without symbols, its completions,
# the changelog in Debian's form and the licences of its libraries.
#
# usage: packaging/stage.sh PROGRAM [RUNS_HERE]   RUNS_HERE is the same program for this machine, where PROGRAM is for another
set -eu
cd "$(dirname "$0")/.."
program=$1
runs_here=${2:-$program}
stage=target/package

mkdir -p "$stage"
# Times of files in packages; no change of the sources, no change of a package.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || date +%s)}
export SOURCE_DATE_EPOCH
if ! "${STRIP:-strip}" --strip-all -o "$stage/revalidated" "$program" 2>/dev/null; then
    cp "$program" "$stage/revalidated"
fi
for shell in bash zsh fish; do
    "$runs_here" completions "$shell" >"$stage/revalidated.$shell"
done
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
maintainer=$(sed -n 's/^maintainer = "\(.*\)"/\1/p' Cargo.toml)
cat >"$stage/changelog.debian" <<CHANGELOG
revalidated ($version-1) unstable; urgency=medium

  * Changes are in changelog.gz beside this file.

 -- $maintainer  $(date -u -R -d "@$SOURCE_DATE_EPOCH")
CHANGELOG
packaging/licences.py >"$stage/THIRD-PARTY.html"
find "$stage" -maxdepth 1 -type f -exec touch -d "@$SOURCE_DATE_EPOCH" {} +
