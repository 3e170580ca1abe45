#!/bin/sh
# Verifies the deliveries in the file $1 with the reference libraries of two languages.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
venv=${REVALIDATED_VENV:-$here/../../target/venv}
node=${REVALIDATED_NODE:-$here/../../target/node}

"$venv/bin/python" "$here/verify.py" "$1"
node "$here/verify.mjs" "$node" "$1"
