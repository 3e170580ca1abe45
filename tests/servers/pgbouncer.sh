#!/usr/bin/env bash
# A throw-away PgBouncer that pools transactions, in front of a server on a port of this machine.
#
#   pgbouncer.sh start DIR PORT USER PASSWORD OWNER   creates DIR, starts it, prints its port; it stops with the process OWNER
set -euo pipefail

fail() {
    echo "pgbouncer.sh: $*" >&2
    exit 1
}

(($# == 6)) && [[ $1 == start ]] || fail "usage: pgbouncer.sh start DIR PORT USER PASSWORD OWNER"
dir=$2 server=$3 user=$4 password=$5 owner=$6
program=$(PATH=$PATH:/usr/sbin command -v pgbouncer) || fail "PgBouncer is not installed; run: apt-get install pgbouncer"
mkdir -p "$dir"
cd "$dir"
umask 077
printf '"%s" "%s"\n' "$user" "$password" >users
as=()
[[ $(id -u) != 0 ]] || { chown -R nobody . && as=(runuser -u nobody --); }

# Ports are guessed, so that another program may take one in between: then the next is tried.
for _ in 1 2 3 4 5; do
    port=$((20000 + RANDOM % 12000))
    cat >pgbouncer.ini <<-INI
		[databases]
		* = host=127.0.0.1 port=$server
		[pgbouncer]
		listen_addr = 127.0.0.1
		listen_port = $port
		unix_socket_dir =
		auth_type = scram-sha-256
		auth_file = $PWD/users
		pool_mode = transaction
		max_client_conn = 2000
		default_pool_size = 10
		server_idle_timeout = 5
		logfile = $PWD/log
		pidfile = $PWD/pid
	INI
    [[ $(id -u) != 0 ]] || chown nobody pgbouncer.ini
    "${as[@]}" "$program" -q -d pgbouncer.ini || continue
    for _ in $(seq 50); do
        if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && [[ -f pid ]]; then
            pid=$(cat pid)
            (
                while kill -0 "$owner" 2>/dev/null; do sleep 1; done
                kill -INT "$pid"
            ) </dev/null >/dev/null 2>&1 &
            disown
            echo "port=$port"
            exit
        fi
        sleep 0.1
    done
done
cat log >&2 || true
fail "it does not start"
