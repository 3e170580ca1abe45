#!/usr/bin/env bash
# A throw-away PostgreSQL for tests: TLS under its own authority, SCRAM, MD5 and clear-text log-ins,
# every statement in a JSON log, and stand-ins for the Redshift views that the validator reads.
#
#   postgres.sh start DIR [OPTION...]   creates DIR, starts the server, prints what it needs
#   postgres.sh sql DIR [DATABASE]      runs the SQL on standard input as the superuser
#   postgres.sh again DIR               starts it again on its port after a stop, which is a crash
#   postgres.sh stop DIR                stops the server; DIR is left for a look at the log
#   postgres.sh standby DIR PRIMARY [OPTION...]   creates DIR, and starts a standby of the server in PRIMARY
#   postgres.sh detach DIR              a standby receives nothing any more
#   postgres.sh promote DIR             a standby takes writes
#
# The server listens on 127.0.0.1 only. Options:
#   --no-tls            connections are not encrypted
#   --owner PID         the server stops by itself once that process has ended
#   --remove            DIR goes with it then
#   --set NAME=VALUE    a setting of the server
set -euo pipefail

readonly superuser=master
readonly start_seconds_max=30
readonly stop_seconds_max=20
readonly port_attempts_max=5

fail() {
    echo "postgres.sh: $*" >&2
    exit 1
}

# The newest PostgreSQL installed: Debian keeps the server's programs out of PATH.
find_programs() {
    local found program
    found=$(compgen -G '/usr/lib/postgresql/*/bin/initdb' | sort -V | tail -n 1 || command -v initdb || true)
    bin=$(dirname "$(readlink -f "${found:-/nowhere}")")
    for program in initdb pg_ctl psql; do
        [[ -x $bin/$program ]] || fail "PostgreSQL is not installed; run: apt-get install postgresql"
    done
    command -v openssl >/dev/null || fail "openssl is not installed; run: apt-get install openssl"
}

# Runs a command as the server's user: PostgreSQL refuses root.
as_server() {
    if [[ $(id -u) == 0 ]]; then
        runuser -u nobody -- "$@"
    else
        "$@"
    fi
}

# An authority and a certificate for localhost, both for a few days only.
make_certificates() {
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
		subjectAltName = DNS:localhost, IP:127.0.0.1
	CNF
    local key=(-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -config openssl.cnf)
    openssl req -x509 "${key[@]}" -extensions authority -days 7 -keyout ca.key -out ca.pem
    openssl req "${key[@]}" -keyout server.key -out server.csr
    openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 7 \
        -extfile openssl.cnf -extensions server -out server.pem
    chmod 600 ca.key server.key
}

