#!/usr/bin/env bash
# Starts and stops an SMTP server (aiosmtpd) with STARTTLS and a log-in, for tests.
#
#   smtp.sh start DIR   prints port=, username=, password=, ca= and mail= (a folder with a file for each mail)
#   smtp.sh stop DIR
#   smtp.sh install     only makes the Python environment
source "$(dirname -- "$0")/lib.sh"

start() {
    local dir=$1 venv port certs
    venv=$(environment smtp)
    certs=$servers/../daemon/certs
    stop "$dir"
    mkdir -p "$dir"
    port=$(free_port)
    launch "$dir" "$venv/bin/python" "$servers/smtp.py" "$port" "$certs/server.pem" "$certs/server.key" mail
    await "$dir" bash -c "exec 3<>/dev/tcp/127.0.0.1/$port"
    printf '%s\n' "port=$port" username=revalidated password=planted-smtp-password "ca=$certs/ca.pem" \
        "mail=$(CDPATH='' cd -- "$dir" && pwd)/mail"
}

case ${1:-}:${2:+dir} in
start:dir) start "$2" ;;
stop:dir) stop "$2" ;;
install:) environment smtp >/dev/null ;;
*) fail 'usage: smtp.sh start|stop DIR, or smtp.sh install' ;;
esac
