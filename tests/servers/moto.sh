#!/usr/bin/env bash
# Starts and stops a moto server (STS, IAM and S3 that verify signatures and policies) for tests.
#
#   moto.sh start DIR   prints endpoint=http://127.0.0.1:PORT once it answers
#   moto.sh stop DIR
#
# DIR keeps the log, the process id and, unless REVALIDATED_VENV names a Python environment that has
# moto, the environment itself. A server ends by itself after ten minutes, whatever happens.
set -euo pipefail

LIFE_SECONDS=600
READY_SECONDS=60
INSTALL_SECONDS=400

fail() {
    printf 'moto.sh: %s\n' "$*" >&2
    exit 1
}

has_moto() {
    [[ -x "$1/bin/python" ]] && "$1/bin/python" -c 'import moto.server' 2>/dev/null
}

# The Python environment to use, made when there is none; two callers do not make it at once.
venv() {
    local dir=$1 given=${REVALIDATED_VENV:-}
    if [[ -n $given ]] && has_moto "$given"; then
        printf '%s\n' "$given"
        return
    fi
    exec 9>"$dir/lock"
    timeout "$INSTALL_SECONDS" flock 9 || fail "another caller keeps $dir/lock"
    if ! has_moto "$dir/venv"; then
        python3 -m venv "$dir/venv" >&2 || fail 'install python3 and python3-venv'
        timeout "$INSTALL_SECONDS" "$dir/venv/bin/pip" install --quiet 'moto[server]>=5,<6' >&2 ||
            fail "install moto: pip install 'moto[server]' (or set REVALIDATED_VENV)"
    fi
    exec 9>&-
    printf '%s\n' "$dir/venv"
}

start() {
    local dir=$1 venv pid endpoint
    mkdir -p "$dir"
    stop "$dir"
    venv=$(venv "$dir")
    timeout "$LIFE_SECONDS" "$venv/bin/python" -m moto.server -H 127.0.0.1 -p 0 \
        </dev/null >"$dir/log" 2>&1 &
    pid=$!
    printf '%s\n' "$pid" >"$dir/pid"
    for ((waited = 0; waited < READY_SECONDS * 10; waited++)); do
        endpoint=$(sed -n 's/.*Running on \(http:\/\/127\.0\.0\.1:[0-9]*\).*/\1/p' "$dir/log")
        if [[ -n $endpoint ]]; then
            printf 'endpoint=%s\n' "$endpoint"
            return
        fi
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.1
    done
    cat "$dir/log" >&2
    stop "$dir"
    fail "moto did not answer; its log is above"
}

stop() {
    local dir=$1 pid
    [[ -f $dir/pid ]] || return 0
    pid=$(<"$dir/pid")
    rm -f "$dir/pid"
    # The id may have been given to another process since.
    grep -qs 'moto' "/proc/$pid/cmdline" || return 0
    kill "$pid" 2>/dev/null || return 0
    for ((waited = 0; waited < 50; waited++)); do
        kill -0 "$pid" 2>/dev/null || return 0
        sleep 0.1
    done
    kill -9 -- "-$pid" 2>/dev/null || true
}

case ${1:-}:${2:+dir} in
start:dir) start "$2" ;;
stop:dir) stop "$2" ;;
*) fail 'usage: moto.sh start|stop DIR' ;;
esac
