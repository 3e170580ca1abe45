#!/usr/bin/env bash
# Starts and stops Microsoft's mock SQL server (the crate mssql-mock-tds, in tds/), whose answers are in
# scenario files.
#
#   tds.sh start DIR [SCENARIO.json...]   prints ca=FILE and NAME=PORT for every scenario once they
#                                         listen; without scenarios, those of src/platforms/synapse,
#                                         each by the name of its folder. What NAME was sent is
#                                         written to DIR/NAME.jsonl.
#   tds.sh stop DIR
#   tds.sh install                        only builds the program; needs libssl-dev and pkg-config
source "$(dirname -- "$0")/lib.sh"

program="$stand_ins/tds/debug/servers-tds"
cases="$servers/../../src/platforms/synapse/testcases"

install() {
    pkg-config --exists openssl || fail 'install libssl-dev and pkg-config'
    CARGO_TARGET_DIR="$stand_ins/tds" timeout "$INSTALL_SECONDS" \
        cargo build --locked --quiet --manifest-path "$servers/tds/Cargo.toml" >&2 ||
        fail 'the server could not be built'
}

# certificate NAME AUTHORITY DAYS SUBJECT-NAME: a key, and a certificate for it.
certificate() {
    local name=$1 authority=$2 days=$3 subject=$4
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$name.key" \
        -out "$name.csr" -subj "/CN=$name"
    openssl x509 -req -in "$name.csr" -CA "$authority.pem" -CAkey "$authority.key" -CAcreateserial \
        -days "$days" -extfile <(printf 'subjectAltName=%s' "$subject") -out "$name.pem"
}

certificates() {
    local authority
    for authority in ca other-ca; do
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
            -keyout "$authority.key" -out "$authority.pem" -subj "/CN=$authority"
    done
    certificate trusted ca 2 DNS:localhost
    certificate expired ca 0 DNS:localhost
    certificate untrusted other-ca 2 DNS:localhost
    certificate otherName ca 2 DNS:other.example
    # It was valid for the second it was made in.
    while openssl x509 -in expired.pem -checkend 0; do sleep 0.2; done
}

start() {
    local dir=$1 scenario
    local -a scenarios=()
    shift
    install
    stop "$dir"
    mkdir -p "$dir"
    (cd "$dir" && certificates) >"$dir/openssl.log" 2>&1 || fail "see $dir/openssl.log"
    [[ $# -gt 0 ]] || set -- "$cases"/*/scenario.json
    for scenario in "$@"; do
        local folder
        folder=$(CDPATH='' cd -- "$(dirname -- "$scenario")" && pwd)
        scenarios+=("$(basename -- "$folder")=$folder/$(basename -- "$scenario")")
    done
    launch "$dir" "$program" . "${scenarios[@]}"
    await "$dir" grep -qx ready "$dir/log"
    printf 'ca=%s\n' "$(readlink -f "$dir/ca.pem")"
    grep = "$dir/log"
}

case ${1:-}:${2:+dir} in
start:dir) start "${@:2}" ;;
stop:dir) stop "$2" ;;
install:) install ;;
*) fail 'usage: tds.sh start DIR [SCENARIO.json...], tds.sh stop DIR, or tds.sh install' ;;
esac
