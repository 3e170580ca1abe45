# Common parts of the scripts that start and stop servers for tests; read with `source`.
#
# A script NAME.sh beside this file whose server is written in Python has NAME.txt, the packages that
# pip installs. The environment is kept in $REVALIDATED_STAND_INS/NAME (target/stand-ins/NAME by
# default) and made anew when that file changes. A server ends by itself after ten minutes, whatever
# happens.
set -euo pipefail

LIFE_SECONDS=600
READY_SECONDS=90
INSTALL_SECONDS=900
servers=$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
stand_ins=${REVALIDATED_STAND_INS:-$servers/../../target/stand-ins}

fail() {
    printf '%s: %s\n' "$(basename -- "$0")" "$*" >&2
    exit 1
}

# environment NAME: prints the folder of the Python environment, made when it is not there; two
# callers do not make it at once.
environment() {
    local name=$1 dir="$stand_ins/$1" wanted="$servers/$1.txt"
    mkdir -p "$stand_ins"
    exec 9>"$stand_ins/$name.lock"
    timeout "$INSTALL_SECONDS" flock 9 || fail "another caller keeps $stand_ins/$name.lock"
    if ! cmp -s "$wanted" "$dir/installed.txt"; then
        rm -rf "$dir"
        python3 -m venv "$dir" >&2 || fail 'install python3 and python3-venv'
        timeout "$INSTALL_SECONDS" "$dir/bin/python" -m pip install --quiet \
            --disable-pip-version-check --requirement "$wanted" >&2 ||
            fail "the packages of $name could not be installed"
        cp "$wanted" "$dir/installed.txt"
    fi
    exec 9>&-
    printf '%s\n' "$dir"
}

# launch DIR COMMAND...: starts a server in DIR, its output in DIR/log, its process id in DIR/pid.
launch() {
    local dir=$1
    shift
    mkdir -p "$dir"
    (cd "$dir" && exec timeout "$LIFE_SECONDS" "$@" </dev/null >log 2>&1) &
    printf '%s\n' "$!" >"$dir/pid"
}

# await DIR CHECK...: waits until the command CHECK succeeds, or shows the log and fails.
await() {
    local dir=$1 pid
    shift
    pid=$(<"$dir/pid")
    for ((waited = 0; waited < READY_SECONDS * 10; waited++)); do
        if "$@" >/dev/null 2>&1; then
            return
        fi
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.1
    done
    cat "$dir/log" >&2
    stop "$dir"
    fail 'the server did not answer; its log is above'
}

# stop DIR: ends what `launch` started there.
stop() {
    local dir=$1 pid
    [[ -f $dir/pid ]] || return 0
    pid=$(<"$dir/pid")
    rm -f "$dir/pid"
    # The id may have been given to another process since.
    [[ $(readlink "/proc/$pid/cwd" 2>/dev/null) == "$(readlink -f "$dir")" ]] || return 0
    kill "$pid" 2>/dev/null || return 0
    for ((waited = 0; waited < 50; waited++)); do
        kill -0 "$pid" 2>/dev/null || return 0
        sleep 0.1
    done
    kill -9 "$pid" 2>/dev/null || true
}

# free_port: prints a TCP port of the loopback interface without a listener.
free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}
