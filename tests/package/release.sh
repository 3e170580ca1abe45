#!/bin/bash
# Checks of a release. Each needs a release build; their tools are installed once, into target/tools.
# Usage: tests/package/release.sh packages|aarch64|reproducible|provenance
set -euo pipefail
cd "$(dirname "$0")/../.."
tools=$PWD/target/tools
venv=target/packagers
stage=target/package
export PATH="$tools/bin:$PWD/$venv/bin:$PATH"
# Limits of a package, in bytes, and the newest symbols of glibc that a program for old systems may need.
package_max=8000000
glibc_max=2.28

# tool NAME VERSION: installs a program of cargo unless this version is there.
tool() {
  [ "$("$tools/bin/$1" --version 2>/dev/null | grep -o '[0-9][0-9.]*' | head -n 1)" = "$2" ] ||
    nice cargo install --quiet --locked --root "$tools" --target-dir "$tools/build" "$1@$2"
}
# no_newer_than PROGRAM VERSION: the program needs no newer symbol of glibc.
no_newer_than() {
  local newest
  newest=$(readelf --version-info --wide "$1" | grep -o 'GLIBC_[0-9.]*' | sort -Vu | tail -n 1)
  echo "newest symbol of $1: $newest"
  [ "$(printf '%s\n' "${newest#GLIBC_}" "$2" | sort -V | tail -n 1)" = "$2" ]
}

# Debian package, rpm and archive of one build, with their sums.
check_packages() {
  tool cargo-deb 3.8.0
  packaging/build.sh
  packaging/stage.sh target/release/revalidated
  rm -f "$stage"/*.deb "$stage"/*.rpm "$stage"/*.tar.gz
  SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
  export SOURCE_DATE_EPOCH
  cargo deb --no-build --no-strip --quiet --output "$stage/"
  lintian --allow-root --fail-on error "$stage"/*.deb
  tool cargo-generate-rpm 0.21.1
  cargo generate-rpm --output "$stage/"
  rpm --query --package --info "$stage"/*.rpm
  # The two formats have the same files but for the one folder that differs.
  diff <(dpkg-deb --contents "$stage"/*.deb | awk '$1 !~ /^d/ { sub(/^\./, "", $6); sub(/\.gz$/, "", $6); print $6 }' |
    sed 's,/vendor-completions/,/site-functions/,' | grep -v 'changelog\|lintian' | sort) \
    <(rpm --query --package --list "$stage"/*.rpm | grep -v changelog | sort)
  [ "$(rpm --query --package --configfiles "$stage"/*.rpm)" = /etc/revalidated/revalidated.toml ]
  packaging/archive.py "$(uname -m)"
  local folder
  folder=$(mktemp -d)
  tar -xzf "$stage"/*.tar.gz -C "$folder"
  "$folder"/revalidated-*/install.sh --root "$folder/installed"
  "$folder/installed/usr/bin/revalidated" version --json
  "$folder"/revalidated-*/install.sh --root "$folder/installed" --uninstall
  [ ! -e "$folder/installed/usr/bin/revalidated" ] && [ -e "$folder/installed/etc/revalidated/revalidated.toml" ]
  rm -r "$folder"
  for package in "$stage"/*.deb "$stage"/*.rpm "$stage"/*.tar.gz; do
    echo "$(stat -c %s "$package") bytes: $package"
    [ "$(stat -c %s "$package")" -lt "$package_max" ]
  done
  (cd "$stage" && sha256sum ./*.deb ./*.rpm ./*.tar.gz | tee SHA256SUMS)
}

# Program for machines with ARM, and for old systems: the C compiler is that of zig.
check_aarch64() {
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --requirement tests/package/release-requirements.txt
  rustup target add aarch64-unknown-linux-gnu
  packaging/build.sh zigbuild --target "aarch64-unknown-linux-gnu.$glibc_max"
  local program=target/aarch64-unknown-linux-gnu/release/revalidated
  file "$program"
  no_newer_than "$program" "$glibc_max"
}

# Two builds in different folders give the same bytes.
check_reproducible() {
  local folder sums=()
  folder=$(mktemp -d)
  REVALIDATED_COMMIT=$(git rev-parse HEAD)
  SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
  export REVALIDATED_COMMIT SOURCE_DATE_EPOCH
  for copy in one another/place; do
    mkdir -p "$folder/$copy"
    git archive HEAD | tar -x -C "$folder/$copy"
    CARGO_TARGET_DIR= "$folder/$copy/packaging/build.sh"
    sums+=("$(sha256sum <"$folder/$copy/target/release/revalidated")")
    # The machine's disk is small.
    mv "$folder/$copy/target/release/revalidated" "$folder/${copy//\//-}.bin"
    rm -r "$folder/$copy"
  done
  printf '%s\n' "${sums[@]}"
  [ "${sums[0]}" = "${sums[1]}" ]
  rm -r "$folder"
}

# List of libraries in the program and beside it, and licences that are those that cargo-about finds.
check_provenance() {
  tool cargo-auditable 0.7.7
  tool cargo-cyclonedx 0.5.9
  tool cargo-about 0.9.3
  packaging/build.sh "auditable build"
  readelf --sections --wide target/release/revalidated | grep -q '\.dep-v0'
  cargo cyclonedx --format json --override-filename revalidated.cdx
  mv revalidated.cdx.json "$stage/"
  [ "$(grep -c '"bom-ref"' "$stage/revalidated.cdx.json")" -gt 100 ]
  cargo about --locked generate --config packaging/about.toml packaging/about.hbs | sort -u >"$stage/about.txt"
  # What cargo-about finds must be in the file of the packages.
  comm -23 "$stage/about.txt" <(packaging/licences.py --list | cut -d ' ' -f 1,2 | sort -u) | tee "$stage/missing.txt"
  [ ! -s "$stage/missing.txt" ]
}

tests/package/run.sh install
mkdir -p "$stage"
"check_$1"
