#!/usr/bin/env bash
# Starts and stops a moto server (STS, IAM and S3 that verify signatures and policies) for tests.
#
#   moto.sh start DIR   prints endpoint=http://127.0.0.1:PORT once it answers
#   moto.sh stop DIR
#   moto.sh install     only makes the Python environment
source "$(dirname -- "$0")/lib.sh"

endpoint() {
    sed -n 's/.*Running on \(http:\/\/127\.0\.0\.1:[0-9]*\).*/\1/p' "$1/log" | grep .
}

start() {
    local dir=$1 venv
    venv=$(environment moto)
    stop "$dir"
    launch "$dir" "$venv/bin/python" -m moto.server -H 127.0.0.1 -p 0
    await "$dir" endpoint "$dir"
    printf 'endpoint=%s\n' "$(endpoint "$dir")"
}

case ${1:-}:${2:+dir} in
start:dir) start "$2" ;;
stop:dir) stop "$2" ;;
install:) environment moto >/dev/null ;;
*) fail 'usage: moto.sh start|stop DIR, or moto.sh install' ;;
esac
