#!/usr/bin/env bash
# Starts and stops Buena Vista, a server of the Trino protocol over DuckDB, for tests; see
# serve_buenavista.py for what listens.
#
#   buenavista.sh start DIR   prints http=PORT, broken=PORT, https=PORT, mutual=PORT once all answer, and
#                             the files ca=, client_certificate= and client_key=
#   buenavista.sh stop DIR
#   buenavista.sh install     only makes the Python environment
source "$(dirname -- "$0")/lib.sh"

# An authority, a certificate for localhost and one for a client, all for a few days only.
certificates() {
    cat >openssl.cnf <<-'CNF'
		[req]
		distinguished_name = name
		prompt = no
		[name]
		CN = revalidated test
		[authority]
		basicConstraints = critical, CA:TRUE
		keyUsage = critical, keyCertSign
		[server]
		basicConstraints = critical, CA:FALSE
		subjectAltName = DNS:localhost, DNS:trino.example.com, IP:127.0.0.1
		[client]
		basicConstraints = critical, CA:FALSE
		extendedKeyUsage = clientAuth
	CNF
    local key=(-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -config openssl.cnf) name
    openssl req -x509 "${key[@]}" -extensions authority -days 7 -keyout ca.key -out ca.pem
    for name in server client; do
        openssl req "${key[@]}" -keyout "$name.key" -out "$name.csr"
        openssl x509 -req -in "$name.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -days 7 \
            -extfile openssl.cnf -extensions "$name" -out "$name.pem"
    done
}

start() {
    local dir=$1 venv
    command -v openssl >/dev/null || fail 'openssl is not installed; run: apt-get install openssl'
    venv=$(environment buenavista)
    stop "$dir"
    mkdir -p "$dir"
    rm -f "$dir/ready"
    (cd "$dir" && certificates >openssl.log 2>&1) || { cat "$dir/openssl.log" >&2 && fail 'no certificates'; }
    launch "$dir" "$venv/bin/python" "$servers/serve_buenavista.py"
    await "$dir" test -f "$dir/ready"
    cat "$dir/ready"
    dir=$(CDPATH='' cd -- "$dir" && pwd)
    printf '%s\n' "ca=$dir/ca.pem" "client_certificate=$dir/client.pem" "client_key=$dir/client.key"
}

case ${1:-}:${2:+dir} in
start:dir) start "$2" ;;
stop:dir) stop "$2" ;;
install:) environment buenavista >/dev/null ;;
*) fail 'usage: buenavista.sh start|stop DIR, or buenavista.sh install' ;;
esac
