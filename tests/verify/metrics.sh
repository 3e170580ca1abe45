#!/bin/sh
# Reads the metrics in the file $1 (with `classic`, in the classic text format) with the Prometheus project's own library; see metrics.py.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
venv=${REVALIDATED_VENV:-$here/../../target/venv}
exec "$venv/bin/python" "$here/metrics.py" "$@"
