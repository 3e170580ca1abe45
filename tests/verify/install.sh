#!/bin/sh
# Installs the reference libraries unless these versions are there already.
# REVALIDATED_VENV and REVALIDATED_NODE name the folders; target/venv and target/node otherwise.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
venv=${REVALIDATED_VENV:-$here/../../target/venv}
node=${REVALIDATED_NODE:-$here/../../target/node}

# Tests of one process come at the same time.
mkdir -p "$node"
exec 9>"$node/lock"
flock 9

if ! cmp -s "$here/requirements.txt" "$venv/installed.txt"; then
    python3 -m venv "$venv"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --requirement "$here/requirements.txt"
    cp "$here/requirements.txt" "$venv/installed.txt"
fi

if ! cmp -s "$here/package.json" "$node/installed.json"; then
    cp "$here/package.json" "$node/package.json"
    npm install --loglevel=error --prefix "$node" --no-package-lock --ignore-scripts --no-audit --no-fund
    cp "$here/package.json" "$node/installed.json"
fi