configure() {
    local tls=$1
    shift
    cat >>data/postgresql.conf <<-CONF
		listen_addresses = '127.0.0.1'
		unix_socket_directories = ''
		ssl = $tls
		ssl_cert_file = '$dir/server.pem'
		ssl_key_file = '$dir/server.key'
		shared_buffers = 16MB
		max_connections = 50
		fsync = off
		client_connection_check_interval = 500ms
		logging_collector = on
		log_destination = 'jsonlog'
		log_directory = '$dir/log'
		log_filename = 'postgres.log'
		log_connections = on
		log_disconnections = on
		log_statement = 'all'
	CONF
    (($# == 0)) || printf '%s\n' "$@" >>data/postgresql.conf
    local type=hostssl
    [[ $tls == on ]] || type=host
    cat >data/pg_hba.conf <<-CONF
		$type all u_rejected 127.0.0.1/32 reject
		$type all u_md5      127.0.0.1/32 md5
		$type all u_clear    127.0.0.1/32 password
		$type all all        127.0.0.1/32 scram-sha-256
		$type replication $superuser 127.0.0.1/32 scram-sha-256
	CONF
}

# Ports are guessed, so that another program may take one in between: then the next is tried.
launch() {
    local attempt port
    for ((attempt = 1; attempt <= port_attempts_max; attempt++)); do
        port=$((20000 + RANDOM % 12000))
        if as_server "$bin/pg_ctl" -D "$dir/data" -l start.log -w -t "$start_seconds_max" -o "-p $port" start >/dev/null 2>&1; then
            echo "$port" >port
            return
        fi
    done
    cat start.log log/postgres.json >&2 || true
    fail "the server does not start"
}

# A server of this directory that was stopped, on the port that it had.
start_again() {
    as_server "$bin/pg_ctl" -D "$dir/data" -l start.log -w -t "$start_seconds_max" -o "-p $(cat port)" start >/dev/null 2>&1 ||
        { cat start.log >&2 && fail "the server does not start again"; }
}

# Every new database gets the Redshift relations, with Redshift's columns.
add_redshift_views() {
    run_sql template1 <<-'SQL'
		CREATE TABLE public.role_rows (role_id int, role_name text, role_owner text, external_id text);
		CREATE VIEW public.svv_roles AS SELECT * FROM public.role_rows;
		CREATE VIEW public.svv_redshift_databases AS
		    SELECT datname::text AS database_name, datdba::int AS database_owner,
		        'local'::text AS database_type, NULL::text AS database_acl,
		        NULL::text AS database_options, 'Snapshot Isolation'::text AS database_isolation_level
		    FROM pg_database;
		GRANT SELECT ON public.svv_roles, public.svv_redshift_databases TO PUBLIC;
	SQL
}

run_sql() {
    local database=${1:-postgres} mode=verify-full
    [[ $(cat tls) == on ]] || mode=disable
    PGPASSWORD=$(cat password) PGCONNECT_TIMEOUT=10 PGAPPNAME=postgres.sh PGSSLMODE=$mode PGSSLROOTCERT=$dir/ca.pem \
        "$bin/psql" -X -q -A -t -v ON_ERROR_STOP=1 -h 127.0.0.1 -p "$(cat port)" -U "$superuser" -d "$database" -f -
}

# Ends with the server, or ends the server with its owner.
watch_owner() {
    while kill -0 "$1" 2>/dev/null; do
        [[ -f data/postmaster.pid ]] || return 0
        sleep 1
    done
    stop
    [[ -z $remove ]] || rm -rf "$dir"
}

start() {
    local tls=on owner='' remove='' settings=()
    while (($#)); do
        case $1 in
            --no-tls) tls=off ;;
            --owner) owner=${2:?--owner needs a process id} && shift ;;
            --remove) remove=yes ;;
            --set) settings+=("${2:?--set needs a setting}") && shift ;;
            *) fail "unknown option $1" ;;
        esac
        shift
    done
    mkdir -p "$dir"
    cd "$dir"
    dir=$PWD
    [[ -z $(ls -A) ]] || fail "$dir is not empty"
    umask 077
    echo "$tls" >tls
    openssl rand -hex 16 >password
    make_certificates >openssl.log 2>&1 || { cat openssl.log >&2 && fail "no certificates"; }
    [[ $(id -u) != 0 ]] || chown -R nobody .
    as_server test -x "$dir" || fail "user nobody cannot enter $dir; use a directory below /tmp"
    as_server "$bin/initdb" -D "$dir/data" -U "$superuser" --pwfile=password -A scram-sha-256 \
        --encoding=UTF8 --no-locale --no-sync >initdb.log 2>&1 || { cat initdb.log >&2 && fail "initdb failed"; }
    configure "$tls" "${settings[@]}"
    trap stop EXIT
    launch
    add_redshift_views
    trap - EXIT
    if [[ -n $owner ]]; then
        watch_owner "$owner" </dev/null >/dev/null 2>&1 &
        disown
    fi
    printf '%s\n' "host=127.0.0.1" "port=$(cat port)" "ca=$dir/ca.pem" "superuser=$superuser" \
        "password_file=$dir/password" "log=$dir/log/postgres.json"
}

# A standby has the password, the certificate and the settings of its primary, and a port and a log of its own.
standby() {
    local primary owner='' remove=''
    primary=$(cd "${1:?standby needs the directory of a server}" && pwd)
    shift
    while (($#)); do
        case $1 in
            --owner) owner=${2:?--owner needs a process id} && shift ;;
            --remove) remove=yes ;;
            *) fail "unknown option $1" ;;
        esac
        shift
    done
    mkdir -p "$dir"
    cd "$dir"
    dir=$PWD
    umask 077
    cp "$primary"/{password,tls,ca.pem} .
    [[ $(id -u) != 0 ]] || chown -R nobody .
    PGPASSWORD=$(cat password) as_server "$bin/pg_basebackup" -h 127.0.0.1 -p "$(cat "$primary/port")" -U "$superuser" \
        -D "$dir/data" -R -X stream -c fast --no-sync >basebackup.log 2>&1 || { cat basebackup.log >&2 && fail "no base backup"; }
    echo "log_directory = '$dir/log'" >>data/postgresql.conf
    trap stop EXIT
    launch
    trap - EXIT
    if [[ -n $owner ]]; then
        watch_owner "$owner" </dev/null >/dev/null 2>&1 &
        disown
    fi
    echo "port=$(cat port)"
}

detach() {
    echo "primary_conninfo = ''" >>data/postgresql.auto.conf
    as_server "$bin/pg_ctl" -D "$dir/data" reload >/dev/null
}

promote() {
    as_server "$bin/pg_ctl" -D "$dir/data" -w -t "$start_seconds_max" promote >/dev/null
}

stop() {
    [[ -f data/postmaster.pid ]] || return 0
    as_server "$bin/pg_ctl" -D "$dir/data" -m immediate -w -t "$stop_seconds_max" stop >/dev/null
}

(($# >= 2)) || fail "usage: postgres.sh start DIR [OPTION...] | sql DIR [DATABASE] | again DIR | stop DIR |
    standby DIR PRIMARY [OPTION...] | detach DIR | promote DIR"
command=$1
dir=$2
shift 2
find_programs
case $command in
    start) start "$@" ;;
    sql) cd "$dir" && dir=$PWD && run_sql "$@" ;;
    again) cd "$dir" && dir=$PWD && start_again ;;
    standby) standby "$@" ;;
    detach) cd "$dir" && dir=$PWD && detach ;;
    promote) cd "$dir" && dir=$PWD && promote ;;
    stop) cd "$dir" && dir=$PWD && stop ;;
    *) fail "unknown command $command" ;;
esac
