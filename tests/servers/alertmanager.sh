#!/usr/bin/env bash
# Starts and stops a Prometheus Alertmanager, of Debian's package prometheus-alertmanager, for tests.
#
#   alertmanager.sh start DIR   prints endpoint=http://127.0.0.1:PORT once it answers
#   alertmanager.sh stop DIR
#   alertmanager.sh install     does nothing: the package is Debian's
source "$(dirname -- "$0")/lib.sh"

start() {
    local dir=$1 port endpoint
    command -v prometheus-alertmanager >/dev/null || fail 'install prometheus-alertmanager'
    stop "$dir"
    mkdir -p "$dir"
    printf 'route: {receiver: none}\nreceivers: [{name: none}]\n' >"$dir/config.yml"
    port=$(free_port)
    endpoint=http://127.0.0.1:$port
    launch "$dir" prometheus-alertmanager --config.file=config.yml --storage.path=data \
        --web.listen-address="127.0.0.1:$port" --cluster.listen-address=
    await "$dir" curl -fsS "$endpoint/-/ready"
    printf 'endpoint=%s\n' "$endpoint"
}

case ${1:-}:${2:+dir} in
start:dir) start "$2" ;;
stop:dir) stop "$2" ;;
install:) ;;
*) fail 'usage: alertmanager.sh start|stop DIR' ;;
esac
