#!/usr/bin/env bash
# Starts and stops SnowDuck (Snowflake's SQL API and its drivers' protocol over DuckDB) for tests; it has
# the warehouse DEFAULT_WAREHOUSE and the database IMMUTA, and checks no credentials.
#
#   snowduck.sh start DIR   prints endpoint=http://127.0.0.1:PORT once it answers
#   snowduck.sh stop DIR
#   snowduck.sh install     only makes the Python environment
source "$(dirname -- "$0")/lib.sh"

endpoint() {
    sed -n 's/.*Uvicorn running on \(http:\/\/127\.0\.0\.1:[0-9]*\).*/\1/p' "$1/log" | grep .
}

start() {
    local dir=$1 venv
    venv=$(environment snowduck)
    stop "$dir"
    launch "$dir" "$venv/bin/snowduck" --host 127.0.0.1 --port 0
    await "$dir" endpoint "$dir"
    "$venv/bin/python" - "$(endpoint "$dir")" <<-'PY' || fail 'the database could not be made'
		import sys, urllib.request
		request = urllib.request.Request(
		    sys.argv[1] + "/api/v2/statements", b'{"statement": "CREATE DATABASE IMMUTA"}',
		    {"Content-Type": "application/json"})
		urllib.request.urlopen(request, timeout=30).read()
	PY
    printf 'endpoint=%s\n' "$(endpoint "$dir")"
}

case ${1:-}:${2:+dir} in
start:dir) start "$2" ;;
stop:dir) stop "$2" ;;
install:) environment snowduck >/dev/null ;;
*) fail 'usage: snowduck.sh start|stop DIR, or snowduck.sh install' ;;
esac
