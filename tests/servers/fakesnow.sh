#!/usr/bin/env bash
# Starts and stops fakesnow (Snowflake's drivers' protocol over DuckDB) for tests; it checks no
# credentials, and gives rows in Arrow only.
#
#   fakesnow.sh start DIR   prints endpoint=http://127.0.0.1:PORT and log=FILE once it answers
#   fakesnow.sh stop DIR
#   fakesnow.sh install     only makes the Python environment
source "$(dirname -- "$0")/lib.sh"

endpoint() {
    sed -n 's/.*Uvicorn running on \(http:\/\/127\.0\.0\.1:[0-9]*\).*/\1/p' "$1/log" | grep .
}

start() {
    local dir=$1 venv
    venv=$(environment fakesnow)
    stop "$dir"
    launch "$dir" "$venv/bin/fakesnow" -s
    await "$dir" endpoint "$dir"
    printf 'endpoint=%s\nlog=%s\n' "$(endpoint "$dir")" "$dir/log"
}

case ${1:-}:${2:+dir} in
start:dir) start "$2" ;;
stop:dir) stop "$2" ;;
install:) environment fakesnow >/dev/null ;;
*) fail 'usage: fakesnow.sh start|stop DIR, or fakesnow.sh install' ;;
esac
