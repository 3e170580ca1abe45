#!/usr/bin/env bash
# Starts and stops a real Trino 476 for tests, where a JDK of 24 or newer is found; see trino.py.
# Maven gets the server (194 MB) once; it is unpacked in $TRINO_CACHE, $REVALIDATED_STAND_INS/trino by default.
#
#   trino.sh java                prints the JDK that would run it, or fails
#   trino.sh find                prints the JDK, or says why the server is left out and fails
#   trino.sh install             only gets the server; without a JDK, or where Maven does not get it, it says so
#   trino.sh start DIR [...]     prints http=, https=, ca= and more once it answers
#   trino.sh token DIR USER ...  prints a JSON web token that the server in DIR accepts
#   trino.sh stop DIR
source "$(dirname -- "$0")/lib.sh"
export TRINO_CACHE="${TRINO_CACHE:-$stand_ins/trino}"
server=$servers/trino.py

case ${1:-} in
java) python3 "$server" java ;;
find)
    python3 "$server" java
    python3 "$server" install >/dev/null || fail 'Maven does not get the server'
    ;;
install)
    if ! python3 "$server" java >/dev/null 2>&1; then
        echo 'trino is left out: no JDK 24 or newer is found'
    elif ! python3 "$server" install >/dev/null; then
        echo 'trino is left out: Maven does not get the server'
    fi
    ;;
start | stop | token) exec python3 "$server" "$@" ;;
*) fail 'usage: trino.sh start|stop DIR, trino.sh token DIR USER, or trino.sh java|find|install' ;;
esac
