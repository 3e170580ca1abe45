#!/bin/sh
# Reads the CloudEvents in the file $1 with the CloudEvents project's own SDK; see cloudevents.mjs.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
node=${REVALIDATED_NODE:-$here/../../target/node}
exec node "$here/cloudevents.mjs" "$node" "$1"
