#!/usr/bin/env bash
# Starts and stops a minilake server (Databricks: SCIM, Unity Catalog, grants, SQL warehouses; no
# authentication) for tests.
#
#   minilake.sh start DIR   prints endpoint=http://127.0.0.1:PORT once it answers
#   minilake.sh stop DIR
#   minilake.sh install     only makes the Python environment
source "$(dirname -- "$0")/lib.sh"

ready() {
    python3 -c 'import sys, urllib.request; urllib.request.urlopen(sys.argv[1], timeout=2)' "$1"
}

start() {
    local dir=$1 venv endpoint port
    venv=$(environment minilake)
    stop "$dir"
    port=$(free_port)
    endpoint=http://127.0.0.1:$port
    launch "$dir" env MINILAKE_NOTEBOOK=0 "$venv/bin/python" -m minilake --host 127.0.0.1 --port "$port"
    await "$dir" ready "$endpoint/_minilake/ready"
    printf 'endpoint=%s\n' "$endpoint"
}

case ${1:-}:${2:+dir} in
start:dir) start "$2" ;;
stop:dir) stop "$2" ;;
install:) environment minilake >/dev/null ;;
*) fail 'usage: minilake.sh start|stop DIR, or minilake.sh install' ;;
esac
