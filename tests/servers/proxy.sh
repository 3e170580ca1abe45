#!/usr/bin/env bash
# Starts and stops proxy.py, a forward proxy that asks for a user and a password, for tests.
#
#   proxy.sh start DIR   prints url=http://127.0.0.1:PORT, username=, password= and log= (a line for
#                        every connection) once it listens
#   proxy.sh stop DIR
#   proxy.sh install     only makes the Python environment
source "$(dirname -- "$0")/lib.sh"

readonly username=revalidated password=hunter2

start() {
    local dir=$1 venv
    venv=$(environment proxy)
    stop "$dir"
    mkdir -p "$dir"
    rm -f "$dir/port"
    # One thread a connection, in one process: what is launched is then all there is to stop.
    launch "$dir" "$venv/bin/python" -m proxy --hostname 127.0.0.1 --port 0 --port-file port \
        --num-acceptors 1 --num-workers 1 --threaded --data-dir data --pid-file proxy.pid \
        --basic-auth "$username:$password" --log-file access.log
    await "$dir" test -s "$dir/port"
    printf '%s\n' "url=http://127.0.0.1:$(tail -n 1 "$dir/port")" "username=$username" "password=$password" \
        "log=$(CDPATH='' cd -- "$dir" && pwd)/access.log"
}

case ${1:-}:${2:+dir} in
start:dir) start "$2" ;;
stop:dir) stop "$2" ;;
install:) environment proxy >/dev/null ;;
*) fail 'usage: proxy.sh start|stop DIR, or proxy.sh install' ;;
esac
